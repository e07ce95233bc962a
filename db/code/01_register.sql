-- Tables are registered here with what holds for all of them; app.refresh()
-- then writes their triggers, write functions and policies into schema gen.
--
-- The definitions are complete in these files: each run starts empty.

delete from app.resources;
delete from app.scope_predicates;
delete from app.row_rules;
delete from app.enumerations;

create or replace function app.register(
    resource text,
    permission_group text,
    machine boolean default false,
    legal boolean default false,
    deletable boolean default false,
    audit boolean default true,
    read_only text[] default '{}',
    hidden text[] default '{}',
    editable_in text[] default null,
    part_of text default null,
    part_key text default null,
    searched text[] default '{}')
returns void
language plpgsql
as $$
begin
    if to_regclass('dudao.' || quote_ident(resource)) is null then
        raise exception 'app.register: there is no table dudao.%', resource;
    end if;
    insert into app.resources(resource, permission_group, is_machine, is_legal,
        is_deletable, is_audited, read_only, hidden, editable_in, part_of, part_key, searched)
    values (resource, permission_group, machine, legal,
        deletable, audit, read_only, hidden, editable_in, part_of, part_key, searched)
    on conflict on constraint resources_pkey do update set
        permission_group = excluded.permission_group,
        is_machine = excluded.is_machine,
        is_legal = excluded.is_legal,
        is_deletable = excluded.is_deletable,
        is_audited = excluded.is_audited,
        read_only = excluded.read_only,
        hidden = excluded.hidden,
        editable_in = excluded.editable_in,
        part_of = excluded.part_of,
        part_key = excluded.part_key,
        searched = excluded.searched;
end
$$;


-- State machines -------------------------------------------------------------

create or replace function app.begin_machine(
    resource text, label_zh text, label_en text, section text default null)
returns void
language plpgsql
as $$
begin
    delete from app.workflow_machines m where m.resource = begin_machine.resource;
    insert into app.workflow_machines(resource, label_zh, label_en, section)
    values (begin_machine.resource, begin_machine.label_zh, begin_machine.label_en,
        begin_machine.section);
end
$$;

-- The actions of a state that the caller's roles allow, as stored; what the
-- API shows is app.allowed_actions(), generated from the same rows.
create or replace function app.actions_now(resource text, state text, roles text[])
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(a.action order by a.sort, a.action), '[]')
    from app.workflow_actions a
    where a.resource = $1 and a.from_state = $2
        and not a.is_system and a.roles && $3
$$;

-- The rule behind an action, or behind what leads to a state: a step that the
-- state does not allow is refused in its name.
create or replace function app.rule_of_step(resource text, action text, to_state text)
returns jsonb
language sql stable
as $$
    select coalesce((
        select jsonb_build_object('rule_id', a.rule_id, 'clause_id', a.clause_id)
        from app.workflow_actions a
        where a.resource = $1 and (a.action = $2 or ($2 is null and a.to_state = $3))
        order by a.sort
        limit 1), '{}')
$$;

drop type if exists app.step cascade;
create type app.step as (
    action      text,
    from_state  text,
    to_state    text,
    role        text,
    rule_id     text,
    clause_id   text,
    data        jsonb
);

-- What the running statement has announced about this row (dudao.action): the
-- bare name of an action, set by hand, or the object that app.act() sets.
create or replace function app.announced_action(resource text, id uuid) returns jsonb
language plpgsql stable
as $$
declare
    setting text := nullif(current_setting('dudao.action', true), '');
    announced jsonb;
begin
    if setting is null then
        return null;
    end if;
    if left(setting, 1) <> '{' then
        return jsonb_build_object('action', setting, 'data', '{}'::jsonb);
    end if;
    announced := setting::jsonb;
    if announced ->> 'resource' = resource and announced ->> 'id' = id::text then
        return announced;
    end if;
    return null;
end
$$;

-- The step that takes a row from one state to another, for the caller's roles;
-- refuses what no role may do or what is no step at all. Null: no step.
create or replace function app.step_of(
    resource text, id uuid, from_state text, to_state text, is_void boolean)
returns app.step
language plpgsql stable
as $$
declare
    announced jsonb := app.announced_action(resource, id);
    by_system boolean := coalesce((announced ->> 'system')::boolean, false);
    my_roles text[] := case when by_system then '{system}' else app.roles() end;
    my_role text;
    candidate app.workflow_actions;
    result app.step;
