-- Persons. The hash of the identity number is never read here.

-- name: listPersons :list
-- sort: name = t.name :: text
-- sort: code = t.code :: text
-- sort: id = t.id :: uuid
-- default: code
select t.body /*keys*/
from app.persons_json t
where true
  and t.code = any (:code::text[])
  and t.organization_id = any (:organization_id::uuid[])
  and t.search @> (select app.bigrams(:q))

-- name: getPerson :one
select app.with_members(v.body
    , 'organization', (select x.body from app.organizations_json x where x.id = v.organization_id)   --? expand.organization
    ) as body, v.version as etag
from app.persons_json v
where v.id = :person_id::uuid

-- name: createPerson :one
select * from app.create('persons', :body::jsonb)

-- name: updatePerson :one
select * from app.patch('persons', :person_id::uuid, :ctx.if_match::integer,
    :body::jsonb)
