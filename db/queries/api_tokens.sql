-- Tokens of machines, and their way in.

-- name: listApiTokens :list
-- sort: created_at = t.created_at :: timestamptz
-- sort: expires_at = t.expires_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -created_at
select t.body /*keys*/
from app.api_tokens_json t
where true
  and t.user_id = any (:user_id::uuid[])
  and (t.revoked_at is not null) = :revoked::boolean
  and t.expires_at >= :expires_at.gte::timestamptz
  and t.expires_at <= :expires_at.lte::timestamptz

-- name: getApiToken :one
select v.body, v.version as etag
from app.api_tokens_json v
where v.id = :api_token_id::uuid

-- name: createApiToken :one
select * from app.create_api_token(:body::jsonb)

-- name: revokeApiToken :one
select * from app.revoke_api_token(:api_token_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: tokenSession :one
select s.status, s.retry_after, s.user_id, s.session_id, s.refresh_token,
    s.scopes as scope, s.roles
from app.token_session(:client_id, :client_secret, :scope, :ip, :user_agent) as s

-- name: proveClient :one
select c.id as client_id
from app.client_of(:client_id, :client_secret, :ip) as c

-- name: revokeToken :one
select '{}' as body,
    app.revoke_by_token(:token, :token.session_id::uuid, :client_id::uuid) as done

-- name: introspectToken :one
select app.introspect_token(:token, :token.session_id::uuid, :iat::bigint, :exp::bigint) as body
