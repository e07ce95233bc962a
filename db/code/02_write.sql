-- Writes: create, patch, act, remove. Each returns app.answer, or no row where
-- the record is absent or hidden. The functions of a table are generated, so
-- that their statements are planned once a connection; app.create() and its
-- fellows only look up the right one.

-- Raised when row-level security stopped a write: either no role of the caller
-- may write this at all, or not this row.
create or replace function app.refuse_write(permission_group text, operations text default 'WT')
returns void
language plpgsql stable
as $$
begin
    perform app.refuse(403, case when exists (
            select from app.permissions p
            where p.permission_group = refuse_write.permission_group
                and p.operations ~ ('[' || refuse_write.operations || ']')
                and p.role = any (app.roles()))
        then 'out-of-scope' else 'role-not-permitted' end);
end
$$;

create or replace function app.read_only_faults(body jsonb, columns text[]) returns app.fault[]
language plpgsql immutable
as $$
begin
    if not body ?| columns then
        return '{}';
    end if;
    return (
        select coalesce(array_agg(app.fault('read-only-field', '/' || key) order by key), '{}')
        from jsonb_object_keys(body) as key
        where key = any (columns));
end
$$;

-- True: this create came before, with this id and this body. Another body with
-- the same id is a duplicate.
create or replace function app.is_repeated_create(resource text, id uuid, body jsonb)
returns boolean
language plpgsql security definer
as $$
declare
    body_hash constant bytea := sha256(convert_to(body::text, 'UTF8'));
    known bytea;
begin
    insert into app.client_creations(resource, id, body_sha256)
    values (resource, id, body_hash)
    on conflict do nothing;
    if found then
        return false;
    end if;
    select c.body_sha256 into known
    from app.client_creations c
    where c.resource = is_repeated_create.resource and c.id = is_repeated_create.id;
    if known is distinct from body_hash then
        perform app.refuse(409, 'duplicate', array[app.fault('duplicate', '/id')]);
    end if;
    return true;
end
$$;

create or replace function app.generate_writes(r app.resources) returns void
language plpgsql
as $$
declare
    t constant text := r.resource;
    row_type constant text := 'dudao.' || quote_ident(t);
    location constant text := '/v1/' || replace(t, '_', '-') || '/';
    own constant text[] := array(
        select c from unnest(app.own_columns(t)) with ordinality as o(c, place)
        where c <> all (r.hidden) order by place);
    never constant text[] := '{version,created_at,updated_at,created_by,updated_by,is_demo,search,state,voided_at,voided_by,void_reason}'::text[]
        || r.read_only || r.hidden
        || array(select a.attname::text from pg_attribute a
            where a.attrelid = row_type::regclass and a.attgenerated <> '');
    view_name constant text := case when to_regclass('app.' || quote_ident(t || '_json')) is null
        then null else 'app.' || quote_ident(t || '_json') end;
    fresh text;
    defaults text;
    merged text;
    source text;
