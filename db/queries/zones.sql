-- Zones of responsibility.

-- name: listZones :list
-- sort: code = t.code :: text
-- sort: name = t.name :: text
-- sort: id = t.id :: uuid
-- default: code
select t.body /*keys*/
from app.zones_json t
where true
  and t.code = any (:code::text[])
  and t.division_ids && :division_id::uuid[]
  and t.lead_inspector_id = any (:lead_inspector_id::uuid[])
  and (t.active_to is null) = :active_to.is_null::boolean
  and t.search @> (select app.bigrams(:q))

-- name: getZone :one
select app.with_members(v.body
    , 'lead_inspector', (select x.body from app.inspectors_json x where x.id = v.lead_inspector_id)   --? expand.lead_inspector
    , 'members', (select coalesce(json_agg(x.body order by x.is_lead desc, x.started_on, x.id), '[]') from app.zone_memberships_json x where x.zone_id = v.id and x.ended_on is null)   --? expand.members
    , 'schools', app.zone_schools(v.id)   --? expand.schools
    , 'inspectors', app.zone_inspectors(v.id)   --? expand.inspectors
    , 'staffing', app.staffing(v.id)   --? expand.staffing
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.zones_json v
where v.id = :zone_id::uuid

-- name: createZone :one
select * from app.create('zones', :body::jsonb)

-- name: updateZone :one
select * from app.patch('zones', :zone_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: moveToZone :one
select * from app.move_to_zone(:zone_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: getInspectorRatios :one
select r.body, left(md5(r.body::text), 16) as etag
from (select app.inspector_ratios() as body) as r
