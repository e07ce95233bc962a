-- Supervision tasks, their teams and targets (3.2).

-- name: listSupervisionTasks :list
-- sort: code = t.code :: text
-- sort: year = t.year :: integer
-- sort: onsite_from = coalesce(t.onsite_from, 'infinity') :: date
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -created_at
select app.with_members(t.body
    , 'targets', (select coalesce(json_agg(g.body order by g.id), '[]') from app.supervision_targets_json g where g.task_id = t.id)  --? expand.targets
    , 'leader_inspector', (select i.body from app.inspectors_json i where i.id = t.leader_inspector_id)  --? expand.leader_inspector
    , 'basis_document', (select d.body from app.policy_documents_json d where d.id = t.basis_document_id)  --? expand.basis_document
    ) as body /*keys*/
from app.supervision_tasks_json t
where true
  and t.state = any (:state::text[])
  and t.kind = any (:kind::text[])
  and t.year = :year::integer
  and t.ordered_by_level = any (:ordered_by_level::text[])
  and exists (select from dudao.supervision_targets g where g.task_id = t.id and g.organization_id = any (:organization_id::uuid[]))
  and exists (select from dudao.supervision_targets g where g.task_id = t.id and (g.zone_id = :zone_id::uuid or g.organization_id in (select s.id from dudao.schools s where s.zone_id = :zone_id::uuid)))
  and t.leader_inspector_id = any (:leader_inspector_id::uuid[])
  and t.is_annual_key = :is_annual_key::boolean
  and t.onsite_from >= :onsite_from.gte::date
  and t.onsite_from <= :onsite_from.lte::date
  and t.search @> (select app.bigrams(:q))

-- name: getSupervisionTask :one
select app.with_members(t.body
    , 'targets', (select coalesce(json_agg(g.body order by g.id), '[]') from app.supervision_targets_json g where g.task_id = t.id)  --? expand.targets
    , 'leader_inspector', (select i.body from app.inspectors_json i where i.id = t.leader_inspector_id)  --? expand.leader_inspector
    , 'basis_document', (select d.body from app.policy_documents_json d where d.id = t.basis_document_id)  --? expand.basis_document
    ) as body, t.version || '-' || left(md5(t.body::text), 12) as etag
from app.supervision_tasks_json t
where t.id = :task_id::uuid

-- name: createSupervisionTask :one
select * from app.create('supervision_tasks', :body::jsonb)

-- name: updateSupervisionTask :one
select * from app.patch('supervision_tasks', :task_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: approveSupervisionTask :one
select * from app.act('supervision_tasks', :task_id::uuid, 'approve', :ctx.if_match::integer, :body::jsonb)

-- name: issueSupervisionTaskNotice :one
select * from app.act('supervision_tasks', :task_id::uuid, 'issue_notice', :ctx.if_match::integer, :body::jsonb)

-- name: startSupervisionTask :one
select * from app.act('supervision_tasks', :task_id::uuid, 'start', :ctx.if_match::integer, :body::jsonb)

-- name: summarizeSupervisionTask :one
select * from app.act('supervision_tasks', :task_id::uuid, 'summarize', :ctx.if_match::integer, :body::jsonb)

-- name: completeSupervisionTask :one
select * from app.act('supervision_tasks', :task_id::uuid, 'complete', :ctx.if_match::integer, :body::jsonb)

-- name: archiveSupervisionTask :one
select * from app.act('supervision_tasks', :task_id::uuid, 'archive', :ctx.if_match::integer, :body::jsonb)

-- name: cancelSupervisionTask :one
select * from app.act('supervision_tasks', :task_id::uuid, 'cancel', :ctx.if_match::integer, :body::jsonb)

-- name: listSupervisionTaskTransitions :one
select app.transitions_of('supervision_tasks', v.id) as body, v.version as etag
from app.supervision_tasks_json v
where v.id = :task_id::uuid

-- name: listSupervisionTaskTargets :list
-- sort: created_at = g.created_at :: timestamptz
-- sort: state = g.state :: text
-- sort: id = g.id :: uuid
-- default: created_at
select g.body /*keys*/
from app.supervision_targets_json g
where g.task_id = :task_id::uuid
  and g.state = any (:state::text[])

-- name: createSupervisionTaskTarget :one
select * from app.create('supervision_targets', :body::jsonb || jsonb_build_object('task_id', :task_id::text))

-- name: listSupervisionTaskTeam :list
-- sort: created_at = m.created_at :: timestamptz
-- sort: id = m.id :: uuid
-- default: created_at
select m.body /*keys*/
from app.team_members_json m
where m.task_id = :task_id::uuid
  and m.role = any (:role::text[])

-- name: createSupervisionTaskTeamMember :one
select * from app.create('team_members', :body::jsonb || jsonb_build_object('task_id', :task_id::text))

-- name: getTeamMember :one
select v.body, v.version as etag
from app.team_members_json v
where v.id = :team_member_id::uuid
