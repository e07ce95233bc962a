-- The system about itself: the audit trail, the state machines, the labels.

-- name: listAuditLogs :list
-- sort: at = a.at :: timestamptz
-- sort: id = a.id :: uuid
-- default: -at
select a.body /*keys*/
from app.audit_logs_json a
where true
  and a.subject_type = any (:subject_type::text[])
  and a.subject_id = :subject_id::uuid
  and a.user_id = :user_id::uuid
  and a.action = any (:action::text[])
  and a.request_id = :request_id
  and a.at >= :at.gte::timestamptz
  and a.at < :at.lt::timestamptz

-- name: getAuditLog :one
select v.body
from app.audit_logs_json v
where v.id = :audit_log_id::uuid

-- name: listWorkflows :many
select json_build_object('data', coalesce(json_agg(w.body order by w.resource), '[]'::json))::text as body
from app.workflows_json w
where true
  and w.resource = any (:resource::text[])

-- name: getWorkflow :one
select w.body
from app.workflows_json w
where w.resource = :resource

-- name: listEnumerations :many
select json_build_object('data', coalesce(json_agg(e.body order by e.name), '[]'::json))::text as body
from app.enumerations_json e
where true
  and e.name = any (:name::text[])
