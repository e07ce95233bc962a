-- Recusals (3.24, L-TL-10).

-- name: listRecusals :list
-- sort: declared_on = t.declared_on :: date
-- sort: id = t.id :: uuid
-- default: -declared_on
select t.body /*keys*/
from app.recusals_json t
where true
  and t.state = any (:state::text[])
  and t.reason = any (:reason::text[])
  and t.inspector_id = any (:inspector_id::uuid[])
  and t.organization_id = any (:organization_id::uuid[])
  and t.target_id = any (:target_id::uuid[])
  and t.visit_id = any (:visit_id::uuid[])
  and t.replaced_by_inspector_id = any (:replaced_by_inspector_id::uuid[])
  and t.declared_on >= :declared_on.gte::date
  and t.declared_on <= :declared_on.lte::date

-- name: getRecusal :one
select app.with_members(v.body
    , 'inspector', (select x.body from app.inspectors_json x where x.id = v.inspector_id)   --? expand.inspector
    , 'replaced_by', (select x.body from app.inspectors_json x where x.id = v.replaced_by_inspector_id)   --? expand.replaced_by
    , 'organization', (select x.body from app.organizations_json x where x.id = app.recusal_unit(v.organization_id, v.target_id, v.visit_id))   --? expand.organization
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.recusals_json v
where v.id = :recusal_id::uuid

-- name: createRecusal :one
select * from app.create('recusals', :body::jsonb)

-- name: updateRecusal :one
select * from app.patch('recusals', :recusal_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: grantRecusal :one
select * from app.act('recusals', :recusal_id::uuid, 'grant', :ctx.if_match::integer, :body::jsonb)

-- name: rejectRecusal :one
select * from app.act('recusals', :recusal_id::uuid, 'reject', :ctx.if_match::integer, :body::jsonb)

-- name: listRecusalTransitions :many
select app.transitions_of('recusals', v.id) as body
from app.recusals_json v
where v.id = :recusal_id::uuid
