-- Frameworks, campaigns, evaluations (2.6, 3.6).

-- name: listIndicatorFrameworks :list
-- sort: code = t.code :: text
-- sort: year_from = t.year_from :: integer
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: code
select t.body /*keys*/
from app.indicator_frameworks_json t
where true
  and t.state = any (:state::text[])
  and t.campaign_kind = any (:campaign_kind::text[])
  and t.target_kind = any (:target_kind::text[])
  and t.code = any (:code::text[])
  and int4range(t.year_from, t.year_to, '[]') @> :year::integer
  and t.search @> (select app.bigrams(:q))

-- name: getIndicatorFramework :one
select t.body, t.version || '-' || app.leaf_weight(t.id) as etag
from app.indicator_frameworks_json t
where t.id = :framework_id::uuid

-- name: createIndicatorFramework :one
select * from app.create('indicator_frameworks', :body::jsonb)

-- name: updateIndicatorFramework :one
select * from app.patch('indicator_frameworks', :framework_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: enforceIndicatorFramework :one
select * from app.act('indicator_frameworks', :framework_id::uuid, 'enforce', :ctx.if_match::integer, :body::jsonb)

-- name: retireIndicatorFramework :one
select * from app.act('indicator_frameworks', :framework_id::uuid, 'retire', :ctx.if_match::integer, :body::jsonb)

-- name: voidIndicatorFramework :one
select * from app.act('indicator_frameworks', :framework_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)

-- name: listIndicatorFrameworkTransitions :many
select app.transitions_of('indicator_frameworks', t.id) as body
from app.indicator_frameworks_json t
where t.id = :framework_id::uuid

-- name: listIndicators :list
-- sort: code = t.code :: text
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: code
select t.body /*keys*/
from app.indicators_json t
where true
  and t.framework_id = any (:framework_id::uuid[])
  and t.parent_id = any (:parent_id::uuid[])
  and t.level = any (:level::integer[])
  and t.is_veto = :is_veto::boolean

-- name: getIndicator :one
select t.body, t.version as etag
from app.indicators_json t
where t.id = :indicator_id::uuid

-- name: createIndicator :one
select * from app.create('indicators', :body::jsonb)

-- name: updateIndicator :one
select * from app.patch('indicators', :indicator_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: deleteIndicator :one
select * from app.remove('indicators', :indicator_id::uuid, :ctx.if_match::integer)

-- name: listEvaluationCampaigns :list
-- sort: year = t.year :: integer
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -year
select t.body /*keys*/
from app.evaluation_campaigns_json t
where true
  and t.state = any (:state::text[])
  and t.kind = any (:kind::text[])
  and t.target_kind = any (:target_kind::text[])
  and t.periodicity = any (:periodicity::text[])
  and t.year = any (:year::integer[])
  and t.framework_id = any (:framework_id::uuid[])
  and t.search @> (select app.bigrams(:q))

-- name: getEvaluationCampaign :one
select t.body, t.version as etag
from app.evaluation_campaigns_json t
where t.id = :campaign_id::uuid

-- name: createEvaluationCampaign :one
select * from app.create('evaluation_campaigns', :body::jsonb)

-- name: updateEvaluationCampaign :one
select * from app.patch('evaluation_campaigns', :campaign_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: approveEvaluationCampaign :one
select * from app.act('evaluation_campaigns', :campaign_id::uuid, 'approve', :ctx.if_match::integer, :body::jsonb)

-- name: launchEvaluationCampaign :one
select * from app.act('evaluation_campaigns', :campaign_id::uuid, 'launch', :ctx.if_match::integer, :body::jsonb)

-- name: closeEvaluationCampaign :one
select * from app.act('evaluation_campaigns', :campaign_id::uuid, 'close', :ctx.if_match::integer, :body::jsonb)

-- name: cancelEvaluationCampaign :one
select * from app.act('evaluation_campaigns', :campaign_id::uuid, 'cancel', :ctx.if_match::integer, :body::jsonb)

-- name: listEvaluationCampaignTransitions :many
select app.transitions_of('evaluation_campaigns', t.id) as body
from app.evaluation_campaigns_json t
where t.id = :campaign_id::uuid

-- name: listEvaluations :list
-- sort: rank = coalesce(t.rank, 100000) :: integer
-- sort: final_score = coalesce(t.final_score, -1) :: numeric
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -created_at
select t.body /*keys*/
from app.evaluations_json t
where true
  and t.state = any (:state::text[])
  and t.campaign_id = any (:campaign_id::uuid[])
  and t.organization_id = any (:organization_id::uuid[])
  and t.zone_id = any (:zone_id::uuid[])
  and t.grade = any (:grade::text[])
  and t.campaign_id in (select c.id from dudao.evaluation_campaigns c where c.year = :year::integer)

-- name: getEvaluation :one
select t.body, t.version as etag
from app.evaluations_json t
where t.id = :evaluation_id::uuid

-- name: selfScoreEvaluation :one
select * from app.act('evaluations', :evaluation_id::uuid, 'self_score', :ctx.if_match::integer, :body::jsonb)

-- name: verifyEvaluation :one
select * from app.act('evaluations', :evaluation_id::uuid, 'verify', :ctx.if_match::integer, :body::jsonb)

-- name: scoreEvaluation :one
select * from app.act('evaluations', :evaluation_id::uuid, 'score', :ctx.if_match::integer, :body::jsonb)

-- name: proposeEvaluation :one
select * from app.act('evaluations', :evaluation_id::uuid, 'propose', :ctx.if_match::integer, :body::jsonb)

-- name: objectToEvaluation :one
select * from app.act('evaluations', :evaluation_id::uuid, 'object', :ctx.if_match::integer, :body::jsonb)

-- name: resolveEvaluation :one
select * from app.act('evaluations', :evaluation_id::uuid, 'resolve', :ctx.if_match::integer, :body::jsonb)

-- name: finalizeEvaluation :one
select * from app.act('evaluations', :evaluation_id::uuid, 'finalize', :ctx.if_match::integer, :body::jsonb)

-- name: deliverEvaluation :one
select * from app.act('evaluations', :evaluation_id::uuid, 'deliver', :ctx.if_match::integer, :body::jsonb)

-- name: includeEvaluation :one
select * from app.act('evaluations', :evaluation_id::uuid, 'include', :ctx.if_match::integer, :body::jsonb)

-- name: voidEvaluation :one
select * from app.act('evaluations', :evaluation_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)

-- name: listEvaluationTransitions :many
select app.evaluation_transitions(t.id, t.state) as body
from app.evaluations_json t
where t.id = :evaluation_id::uuid

-- name: listEvaluationScores :list
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: created_at
select t.body /*keys*/
from app.evaluation_scores_json t
where true
  and t.evaluation_id = any (:evaluation_id::uuid[])
  and t.indicator_id = any (:indicator_id::uuid[])
  and t.stage = any (:stage::text[])

-- name: listEvaluationObjections :list
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -created_at
select t.body /*keys*/
from app.evaluation_objections_json t
where true
  and t.evaluation_id = any (:evaluation_id::uuid[])
  and t.decision = any (:decision::text[])
  and (t.decided_at is null) = :open::boolean
