-- The problem ledger (3.9, C2.3.2).

-- name: listProblems :list
-- sort: due_on = coalesce(p.due_on, 'infinity') :: date
-- sort: code = p.code :: text
-- sort: listed_on = coalesce(p.listed_on, 'infinity') :: date
-- sort: created_at = p.created_at :: timestamptz
-- sort: updated_at = p.updated_at :: timestamptz
-- sort: id = p.id :: uuid
-- default: due_on
select app.with_members(app.problem_json(p
        , :as_of::date
        )
    , 'organization', (select o.body from app.organizations_json o where o.id = p.organization_id)  --? expand.organization
    , 'task', (select t.body from app.supervision_tasks_json t where t.id = p.task_id)  --? expand.task
    , 'visit', (select v.body from app.visits_json v where v.id = p.visit_id)  --? expand.visit
    , 'plans', (select coalesce(json_agg(r.body order by r.id), '[]') from app.rectification_plans_json r where r.problem_id = p.id)  --? expand.plans
    , 'reports', (select coalesce(json_agg(r.body order by r.id), '[]') from app.rectification_reports_json r where r.problem_id = p.id)  --? expand.reports
    , 'reviews', (select coalesce(json_agg(r.body order by r.id), '[]') from app.problem_reviews_json r where r.problem_id = p.id)  --? expand.reviews
    ) as body /*keys*/
from dudao.problems p
where true
  and p.state = any (:state::text[])
  and p.severity = any (:severity::text[])
  and p.category = any (:category::text[])
  and p.area = any (:area::text[])
  and p.organization_id = any (:organization_id::uuid[])
  and p.organization_id in (select app.schools_of_zones(:zone_id::uuid[]))
  and p.task_id = any (:task_id::uuid[])
  and p.visit_id = any (:visit_id::uuid[])
  and p.target_id = any (:target_id::uuid[])
  and p.member_organization_id = any (:member_organization_id::uuid[])
  and p.reviewer_inspector_ids @> array[:reviewer_inspector_id::uuid]
  and p.due_on <= :due_on.lte::date
  and p.due_on >= :due_on.gte::date
  and (p.due_on is null) = :due_on.is_null::boolean
  and (p.state in ('listed', 'assigned', 'rectifying', 'rebounded')  --? overdue
      and coalesce(p.effective_due_on < coalesce(  --? overdue
          :as_of::date,  --? overdue
          app.today()), false)) = :overdue::boolean
  and (p.extension_requested_on is not null) = :extension_requested::boolean
  and p.escalation_level >= :escalation_level.gte::integer
  and p.search @> (select app.bigrams(:q))

-- name: getProblem :one
select app.with_members(app.problem_json(p
        , :as_of::date
        )
    , 'organization', (select o.body from app.organizations_json o where o.id = p.organization_id)  --? expand.organization
    , 'task', (select t.body from app.supervision_tasks_json t where t.id = p.task_id)  --? expand.task
    , 'visit', (select v.body from app.visits_json v where v.id = p.visit_id)  --? expand.visit
    , 'plans', (select coalesce(json_agg(r.body order by r.id), '[]') from app.rectification_plans_json r where r.problem_id = p.id)  --? expand.plans
    , 'reports', (select coalesce(json_agg(r.body order by r.id), '[]') from app.rectification_reports_json r where r.problem_id = p.id)  --? expand.reports
    , 'reviews', (select coalesce(json_agg(r.body order by r.id), '[]') from app.problem_reviews_json r where r.problem_id = p.id)  --? expand.reviews
    ) as body, p.version || '-' || to_char(app.today(), 'YYYYMMDD') as etag
from dudao.problems p
where p.id = :problem_id::uuid

-- name: createProblem :one
select * from app.create('problems', :body::jsonb)

-- name: updateProblem :one
select * from app.patch('problems', :problem_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: enterProblemInLedger :one
select * from app.act('problems', :problem_id::uuid, 'list', :ctx.if_match::integer, :body::jsonb)

-- name: assignProblem :one
select * from app.act('problems', :problem_id::uuid, 'assign', :ctx.if_match::integer, :body::jsonb)

-- name: acceptProblemPlan :one
select * from app.act('problems', :problem_id::uuid, 'accept_plan', :ctx.if_match::integer, :body::jsonb)

-- name: requestProblemExtension :one
select * from app.act('problems', :problem_id::uuid, 'request_extension', :ctx.if_match::integer, :body::jsonb)

-- name: approveProblemExtension :one
select * from app.act('problems', :problem_id::uuid, 'approve_extension', :ctx.if_match::integer, :body::jsonb)

-- name: rejectProblemExtension :one
select * from app.act('problems', :problem_id::uuid, 'reject_extension', :ctx.if_match::integer, :body::jsonb)

-- name: reportProblem :one
select * from app.act('problems', :problem_id::uuid, 'report', :ctx.if_match::integer, :body::jsonb)

-- name: reportProblemPhase :one
select * from app.act('problems', :problem_id::uuid, 'report_phase', :ctx.if_match::integer, :body::jsonb)

-- name: verifyProblem :one
select * from app.act('problems', :problem_id::uuid, 'verify', :ctx.if_match::integer, :body::jsonb)

-- name: strikeOffProblem :one
select * from app.act('problems', :problem_id::uuid, 'strike_off', :ctx.if_match::integer, :body::jsonb)

-- name: rejectProblem :one
select * from app.act('problems', :problem_id::uuid, 'reject', :ctx.if_match::integer, :body::jsonb)

-- name: passProblemLookBack :one
select * from app.act('problems', :problem_id::uuid, 'look_back_ok', :ctx.if_match::integer, :body::jsonb)

-- name: reboundProblem :one
select * from app.act('problems', :problem_id::uuid, 'rebound', :ctx.if_match::integer, :body::jsonb)

-- name: voidProblem :one
select * from app.act('problems', :problem_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)

-- name: listProblemTransitions :one
select app.transitions_of('problems', v.id) as body, v.version as etag
from app.problems_json v
where v.id = :problem_id::uuid

-- name: listProblemPlans :list
-- sort: submitted_at = v.submitted_at :: timestamptz
-- sort: id = v.id :: uuid
-- default: submitted_at
select v.body /*keys*/
from app.rectification_plans_json v
where v.problem_id = :problem_id::uuid
  and v.state = any (:state::text[])

-- name: listProblemReports :list
-- sort: submitted_at = v.submitted_at :: timestamptz
-- sort: id = v.id :: uuid
-- default: submitted_at
select v.body /*keys*/
from app.rectification_reports_json v
where v.problem_id = :problem_id::uuid
  and v.result = any (:result::text[])

-- name: listProblemReviews :list
-- sort: reviewed_on = v.reviewed_on :: date
-- sort: created_at = v.created_at :: timestamptz
-- sort: id = v.id :: uuid
-- default: created_at
select v.body /*keys*/
from app.problem_reviews_json v
where v.problem_id = :problem_id::uuid
  and v.kind = any (:kind::text[])
  and v.result = any (:result::text[])

-- name: createProblemPlan :one
select * from app.create('rectification_plans', :body::jsonb || jsonb_build_object('problem_id', :problem_id::text))

-- name: createProblemReview :one
select * from app.create('problem_reviews', :body::jsonb || jsonb_build_object('problem_id', :problem_id::text))
