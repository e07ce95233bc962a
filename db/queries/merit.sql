-- Assessments, ranks, applications, awards (3.22, 3.24), and the figures of
-- Q-INS-01.

-- name: listInspectorAssessments :list
-- sort: year = t.year :: integer
-- sort: score = coalesce(t.score, -1) :: numeric
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -year
select t.body /*keys*/
from app.inspector_assessments_json t
where true
  and t.state = any (:state::text[])
  and t.year = any (:year::integer[])
  and t.inspector_id = any (:inspector_id::uuid[])
  and t.grade = any (:grade::text[])
  and t.inspector_id in (select app.inspectors_of_zones(:zone_id::uuid[]))
  and t.inspector_id in (select app.inspectors_named(:q))

-- name: getInspectorAssessment :one
select v.body, v.version as etag
from app.inspector_assessments_json v
where v.id = :assessment_id::uuid

-- name: createInspectorAssessment :one
select * from app.create('inspector_assessments', :body::jsonb)

-- name: openInspectorAssessmentYear :one
select * from app.open_assessment_year(:body::jsonb)

-- name: selfReviewInspectorAssessment :one
select * from app.act('inspector_assessments', :assessment_id::uuid, 'self_review', :ctx.if_match::integer, :body::jsonb)

-- name: assessInspectorAssessment :one
select * from app.act('inspector_assessments', :assessment_id::uuid, 'assess', :ctx.if_match::integer, :body::jsonb)

-- name: confirmInspectorAssessment :one
select * from app.act('inspector_assessments', :assessment_id::uuid, 'confirm', :ctx.if_match::integer, :body::jsonb)

-- name: voidInspectorAssessment :one
select * from app.act('inspector_assessments', :assessment_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)

-- name: listInspectorAssessmentTransitions :many
select app.transitions_of('inspector_assessments', v.id) as body
from app.inspector_assessments_json v
where v.id = :assessment_id::uuid

-- name: listInspectorRanks :list
-- sort: order = t."order" :: integer
-- sort: code = t.code :: text
-- sort: id = t.id :: uuid
-- default: order
select t.body /*keys*/
from app.inspector_ranks_json t
where true
  and t.enabled = :enabled::boolean
  and t.code = any (:code::text[])

-- name: getInspectorRank :one
select v.body, v.version as etag
from app.inspector_ranks_json v
where v.id = :rank_id::uuid

-- name: createInspectorRank :one
select * from app.create('inspector_ranks', :body::jsonb)

