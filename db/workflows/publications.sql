-- Publication (3.23). The order of the steps is the secrecy law's: nobody
-- reviews his own text, and nothing is public before it is approved.

select app.begin_machine('publications', '公开发布', 'Publications', '3.23');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('publications', 'draft', '草稿', 'Draft', true, false, 1),
    ('publications', 'submitted', '已提交', 'Submitted', false, false, 2),
    ('publications', 'secrecy_checked', '已保密审查', 'Secrecy reviewed', false, false, 3),
    ('publications', 'approved', '已批准', 'Approved', false, false, 4),
    ('publications', 'scheduled', '待发布', 'Scheduled', false, false, 5),
    ('publications', 'published', '已发布', 'Published', false, false, 6),
    ('publications', 'corrected', '已更正', 'Corrected', false, true, 7),
    ('publications', 'withdrawn', '已撤回', 'Withdrawn', false, true, 8),
    ('publications', 'rejected', '未通过', 'Rejected', false, true, 9),
    ('publications', 'voided', '已作废', 'Voided', false, true, 10);

with who(who, roles) as (values
    ('office', '{office_staff,deputy_chief_inspector}'::text[]),
    ('authors', '{office_staff,deputy_chief_inspector,school_account,township_account,department_account}'),
    ('approvers', '{chief_inspector,committee_director}'),
    ('chief', '{chief_inspector}'),
    ('publishers', '{office_staff,deputy_chief_inspector,system}'),
    ('director', '{committee_director}')
), step(action, from_state, to_state, who, label_zh, label_en, rule_id, clause_id, needs_reason, sort) as (values
    ('submit', 'draft', 'submitted', 'authors', '提交', 'Submit', 'R-PRB-06', 'C2.3.2.g', false, 1),
    ('secrecy_check', 'submitted', 'secrecy_checked', 'office', '保密审查', 'Review for secrecy', 'R-PUB-03', 'L-XX-01', false, 2),
    ('reject', 'submitted', 'rejected', 'chief', '不予公开', 'Reject', 'R-PUB-03', 'L-XX-01', true, 3),
    ('reject', 'secrecy_checked', 'rejected', 'chief', '不予公开', 'Reject', 'R-PUB-03', 'L-XX-01', true, 4),
    ('approve', 'secrecy_checked', 'approved', 'approvers', '批准', 'Approve', 'R-PUB-01', 'C2.3.1.b', false, 5),
    ('schedule', 'approved', 'scheduled', 'office', '定时发布', 'Schedule', 'R-PUB-01', 'C2.3.1.b', false, 6),
    ('publish', 'approved', 'published', 'publishers', '发布', 'Publish', 'R-PUB-01', 'C2.3.1.b', false, 7),
    ('publish', 'scheduled', 'published', 'publishers', '发布', 'Publish', 'R-PUB-01', 'C2.3.1.b', false, 8),
    ('correct', 'published', 'corrected', 'chief', '更正', 'Correct', 'R-PUB-01', 'C2.3.1.b', true, 9),
    ('withdraw', 'published', 'withdrawn', 'director', '撤回', 'Withdraw', 'R-PUB-01', 'C2.3.1.b', true, 10),
    ('void', 'draft', 'voided', 'chief', '作废', 'Void', null, null, true, 11),
    ('void', 'submitted', 'voided', 'chief', '作废', 'Void', null, null, true, 12),
    ('void', 'secrecy_checked', 'voided', 'chief', '作废', 'Void', null, null, true, 13),
    ('void', 'approved', 'voided', 'chief', '作废', 'Void', null, null, true, 14),
    ('void', 'scheduled', 'voided', 'chief', '作废', 'Void', null, null, true, 15)
)
insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort)
select 'publications', s.action, s.from_state, s.to_state, w.roles, s.label_zh, s.label_en, s.rule_id, s.clause_id, s.needs_reason, s.sort
from step s
join who w using (who);
