-- Training of inspectors (3.17): R-TRN-01 to R-TRN-03, C2.4.3.a to C2.4.3.c,
-- L-DX-05. Hours count from the day on which the chief inspector closes the
-- session; only concentrated ones count to the forty.

select app.register('training_plans', permission_group => 'training',
    machine => true, editable_in => '{draft,approved}',
    read_only => '{submitted_on,approved_on,closed_on}', searched => '{title}');
select app.register('training_sessions', permission_group => 'training',
    machine => true, editable_in => '{planned,open}',
    read_only => '{opened_on,completed_on,closed_on,cancel_reason}',
    searched => '{title,trainer,place}');
select app.register('training_records', permission_group => 'training',
    machine => true, editable_in => '{enrolled}',
    read_only => '{attended_hours,certificate_no,certified_on,verified_by}');

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('training_sessions.kind', 'pre_service', '岗前培训', 'Pre-service training', 1),
    ('training_sessions.kind', 'capacity_building', '能力提升培训', 'Capacity building', 2),
    ('training_sessions.kind', 'special_topic', '专题培训', 'Special topic', 3),
    ('training_sessions.kind', 'exchange', '交流研讨', 'Exchange', 4),
    ('training_sessions.mode', 'concentrated', '集中培训', 'Concentrated', 1),
    ('training_sessions.mode', 'online', '网络培训', 'Online', 2),
    ('training_sessions.mode', 'self_study', '自学', 'Self-study', 3),
    ('training_records.result', 'enrolled', '待考核', 'Not yet assessed', 1),
    ('training_records.result', 'absent', '缺勤', 'Absent', 2),
    ('training_records.result', 'passed', '合格', 'Passed', 3),
    ('training_records.result', 'failed', '不合格', 'Failed', 4),
    ('training_hours.colour', 'green', '达标', 'On target', 1),
    ('training_hours.colour', 'amber', '接近', 'Close', 2),
    ('training_hours.colour', 'red', '不足', 'Behind', 3);


-- Scopes ---------------------------------------------------------------------

-- The sessions that the caller gives: as the owner, since sessions and records
-- would ask each other.
create or replace function app.sessions_i_give() returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(s.id), '{}')
        from dudao.training_sessions s
        where s.trainer_person_id = app.person_id());
end
$$;

create or replace function app.sessions_of_inspectors(inspectors uuid[])
returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(distinct r.session_id), '{}')
        from dudao.training_records r
        where r.inspector_id = any (inspectors));
end
$$;

-- Who is trained sees what is decided and what is open, and the own file.
insert into app.scope_predicates(resource, scope, predicate) values
    ('training_plans', 'n', $p$state in ('approved', 'closed')$p$),
    ('training_plans', 'z', $p$state in ('approved', 'closed')$p$),
    ('training_sessions', 'n', $p$
        state = 'open' or trainer_person_id = (select app.person_id())
        or id = any ((select app.sessions_of_inspectors(
            array[app.inspector_id()]))::uuid[])$p$),
    ('training_sessions', 'z', $p$
        state = 'open' or id = any ((select app.sessions_of_inspectors(
            app.my_zone_inspectors()))::uuid[])$p$),
    ('training_records', 'n', $p$
        inspector_id = (select app.inspector_id())
        or session_id = any ((select app.sessions_i_give())::uuid[])$p$),
    ('training_records', 'z', $p$
        inspector_id = any ((select app.my_zone_inspectors())::uuid[])$p$)
on conflict (resource, scope) do update set predicate = excluded.predicate;


-- Rules of rows --------------------------------------------------------------

-- The session as it is until the end of this transaction: nobody closes it
-- while somebody is enrolled, and the last place is taken once.
create or replace function app.held_session(session uuid)
returns dudao.training_sessions
language plpgsql security definer
as $$
declare
    s dudao.training_sessions;
begin
    select t.* into s
    from dudao.training_sessions t
    where t.id = session
    for no key update;
    return s;
