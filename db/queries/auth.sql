-- Sessions. A refused login or refresh is a row with its status, not an error:
-- what it counted or revoked must commit. The roles go into the token, which
-- comes with every request; what they grant goes into the answer.

-- name: login :one
select l.status, l.retry_after, l.user_id, l.session_id, l.refresh_token, l.scope,
    array_to_string(app.effective_roles(l.user_id), ' ') as roles, l.must_change_password
from app.login(:login, :password, :ip, :user_agent) as l

-- name: refreshSession :one
select s.status, s.user_id, s.session_id, s.new_refresh_token as refresh_token, s.scope,
    array_to_string(app.effective_roles(s.user_id), ' ') as roles
from app.refresh_session(:refresh_token) as s

-- name: logoutSession :exec
select app.logout_session(:ctx.session_id::uuid)
