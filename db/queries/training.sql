-- Training: plans, sessions, records, and the hours of a year.

-- name: listTrainingPlans :list
-- sort: year = t.year :: integer
-- sort: id = t.id :: uuid
-- default: -year
select t.body /*keys*/
from app.training_plans_json t
where true
  and t.state = any (:state::text[])
  and t.year = any (:year::integer[])
  and t.search @> (select app.bigrams(:q))

-- name: getTrainingPlan :one
select app.with_members(v.body
    , 'sessions', (select coalesce(json_agg(x.body order by x.starts_at, x.id), '[]') from app.training_sessions_json x where x.plan_id = v.id)   --? expand.sessions
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.training_plans_json v
where v.id = :plan_id::uuid

-- name: createTrainingPlan :one
select * from app.create('training_plans', :body::jsonb)

-- name: updateTrainingPlan :one
select * from app.patch('training_plans', :plan_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: submitTrainingPlan :one
select * from app.act('training_plans', :plan_id::uuid, 'submit', :ctx.if_match::integer, :body::jsonb)

-- name: returnTrainingPlan :one
select * from app.act('training_plans', :plan_id::uuid, 'return', :ctx.if_match::integer, :body::jsonb)

-- name: approveTrainingPlan :one
select * from app.act('training_plans', :plan_id::uuid, 'approve', :ctx.if_match::integer, :body::jsonb)

-- name: closeTrainingPlan :one
select * from app.act('training_plans', :plan_id::uuid, 'close', :ctx.if_match::integer, :body::jsonb)

-- name: listTrainingPlanTransitions :one
select app.transitions_of('training_plans', v.id) as body, v.version as etag
from app.training_plans_json v
where v.id = :plan_id::uuid

-- name: listTrainingSessions :list
-- sort: starts_at = t.starts_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -starts_at
select t.body /*keys*/
from app.training_sessions_json t
where true
  and t.state = any (:state::text[])
  and t.kind = any (:kind::text[])
  and t.mode = any (:mode::text[])
  and t.plan_id = any (:plan_id::uuid[])
  and t.plan_id in (select p.id from dudao.training_plans p where p.year = :year::integer)
  and t.trainer_person_id = any (:trainer_person_id::uuid[])
  and t.starts_at >= :starts_at.gte::timestamptz
  and t.starts_at < :starts_at.lt::timestamptz
  and t.search @> (select app.bigrams(:q))

-- name: getTrainingSession :one
select app.with_members(v.body
    , 'plan', (select x.body from app.training_plans_json x where x.id = v.plan_id)   --? expand.plan
    , 'records', (select coalesce(json_agg(x.body order by x.id), '[]') from app.training_records_json x where x.session_id = v.id)   --? expand.records
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.training_sessions_json v
where v.id = :training_session_id::uuid

-- name: createTrainingSession :one
select * from app.create('training_sessions', :body::jsonb)

-- name: updateTrainingSession :one
select * from app.patch('training_sessions', :training_session_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: openTrainingSession :one
select * from app.act('training_sessions', :training_session_id::uuid, 'open', :ctx.if_match::integer, :body::jsonb)

-- name: startTrainingSession :one
select * from app.act('training_sessions', :training_session_id::uuid, 'start', :ctx.if_match::integer, :body::jsonb)

-- name: completeTrainingSession :one
select * from app.act('training_sessions', :training_session_id::uuid, 'complete', :ctx.if_match::integer, :body::jsonb)

-- name: closeTrainingSession :one
select * from app.act('training_sessions', :training_session_id::uuid, 'close', :ctx.if_match::integer, :body::jsonb)

-- name: cancelTrainingSession :one
select * from app.act('training_sessions', :training_session_id::uuid, 'cancel', :ctx.if_match::integer, :body::jsonb)

-- name: listTrainingSessionTransitions :one
select app.transitions_of('training_sessions', v.id) as body, v.version as etag
from app.training_sessions_json v
where v.id = :training_session_id::uuid

-- name: listTrainingSessionRecords :list
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: created_at
select t.body /*keys*/
from app.training_records_json t
where t.session_id = :training_session_id::uuid
  and t.state = any (:state::text[])

-- name: enrolInspectors :one
select * from app.enrol_inspectors(:training_session_id::uuid, :body::jsonb)

-- name: listTrainingRecords :list
-- sort: starts_at = t.session_starts_at :: timestamptz
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -starts_at
select t.body /*keys*/
from app.training_records_json t
where true
  and t.state = any (:state::text[])
  and t.inspector_id = any (:inspector_id::uuid[])
  and t.session_id = any (:training_session_id::uuid[])
  and t.session_id in (select s.id from dudao.training_sessions s where s.kind = any (:kind::text[]))
  and t.session_id in (select s.id from dudao.training_sessions s join dudao.training_plans p on p.id = s.plan_id where p.year = :year::integer)
  and t.certificate_no = :certificate_no

-- name: getTrainingRecord :one
select app.with_members(v.body
    , 'session', (select x.body from app.training_sessions_json x where x.id = v.session_id)   --? expand.session
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.training_records_json v
where v.id = :record_id::uuid

-- name: createTrainingRecord :one
select * from app.create('training_records', :body::jsonb)

-- name: attendTrainingRecord :one
select * from app.act('training_records', :record_id::uuid, 'attend', :ctx.if_match::integer, :body::jsonb)

-- name: missTrainingRecord :one
select * from app.act('training_records', :record_id::uuid, 'miss', :ctx.if_match::integer, :body::jsonb)

-- name: passTrainingRecord :one
select * from app.act('training_records', :record_id::uuid, 'pass', :ctx.if_match::integer, :body::jsonb)

-- name: failTrainingRecord :one
select * from app.act('training_records', :record_id::uuid, 'fail', :ctx.if_match::integer, :body::jsonb)

-- name: certifyTrainingRecord :one
select * from app.act('training_records', :record_id::uuid, 'certify', :ctx.if_match::integer, :body::jsonb)

-- name: listTrainingRecordTransitions :one
select app.transitions_of('training_records', v.id) as body, v.version as etag
from app.training_records_json v
where v.id = :record_id::uuid

-- name: listTrainingHours :list
-- sort: hours = t.hours :: numeric
-- sort: gap = t.gap :: numeric
-- sort: name = t.name :: text
-- sort: id = t.id :: uuid
-- default: hours
select t.body /*keys*/
from app.training_hours_shown(app.today()
    , year => :year::integer
    , as_of => :as_of::date
    ) t
where true
  and t.id = any (:inspector_id::uuid[])
  and t.colour = any (:colour::text[])
  and t.id in (select app.inspectors_of_zones(:zone_id::uuid[]))