end
$$;

create or replace function app.session_has_place(session uuid) returns boolean
language plpgsql security definer
as $$
declare
    s constant dudao.training_sessions := app.held_session(session);
begin
    return s.capacity is null or s.capacity > (
        select count(*) from dudao.training_records r
        where r.session_id = session);
end
$$;

insert into app.row_rules(resource, name, expression, pointer, code, rule_id, clause_id, params) values
    ('training_plans', 'plan_is_kept',
     'old.id is null or old.state = ''draft''
        or (new.year, new.title, new.hours_target)
            is not distinct from (old.year, old.title, old.hours_target)',
     '/hours_target', 'not-editable', 'R-TRN-01', 'C2.4.3.a', null),
    -- stated at the latest with the approval
    ('training_plans', 'inclusion_is_kept',
     'old.id is null or old.state in (''draft'', ''reviewing'')
        or (new.included_in_cadre_teacher_plan, new.inclusion_doc_no, new.not_included_reason)
            is not distinct from (old.included_in_cadre_teacher_plan, old.inclusion_doc_no, old.not_included_reason)',
     '/inclusion_doc_no', 'not-editable', 'R-TRN-01', 'C2.4.3.b', null),

    ('training_sessions', 'plan_is_not_closed',
     'old.id is not null or not exists (select from dudao.training_plans p
        where p.id = new.plan_id and p.state = ''closed'')',
     '/plan_id', 'training-plan-closed', 'R-TRN-01', 'C2.4.3.a', null),
    ('training_sessions', 'stays_in_its_plan',
     'old.id is null or new.plan_id = old.plan_id',
     '/plan_id', 'read-only-field', null, null, null),
    ('training_sessions', 'within_the_year_of_the_plan',
     'not exists (select from dudao.training_plans p
        where p.id = new.plan_id and p.year <> extract(year from new.starts_at at time zone ''Asia/Shanghai''))',
     '/starts_at', 'session-outside-plan-year', 'R-TRN-01', 'C2.4.3.a',
     'jsonb_build_object(''year'', (select p.year from dudao.training_plans p where p.id = new.plan_id))'),
    ('training_sessions', 'places_for_the_enrolled',
     'old.id is null or new.capacity is null or new.capacity is not distinct from old.capacity
        or new.capacity >= (select count(*) from dudao.training_records r where r.session_id = new.id)',
     '/capacity', 'session-full', null, null, null),
    -- what was held is what counts
    ('training_sessions', 'session_is_kept',
     'old.id is null or old.state in (''planned'', ''open'')
        or (new.kind, new.mode, new.hours, new.starts_at, new.ends_at, new.trainer_person_id)
            is not distinct from (old.kind, old.mode, old.hours, old.starts_at, old.ends_at, old.trainer_person_id)',
     '/hours', 'not-editable', 'R-TRN-03', 'L-DX-05', null),

    ('training_records', 'session_is_open',
     'old.id is not null or (app.held_session(new.session_id)).state <> ''planned''',
     '/session_id', 'session-not-open', 'R-TRN-03', 'C2.4.3.c', null),
    ('training_records', 'session_is_not_closed',
     'old.id is not null or (app.held_session(new.session_id)).state not in (''completed'', ''closed'', ''cancelled'')',
     '/session_id', 'session-closed', 'R-TRN-03', 'L-DX-05', null),
    ('training_records', 'place_left',
     'old.id is not null or app.session_has_place(new.session_id)',
     '/session_id', 'session-full', null, null, null),
    ('training_records', 'inspector_in_service',
     'old.id is not null or not exists (select from dudao.inspectors i
        where i.id = new.inspector_id and i.status = ''ended'')',
     '/inspector_id', 'inspector-not-in-service', 'R-TRN-03', 'L-DX-05', null),
    ('training_records', 'trainer_does_not_train_himself',
     'not exists (select from dudao.training_sessions s
        join dudao.inspectors i on i.person_id = s.trainer_person_id
        where s.id = new.session_id and i.id = new.inspector_id)',
     '/inspector_id', 'trainer-is-trainee', null, null, null),
    ('training_records', 'stays_where_it_is',
     'old.id is null or (new.session_id, new.inspector_id) = (old.session_id, old.inspector_id)',
     '/inspector_id', 'read-only-field', null, null, null),
    ('training_records', 'hours_within_the_session',
     'new.attended_hours <= (select s.hours from dudao.training_sessions s where s.id = new.session_id)',
     '/attended_hours', 'hours-exceed-session', 'R-TRN-03', 'L-DX-05',
     'jsonb_build_object(''max'', (select s.hours from dudao.training_sessions s where s.id = new.session_id))'),
    ('training_records', 'hours_are_kept',
     'old.id is null or old.state = ''enrolled'' or new.attended_hours is not distinct from old.attended_hours',
     '/attended_hours', 'not-editable', 'R-TRN-03', 'L-DX-05', null),
    ('training_records', 'certificate_is_kept',
     'old.id is null or old.state <> ''certified'' or new.certificate_no is not distinct from old.certificate_no',
     '/certificate_no', 'not-editable', 'R-TRN-02', 'L-DX-05', null);