begin
    if announced is null and from_state = to_state then
        return null;
    end if;
    if not is_void then
        select a.* into candidate
        from app.workflow_actions a
        where a.resource = step_of.resource
            and a.from_state = step_of.from_state
            and a.to_state = step_of.to_state
            and (announced is null or a.action = announced ->> 'action')
        order by case when by_system then a.is_system or 'system' = any (a.roles)
            else not a.is_system and a.roles && my_roles end desc, a.sort, a.action
        limit 1;
    end if;
    if by_system and (candidate.is_system or 'system' = any (candidate.roles)) then
        result.role := 'system';
    elsif not candidate.is_system then
        foreach my_role in array my_roles loop
            if my_role = any (candidate.roles) then
                result.role := my_role;
                exit;
            end if;
        end loop;
    end if;
    if candidate.action is null then
        perform app.refuse(409, 'illegal-transition', extra => jsonb_build_object(
            'state', from_state,
            'allowed_actions', case when is_void then '[]'::jsonb
                else app.actions_now(resource, from_state, my_roles) end)
            || app.rule_of_step(resource, announced ->> 'action', to_state));
    end if;
    if result.role is null then
        perform app.refuse(403, 'role-not-permitted', extra => jsonb_build_object(
            'state', from_state,
            'allowed_actions', app.actions_now(resource, from_state, my_roles),
            'rule_id', candidate.rule_id, 'clause_id', candidate.clause_id));
    end if;
    result.action := candidate.action;
    result.from_state := candidate.from_state;
    result.to_state := candidate.to_state;
    result.rule_id := candidate.rule_id;
    result.clause_id := candidate.clause_id;
    result.data := coalesce(nullif(announced -> 'data', 'null'), '{}');
    if candidate.needs_reason and btrim(coalesce(
            result.data ->> 'reason', result.data ->> 'void_reason', '')) = '' then
        perform app.refuse_step(array[app.fault('reason-required', '/reason')],
            candidate.rule_id, candidate.clause_id);
    end if;
    return result;
end
$$;

-- The same for app.act(), which knows the action but not yet where it leads.
create or replace function app.step_by_action(
    resource text, action text, from_state text, is_void boolean, is_system boolean)
returns app.workflow_actions
language plpgsql stable
as $$
declare
    my_roles text[] := case when is_system then '{system}' else app.roles() end;
    candidate app.workflow_actions;
begin
    select a.* into candidate
    from app.workflow_actions a
    where a.resource = step_by_action.resource
        and a.action = step_by_action.action
        and a.from_state = step_by_action.from_state;
    if candidate.action is null or is_void then
        perform app.refuse(409, 'illegal-transition', extra => jsonb_build_object(
            'state', from_state,
            'allowed_actions', case when is_void then '[]'::jsonb
                else app.actions_now(resource, from_state, my_roles) end)
            || app.rule_of_step(resource, action, null));
    end if;
    if not (case when is_system
            then candidate.is_system or 'system' = any (candidate.roles)
            else not candidate.is_system and candidate.roles && my_roles end) then
        perform app.refuse(403, 'role-not-permitted', extra => jsonb_build_object(
            'state', from_state,
            'allowed_actions', app.actions_now(resource, from_state, my_roles),
            'rule_id', candidate.rule_id, 'clause_id', candidate.clause_id));
    end if;
    return candidate;
end
$$;

drop function if exists app.refuse_initial_state(text, text);

-- For separation of duties: who made a step last (null: nobody yet).
create or replace function app.last_actor(
    subject_type text, subject_id uuid, variadic actions text[]) returns uuid
language plpgsql stable security definer
as $$
begin
    return (
        select t.actor
        from dudao.transitions t
        where t.subject_type = $1 and t.subject_id = $2 and t.action = any ($3)
        order by t.at desc, t.id desc
        limit 1);
end
$$;

-- The person for whom the caller acts by delegation in this role (4.1): a
-- deputy, in the role of the office.
create or replace function app.on_behalf_of(role text) returns uuid
language plpgsql stable security definer
as $$
begin
    if role <> all ('{chief_inspector,committee_director}')
            or not (app.has_role(role)
                and app.has_role('deputy_chief_inspector', 'committee_deputy')) then
        return null;
    end if;
    return (
        select g.delegated_by
        from dudao.role_grants g
        where g.user_id = (select app.user_id()) and g.role = $1
            and g.state = 'active' and g.delegated_by is not null
            and g.valid_from <= (now() at time zone 'Asia/Shanghai')::date
            and (g.valid_to is null or g.valid_to >= (now() at time zone 'Asia/Shanghai')::date)
        limit 1);
end
$$;


-- Audit ----------------------------------------------------------------------

create or replace function app.audit_hash(l dudao.audit_logs) returns bytea
language plpgsql immutable
as $$
begin
    return (
        sha256(coalesce(l.prev_hash, ''::bytea) || convert_to(concat_ws(E'\x1f',
            l.id, (extract(epoch from l.at) * 1000000)::bigint,
            coalesce(l.user_id::text, '-'), coalesce(l.role, '-'),
            coalesce(l.on_behalf_of::text, '-'),
            coalesce(l.organization_id::text, '-'), coalesce(l.ip, '-'),
            l.action, l.subject_type, l.subject_id,
            coalesce(l.before::text, '-'), coalesce(l.after::text, '-'),
            l.result, coalesce(l.request_id, '-'), l.database_role), 'UTF8')));
end
$$;

-- Appends one entry. The row lock of the subject, which every writer of it
-- holds, keeps the entries of one chain in order.
create or replace function app.audit(
    action text, subject_type text, subject_id uuid,
    before jsonb default null, after jsonb default null,
    result text default 'ok', role text default null)
returns void
language plpgsql security definer
as $$
declare
    entry dudao.audit_logs;
