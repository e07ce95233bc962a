-- Schools: the row of the school and of its organization as one.

-- name: listSchools :list
-- sort: ident_code = t.ident_code :: text
-- sort: name = t.name :: text
-- sort: student_count = coalesce(t.student_count, -1) :: integer
-- sort: licence_valid_to = coalesce(t.licence_valid_to, 'infinity') :: date
-- sort: id = t.id :: uuid
-- default: ident_code
select t.body /*keys*/
from app.schools_json t
where true
  and t.ident_code = any (:ident_code::text[])
  and t.zone_id = any (:zone_id::uuid[])
  and t.division_id = any (:division_id::uuid[])
  and t.school_type = any (:school_type::text[])
  and t.stages && :stages::text[]
  and t.ownership = any (:ownership::text[])
  and t.status = any (:status::text[])
  and t.licence_status = any (:licence_status::text[])
  and t.licence_valid_to >= :licence_valid_to.gte::date
  and t.licence_valid_to <= :licence_valid_to.lte::date
  and t.counts_in_ratio = :counts_in_ratio::boolean
  and t.parent_school_id = any (:parent_school_id::uuid[])
  and t.urban_rural = any (:urban_rural::text[])
  and (t.id in (select app.schools_with_plaques())) = :has_plaque::boolean
  and t.search @> (select app.bigrams(:q))

-- name: getSchool :one
select app.with_members(v.body
    , 'organization', (select x.body from app.organizations_json x where x.id = v.organization_id)   --? expand.organization
    , 'zone', (select x.body from app.zones_json x where x.id = v.zone_id)   --? expand.zone
    , 'parent_school', (select x.body from app.schools_json x where x.id = v.parent_school_id)   --? expand.parent_school
    , 'plaque', (select x.body from app.plaques_json x where x.school_id = v.id and x.state in ('posted', 'to_replace'))   --? expand.plaque
    , 'leaders', (select coalesce(json_agg(x.body order by x.is_principal_leader desc, x.started_on, x.id), '[]') from app.leadership_terms_json x where x.organization_id = v.organization_id and x.ended_on is null)   --? expand.leaders
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.schools_json v
where v.id = :school_id::uuid

-- name: createSchool :one
select * from app.create('schools', :body::jsonb)

-- name: updateSchool :one
select * from app.patch('schools', :school_id::uuid, :ctx.if_match::integer,
    :body::jsonb)
