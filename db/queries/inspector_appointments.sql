-- Appointments of inspectors (3.15).

-- name: listInspectorAppointments :list
-- sort: created_at = t.created_at :: timestamptz
-- sort: starts_on = coalesce(t.starts_on, 'infinity') :: date
-- sort: ends_on = coalesce(t.ends_on, 'infinity') :: date
-- sort: id = t.id :: uuid
-- default: -created_at
select t.body /*keys*/
from app.inspector_appointments_json t
where true
  and t.state = any (:state::text[])
  and t.employment = any (:employment::text[])
  and t.inspector_id = any (:inspector_id::uuid[])
  and t.recommended_by_org_id = any (:recommended_by_org_id::uuid[])
  and t.inspector_id in (select app.inspectors_of_zones(:zone_id::uuid[]))
  and t.term_no = :term_no::integer
  and t.starts_on >= :starts_on.gte::date
  and t.starts_on <= :starts_on.lte::date
  and t.ends_on >= :ends_on.gte::date
  and t.ends_on <= :ends_on.lte::date
  and t.publicity_to >= :publicity_to.gte::date
  and t.publicity_to <= :publicity_to.lte::date
  and t.inspector_id in (select app.inspectors_named(:q))

-- name: getInspectorAppointment :one
select app.with_members(v.body
    , 'inspector', (select x.body from app.inspectors_json x where x.id = v.inspector_id)   --? expand.inspector
    , 'renewal_of', (select x.body from app.inspector_appointments_json x where x.id = v.renewal_of_id)   --? expand.renewal_of
    , 'recommended_by', (select x.body from app.organizations_json x where x.id = v.recommended_by_org_id)   --? expand.recommended_by
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.inspector_appointments_json v
where v.id = :inspector_appointment_id::uuid

-- name: createInspectorAppointment :one
select * from app.create('inspector_appointments', :body::jsonb)

-- name: updateInspectorAppointment :one
select * from app.patch('inspector_appointments', :inspector_appointment_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: reviewInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'review', :ctx.if_match::integer, :body::jsonb)

-- name: rejectInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'reject', :ctx.if_match::integer, :body::jsonb)

-- name: publicizeInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'publicize', :ctx.if_match::integer, :body::jsonb)

-- name: recordObjectionInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'record_objection', :ctx.if_match::integer, :body::jsonb)

-- name: decideObjectionInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'decide_objection', :ctx.if_match::integer, :body::jsonb)

-- name: approveInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'approve', :ctx.if_match::integer, :body::jsonb)

-- name: appointInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'appoint', :ctx.if_match::integer, :body::jsonb)

-- name: renewInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'renew', :ctx.if_match::integer, :body::jsonb)

-- name: requestResignationInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'request_resignation', :ctx.if_match::integer, :body::jsonb)

-- name: resignInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'resign', :ctx.if_match::integer, :body::jsonb)

-- name: dismissInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'dismiss', :ctx.if_match::integer, :body::jsonb)

-- name: voidInspectorAppointment :one
select * from app.act('inspector_appointments', :inspector_appointment_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)

-- name: listInspectorAppointmentTransitions :many
select app.transitions_of('inspector_appointments', v.id) as body
from app.inspector_appointments_json v
where v.id = :inspector_appointment_id::uuid

-- name: checkInspectorCertificate :one
select * from app.check_certificate(:certificate_no)
