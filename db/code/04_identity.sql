-- Accounts, grants, sessions: what the engine calls at login, for every new
-- session it meets, and around writes with an Idempotency-Key.


-- Principal ------------------------------------------------------------------

-- The roles that an account has now, delegated ones included (4.1).
create or replace function app.effective_roles(user_id uuid) returns text[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(distinct g.role order by g.role), '{}')
        from dudao.role_grants g
        where g.user_id = $1 and g.state = 'active'
            and g.valid_from <= (now() at time zone 'Asia/Shanghai')::date
            and (g.valid_to is null or g.valid_to >= (now() at time zone 'Asia/Shanghai')::date));
end
$$;

-- Operations as scopes of the API: 'zones:read zones:write …'.
create or replace function app.scopes_of(roles text[]) returns text
language plpgsql stable
as $$
begin
    return (
        select coalesce(string_agg(distinct
            replace(p.permission_group, '_', '-') || ':' || o.word, ' '
            order by replace(p.permission_group, '_', '-') || ':' || o.word), '')
        from app.permissions p
        join (values ('R', 'read'), ('W', 'write'), ('T', 'transition')) as o(letter, word)
            on strpos(p.operations, o.letter) > 0
        where p.role = any (roles));
end
$$;

-- Sets the principal by hand, in psql, demo data and tests: by login; 'public'
-- is anybody without an account, '' is nobody.
create or replace function app.act_as(login text, is_local boolean default false) returns text[]
language plpgsql security definer
as $$
declare
    account dudao.users;
    my_roles text[] := '{}';
begin
    if login = 'public' then
        my_roles := '{public}';
    elsif login <> '' then
        select u.* into account from dudao.users u where u.login = act_as.login;
        if account.id is null then
            perform app.refuse(404, 'not-found');
        end if;
        my_roles := app.effective_roles(account.id);
    end if;
    perform set_config('dudao.user_id', coalesce(account.id::text, ''), is_local),
        set_config('dudao.roles', my_roles::text, is_local),
        set_config('dudao.organization_id', coalesce(account.organization_id::text, ''), is_local);
    return my_roles;
end
$$;

create or replace function app.load_principal(session_id uuid)
returns table (user_id uuid, login text, display_name text, person_id uuid,
    organization_id uuid, division_id uuid, roles text[], scopes text,
    must_change_password boolean, valid_until bigint)
language plpgsql stable security definer
as $$
declare
    s dudao.sessions;
    u dudao.users;
    next_change date;
begin
    select x.* into s from dudao.sessions x
    where x.id = load_principal.session_id
        and x.revoked_at is null and x.expires_at > now();
    if s.id is null then
        return;
    end if;
    select x.* into u from dudao.users x where x.id = s.user_id and x.status = 'active';
    if u.id is null then
        return;
    end if;
    -- the day on which a grant begins, or the day after its last one
    select min(d.day) into next_change
    from dudao.role_grants g
    cross join lateral (values (g.valid_from), (g.valid_to + 1)) as d(day)
    where g.user_id = u.id and g.state = 'active'
        and d.day > (now() at time zone 'Asia/Shanghai')::date;
    user_id := u.id;
    login := u.login;
    display_name := u.display_name;
    person_id := u.person_id;
    organization_id := u.organization_id;
    division_id := app.division_of(u.organization_id);
    -- a machine's session holds some of the account's roles (2.1)
    roles := array(select r from unnest(app.effective_roles(u.id)) as r
        where coalesce(r = any (s.narrowed_to), true));
    scopes := app.scopes_of(roles);
    must_change_password := u.must_change_password;
    valid_until := floor(extract(epoch from least(s.expires_at,
        next_change::timestamp at time zone 'Asia/Shanghai')));
    return next;
end
$$;


-- Every change that ends or alters a principal is told to the workers, also
-- when it was made by hand.
create or replace function app.tell_principal() returns trigger
language plpgsql
as $$
begin
    if tg_table_name = 'users' then
        perform pg_notify('dudao_principal', coalesce(new.id, old.id)::text);
    else
        perform pg_notify('dudao_principal', coalesce(new.user_id, old.user_id)::text);
        if tg_op = 'UPDATE' and new.user_id is distinct from old.user_id then
            perform pg_notify('dudao_principal', old.user_id::text);
        end if;
    end if;
    return null;
