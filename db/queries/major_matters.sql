-- Major matters (3.20).

-- name: listMajorMatters :list
-- sort: created_at = m.created_at :: timestamptz
-- sort: resolved_on = coalesce(m.resolved_on, 'infinity') :: date
-- sort: code = m.code :: text
-- sort: id = m.id :: uuid
-- default: -created_at
select m.body /*keys*/
from app.major_matters_json m
where true
  and m.state = any (:state::text[])
  and m.kind = any (:kind::text[])
  and m.severity = any (:severity::text[])
  and m.organization_id = any (:organization_id::uuid[])
  and m.agenda_item_id in (select i.id from dudao.meeting_agenda_items i where i.meeting_id = :meeting_id::uuid)
  and m.resolved_on >= :resolved_on.gte::date
  and m.resolved_on <= :resolved_on.lte::date
  and m.search @> (select app.bigrams(:q))

-- name: getMajorMatter :one
select app.with_members(m.body
    , 'dispatches', (select coalesce(json_agg(d.body order by d.id), '[]') from app.dispatches_json d where d.subject_type = 'major_matters' and d.subject_id = m.id)  --? expand.dispatches
    , 'resolution', (select r.body from app.meeting_resolutions_json r where r.id = m.resolution_id)  --? expand.resolution
    ) as body, m.version || '-' || left(md5(m.body::text), 12) as etag
from app.major_matters_json m
where m.id = :matter_id::uuid

-- name: createMajorMatter :one
select * from app.create('major_matters', :body::jsonb)

-- name: updateMajorMatter :one
select * from app.patch('major_matters', :matter_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: acceptMajorMatter :one
select * from app.act('major_matters', :matter_id::uuid, 'accept', :ctx.if_match::integer, :body::jsonb)

-- name: reportMajorMatterUrgently :one
select * from app.act('major_matters', :matter_id::uuid, 'report_urgent', :ctx.if_match::integer, :body::jsonb)

-- name: submitMajorMatterToMeeting :one
select * from app.act('major_matters', :matter_id::uuid, 'submit_to_meeting', :ctx.if_match::integer, :body::jsonb)

-- name: resolveMajorMatter :one
select * from app.act('major_matters', :matter_id::uuid, 'resolve', :ctx.if_match::integer, :body::jsonb)

-- name: sendMajorMatterDispatches :one
select * from app.act('major_matters', :matter_id::uuid, 'send_dispatches', :ctx.if_match::integer, :body::jsonb)

-- name: markMajorMatterCirculated :one
select * from app.act('major_matters', :matter_id::uuid, 'mark_circulated', :ctx.if_match::integer, :body::jsonb)

-- name: closeMajorMatter :one
select * from app.act('major_matters', :matter_id::uuid, 'close', :ctx.if_match::integer, :body::jsonb)

-- name: voidMajorMatter :one
select * from app.act('major_matters', :matter_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)

-- name: listMajorMatterTransitions :many
select app.transitions_of('major_matters', m.id) as body
from app.major_matters_json m
where m.id = :matter_id::uuid

-- name: submitProblemToCommittee :one
select * from app.submit_problem_to_committee(:problem_id::uuid, :body::jsonb)
