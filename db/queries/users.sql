-- Accounts. The columns of the password are out of reach here.

-- name: listUsers :list
-- sort: login = t.login :: text
-- sort: display_name = t.display_name :: text
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: login
select t.body /*keys*/
from app.users_json t
where true
  and t.status = any (:status::text[])
  and t.organization_id = any (:organization_id::uuid[])
  and t.person_id = any (:person_id::uuid[])
  and t.login = any (:login::text[])
  and exists (select from dudao.role_grants g where g.user_id = t.id and g.state = 'active' and g.role = any (:role::text[]))

-- name: getUser :one
select app.with_members(v.body
    , 'grants', (select coalesce(json_agg(x.body order by x.valid_from desc, x.id desc), '[]') from app.role_grants_json x where x.user_id = v.id)   --? expand.grants
    , 'person', (select x.body from app.persons_json x where x.id = v.person_id)   --? expand.person
    , 'organization', (select x.body from app.organizations_json x where x.id = v.organization_id)   --? expand.organization
    ) as body, v.version as etag
from app.users_json v
where v.id = :user_id::uuid

-- name: createUser :one
select * from app.create('users', :body::jsonb)

-- name: updateUser :one
select * from app.patch('users', :user_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: unlockUser :one
select * from app.act_on_user(:user_id::uuid, 'unlock',
    :ctx.if_match::integer, :body::jsonb)

-- name: disableUser :one
select * from app.act_on_user(:user_id::uuid, 'disable',
    :ctx.if_match::integer, :body::jsonb)

-- name: enableUser :one
select * from app.act_on_user(:user_id::uuid, 'enable',
    :ctx.if_match::integer, :body::jsonb)

-- name: resetUserPassword :one
select * from app.act_on_user(:user_id::uuid, 'reset_password',
    :ctx.if_match::integer, :body::jsonb)
