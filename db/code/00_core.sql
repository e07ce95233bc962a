-- Accessors of the principal, dates, numbers, JSON helpers, refusals.
--
-- The principal is a set of transaction settings (dudao.user_id, dudao.roles,
-- dudao.organization_id, dudao.request_id, dudao.ip), made by the engine for
-- each request or by hand with app.act_as(). The accessors are plain SQL so
-- that the planner inlines them; written as (select app.x()) in a policy or a
-- view they are evaluated once a statement.


-- Principal ------------------------------------------------------------------

create or replace function app.user_id() returns uuid
language sql stable parallel safe
as $$
    select nullif(current_setting('dudao.user_id', true), '')::uuid
$$;

create or replace function app.roles() returns text[]
language sql stable parallel safe
as $$
    select coalesce(nullif(current_setting('dudao.roles', true), ''), '{}')::text[]
$$;

create or replace function app.has_role(variadic roles text[]) returns boolean
language sql stable parallel safe
as $$
    select coalesce(nullif(current_setting('dudao.roles', true), ''), '{}')::text[] && $1
$$;

create or replace function app.organization_id() returns uuid
language sql stable parallel safe
as $$
    select nullif(current_setting('dudao.organization_id', true), '')::uuid
$$;

create or replace function app.request_id() returns text
language sql stable parallel safe
as $$
    select nullif(current_setting('dudao.request_id', true), '')
$$;

-- The person behind the account; of accounts of units there may be none.
create or replace function app.person_id() returns uuid
language plpgsql stable security definer
as $$
begin
    return (
        select u.person_id from dudao.users u where u.id = (select app.user_id()));
end
$$;

create or replace function app.display_name(user_id uuid) returns text
language plpgsql stable security definer
as $$
begin
    return (
        select u.display_name from dudao.users u where u.id = display_name.user_id);
end
$$;


-- Time -----------------------------------------------------------------------

-- The moment of the transaction. Whoever loads demo or imported histories may
-- set dudao.now; for the API it has no effect, and the audit trail ignores it.
create or replace function app.now() returns timestamptz
language sql stable
as $$
    select case when session_user = 'dudao_api' then now()
        else coalesce(nullif(current_setting('dudao.now', true), '')::timestamptz, now())
        end
$$;

create or replace function app.today() returns date
language sql stable
as $$
    select (app.now() at time zone 'Asia/Shanghai')::date
$$;

create or replace function app.ts(moment timestamptz) returns text
language sql stable parallel safe
as $$
    select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- listed: what the calendar says of the day; null when it says nothing (0.4-5).
drop function if exists app.is_workday(date);
create or replace function app.is_workday(listed boolean, day date) returns boolean
language sql immutable parallel safe
as $$
    select coalesce(listed, extract(isodow from day) < 6)
$$;

-- The n-th working day after a day (before it, when n is negative). The start
-- day is not counted (0.4-5).
create or replace function app.add_workdays(start_on date, n integer) returns date
language plpgsql stable strict security definer
as $$
declare
    candidate date := start_on;
    ahead integer := abs(n);
    -- where the calendar departs from the week (app.is_workday of nothing
    -- listed): few, in the words of the index calendar_days_exceptions
    exceptions constant date[] := array(
        select c.day
        from dudao.calendar_days c
        where c.is_workday <> (extract(isodow from c.day) < 6)
            and c.day between case when n < 0 then '-infinity' else start_on end
                and case when n > 0 then 'infinity' else start_on end);
begin
    while ahead > 0 loop
        candidate := candidate + sign(n)::integer;
        if (extract(isodow from candidate) < 6) <> (candidate = any (exceptions)) then
            ahead := ahead - 1;
        end if;
    end loop;
    return candidate;
end
$$;

-- Working days after the first day, up to and including the second.
create or replace function app.workdays_between(start_on date, end_on date) returns integer
language plpgsql stable security definer
as $$
begin
    return case when end_on < start_on then -app.workdays_between(end_on, start_on)
        else (
            select count(*)::integer
            from generate_series(1, end_on - start_on) as step
            left join dudao.calendar_days c on c.day = start_on + step
            where app.is_workday(c.is_workday, start_on + step))
        end;
end
$$;


-- Parameters (3.25) ----------------------------------------------------------

create or replace function app.parameter(key text) returns jsonb
language plpgsql stable security definer
as $$
declare
    found_value jsonb;
begin
    select p.value into found_value
    from dudao.rule_parameters p
    where p.key = $1 and p.valid_from <= app.today();
    if not found then
        select v.value into found_value
        from dudao.rule_parameter_values v
        where v.key = $1 and v.valid_from <= app.today()
        order by v.valid_from desc, v.changed_at desc
        limit 1;
    end if;
    return found_value;
end
$$;