begin
    entry.id := app.uuid_v7();
    entry.at := clock_timestamp();
    entry.user_id := app.user_id();
    entry.role := coalesce(role, array_to_string(app.roles(), ','));
    entry.on_behalf_of := coalesce(app.on_behalf_of('chief_inspector'),
        app.on_behalf_of('committee_director'));
    entry.organization_id := app.organization_id();
    entry.ip := nullif(current_setting('dudao.ip', true), '');
    entry.action := action;
    entry.subject_type := subject_type;
    entry.subject_id := subject_id;
    entry.before := before;
    entry.after := after;
    entry.result := result;
    entry.request_id := app.request_id();
    entry.database_role := session_user;
    entry.prev_hash := (
        select l.hash from dudao.audit_logs l
        -- a trigger's table name comes with collation "C": no index would fit
        where l.subject_type = audit.subject_type collate "default"
            and l.subject_id = audit.subject_id
        order by l.seq desc
        limit 1);
    entry.hash := app.audit_hash(entry);
    insert into dudao.audit_logs(id, at, user_id, role, on_behalf_of,
        organization_id, ip, action, subject_type, subject_id, before, after,
        result, request_id, database_role, prev_hash, hash)
    values (entry.id, entry.at, entry.user_id, entry.role, entry.on_behalf_of,
        entry.organization_id, entry.ip, entry.action, entry.subject_type,
        entry.subject_id, entry.before, entry.after, entry.result,
        entry.request_id, entry.database_role, entry.prev_hash, entry.hash);
end
$$;

-- What an entry may not show: a secret's change is visible, its value is not.
create or replace function app.redacted(row_image jsonb) returns jsonb
language plpgsql immutable
as $$
declare
    secrets constant text[] := '{password_hash,token_hash,secret_hash,content,id_number_hash}';
    shown constant jsonb := row_image - '{search,updated_at,updated_by}'::text[];
begin
    if not row_image ?| secrets then
        return shown;
    end if;
    return shown || coalesce((
        select jsonb_object_agg(key, '***')
        from unnest(secrets) as key
        where row_image -> key <> 'null'), '{}');
end
$$;

create or replace function app.audit_row() returns trigger
language plpgsql security definer
as $$
declare
    old_image jsonb;
    new_image jsonb;
    old_part jsonb;
    new_part jsonb;
    announced jsonb;
    writes text;
begin
    -- what was found out about the caller's scopes may have changed; an
    -- assignment, because PERFORM starts the executor
    writes := set_config('dudao.writes', (coalesce(nullif(
        current_setting('dudao.writes', true), ''), '0')::integer + 1)::text, true);
    if tg_op = 'INSERT' then
        perform app.audit('create', tg_table_name, new.id,
            null, app.redacted(jsonb_strip_nulls(to_jsonb(new))));
    elsif tg_op = 'DELETE' then
        perform app.audit('delete', tg_table_name, old.id,
            app.redacted(jsonb_strip_nulls(to_jsonb(old))), null);
    else
        old_image := to_jsonb(old);
        new_image := to_jsonb(new);
        select jsonb_object_agg(n.key, old_image -> n.key),
            jsonb_object_agg(n.key, n.value)
            into old_part, new_part
        from jsonb_each(new_image) as n
        where n.value is distinct from old_image -> n.key;
        announced := app.announced_action(tg_table_name, new.id);
        perform app.audit(coalesce(announced ->> 'action', 'update'),
            tg_table_name, new.id, app.redacted(old_part), app.redacted(new_part),
            role => case when (announced ->> 'system')::boolean then 'system' end);
    end if;
    return null;
end
$$;

-- The first entry of each chain that does not fit; none: the trail is whole.
create or replace function app.verify_audit(
    subject_type text default null, subject_id uuid default null)
returns table (seq bigint, broken_subject_type text, broken_subject_id uuid)
language sql stable
as $$
    select min(c.seq), c.subject_type, c.subject_id
    from (
        select l.seq, l.subject_type, l.subject_id,
            l.hash is distinct from app.audit_hash(l)
            or l.prev_hash is distinct from lag(l.hash) over (
                partition by l.subject_type, l.subject_id order by l.seq) as is_broken
        from dudao.audit_logs l
        where ($1 is null or l.subject_type = $1) and ($2 is null or l.subject_id = $2)
    ) as c
    where c.is_broken
    group by c.subject_type, c.subject_id
$$;


-- Generators -----------------------------------------------------------------

-- Replaced by app.refresh(); here so that views can name it.
create or replace function app.allowed_actions(resource text, state text) returns json
language sql stable parallel safe
as $$
    select '[]'::json
$$;

create or replace function app.has_function(name text, variadic arguments text[]) returns boolean
language sql stable
as $$
    select to_regprocedure(format('app.%I(%s)', name, array_to_string(arguments, ','))) is not null
$$;

-- What makes writes cheaper than PostgreSQL's own choice:
-- - "column in (words)" of a check becomes "column = any ('{words}')", one
--   constant instead of many; a check's stored form is read anew for each
--   statement that writes.
-- - What waits to be sorted into a GIN index is sorted in by the write that
--   fills the list: a tenth of a second at 4 MB, some milliseconds at 256 kB.
create or replace function app.tune_tables() returns void
language plpgsql
as $$
declare
    statement text;
