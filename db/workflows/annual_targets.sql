-- Annual targets (3.24). An adjustment leads back to issued; that it was
-- adjusted stands in adjusted_on.

select app.begin_machine('annual_targets', '年度目标任务', 'Annual targets', '3.24');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('annual_targets', 'draft', '草稿', 'Draft', true, false, 1),
    ('annual_targets', 'issued', '已下达', 'Issued', false, false, 2),
    ('annual_targets', 'reported', '已报告', 'Reported', false, false, 3),
    ('annual_targets', 'verified_met', '完成', 'Met', false, true, 4),
    ('annual_targets', 'verified_not_met', '未完成', 'Not met', false, true, 5),
    ('annual_targets', 'voided', '已作废', 'Voided', false, true, 6);

with who(who, roles) as (values
    ('chief', '{chief_inspector}'::text[]),
    ('office', '{office_staff,deputy_chief_inspector}'),
    ('units', '{township_account,department_account,school_account,member_liaison,committee_member}'),
    ('director', '{committee_director}')
), step(action, from_state, to_state, who, label_zh, label_en, rule_id, clause_id, needs_reason, sort) as (values
    ('issue', 'draft', 'issued', 'chief', '下达', 'Issue', null, 'C2.1.1.j', false, 1),
    ('report', 'issued', 'reported', 'units', '报告完成情况', 'Report', null, 'C2.1.1.j', false, 2),
    ('adjust', 'issued', 'issued', 'director', '调整', 'Adjust', null, 'C2.1.1.j', true, 3),
    ('verify_met', 'reported', 'verified_met', 'office', '核实为完成', 'Verify as met', null, 'C2.2.1.d', false, 4),
    ('verify_not_met', 'reported', 'verified_not_met', 'office', '核实为未完成', 'Verify as not met', 'R-ACC-01', 'C2.3.4.f', true, 5),
    ('verify_met', 'issued', 'verified_met', 'office', '直接核实为完成', 'Verify as met without a report', null, 'C2.2.1.d', false, 6),
    ('verify_not_met', 'issued', 'verified_not_met', 'office', '直接核实为未完成', 'Verify as not met without a report', 'R-ACC-01', 'C2.3.4.f', true, 7),
    ('void', 'draft', 'voided', 'chief', '作废', 'Void', null, null, true, 8)
)
insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort)
select 'annual_targets', s.action, s.from_state, s.to_state, w.roles, s.label_zh, s.label_en, s.rule_id, s.clause_id, s.needs_reason, s.sort
from step s
join who w using (who);