end
$$;

create or replace trigger d_principal after update on dudao.users
    for each row
    when ((old.status, old.organization_id, old.person_id, old.password_hash,
           old.login, old.display_name, old.must_change_password)
        is distinct from
          (new.status, new.organization_id, new.person_id, new.password_hash,
           new.login, new.display_name, new.must_change_password))
    execute function app.tell_principal();
create or replace trigger d_principal_gone after delete on dudao.users
    for each row execute function app.tell_principal();
create or replace trigger d_principal after insert or update or delete on dudao.role_grants
    for each row execute function app.tell_principal();
create or replace trigger d_principal after update on dudao.sessions
    for each row
    when (old.revoked_at is distinct from new.revoked_at
        or old.expires_at is distinct from new.expires_at
        or old.user_id is distinct from new.user_id)
    execute function app.tell_principal();
create or replace trigger d_principal_gone after delete on dudao.sessions
    for each row execute function app.tell_principal();

-- An account that may no longer sign in, or has a new password, keeps no
-- session.
create or replace function app.end_sessions_of_user() returns trigger
language plpgsql security definer
as $$
begin
    update dudao.sessions s
    set revoked_at = now(),
        revoked_for = case when new.status <> 'active' then 'account_' || new.status
            else 'password_changed' end
    where s.user_id = new.id and s.revoked_at is null
        and s.id is distinct from nullif(current_setting('dudao.session_id', true), '')::uuid;
    return null;
end
$$;

create or replace trigger e_sessions after update on dudao.users
    for each row
    when ((new.status <> 'active' and old.status = 'active')
        or old.password_hash is distinct from new.password_hash)
    execute function app.end_sessions_of_user();


-- Login ----------------------------------------------------------------------

create or replace function app.new_token() returns text
language sql volatile
as $$
    select rtrim(translate(encode(ext.gen_random_bytes(32), 'base64'), E'+/\n', '-_'), '=')
$$;

create or replace function app.token_hash(token text) returns bytea
language sql immutable
as $$
    select sha256(convert_to(token, 'UTF8'))
$$;

create or replace function app.password_hash(password text) returns text
language sql volatile
as $$
    select ext.crypt(password, ext.gen_salt('bf', 10))
$$;

create or replace function app.issue_refresh_token(session_id uuid) returns text
language plpgsql security definer
as $$
declare
    token constant text := app.new_token();
begin
    insert into dudao.refresh_tokens(token_hash, session_id, expires_at)
    select app.token_hash(token), s.id,
        least(s.expires_at, now() + make_interval(days => coalesce(app.parameter_int('refresh_token_days'), 7)))
    from dudao.sessions s
    where s.id = issue_refresh_token.session_id;
    return token;
end
$$;

-- Never raises on a failure, since the count must commit. Unknown, locked and
-- disabled accounts cost the same time as a wrong password and get the same
-- answer; attempts are counted by login as typed.
create or replace function app.login(login text, password text, ip text, user_agent text)
returns table (status integer, retry_after integer, user_id uuid, session_id uuid,
    refresh_token text, scope text, must_change_password boolean)
language plpgsql security definer
as $$
declare
    key constant text := left(lower(btrim(login)), 200);
    attempts app.login_attempts;
    account dudao.users;
    -- of no password: what an unknown login is compared with
    dummy constant text := '$2a$10$3qznRkVQltFDsczU4PUWQelYPAs5VLPzkv71Vo0XXrRTo3zCxWA0O';
    is_right boolean;
    lock_seconds jsonb;
