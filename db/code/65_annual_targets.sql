-- Annual targets (3.24): C2.1.1.j, C2.2.1.d, A16.

select app.register('annual_targets', permission_group => 'annual_targets',
    machine => true, legal => true, editable_in => '{draft}',
    read_only => '{issued_doc_no,issued_on,actual_value,reported_on,reported_by,
        report_text,evidence,verified_on,verified_by,verify_note,adjusted_on,
        adjust_reason,adjust_count,proposed_by_unit}', searched => '{title,measure}');

-- o: what was issued to the unit, and what the unit itself proposes.
insert into app.scope_predicates(resource, scope, predicate) values
    ('annual_targets', 'o', 'organization_id = (select app.organization_id()) and (state not in (''draft'', ''voided'') or proposed_by_unit)')
on conflict (resource, scope) do update set predicate = excluded.predicate;

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('annual_targets.direction', 'at_least', '不低于', 'At least', 1),
    ('annual_targets.direction', 'at_most', '不高于', 'At most', 2),
    ('annual_targets.source', 'office', '督导办下达', 'Set by the office', 1),
    ('annual_targets.source', 'performance_system', '县绩效考核系统', 'The county''s performance system', 2)
on conflict (name, value) do update set label_zh = excluded.label_zh,
    label_en = excluded.label_en, sort = excluded.sort;

insert into app.row_rules(resource, name, expression, pointer, code, rule_id, clause_id, params) values
    ('annual_targets', 'due_of_the_year', 'extract(year from new.due_on) between new.year and new.year + 1',
     '/due_on', 'due-outside-year', null, 'C2.1.1.j', 'jsonb_build_object(''year'', new.year)'),
    ('annual_targets', 'unit_supervisable',
     'coalesce((select o.is_supervisable from dudao.organizations o where o.id = new.organization_id), true)',
     '/organization_id', 'not-supervisable', null, 'C2.1.1.j', null),
    ('annual_targets', 'performance_system_named',
     'new.source <> ''performance_system'' or new.external_ref is not null',
     '/external_ref', 'required', null, 'C2.1.1.j', null),
    ('annual_targets', 'unit_of_value', 'new.target_value is null or new.unit is not null',
     '/unit', 'required', null, 'C2.1.1.j', null),
    ('annual_targets', 'verified_by_the_step',
     '(new.verified_on is not null) = (new.state in (''verified_met'', ''verified_not_met''))',
     '/verified_on', 'read-only-field', null, 'C2.2.1.d', null),
    ('annual_targets', 'issued_is_kept',
     'old.id is null or old.state = ''draft'' or new.adjust_count > old.adjust_count
        or (new.organization_id, new.year, new.seq, new.title, new.measure, new.target_value, new.direction, new.unit, new.due_on)
        is not distinct from (old.organization_id, old.year, old.seq, old.title, old.measure, old.target_value, old.direction, old.unit, old.due_on)',
     '/state', 'not-editable', null, 'C2.1.1.j', null);

create or replace function app.before_create_annual_targets(r dudao.annual_targets, body jsonb)
returns dudao.annual_targets
language plpgsql
as $$
begin
    r.proposed_by_unit := app.has_role('committee_member', 'member_liaison')
        and not app.has_role('office_staff', 'deputy_chief_inspector');
    if r.proposed_by_unit then
        r.organization_id := coalesce(r.organization_id, app.organization_id());
    end if;
    r.year := coalesce(r.year, extract(year from r.due_on)::integer);
    r.seq := coalesce(r.seq, app.next_target_seq(r.organization_id, r.year));
    return r;
end
$$;

create or replace function app.next_target_seq(organization uuid, of_year integer) returns integer
language plpgsql volatile security definer
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('dudao.annual_targets:' || organization || of_year, 0));
    return (select coalesce(max(t.seq), 0) + 1 from dudao.annual_targets t
        where t.organization_id = organization and t.year = of_year);
end
$$;

-- All targets of a unit in one go: all or none, every fault named.
create or replace function app.create_annual_targets(organization uuid, body jsonb)
returns setof app.answer
language plpgsql
as $$
declare
    faults app.fault[] := '{}';
    made jsonb := '[]';
    entry record;
    answer app.answer;
    e_detail text;
    e_constraint text;
    e_table text;
    e_column text;
