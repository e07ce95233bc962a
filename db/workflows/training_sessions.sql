-- Training sessions (3.17).

select app.begin_machine('training_sessions', '培训班', 'Training session', '3.17');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('training_sessions', 'planned', '已计划', 'Planned', true, false, 1),
    ('training_sessions', 'open', '报名中', 'Open for enrolment', false, false, 2),
    ('training_sessions', 'in_progress', '进行中', 'In progress', false, false, 3),
    ('training_sessions', 'completed', '已完成', 'Completed', false, false, 4),
    ('training_sessions', 'closed', '已办结', 'Closed', false, true, 5),
    ('training_sessions', 'cancelled', '已取消', 'Cancelled', false, true, 6);

insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort) values
    ('training_sessions', 'open', 'planned', 'open', '{office_staff,deputy_chief_inspector}', '开放报名', 'Open enrolment', 'R-TRN-01', 'C2.4.3.c', false, 1),
    ('training_sessions', 'start', 'open', 'in_progress', '{office_staff,deputy_chief_inspector,research_center}', '开班', 'Start', 'R-TRN-03', 'C2.4.3.c', false, 2),
    ('training_sessions', 'complete', 'in_progress', 'completed', '{office_staff,deputy_chief_inspector,research_center}', '结班', 'Complete', 'R-TRN-03', 'L-DX-05', false, 3),
    ('training_sessions', 'close', 'completed', 'closed', '{chief_inspector}', '办结', 'Close', 'R-TRN-03', 'L-DX-05', false, 4),
    ('training_sessions', 'cancel', 'planned', 'cancelled', '{chief_inspector}', '取消', 'Cancel', 'R-TRN-01', 'C2.4.3.c', true, 5),
    ('training_sessions', 'cancel', 'open', 'cancelled', '{chief_inspector}', '取消', 'Cancel', 'R-TRN-01', 'C2.4.3.c', true, 6);
