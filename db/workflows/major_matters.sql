-- Major matters (3.20): no decision without the committee's resolution, none
-- hidden from the superior or from a member unit.

select app.begin_machine('major_matters', '重大事项', 'Major matters', '3.20');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('major_matters', 'draft', '草稿', 'Draft', true, false, 1),
    ('major_matters', 'accepted', '已受理', 'Accepted', false, false, 2),
    ('major_matters', 'deliberating', '审议中', 'Under deliberation', false, false, 3),
    ('major_matters', 'resolved', '已议决', 'Resolved', false, false, 4),
    ('major_matters', 'circulated', '已上报通报', 'Reported and circulated', false, false, 5),
    ('major_matters', 'closed', '已办结', 'Closed', false, true, 6),
    ('major_matters', 'voided', '已作废', 'Voided', false, true, 7);

with who(who, roles) as (values
    ('chief', '{chief_inspector}'::text[]),
    ('office', '{office_staff,deputy_chief_inspector}'),
    ('urgent', '{office_staff,deputy_chief_inspector,chief_inspector}'),
    ('director', '{committee_director}')
), step(action, from_state, to_state, who, label_zh, label_en, rule_id, clause_id, needs_reason, sort) as (values
    ('accept', 'draft', 'accepted', 'chief', '受理', 'Accept', null, 'C2.1.1.c', false, 1),
    ('report_urgent', 'draft', 'draft', 'urgent', '紧急上报', 'Report urgently', null, 'L-DX-04', false, 2),
    ('report_urgent', 'accepted', 'accepted', 'urgent', '紧急上报', 'Report urgently', null, 'L-DX-04', false, 3),
    ('submit_to_meeting', 'accepted', 'deliberating', 'chief', '提交会议', 'Submit to a meeting', 'R-ORG-07', 'C2.1.1.c', false, 4),
    ('resolve', 'deliberating', 'resolved', 'director', '议决', 'Resolve', 'R-ORG-07', 'C2.1.1.c', false, 5),
    ('send_dispatches', 'resolved', 'resolved', 'office', '发出上报通报', 'Send report and circulars', 'R-RPT-02', 'C2.1.3.f', false, 6),
    ('mark_circulated', 'resolved', 'circulated', 'office', '确认已上报通报', 'Mark as circulated', 'R-RPT-02', 'C2.1.3.f', false, 7),
    ('close', 'circulated', 'closed', 'chief', '办结', 'Close', 'R-MTG-04', 'C2.1.1.d', false, 8),
    ('void', 'draft', 'voided', 'chief', '作废', 'Void', null, null, true, 9),
    ('void', 'accepted', 'voided', 'chief', '作废', 'Void', null, null, true, 10)
)
insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort)
select 'major_matters', s.action, s.from_state, s.to_state, w.roles, s.label_zh, s.label_en, s.rule_id, s.clause_id, s.needs_reason, s.sort
from step s
join who w using (who);