-- Views ----------------------------------------------------------------------

create or replace function app.session_numbers(
    session uuid, out enrolled integer, out attended integer, out absent integer)
language plpgsql stable security definer
as $$
begin
    select count(*), count(*) filter (where r.state not in ('enrolled', 'absent')),
        count(*) filter (where r.state = 'absent')
    into enrolled, attended, absent
    from dudao.training_records r
    where r.session_id = session;
end
$$;

drop view if exists app.training_records_json, app.training_sessions_json,
    app.training_plans_json;

create view app.training_plans_json with (security_invoker = true) as
select p.*,
    json_build_object(
        'id', p.id, 'version', p.version, 'year', p.year, 'title', p.title,
        'summary', p.summary, 'hours_target', p.hours_target,
        'budget_line_id', p.budget_line_id,
        'included_in_cadre_teacher_plan', p.included_in_cadre_teacher_plan,
        'inclusion_doc_no', p.inclusion_doc_no,
        'not_included_reason', p.not_included_reason,
        'submitted_on', p.submitted_on, 'approved_on', p.approved_on,
        'closed_on', p.closed_on, 'state', p.state,
        'allowed_actions', app.allowed_actions('training_plans', p.state),
        'created_at', app.ts(p.created_at), 'updated_at', app.ts(p.updated_at),
        'is_demo', p.is_demo) as body
from dudao.training_plans p;

create view app.training_sessions_json with (security_invoker = true) as
select s.*,
    json_build_object(
        'id', s.id, 'version', s.version, 'plan_id', s.plan_id,
        'kind', s.kind, 'title', s.title, 'mode', s.mode, 'hours', s.hours,
        'starts_at', app.ts(s.starts_at), 'ends_at', app.ts(s.ends_at),
        'place', s.place, 'trainer', s.trainer,
        'trainer_person_id', s.trainer_person_id, 'capacity', s.capacity,
        'enrolled_count', n.enrolled, 'attended_count', n.attended,
        'absent_count', n.absent,
        'counts_to_target', s.mode = 'concentrated' and s.state = 'closed',
        'opened_on', s.opened_on, 'completed_on', s.completed_on,
        'closed_on', s.closed_on, 'cancel_reason', s.cancel_reason,
        'state', s.state,
        'allowed_actions', app.allowed_actions('training_sessions', s.state),
        'created_at', app.ts(s.created_at), 'updated_at', app.ts(s.updated_at),
        'is_demo', s.is_demo) as body
from dudao.training_sessions s
cross join lateral app.session_numbers(s.id) as n;

