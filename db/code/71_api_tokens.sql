-- Tokens of machines (2.1, RFC 6749 4.4, RFC 7009, RFC 7662): made for an
-- account by a system administrator, shown once, kept as a hash, narrowed to
-- some of the account's roles. A machine changes it for a short access token;
-- the session behind that carries the token's id and ends with it.

-- The roles and scopes of a session: those of the account, or the part to
-- which its token is narrowed.
create or replace function app.roles_of_token(token dudao.api_tokens) returns text[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(r order by r), '{}')
        from unnest(app.effective_roles(token.user_id)) as r
        where r = any (token.scopes));
end
$$;

create or replace function app.is_live(token dudao.api_tokens) returns boolean
language plpgsql stable security definer
as $$
begin
    return token.id is not null and token.revoked_at is null and token.expires_at > now()
        and exists (
            select from dudao.users u
            where u.id = token.user_id and u.status = 'active');
end
$$;

create or replace function app.is_allowed_from(token dudao.api_tokens, ip text) returns boolean
language plpgsql immutable
as $$
begin
    return token.ip_allowlist = '{}' or exists (
        select from unnest(token.ip_allowlist) as net where ip::inet <<= net);
exception when invalid_text_representation then
    return false;
end
$$;

insert into app.row_rules(resource, name, expression, pointer, code, params) values
    ('api_tokens', 'expires_in_future', 'old.id is not null or new.expires_at > app.now()',
     '/expires_at', 'date-in-past', 'jsonb_build_object(''min'', app.ts(app.now()))'),
    ('api_tokens', 'expires_within_a_year', 'old.id is not null or new.expires_at <= app.now() + interval ''1 year''',
     '/expires_at', 'token-too-long', 'jsonb_build_object(''max'', app.ts(app.now() + interval ''1 year''))'),
    ('api_tokens', 'scopes_of_user', 'old.id is not null or new.scopes <@ app.effective_roles(new.user_id)',
     '/scopes', 'role-not-held', 'jsonb_build_object(''roles'', array_to_string(app.effective_roles(new.user_id), '', ''))');

drop view if exists app.api_tokens_json;
create view app.api_tokens_json with (security_invoker = true) as
select t.id, t.version, t.user_id, t.name, t.expires_at, t.revoked_at, t.created_at,
    json_build_object(
        'id', t.id,
        'version', t.version,
        'user_id', t.user_id,
        'name', t.name,
        'scopes', t.scopes,
        'expires_at', app.ts(t.expires_at),
        'ip_allowlist', coalesce((select json_agg(text(net)) from unnest(t.ip_allowlist) as net), '[]'),
        'last_used_at', app.ts(t.last_used_at),
        'revoked_at', app.ts(t.revoked_at),
        'revoked_by', t.revoked_by,
        'revoke_reason', t.revoke_reason,
        'created_at', app.ts(t.created_at),
        'created_by', t.created_by,
        'updated_at', app.ts(t.updated_at),
        'is_demo', t.is_demo) as body
from dudao.api_tokens t;

-- Only the administrator makes and revokes tokens, and not for himself: what a
-- token may do is then known to two.
create or replace function app.check_token_writer(user_id uuid) returns void
language plpgsql stable
as $$
begin
    if not app.has_role('sys_admin') then
        perform app.refuse(403, 'role-not-permitted');
    end if;
    if user_id = app.user_id() then
        perform app.refuse(422, 'separation-of-duties',
            array[app.fault('separation-of-duties', '/user_id', clause_id => '4.1')]);
    end if;
end
$$;

create or replace function app.keep_token_hash(token_id uuid, token text) returns void
language sql security definer
as $$
    update dudao.api_tokens t set token_hash = app.token_hash($2) where t.id = $1
$$;

-- The answer is the only place where the token stands.
create or replace function app.create_api_token(body jsonb) returns setof app.answer
language plpgsql
as $$
declare
    made app.answer;
    token constant text := app.new_token();
