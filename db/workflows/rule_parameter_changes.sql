-- Parameters: who proposes a value does not approve it (4.1, 4.3).

select app.begin_machine('rule_parameter_changes', '参数变更',
    'Change of a parameter', '3.25');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('rule_parameter_changes', 'proposed', '待批准', 'Proposed',
        true, false, 1),
    ('rule_parameter_changes', 'approved', '已批准', 'Approved',
        false, true, 2),
    ('rule_parameter_changes', 'rejected', '未批准', 'Rejected',
        false, true, 3);

insert into app.workflow_actions(resource, action, from_state, to_state,
    roles, label_zh, label_en, clause_id, needs_reason, is_system, sort) values
    ('rule_parameter_changes', 'approve', 'proposed', 'approved',
        '{chief_inspector}', '批准', 'Approve', '4.1', false, false, 1),
    ('rule_parameter_changes', 'reject', 'proposed', 'rejected',
        '{chief_inspector}', '不予批准', 'Reject', '4.1', true, false, 2);