create view app.training_records_json with (security_invoker = true) as
select r.*, s.starts_at as session_starts_at,
    json_build_object(
        'id', r.id, 'version', r.version, 'session_id', r.session_id,
        'session_title', s.title, 'session_kind', s.kind,
        'session_mode', s.mode, 'session_hours', s.hours,
        'session_starts_at', app.ts(s.starts_at),
        'inspector_id', r.inspector_id,
        'inspector_name', app.inspector_name(r.inspector_id),
        'attended_hours', r.attended_hours,
        -- L-DX-05: from the day of closing, and only concentrated hours
        'counted_hours', case when s.mode = 'concentrated' and s.state = 'closed'
            then coalesce(r.attended_hours, 0) else 0 end,
        'result', r.result, 'certificate_no', r.certificate_no,
        'certified_on', r.certified_on, 'comment', r.comment,
        'verified_by', r.verified_by,
        'verified_by_name', app.display_name(r.verified_by),
        'state', r.state,
        'allowed_actions', app.allowed_actions('training_records', r.state),
        'created_at', app.ts(r.created_at), 'updated_at', app.ts(r.updated_at),
        'is_demo', r.is_demo) as body
from dudao.training_records r
join dudao.training_sessions s on s.id = r.session_id;


-- Plans ----------------------------------------------------------------------

create or replace function app.before_training_plans(
    action text, r dudao.training_plans, data jsonb)
