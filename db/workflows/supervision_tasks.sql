-- Supervision tasks (3.2).

select app.begin_machine('supervision_tasks', '督导任务', 'Supervision task',
    '3.2');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('supervision_tasks', 'draft', '草拟', 'Draft', true, false, 1),
    ('supervision_tasks', 'approved', '已立项', 'Approved', false, false, 2),
    ('supervision_tasks', 'issued', '已下达', 'Notice issued',
        false, false, 3),
    ('supervision_tasks', 'in_progress', '实施中', 'In progress',
        false, false, 4),
    ('supervision_tasks', 'summarizing', '汇总评议', 'Being summarized',
        false, false, 5),
    ('supervision_tasks', 'completed', '已完成', 'Completed',
        false, false, 6),
    ('supervision_tasks', 'archived', '已归档', 'Archived', false, true, 7),
    ('supervision_tasks', 'cancelled', '已取消', 'Cancelled', false, true, 8);

with who(who, roles) as (values
    ('approver', array['chief_inspector', 'committee_deputy']),
    ('chief', array['chief_inspector']),
    ('leader', array['inspector_ft', 'zone_lead']),
    ('starter', array['inspector_ft', 'zone_lead', 'office_staff',
        'deputy_chief_inspector']),
    ('office', array['office_staff', 'deputy_chief_inspector'])
), step(action, from_state, to_state, who, label_zh, label_en, rule_id,
    clause_id, needs_reason, sort) as (values
    ('approve', 'draft', 'approved', 'approver',
        '立项', 'Approve', 'R-GEN-01', 'C2.2.2.a', false, 1),
    ('issue_notice', 'approved', 'issued', 'chief',
        '下达督导通知', 'Issue the notice', 'R-TSK-03', 'L-TL-17', false, 2),
    ('start', 'issued', 'in_progress', 'starter',
        '开始实施', 'Start', 'R-TSK-03', 'L-TL-17', false, 3),
    ('start', 'approved', 'in_progress', 'starter',
        '开始实施', 'Start', 'R-TSK-03', 'L-TL-17', false, 4),
    ('summarize', 'in_progress', 'summarizing', 'leader',
        '汇总评议', 'Summarize', 'R-TSK-05', 'L-TL-18', false, 5),
    ('complete', 'summarizing', 'completed', 'chief',
        '完成', 'Complete', 'R-FBK-01', 'C2.3.1.d', false, 6),
    ('archive', 'completed', 'archived', 'office',
        '归档', 'Archive', 'R-RPT-01', 'C2.3.1.a', false, 7),
    ('cancel', 'draft', 'cancelled', 'chief',
        '取消', 'Cancel', 'R-TSK-01', 'C2.2.2.a', true, 8),
    ('cancel', 'approved', 'cancelled', 'chief',
        '取消', 'Cancel', 'R-TSK-01', 'C2.2.2.a', true, 9),
    ('cancel', 'issued', 'cancelled', 'chief',
        '取消', 'Cancel', 'R-TSK-01', 'C2.2.2.a', true, 10)
)
insert into app.workflow_actions(resource, action, from_state, to_state,
    roles, label_zh, label_en, rule_id, clause_id, needs_reason, is_system,
    sort)
select 'supervision_tasks', s.action, s.from_state, s.to_state, w.roles,
    s.label_zh, s.label_en, s.rule_id, s.clause_id, s.needs_reason, false,
    s.sort
from step s
join who w using (who);
