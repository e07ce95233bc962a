-- Evaluation (3.6): frameworks, campaigns, the evaluations in them. What is
-- the same for all kinds of campaign stands here; who decides which kind is
-- said by the guards.

select app.begin_machine('indicator_frameworks', '指标体系',
    'Indicator framework', '2.6');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('indicator_frameworks', 'draft', '草拟', 'Draft', true, false, 1),
    ('indicator_frameworks', 'in_force', '施行', 'In force', false, false, 2),
    ('indicator_frameworks', 'retired', '停用', 'Retired', false, true, 3);

insert into app.workflow_actions(resource, action, from_state, to_state, roles,
    label_zh, label_en, rule_id, clause_id, needs_reason, sort) values
    ('indicator_frameworks', 'enforce', 'draft', 'in_force',
        '{committee_director}', '施行', 'Put in force',
        'R-EVA-04', 'C2.2.1.c', false, 1),
    ('indicator_frameworks', 'retire', 'in_force', 'retired',
        '{committee_director}', '停用', 'Retire',
        'R-EVA-04', 'C2.2.1.c', true, 2),
    ('indicator_frameworks', 'void', 'draft', 'draft',
        '{chief_inspector}', '作废', 'Void', null, null, true, 3);

select app.begin_machine('evaluation_campaigns', '评估批次',
    'Evaluation campaign', '3.6');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('evaluation_campaigns', 'draft', '草稿', 'Draft', true, false, 1),
    ('evaluation_campaigns', 'approved', '已批准', 'Approved',
        false, false, 2),
    ('evaluation_campaigns', 'launched', '已部署', 'Launched',
        false, false, 3),
    ('evaluation_campaigns', 'scoring', '评分中', 'Scoring',
        false, false, 4),
    ('evaluation_campaigns', 'objection', '异议期', 'Open to objections',
        false, false, 5),
    ('evaluation_campaigns', 'finalized', '已审定', 'Finalized',
        false, false, 6),
    ('evaluation_campaigns', 'published', '已公布', 'Published',
        false, false, 7),
    ('evaluation_campaigns', 'closed', '已办结', 'Closed', false, true, 8),
    ('evaluation_campaigns', 'cancelled', '已取消', 'Cancelled',
        false, true, 9);

-- After its launch a campaign follows its evaluations.
insert into app.workflow_actions(resource, action, from_state, to_state, roles,
    label_zh, label_en, rule_id, clause_id, needs_reason, is_system, sort)
values
    ('evaluation_campaigns', 'approve', 'draft', 'approved',
        '{committee_director,chief_inspector}', '批准', 'Approve',
        'R-EVA-04', 'C2.1.3.i', false, false, 1),
    ('evaluation_campaigns', 'launch', 'approved', 'launched',
        '{chief_inspector}', '部署', 'Launch',
        'R-EVA-05', 'C2.1.3.i', false, false, 2),
    ('evaluation_campaigns', 'begin_scoring', 'launched', 'scoring',
        '{system}', '进入评分', 'Begin scoring',
        'R-EVA-05', 'C2.1.3.i', false, true, 3),
    ('evaluation_campaigns', 'open_objection', 'scoring', 'objection',
        '{system}', '进入异议期', 'Open to objections',
        'R-EVA-03', 'C2.1.3.i', false, true, 4),
    ('evaluation_campaigns', 'finalize', 'objection', 'finalized',
        '{system}', '审定', 'Finalize',
        'R-EVA-05', 'C2.1.3.i', false, true, 5),
    ('evaluation_campaigns', 'publish', 'finalized', 'published',
        '{system}', '公布', 'Publish',
        'R-PUB-01', 'C2.3.1.b', false, true, 6),
    ('evaluation_campaigns', 'close', 'published', 'closed',
        '{chief_inspector}', '办结', 'Close',
        'R-EVA-05', 'C2.1.3.i', false, false, 7),
    ('evaluation_campaigns', 'cancel', 'draft', 'cancelled',
        '{chief_inspector}', '取消', 'Cancel',
        'R-EVA-05', 'C2.1.3.i', true, false, 8),
    ('evaluation_campaigns', 'cancel', 'approved', 'cancelled',
        '{chief_inspector}', '取消', 'Cancel',
        'R-EVA-05', 'C2.1.3.i', true, false, 8),
    ('evaluation_campaigns', 'cancel', 'launched', 'cancelled',
        '{chief_inspector}', '取消', 'Cancel',
        'R-EVA-05', 'C2.1.3.i', true, false, 8),
    ('evaluation_campaigns', 'cancel', 'scoring', 'cancelled',
        '{chief_inspector}', '取消', 'Cancel',
        'R-EVA-05', 'C2.1.3.i', true, false, 8);

