-- Plaques of the responsible inspectors (3.24, C2.2.2.f, L-GP-01).

select app.begin_machine('plaques', '责任督学公示牌', 'Plaque', '3.24');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('plaques', 'planned', '待挂牌', 'Planned', true, false, 1),
    ('plaques', 'posted', '已挂牌', 'Posted', false, false, 2),
    ('plaques', 'to_replace', '待更换', 'To be replaced', false, false, 3),
    ('plaques', 'removed', '已撤牌', 'Removed', false, true, 4);

insert into app.workflow_actions(resource, action, from_state, to_state,
    roles, label_zh, label_en, rule_id, clause_id, needs_reason, is_system,
    sort) values
    ('plaques', 'post', 'planned', 'posted',
        '{inspector_ft,inspector_pt,office_staff,deputy_chief_inspector}',
        '挂牌', 'Post', 'R-PLQ-01', 'C2.2.2.f', false, false, 1),
    ('plaques', 'flag', 'posted', 'to_replace',
        '{office_staff,deputy_chief_inspector,system}', '标记更换', 'Flag',
        'R-PLQ-01', 'C2.2.2.f', true, false, 2),
    ('plaques', 'remove', 'to_replace', 'removed',
        '{office_staff,deputy_chief_inspector,system}', '撤牌', 'Remove',
        'R-PLQ-01', 'C2.2.2.f', false, false, 3),
    -- a plan that is dropped
    ('plaques', 'remove', 'planned', 'removed',
        '{office_staff,deputy_chief_inspector,system}', '取消', 'Remove',
        'R-PLQ-01', 'C2.2.2.f', false, false, 4);
