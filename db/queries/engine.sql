-- Statements that the engine runs around the operations; none is an operation
-- of the contract itself.

-- The principal of a read, for this transaction only. Row-level security reads
-- it; nothing can be written behind it.
-- name: setContextRead :one
select set_config('dudao.user_id', :ctx.user_id, true),
    set_config('dudao.roles', :ctx.roles, true),
    set_config('dudao.organization_id', :ctx.organization_id, true),
    set_config('transaction_read_only', 'on', true)

-- The principal of a write, and what the audit trail says about the request.
-- name: setContextWrite :one
select set_config('dudao.user_id', :ctx.user_id, true),
    set_config('dudao.roles', :ctx.roles, true),
    set_config('dudao.organization_id', :ctx.organization_id, true),
    set_config('dudao.request_id', :ctx.request_id, true),
    set_config('dudao.ip', :ctx.ip, true)

-- name: setTimeout :one
select set_config('statement_timeout', :ctx.timeout_ms, true)

-- No row: the session is revoked or over, or the account may not sign in.
-- valid_until (seconds of the epoch) is the next moment at which the answer
-- may change by itself; other changes are told on the channel dudao_principal.
-- name: loadPrincipal :one
select p.user_id, p.login, p.display_name, p.person_id, p.organization_id,
    p.division_id, p.roles, p.scopes, p.must_change_password, p.valid_until
from app.load_principal(:token.session_id::uuid) as p

-- An integrity violation as a problem, in the form of app.refuse's DETAIL. No
-- row: it is no violation that a client can mend.
-- name: describeViolation :one
select v.body, v.status
from app.describe_violation(:sqlstate, :constraint, :table, :column) as v
where v.body is not null

-- First statement of a write with an Idempotency-Key, in the write's own
-- transaction. The write follows as
--   select e.*, app.keep_answer(:key, e.status, e.location, e.etag, e.body)
--   from (<the write>) as e
-- name: claimIdempotency :one
select app.claim_idempotency(:key, :operation, :request_hash)

-- The kept answer of a key, after claimIdempotency refused with
-- idempotency-replay.
-- name: replayIdempotency :one
select r.status, r.location, r.etag, r.body
from app.replay_idempotency(:key) as r

-- Readiness: the newest migration, no row before the code was loaded.
-- name: probeSchema :one
select max(m.name) as migration
from dudao_meta.migrations m
having exists (select from dudao_meta.code)

-- What is due by itself; see db/code/50_schedule.sql.
-- name: runDue :exec
select app.run_due()

-- Every export of a list is an entry of the trail, written before its end is
-- sent, or when the client has left: who, which list, which rows, how many.
-- name: recordExport :exec
select app.audit('export', :resource, app.uuid_v7(), null, jsonb_build_object(
    'operation', :operation::text, 'format', :format::text,
    'filter', :filter::jsonb, 'row_count', :row_count::bigint), :result)