begin
    select a.* into attempts from app.login_attempts a where a.login = key;
    if attempts.locked_until > now() then
        status := 429;
        retry_after := ceil(extract(epoch from attempts.locked_until - now()));
        return next;
        return;
    end if;

    select u.* into account from dudao.users u where u.login = key;
    is_right := ext.crypt(left(password, 200), coalesce(account.password_hash, dummy))
        = account.password_hash;

    if is_right is not true or account.status <> 'active' then
        lock_seconds := coalesce(app.parameter('login_lock_seconds'), '[60, 300, 900, 3600]');
        insert into app.login_attempts as a (login, failures)
        values (key, 1)
        on conflict on constraint login_attempts_pkey do update set
            failures = case when a.window_from < now() - make_interval(
                    mins => coalesce(app.parameter_int('login_window_minutes'), 15))
                then 1 else a.failures + 1 end,
            window_from = case when a.window_from < now() - make_interval(
                    mins => coalesce(app.parameter_int('login_window_minutes'), 15))
                then now() else a.window_from end,
            -- a day without failure, and locks are short again
            locks = case when a.updated_at < now() - interval '1 day' then 0 else a.locks end,
            locked_until = null,
            updated_at = now()
        returning a.* into attempts;
        if attempts.failures >= coalesce(app.parameter_int('login_max_failures'), 5) then
            update app.login_attempts a
            set failures = 0, locks = a.locks + 1, window_from = now(),
                locked_until = now() + make_interval(secs => (lock_seconds ->>
                    least(a.locks, jsonb_array_length(lock_seconds) - 1))::integer)
            where a.login = key;
        end if;
        if account.id is not null then
            update dudao.users u set failed_count = u.failed_count + 1
            where u.id = account.id;
            perform app.audit('login', 'users', account.id, result => 'refused');
        end if;
        status := 401;
        return next;
        return;
    end if;

    delete from app.login_attempts a where a.login = key;
    insert into dudao.sessions as s (user_id, expires_at, ip, user_agent)
    values (account.id,
        now() + make_interval(days => coalesce(app.parameter_int('session_days'), 30)),
        login.ip, left(login.user_agent, 400))
    returning s.id into session_id;
    update dudao.users u set failed_count = 0, last_login_at = now()
    where u.id = account.id;
    perform app.audit('login', 'users', account.id);
    status := 200;
    user_id := account.id;
    refresh_token := app.issue_refresh_token(session_id);
    scope := app.scopes_of(app.effective_roles(account.id));
    must_change_password := account.must_change_password;
    return next;
end
$$;

-- Rotation: a token works once. One that comes a second time was stolen, or
-- its successor was: the family ends (RFC 9700, section 4.14).
create or replace function app.refresh_session(refresh_token text)
returns table (status integer, user_id uuid, session_id uuid, new_refresh_token text, scope text)
language plpgsql security definer
as $$
declare
    token dudao.refresh_tokens;
    s dudao.sessions;
begin
    status := 401;
    select t.* into token
    from dudao.refresh_tokens t
    where t.token_hash = app.token_hash(refresh_session.refresh_token)
    for update;
    if token.session_id is null then
        return next;
        return;
    end if;
    select x.* into s from dudao.sessions x where x.id = token.session_id for update;
    if token.used_at is not null then
        if s.revoked_at is null then
            update dudao.sessions x
            set revoked_at = now(), revoked_for = 'refresh_token_reused'
            where x.id = s.id;
            perform app.audit('refresh', 'users', s.user_id, result => 'token_reused');
        end if;
        return next;
        return;
    end if;
    if token.expires_at <= now() or s.revoked_at is not null or s.expires_at <= now()
            or not exists (select from dudao.users u where u.id = s.user_id and u.status = 'active') then
        return next;
        return;
    end if;
    update dudao.refresh_tokens t set used_at = now() where t.token_hash = token.token_hash;
    update dudao.sessions x set last_used_at = now() where x.id = s.id;
    status := 200;
    user_id := s.user_id;
    session_id := s.id;
    new_refresh_token := app.issue_refresh_token(s.id);
    scope := app.scopes_of(app.effective_roles(s.user_id));
    return next;
end
$$;

-- Ends the session, named by itself or by a refresh token of it. Unknown ones
-- are no error (RFC 7009, section 2.2).
create or replace function app.logout_session(session_id uuid, refresh_token text default null)
returns void
language plpgsql security definer
as $$
begin
    update dudao.sessions s
    set revoked_at = now(), revoked_for = 'logout'
    where s.revoked_at is null
        and (s.id = logout_session.session_id
            or s.id = (select t.session_id from dudao.refresh_tokens t
                where t.token_hash = app.token_hash(logout_session.refresh_token)));
