-- Rectification plans (3.24), reports and reviews by their own numbers.

-- name: listRectificationPlans :list
-- sort: submitted_at = v.submitted_at :: timestamptz
-- sort: id = v.id :: uuid
-- default: -submitted_at
select v.body /*keys*/
from app.rectification_plans_json v
where true
  and v.state = any (:state::text[])
  and v.problem_id = any (:problem_id::uuid[])
  and v.problem_id in (select p.id from dudao.problems p where p.organization_id = any (:organization_id::uuid[]))

-- name: getRectificationPlan :one
select v.body, v.version as etag
from app.rectification_plans_json v
where v.id = :plan_id::uuid

-- name: acceptRectificationPlan :one
select * from app.act('rectification_plans', :plan_id::uuid, 'accept', :ctx.if_match::integer, :body::jsonb)

-- name: returnRectificationPlan :one
select * from app.act('rectification_plans', :plan_id::uuid, 'return', :ctx.if_match::integer, :body::jsonb)

-- name: listRectificationPlanTransitions :one
select app.transitions_of('rectification_plans', v.id) as body, v.version as etag
from app.rectification_plans_json v
where v.id = :plan_id::uuid

-- name: getRectificationReport :one
select v.body, v.version as etag
from app.rectification_reports_json v
where v.id = :report_id::uuid

-- name: listAllProblemReviews :list
-- sort: reviewed_on = v.reviewed_on :: date
-- sort: created_at = v.created_at :: timestamptz
-- sort: id = v.id :: uuid
-- default: -reviewed_on
select v.body /*keys*/
from app.problem_reviews_json v
where true
  and v.kind = any (:kind::text[])
  and v.result = any (:result::text[])
  and v.problem_id = any (:problem_id::uuid[])
  and v.problem_id in (select p.id from dudao.problems p where p.organization_id = any (:organization_id::uuid[]))
  and v.reviewed_on >= :reviewed_on.gte::date
  and v.reviewed_on <= :reviewed_on.lte::date

-- name: getProblemReview :one
select v.body, v.version as etag
from app.problem_reviews_json v
where v.id = :review_id::uuid