select app.begin_machine('evaluations', '评估考核', 'Evaluation', '3.6');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('evaluations', 'notified', '已通知', 'Notified', true, false, 1),
    ('evaluations', 'self_scored', '已自评', 'Self-scored', false, false, 2),
    ('evaluations', 'verified', '已核验', 'Verified', false, false, 3),
    ('evaluations', 'scored', '已评分', 'Scored', false, false, 4),
    ('evaluations', 'preliminary', '拟定结果', 'Preliminary result',
        false, false, 5),
    ('evaluations', 'objected', '有异议', 'Objected', false, false, 6),
    ('evaluations', 'finalized', '已审定', 'Finalized', false, false, 7),
    ('evaluations', 'delivered', '已反馈', 'Delivered', false, false, 8),
    ('evaluations', 'included', '已纳入绩效', 'Included in the appraisal',
        false, true, 9),
    ('evaluations', 'void', '已作废', 'Void', false, true, 10);

with who(who, roles) as (values
    ('unit', array['school_account', 'township_account',
        'department_account', 'zone_lead']),
    ('verifier', array['office_staff', 'deputy_chief_inspector',
        'research_center']),
    ('scorer', array['office_staff', 'deputy_chief_inspector',
        'research_center', 'third_party']),
    ('office', array['office_staff', 'deputy_chief_inspector']),
    ('chief', array['chief_inspector']),
    ('decider', array['committee_director', 'chief_inspector']),
    -- the system: a campaign that is cancelled takes its evaluations along
    ('voider', array['chief_inspector', 'system'])
), step(action, from_state, to_state, who, label_zh, label_en, rule_id,
    clause_id, needs_reason, sort) as (values
    ('self_score', 'notified', 'self_scored', 'unit',
        '自评', 'Score oneself', 'R-EVA-05', 'C2.1.3.i', false, 1),
    ('verify', 'self_scored', 'verified', 'verifier',
        '核验', 'Verify', 'R-EVA-05', 'C2.1.3.i', false, 2),
    ('score', 'verified', 'scored', 'scorer',
        '评分', 'Score', 'R-EVA-05', 'C2.1.3.i', false, 3),
    ('propose', 'scored', 'preliminary', 'chief',
        '拟定结果', 'Propose a result', 'R-EVA-05', 'C2.1.3.i', false, 4),
    ('object', 'preliminary', 'objected', 'unit',
        '提出异议', 'Object', 'R-EVA-03', 'C2.1.3.i', false, 5),
    ('resolve', 'objected', 'preliminary', 'chief',
        '答复异议', 'Decide the objection', 'R-EVA-03', 'C2.1.3.i', true, 6),
    ('finalize', 'preliminary', 'finalized', 'decider',
        '审定', 'Finalize', 'R-EVA-03', 'C2.1.3.i', false, 7),
    ('deliver', 'finalized', 'delivered', 'office',
        '反馈', 'Deliver', 'R-RPT-02', 'C2.1.3.f', false, 8),
    ('include', 'delivered', 'included', 'office',
        '纳入绩效', 'Include in the appraisal', 'R-USE-01', 'C2.3.3.a',
        false, 9),
    ('void', 'notified', 'void', 'voider', '作废', 'Void',
        null, null, true, 10),
    ('void', 'self_scored', 'void', 'voider', '作废', 'Void',
        null, null, true, 10),
    ('void', 'verified', 'void', 'voider', '作废', 'Void',
        null, null, true, 10),
    ('void', 'scored', 'void', 'voider', '作废', 'Void',
        null, null, true, 10),
    ('void', 'preliminary', 'void', 'voider', '作废', 'Void',
        null, null, true, 10),
    ('void', 'objected', 'void', 'voider', '作废', 'Void',
        null, null, true, 10)
)
insert into app.workflow_actions(resource, action, from_state, to_state,
    roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort)
select 'evaluations', s.action, s.from_state, s.to_state, w.roles,
    s.label_zh, s.label_en, s.rule_id, s.clause_id, s.needs_reason, s.sort
from step s
join who w using (who);