end
$$;

create or replace function app.change_password(old_password text, new_password text, session_id uuid default null)
returns boolean
language plpgsql security definer
as $$
declare
    account dudao.users;
begin
    select u.* into account from dudao.users u where u.id = app.user_id() for update;
    if account.id is null
            or ext.crypt(old_password, account.password_hash) is distinct from account.password_hash then
        return false;
    end if;
    perform set_config('dudao.session_id', coalesce(session_id::text, ''), true);
    update dudao.users u
    set password_hash = app.password_hash(new_password), password_changed_at = now(),
        must_change_password = false
    where u.id = account.id;
    return true;
end
$$;


-- Idempotency ----------------------------------------------------------------

-- First statement of a write that carries a key; the write and keep_answer()
-- follow in the same transaction, so that the key stays exactly when the effect
-- does. Refuses with 409 idempotency-in-flight while another transaction holds
-- the key, 422 idempotency-key-reused for another request, and 409
-- idempotency-replay when the answer is there: the engine then reads it with
-- replayIdempotency.
create or replace function app.claim_idempotency(key text, operation text, request_hash text)
returns void
language plpgsql security definer
as $$
declare
    me constant uuid := coalesce(app.user_id(), '00000000-0000-0000-0000-000000000000');
    known app.idempotency_keys;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('dudao.idempotency:' || me || key, 0)) then
        perform app.refuse(409, 'idempotency-in-flight', extra => '{"retry_after": 1}');
    end if;
    select k.* into known
    from app.idempotency_keys k
    where k.user_id = me and k.key = claim_idempotency.key
        and k.created_at > now() - interval '24 hours' and k.status is not null;
    if known.key is not null then
        if known.operation <> claim_idempotency.operation
                or known.request_hash <> claim_idempotency.request_hash then
            perform app.refuse(422, 'idempotency-key-reused');
        end if;
        perform app.refuse(409, 'idempotency-replay');
    end if;
    insert into app.idempotency_keys as k (user_id, key, operation, request_hash)
    values (me, claim_idempotency.key, claim_idempotency.operation, claim_idempotency.request_hash)
    on conflict on constraint idempotency_keys_pkey do update set
        operation = excluded.operation, request_hash = excluded.request_hash,
        created_at = now(), status = null, location = null, etag = null, body = null;
    -- some of the writers clear away what has run out
    if random() < 0.02 then
        delete from app.idempotency_keys k
        where (k.user_id, k.key) in (
            select o.user_id, o.key from app.idempotency_keys o
            where o.created_at < now() - interval '24 hours'
            limit 200
            for update skip locked);
    end if;
end
$$;

-- Stores the answer of the claimed key; used in the select list around a write:
--   select e.*, app.keep_answer(:key, e.status, e.location, e.etag, e.body)
--   from (<the write statement>) as e
-- A write without a row (404) stores nothing, and the key stays free.
create or replace function app.keep_answer(
    key text, status integer, location text, etag text, body text)
returns boolean
language sql volatile security definer
as $$
    update app.idempotency_keys k
    set status = coalesce($2, 200), location = $3, etag = $4, body = $5
    where k.user_id = coalesce(app.user_id(), '00000000-0000-0000-0000-000000000000')
        and k.key = $1
    returning true
$$;

create or replace function app.replay_idempotency(key text)
returns table (status integer, location text, etag text, body text)
language sql stable security definer
as $$
    select k.status, k.location, k.etag, k.body
    from app.idempotency_keys k
    where k.user_id = coalesce(app.user_id(), '00000000-0000-0000-0000-000000000000')
        and k.key = $1 and k.created_at > now() - interval '24 hours'
        and k.status is not null
$$;

-- Clears away what has run out; for a timer, and for hand.
create or replace function app.sweep() returns void
language sql volatile security definer
as $$
    delete from app.idempotency_keys where created_at < now() - interval '24 hours';
    delete from app.login_attempts
    where updated_at < now() - interval '1 day' and coalesce(locked_until < now(), true);
    delete from dudao.refresh_tokens where expires_at < now() - interval '30 days';
    delete from dudao.sessions where expires_at < now() - interval '90 days';
