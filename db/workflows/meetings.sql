-- Meetings of the committee (3.19). A meeting that was held before it was
-- entered here begins as held, under the same rules.

select app.begin_machine('meetings', '会议', 'Meetings', '3.19');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('meetings', 'planned', '已计划', 'Planned', true, false, 1),
    ('meetings', 'notified', '已通知', 'Notified', false, false, 2),
    ('meetings', 'held', '已召开', 'Held', true, false, 3),
    ('meetings', 'minutes_drafted', '纪要已拟', 'Minutes drafted', false, false, 4),
    ('meetings', 'minutes_issued', '纪要已印发', 'Minutes issued', false, false, 5),
    ('meetings', 'closed', '已办结', 'Closed', false, true, 6),
    ('meetings', 'postponed', '已延期', 'Postponed', false, false, 7),
    ('meetings', 'cancelled', '已取消', 'Cancelled', false, true, 8);

with who(who, roles) as (values
    ('office', '{office_staff,deputy_chief_inspector}'::text[]),
    ('chair', '{committee_director,committee_deputy}'),
    ('director', '{committee_director}')
), step(action, from_state, to_state, who, label_zh, label_en, rule_id, clause_id, needs_reason, sort) as (values
    ('notify', 'planned', 'notified', 'office', '通知', 'Send the notice', null, 'C2.1.1.b', false, 1),
    ('notify', 'postponed', 'notified', 'office', '通知', 'Send the notice', null, 'C2.1.1.b', false, 2),
    ('hold', 'notified', 'held', 'office', '登记召开', 'Record as held', 'R-ORG-06', 'C2.1.1.b', false, 3),
    ('draft_minutes', 'held', 'minutes_drafted', 'office', '拟纪要', 'Draft the minutes', null, 'C2.1.3.d', false, 4),
    ('issue_minutes', 'minutes_drafted', 'minutes_issued', 'chair', '签发纪要', 'Issue the minutes', 'R-MTG-04', 'C2.1.1.d', false, 5),
    ('close', 'minutes_issued', 'closed', 'office', '办结', 'Close', 'R-MTG-04', 'C2.1.1.d', false, 6),
    ('postpone', 'planned', 'postponed', 'director', '延期', 'Postpone', 'R-MTG-01', 'C2.1.3.d', true, 7),
    ('postpone', 'notified', 'postponed', 'director', '延期', 'Postpone', 'R-MTG-01', 'C2.1.3.d', true, 8),
    ('cancel', 'planned', 'cancelled', 'director', '取消', 'Cancel', 'R-MTG-01', 'C2.1.3.d', true, 9),
    ('cancel', 'notified', 'cancelled', 'director', '取消', 'Cancel', 'R-MTG-01', 'C2.1.3.d', true, 10)
)
insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort)
select 'meetings', s.action, s.from_state, s.to_state, w.roles, s.label_zh, s.label_en, s.rule_id, s.clause_id, s.needs_reason, s.sort
from step s
join who w using (who);