begin
    fresh := case when view_name is null
        then format('select %%s, %%s, v.version::text, to_jsonb(v)::text from %s v where v.id = r.id', row_type)
        else format('select %%s, %%s, v.version::text, v.body::text from %s v where v.id = r.id', view_name)
        end;

    select string_agg(format(E'    r.%I := %s;\n', a.attname, pg_get_expr(d.adbin, d.adrelid)), ''
            order by a.attnum)
        into defaults
    from pg_attribute a
    join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = row_type::regclass and a.attnum > 0
        and not a.attisdropped and a.attgenerated = '';

    -- RFC 7396 goes into a jsonb column, and replaces everything else
    select coalesce(string_agg(format(
            E'    if patch ? %1$L then\n        changes := jsonb_set(changes, %2$L, app.merge_patch(o.%1$I, patch -> %1$L));\n    end if;\n',
            a.attname, array[a.attname]), ''), '')
        into merged
    from pg_attribute a
    where a.attrelid = row_type::regclass and a.attnum > 0
        and not a.attisdropped and a.atttypid = 'jsonb'::regtype
        and a.attgenerated = '';

    execute format($f$
create or replace function gen.%I(id uuid) returns %s
language plpgsql security definer
as $gen$
declare
    r %2$s;
begin
    select x.* into r from %2$s x where x.id = $1 for no key update;
    return r;
end
$gen$ $f$, t || '_lock', row_type);

    execute format($f$
create or replace function gen.%I(id uuid) returns boolean
language plpgsql stable
as $gen$
#variable_conflict use_column
begin
    return exists (select from %s where %s.id = $1 and (%s));
end
$gen$ $f$, t || '_writable', row_type, quote_ident(t),
        app.policy_expression(t, r.permission_group, 'W'));

    -- create
    source := format($f$
create or replace function gen.%1$I(body jsonb) returns setof app.answer
language plpgsql
as $gen$
declare
    r %2$s;
    faults app.fault[] := app.read_only_faults(body, %3$L);
begin
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    if body ? 'id' and app.is_repeated_create(%4$L, (body ->> 'id')::uuid, body) then
        r.id := (body ->> 'id')::uuid;
        return query %5$s;
        return;
    end if;
%6$s
    r := jsonb_populate_record(r, body);
$f$, t || '_create', row_type, never, t,
        format(fresh, '200', format('%L || r.id', location)), defaults);
    if app.has_function('before_create_' || t, row_type, 'jsonb') then
        source := source || format(E'    r := app.%I(r, body);\n', 'before_create_' || t);
    end if;
    source := source || format($f$
    begin
        insert into %s (id, is_demo, %s)
        values (r.id, r.is_demo, %s);
    exception when insufficient_privilege then
        if sqlerrm like '%%row-level security%%' then
            perform app.refuse_write(%L);
        end if;
        raise;
    end;
$f$, row_type,
        (select string_agg(quote_ident(c), ', ') from unnest(own) as c),
        (select string_agg('r.' || quote_ident(c), ', ') from unnest(own) as c),
        r.permission_group);
    if app.has_function('after_create_' || t, row_type, 'jsonb') then
        source := source || format(E'    perform app.%I(r, body);\n', 'after_create_' || t);
    end if;
    source := source || format($f$
    return query %s;
    if not found then
        return next row(201, %L || r.id, null, null)::app.answer;
    end if;
end
$gen$ $f$, format(fresh, '201', format('%L || r.id', location)), location);
    execute source;

    -- the one update statement of patch and act; false: not within the scope
    execute format($f$
create or replace function gen.%I(r %s) returns void
language plpgsql
as $gen$
begin
    update %2$s set %3$s
    where %4$s.id = r.id;
    if not found then
        perform app.refuse_write(%5$L);
    end if;
exception when insufficient_privilege then
    if sqlerrm like '%%row-level security%%' then
        perform app.refuse_write(%5$L);
    end if;
    raise;
end
$gen$ $f$, t || '_store', row_type,
        (select string_agg(format('%1$I = r.%1$I', c), ', ') from unnest(own) as c),
        quote_ident(t), r.permission_group);

    -- patch
    source := format($f$
create or replace function gen.%1$I(id uuid, if_match integer, patch jsonb)
returns setof app.answer
language plpgsql
as $gen$
declare
    o %2$s;
    r %2$s;
    changes jsonb := patch;
    faults app.fault[] := app.read_only_faults(patch, %3$L);
begin
    if not exists (select from %2$s x where x.id = $1) then
        return;
    end if;
    o := gen.%4$I($1);
    if o.id is null then
        return;
    end if;
    if if_match is not null and o.version <> if_match then
        perform app.refuse(412, 'version-conflict',
            extra => jsonb_build_object('version', o.version));
    end if;
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    if not gen.%5$I($1) then
        perform app.refuse_write(%6$L, 'W');
    end if;
$f$, t || '_patch', row_type, never || '{id}'::text[], t || '_lock', t || '_writable',
        r.permission_group);
    if r.is_legal then
        source := source || format($f$
    if o.voided_at is not null then
        perform app.refuse(409, 'illegal-transition', extra => jsonb_build_object(
            'state', %s, 'allowed_actions', '[]'::jsonb));
    end if;
$f$, case when r.is_machine then 'o.state' else quote_literal('voided') end);
    end if;
    if r.editable_in is not null then
        source := source || format($f$
    if o.state <> all (%L::text[]) then
        perform app.refuse(409, 'not-editable', extra => jsonb_build_object(
            'state', o.state,
            'allowed_actions', app.actions_now(%L, o.state, app.roles())));
    end if;
$f$, r.editable_in, t);
    end if;
    source := source || merged || E'    r := jsonb_populate_record(o, changes);\n';
    if app.has_function('before_patch_' || t, row_type, 'jsonb') then
        source := source || format(E'    r := app.%I(r, patch);\n', 'before_patch_' || t);
    end if;
    source := source || format($f$
    if r is distinct from o then
        perform gen.%I(r);
    end if;
$f$, t || '_store');
    if app.has_function('after_patch_' || t, row_type, 'jsonb') then
        source := source || format(E'    perform app.%I(r, patch);\n', 'after_patch_' || t);
    end if;
    source := source || format($f$
    return query %s;
    if not found then
        return next row(204, null, null, null)::app.answer;
    end if;
end
$gen$ $f$, format(fresh, '200', 'null::text'));
    execute source;

    -- act
    if r.is_machine then
        source := format($f$
create or replace function gen.%1$I(
    id uuid, action text, if_match integer, data jsonb, is_system boolean)
returns setof app.answer
language plpgsql
as $gen$
declare
    o %2$s;
    r %2$s;
    step app.workflow_actions;
    announced_before text := coalesce(current_setting('dudao.action', true), '');
    announced text;
begin
    if not exists (select from %2$s x where x.id = $1) then
        return;
    end if;
    o := gen.%3$I($1);
    if o.id is null then
        return;
    end if;
    if if_match is not null and o.version <> if_match then
        perform app.refuse(412, 'version-conflict',
            extra => jsonb_build_object('version', o.version));
    end if;
    -- the door of the system is app.system_step(), which runs as the owner
    if is_system and current_user = 'dudao_api' then
        perform app.refuse(403, 'role-not-permitted');
    end if;
    step := app.step_by_action(%4$L, action, o.state, %5$s, is_system);
    r := o;
$f$, t || '_act', row_type, t || '_lock', t,
            case when r.is_legal then 'o.voided_at is not null' else 'false' end);
        if app.has_function('before_' || t, 'text', row_type, 'jsonb') then
            source := source || format(E'    r := app.%I(action, r, data);\n', 'before_' || t);
        end if;
        if r.is_legal then
            source := source || $f$
    if action = 'void' and r.voided_at is null then
        r.voided_at := app.now();
        r.voided_by := app.user_id();
        r.void_reason := coalesce(data ->> 'void_reason', data ->> 'reason');
    end if;