$$;


-- Grants ---------------------------------------------------------------------

delete from app.incompatible_roles;
insert into app.incompatible_roles(role, other_role, same_unit_only)
select r.role, r.other_role, false
from (
    -- who runs the system does not decide
    select 'sys_admin' as role, unnest('{committee_director,committee_deputy,chief_inspector,deputy_chief_inspector}'::text[]) as other_role
    union all
    select 'finance_officer', 'chief_inspector'
    union all
    -- who audits does not write
    select 'auditor', unnest('{committee_director,committee_deputy,committee_member,member_liaison,chief_inspector,deputy_chief_inspector,office_staff,finance_officer,zone_lead,inspector_ft,inspector_pt,school_account,township_account,department_account,org_personnel_reader,research_center,third_party,platform_service,sys_admin}'::text[])
) as r
union all
-- the supervised unit and its supervisors
select u, s, true
from unnest('{school_account,township_account,department_account}'::text[]) as u,
    unnest('{office_staff,inspector_ft,inspector_pt}'::text[]) as s;

-- Faults of one grant beside the other grants of its holder (4.1).
create or replace function app.grant_faults(g dudao.role_grants) returns app.fault[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(f), '{}')
        from (
            select app.fault('incompatible-roles', '/role',
                jsonb_build_object('role', g.role, 'other_role', o.role)) as f
            from dudao.role_grants o
            join app.incompatible_roles i
                on (i.role, i.other_role) in ((g.role, o.role), (o.role, g.role))
            join dudao.users u on u.id = g.user_id
            where o.user_id = g.user_id and o.id <> g.id
                and o.state in ('proposed', 'active')
                and daterange(o.valid_from, o.valid_to, '[]') && daterange(g.valid_from, g.valid_to, '[]')
                and (not i.same_unit_only
                    or coalesce(o.scope_organization_id, u.organization_id)
                        = coalesce(g.scope_organization_id, u.organization_id))
            union all
            -- only the deputy of that office, and only for who holds the role himself
            select app.fault('delegation-not-permitted', '/delegated_by')
            where g.delegated_by is not null and (
                not exists (select from dudao.role_grants d
                    where d.user_id = g.user_id and d.state = 'active'
                        and d.role = case g.role when 'chief_inspector' then 'deputy_chief_inspector'
                            else 'committee_deputy' end)
                or not exists (select from dudao.role_grants p
                    where p.user_id = g.delegated_by and p.state = 'active'
                        and p.role = g.role and p.delegated_by is null))
        ) as all_faults
        where g.state in ('proposed', 'active'));
end
$$;

select app.register('role_grants', permission_group => 'users', machine => true,
    read_only => '{granted_by,decided_by,decided_at}');
insert into app.row_rules(resource, name, expression, pointer, code, params) values
    ('role_grants', 'unit_account_needs_no_zone',
     'new.scope_zone_id is null or new.role in (''zone_lead'', ''inspector_ft'', ''inspector_pt'')',
     '/scope_zone_id', 'scope-not-applicable', null),
    ('role_grants', 'zone_exists',
     'new.scope_zone_id is null or exists (select from dudao.zones z where z.id = new.scope_zone_id)',
     '/scope_zone_id', 'unknown-reference', null),
    ('role_grants', 'organization_exists',
     'new.scope_organization_id is null or exists (select from dudao.organizations o where o.id = new.scope_organization_id)',
     '/scope_organization_id', 'unknown-reference', null),
    ('role_grants', 'valid_to_after_from', 'new.valid_to >= new.valid_from',
     '/valid_to', 'date-before-start', 'jsonb_build_object(''min'', new.valid_from)');

create or replace function app.check_grant() returns trigger
language plpgsql security definer
as $$
declare
    faults app.fault[];
begin
    if tg_op = 'INSERT' and new.granted_by is null then
        new.granted_by := app.user_id();
    end if;
    faults := app.grant_faults(new);
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    return new;
end
$$;
create or replace trigger b_grant before insert or update on dudao.role_grants
    for each row execute function app.check_grant();

-- Who proposed a grant does not approve it (two-person rule).
create or replace function app.guard_role_grants(
    action text, old dudao.role_grants, new dudao.role_grants, data jsonb)
