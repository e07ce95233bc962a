-- Supervision reports (3.8).

-- name: listSupervisionReports :list
-- sort: issued_on = coalesce(t.issued_on, 'infinity') :: date
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -created_at
select t.body /*keys*/
from app.supervision_reports_json t
where true
  and t.state = any (:state::text[])
  and t.task_id = any (:task_id::uuid[])
  and t.is_major = :is_major::boolean
  and t.disclosure = any (:disclosure::text[])
  and t.doc_no = any (:doc_no::text[])
  and t.problem_ids && :problem_id::uuid[]
  and coalesce(t.issued_on, 'infinity'::date) >= :issued_on.gte::date
  and coalesce(t.issued_on, 'infinity'::date) <= :issued_on.lte::date
  and t.search @> (select app.bigrams(:q))

-- name: getSupervisionReport :one
select app.with_members(v.body
    , 'task', (select x.body from app.supervision_tasks_json x where x.id = v.task_id)   --? expand.task
    ) as body, v.version as etag
from app.supervision_reports_json v
where v.id = :supervision_report_id::uuid

-- name: createSupervisionReport :one
select * from app.create('supervision_reports', :body::jsonb)

-- name: updateSupervisionReport :one
select * from app.patch('supervision_reports', :supervision_report_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: listSupervisionReportTransitions :one
select app.transitions_of('supervision_reports', v.id) as body, v.version as etag
from app.supervision_reports_json v
where v.id = :supervision_report_id::uuid

-- name: submitSupervisionReport :one
select * from app.act('supervision_reports', :supervision_report_id::uuid, 'submit',
    :ctx.if_match::integer, :body::jsonb)

-- name: returnSupervisionReport :one
select * from app.act('supervision_reports', :supervision_report_id::uuid, 'return',
    :ctx.if_match::integer, :body::jsonb)

-- name: bringSupervisionReportToCommittee :one
select * from app.act('supervision_reports', :supervision_report_id::uuid, 'to_committee',
    :ctx.if_match::integer, :body::jsonb)

-- name: issueSupervisionReport :one
select * from app.act('supervision_reports', :supervision_report_id::uuid, 'issue',
    :ctx.if_match::integer, :body::jsonb)

-- name: markDeliveredSupervisionReport :one
select * from app.act('supervision_reports', :supervision_report_id::uuid, 'mark_delivered',
    :ctx.if_match::integer, :body::jsonb)

-- name: exemptSupervisionReport :one
select * from app.act('supervision_reports', :supervision_report_id::uuid, 'exempt',
    :ctx.if_match::integer, :body::jsonb)

-- name: archiveSupervisionReport :one
select * from app.act('supervision_reports', :supervision_report_id::uuid, 'archive',
    :ctx.if_match::integer, :body::jsonb)

-- name: voidSupervisionReport :one
select * from app.act('supervision_reports', :supervision_report_id::uuid, 'void',
    :ctx.if_match::integer, :body::jsonb)
