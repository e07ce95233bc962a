-- Meetings, their parts and resolutions (3.19, 3.24).

-- name: listMeetings :list
-- sort: scheduled_on = m.scheduled_on :: date
-- sort: held_on = coalesce(m.held_on, 'infinity') :: date
-- sort: code = m.code :: text
-- sort: created_at = m.created_at :: timestamptz
-- sort: id = m.id :: uuid
-- default: -scheduled_on
select m.body /*keys*/
from app.meetings_json m
where true
  and m.state = any (:state::text[])
  and m.kind = any (:kind::text[])
  and m.year = :year::integer
  and m.half = :half::integer
  and m.chair_person_id = :chair_person_id::uuid
  and exists (select from dudao.meeting_attendances a where a.meeting_id = m.id and a.organization_id = :organization_id::uuid)
  and m.scheduled_on >= :scheduled_on.gte::date
  and m.scheduled_on <= :scheduled_on.lte::date
  and m.held_on >= :held_on.gte::date
  and m.held_on <= :held_on.lte::date
  and m.search @> (select app.bigrams(:q))

-- name: getMeeting :one
select app.with_members(m.body
    , 'agenda', (select coalesce(json_agg(i.body order by i.seq), '[]') from app.meeting_agenda_items_json i where i.meeting_id = m.id)  --? expand.agenda
    , 'attendances', (select coalesce(json_agg(a.body order by a.id), '[]') from app.meeting_attendances_json a where a.meeting_id = m.id)  --? expand.attendances
    , 'resolutions', (select coalesce(json_agg(r.body order by r.seq), '[]') from app.meeting_resolutions_json r where r.meeting_id = m.id)  --? expand.resolutions
    ) as body, m.version || '-' || left(md5(m.body::text), 12) as etag
from app.meetings_json m
where m.id = :meeting_id::uuid

-- name: createMeeting :one
select * from app.create('meetings', :body::jsonb)

-- name: updateMeeting :one
select * from app.patch('meetings', :meeting_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: notifyMeeting :one
select * from app.act('meetings', :meeting_id::uuid, 'notify', :ctx.if_match::integer, :body::jsonb)

-- name: holdMeeting :one
select * from app.act('meetings', :meeting_id::uuid, 'hold', :ctx.if_match::integer, :body::jsonb)

-- name: draftMeetingMinutes :one
select * from app.act('meetings', :meeting_id::uuid, 'draft_minutes', :ctx.if_match::integer, :body::jsonb)

-- name: issueMeetingMinutes :one
select * from app.act('meetings', :meeting_id::uuid, 'issue_minutes', :ctx.if_match::integer, :body::jsonb)

-- name: closeMeeting :one
select * from app.act('meetings', :meeting_id::uuid, 'close', :ctx.if_match::integer, :body::jsonb)

-- name: postponeMeeting :one
select * from app.act('meetings', :meeting_id::uuid, 'postpone', :ctx.if_match::integer, :body::jsonb)

-- name: cancelMeeting :one
select * from app.act('meetings', :meeting_id::uuid, 'cancel', :ctx.if_match::integer, :body::jsonb)

-- name: listMeetingTransitions :many
select app.transitions_of('meetings', m.id) as body
from app.meetings_json m
where m.id = :meeting_id::uuid

-- name: listMeetingAgenda :list
-- sort: seq = i.seq :: integer
-- sort: id = i.id :: uuid
-- default: seq
select i.body /*keys*/
from app.meeting_agenda_items_json i
where exists (select from dudao.meetings m where m.id = i.meeting_id)
  and i.meeting_id = :meeting_id::uuid

-- name: listMeetingAttendances :list
-- sort: id = a.id :: uuid
-- default: id
select a.body /*keys*/
from app.meeting_attendances_json a
where exists (select from dudao.meetings m where m.id = a.meeting_id)
  and a.meeting_id = :meeting_id::uuid
  and a.attended = :attended::boolean

-- name: listResolutionsOfMeeting :list
-- sort: seq = r.seq :: integer
-- sort: id = r.id :: uuid
-- default: seq
select r.body /*keys*/
from app.meeting_resolutions_json r
where exists (select from dudao.meetings m where m.id = r.meeting_id)
  and r.meeting_id = :meeting_id::uuid

-- name: listMeetingResolutions :list
-- sort: due_on = r.due_on :: date
-- sort: created_at = r.created_at :: timestamptz
-- sort: code = r.code :: text
-- sort: id = r.id :: uuid
-- default: due_on
select r.body /*keys*/
from app.meeting_resolutions_json r
where true
  and r.state = any (:state::text[])
  and r.owner_organization_id = any (:owner_organization_id::uuid[])
  and r.meeting_id = any (:meeting_id::uuid[])
  and r.due_on >= :due_on.gte::date
  and r.due_on <= :due_on.lte::date
  and (r.state = 'open' and r.issued_on is not null and r.due_on < app.today()) = :overdue::boolean
  and (r.reported_on is not null) = :reported::boolean
  and r.search @> (select app.bigrams(:q))

-- name: getMeetingResolution :one
select r.body, r.version || '-' || to_char(app.today(), 'YYYYMMDD') as etag
from app.meeting_resolutions_json r
where r.id = :resolution_id::uuid

-- name: reportMeetingResolutionDone :one
select * from app.act('meeting_resolutions', :resolution_id::uuid, 'report_done', :ctx.if_match::integer, :body::jsonb)

-- name: confirmMeetingResolution :one
select * from app.act('meeting_resolutions', :resolution_id::uuid, 'confirm', :ctx.if_match::integer, :body::jsonb)

-- name: dropMeetingResolution :one
select * from app.act('meeting_resolutions', :resolution_id::uuid, 'drop', :ctx.if_match::integer, :body::jsonb)

-- name: listMeetingResolutionTransitions :many
select app.transitions_of('meeting_resolutions', r.id) as body
from app.meeting_resolutions_json r
where r.id = :resolution_id::uuid

-- name: getMeetingParticipation :one
select p.body, left(md5(p.body::text), 16) as etag
from (
    select app.participation(coalesce(
        :as_of::date,
        app.today()), coalesce(
        :organization_id::uuid[],
        null::uuid[])) as body) as p

-- name: getMeetingPeriods :one
select p.body, left(md5(p.body::text), 16) as etag
from (
    select app.meeting_periods(coalesce(
        :year::integer,
        extract(year from app.today())::integer), app.today()) as body) as p