returns app.fault[]
language plpgsql stable
as $$
declare
    announced constant jsonb := app.announced_action('role_grants', old.id);
begin
    if action = 'approve' and not coalesce((announced ->> 'system')::boolean, false)
            and (old.granted_by = app.user_id() or old.user_id = app.user_id()) then
        return array[app.fault('separation-of-duties', null, null, null, '4.1')];
    end if;
    return '{}';
end
$$;

create or replace function app.before_role_grants(
    action text, r dudao.role_grants, data jsonb)
returns dudao.role_grants
language plpgsql
as $$
begin
    r.decided_by := app.user_id();
    r.decided_at := app.now();
    if action = 'end' then
        r.valid_to := greatest(r.valid_from,
            least(r.valid_to, (now() at time zone 'Asia/Shanghai')::date));
    end if;
    return r;
end
$$;

-- Grants that follow from something else that was decided, an appointment for
-- one. A grant that holds already is returned as it is.
create or replace function app.grant_role(
    user_id uuid, role text, reason text,
    valid_from date default null, valid_to date default null,
    scope_zone_id uuid default null, scope_organization_id uuid default null)
returns uuid
language plpgsql security definer
as $$
declare
    result uuid;
begin
    select g.id into result
    from dudao.role_grants g
    where g.user_id = grant_role.user_id and g.role = grant_role.role
        and g.scope_zone_id is not distinct from grant_role.scope_zone_id
        and g.scope_organization_id is not distinct from grant_role.scope_organization_id
        and g.state = 'active'
        and (g.valid_to is null or g.valid_to >= app.today())
    limit 1;
    if result is not null then
        return result;
    end if;
    insert into dudao.role_grants as g (user_id, role, reason, valid_from, valid_to,
        scope_zone_id, scope_organization_id)
    values (user_id, role, reason,
        coalesce(valid_from, (app.now() at time zone 'Asia/Shanghai')::date), valid_to,
        scope_zone_id, scope_organization_id)
    returning g.id into result;
    perform app.system_step('role_grants', result, 'approve');
    return result;
end
$$;

create or replace function app.end_grants(user_id uuid, role text, reason text) returns integer
language plpgsql security definer
as $$
declare
    item record;
    n integer := 0;
begin
    for item in
        select g.id from dudao.role_grants g
        where g.user_id = end_grants.user_id and g.role = end_grants.role and g.state = 'active'
    loop
        perform app.system_step('role_grants', item.id, 'end',
            jsonb_build_object('reason', reason));
        n := n + 1;
    end loop;
    return n;
end
$$;


-- Registration ---------------------------------------------------------------

select app.register('users', permission_group => 'users',
    hidden => '{password_hash}',
    read_only => '{last_login_at,failed_count,password_changed_at}');
select app.register('api_tokens', permission_group => 'users',
    hidden => '{token_hash}',
    read_only => '{last_used_at,revoked_at,revoked_by,revoke_reason}');

insert into app.scope_predicates(resource, scope, predicate) values
    ('users', 'n', 'id = (select app.user_id())'),
    ('role_grants', 'n', 'user_id = (select app.user_id())'),
    ('api_tokens', 'n', 'user_id = (select app.user_id())')
