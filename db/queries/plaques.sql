-- Plaques (3.24).

-- name: listPlaques :list
-- sort: posted_on = coalesce(t.posted_on, 'infinity') :: date
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -posted_on
select t.body /*keys*/
from app.plaques_json t
where true
  and t.school_id = any (:school_id::uuid[])
  and t.inspector_id = any (:inspector_id::uuid[])
  and t.school_id in (select app.schools_of_zones(:zone_id::uuid[]))
  and t.state = any (:state::text[])
  and t.posted_on >= :posted_on.gte::date
  and t.posted_on <= :posted_on.lte::date

-- name: getPlaque :one
select app.with_members(v.body
    , 'school', (select x.body from app.schools_json x where x.id = v.school_id)   --? expand.school
    , 'inspector', (select x.body from app.inspectors_json x where x.id = v.inspector_id)   --? expand.inspector
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.plaques_json v
where v.id = :plaque_id::uuid

-- name: createPlaque :one
select * from app.create('plaques', :body::jsonb)

-- name: updatePlaque :one
select * from app.patch('plaques', :plaque_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: postPlaque :one
select * from app.act('plaques', :plaque_id::uuid, 'post',
    :ctx.if_match::integer, :body::jsonb)

-- name: flagPlaque :one
select * from app.act('plaques', :plaque_id::uuid, 'flag',
    :ctx.if_match::integer, :body::jsonb)

-- name: removePlaque :one
select * from app.act('plaques', :plaque_id::uuid, 'remove',
    :ctx.if_match::integer, :body::jsonb)

-- name: listPlaqueTransitions :one
select app.transitions_of('plaques', v.id) as body, v.version as etag
from app.plaques_json v
where v.id = :plaque_id::uuid
