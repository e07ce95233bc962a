-- Applications for a professional rank (3.22, C2.4.3.g).

select app.begin_machine('rank_applications', '督学等级晋升申请', 'Rank applications', '3.22');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('rank_applications', 'applied', '已申报', 'Applied', true, false, 1),
    ('rank_applications', 'reviewed', '已初审', 'Reviewed', false, false, 2),
    ('rank_applications', 'evaluated', '已评审', 'Evaluated', false, false, 3),
    ('rank_applications', 'publicized', '公示中', 'In publicity', false, false, 4),
    ('rank_applications', 'approved', '已批准', 'Approved', false, true, 5),
    ('rank_applications', 'rejected', '未通过', 'Rejected', false, true, 6);

with who(who, roles) as (values
    ('inspector', '{inspector_ft,inspector_pt}'::text[]),
    ('office', '{office_staff,deputy_chief_inspector}'),
    ('chief', '{chief_inspector}')
), step(action, from_state, to_state, who, label_zh, label_en, needs_reason, sort) as (values
    ('supplement', 'applied', 'applied', 'inspector', '补充材料', 'Add materials', false, 1),
    ('review', 'applied', 'reviewed', 'office', '初审', 'Review', false, 2),
    ('evaluate', 'reviewed', 'evaluated', 'office', '登记评审结果', 'Evaluate', false, 3),
    ('publicize', 'evaluated', 'publicized', 'chief', '公示', 'Publicize', false, 4),
    ('approve', 'publicized', 'approved', 'chief', '批准', 'Approve', false, 5),
    ('reject', 'applied', 'rejected', 'chief', '不予通过', 'Reject', true, 6),
    ('reject', 'reviewed', 'rejected', 'chief', '不予通过', 'Reject', true, 7),
    ('reject', 'evaluated', 'rejected', 'chief', '不予通过', 'Reject', true, 8),
    ('reject', 'publicized', 'rejected', 'chief', '不予通过', 'Reject', true, 9),
    ('void', 'applied', 'applied', 'chief', '作废', 'Void', true, 10),
    ('void', 'reviewed', 'reviewed', 'chief', '作废', 'Void', true, 11)
)
insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort)
select 'rank_applications', s.action, s.from_state, s.to_state, w.roles, s.label_zh, s.label_en, null, 'C2.4.3.g', s.needs_reason, s.sort
from step s
join who w using (who);