create or replace function app.parameter_int(key text) returns integer
language sql stable
as $$
    select (app.parameter($1) #>> '{}')::numeric::integer
$$;


-- Refusals -------------------------------------------------------------------

create or replace function app.fault(
    code text, pointer text default null, params jsonb default null,
    rule_id text default null, clause_id text default null)
returns app.fault
language sql immutable parallel safe
as $$
    select row(code, pointer, params, rule_id, clause_id)::app.fault
$$;

create or replace function app.fault_json(f app.fault) returns jsonb
language plpgsql immutable parallel safe
as $$
begin
    return (
        jsonb_build_object('code', f.code)
            || case when f.pointer is null then '{}' else jsonb_build_object('pointer', f.pointer) end
            || case when f.params is null then '{}' else jsonb_build_object('params', f.params) end
            || case when f.rule_id is null then '{}' else jsonb_build_object('rule_id', f.rule_id) end
            || case when f.clause_id is null then '{}' else jsonb_build_object('clause_id', f.clause_id) end);
end
$$;

-- Ends the statement with SQLSTATE DD<status>; DETAIL is the JSON from which
-- the problem document is made. Texts for people live in openapi/problems.yaml.
create or replace function app.refuse(
    status integer, code text, faults app.fault[] default '{}', extra jsonb default '{}')
returns void
language plpgsql
as $$
declare
    detail jsonb := jsonb_build_object('code', code);
    named app.fault;
begin
    if cardinality(faults) > 0 then
        detail := detail || jsonb_build_object('errors',
            (select jsonb_agg(app.fault_json(faults[i]) order by i)
             from generate_subscripts(faults, 1) as i));
        select f.* into named
        from unnest(faults) as f
        where f.rule_id is not null or f.clause_id is not null
        limit 1;
        if named.rule_id is not null then
            detail := detail || jsonb_build_object('rule_id', named.rule_id);
        end if;
        if named.clause_id is not null then
            detail := detail || jsonb_build_object('clause_id', named.clause_id);
        end if;
    end if;
    detail := detail || coalesce(jsonb_strip_nulls(extra), '{}');
    raise exception using
        errcode = 'DD' || status, message = code, detail = detail::text;
end
$$;

-- All faults of a guard at once. Those codes of 0.4-10 that stand for the whole
-- refusal give it their name.
create or replace function app.refuse_step(faults app.fault[], rule_id text, clause_id text)
returns void
language plpgsql
as $$
declare
    headline text;
begin
    select f.code into headline
    from unnest(faults) as f
    where f.code in ('confidential', 'out-of-scope', 'recusal-required',
        'separation-of-duties', 'deadline-passed')
    order by array_position(array['confidential', 'out-of-scope',
        'recusal-required', 'separation-of-duties', 'deadline-passed'], f.code)
    limit 1;
    perform app.refuse(
        case when headline in ('confidential', 'out-of-scope') then 403 else 422 end,
        coalesce(headline, 'precondition-failed'),
        faults,
        case when exists (select from unnest(faults) as f
                where f.rule_id is not null or f.clause_id is not null)
            then '{}'::jsonb
            else jsonb_build_object('rule_id', rule_id, 'clause_id', clause_id) end);
end
$$;

-- The columns of a constraint, or of a unique index that is no constraint.
create or replace function app.columns_of_constraint(
    constraint_name text, table_name text) returns text[]
language sql stable
as $$
    select coalesce(
        (select array_agg(a.attname::text order by place)
         from pg_constraint c
         cross join unnest(c.conkey) with ordinality as key(number, place)
         join pg_attribute a on a.attrelid = c.conrelid and a.attnum = key.number
         where c.conname = $1 and c.conrelid = to_regclass('dudao.' || quote_ident($2))),
        (select array_agg(a.attname::text order by a.attnum)
         from pg_index i
         join pg_class x on x.oid = i.indexrelid
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
         where x.relname = $1 and i.indrelid = to_regclass('dudao.' || quote_ident($2))),
        '{}')
$$;

-- What a violation means to a client, in the form of app.refuse's DETAIL. A
-- constraint may say more in its comment: {"code": …, "pointer": …,
-- "rule_id": …, "clause_id": …, "params": …}.
create or replace function app.describe_violation(
    sqlstate text, constraint_name text, table_name text, column_name text,
    out status integer, out body json)
language plpgsql stable
as $$
declare
    columns text[] := app.columns_of_constraint(constraint_name, table_name);
    top text;
    code text;
    hint jsonb;
    faults app.fault[] := '{}';
begin
    -- a constraint's own problem; a partial unique index has one, too
    select d.text::jsonb into hint
    from (
        select obj_description(c.oid, 'pg_constraint') as text
        from pg_constraint c
        where c.conname = constraint_name
            and c.conrelid = to_regclass('dudao.' || quote_ident(table_name))
        union all
        select obj_description(i.indexrelid, 'pg_class')
        from pg_index i
        where i.indexrelid = to_regclass('dudao.' || quote_ident(constraint_name))
            and i.indrelid = to_regclass('dudao.' || quote_ident(table_name))
    ) as d
    where d.text like '{%';

    case
        when sqlstate = '23505' then
            status := 409;
            code := case when 'doc_no' = any (columns) then 'duplicate-number'
                else 'duplicate' end;
            top := code;
        when sqlstate = '23P01' then
            status := 409; top := 'overlapping-period'; code := top;
        when sqlstate = '23503' then
            status := 422; top := 'validation-failed'; code := 'unknown-reference';
        when sqlstate = '23502' then
            status := 422; top := 'validation-failed'; code := 'required';
            columns := array[column_name];
        when sqlstate = '42501' then
            status := 403; top := 'out-of-scope';
        when sqlstate like '22%' or sqlstate = '23514' then
            status := 422; top := 'validation-failed'; code := 'invalid-value';
        else
            return;
    end case;

    if hint is not null then
        if sqlstate in ('23505', '23P01') then
            top := coalesce(hint ->> 'code', top);
        end if;
        faults := array[app.fault(
            coalesce(hint ->> 'code', code),
            coalesce(hint ->> 'pointer', '/' || columns[1]),
            hint -> 'params', hint ->> 'rule_id', hint ->> 'clause_id')];
    elsif code is not null then
        faults := array(select app.fault(code, '/' || name) from unnest(columns) as name);
        if cardinality(faults) = 0 then
            faults := array[app.fault(code)];
        end if;
    end if;

    body := json_strip_nulls(json_build_object('code', top,
        'rule_id', hint ->> 'rule_id', 'clause_id', hint ->> 'clause_id',
        'errors', case when cardinality(faults) > 0 then
            (select json_agg(app.fault_json(faults[i]) order by i)
             from generate_subscripts(faults, 1) as i) end));
end
$$;


-- JSON -----------------------------------------------------------------------

-- RFC 7396.
create or replace function app.merge_patch(target jsonb, patch jsonb) returns jsonb
language plpgsql immutable parallel safe
as $$
declare
    result jsonb;
    member record;
begin
    if jsonb_typeof(patch) is distinct from 'object' then
        return patch;
    end if;
    result := case when jsonb_typeof(target) = 'object' then target else '{}' end;
    for member in select * from jsonb_each(patch) loop
        if member.value = 'null' then
            result := result - member.key;
        else
            result := jsonb_set(result, array[member.key],
                app.merge_patch(result -> member.key, member.value));
        end if;
    end loop;
    return result;
end
$$;

-- The named members of an object, in the object's order.
create or replace function app.pick(body json, fields text[]) returns text
language plpgsql immutable parallel safe
as $$
begin
    return (
        select '{' || coalesce(string_agg(to_json(m.key)::text || ':' || m.value::text, ','
                order by m.place), '') || '}'
        from json_each(body) with ordinality as m(key, value, place)
        where m.key = any (fields));
end
$$;

create or replace function app.pick(body text, fields text[]) returns text
language sql immutable parallel safe
as $$
    select app.pick(body::json, fields)
$$;

-- An object with further members behind its own; text, so that nothing is
-- parsed again. One function per number of members, because a statement leaves
-- out the lines of relations that are not expanded.
create or replace function app.with_members(body json) returns text
language sql immutable parallel safe
as $$
    select body::text
$$;

create or replace function app.joined_members(body text, members text) returns text
language plpgsql immutable parallel safe
as $$
begin
    return left(rtrim(body), -1)
        || case when body ~ '^\s*\{\s*\}\s*$' then '' else ', ' end
        || members || '}';
end
$$;

do $$
declare
    n integer;
begin
    for n in 1..8 loop
        execute format($f$
            create or replace function app.with_members(body json, %s) returns text
            language plpgsql immutable parallel safe
            as $b$
            begin
                return app.joined_members(body::text, %s);
            end
            $b$ $f$,
            (select string_agg(format('key%s text, value%s json', i, i), ', ')
             from generate_series(1, n) as i),
            (select string_agg(format('to_json(key%s)::text || '': '' || coalesce(value%s::text, ''null'')', i, i),
                ' || '', '' || ')
             from generate_series(1, n) as i));
    end loop;
end
$$;


-- Field-level protection (4.4) -----------------------------------------------

create or replace function app.mask_phone(phone text, organization_id uuid) returns text
language sql stable
as $$
    select case
        when app.roles() && '{office_staff,deputy_chief_inspector,chief_inspector,system}'
            or organization_id = app.organization_id() then phone
        when length(phone) < 7 then '****'
        else left(phone, 3) || '****' || right(phone, greatest(length(phone) - 7, 0))
        end
$$;
