-- Research projects (3.24, C2.4.3.d, C3.3.a). A leader without an account is
-- one of the research centre's, which makes the steps.

select app.begin_machine('research_projects', '课题研究', 'Research project', '3.24');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('research_projects', 'applied', '已申报', 'Applied', true, false, 1),
    ('research_projects', 'approved', '已立项', 'Approved', false, false, 2),
    ('research_projects', 'running', '研究中', 'Running', false, false, 3),
    ('research_projects', 'concluded', '已结题', 'Concluded', false, false, 4),
    ('research_projects', 'accepted', '已验收', 'Accepted', false, true, 5),
    ('research_projects', 'terminated', '已终止', 'Terminated', false, true, 6),
    ('research_projects', 'rejected', '未通过', 'Rejected', false, true, 7);

insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort) values
    ('research_projects', 'approve', 'applied', 'approved', '{chief_inspector}', '立项', 'Approve', 'R-RES-03', 'C3.3.a', false, 1),
    ('research_projects', 'reject', 'applied', 'rejected', '{chief_inspector}', '不予立项', 'Reject', 'R-RES-03', 'C3.3.a', true, 2),
    ('research_projects', 'start', 'approved', 'running', '{research_center,inspector_ft,inspector_pt}', '开题', 'Start', 'R-RES-03', 'C3.3.a', false, 3),
    ('research_projects', 'conclude', 'running', 'concluded', '{research_center,inspector_ft,inspector_pt}', '结题', 'Conclude', 'R-RES-03', 'C3.3.a', false, 4),
    ('research_projects', 'accept', 'concluded', 'accepted', '{chief_inspector}', '验收', 'Accept', 'R-RES-03', 'C3.3.a', false, 5),
    ('research_projects', 'terminate', 'running', 'terminated', '{chief_inspector}', '终止', 'Terminate', 'R-RES-03', 'C3.3.a', true, 6);
