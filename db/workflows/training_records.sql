-- Training records (3.17). Results are the trainer's and the centre's; of a
-- trainer without an account the office registers them.

select app.begin_machine('training_records', '培训记录', 'Training record', '3.17');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('training_records', 'enrolled', '已报名', 'Enrolled', true, false, 1),
    ('training_records', 'attended', '已参训', 'Attended', false, false, 2),
    ('training_records', 'absent', '缺勤', 'Absent', false, true, 3),
    ('training_records', 'passed', '合格', 'Passed', false, false, 4),
    ('training_records', 'failed', '不合格', 'Failed', false, true, 5),
    ('training_records', 'certified', '已发证', 'Certified', false, true, 6);

insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort) values
    ('training_records', 'attend', 'enrolled', 'attended', '{office_staff,deputy_chief_inspector,research_center}', '登记参训', 'Record attendance', 'R-TRN-03', 'L-DX-05', false, 1),
    ('training_records', 'miss', 'enrolled', 'absent', '{office_staff,deputy_chief_inspector,research_center}', '登记缺勤', 'Record absence', 'R-TRN-03', 'L-DX-05', false, 2),
    ('training_records', 'pass', 'attended', 'passed', '{research_center,inspector_ft,inspector_pt,office_staff,deputy_chief_inspector}', '考核合格', 'Pass', 'R-TRN-02', 'L-DX-05', false, 3),
    ('training_records', 'fail', 'attended', 'failed', '{research_center,inspector_ft,inspector_pt,office_staff,deputy_chief_inspector}', '考核不合格', 'Fail', 'R-TRN-02', 'L-DX-05', false, 4),
    ('training_records', 'certify', 'passed', 'certified', '{office_staff,deputy_chief_inspector}', '发证', 'Certify', 'R-TRN-02', 'L-DX-05', false, 5);
