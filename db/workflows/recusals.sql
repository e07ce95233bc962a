-- Recusals (3.24, L-TL-10): declared, then decided by the chief inspector.

select app.begin_machine('recusals', '回避', 'Recusal', '3.24');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('recusals', 'declared', '已申报', 'Declared', true, false, 1),
    ('recusals', 'granted', '已回避', 'Granted', false, true, 2),
    ('recusals', 'rejected', '不回避', 'Rejected', false, true, 3);

insert into app.workflow_actions(resource, action, from_state, to_state,
    roles, label_zh, label_en, rule_id, clause_id, needs_reason, is_system,
    sort) values
    ('recusals', 'grant', 'declared', 'granted',
        '{chief_inspector}', '同意回避', 'Grant',
        'R-INS-09', 'L-TL-10', false, false, 1),
    ('recusals', 'reject', 'declared', 'rejected',
        '{chief_inspector}', '不予回避', 'Reject',
        'R-INS-09', 'L-TL-10', true, false, 2);
