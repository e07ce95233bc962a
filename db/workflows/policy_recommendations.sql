-- Policy recommendations (3.24, C3.3.b, C3.3.c): what is not taken up now may
-- be stored, and adopted later.

select app.begin_machine('policy_recommendations', '政策建议', 'Policy recommendation', '3.24');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('policy_recommendations', 'draft', '草稿', 'Draft', true, false, 1),
    ('policy_recommendations', 'submitted', '已提交', 'Submitted', false, false, 2),
    ('policy_recommendations', 'stored', '政策储备', 'Stored', false, false, 3),
    ('policy_recommendations', 'adopted', '已采纳', 'Adopted', false, true, 4),
    ('policy_recommendations', 'declined', '未采纳', 'Declined', false, true, 5);

with step(action, from_state, to_state, label_zh, label_en, clause_id, needs_reason, sort) as (values
    ('adopt', 'submitted', 'adopted', '采纳', 'Adopt', 'C3.3.b', false, 2),
    ('store', 'submitted', 'stored', '转入政策储备', 'Store', 'C3.3.c', false, 3),
    ('decline', 'submitted', 'declined', '不予采纳', 'Decline', 'C3.3.b', true, 4),
    ('adopt', 'stored', 'adopted', '采纳', 'Adopt', 'C3.3.c', false, 5)
)
insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, clause_id, needs_reason, sort)
select 'policy_recommendations', 'submit', 'draft', 'submitted',
    '{research_center,inspector_ft,inspector_pt}'::text[], '提交', 'Submit', 'C3.3.b', false, 1
union all
select 'policy_recommendations', s.action, s.from_state, s.to_state,
    '{chief_inspector,committee_member,member_liaison}', s.label_zh, s.label_en, s.clause_id, s.needs_reason, s.sort
from step s;
