-- Role grants: proposed by one, approved by another.

-- name: listRoleGrants :list
-- sort: valid_from = t.valid_from :: date
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -created_at
select t.body /*keys*/
from app.role_grants_json t
where true
  and t.user_id = any (:user_id::uuid[])
  and t.role = any (:role::text[])
  and t.state = any (:state::text[])
  and t.scope_zone_id = any (:scope_zone_id::uuid[])
  and t.scope_organization_id = any (:scope_organization_id::uuid[])
  and t.valid_from >= :valid_from.gte::date
  and t.valid_from <= :valid_from.lte::date
  and t.valid_to >= :valid_to.gte::date
  and t.valid_to <= :valid_to.lte::date

-- name: getRoleGrant :one
select app.with_members(v.body
    , 'user', (select x.body from app.users_json x where x.id = v.user_id)   --? expand.user
    ) as body, v.version as etag
from app.role_grants_json v
where v.id = :role_grant_id::uuid

-- name: createRoleGrant :one
select * from app.create('role_grants', :body::jsonb)

-- name: updateRoleGrant :one
select * from app.patch('role_grants', :role_grant_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: approveRoleGrant :one
select * from app.act('role_grants', :role_grant_id::uuid, 'approve',
    :ctx.if_match::integer, :body::jsonb)

-- name: rejectRoleGrant :one
select * from app.act('role_grants', :role_grant_id::uuid, 'reject',
    :ctx.if_match::integer, :body::jsonb)

-- name: endRoleGrant :one
select * from app.act('role_grants', :role_grant_id::uuid, 'end',
    :ctx.if_match::integer, :body::jsonb)

-- name: listRoleGrantTransitions :one
select app.transitions_of('role_grants', v.id) as body, v.version as etag
from app.role_grants_json v
where v.id = :role_grant_id::uuid