begin
    if not exists (select from dudao.organizations o where o.id = organization) then
        return;
    end if;
    for entry in
        select e.target, e.place - 1 as place
        from jsonb_array_elements(body -> 'targets') with ordinality as e(target, place)
    loop
        begin
            select * into answer from app.create('annual_targets',
                entry.target || jsonb_build_object('organization_id', organization, 'year', body -> 'year'));
            made := made || coalesce(answer.body::jsonb, '{}');
        exception when sqlstate 'DD422' or sqlstate 'DD409' or integrity_constraint_violation then
            get stacked diagnostics e_detail = pg_exception_detail, e_constraint = constraint_name,
                e_table = table_name, e_column = column_name;
            faults := faults || app.faults_below('/targets/' || entry.place, sqlstate, e_detail,
                e_constraint, e_table, e_column);
        end;
    end loop;
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    return next row(201, null, null, jsonb_build_object('data', made)::text)::app.answer;
end
$$;


-- Steps ------------------------------------------------------------------------

create or replace function app.before_annual_targets(action text, r dudao.annual_targets, data jsonb)
returns dudao.annual_targets
language plpgsql security definer
as $$
begin
    case action
    when 'issue' then
        r.issued_on := app.today();
        r.issued_doc_no := coalesce(data ->> 'issued_doc_no', r.issued_doc_no, app.next_doc_no('平教督目'));
    when 'report' then
        r.actual_value := (data ->> 'actual_value')::numeric;
        r.report_text := data ->> 'text';
        r.evidence := array(select e::uuid
            from jsonb_array_elements_text(coalesce(data -> 'evidence', '[]')) as e);
        r.reported_on := app.today();
        r.reported_by := app.user_id();
    when 'adjust' then
        if data ? 'target_value' then
            r.target_value := (data ->> 'target_value')::numeric;
        end if;
        r.due_on := coalesce((data ->> 'due_on')::date, r.due_on);
        r.measure := coalesce(data ->> 'measure', r.measure);
        r.adjusted_on := app.today();
        r.adjust_reason := data ->> 'reason';
        r.adjust_count := r.adjust_count + 1;
    when 'verify_met', 'verify_not_met' then
        if data ? 'actual_value' then
            r.actual_value := (data ->> 'actual_value')::numeric;
        end if;
        r.verified_on := app.today();
        r.verified_by := app.user_id();
        r.verify_note := coalesce(data ->> 'reason', data ->> 'comment');
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_annual_targets(
    action text, old dudao.annual_targets, new dudao.annual_targets, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
    from_day date;
begin
    case action
    when 'issue' then
        if new.due_on < app.today() then
            faults := faults || app.fault('date-in-past', '/due_on',
                jsonb_build_object('min', app.today()), null, 'C2.1.1.j');
        end if;
    when 'report' then
        if new.organization_id is distinct from app.organization_id() then
            faults := faults || app.fault('out-of-scope', null, null, null, 'C2.1.1.j');
        end if;
        if new.target_value is not null and new.actual_value is null then
            faults := faults || app.fault('required', '/actual_value', null, null, 'C2.1.1.j');
        end if;
        if coalesce(new.report_text, '') = '' then
            faults := faults || app.fault('required', '/text', null, null, 'C2.1.1.j');
        end if;
        if new.evidence = '{}' then
            faults := faults || app.fault('evidence-required', '/evidence', null, null, 'C2.1.1.j');
        end if;
        faults := faults || array(
            select app.fault('unknown-reference', format('/evidence/%s', e.place - 1))
            from unnest(new.evidence) with ordinality as e(id, place)
            where not exists (select from dudao.attachments a where a.id = e.id));
    when 'adjust' then
        if app.today() >= old.due_on then
            faults := faults || app.fault('deadline-passed', null,
                jsonb_build_object('due_on', old.due_on), null, 'C2.1.1.j');
        end if;
        if (new.target_value, new.due_on, new.measure)
                is not distinct from (old.target_value, old.due_on, old.measure) then
            faults := faults || app.fault('nothing-adjusted', null, null, null, 'C2.1.1.j');
        end if;
        if new.due_on < app.today() then
            faults := faults || app.fault('date-in-past', '/due_on',
                jsonb_build_object('min', app.today()), null, 'C2.1.1.j');
        end if;
    when 'verify_met', 'verify_not_met' then
        if old.state = 'issued' then
            from_day := app.add_workdays(new.due_on, app.parameter_int('target_unreported_workdays')) + 1;
            if app.today() < from_day then
                faults := faults || app.fault('report-still-possible', null,
                    jsonb_build_object('from', from_day), null, 'C2.1.1.j');
            end if;
        end if;
        if new.reported_by = app.user_id() then
            faults := faults || app.fault('separation-of-duties', null, null, null, 'C2.2.1.d');
        end if;
        if action = 'verify_met' and new.target_value is not null
                and (case new.direction when 'at_least' then new.actual_value >= new.target_value
                    else new.actual_value <= new.target_value end) is not true then
            faults := faults || app.fault('target-not-reached', '/actual_value',
                jsonb_build_object('target', new.target_value), null, 'C2.2.1.d');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.effect_annual_targets(
    action text, old dudao.annual_targets, new dudao.annual_targets, data jsonb)
returns void
language plpgsql security definer
as $$
declare
    unit_users constant uuid[] := app.users_of_organization(new.organization_id);
begin
    case action
    when 'issue', 'adjust' then
        perform app.deadline('annual_targets', new.id, 'report', new.due_on);
        perform app.notify('annual_targets', new.id, 'target_' || new.state,
            case action when 'issue' then '年度目标任务下达' else '年度目标任务调整' end, new.title, unit_users,
            (new.due_on + 1)::timestamp at time zone 'Asia/Shanghai');
    when 'report' then
        perform app.meet_deadline('annual_targets', new.id, 'report');
        perform app.notify('annual_targets', new.id, 'target_reported', '年度目标任务已报告', new.title,
            app.users_with_role('office_staff', 'deputy_chief_inspector'));
    when 'verify_met' then
        perform app.meet_deadline('annual_targets', new.id, 'report');
        perform app.notify('annual_targets', new.id, 'target_met', '年度目标任务已核实完成', new.title, unit_users);
    when 'verify_not_met' then
        -- C2.3.4.f: what was not reached is a clue
        perform app.meet_deadline('annual_targets', new.id, 'report');
        perform app.notify('annual_targets', new.id, 'target_not_met', '年度目标任务未完成',
            new.title || '：' || new.verify_note,
            unit_users || app.users_with_role('chief_inspector', 'committee_director'));
        perform app.deadline('annual_targets', new.id, 'accountability_clue',
            app.today() + app.parameter_int('acc_team_days'));
    else
        null;
    end case;
end
$$;

-- C2.2.1.d: on the first day past due the unit is reminded, and the office
-- told once it may verify without a report.
create or replace function app.tell_targets() returns void
language plpgsql security definer
as $$
begin
    perform app.notify('annual_targets', t.id, 'target_overdue', '年度目标任务逾期未报告', t.title,
        app.users_of_organization(t.organization_id),
        (t.due_on + 1)::timestamp at time zone 'Asia/Shanghai')
    from dudao.annual_targets t
    where t.state = 'issued' and t.due_on < app.today() and t.due_on >= app.today() - 7;

    perform app.notify('annual_targets', t.id, 'target_to_verify', '年度目标任务逾期未报告，可直接核实', t.title,
        app.users_with_role('office_staff', 'deputy_chief_inspector'),
        (t.due_on + 15)::timestamp at time zone 'Asia/Shanghai')
    from dudao.annual_targets t
    where t.state = 'issued' and t.due_on between app.today() - 60 and app.today() - 10
        and app.today() > app.add_workdays(t.due_on, app.parameter_int('target_unreported_workdays'));
end
$$;


drop view if exists app.annual_targets_json;
create view app.annual_targets_json with (security_invoker = true) as
select t.*,
    json_build_object(
        'id', t.id, 'version', t.version, 'organization_id', t.organization_id,
        'organization_name', app.organization_name(t.organization_id),
        'year', t.year, 'seq', t.seq, 'title', t.title, 'measure', t.measure,
        'target_value', t.target_value, 'direction', t.direction,
        'actual_value', t.actual_value, 'unit', t.unit, 'due_on', t.due_on,
        'overdue', t.state = 'issued' and t.due_on < app.today(),
        'source', t.source, 'external_ref', t.external_ref,
        'proposed_by_unit', t.proposed_by_unit,
        'issued_doc_no', t.issued_doc_no, 'issued_on', t.issued_on,
        'reported_on', t.reported_on, 'reported_by', t.reported_by,
        'report_text', t.report_text, 'evidence', t.evidence,
        'verified_on', t.verified_on, 'verified_by', t.verified_by,
        'verify_note', t.verify_note, 'adjusted_on', t.adjusted_on,
        'adjust_reason', t.adjust_reason, 'adjust_count', t.adjust_count,
        'voided_at', app.ts(t.voided_at), 'void_reason', t.void_reason,
        'state', t.state,
        'allowed_actions', app.allowed_actions('annual_targets', case when t.voided_at is null then t.state end),
        'created_at', app.ts(t.created_at), 'updated_at', app.ts(t.updated_at),
        'is_demo', t.is_demo) as body
from dudao.annual_targets t;