-- name: updateInspectorRank :one
select * from app.patch('inspector_ranks', :rank_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: listRankApplications :list
-- sort: applied_on = t.applied_on :: date
-- sort: code = t.code :: text
-- sort: id = t.id :: uuid
-- default: -applied_on
select t.body /*keys*/
from app.rank_applications_json t
where true
  and t.state = any (:state::text[])
  and t.inspector_id = any (:inspector_id::uuid[])
  and t.to_rank_id = any (:to_rank_id::uuid[])
  and t.applied_on >= :applied_on.gte::date
  and t.applied_on <= :applied_on.lte::date
  and t.inspector_id in (select app.inspectors_named(:q))

-- name: getRankApplication :one
select v.body, v.version as etag
from app.rank_applications_json v
where v.id = :application_id::uuid

-- name: createRankApplication :one
select * from app.create('rank_applications', :body::jsonb)

-- name: updateRankApplication :one
select * from app.patch('rank_applications', :application_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: supplementRankApplication :one
select * from app.act('rank_applications', :application_id::uuid, 'supplement', :ctx.if_match::integer, :body::jsonb)

-- name: reviewRankApplication :one
select * from app.act('rank_applications', :application_id::uuid, 'review', :ctx.if_match::integer, :body::jsonb)

-- name: evaluateRankApplication :one
select * from app.act('rank_applications', :application_id::uuid, 'evaluate', :ctx.if_match::integer, :body::jsonb)

-- name: publicizeRankApplication :one
select * from app.act('rank_applications', :application_id::uuid, 'publicize', :ctx.if_match::integer, :body::jsonb)

-- name: approveRankApplication :one
select * from app.act('rank_applications', :application_id::uuid, 'approve', :ctx.if_match::integer, :body::jsonb)

-- name: rejectRankApplication :one
select * from app.act('rank_applications', :application_id::uuid, 'reject', :ctx.if_match::integer, :body::jsonb)

-- name: voidRankApplication :one
select * from app.act('rank_applications', :application_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)

-- name: listRankApplicationTransitions :many
select app.transitions_of('rank_applications', v.id) as body
from app.rank_applications_json v
where v.id = :application_id::uuid

-- name: listAwards :list
-- sort: created_at = t.created_at :: timestamptz
-- sort: granted_on = coalesce(t.granted_on, 'infinity') :: date
-- sort: year = t.year :: integer
-- sort: id = t.id :: uuid
-- default: -created_at
select t.body /*keys*/
from app.awards_json t
where true
  and t.state = any (:state::text[])
  and t.kind = any (:kind::text[])
  and t.level = any (:level::text[])
  and t.year = any (:year::integer[])
  and t.recipient_inspector_id = any (:recipient_inspector_id::uuid[])
  and t.recipient_organization_id = any (:recipient_organization_id::uuid[])
  and t.recipient_zone_id = any (:recipient_zone_id::uuid[])
  and t.granted_on >= :granted_on.gte::date
  and t.granted_on <= :granted_on.lte::date
  and t.search @> (select app.bigrams(:q))

-- name: getAward :one
select v.body, v.version as etag
from app.awards_json v
where v.id = :award_id::uuid

-- name: createAward :one
select * from app.create('awards', :body::jsonb)

-- name: updateAward :one
select * from app.patch('awards', :award_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: reviewAward :one
select * from app.act('awards', :award_id::uuid, 'review', :ctx.if_match::integer, :body::jsonb)

-- name: publicizeAward :one
select * from app.act('awards', :award_id::uuid, 'publicize', :ctx.if_match::integer, :body::jsonb)

-- name: raiseAwardObjection :one
select * from app.act('awards', :award_id::uuid, 'raise_objection', :ctx.if_match::integer, :body::jsonb)

-- name: decideAwardObjection :one
select * from app.act('awards', :award_id::uuid, 'decide_objection', :ctx.if_match::integer, :body::jsonb)

-- name: grantAward :one
select * from app.act('awards', :award_id::uuid, 'grant', :ctx.if_match::integer, :body::jsonb)

-- name: revokeAward :one
select * from app.act('awards', :award_id::uuid, 'revoke', :ctx.if_match::integer, :body::jsonb)

-- name: rejectAward :one
select * from app.act('awards', :award_id::uuid, 'reject', :ctx.if_match::integer, :body::jsonb)

-- name: voidAward :one
select * from app.act('awards', :award_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)

-- name: listAwardTransitions :many
select app.transitions_of('awards', v.id) as body
from app.awards_json v
where v.id = :award_id::uuid

-- name: listAwardDecisions :list
-- sort: year = t.year :: integer
-- sort: id = t.id :: uuid
-- default: -year
select t.body /*keys*/
from app.award_decisions_json t
where true
  and t.state = any (:state::text[])
  and t.kind = any (:kind::text[])
  and t.decision = any (:decision::text[])
  and t.year = any (:year::integer[])

-- name: getAwardDecision :one
select v.body, v.version as etag
from app.award_decisions_json v
where v.id = :decision_id::uuid

-- name: createAwardDecision :one
select * from app.create('award_decisions', :body::jsonb)

-- name: updateAwardDecision :one
select * from app.patch('award_decisions', :decision_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: decideAwardDecision :one
select * from app.act('award_decisions', :decision_id::uuid, 'decide', :ctx.if_match::integer, :body::jsonb)

-- name: voidAwardDecision :one
select * from app.act('award_decisions', :decision_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)

-- name: listAwardDecisionTransitions :many
select app.transitions_of('award_decisions', v.id) as body
from app.award_decisions_json v
where v.id = :decision_id::uuid

-- name: listPublicAwards :list
-- sort: publicity_from = t.publicity_from :: date
-- sort: code = t.code :: text
-- sort: id = t.id :: uuid
-- default: -publicity_from
select t.body /*keys*/
from app.public_awards_json t
where true
  and t.kind = any (:kind::text[])
  and t.year = any (:year::integer[])
  and (t.state = 'granted') = :is_granted::boolean
  and t.search @> (select app.bigrams(:q))

-- name: getPublicAward :one
select v.body, left(md5(v.body::text), 16) as etag
from app.public_awards_json v
where v.code = :code

-- name: getInspectorWorkload :one
select w.body, left(md5(w.body::text), 16) as etag
from app.inspectors_json v
cross join lateral (select app.inspector_workload(v.id, coalesce(
    :year::integer,
    extract(year from app.today())::integer)) as body) as w
where v.id = :inspector_id::uuid

-- name: listInspectorWorkloads :list
-- sort: visit_count = t.visit_count :: integer
-- sort: problem_count = t.problem_count :: integer
-- sort: task_count = t.task_count :: integer
-- sort: review_count = t.review_count :: integer
-- sort: score = t.score :: numeric
-- sort: code = t.code :: text
-- sort: id = t.id :: uuid
-- default: -visit_count
select t.body /*keys*/
from app.inspector_workloads(coalesce(
    :year::integer,
    extract(year from app.today())::integer)) t
where true
  and t.zone_id = any (:zone_id::uuid[])
  and t.employment = any (:employment::text[])
