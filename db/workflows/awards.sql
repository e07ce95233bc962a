-- Awards (3.22; C2.1.3.i, C2.4.3.h) and the yearly decision on them (R-EVA-05).

select app.begin_machine('awards', '表彰奖励', 'Awards', '3.22');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('awards', 'proposed', '拟奖', 'Proposed', true, false, 1),
    ('awards', 'reviewed', '已审核', 'Reviewed', false, false, 2),
    ('awards', 'publicized', '公示中', 'In publicity', false, false, 3),
    ('awards', 'granted', '已授予', 'Granted', false, false, 4),
    ('awards', 'revoked', '已撤销', 'Revoked', false, true, 5),
    ('awards', 'rejected', '未通过', 'Rejected', false, true, 6);

with who(who, roles) as (values
    ('office', '{office_staff,deputy_chief_inspector}'::text[]),
    ('chief', '{chief_inspector}'),
    ('director', '{committee_director}')
), step(action, from_state, to_state, who, label_zh, label_en, needs_reason, sort) as (values
    ('review', 'proposed', 'reviewed', 'chief', '审核', 'Review', false, 1),
    ('publicize', 'reviewed', 'publicized', 'office', '公示', 'Publicize', false, 2),
    ('raise_objection', 'publicized', 'publicized', 'office', '登记异议', 'Record an objection', false, 3),
    ('decide_objection', 'publicized', 'publicized', 'chief', '处理异议', 'Decide an objection', false, 4),
    ('grant', 'publicized', 'granted', 'director', '授予', 'Grant', false, 5),
    ('revoke', 'granted', 'revoked', 'director', '撤销', 'Revoke', true, 6),
    -- an objection that was upheld, or no ground after all
    ('reject', 'proposed', 'rejected', 'chief', '不予表彰', 'Reject', true, 7),
    ('reject', 'reviewed', 'rejected', 'chief', '不予表彰', 'Reject', true, 8),
    ('reject', 'publicized', 'rejected', 'chief', '不予表彰', 'Reject', true, 9),
    ('void', 'proposed', 'proposed', 'chief', '作废', 'Void', true, 10),
    ('void', 'reviewed', 'reviewed', 'chief', '作废', 'Void', true, 11)
)
insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort)
select 'awards', s.action, s.from_state, s.to_state, w.roles, s.label_zh, s.label_en, 'R-INS-08', 'C2.4.3.h', s.needs_reason, s.sort
from step s
join who w using (who);

select app.begin_machine('award_decisions', '年度表彰决定', 'Award decisions', '3.22');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('award_decisions', 'draft', '草拟', 'Draft', true, false, 1),
    ('award_decisions', 'decided', '已决定', 'Decided', false, true, 2);

insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort) values
    ('award_decisions', 'decide', 'draft', 'decided', '{committee_director}', '决定', 'Decide', 'R-EVA-05', 'C2.1.3.i', false, 1),
    ('award_decisions', 'void', 'draft', 'draft', '{chief_inspector}', '作废', 'Void', null, null, true, 2);
