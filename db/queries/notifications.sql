-- Notifications and dispatches: what was told to whom, and when it arrived.

-- name: listNotifications :list
-- sort: created_at = n.created_at :: timestamptz
-- sort: id = n.id :: uuid
-- default: -created_at
select n.body /*keys*/
from app.notifications_json n
where n.recipient_user_id = (select app.user_id())
  and (n.read_at is null) = :unread::boolean
  and n.kind = any (:kind::text[])

-- name: getNotification :one
select v.body, v.version as etag
from app.notifications_json v
where v.id = :notification_id::uuid

-- name: markNotificationRead :one
select * from app.mark_read(:notification_id::uuid)

-- name: listDispatches :list
-- sort: created_at = d.created_at :: timestamptz
-- sort: due_on = coalesce(d.due_on, 'infinity') :: date
-- sort: id = d.id :: uuid
-- default: -created_at
select d.body /*keys*/
from app.dispatches_json d
where true
  and d.state = any (:state::text[])
  and d.purpose = any (:purpose::text[])
  and d.subject_type = :subject_type
  and d.subject_id = :subject_id::uuid
  and d.recipient_organization_id = any (:recipient_organization_id::uuid[])
  and d.due_on <= :due_on.lte::date

-- name: getDispatch :one
select v.body, v.version as etag
from app.dispatches_json v
where v.id = :dispatch_id::uuid

-- name: sendDispatch :one
select * from app.act('dispatches', :dispatch_id::uuid, 'send', :ctx.if_match::integer, :body::jsonb)

-- name: receiveDispatch :one
select * from app.act('dispatches', :dispatch_id::uuid, 'receive', :ctx.if_match::integer, :body::jsonb)

-- name: bounceDispatch :one
select * from app.act('dispatches', :dispatch_id::uuid, 'bounce', :ctx.if_match::integer, :body::jsonb)

-- name: listDispatchTransitions :many
select app.transitions_of('dispatches', v.id) as body
from app.dispatches_json v
where v.id = :dispatch_id::uuid