returns dudao.training_plans
language plpgsql
as $$
begin
    case action
    when 'submit' then
        r.submitted_on := app.today();
    when 'approve' then
        r.approved_on := app.today();
        r.included_in_cadre_teacher_plan := coalesce(
            (data ->> 'included_in_cadre_teacher_plan')::boolean,
            r.included_in_cadre_teacher_plan);
        r.inclusion_doc_no := coalesce(data ->> 'inclusion_doc_no', r.inclusion_doc_no);
        r.not_included_reason := coalesce(data ->> 'not_included_reason', r.not_included_reason);
    when 'close' then
        r.closed_on := app.today();
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_training_plans(
    action text, old dudao.training_plans, new dudao.training_plans, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
    target constant integer := app.parameter_int('training_hours_year');
    missing text;
    open_sessions integer;
begin
    case action
    when 'submit' then
        if new.hours_target < target then
            faults := faults || app.fault('hours-target-too-low', '/hours_target',
                jsonb_build_object('min', target), 'R-TRN-03', 'L-DX-05');
        end if;
        -- C2.4.3.c: new inspectors and those in office
        foreach missing in array '{pre_service,capacity_building}'::text[] loop
            if not exists (
                    select from dudao.training_sessions s
                    where s.plan_id = new.id and s.kind = missing
                        and s.state <> 'cancelled') then
                faults := faults || app.fault('training-kind-missing', null,
                    jsonb_build_object('kind', missing), 'R-TRN-01', 'C2.4.3.c');
            end if;
        end loop;
    when 'approve' then
        if new.included_in_cadre_teacher_plan and new.inclusion_doc_no is null then
            faults := faults || app.fault('required', '/inclusion_doc_no', null,
                'R-TRN-01', 'C2.4.3.b');
        end if;
        if not new.included_in_cadre_teacher_plan and new.not_included_reason is null then
            faults := faults || app.fault('inclusion-or-reason', '/not_included_reason',
                null, 'R-TRN-01', 'C2.4.3.b');
        end if;
    when 'close' then
        select count(*) into open_sessions
        from dudao.training_sessions s
        where s.plan_id = new.id and s.state not in ('closed', 'cancelled');
        if open_sessions > 0 then
            faults := faults || app.fault('sessions-open', null,
                jsonb_build_object('count', open_sessions), 'R-TRN-01', 'C2.4.3.a');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.effect_training_plans(
    action text, old dudao.training_plans, new dudao.training_plans, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    case action
    when 'submit' then
        perform app.notify('training_plans', new.id, 'training_plan_submitted',
            '培训计划待批准', new.title, app.users_with_role('chief_inspector'));
    when 'approve', 'return' then
        perform app.notify('training_plans', new.id, 'training_plan_' || action,
            case action when 'approve' then '培训计划已批准' else '培训计划已退回' end,
            new.title, app.users_with_role('office_staff', 'deputy_chief_inspector'));
    else
        null;
    end case;
end
$$;


-- Sessions -------------------------------------------------------------------

-- Faults of one row of a list, under the row's place in the body.
create or replace function app.faults_of_row(detail text, place text)
returns app.fault[]
language sql immutable
as $$
    select coalesce(array_agg(app.fault(e ->> 'code', place || coalesce(e ->> 'pointer', ''),
            e -> 'params', e ->> 'rule_id', e ->> 'clause_id')), '{}')
    from jsonb_array_elements(coalesce(detail::jsonb -> 'errors',
        jsonb_build_array(jsonb_build_object('code', detail::jsonb ->> 'code')))) as e
$$;

-- Attendance and results of many, as the caller and step by step.
create or replace function app.take_attendance(session uuid, entries jsonb)
returns void
language plpgsql
as $$
declare
    faults app.fault[] := '{}';
    entry jsonb;
    place text;
    record_id uuid;
    detail text;
    i bigint;
begin
    for entry, i in
        select e.value, e.ordinality - 1
        from jsonb_array_elements(entries) with ordinality as e
    loop
        place := '/records/' || i;
        select r.id into record_id
        from dudao.training_records r
        where r.session_id = session
            and r.inspector_id = (entry ->> 'inspector_id')::uuid;
        if record_id is null then
            faults := faults || app.fault('not-enrolled', place || '/inspector_id');
            continue;
        end if;
        begin
            if (entry ->> 'attended_hours')::numeric = 0 then
                perform app.act('training_records', record_id, 'miss', null,
                    entry - '{inspector_id,attended_hours,result}'::text[]);
                if entry ->> 'result' is not null then
                    faults := faults || app.fault('result-of-absent', place || '/result');
                end if;
            else
                perform app.act('training_records', record_id, 'attend', null,
                    entry - '{inspector_id,result}'::text[]);
                if entry ->> 'result' is not null then
                    perform app.act('training_records', record_id,
                        case entry ->> 'result' when 'passed' then 'pass' else 'fail' end,
                        null, entry - '{inspector_id,attended_hours,result}'::text[]);
                end if;
            end if;
        exception when sqlstate 'DD409' or sqlstate 'DD422' then
            get stacked diagnostics detail = pg_exception_detail;
            faults := faults || app.faults_of_row(detail, place);
        end;
    end loop;
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
end
$$;

create or replace function app.before_training_sessions(
    action text, r dudao.training_sessions, data jsonb)
returns dudao.training_sessions
language plpgsql
as $$
begin
    case action
    when 'open' then
        r.opened_on := app.today();
    when 'complete' then
        r.completed_on := app.today();
        if data -> 'records' is not null then
            perform app.take_attendance(r.id, data -> 'records');
        end if;
    when 'close' then
        r.closed_on := app.today();
    when 'cancel' then
        r.cancel_reason := data ->> 'reason';
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_training_sessions(
    action text, old dudao.training_sessions, new dudao.training_sessions, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
    plan dudao.training_plans;
    n integer;
begin
    case action
    when 'open' then
        select p.* into plan
        from dudao.training_plans p
        where p.id = new.plan_id;
        if plan.state <> 'approved' then
            faults := faults || app.fault('training-plan-not-approved', null, null,
                'R-TRN-01', 'C2.4.3.a');
        end if;
        if plan.budget_line_id is null then
            faults := faults || app.fault('budget-line-required', null, null,
                'R-TRN-01', 'C3.1.a');
        end if;
        if new.trainer is null then
            faults := faults || app.fault('required', '/trainer', null, 'R-TRN-01', 'C2.4.3.c');
        end if;
        if new.hours is null then
            faults := faults || app.fault('required', '/hours', null, 'R-TRN-01', 'C2.4.3.c');
        end if;
        if new.place is null then
            faults := faults || app.fault('required', '/place', null, 'R-TRN-01', 'C2.4.3.c');
        end if;
    when 'start' then
        if not exists (
                select from dudao.training_records r
                where r.session_id = new.id) then
            faults := faults || app.fault('nobody-enrolled', null, null, 'R-TRN-03', 'C2.4.3.c');
        end if;
        if (new.starts_at at time zone 'Asia/Shanghai')::date > app.today() then
            faults := faults || app.fault('session-not-begun', null,
                jsonb_build_object('starts_at', app.ts(new.starts_at)), 'R-TRN-03', 'C2.4.3.c');
        end if;
    when 'complete' then
        if (new.ends_at at time zone 'Asia/Shanghai')::date > app.today() then
            faults := faults || app.fault('session-not-over', null,
                jsonb_build_object('ends_at', app.ts(new.ends_at)), 'R-TRN-03', 'L-DX-05');
        end if;
        select count(*) into n
        from dudao.training_records r
        where r.session_id = new.id and r.state = 'enrolled';
        if n > 0 then
            faults := faults || app.fault('attendance-missing', '/records',
                jsonb_build_object('count', n), 'R-TRN-03', 'L-DX-05');
        end if;
    when 'close' then
        -- who is new has to be assessed; others may simply have been there
        select count(*) into n
        from dudao.training_records r
        where r.session_id = new.id and (r.state = 'enrolled'
            or r.state = 'attended' and new.kind = 'pre_service');
        if n > 0 then
            faults := faults || app.fault('results-missing', null,
                jsonb_build_object('count', n), 'R-TRN-02', 'L-DX-05');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.users_of_session(session uuid) returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(distinct u), '{}')
        from dudao.training_records r
        join dudao.inspectors i on i.id = r.inspector_id
        cross join lateral unnest(app.users_of_person(i.person_id)) as u
        where r.session_id = session);
end
$$;

create or replace function app.effect_training_sessions(
    action text, old dudao.training_sessions, new dudao.training_sessions, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    case action
    when 'open' then
        perform app.notify('training_sessions', new.id, 'training_open',
            '督学培训开放报名', new.title, app.users_with_role('inspector_ft', 'inspector_pt'));
    when 'complete' then
        perform app.notify('training_sessions', new.id, 'training_completed',
            '培训班待办结', new.title, app.users_with_role('chief_inspector'));
    when 'close' then
        perform app.notify('training_sessions', new.id, 'training_closed',
            '培训学时已计入', new.title, app.users_of_session(new.id));
    when 'cancel' then
        perform app.notify('training_sessions', new.id, 'training_cancelled',
            '培训班已取消', new.title || '：' || new.cancel_reason, app.users_of_session(new.id));
    else
        null;
    end case;
end
$$;

-- Many inspectors at once: all of them, or none and every fault.
create or replace function app.enrol_inspectors(session uuid, body jsonb)
returns setof app.answer
language plpgsql
as $$
declare
    faults app.fault[] := '{}';
    entry jsonb;
    made uuid[] := '{}';
    seen uuid[] := '{}';
    detail text;
    i bigint;
begin
    if not exists (select from dudao.training_sessions s where s.id = session) then
        return;
    end if;
    for entry, i in
        select e.value, e.ordinality - 1
        from jsonb_array_elements(body -> 'records') with ordinality as e
    loop
        if (entry ->> 'inspector_id')::uuid = any (seen) then
            faults := faults || app.fault('already-enrolled', '/records/' || i || '/inspector_id');
            continue;
        end if;
        seen := seen || (entry ->> 'inspector_id')::uuid;
        begin
            made := made || (
                select split_part(a.location, '/', 4)::uuid
                from app.create('training_records',
                    entry || jsonb_build_object('session_id', session)) as a);
        exception
        when sqlstate 'DD422' then
            get stacked diagnostics detail = pg_exception_detail;
            faults := faults || app.faults_of_row(detail, '/records/' || i);
        when unique_violation then
            faults := faults || app.fault('already-enrolled', '/records/' || i || '/inspector_id');
        end;
    end loop;
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    return query
        -- of many rows: no version of its own
        select 201, '/v1/training-sessions/' || session || '/records',
            left(md5(string_agg(v.body::text, ',' order by v.id)), 16),
            json_build_object('data', json_agg(v.body order by array_position(made, v.id)))::text
        from app.training_records_json v
        where v.id = any (made);
end
$$;


-- Records --------------------------------------------------------------------

create or replace function app.before_training_records(
    action text, r dudao.training_records, data jsonb)
returns dudao.training_records
language plpgsql
as $$
begin
    r.comment := coalesce(data ->> 'comment', r.comment);
    case action
    when 'attend' then
        r.attended_hours := (data ->> 'attended_hours')::numeric;
        r.verified_by := app.user_id();
    when 'miss' then
        r.attended_hours := 0;
        r.verified_by := app.user_id();
    when 'pass', 'fail' then
        r.verified_by := app.user_id();
    when 'certify' then
        r.certificate_no := coalesce(data ->> 'certificate_no', app.next_code('PXZ'));
        r.certified_on := app.today();
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_training_records(
    action text, old dudao.training_records, new dudao.training_records, data jsonb)
returns app.fault[]
language plpgsql security definer
as $$
declare
    faults app.fault[] := '{}';
    s constant dudao.training_sessions := app.held_session(new.session_id);
begin
    case action
    when 'attend', 'miss' then
        if s.state <> 'in_progress' then
            faults := faults || app.fault('session-not-in-progress', null,
                jsonb_build_object('state', s.state), 'R-TRN-03', 'L-DX-05');
        end if;
        if action = 'attend' and new.attended_hours is null then
            faults := faults || app.fault('required', '/attended_hours', null,
                'R-TRN-03', 'L-DX-05');
        end if;
    when 'pass', 'fail' then
        if s.state not in ('in_progress', 'completed') then
            faults := faults || app.fault('session-closed', null, null, 'R-TRN-03', 'L-DX-05');
        end if;
        if app.inspector_id() = new.inspector_id then
            faults := faults || app.fault('separation-of-duties', null, null, 'R-TRN-02', 'L-DX-05');
        elsif not app.has_role('research_center', 'office_staff', 'deputy_chief_inspector', 'system')
                and s.trainer_person_id is distinct from app.person_id() then
            faults := faults || app.fault('out-of-scope');
        end if;
    when 'certify' then
        if s.state not in ('completed', 'closed') then
            faults := faults || app.fault('session-not-over', null,
                jsonb_build_object('ends_at', app.ts(s.ends_at)), 'R-TRN-02', 'L-DX-05');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

-- L-DX-05, R-TRN-02: who passed before the first term may begin it.
create or replace function app.effect_training_records(
    action text, old dudao.training_records, new dudao.training_records, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    if action = 'pass' and exists (
            select from dudao.training_sessions s
            where s.id = new.session_id and s.kind = 'pre_service') then
        update dudao.inspector_appointments a
        set pre_service_record_id = new.id, pre_service_passed_on = app.today()
        where a.inspector_id = new.inspector_id and a.pre_service_record_id is null
            and a.voided_at is null
            and a.state in ('recommended', 'reviewing', 'publicizing', 'approved', 'appointed');
    end if;
end
$$;


-- Hours of a year (R-TRN-03, Q-INS-02) ---------------------------------------

-- Every inspector with a day in office in that year up to as_of. The target of
-- the year and what is expected by as_of are forty times the share of days in
-- office. As the caller sees the tables; 80 % of what is expected is amber
-- (project default).
create or replace function app.training_hours(year integer, as_of date)
returns table(inspector_id uuid, hours numeric, other_hours numeric, session_count integer,
    service_days integer, target numeric, expected numeric, gap numeric, colour text)
language sql stable
as $$
    with bounds as (
        select make_date(year, 1, 1) as first_day, make_date(year, 12, 31) as last_day,
            make_date(year, 12, 31) - make_date(year, 1, 1) + 1 as days,
            app.parameter_int('training_hours_year')::numeric as full_target
    ), terms as (
        select a.inspector_id, range_agg(daterange(a.starts_on,
            least(coalesce(a.ended_on, a.ends_on), a.ends_on), '[]')) as days
        from dudao.inspector_appointments a
        where a.voided_at is null and a.starts_on is not null
            and a.state in ('active', 'ended', 'resigned', 'dismissed')
        group by a.inspector_id
    ), service as (
        select t.inspector_id, b.days, b.full_target,
            (select coalesce(sum(upper(d) - lower(d)), 0) from unnest(t.days
                * datemultirange(daterange(b.first_day, b.last_day, '[]'))) as d) as year_days,
            (select coalesce(sum(upper(d) - lower(d)), 0) from unnest(t.days
                * datemultirange(daterange(b.first_day, greatest(b.first_day,
                    least(b.last_day, as_of) + 1)))) as d) as days_so_far
        from terms t
        cross join bounds b
    ), attended as (
        select r.inspector_id,
            sum(r.attended_hours) filter (where s.mode = 'concentrated') as hours,
            sum(r.attended_hours) filter (where s.mode <> 'concentrated') as other_hours,
            count(*)::integer as session_count
        from dudao.training_records r
        join dudao.training_sessions s on s.id = r.session_id
        join dudao.training_plans p on p.id = s.plan_id
        where p.year = training_hours.year and s.state = 'closed' and s.closed_on <= as_of
            and r.state not in ('enrolled', 'absent')
        group by r.inspector_id
    ), numbers as (
        select v.inspector_id, coalesce(a.hours, 0) as hours,
            coalesce(a.other_hours, 0) as other_hours,
            coalesce(a.session_count, 0) as session_count,
            v.days_so_far::integer as service_days,
            round(v.full_target * v.year_days / v.days, 1) as target,
            round(v.full_target * v.days_so_far / v.days, 1) as expected
        from service v
        left join attended a on a.inspector_id = v.inspector_id
        where v.days_so_far > 0
    )
    select n.inspector_id, n.hours, n.other_hours, n.session_count, n.service_days,
        n.target, n.expected, greatest(n.target - n.hours, 0),
        case when n.hours >= n.expected then 'green'
            when n.hours >= 0.8 * n.expected then 'amber' else 'red' end
    from numbers n
$$;

-- The same for those whom the caller may know of, by the row of the matrix:
-- the appointments behind it are not all readers' business.
drop function if exists app.training_hours_shown(integer, date);
create or replace function app.training_hours_shown(
    today date, year integer default null, as_of date default null)
returns table(id uuid, name text, hours numeric, gap numeric, colour text, body json)
language plpgsql stable security definer
as $$
declare
    wanted constant integer := coalesce(year, extract(year from today)::integer);
begin
    return query
    select h.inspector_id, app.inspector_name(h.inspector_id), h.hours, h.gap, h.colour,
        json_build_object(
            'id', h.inspector_id, 'inspector_name', app.inspector_name(h.inspector_id),
            'zone_id', app.zone_of(h.inspector_id), 'year', wanted,
            'hours', h.hours, 'other_hours', h.other_hours,
            'session_count', h.session_count, 'service_days', h.service_days,
            'target', h.target, 'expected', h.expected, 'gap', h.gap,
            'colour', h.colour)
    from app.training_hours(wanted, least(coalesce(as_of, today), today)) as h
    where exists (
        select from app.permissions p
        where p.permission_group = 'training' and p.operations like '%R%'
            and p.role = any (app.roles())
            and (p.scope = 'a'
                or p.scope = 'z' and h.inspector_id = any (app.my_zone_inspectors())
                or p.scope = 'n' and h.inspector_id = app.inspector_id()));
end
$$;
