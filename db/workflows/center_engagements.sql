-- Engagements of the research centre (3.24, C2.4.2.c).

select app.begin_machine('center_engagements', '研究中心专业任务', 'Centre engagement', '3.24');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('center_engagements', 'assigned', '已委派', 'Assigned', true, false, 1),
    ('center_engagements', 'working', '进行中', 'Working', false, false, 2),
    ('center_engagements', 'submitted', '已提交', 'Submitted', false, false, 3),
    ('center_engagements', 'returned', '已退回', 'Returned', false, false, 4),
    ('center_engagements', 'accepted', '已验收', 'Accepted', false, true, 5);

insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort) values
    ('center_engagements', 'start', 'assigned', 'working', '{research_center}', '开始', 'Start', 'R-RES-02', 'C2.4.2.c', false, 1),
    ('center_engagements', 'submit', 'working', 'submitted', '{research_center}', '提交成果', 'Submit', 'R-RES-02', 'C2.4.2.c', false, 2),
    ('center_engagements', 'submit', 'returned', 'submitted', '{research_center}', '提交成果', 'Submit', 'R-RES-02', 'C2.4.2.c', false, 3),
    ('center_engagements', 'accept', 'submitted', 'accepted', '{office_staff,deputy_chief_inspector}', '验收', 'Accept', 'R-RES-02', 'C2.4.2.c', false, 4),
    ('center_engagements', 'return', 'submitted', 'returned', '{office_staff,deputy_chief_inspector}', '退回', 'Return', 'R-RES-02', 'C2.4.2.c', true, 5);
