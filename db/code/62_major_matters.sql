-- Major matters (3.20): C2.1.1.c, C2.1.1.d, C2.1.3.f, L-DX-04, R-ORG-07,
-- R-RPT-02.

select app.register('major_matters', permission_group => 'major_matters',
    machine => true, legal => true, editable_in => '{draft}',
    read_only => '{code,accepted_at,urgent_report_due_at,urgent_reported_at,
        agenda_item_id,resolution_id,resolved_on,dispatch_due_on,
        reported_up_at,circulated_at,closed_on}', searched => '{title,description,code}');

insert into app.scope_predicates(resource, scope, predicate) values
    ('major_matters', 'c', 'id = any ((select app.circulated_to_me(''major_matters''))::uuid[])'),
    ('major_matters', 'z', 'organization_id = any ((select app.my_zone_organizations())::uuid[])'),
    ('major_matters', 's', 'organization_id = any ((select app.my_assigned_organizations())::uuid[])'),
    ('major_matters', 'o', 'organization_id = (select app.organization_id())')
on conflict (resource, scope) do update set predicate = excluded.predicate;

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('major_matters.kind', 'major_matter', '重大事项', 'Major matter', 1),
    ('major_matters.kind', 'major_problem', '重大问题', 'Major problem', 2),
    ('major_matters.kind', 'bottleneck', '瓶颈问题', 'Bottleneck', 3),
    ('major_matters.kind', 'incident', '突发事件', 'Incident', 4),
    ('major_matters.severity', 'moderate', '较大', 'Moderate', 1),
    ('major_matters.severity', 'major', '重大', 'Major', 2),
    ('major_matters.severity', 'critical', '特别重大', 'Critical', 3)
on conflict (name, value) do update set label_zh = excluded.label_zh,
    label_en = excluded.label_en, sort = excluded.sort;

insert into app.row_rules(resource, name, expression, pointer, code, rule_id, clause_id, params) values
    ('major_matters', 'occurred', 'new.occurred_at <= app.now()', '/occurred_at', 'date-in-future', null, 'L-DX-04',
     'jsonb_build_object(''max'', app.ts(app.now()))'),
    ('major_matters', 'source_whole', '(new.source_type is null) = (new.source_id is null)',
     '/source_id', 'required', null, 'C2.1.1.c', null),
    ('major_matters', 'source_known',
     'new.source_id is null or new.source_type is null or app.record_exists(new.source_type, new.source_id)',
     '/source_id', 'unknown-reference', null, 'C2.1.1.c', null),
    ('major_matters', 'title_names_nobody', 'not app.names_a_person(new.title)', '/title', 'personal-data', null, 'L-XX-01', null),
    ('major_matters', 'description_names_nobody', 'not app.names_a_person(new.description)', '/description', 'personal-data', null, 'L-XX-01', null),
    -- R-ORG-07: also for whoever writes past the steps
    ('major_matters', 'resolved_by_resolution',
     'new.state not in (''resolved'', ''circulated'', ''closed'') or new.resolution_id is not null and new.resolved_on is not null',
     '/resolution_id', 'resolution-required', 'R-ORG-07', 'C2.1.1.c', null),
    ('major_matters', 'circulated_by_the_step',
     'new.state not in (''circulated'', ''closed'') or new.reported_up_at is not null and new.circulated_at is not null',
     '/circulated_at', 'circulation-not-sent', 'R-RPT-02', 'C2.1.3.f', '''{"name": "成员单位"}'''),
    ('major_matters', 'decision_is_kept',
     'old.id is null or old.state not in (''resolved'', ''circulated'', ''closed'')
        or (new.kind, new.title, new.description, new.organization_id, new.agenda_item_id, new.resolution_id, new.resolved_on)
        is not distinct from (old.kind, old.title, old.description, old.organization_id, old.agenda_item_id, old.resolution_id, old.resolved_on)',
     '/state', 'not-editable', 'R-ORG-07', 'C2.1.1.c', null);


-- Units and inspectors register for a unit; the office for the county as well.
create or replace function app.before_create_major_matters(r dudao.major_matters, body jsonb)
returns dudao.major_matters
language plpgsql
as $$
begin
    r.code := app.next_code('ZD');
    if r.organization_id is null and app.is_unit_account() then
        r.organization_id := app.organization_id();
    end if;
    return r;
