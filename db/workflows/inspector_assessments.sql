-- Assessment of inspectors (3.24): the inspector reports, the lead or the
-- office assesses, the chief inspector confirms; on the chief inspector the
-- director of the committee does.

select app.begin_machine('inspector_assessments', '督学考核', 'Inspector assessments', '3.24');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('inspector_assessments', 'draft', '待述职', 'Draft', true, false, 1),
    ('inspector_assessments', 'self_reviewed', '已述职', 'Self-reviewed', false, false, 2),
    ('inspector_assessments', 'assessed', '已考核', 'Assessed', false, false, 3),
    ('inspector_assessments', 'confirmed', '已确认', 'Confirmed', false, true, 4);

insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort) values
    ('inspector_assessments', 'self_review', 'draft', 'self_reviewed',
        '{inspector_ft,inspector_pt,zone_lead,deputy_chief_inspector,chief_inspector}',
        '述职', 'Review oneself', 'R-INS-07', 'L-TL-8', false, 1),
    ('inspector_assessments', 'assess', 'self_reviewed', 'assessed',
        '{zone_lead,office_staff,deputy_chief_inspector}',
        '考核', 'Assess', 'R-INS-07', 'L-DX-06', false, 2),
    ('inspector_assessments', 'confirm', 'assessed', 'confirmed',
        '{chief_inspector,committee_director}',
        '确认', 'Confirm', 'R-INS-07', 'C2.4.3.e', false, 3),
    ('inspector_assessments', 'void', 'draft', 'draft', '{chief_inspector}', '作废', 'Void', null, null, true, 4),
    ('inspector_assessments', 'void', 'self_reviewed', 'self_reviewed', '{chief_inspector}', '作废', 'Void', null, null, true, 5),
    ('inspector_assessments', 'void', 'assessed', 'assessed', '{chief_inspector}', '作废', 'Void', null, null, true, 6);