begin
    for statement in
        select format('alter table %1$s drop constraint %2$I,'
                ' add constraint %2$I check (%3$s = any (%4$L));'
                ' comment on constraint %2$I on %1$s is %5$L',
            c.conrelid::regclass, c.conname, found.part[1],
            format('{%s}', replace(replace(found.part[2], '''::text', ''), '''', '')),
            obj_description(c.oid, 'pg_constraint'))
        from pg_constraint c
        cross join lateral regexp_match(pg_get_constraintdef(c.oid),
            '^CHECK \(\((\w+) = ANY \(ARRAY\[((?:''\w+''::text(?:, )?)+)\]\)\)\)$') as found(part)
        where c.contype = 'c' and c.connamespace = 'dudao'::regnamespace
            and found.part is not null
        union all
        select format('alter index %s set (gin_pending_list_limit = 256)', c.oid::regclass)
        from pg_class c
        join pg_am m on m.oid = c.relam and m.amname = 'gin'
        where c.relnamespace = 'dudao'::regnamespace and c.reloptions is null
    loop
        execute statement;
    end loop;
end
$$;

-- Columns that a write sets from the client's or the step's data.
create or replace function app.own_columns(resource text) returns text[]
language sql stable
as $$
    select array_agg(a.attname::text order by a.attnum)
    from pg_attribute a
    where a.attrelid = ('dudao.' || quote_ident(resource))::regclass
        and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        and a.attname <> all ('{id,version,created_at,updated_at,created_by,updated_by,is_demo,search}')
$$;

-- Foreign keys of one column: column, referenced table and its key.
create or replace function app.references_of(resource text)
returns table (column_name text, target text, target_column text)
language sql stable
as $$
    select a.attname::text, c.confrelid::regclass::text, k.attname::text
    from pg_constraint c
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    join pg_attribute k on k.attrelid = c.confrelid and k.attnum = c.confkey[1]
    where c.conrelid = ('dudao.' || quote_ident(resource))::regclass
        and c.contype = 'f' and cardinality(c.conkey) = 1 and not c.condeferrable
        and a.attname <> all ('{created_by,updated_by,voided_by}')
    order by a.attnum
$$;

-- A condition of a trigger: does the write change one of these columns?
create or replace function app.changed(columns text[]) returns text
language sql immutable
as $$
    select format('tg_op = ''INSERT'' or (%s) is distinct from (%s)',
        string_agg(format('new.%I', c), ', '), string_agg(format('old.%I', c), ', '))
    from unnest(columns) as c
$$;

-- The body of the checks: what must be there, what must exist, the row rules.
-- All of them are evaluated, and raised together. What a record refers to is
-- looked up only where it changed: a condition with a query in it is run as one
-- each time, whatever stands before the query. One condition stands before all
-- of a kind: plpgsql prepares each one anew in each transaction.
create or replace function app.checks_of(resource text) returns text
language sql stable
as $$
    select coalesce(string_agg(c.source, '' order by c.kind), '')
    from (
        select 1 as kind, format(E'    if num_nulls(%s) > 0 then\n%s    end if;\n',
            string_agg(format('new.%I', a.attname), ', ' order by a.attnum),
            string_agg(format(E'        if new.%I is null then\n'
                '            faults := faults || app.fault(''required'', %L);\n'
                '        end if;\n',
                a.attname, '/' || a.attname), '' order by a.attnum)) as source
        from pg_attribute a
        where a.attrelid = ('dudao.' || quote_ident(resource))::regclass
            and a.attnum > 0 and not a.attisdropped and a.attnotnull
            and a.attgenerated = '' and a.attidentity = ''
            and a.attname = any (app.own_columns(resource))
        having count(*) > 0
        union all
        select 2, format(E'    if %s then\n%s    end if;\n',
            app.changed(array_agg(r.column_name order by r.column_name)),
            string_agg(format(
                E'        if new.%1$I is not null and new.%1$I is distinct from old.%1$I then\n'
                '            if not exists (select from %2$s where %3$I = new.%1$I) then\n'
                '                faults := faults || app.fault(''unknown-reference'', %4$L);\n'
                '            end if;\n        end if;\n',
                r.column_name, r.target, r.target_column, '/' || r.column_name),
                '' order by r.column_name))
        from app.references_of(resource) as r
        having count(*) > 0
        union all
        select 3, string_agg(
            case when w.when_changed is null then s.source else
                format(E'    if %s then\n%s    end if;\n',
                    app.changed(w.when_changed), s.source) end, '' order by w.name)
        from app.row_rules w
        cross join lateral (select
            format(E'    if not (%s) then\n'
                '        faults := faults || app.fault(%L, %L, %s, %L, %L);\n    end if;\n',
                w.expression, w.code, w.pointer,
                coalesce('(' || w.params || ')::jsonb', 'null'), w.rule_id, w.clause_id) as source) as s
        where w.resource = checks_of.resource
    ) as c
$$;

create or replace function app.generate_triggers(r app.resources) returns void
language plpgsql
as $$
declare
    t constant text := r.resource;
    has_guard constant boolean := app.has_function('guard_' || t,
        'text', 'dudao.' || quote_ident(t), 'dudao.' || quote_ident(t), 'jsonb');
    has_effect constant boolean := app.has_function('effect_' || t,
        'text', 'dudao.' || quote_ident(t), 'dudao.' || quote_ident(t), 'jsonb');
    was_void constant text := case when r.is_legal then 'old.voided_at is not null' else 'false' end;
    source text;
begin
    source := format($f$
create or replace function gen.%I() returns trigger
language plpgsql security definer
as $gen$
declare
    faults app.fault[] := '{}';
    step app.step;
begin
    if tg_op = 'INSERT' then
        new.version := 1;
        new.created_at := app.now();
        new.updated_at := new.created_at;
        new.created_by := app.user_id();
        new.updated_by := new.created_by;
        new.is_demo := coalesce(new.is_demo, false)
            or coalesce(current_setting('dudao.is_demo', true), '') in ('on', 'true', '1');
$f$, t || '_before');
    if r.is_machine then
        source := source || format($f$
        if new.state <> all (%L) then
            perform app.refuse(409, 'illegal-transition', extra => jsonb_build_object(
                'state', new.state, 'allowed_actions', '[]'::jsonb));
        end if;
$f$, array(select s.state from app.workflow_states s
            where s.resource = t and s.is_initial order by s.state));
    end if;
    source := source || $f$
    else
        new.id := old.id;
        new.version := old.version + 1;
        new.created_at := old.created_at;
        new.created_by := old.created_by;
        new.is_demo := old.is_demo;
        new.updated_at := app.now();
        new.updated_by := app.user_id();
$f$;
    if r.is_machine then
        source := source || format($f$
        step := app.step_of(%L, old.id, old.state, new.state, %s);
$f$, t, was_void);
        if has_guard then
            source := source || format($f$
        if step.action is not null then
            faults := coalesce(app.%I(step.action, old, new, step.data), '{}');
            if cardinality(faults) > 0 then
                perform app.refuse_step(faults, step.rule_id, step.clause_id);
            end if;
        end if;
$f$, 'guard_' || t);
        end if;
    end if;
    if r.is_legal then
        source := source || $f$
        if old.voided_at is not null then
            perform app.refuse(409, 'illegal-transition', extra =>
                jsonb_build_object('state', coalesce(to_jsonb(old) ->> 'state', 'voided'),
                    'allowed_actions', '[]'::jsonb));
        end if;
$f$;
    end if;
    source := source || $f$
    end if;
$f$ || app.checks_of(t) || $f$
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
$f$;
    if cardinality(r.searched) > 0 then
        source := source || format($f$
    if %s then
        new.search := app.bigrams(concat_ws(' ', %s));
    end if;
$f$, app.changed(r.searched || '{search}'),
            (select string_agg(format('new.%I', c), ', ') from unnest(r.searched) as c));
    end if;
    source := source || $f$
    return new;
end
$gen$
$f$;
    execute source;
    execute format('create or replace trigger a_before before insert or update on dudao.%I '
        'for each row execute function gen.%I()', t, t || '_before');

    if r.is_audited then
        execute format('create or replace trigger b_audit after insert or update or delete '
            'on dudao.%I for each row execute function app.audit_row()', t);
    else
        execute format('drop trigger if exists b_audit on dudao.%I', t);
    end if;

    execute format('drop trigger if exists c_step on dudao.%I', t);
    if r.is_machine then
        source := format($f$
create or replace function gen.%1$I() returns trigger
language plpgsql security definer
as $gen$
declare
    announced text := coalesce(current_setting('dudao.action', true), '');
    step constant app.step := app.step_of(%2$L, new.id, old.state, new.state, %3$s);
    silent text;
begin
    if step.action is null then
        return null;
    end if;
    -- what the effect does is no longer this action
    silent := set_config('dudao.action', '', true);
    insert into dudao.transitions(subject_type, subject_id, action, from_state,
        to_state, actor, role, on_behalf_of, at, comment, data)
    values (%2$L, new.id, step.action, step.from_state, step.to_state,
        app.user_id(), step.role, app.on_behalf_of(step.role), app.now(),
        coalesce(step.data ->> 'comment', step.data ->> 'reason',
            step.data ->> 'void_reason', step.data ->> 'note'),
        step.data);
$f$, t || '_step', t, was_void);
        if has_effect then
            source := source || format($f$
    perform app.%I(step.action, old, new, step.data);
$f$, 'effect_' || t);
        end if;
        source := source || $f$
    announced := set_config('dudao.action', announced, true);
    return null;
end
$gen$
$f$;
        execute source;
        execute format('create trigger c_step after update on dudao.%I for each row '
            'when (old.state is distinct from new.state '
            'or nullif(current_setting(''dudao.action'', true), '''') is not null) '
            'execute function gen.%I()', t, t || '_step');
    end if;
end
$$;

-- A predicate that reads tables goes into a function: a policy with the
-- subquery inside would carry the policies of those tables, and theirs, into
-- every plan, thousands of nodes for one row. The function's plan is made once
-- a connection. Predicates of columns and app.my_…() stay in the policy.
--
-- A part has no scopes of its own but those of its whole, each by itself: who
-- reads a task by one scope does not write its parts by another.
create or replace function app.scope_test(resource text, scope text) returns text
language plpgsql stable
as $$
declare
    whole constant text := app.whole_of(resource);
    wanted text;
    first_scope text;
begin
    select btrim(s.predicate, E' \n\t') into wanted
    from app.scope_predicates s
    where s.resource = whole and s.scope = scope_test.scope;
    if wanted !~* '\mfrom\M' then
        return wanted;
    end if;
    select min(s.scope) into first_scope
    from app.scope_predicates s
    where s.resource = whole
        and btrim(s.predicate, E' \n\t') = wanted;
    return format('gen.%I(%I)', whole || '_scope_' || first_scope, whole);
end
$$;

-- The resource that has the scopes of this one: itself, unless it is a part.
create or replace function app.whole_of(resource text) returns text
language sql stable
as $$
    select coalesce((select r.part_of from app.resources r where r.resource = $1), $1)
$$;

create or replace function app.generate_scopes(resource text) returns void
language plpgsql
as $$
declare
    item record;
begin
    for item in
        select s.scope, btrim(s.predicate, E' \n\t') as predicate
        from app.scope_predicates s
        where s.resource = generate_scopes.resource
    loop
        if app.scope_test(resource, item.scope) = format('gen.%I(%I)',
                resource || '_scope_' || item.scope, resource) then
            execute format($f$
create or replace function gen.%1$I(dudao.%2$I) returns boolean
language plpgsql stable
as $gen$
#variable_conflict use_column
begin
    return exists (select from (select ($1).*) as %2$I where %3$s);
end
$gen$ $f$, resource || '_scope_' || item.scope, resource, item.predicate);
        end if;
    end loop;
    execute format($f$
create or replace function gen.%1$I(id uuid) returns boolean
language plpgsql stable
as $gen$
begin
    return exists (select from dudao.%2$I x where x.id = $1);
end
$gen$ $f$, resource || '_readable', resource);
end
$$;

-- Whether the caller sees a record, named by (subject_type, subject_id).
create or replace function app.can_read(subject_type text, subject_id uuid) returns boolean
language plpgsql stable
as $$
begin
    return false;
end
$$;

create or replace function app.generate_can_read() returns void
language plpgsql
as $$
declare
    branches text;
begin
    select string_agg(format(E'    when %L then\n        return gen.%I(subject_id);\n',
            r.resource, r.resource || '_readable'), '' order by r.resource)
        into branches
    from app.resources r;
    execute format(E'create or replace function app.can_read(subject_type text, subject_id uuid)\n'
        'returns boolean\nlanguage plpgsql stable\nas $gen$\nbegin\n    case subject_type\n%s'
        '    else\n        return false;\n    end case;\nend\n$gen$', branches);
end
$$;

-- With the policies of older code, which app.refresh() writes anew.
drop function if exists app.reach(text[], text[]) cascade;

-- The cells of a permission group that hold one of the operations, those with
-- the same predicate as one. Where "everywhere" the roles see all rows.
create or replace function app.policy_cells(
    resource text, permission_group text, operations text)
returns table(place bigint, everywhere boolean, roles text[], test text)
language sql stable
as $$
    select row_number() over (order by t.test = 'true' desc, t.test like 'gen.%', t.test),
        t.test = 'true', array_agg(distinct p.role order by p.role), t.test
    from app.permissions p
    cross join lateral (select case p.scope when 'a' then 'true'
            else app.scope_test($1, p.scope) end as test) as t
    where p.permission_group = $2 and p.operations ~ ('[' || $3 || ']') and t.test <> 'false'
    group by t.test
$$;

-- What the cells' predicates ask of the caller, "(select app.…())": the longest
-- first, for one may hold another.
create or replace function app.policy_keys(
    resource text, permission_group text, operations text)
returns table(place bigint, key text, roles text[])
language sql stable
as $$
    select row_number() over (order by length(k.key) desc, k.key), k.key,
        array_agg(distinct k.role order by k.role)
    from (
        select m[1] as key, unnest(c.roles) as role
        from app.policy_cells($1, $2, $3) c
        cross join lateral regexp_matches(c.test,
            '\(select (app\.\w+\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))\)', 'g') as m) as k
    group by k.key
$$;

create or replace function app.reach_name(resource text, operations text) returns text
language sql immutable
as $$
    select quote_ident(resource || '_' || case operations
        when 'R' then 'reads' when 'W' then 'writes' when 'WT' then 'acts' end)
$$;

-- OR of the cells: roles baked in as literals, evaluated once a statement, then
-- the scope's predicate per row. A plan prepares all that it holds, run or not,
-- and each value that is evaluated once (an InitPlan) costs a read of one row
-- more than its row does: so whoever sees everything has one such value, and
-- all that the scopes ask of a caller comes from one function, app.generate_reach.
create or replace function app.policy_expression(
    resource text, permission_group text, operations text) returns text
language plpgsql stable
as $$
declare
    everywhere text;
    scoped text;
    part text;
    cell record;
    item record;
begin
    for cell in
        select c.* from app.policy_cells(resource, permission_group, operations) c order by c.place
    loop
        if cell.everywhere then
            everywhere := format('(select app.roles() && %L::text[])', cell.roles);
        else
            scoped := concat_ws(E'\n        or ', scoped,
                format('reach.cell_%s and (%s)', cell.place, cell.test));
        end if;
    end loop;
    for item in
        select k.* from app.policy_keys(resource, permission_group, operations) k order by k.place
    loop
        scoped := replace(scoped, format('(select %s)', item.key),
            format('reach.key_%s', item.place));
    end loop;
    select format(E'exists (select from dudao.%1$I where %1$I.id = %2$I.%3$I and (%4$s))',
            r.part_of, r.resource, r.part_key, scoped)
        into part
    from app.resources r
    where r.resource = policy_expression.resource and r.part_of is not null
        and scoped is not null;
    scoped := coalesce(part, scoped);
    scoped := 'exists (select from gen.' || app.reach_name(resource, operations)
        || E'() as reach\n    where ' || scoped || ')';
    return coalesce(everywhere || ' or ' || scoped, everywhere, scoped, 'false');
end
$$;

-- gen.<resource>_reads(), _writes() and _acts(): which of a policy's cells the
-- caller has, and what these cells ask of the caller.
create or replace function app.generate_reach(
    resource text, permission_group text, operations text) returns void
language plpgsql
as $$
declare
    name constant text := app.reach_name(resource, operations);
    missing text;
    columns text;
    body text;
begin
    select string_agg(distinct p.scope, ', ') into missing
    from app.permissions p
    where p.permission_group = generate_reach.permission_group
        and p.scope <> 'a'
        and not exists (select from app.scope_predicates s
            where s.resource = app.whole_of(generate_reach.resource) and s.scope = p.scope);
    if missing is not null then
        raise exception 'app.refresh: %: group % needs scope predicates: %',
            resource, permission_group, missing;
    end if;

    select string_agg(v.name || ' ' || v.type, ', '), string_agg(v.value, '')
        into columns, body
    from (
        select format('cell_%s', c.place) as name, 'boolean' as type,
            format(E'    cell_%s := roles && %L;\n', c.place, c.roles) as value
        from app.policy_cells(resource, permission_group, operations) c
        where not c.everywhere
        union all
        select format('key_%s', k.place),
            (select format_type(p.prorettype, null) from pg_proc p
                where p.oid = to_regproc(substring(k.key from '^app\.\w+'))),
            format(E'    if roles && %L then\n        key_%s := %s;\n    end if;\n',
                k.roles, k.place, k.key)
        from app.policy_keys(resource, permission_group, operations) k) as v;
    execute format('drop function if exists gen.%s()', name);
    if columns is not null then
        execute format($f$
create function gen.%s() returns table(%s)
language plpgsql stable rows 1
as $gen$
declare
    roles constant text[] := app.roles();
begin
%s    return next;
end
$gen$ $f$, name, columns, body);
    end if;
end
$$;

create or replace function app.generate_policies(
    resource text, permission_group text, is_deletable boolean, hidden text[], read_only_table boolean)
returns void
language plpgsql
as $$
declare
    name record;
    writes text;
    shown text;
begin
    for name in
        select p.polname from pg_policy p
        where p.polrelid = ('dudao.' || quote_ident(resource))::regclass
            and p.polname ~ '^(owner|api)_'
    loop
        execute format('drop policy %I on dudao.%I', name.polname, resource);
    end loop;
    perform app.generate_reach(resource, permission_group, 'R');
    execute format('alter table dudao.%I enable row level security', resource);
    execute format('alter table dudao.%I force row level security', resource);
    execute format('create policy owner_all on dudao.%I to dudao_owner '
        'using (true) with check (true)', resource);
    execute format('create policy api_select on dudao.%I for select to dudao_api using (%s)',
        resource, app.policy_expression(resource, permission_group, 'R'));

    select string_agg(quote_ident(a.attname), ', ' order by a.attnum) into shown
    from pg_attribute a
    where a.attrelid = ('dudao.' || quote_ident(resource))::regclass
        and a.attnum > 0 and not a.attisdropped and a.attname <> all (hidden);
    execute format('revoke all on dudao.%I from dudao_api', resource);
    execute format('grant select (%s) on dudao.%I to dudao_api', shown, resource);
    if cardinality(hidden) = 0 then
        execute format('grant select on dudao.%I to dudao_api', resource);
    end if;
    if read_only_table then
        return;
    end if;

    perform app.generate_reach(resource, permission_group, 'W');
    perform app.generate_reach(resource, permission_group, 'WT');
    writes := app.policy_expression(resource, permission_group, 'WT');
    execute format('create policy api_insert on dudao.%I for insert to dudao_api '
        'with check (%s)', resource, writes);
    execute format('create policy api_update on dudao.%I for update to dudao_api '
        'using (%s) with check (%s)', resource, writes, writes);
    execute format('grant insert (%1$s), update (%1$s) on dudao.%2$I to dudao_api',
        shown, resource);
    if is_deletable then
        execute format('create policy api_delete on dudao.%I for delete to dudao_api using (%s)',
            resource, app.policy_expression(resource, permission_group, 'W'));
        execute format('grant delete on dudao.%I to dudao_api', resource);
    end if;
end
$$;

-- created_by, updated_by and voided_by name a user.
create or replace function app.generate_user_references(resource text) returns void
language plpgsql
as $$
declare
    name text;
begin
    for name in
        select a.attname
        from pg_attribute a
        where a.attrelid = ('dudao.' || quote_ident(resource))::regclass
            and a.attname = any ('{created_by,updated_by,voided_by}')
            and not exists (select from pg_constraint c
                where c.conrelid = a.attrelid and c.contype = 'f'
                    and c.conkey = array[a.attnum])
    loop
        execute format('alter table dudao.%I add foreign key (%I) references dudao.users',
            resource, name);
    end loop;
end
$$;

-- allowed_actions without a look-up: the machines as CASE expressions. With
-- the resource's name as a constant the planner folds the outer one away.
create or replace function app.generate_allowed_actions() returns void
language plpgsql
as $$
declare
    machine text;
    branches text;
    outer_branches text := '';
begin
    for machine in
        select distinct a.resource from app.workflow_actions a order by 1
    loop
        select string_agg(s.branch, '') into branches
        from (
            select format(E'    when %L then\n        return (''['' || concat_ws('',''%s) || '']'')::json;\n',
                a.from_state,
                string_agg(format(', case when roles && %L::text[] then %L end',
                    a.roles, to_json(a.action)::text), '' order by a.sort, a.action)) as branch
            from app.workflow_actions a
            where a.resource = machine and not a.is_system
            group by a.from_state
        ) as s;
        execute format(E'create or replace function gen.%I(state text, roles text[]) returns json\n'
            'language plpgsql stable parallel safe\nas $gen$\nbegin\n%s    return ''[]'';\nend\n$gen$',
            machine || '_actions',
            case when branches is null then ''
                else E'    case state\n' || branches || E'    else\n    end case;\n' end);
        outer_branches := outer_branches || format(
            E'        when %L then gen.%I(state, app.roles())\n', machine, machine || '_actions');
    end loop;
    execute format(E'create or replace function app.allowed_actions(resource text, state text)\n'
        'returns json\nlanguage sql stable parallel safe\nas $gen$\n    select case resource\n'
        '%s        when '''' then null\n        else ''[]''::json end\n$gen$', outer_branches);
end
$$;

-- Steps and deadlines are seen by whoever sees their subject, but not by the
-- public: they tell who did what, and why.
create or replace function app.generate_subject_policies() returns void
language plpgsql
as $$
declare
    name text;
begin
    foreach name in array '{transitions,deadlines}'::text[] loop
        execute format('drop policy if exists owner_all on dudao.%I', name);
        execute format('drop policy if exists api_select on dudao.%I', name);
        execute format('alter table dudao.%I enable row level security', name);
        execute format('alter table dudao.%I force row level security', name);
        execute format('create policy owner_all on dudao.%I to dudao_owner '
            'using (true) with check (true)', name);
        execute format('create policy api_select on dudao.%I for select to dudao_api '
            'using (not (select app.has_role(''public'')) '
            'and app.can_read(subject_type, subject_id))', name);
        execute format('revoke all on dudao.%I from dudao_api', name);
        execute format('grant select on dudao.%I to dudao_api', name);
    end loop;
end
$$;

create or replace function app.generate_grants() returns void
language plpgsql
as $$
declare
    item record;
begin
    grant usage on schema dudao, app, gen, ext to dudao_api, dudao_relay;
    -- machinery that is read by statements; never written by the API role
    grant select on app.resources, app.permissions, app.enumerations,
        app.workflow_machines, app.workflow_states, app.workflow_actions,
        app.scope_predicates, app.row_rules to dudao_api, dudao_relay;
    revoke all on all functions in schema app, gen from public;
    grant execute on all functions in schema app, gen to dudao_api, dudao_relay;
    -- what only the owner may run
    for item in
        select p.oid::regprocedure as signature
        from pg_proc p
        where p.pronamespace = 'app'::regnamespace
            and p.proname ~ '^(generate_|tune_tables$|refresh(_resource)?$|register$|begin_machine$|system_step$)'
    loop
        execute format('revoke all on function %s from dudao_api, dudao_relay', item.signature);
    end loop;
    for item in
        select c.oid::regclass as name
        from pg_class c
        where c.relnamespace = 'app'::regnamespace and c.relkind = 'v'
    loop
        execute format('grant select on %s to dudao_api, dudao_relay', item.name);
    end loop;
    if to_regnamespace('dudao_meta') is not null then
        grant usage on schema dudao_meta to dudao_api, dudao_relay;
        grant select on all tables in schema dudao_meta to dudao_api, dudao_relay;
    end if;
end
$$;

create or replace function app.refresh_resource(resource text) returns void
language plpgsql
as $$
declare
    r app.resources;
begin
    select x.* into strict r from app.resources x where x.resource = refresh_resource.resource;
    if r.is_machine and not exists (select from app.workflow_states s
            where s.resource = r.resource and s.is_initial) then
        raise exception 'app.refresh: % is a machine without an initial state', r.resource;
    end if;
    if (cardinality(r.searched) > 0) is distinct from exists (
            select from pg_attribute a
            where a.attrelid = ('dudao.' || quote_ident(r.resource))::regclass
                and a.attname = 'search') then
        raise exception 'app.refresh: % has either a column search or what fills it', r.resource;
    end if;
    perform app.generate_user_references(r.resource);
    perform app.generate_scopes(r.resource);
    perform app.generate_triggers(r);
    perform app.generate_writes(r);
    perform app.generate_policies(r.resource, r.permission_group, r.is_deletable,
        r.hidden, false);
end
$$;

-- Writes schema gen anew from the definitions. Run by db/migrate after every
-- change of db/migrations, db/code or db/workflows.
create or replace function app.refresh() returns void
language plpgsql
as $$
declare
    r app.resources;
    stale record;
begin
    perform app.tune_tables();
    -- policies name these functions of other tables
    for r in select * from app.resources order by resource loop
        perform app.generate_scopes(r.resource);
    end loop;
    perform app.generate_can_read();
    for r in select * from app.resources order by resource loop
        perform app.refresh_resource(r.resource);
    end loop;
    perform app.generate_interface();
    perform app.generate_allowed_actions();
    perform app.generate_subject_policies();
    perform app.generate_policies('audit_logs', 'audit_logs', false, '{}', true);
    -- of predicates that are gone
    for stale in
        select p.oid::regprocedure as signature
        from pg_proc p
        where p.pronamespace = 'gen'::regnamespace and p.proname ~ '_scope_[a-z]$'
            and not exists (select from app.scope_predicates s
                where p.proname = s.resource || '_scope_' || s.scope)
    loop
        execute format('drop function %s', stale.signature);
    end loop;
    perform app.generate_grants();
end
$$;