end
$$;

-- The problems that a matter brings to the committee (C2.1.1.d).
create or replace function app.store_matter_problems(matter dudao.major_matters, problem_ids jsonb)
returns void
language plpgsql
as $$
declare
    wanted constant uuid[] := array(select p::uuid from jsonb_array_elements_text(problem_ids) as p);
    faults app.fault[];
begin
    -- who brings a problem sees it
    select array_agg(app.fault(case when p.id is null then 'unknown-reference' else 'problem-not-open' end,
            format('/problem_ids/%s', w.place - 1), null, null, 'C2.1.1.d') order by w.place)
        into faults
    from unnest(wanted) with ordinality as w(id, place)
    left join dudao.problems p on p.id = w.id
    where p.id is null or p.state in ('draft', 'struck_off', 'voided')
        or p.major_matter_id <> matter.id and app.is_open_matter(p.major_matter_id);
    if faults is not null then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    perform app.join_problems(matter.id, wanted);
end
$$;

create or replace function app.is_open_matter(matter uuid) returns boolean
language plpgsql stable security definer
as $$
begin
    return coalesce((select m.state not in ('closed', 'voided') from dudao.major_matters m where m.id = matter), false);
end
$$;

create or replace function app.join_problems(to_matter uuid, problem_ids uuid[]) returns void
language sql security definer
as $$
    update dudao.problems p
    set major_matter_id = case when p.id = any (problem_ids) then to_matter end
    where p.id = any (problem_ids) and p.major_matter_id is distinct from to_matter
        or p.major_matter_id = to_matter and p.id <> all (problem_ids)
$$;

create or replace function app.after_create_major_matters(r dudao.major_matters, body jsonb)
returns void
language plpgsql
as $$
begin
    if body ? 'problem_ids' then
        perform app.store_matter_problems(r, body -> 'problem_ids');
    end if;
    if r.kind = 'incident' then
        perform app.notify('major_matters', r.id, 'incident_registered', '突发事件', r.title,
            app.users_with_role('chief_inspector', 'office_staff', 'deputy_chief_inspector'));
    end if;
end
$$;

create or replace function app.after_patch_major_matters(r dudao.major_matters, patch jsonb)
returns void
language plpgsql
as $$
begin
    if patch ? 'problem_ids' then
        perform app.store_matter_problems(r, patch -> 'problem_ids');
        if patch - 'problem_ids' = '{}' then
            update dudao.major_matters set id = id where id = r.id;
        end if;
    end if;
end
$$;

-- C2.1.1.d: a problem that one unit cannot solve goes to the committee.
create or replace function app.submit_problem_to_committee(problem_id uuid, body jsonb)
returns setof app.answer
language plpgsql
as $$
declare
    p dudao.problems;
begin
    select * into p from dudao.problems x where x.id = problem_id;
    if p.id is null then
        return;
    end if;
    if p.state in ('draft', 'struck_off', 'voided') then
        perform app.refuse(409, 'illegal-transition', extra => jsonb_build_object('state', p.state,
            'clause_id', 'C2.1.1.d',
            'allowed_actions', app.allowed_actions('problems', p.state)::jsonb));
    end if;
    if app.is_open_matter(p.major_matter_id) then
        perform app.refuse(422, 'precondition-failed', array[
            app.fault('problem-already-submitted', null, null, null, 'C2.1.1.d')]);
    end if;
    return query select * from app.create('major_matters', jsonb_build_object(
        'kind', coalesce(body ->> 'kind', 'major_problem'),
        'title', coalesce(body ->> 'title', p.title),
        'description', coalesce(body ->> 'description', p.description),
        'severity', case p.severity when 'danger' then 'critical' when 'major' then 'major' else 'moderate' end,
        'organization_id', p.organization_id,
        'source_type', 'problems', 'source_id', p.id,
        'problem_ids', jsonb_build_array(p.id)));
end
$$;


-- Steps ------------------------------------------------------------------------

