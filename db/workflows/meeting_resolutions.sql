-- Resolutions of meetings (3.24): the owner reports, somebody else confirms.
-- Overdue is derived, no state.

select app.begin_machine('meeting_resolutions', '会议议定事项', 'Resolutions of meetings', '3.24');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('meeting_resolutions', 'open', '办理中', 'Open', true, false, 1),
    ('meeting_resolutions', 'done', '已办结', 'Done', false, true, 2),
    ('meeting_resolutions', 'dropped', '不再办理', 'Dropped', false, true, 3);

insert into app.workflow_actions(resource, action, from_state, to_state, roles,
    label_zh, label_en, rule_id, clause_id, needs_reason, sort) values
    ('meeting_resolutions', 'report_done', 'open', 'open',
     '{member_liaison,committee_member,department_account,township_account,office_staff,deputy_chief_inspector}',
     '报告办结', 'Report as done', 'R-MTG-04', 'C2.1.1.d', false, 1),
    ('meeting_resolutions', 'confirm', 'open', 'done', '{office_staff,deputy_chief_inspector}',
     '确认办结', 'Confirm', 'R-MTG-04', 'C2.1.1.d', false, 2),
    ('meeting_resolutions', 'drop', 'open', 'dropped', '{committee_director}',
     '不再办理', 'Drop', 'R-MTG-04', 'C2.1.1.d', true, 3);
