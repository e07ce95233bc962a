-- Organizations. What a unit may change of itself is a matter of row rules.

-- name: listOrganizations :list
-- sort: code = t.code :: text
-- sort: name = t.name :: text
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: code
select t.body /*keys*/
from app.organizations_json t
where true
  and t.kind = any (:kind::text[])
  and t.status = any (:status::text[])
  and t.division_id = any (:division_id::uuid[])
  and t.parent_organization_id = any (:parent_organization_id::uuid[])
  and t.managed_by_id = any (:managed_by_id::uuid[])
  and t.host_organization_id = any (:host_organization_id::uuid[])
  and t.is_supervisable = :is_supervisable::boolean
  and (t.edu_leader_person_id is null) = :edu_leader_person_id.is_null::boolean
  and t.code = any (:code::text[])
  and t.uscc = any (:uscc::text[])
  and t.search @> (select app.bigrams(:q))

-- name: getOrganization :one
select app.with_members(v.body
    , 'division', (select x.body from app.divisions_json x where x.id = v.division_id)   --? expand.division
    , 'parent_organization', (select x.body from app.organizations_json x where x.id = v.parent_organization_id)   --? expand.parent_organization
    , 'edu_leader', (select x.body from app.persons_json x where x.id = v.edu_leader_person_id)   --? expand.edu_leader
    ) as body, v.version as etag
from app.organizations_json v
where v.id = :organization_id::uuid

-- name: createOrganization :one
select * from app.create('organizations', :body::jsonb)

-- name: updateOrganization :one
select * from app.patch('organizations', :organization_id::uuid, :ctx.if_match::integer,
    :body::jsonb)