on conflict (resource, scope) do update set predicate = excluded.predicate;

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('users.status', 'active', '正常', 'Active', 1),
    ('users.status', 'locked', '锁定', 'Locked', 2),
    ('users.status', 'disabled', '停用', 'Disabled', 3),
    ('role_grants.role', 'committee_director', '委员会主任', 'Committee director', 1),
    ('role_grants.role', 'committee_deputy', '委员会副主任', 'Deputy committee director', 2),
    ('role_grants.role', 'committee_member', '成员单位负责人', 'Committee member', 3),
    ('role_grants.role', 'member_liaison', '联络人', 'Liaison', 4),
    ('role_grants.role', 'chief_inspector', '总督学', 'Chief inspector', 5),
    ('role_grants.role', 'deputy_chief_inspector', '副总督学', 'Deputy chief inspector', 6),
    ('role_grants.role', 'office_staff', '督导办工作人员', 'Office staff', 7),
    ('role_grants.role', 'finance_officer', '经费管理员', 'Finance officer', 8),
    ('role_grants.role', 'zone_lead', '责任区负责人', 'Zone lead', 9),
    ('role_grants.role', 'inspector_ft', '专职督学', 'Full-time inspector', 10),
    ('role_grants.role', 'inspector_pt', '兼职督学', 'Part-time inspector', 11),
    ('role_grants.role', 'school_account', '学校账号', 'School account', 12),
    ('role_grants.role', 'township_account', '乡镇（街道）账号', 'Township account', 13),
    ('role_grants.role', 'department_account', '县直单位账号', 'Department account', 14),
    ('role_grants.role', 'leader_reader', '党委政府领导阅读账号', 'Leader (reading)', 15),
    ('role_grants.role', 'org_personnel_reader', '组织人事部门', 'Personnel organ', 16),
    ('role_grants.role', 'research_center', '研究中心', 'Research centre', 17),
    ('role_grants.role', 'third_party', '第三方机构', 'Third party', 18),
    ('role_grants.role', 'platform_service', '上级平台服务账号', 'Platform service', 19),
    ('role_grants.role', 'sys_admin', '系统管理员', 'System administrator', 20),
    ('role_grants.role', 'auditor', '审计监督', 'Auditor', 21),
    ('role_grants.state', 'proposed', '待批准', 'Proposed', 1),
    ('role_grants.state', 'active', '有效', 'Active', 2),
    ('role_grants.state', 'rejected', '未批准', 'Rejected', 3),
    ('role_grants.state', 'ended', '已终止', 'Ended', 4);

comment on constraint role_grants_active_key on dudao.role_grants is
    '{"code": "duplicate", "pointer": "/role"}';

-- Row-level security also for what the API reaches through functions only.
do $$
declare
    name text;
begin
    foreach name in array '{sessions,refresh_tokens,rule_parameter_values,exchange_messages}'::text[] loop
        execute format('alter table dudao.%I enable row level security', name);
        execute format('alter table dudao.%I force row level security', name);
        execute format('drop policy if exists owner_all on dudao.%I', name);
        execute format('create policy owner_all on dudao.%I to dudao_owner using (true) with check (true)', name);
    end loop;
end
$$;
drop policy if exists relay_all on dudao.exchange_messages;
create policy relay_all on dudao.exchange_messages to dudao_relay using (true) with check (true);
grant select, update on dudao.exchange_messages to dudao_relay;


drop view if exists app.users_json;
create view app.users_json with (security_invoker = true) as
select u.id, u.version, u.login, u.display_name, u.person_id, u.organization_id,
    u.status, u.created_at, u.updated_at, u.is_demo,
    json_build_object(
        'id', u.id,
        'version', u.version,
        'login', u.login,
        'display_name', u.display_name,
        'person_id', u.person_id,
        'organization_id', u.organization_id,
        'status', u.status,
        'must_change_password', u.must_change_password,
        'last_login_at', app.ts(u.last_login_at),
        'failed_count', u.failed_count,
        'mfa_enabled', u.mfa_enabled,
        'created_at', app.ts(u.created_at),
        'updated_at', app.ts(u.updated_at),
        'is_demo', u.is_demo) as body
from dudao.users u;

drop view if exists app.role_grants_json;
create view app.role_grants_json with (security_invoker = true) as
select g.*,
    json_build_object(
        'id', g.id,
        'version', g.version,
        'user_id', g.user_id,
        'role', g.role,
        'scope_zone_id', g.scope_zone_id,
        'scope_organization_id', g.scope_organization_id,
        'scope_contract_id', g.scope_contract_id,
        'valid_from', g.valid_from,
        'valid_to', g.valid_to,
        'granted_by', g.granted_by,
        'delegated_by', g.delegated_by,
        'reason', g.reason,
        'decided_by', g.decided_by,
        'decided_at', app.ts(g.decided_at),
        'state', g.state,
        'allowed_actions', app.allowed_actions('role_grants', g.state),
        'created_at', app.ts(g.created_at),
        'updated_at', app.ts(g.updated_at),
        'is_demo', g.is_demo) as body
from dudao.role_grants g;
