-- Rectification plans (3.24): the unit submits, the office decides.

select app.begin_machine('rectification_plans', '整改方案',
    'Rectification plan', '3.24');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('rectification_plans', 'submitted', '已提交', 'Submitted',
        true, false, 1),
    ('rectification_plans', 'accepted', '已认可', 'Accepted',
        false, true, 2),
    ('rectification_plans', 'returned', '已退回', 'Returned',
        false, true, 3);

insert into app.workflow_actions(resource, action, from_state, to_state,
    roles, label_zh, label_en, rule_id, clause_id, needs_reason, is_system,
    sort) values
    ('rectification_plans', 'accept', 'submitted', 'accepted',
        array['office_staff', 'deputy_chief_inspector', 'chief_inspector',
            'system'],
        '认可', 'Accept', 'R-PRB-01', 'C2.3.2.c', false, false, 1),
    ('rectification_plans', 'return', 'submitted', 'returned',
        array['office_staff', 'deputy_chief_inspector', 'chief_inspector'],
        '退回', 'Return', 'R-PRB-01', 'C2.3.2.c', true, false, 2);
