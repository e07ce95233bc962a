-- Supervision reports (3.8). A major one is the committee's (C2.1.1.e).

select app.begin_machine('supervision_reports', '督导报告',
    'Supervision report', '3.8');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('supervision_reports', 'draft', '草稿', 'Draft', true, false, 1),
    ('supervision_reports', 'office_review', '督导办审核',
        'Under office review', false, false, 2),
    ('supervision_reports', 'committee_review', '委员会审议',
        'Before the committee', false, false, 3),
    ('supervision_reports', 'returned', '已退回', 'Returned',
        false, false, 4),
    ('supervision_reports', 'issued', '已印发', 'Issued', false, false, 5),
    ('supervision_reports', 'delivered', '已报送', 'Delivered',
        false, false, 6),
    ('supervision_reports', 'published', '已公开', 'Published',
        false, false, 7),
    ('supervision_reports', 'exempted', '不予公开', 'Exempted',
        false, false, 8),
    ('supervision_reports', 'archived', '已归档', 'Archived',
        false, true, 9);

with who(who, roles) as (values
    ('writer', array['office_staff', 'deputy_chief_inspector',
        'inspector_ft', 'inspector_pt']),
    ('chief', array['chief_inspector']),
    ('committee', array['committee_director', 'committee_deputy']),
    ('director', array['committee_director']),
    ('office', array['office_staff', 'deputy_chief_inspector']),
    ('sender', array['office_staff', 'deputy_chief_inspector', 'system']),
    ('system', array['system'])
), step(action, from_state, to_state, who, label_zh, label_en, rule_id,
    clause_id, needs_reason, sort) as (values
    ('submit', 'draft', 'office_review', 'writer',
        '送审', 'Submit', null, 'C2.3.1.a', false, 1),
    ('submit', 'returned', 'office_review', 'writer',
        '送审', 'Submit', null, 'C2.3.1.a', false, 1),
    ('return', 'office_review', 'returned', 'chief',
        '退回', 'Return', null, 'C2.3.1.a', true, 2),
    ('to_committee', 'office_review', 'committee_review', 'chief',
        '提请委员会审议', 'Bring before the committee', 'R-RPT-05',
        'C2.1.1.e', false, 3),
    ('issue', 'committee_review', 'issued', 'committee',
        '发布', 'Issue', 'R-RPT-05', 'C2.1.1.e', false, 4),
    ('issue', 'office_review', 'issued', 'chief',
        '印发', 'Issue', 'R-RPT-05', 'C2.1.1.e', false, 4),
    ('mark_delivered', 'issued', 'delivered', 'sender',
        '确认已报送', 'Mark as delivered', 'R-RPT-01', 'C2.3.1.a', false, 5),
    ('publish', 'delivered', 'published', 'system',
        '公开', 'Publish', 'R-PUB-01', 'C2.3.1.b', false, 6),
    ('exempt', 'delivered', 'exempted', 'director',
        '不予公开', 'Exempt from publication', 'R-PUB-01', 'C2.3.1.b',
        true, 7),
    ('archive', 'published', 'archived', 'office',
        '归档', 'Archive', null, 'C2.3.1.b', false, 8),
    ('archive', 'exempted', 'archived', 'office',
        '归档', 'Archive', null, 'C2.3.1.b', false, 8),
    ('void', 'draft', 'draft', 'chief', '作废', 'Void', null, null, true, 9),
    ('void', 'returned', 'returned', 'chief',
        '作废', 'Void', null, null, true, 9),
    ('void', 'office_review', 'office_review', 'chief',
        '作废', 'Void', null, null, true, 9)
)
insert into app.workflow_actions(resource, action, from_state, to_state,
    roles, label_zh, label_en, rule_id, clause_id, needs_reason, is_system,
    sort)
select 'supervision_reports', s.action, s.from_state, s.to_state, w.roles,
    s.label_zh, s.label_en, s.rule_id, s.clause_id, s.needs_reason,
    s.who = 'system', s.sort
from step s
join who w using (who);
