-- Terms of office.

-- name: listLeadershipTerms :list
-- sort: started_on = t.started_on :: date
-- sort: planned_end_on = coalesce(t.planned_end_on, 'infinity') :: date
-- sort: ended_on = coalesce(t.ended_on, 'infinity') :: date
-- sort: id = t.id :: uuid
-- default: -started_on
select t.body /*keys*/
from app.leadership_terms_json t
where true
  and t.organization_id = any (:organization_id::uuid[])
  and t.person_id = any (:person_id::uuid[])
  and t.position = any (:position::text[])
  and t.is_principal_leader = :is_principal_leader::boolean
  and t.in_leadership_team = :in_leadership_team::boolean
  and t.started_on >= :started_on.gte::date
  and t.started_on <= :started_on.lte::date
  and t.planned_end_on >= :planned_end_on.gte::date
  and t.planned_end_on <= :planned_end_on.lte::date
  and t.ended_on >= :ended_on.gte::date
  and t.ended_on <= :ended_on.lte::date
  and (t.ended_on is null) = :ended_on.is_null::boolean

-- name: getLeadershipTerm :one
select app.with_members(v.body
    , 'organization', (select x.body from app.organizations_json x where x.id = v.organization_id)   --? expand.organization
    , 'person', (select x.body from app.persons_json x where x.id = v.person_id)   --? expand.person
    ) as body, v.version as etag
from app.leadership_terms_json v
where v.id = :leadership_term_id::uuid

-- name: createLeadershipTerm :one
select * from app.create('leadership_terms', :body::jsonb)

-- name: updateLeadershipTerm :one
select * from app.patch('leadership_terms', :leadership_term_id::uuid, :ctx.if_match::integer,
    :body::jsonb)
