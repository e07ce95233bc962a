-- Target files: one unit in one task (3.3).

-- name: listSupervisionTargets :list
-- sort: created_at = v.created_at :: timestamptz
-- sort: state = v.state :: text
-- sort: onsite_ended_on = coalesce(v.onsite_ended_on, 'infinity') :: date
-- sort: id = v.id :: uuid
-- default: -created_at
select app.with_members(v.body
    , 'organization', (select o.body from app.organizations_json o where o.id = v.organization_id)  --? expand.organization
    , 'task', (select t.body from app.supervision_tasks_json t where t.id = v.task_id)  --? expand.task
    , 'problems', (select coalesce(json_agg(p.body order by p.id), '[]') from app.problems_json p where p.target_id = v.id)  --? expand.problems
    ) as body /*keys*/
from app.supervision_targets_json v
where true
  and v.state = any (:state::text[])
  and v.task_id = any (:task_id::uuid[])
  and v.organization_id = any (:organization_id::uuid[])
  and v.zone_id = any (:zone_id::uuid[])
  and v.trigger = any (:trigger::text[])
  and v.is_obstructed = :is_obstructed::boolean

-- name: getSupervisionTarget :one
select app.with_members(v.body
    , 'organization', (select o.body from app.organizations_json o where o.id = v.organization_id)  --? expand.organization
    , 'task', (select t.body from app.supervision_tasks_json t where t.id = v.task_id)  --? expand.task
    , 'problems', (select coalesce(json_agg(p.body order by p.id), '[]') from app.problems_json p where p.target_id = v.id)  --? expand.problems
    ) as body, v.version as etag
from app.supervision_targets_json v
where v.id = :target_id::uuid

-- name: waiveSupervisionTargetSelfAssessment :one
select * from app.act('supervision_targets', :target_id::uuid, 'waive_self_assessment', :ctx.if_match::integer, :body::jsonb)

-- name: beginSupervisionTargetOnsite :one
select * from app.act('supervision_targets', :target_id::uuid, 'begin_onsite', :ctx.if_match::integer, :body::jsonb)

-- name: endSupervisionTargetOnsite :one
select * from app.act('supervision_targets', :target_id::uuid, 'end_onsite', :ctx.if_match::integer, :body::jsonb)

-- name: excuseSupervisionTarget :one
select * from app.act('supervision_targets', :target_id::uuid, 'excuse', :ctx.if_match::integer, :body::jsonb)

-- name: recordSupervisionTargetObstruction :one
select * from app.act('supervision_targets', :target_id::uuid, 'record_obstruction', :ctx.if_match::integer, :body::jsonb)

-- name: listSupervisionTargetTransitions :one
select app.transitions_of('supervision_targets', v.id) as body, v.version as etag
from app.supervision_targets_json v
where v.id = :target_id::uuid