begin
    perform app.check_token_writer((body ->> 'user_id')::uuid);
    select * into made from app.create('api_tokens', body);
    if made.status = 201 then
        perform app.keep_token_hash((made.body::jsonb ->> 'id')::uuid, token);
        select v.version::text, v.body::text into made.etag, made.body
        from app.api_tokens_json v
        where v.id = (made.body::jsonb ->> 'id')::uuid;
        made.body := app.with_members(made.body::json, 'token', to_json(token));
    else
        made.body := app.with_members(made.body::json, 'token', 'null'::json);
    end if;
    return next made;
end
$$;

create or replace function app.end_api_token(token_id uuid, reason text) returns void
language sql security definer
as $$
    update dudao.api_tokens t
    set revoked_at = now(), revoked_by = app.user_id(), revoke_reason = reason
    where t.id = token_id and t.revoked_at is null
$$;

-- With a token end the sessions that were opened by it, also when it was
-- changed by hand.
create or replace function app.end_sessions_of_token() returns trigger
language plpgsql security definer
as $$
begin
    update dudao.sessions s
    set revoked_at = now(), revoked_for = 'api_token_revoked'
    where s.api_token_id = new.id and s.revoked_at is null;
    return null;
end
$$;
create or replace trigger e_sessions after update on dudao.api_tokens
    for each row
    when ((old.revoked_at, old.expires_at, old.scopes) is distinct from
        (new.revoked_at, new.expires_at, new.scopes))
    execute function app.end_sessions_of_token();

create or replace function app.revoke_api_token(token_id uuid, if_match integer, data jsonb)
returns setof app.answer
language plpgsql
as $$
declare
    t record;
begin
    select v.user_id, v.version, v.revoked_at into t from app.api_tokens_json v where v.id = token_id;
    if not found then
        return;
    end if;
    if not app.has_role('sys_admin', 'chief_inspector') then
        perform app.refuse(403, 'role-not-permitted');
    end if;
    if if_match is not null and t.version <> if_match then
        perform app.refuse(412, 'version-conflict', extra => jsonb_build_object('version', t.version));
    end if;
    if t.revoked_at is not null then
        perform app.refuse(409, 'illegal-transition', extra => jsonb_build_object('state', 'revoked'));
    end if;
    perform app.end_api_token(token_id, data ->> 'reason');
    return query
        select 200, null::text, v.version::text, v.body::text
        from app.api_tokens_json v where v.id = token_id;
end
$$;


-- The machine's way in ---------------------------------------------------------

-- The token that a client's id and secret name, if it is good here and has the
-- wanted roles; else null, and the failure goes into the trail. Nothing is
-- locked: a secret of 256 random bits is not guessed.
create or replace function app.client_of(
    client_id text, client_secret text, ip text, wanted text[] default '{}')
returns dudao.api_tokens
language plpgsql security definer
as $$
declare
    t dudao.api_tokens;
begin
    select x.* into t
    from dudao.api_tokens x
    where x.id::text = lower(client_id) and x.token_hash = app.token_hash(client_secret);
    if app.is_live(t) and app.is_allowed_from(t, ip) and wanted <@ app.roles_of_token(t)
            and app.roles_of_token(t) <> '{}' then
        return t;
    end if;
    if exists (select from dudao.api_tokens x where x.id::text = lower(client_id)) then
        perform app.audit('token', 'api_tokens', lower(client_id)::uuid, result => 'refused');
    end if;
    return null;
end
$$;

-- Client credentials: a row of status 200, or of 401. `scope` narrows further,
-- to some of the token's roles (RFC 6749, 3.3).
drop function if exists app.token_session(text, text, text, text, text);
create function app.token_session(
    client_id text, client_secret text, scope text, ip text, user_agent text)
returns table (status integer, retry_after integer, user_id uuid, session_id uuid,
    refresh_token text, scopes text, roles text)
