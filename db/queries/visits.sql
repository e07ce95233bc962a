-- Visits (3.4). The visit takes the number that the phone gave it.

-- name: listVisits :list
-- sort: visited_on = v.visited_on :: date
-- sort: submitted_at = coalesce(v.submitted_at, 'infinity') :: timestamptz
-- sort: created_at = v.created_at :: timestamptz
-- sort: id = v.id :: uuid
-- default: -visited_on
select app.with_members(v.body
    , 'organization', (select o.body from app.organizations_json o where o.id = v.organization_id)  --? expand.organization
    , 'inspector', (select i.body from app.inspectors_json i where i.id = v.inspector_id)  --? expand.inspector
    , 'problems', (select coalesce(json_agg(p.body order by p.id), '[]') from app.problems_json p where p.visit_id = v.id)  --? expand.problems
    ) as body /*keys*/
from app.visits_json v
where true
  and v.state = any (:state::text[])
  and v.kind = any (:kind::text[])
  and v.organization_id = any (:organization_id::uuid[])
  and v.organization_id in (select app.schools_of_zones(array[:zone_id::uuid]))
  and v.inspector_id = any (:inspector_id::uuid[])
  and v.target_id = any (:target_id::uuid[])
  and v.target_id in (select g.id from dudao.supervision_targets g where g.task_id = :task_id::uuid)
  and v.semester_id = any (:semester_id::uuid[])
  and v.visited_on >= :visited_on.gte::date
  and v.visited_on <= :visited_on.lte::date
  and v.geo_warning = :geo_warning::boolean
  and v.no_problem_found = :no_problem_found::boolean
  and v.search @> (select app.bigrams(:q))

-- name: getVisit :one
select app.with_members(v.body
    , 'organization', (select o.body from app.organizations_json o where o.id = v.organization_id)  --? expand.organization
    , 'inspector', (select i.body from app.inspectors_json i where i.id = v.inspector_id)  --? expand.inspector
    , 'problems', (select coalesce(json_agg(p.body order by p.id), '[]') from app.problems_json p where p.visit_id = v.id)  --? expand.problems
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.visits_json v
where v.id = :visit_id::uuid

-- name: createVisit :one
select * from app.create('visits', :body::jsonb || jsonb_build_object('id', :body::jsonb ->> 'client_uid'))

-- name: updateVisit :one
select * from app.patch('visits', :visit_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: submitVisit :one
select * from app.act('visits', :visit_id::uuid, 'submit', :ctx.if_match::integer, :body::jsonb)

-- name: confirmVisit :one
select * from app.act('visits', :visit_id::uuid, 'confirm', :ctx.if_match::integer, :body::jsonb)

-- name: reviewVisit :one
select * from app.act('visits', :visit_id::uuid, 'review', :ctx.if_match::integer, :body::jsonb)

-- name: returnVisit :one
select * from app.act('visits', :visit_id::uuid, 'return', :ctx.if_match::integer, :body::jsonb)

-- name: listVisitTransitions :one
select app.transitions_of('visits', v.id) as body, v.version as etag
from app.visits_json v
where v.id = :visit_id::uuid
