-- Memberships of inspectors in zones.

-- name: listZoneMemberships :list
-- sort: started_on = t.started_on :: date
-- sort: id = t.id :: uuid
-- default: -started_on
select t.body /*keys*/
from app.zone_memberships_json t
where true
  and t.zone_id = any (:zone_id::uuid[])
  and t.inspector_id = any (:inspector_id::uuid[])
  and t.is_lead = :is_lead::boolean
  and t.started_on >= :started_on.gte::date
  and t.started_on <= :started_on.lte::date
  and (t.ended_on is null) = :ended_on.is_null::boolean

-- name: getZoneMembership :one
select app.with_members(v.body
    , 'zone', (select x.body from app.zones_json x where x.id = v.zone_id)   --? expand.zone
    , 'inspector', (select x.body from app.inspectors_json x where x.id = v.inspector_id)   --? expand.inspector
    ) as body, v.version as etag
from app.zone_memberships_json v
where v.id = :zone_membership_id::uuid

-- name: createZoneMembership :one
select * from app.create('zone_memberships', :body::jsonb)

-- name: updateZoneMembership :one
select * from app.patch('zone_memberships', :zone_membership_id::uuid, :ctx.if_match::integer,
    :body::jsonb)
