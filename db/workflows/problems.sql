-- Problem, rectification, review (3.9): one line in the ledger per problem,
-- closed by strike-off alone (C2.3.2.b, C2.3.2.c).

select app.begin_machine('problems', '问题台账', 'Problem ledger', '3.9');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('problems', 'draft', '草拟', 'Draft', true, false, 1),
    ('problems', 'listed', '已挂账', 'Listed', false, false, 2),
    ('problems', 'assigned', '已交办', 'Assigned', false, false, 3),
    ('problems', 'rectifying', '整改中', 'Being rectified', false, false, 4),
    ('problems', 'reported', '已报整改', 'Reported', false, false, 5),
    ('problems', 'verifying', '核查中', 'Being verified', false, false, 6),
    ('problems', 'struck_off', '已销号', 'Struck off', false, false, 7),
    ('problems', 'rebounded', '反弹', 'Rebounded', false, false, 8),
    ('problems', 'voided', '登记有误', 'Registered in error', false, true, 9);

with who(who, roles) as (values
    ('office', array['office_staff', 'deputy_chief_inspector',
        'chief_inspector']),
    -- and what follows from a visit or a plan
    ('office_or_system', array['office_staff', 'deputy_chief_inspector',
        'chief_inspector', 'system']),
    ('listers', array['office_staff', 'deputy_chief_inspector',
        'chief_inspector', 'zone_lead', 'system']),
    ('chief', array['chief_inspector']),
    ('unit', array['school_account', 'township_account',
        'department_account']),
    ('reviewers', array['inspector_ft', 'inspector_pt']),
    ('rebounders', array['inspector_ft', 'inspector_pt', 'office_staff',
        'deputy_chief_inspector', 'chief_inspector'])
), step(action, from_state, to_state, who, label_zh, label_en, rule_id,
    clause_id, needs_reason, sort) as (values
    ('list', 'draft', 'listed', 'listers',
        '挂账', 'List', 'R-FBK-02', 'C2.3.2.b', false, 1),
    ('assign', 'listed', 'assigned', 'office_or_system',
        '交办', 'Assign', 'R-VIS-05', 'C2.3.2.b', false, 2),
    ('assign', 'rebounded', 'assigned', 'office',
        '重新交办', 'Assign again', 'R-PRB-05', 'C2.3.2.e', false, 3),
    ('accept_plan', 'assigned', 'rectifying', 'office_or_system',
        '认可整改方案', 'Accept the plan', 'R-PRB-01', 'C2.3.2.c', false, 4),
    ('request_extension', 'assigned', 'assigned', 'unit',
        '申请延期', 'Request an extension', 'R-PRB-01', 'C2.3.2.f', true, 5),
    ('request_extension', 'rectifying', 'rectifying', 'unit',
        '申请延期', 'Request an extension', 'R-PRB-01', 'C2.3.2.f', true, 6),
    ('approve_extension', 'assigned', 'assigned', 'chief',
        '同意延期', 'Approve the extension', 'R-PRB-01', 'C2.3.2.f', false, 7),
    ('approve_extension', 'rectifying', 'rectifying', 'chief',
        '同意延期', 'Approve the extension', 'R-PRB-01', 'C2.3.2.f', false, 8),
    ('reject_extension', 'assigned', 'assigned', 'chief',
        '不同意延期', 'Reject the extension', 'R-PRB-01', 'C2.3.2.f', true, 9),
    ('reject_extension', 'rectifying', 'rectifying', 'chief',
        '不同意延期', 'Reject the extension', 'R-PRB-01', 'C2.3.2.f', true, 10),
    ('report', 'assigned', 'reported', 'unit',
        '报告整改结果', 'Report completion', 'R-PRB-03', 'C2.3.2.g', false, 11),
    ('report', 'rectifying', 'reported', 'unit',
        '报告整改结果', 'Report completion', 'R-PRB-03', 'C2.3.2.g', false, 12),
    ('report_phase', 'rectifying', 'rectifying', 'unit',
        '报告阶段进展', 'Report progress', 'R-PRB-01', 'C2.3.2.g', false, 13),
    ('verify', 'reported', 'verifying', 'office',
        '安排核查', 'Order the verification', 'R-PRB-03', 'C2.3.2.d',
        false, 14),
    ('strike_off', 'verifying', 'struck_off', 'office',
        '销号', 'Strike off', 'R-PRB-02', 'C2.3.2.b', false, 15),
    ('reject', 'verifying', 'rectifying', 'office',
        '核查不通过', 'Reject', 'R-LTR-01', 'C2.3.2.f', true, 16),
    ('look_back_ok', 'struck_off', 'struck_off', 'reviewers',
        '回头看通过', 'Look-back passed', 'R-PRB-04', 'C2.3.2.d', false, 17),
    ('rebound', 'struck_off', 'rebounded', 'rebounders',
        '反弹', 'Rebound', 'R-PRB-05', 'C2.3.2.e', true, 18),
    ('void', 'draft', 'voided', 'chief',
        '作废', 'Void', 'R-PRB-01', 'C2.3.2.c', true, 19),
    ('void', 'listed', 'voided', 'chief',
        '作废', 'Void', 'R-PRB-01', 'C2.3.2.c', true, 20)
)
insert into app.workflow_actions(resource, action, from_state, to_state,
    roles, label_zh, label_en, rule_id, clause_id, needs_reason, is_system,
    sort)
select 'problems', s.action, s.from_state, s.to_state, w.roles, s.label_zh,
    s.label_en, s.rule_id, s.clause_id, s.needs_reason, false, s.sort
from step s
join who w using (who);
