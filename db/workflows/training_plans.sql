-- Training plans (3.17). What is not approved goes back with a reason (3.0).

select app.begin_machine('training_plans', '培训计划', 'Training plan', '3.17');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('training_plans', 'draft', '草稿', 'Draft', true, false, 1),
    ('training_plans', 'reviewing', '审核中', 'Under review', false, false, 2),
    ('training_plans', 'approved', '已批准', 'Approved', false, false, 3),
    ('training_plans', 'closed', '已办结', 'Closed', false, true, 4);

insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort) values
    ('training_plans', 'submit', 'draft', 'reviewing', '{office_staff,deputy_chief_inspector}', '提交', 'Submit', 'R-TRN-01', 'C2.4.3.a', false, 1),
    ('training_plans', 'return', 'reviewing', 'draft', '{chief_inspector}', '退回', 'Return', 'R-TRN-01', 'C2.4.3.a', true, 2),
    ('training_plans', 'approve', 'reviewing', 'approved', '{chief_inspector}', '批准', 'Approve', 'R-TRN-01', 'C2.4.3.b', false, 3),
    ('training_plans', 'close', 'approved', 'closed', '{chief_inspector}', '办结', 'Close', 'R-TRN-01', 'C2.4.3.a', false, 4);