language plpgsql security definer
as $$
declare
    t dudao.api_tokens;
    wanted constant text[] := coalesce(nullif(string_to_array(btrim(scope), ' '), '{}'), '{}');
begin
    t := app.client_of(client_id, client_secret, ip, wanted);
    if t.id is null then
        status := 401;
        return next;
        return;
    end if;
    -- as long as the access token lives, whatever the token's own end is
    insert into dudao.sessions as s (user_id, api_token_id, expires_at, ip, user_agent, narrowed_to)
    values (t.user_id, t.id, least(t.expires_at, now() + interval '1 hour'), token_session.ip,
        left(token_session.user_agent, 400), case when wanted = '{}' then t.scopes else wanted end)
    returning s.id into session_id;
    update dudao.api_tokens x set last_used_at = now() where x.id = t.id;
    status := 200;
    user_id := t.user_id;
    refresh_token := '';
    roles := array_to_string(app.roles_of_session(session_id), ' ');
    scopes := app.scopes_of(app.roles_of_session(session_id));
    return next;
end
$$;

create or replace function app.roles_of_session(session_id uuid) returns text[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(r order by r), '{}')
        from dudao.sessions s
        cross join lateral unnest(app.effective_roles(s.user_id)) as r
        where s.id = $1 and coalesce(r = any (s.narrowed_to), true));
end
$$;

-- RFC 7009: the token itself, or the session of an access token, of which the
-- worker read the id. Who holds the secret may revoke it; a client that has
-- proved itself, only its own (2.1); unknown ones are no error.
drop function if exists app.revoke_by_token(text, uuid);
create or replace function app.revoke_by_token(
    token text, session_id uuid default null, client_id uuid default null) returns void
language plpgsql security definer
as $$
declare
    found_id uuid;
begin
    if client_id is not null and exists (
            select from dudao.api_tokens t
            where t.token_hash = app.token_hash(token) and t.id <> client_id
            union all
            select from dudao.sessions s
            where s.api_token_id is distinct from client_id
                and (s.id = revoke_by_token.session_id
                    or s.id = (select r.session_id from dudao.refresh_tokens r
                        where r.token_hash = app.token_hash(token)))) then
        perform app.refuse(400, 'invalid-grant', extra => '{"error": "invalid_grant"}');
    end if;
    select t.id into found_id from dudao.api_tokens t
    where t.token_hash = app.token_hash(token) and t.revoked_at is null;
    if found_id is not null then
        perform app.end_api_token(found_id, 'RFC 7009');
        perform app.audit('revoke', 'api_tokens', found_id);
        return;
    end if;
    perform app.logout_session(session_id, token);
end
$$;

-- RFC 7662: whether it is good now, and for what.
create or replace function app.introspect_token(
    token text, session_id uuid, iat bigint, exp bigint) returns text
language plpgsql stable security definer
as $$
declare
    p record;
    t dudao.api_tokens;
begin
    select * into p from app.load_principal(session_id);
    if found then
        return json_build_object('active', true, 'scope', p.scopes, 'username', p.login,
            'client_id', (select coalesce(s.api_token_id::text, 'dudao') from dudao.sessions s where s.id = session_id),
            'token_type', 'Bearer', 'sub', p.user_id, 'iat', iat, 'exp', least(exp, p.valid_until))::text;
    end if;
    select x.* into t from dudao.api_tokens x where x.token_hash = app.token_hash(token);
    if app.is_live(t) then
        return json_build_object('active', true, 'scope', app.scopes_of(app.roles_of_token(t)),
            'username', (select u.login from dudao.users u where u.id = t.user_id),
            'client_id', t.id, 'token_type', 'client_secret', 'sub', t.user_id,
            'iat', floor(extract(epoch from t.created_at)), 'exp', floor(extract(epoch from t.expires_at)))::text;
    end if;
    return '{"active": false}';
end
$$;
