-- The file of one unit inside one task (3.3). Self-assessments, opinion
-- collections, defences and opinion letters have no resource yet: the guards
-- of the steps that rest on them refuse until they have.

select app.begin_machine('supervision_targets', '督导对象',
    'Supervision target', '3.3');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('supervision_targets', 'pending', '待通知', 'Pending', true, false, 1),
    ('supervision_targets', 'notified', '已通知', 'Notified',
        false, false, 2),
    ('supervision_targets', 'self_assessed', '已自评', 'Self-assessed',
        false, false, 3),
    ('supervision_targets', 'self_assessment_audited', '自评已审核',
        'Self-assessment audited', false, false, 4),
    ('supervision_targets', 'onsite', '现场考察中', 'On site',
        false, false, 5),
    ('supervision_targets', 'onsite_done', '现场结束', 'On-site work done',
        false, false, 6),
    ('supervision_targets', 'defense_open', '初步意见已反馈(申辩期)',
        'Open for defence', false, false, 7),
    ('supervision_targets', 'defense_closed', '申辩已处理',
        'Defence dealt with', false, false, 8),
    ('supervision_targets', 'opinion_issued', '意见书已发',
        'Opinion issued', false, false, 9),
    ('supervision_targets', 'opinion_received', '已签收',
        'Opinion received', false, false, 10),
    ('supervision_targets', 'rectifying', '整改中', 'Being rectified',
        false, false, 11),
    ('supervision_targets', 'closed', '办结', 'Closed', false, true, 12),
    ('supervision_targets', 'excused', '免于实施', 'Excused',
        false, true, 13);

with who(who, roles) as (values
    ('system', array['system']),
    ('unit', array['school_account', 'township_account',
        'department_account']),
    ('chief', array['chief_inspector']),
    ('chief_or_system', array['chief_inspector', 'system']),
    ('team', array['inspector_ft', 'inspector_pt', 'zone_lead']),
    ('leader', array['inspector_ft', 'zone_lead']),
    ('office', array['office_staff', 'deputy_chief_inspector']),
    ('recorder', array['inspector_ft', 'inspector_pt', 'zone_lead',
        'office_staff', 'deputy_chief_inspector'])
), step(action, from_state, to_state, who, label_zh, label_en, rule_id,
    clause_id, needs_reason, sort) as (values
    ('notify', 'pending', 'notified', 'system',
        '通知', 'Notify', 'R-TSK-03', 'L-TL-17', false, 1),
    ('submit_self_assessment', 'notified', 'self_assessed', 'unit',
        '提交自评', 'Submit the self-assessment', 'R-TSK-04', 'L-TL-18',
        false, 2),
    ('waive_self_assessment', 'notified', 'self_assessment_audited', 'chief',
        '免予自评', 'Waive the self-assessment', 'R-TSK-04', 'L-TL-18',
        true, 3),
    ('audit_self_assessment', 'self_assessed', 'self_assessment_audited',
        'team', '审核自评', 'Audit the self-assessment', 'R-TSK-04',
        'L-TL-18', false, 4),
    ('begin_onsite', 'self_assessment_audited', 'onsite', 'leader',
        '开始现场考察', 'Begin on-site work', 'R-TSK-02', 'L-TL-16',
        false, 5),
    ('end_onsite', 'onsite', 'onsite_done', 'leader',
        '结束现场考察', 'End on-site work', 'R-TSK-05', 'L-TL-18', false, 6),
    ('feed_back', 'onsite_done', 'defense_open', 'leader',
        '反馈初步意见', 'Feed back', 'R-TSK-06', 'L-TL-20', false, 7),
    ('submit_defense', 'defense_open', 'defense_open', 'unit',
        '提交申辩', 'Submit a defence', 'R-FBK-01', 'L-TL-20', false, 8),
    ('close_defense', 'defense_open', 'defense_closed', 'chief',
        '办结申辩', 'Close the defence', 'R-FBK-01', 'L-TL-21', false, 9),
    ('issue_opinion', 'defense_closed', 'opinion_issued', 'chief',
        '印发意见书', 'Issue the opinion', 'R-FBK-01', 'C2.3.1.d', false, 10),
    ('acknowledge', 'opinion_issued', 'opinion_received', 'unit',
        '签收意见书', 'Acknowledge the opinion', 'R-FBK-01', 'C2.3.1.d',
        false, 11),
    ('start_rectification', 'opinion_received', 'rectifying', 'system',
        '进入整改', 'Start rectification', 'R-FBK-02', 'C2.3.1.e', false, 12),
    ('close', 'opinion_received', 'closed', 'office',
        '办结', 'Close', 'R-PRB-01', 'C2.3.2.c', false, 13),
    ('close', 'rectifying', 'closed', 'office',
        '办结', 'Close', 'R-PRB-01', 'C2.3.2.c', false, 14),
    ('excuse', 'pending', 'excused', 'chief_or_system',
        '免于实施', 'Excuse', 'R-CMP-01', 'C2.2.2.d', true, 15),
    ('excuse', 'notified', 'excused', 'chief_or_system',
        '免于实施', 'Excuse', 'R-CMP-01', 'C2.2.2.d', true, 16),
    ('excuse', 'self_assessed', 'excused', 'chief_or_system',
        '免于实施', 'Excuse', 'R-CMP-01', 'C2.2.2.d', true, 17)
)
insert into app.workflow_actions(resource, action, from_state, to_state,
    roles, label_zh, label_en, rule_id, clause_id, needs_reason, is_system,
    sort)
select 'supervision_targets', s.action, s.from_state, s.to_state, w.roles,
    s.label_zh, s.label_en, s.rule_id, s.clause_id, s.needs_reason,
    s.who = 'system', s.sort
from step s
join who w using (who)
union all
-- L-TL-25: obstruction may be recorded until the opinion is issued
select 'supervision_targets', 'record_obstruction', f.state, f.state,
    w.roles, '记录阻扰', 'Record an obstruction', 'R-ACC-01', 'C2.3.4.f',
    false, false, 17 + f.sort
from app.workflow_states f, who w
where f.resource = 'supervision_targets'
    and f.sort between 1 and 8
    and w.who = 'recorder';