create or replace function app.before_major_matters(action text, r dudao.major_matters, data jsonb)
returns dudao.major_matters
language plpgsql security definer
as $$
begin
    case action
    when 'accept' then
        r.accepted_at := app.now();
        if r.kind = 'incident' then
            r.urgent_report_due_at := app.now() + make_interval(hours => app.parameter_int('urgent_report_hours'));
        end if;
    when 'report_urgent' then
        r.urgent_reported_at := coalesce(r.urgent_reported_at, app.now());
    when 'submit_to_meeting' then
        r.agenda_item_id := (data ->> 'agenda_item_id')::uuid;
    when 'resolve' then
        r.resolution_id := (data ->> 'resolution_id')::uuid;
        select m.held_on into r.resolved_on
        from dudao.meeting_resolutions x
        join dudao.meetings m on m.id = x.meeting_id
        where x.id = r.resolution_id;
        r.dispatch_due_on := app.add_workdays(greatest(r.resolved_on, app.today()),
            app.parameter_int('circulate_workdays'));
    when 'mark_circulated' then
        select max(d.sent_at) filter (where d.purpose = 'report'),
            max(d.sent_at) filter (where d.purpose = 'circulate')
            into r.reported_up_at, r.circulated_at
        from dudao.dispatches d
        where d.subject_type = 'major_matters' and d.subject_id = r.id
            and d.state in ('sent', 'received');
    when 'close' then
        r.closed_on := app.today();
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_major_matters(
    action text, old dudao.major_matters, new dudao.major_matters, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
    item dudao.meeting_agenda_items;
    meeting dudao.meetings;
    resolution dudao.meeting_resolutions;
begin
    case action
    when 'accept' then
        if new.kind = 'incident' and new.occurred_at is null then
            faults := faults || app.fault('required', '/occurred_at', null, null, 'L-DX-04');
        end if;
    when 'report_urgent' then
        if new.kind <> 'incident' then
            faults := faults || app.fault('not-an-incident', '/kind', null, null, 'L-DX-04');
        end if;
        if new.occurred_at is null then
            faults := faults || app.fault('required', '/occurred_at', null, null, 'L-DX-04');
        end if;
    when 'submit_to_meeting' then
        select * into item from dudao.meeting_agenda_items i where i.id = new.agenda_item_id;
        select * into meeting from dudao.meetings m where m.id = item.meeting_id;
        if new.agenda_item_id is null then
            faults := faults || app.fault('required', '/agenda_item_id', null, 'R-ORG-07', 'C2.1.1.c');
        elsif item.id is null then
            faults := faults || app.fault('unknown-reference', '/agenda_item_id', null, 'R-ORG-07', 'C2.1.1.c');
        else
            if not app.is_of_all_units(meeting.kind) then
                faults := faults || app.fault('not-a-meeting-of-the-committee', '/agenda_item_id',
                    jsonb_build_object('kind', meeting.kind), 'R-ORG-07', 'C2.1.1.c');
            end if;
            if meeting.state in ('cancelled', 'closed') then
                faults := faults || app.fault('meeting-not-open', '/agenda_item_id',
                    jsonb_build_object('state', meeting.state), 'R-ORG-07', 'C2.1.1.c');
            end if;
            if item.subject_id is not null and (item.subject_type, item.subject_id)
                    is distinct from ('major_matters', new.id) then
                faults := faults || app.fault('item-of-another-subject', '/agenda_item_id', null, 'R-ORG-07', 'C2.1.1.c');
            end if;
        end if;
    when 'resolve' then
        select * into resolution from dudao.meeting_resolutions r where r.id = new.resolution_id;
        select * into meeting from dudao.meetings m where m.id = resolution.meeting_id;
        if new.resolution_id is null then
            faults := faults || app.fault('resolution-required', '/resolution_id', null, 'R-ORG-07', 'C2.1.1.c');
        elsif resolution.id is null then
            faults := faults || app.fault('unknown-reference', '/resolution_id', null, 'R-ORG-07', 'C2.1.1.c');
        else
            if not app.is_of_all_units(meeting.kind) then
                faults := faults || app.fault('not-a-meeting-of-the-committee', '/resolution_id',
                    jsonb_build_object('kind', meeting.kind), 'R-ORG-07', 'C2.1.1.c');
            end if;
            if meeting.state not in ('held', 'minutes_drafted', 'minutes_issued', 'closed') then
                faults := faults || app.fault('meeting-not-held', '/resolution_id', null, 'R-ORG-07', 'C2.1.1.c');
            end if;
            if resolution.agenda_item_id is distinct from new.agenda_item_id then
                faults := faults || app.fault('resolution-of-another-item', '/resolution_id', null, 'R-ORG-07', 'C2.1.1.c');
            end if;
            if resolution.state = 'dropped' then
                faults := faults || app.fault('resolution-dropped', '/resolution_id', null, 'R-ORG-07', 'C2.1.1.c');
            end if;
        end if;
    when 'send_dispatches' then
        if not exists (select from dudao.dispatches d
                where d.subject_type = 'major_matters' and d.subject_id = new.id
                    and d.state in ('planned', 'returned')) then
            faults := faults || app.fault('nothing-to-send', null, null, 'R-RPT-02', 'C2.1.3.f');
        end if;
    when 'mark_circulated' then
        -- C2.1.3.f: to the superior, and to every unit that was a member on
        -- the day of the resolution, whoever is one today
        if not exists (select from dudao.dispatches d
                where d.subject_type = 'major_matters' and d.subject_id = new.id
                    and d.purpose = 'report' and d.recipient_role = 'superior_supervision'
                    and d.state in ('sent', 'received')) then
            faults := faults || app.fault('report-not-sent', null, null, 'R-RPT-02', 'C2.1.3.f');
        end if;
        faults := faults || array(
            select app.fault('circulation-not-sent', null,
                jsonb_build_object('organization_id', o.id, 'name', o.name), 'R-RPT-02', 'C2.1.3.f')
            from dudao.organizations o
            where o.id in (select u.organization_id from app.active_member_units(new.resolved_on) as u)
                and not exists (select from dudao.dispatches d
                    where d.subject_type = 'major_matters' and d.subject_id = new.id
                        and d.purpose = 'circulate' and d.recipient_organization_id = o.id
                        and d.state in ('sent', 'received'))
            order by o.code);
    when 'close' then
        faults := faults || array(
            select app.fault('resolutions-open', null, jsonb_build_object('count', count(*)), 'R-MTG-04', 'C2.1.1.d')
            from dudao.meeting_resolutions r
            where r.agenda_item_id = new.agenda_item_id and r.state = 'open'
            having count(*) > 0);
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.matter_payload(m dudao.major_matters) returns jsonb
language sql stable
as $$
    select jsonb_build_object('code', m.code, 'kind', m.kind, 'title', m.title,
        'severity', m.severity, 'occurred_at', app.ts(m.occurred_at),
        'resolved_on', m.resolved_on, 'state', m.state)
$$;

create or replace function app.effect_major_matters(
    action text, old dudao.major_matters, new dudao.major_matters, data jsonb)
returns void
language plpgsql security definer
as $$
declare
    reported uuid;
begin
    case action
    when 'accept' then
        if new.kind = 'incident' then
            perform app.enqueue('X-14', 'event', 'major_matters', new.id, 'matter:' || new.code,
                app.matter_payload(new), priority => 'urgent');
            if new.urgent_reported_at is null then
                perform app.deadline('major_matters', new.id, 'urgent_report',
                    (new.urgent_report_due_at at time zone 'Asia/Shanghai')::date);
                perform app.notify('major_matters', new.id, 'urgent_report_due', '突发事件须立即上报', new.title,
                    app.users_with_role('office_staff', 'deputy_chief_inspector', 'chief_inspector'),
                    new.urgent_report_due_at);
            end if;
        end if;
    when 'report_urgent' then
        perform app.report_upward('major_matters', new.id, app.today());
        perform app.system_step('dispatches', d.id, 'send')
        from dudao.dispatches d
        where d.subject_type = 'major_matters' and d.subject_id = new.id
            and d.purpose = 'report' and d.state = 'planned';
        perform app.meet_deadline('major_matters', new.id, 'urgent_report');
        perform app.enqueue('X-14', 'event', 'major_matters', new.id, 'matter:' || new.code,
            app.matter_payload(new) || jsonb_build_object('urgent_reported_at', app.ts(new.urgent_reported_at)),
            priority => 'urgent');
    when 'resolve' then
        perform app.report_upward('major_matters', new.id, new.dispatch_due_on);
        perform app.circulate('major_matters', new.id, new.resolved_on, new.dispatch_due_on);
        perform app.deadline('major_matters', new.id, 'circulation', new.dispatch_due_on);
        perform app.enqueue('X-14', 'upsert', 'major_matters', new.id, 'matter:' || new.code,
            app.matter_payload(new));
        perform app.notify('major_matters', new.id, 'matter_resolved', '重大事项已议决，待上报通报', new.title,
            app.users_with_role('office_staff', 'deputy_chief_inspector'),
            (new.dispatch_due_on + 1)::timestamp at time zone 'Asia/Shanghai');
    when 'send_dispatches' then
        perform app.system_step('dispatches', d.id, 'send',
            jsonb_strip_nulls(jsonb_build_object('doc_no', data ->> 'doc_no', 'channel', data ->> 'channel')))
        from dudao.dispatches d
        where d.subject_type = 'major_matters' and d.subject_id = new.id
            and d.state in ('planned', 'returned');
        perform app.notify('major_matters', new.id, 'matter_circulated', '重大事项通报', new.title,
            array(select u.id
                from dudao.dispatches d
                join dudao.users u on u.organization_id = d.recipient_organization_id
                where d.subject_type = 'major_matters' and d.subject_id = new.id
                    and d.purpose = 'circulate' and u.status = 'active'));
    when 'mark_circulated' then
        perform app.meet_deadline('major_matters', new.id, 'circulation');
    when 'void' then
        perform app.meet_deadline('major_matters', new.id, 'urgent_report');
        perform app.join_problems(new.id, '{}');
    else
        null;
    end case;
end
$$;

-- L-DX-04: an incident that was not reported within the hours, once.
create or replace function app.tell_urgent_reports() returns void
language sql security definer
as $$
    select app.notify('major_matters', m.id, 'urgent_report_overdue', '突发事件上报超时', m.title,
        app.users_with_role('chief_inspector', 'office_staff', 'committee_director'),
        m.urgent_report_due_at)
    from dudao.major_matters m
    where m.urgent_report_due_at < app.now() and m.urgent_reported_at is null
        and m.state = 'accepted' and m.urgent_report_due_at > app.now() - interval '7 days'
$$;


drop view if exists app.major_matters_json;
create view app.major_matters_json with (security_invoker = true) as
select m.*,
    json_build_object(
        'id', m.id, 'version', m.version, 'code', m.code, 'kind', m.kind,
        'title', m.title, 'description', m.description,
        'organization_id', m.organization_id,
        'organization_name', app.organization_name(m.organization_id),
        'occurred_at', app.ts(m.occurred_at),
        'source_type', m.source_type, 'source_id', m.source_id,
        'severity', m.severity, 'accepted_at', app.ts(m.accepted_at),
        'urgent_report_due_at', app.ts(m.urgent_report_due_at),
        'urgent_reported_at', app.ts(m.urgent_reported_at),
        'urgent_report_overdue', m.urgent_report_due_at is not null
            and coalesce(m.urgent_reported_at, app.now()) > m.urgent_report_due_at,
        'problem_ids', (select coalesce(json_agg(p.id order by p.id), '[]')
            from dudao.problems p where p.major_matter_id = m.id),
        'agenda_item_id', m.agenda_item_id, 'resolution_id', m.resolution_id,
        'resolved_on', m.resolved_on, 'dispatch_due_on', m.dispatch_due_on,
        'reported_up_at', app.ts(m.reported_up_at), 'circulated_at', app.ts(m.circulated_at),
        'circulation_overdue', m.state = 'resolved' and m.dispatch_due_on < app.today(),
        'closed_on', m.closed_on,
        'voided_at', app.ts(m.voided_at), 'void_reason', m.void_reason,
        'state', m.state,
        'allowed_actions', app.allowed_actions('major_matters', case when m.voided_at is null then m.state end),
        'created_at', app.ts(m.created_at), 'updated_at', app.ts(m.updated_at),
        'is_demo', m.is_demo) as body
from dudao.major_matters m;
