-- What the API does with accounts beyond create and patch (2.1, 4.1), and
-- what a caller learns about itself.

-- Faults of a new password. Length beats variety (NIST SP 800-63B, 5.1.1.2).
create or replace function app.password_faults(
    login text, password text, pointer text) returns app.fault[]
language sql immutable parallel safe
as $$
    select array_remove(array[
        case when length(password) < 10 then app.fault('too-short', pointer,
            '{"min": 10}') end,
        case when length(password) > 128 then app.fault('too-long', pointer,
            '{"max": 128}') end,
        case when position(lower(login) in lower(password)) > 0
                or password ~ '^(.)\1*$'
            then app.fault('password-too-simple', pointer) end], null)
$$;

-- Only inside the functions below, which look who asks.
create or replace function app.set_password(
    account uuid, password text, pointer text) returns void
language plpgsql security definer
as $$
declare
    faults app.fault[];
begin
    if not app.has_role('sys_admin') then
        perform app.refuse(403, 'role-not-permitted');
    end if;
    select app.password_faults(u.login, password, pointer) into faults
    from dudao.users u
    where u.id = account;
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    update dudao.users u
    set password_hash = app.password_hash(password),
        password_changed_at = now(), must_change_password = true
    where u.id = account;
end
$$;

create or replace function app.after_create_users(
    r dudao.users, body jsonb) returns void
language plpgsql
as $$
begin
    if body ->> 'initial_password' is not null then
        perform app.set_password(r.id, body ->> 'initial_password',
            '/initial_password');
    end if;
end
$$;

-- unlock, disable, enable, reset_password: by the administrator, never of
-- the own account.
create or replace function app.act_on_user(
    account uuid, action text, if_match integer, data jsonb)
returns setof app.answer
language plpgsql
as $$
declare
    r dudao.users;
begin
    if not exists (select from app.users_json v where v.id = account) then
        return;
    end if;
    if not app.has_role('sys_admin') then
        perform app.refuse(403, 'role-not-permitted');
    end if;
    r := gen.users_lock(account);
    if if_match is not null and r.version <> if_match then
        perform app.refuse(412, 'version-conflict',
            extra => jsonb_build_object('version', r.version));
    end if;
    if account = app.user_id() then
        perform app.refuse(422, 'separation-of-duties',
            array[app.fault('separation-of-duties', clause_id => '4.1')]);
    end if;
    if (action = 'enable' and r.status <> 'disabled')
            or (action = 'disable' and r.status = 'disabled')
            or (action = 'unlock' and r.status = 'disabled') then
        perform app.refuse(409, 'illegal-transition', extra =>
            jsonb_build_object('state', r.status));
    end if;
    if action = 'reset_password' then
        perform app.set_password(account, data ->> 'new_password',
            '/new_password');
    else
        perform app.change_status_of_user(account,
            case action when 'disable' then 'disabled' else 'active' end);
    end if;
    if action in ('unlock', 'reset_password', 'enable') then
        perform app.forget_failures(r.login);
    end if;
    perform app.audit(action, 'users', account, null,
        jsonb_strip_nulls(jsonb_build_object('reason', data ->> 'reason')));
    return query
        select 200, null::text, v.version::text, v.body::text
        from app.users_json v
        where v.id = account;
end
$$;

create or replace function app.change_status_of_user(
    account uuid, status text) returns void
language plpgsql security definer
as $$
begin
    if not app.has_role('sys_admin') then
        perform app.refuse(403, 'role-not-permitted');
    end if;
    update dudao.users u
    set status = change_status_of_user.status, failed_count = 0
    where u.id = account;
end
$$;

create or replace function app.forget_failures(login text) returns void
language plpgsql security definer
as $$
begin
    if not app.has_role('sys_admin') then
        perform app.refuse(403, 'role-not-permitted');
    end if;
    delete from app.login_attempts a where a.login = forget_failures.login;
    update dudao.users u
    set failed_count = 0
    where u.login = forget_failures.login and u.failed_count <> 0;
end
$$;

-- The own password; the session that asks goes on, the others end.
create or replace function app.change_my_password(
    request jsonb, session_id uuid) returns setof app.answer
language plpgsql
as $$
declare
    faults app.fault[];
begin
    select app.password_faults(u.login, request ->> 'new_password',
            '/new_password') into faults
    from app.users_json u
    where u.id = app.user_id();
    if request ->> 'new_password' = request ->> 'current_password' then
        faults := faults || app.fault('password-unchanged', '/new_password');
    end if;
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    if not app.change_password(request ->> 'current_password',
            request ->> 'new_password', session_id) then
        perform app.refuse(422, 'validation-failed', array[
            app.fault('password-wrong', '/current_password')]);
    end if;
    return next row(204, null, null, null)::app.answer;
end
$$;

-- The caller: account, roles with their bounds, scopes, person, unit,
-- inspector, and how many notifications are unread.
create or replace function app.me() returns json
language sql stable security definer
as $$
    select json_build_object(
        'id', u.id,
        'login', u.login,
        'display_name', u.display_name,
        'must_change_password', u.must_change_password,
        'mfa_enabled', u.mfa_enabled,
        'last_login_at', app.ts(u.last_login_at),
        'roles', (
            select coalesce(json_agg(json_build_object(
                'role', g.role,
                'label_zh', e.label_zh,
                'label_en', e.label_en,
                'scope_zone_id', g.scope_zone_id,
                'scope_organization_id', g.scope_organization_id,
                'valid_from', g.valid_from,
                'valid_to', g.valid_to,
                'delegated_by', g.delegated_by) order by e.sort, g.id), '[]')
            from dudao.role_grants g
            join app.enumerations e
                on e.name = 'role_grants.role' and e.value = g.role
            where g.user_id = u.id and g.state = 'active'
                and g.valid_from <= app.today()
                and (g.valid_to is null or g.valid_to >= app.today())),
        'acting_roles', app.roles(),
        'scopes', array_remove(
            string_to_array(app.scopes_of(app.roles()), ' '), ''),
        'person', (
            select json_build_object('id', p.id, 'code', p.code,
                'name', p.name, 'position_title', p.position_title)
            from dudao.persons p
            where p.id = u.person_id),
        'organization', (
            select json_build_object('id', o.id, 'code', o.code,
                'name', o.name, 'kind', o.kind,
                'division_id', o.division_id)
            from dudao.organizations o
            where o.id = u.organization_id),
        'inspector', (
            select json_build_object('id', i.id, 'code', i.code,
                'status', i.status,
                'current_employment', app.employment_of(i.id),
                'zone_id', app.zone_of(i.id))
            from dudao.inspectors i
            where i.person_id = u.person_id),
        'zone_ids', app.my_zone_ids(),
        'unread_notifications', (
            select count(*)
            from dudao.notifications n
            where n.recipient_user_id = u.id and n.read_at is null))
    from dudao.users u
    where u.id = app.user_id()
$$;