$f$;
        end if;
        source := source || format($f$
    r.state := step.to_state;
    announced := set_config('dudao.action', jsonb_build_object(
        'resource', %L, 'id', $1, 'action', action, 'data', data, 'system', is_system)::text, true);
    perform gen.%I(r);
    announced_before := set_config('dudao.action', announced_before, true);
    return query %s;
    if not found then
        return next row(204, null, null, null)::app.answer;
    end if;
end
$gen$ $f$, t, t || '_store', format(fresh, '200', 'null::text'));
        execute source;
    end if;

    -- remove
    if r.is_deletable then
        execute format($f$
create or replace function gen.%1$I(id uuid, if_match integer) returns setof app.answer
language plpgsql
as $gen$
declare
    o %2$s;
begin
    if not exists (select from %2$s x where x.id = $1) then
        return;
    end if;
    o := gen.%3$I($1);
    if o.id is null then
        return;
    end if;
    if if_match is not null and o.version <> if_match then
        perform app.refuse(412, 'version-conflict',
            extra => jsonb_build_object('version', o.version));
    end if;
    begin
        delete from %2$s where %4$s.id = $1;
    exception when foreign_key_violation then
        perform app.refuse(409, 'in-use');
    end;
    if not found then
        perform app.refuse_write(%5$L);
    end if;
    return next row(204, null, null, null)::app.answer;
end
$gen$ $f$, t || '_remove', row_type, t || '_lock', quote_ident(t), r.permission_group);
    end if;
end
$$;


-- The interface --------------------------------------------------------------

--   app.create(resource, body)
--   app.patch(resource, id, if_match, patch)
--   app.act(resource, id, action, if_match default null, data default '{}')
--   app.remove(resource, id, if_match)
--
-- each with a branch for every resource: EXECUTE would plan its statement anew
-- in each call.
create or replace function app.generate_interface() returns void
language plpgsql
as $$
declare
    door record;
    branches text;
begin
    for door in
        select * from (values
            ('create', 'resource text, body jsonb', 'body'),
            ('patch', 'resource text, id uuid, if_match integer, patch jsonb', 'id, if_match, patch'),
            ('act', 'resource text, id uuid, action text, if_match integer default null, '
                'data jsonb default ''{}''', 'id, action, if_match, coalesce(data, ''{}''), false'),
            ('remove', 'resource text, id uuid, if_match integer', 'id, if_match')
        ) as d(name, parameters, arguments)
    loop
        select string_agg(format(E'    when %L then\n        return query select * from gen.%I(%s);\n',
            r.resource, f.name, door.arguments), '' order by r.resource) into branches
        from app.resources r
        cross join concat_ws('_', r.resource, door.name) as f(name)
        where to_regproc('gen.' || quote_ident(f.name)) is not null;
        execute format(E'create or replace function app.%I(%s) returns setof app.answer\n'
            'language plpgsql\nas $gen$\nbegin\n    case resource\n%s    else\n'
            '        raise exception ''app.%I: not for %%'', resource using errcode = ''undefined_function'';\n'
            '    end case;\nend\n$gen$', door.name, door.parameters, branches, door.name);
    end loop;
end
$$;

-- A step made inside the system: acts with role `system`, keeps the actor, and
-- sees rows that the actor does not. A record that is absent is an error here.
create or replace function app.system_step(
    resource text, id uuid, action text, data jsonb default '{}')
returns void
language plpgsql security definer
as $$
declare
    n integer;
begin
    execute format('select count(*) from gen.%I($1, $2, null, $3, true)', resource || '_act')
        into n using id, action, coalesce(data, '{}');
    if n = 0 then
        perform app.refuse(404, 'not-found');
    end if;
end
$$;
