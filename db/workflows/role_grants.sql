-- Grants: who proposes one does not approve it (4.1, 4.3).
select app.begin_machine('role_grants', '授权', 'Role grant', '4.1');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('role_grants', 'proposed', '待批准', 'Proposed', true, false, 1),
    ('role_grants', 'active', '有效', 'Active', false, false, 2),
    ('role_grants', 'rejected', '未批准', 'Rejected', false, true, 3),
    ('role_grants', 'ended', '已终止', 'Ended', false, true, 4);

insert into app.workflow_actions(resource, action, from_state, to_state, roles,
    label_zh, label_en, clause_id, needs_reason, is_system, sort) values
    ('role_grants', 'approve', 'proposed', 'active', '{chief_inspector,system}',
     '批准', 'Approve', '4.1', false, false, 1),
    ('role_grants', 'reject', 'proposed', 'rejected', '{chief_inspector}',
     '不予批准', 'Reject', '4.1', true, false, 2),
    ('role_grants', 'end', 'proposed', 'ended', '{sys_admin}',
     '撤回', 'Withdraw', '4.1', true, false, 3),
    ('role_grants', 'end', 'active', 'ended', '{sys_admin,chief_inspector,system}',
     '终止', 'End', '4.1', true, false, 3);
