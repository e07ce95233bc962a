-- Meetings of the committee, their agenda, attendance and resolutions (3.19,
-- 3.24): C2.1.1.b, C2.1.1.l, C2.1.3.c, C2.1.3.d, R-ORG-06, R-ORG-08, R-MTG-01
-- to R-MTG-04.

select app.register('meetings', permission_group => 'meetings', machine => true,
    editable_in => '{planned,postponed,held,minutes_drafted}',
    read_only => '{code,minutes_issued_on,postpone_reason,cancel_reason}',
    searched => '{title,topic,code}');
select app.register('meeting_agenda_items', permission_group => 'meetings');
select app.register('meeting_attendances', permission_group => 'meetings');
select app.register('meeting_resolutions', permission_group => 'meetings',
    machine => true, editable_in => '{open}',
    read_only => '{code,seq,issued_on,reported_on,reported_by,report_text,
        evidence,done_on,drop_reason}', searched => '{text,code}');

-- c: what was dispatched to the unit, that is from the notice on; resolutions
-- with the minutes. o: the unit's own resolutions.
insert into app.scope_predicates(resource, scope, predicate) values
    ('meetings', 'c', 'id = any ((select app.circulated_to_me(''meetings''))::uuid[])'),
    ('meetings', 'o', 'false'),
    ('meeting_agenda_items', 'c', 'meeting_id = any ((select app.circulated_to_me(''meetings''))::uuid[])'),
    ('meeting_agenda_items', 'o', 'false'),
    ('meeting_attendances', 'c', 'meeting_id = any ((select app.circulated_to_me(''meetings''))::uuid[])'),
    ('meeting_attendances', 'o', 'false'),
    ('meeting_resolutions', 'c', 'issued_on is not null and meeting_id = any ((select app.circulated_to_me(''meetings''))::uuid[])'),
    ('meeting_resolutions', 'o', 'issued_on is not null and owner_organization_id = (select app.organization_id())')
on conflict (resource, scope) do update set predicate = excluded.predicate;

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('meetings.kind', 'committee_plenary', '委员会全体会议', 'Plenary of the committee', 1),
    ('meetings.kind', 'joint_meeting', '联席会议', 'Joint meeting', 2),
    ('meetings.kind', 'communication_session', '沟通交流会', 'Communication session', 3),
    ('meetings.kind', 'office_meeting', '督导办会议', 'Office meeting', 4),
    ('meeting_agenda_items.kind', 'study', '研究', 'Study', 1),
    ('meeting_agenda_items.kind', 'deliberation', '审议', 'Deliberation', 2),
    ('meeting_agenda_items.kind', 'coordination', '协调', 'Coordination', 3),
    ('meeting_agenda_items.kind', 'appointment', '聘任', 'Appointment', 4),
    ('meeting_agenda_items.kind', 'report', '听取汇报', 'Report', 5)
on conflict (name, value) do update set label_zh = excluded.label_zh,
    label_en = excluded.label_en, sort = excluded.sort;


-- Who reads all meetings (scope a); drafts of minutes are not for leaders (4.1).
create or replace function app.reads_all_meetings() returns boolean
language sql stable
as $$
    select exists (
        select from app.permissions p
        where p.permission_group = 'meetings' and p.scope = 'a'
            and p.operations like 'R%' and p.role = any (app.roles()))
$$;

create or replace function app.reads_drafts() returns boolean
language sql stable
as $$
    select app.roles() && '{committee_director,committee_deputy,chief_inspector,deputy_chief_inspector,office_staff,auditor}'::text[]
$$;


-- What holds for each row ------------------------------------------------------

create or replace function app.meeting_state(meeting uuid) returns text
language plpgsql stable security definer
as $$
begin
    return (
        select m.state from dudao.meetings m where m.id = meeting);
end
$$;

-- Whether a record of that table exists, whoever asks.
create or replace function app.record_exists(subject_type text, subject_id uuid) returns boolean
language plpgsql stable security definer
as $$
declare
    result boolean := false;
begin
    if exists (select from app.resources r where r.resource = subject_type) then
        execute format('select exists (select from dudao.%I where id = $1)', subject_type)
            into result using subject_id;
    end if;
    return result;
end
$$;

create or replace function app.is_of_organization(person uuid, organization uuid) returns boolean
language plpgsql stable security definer
as $$
begin
    return coalesce((select p.organization_id from dudao.persons p where p.id = person) = organization, true);
end
$$;

insert into app.row_rules(resource, name, expression, pointer, code, rule_id, clause_id, params) values
    ('meetings', 'planned_ahead',
     'new.state <> ''planned'' or (old.id is not null and old.scheduled_on = new.scheduled_on) or new.scheduled_on >= app.today()',
     '/scheduled_on', 'date-in-past', null, 'C2.1.1.b', 'jsonb_build_object(''min'', app.today())'),
    ('meetings', 'held_not_in_the_future', 'new.held_on <= app.today()',
     '/held_on', 'date-in-future', null, 'C2.1.1.b', 'jsonb_build_object(''max'', app.today())'),
    ('meetings', 'held_after_notice', 'new.held_on >= new.notified_on',
     '/held_on', 'date-before-start', null, 'C2.1.1.b', 'jsonb_build_object(''min'', new.notified_on)'),
    ('meetings', 'held_when_held',
     'new.held_on is null or new.state not in (''planned'', ''notified'', ''postponed'', ''cancelled'')',
     '/held_on', 'meeting-not-held', null, 'C2.1.1.b', null),
    ('meetings', 'notice_of_what_was_held',
     'new.state not in (''held'', ''minutes_drafted'', ''minutes_issued'', ''closed'') or new.notified_on is not null',
     '/notified_on', 'required', null, 'C2.1.1.b', null),
    ('meetings', 'day_of_what_was_held',
     'new.state not in (''held'', ''minutes_drafted'', ''minutes_issued'', ''closed'') or new.held_on is not null',
     '/held_on', 'required', null, 'C2.1.1.b', null),
    ('meetings', 'minutes_of_what_was_issued',
     'new.state not in (''minutes_drafted'', ''minutes_issued'', ''closed'') or new.minutes is not null',
     '/minutes', 'required', null, 'C2.1.3.d', null),
    ('meetings', 'issued_by_the_step',
     '(new.minutes_issued_on is not null) = (new.state in (''minutes_issued'', ''closed''))',
     '/minutes_issued_on', 'read-only-field', null, 'C2.1.3.d', null),
    ('meetings', 'no_minutes_before',
     'new.minutes is null or new.state not in (''planned'', ''notified'', ''postponed'', ''cancelled'')',
     '/minutes', 'meeting-not-held', null, 'C2.1.3.d', null),
    ('meetings', 'minutes_name_nobody', 'not app.names_a_person(new.minutes)', '/minutes', 'personal-data', null, 'L-XX-01', null),
    -- what was held is a fact; its minutes are open until they are issued
    ('meetings', 'facts_are_kept',
     'old.id is null or old.state not in (''held'', ''minutes_drafted'', ''minutes_issued'', ''closed'')
        or (new.kind, new.title, new.topic, new.scheduled_on, new.held_on, new.notified_on)
        is not distinct from (old.kind, old.title, old.topic, old.scheduled_on, old.held_on, old.notified_on)',
     '/held_on', 'not-editable', null, 'C2.1.1.b', null),
    ('meetings', 'issued_minutes_are_kept',
     'old.id is null or old.state not in (''minutes_issued'', ''closed'')
        or (new.minutes, new.minutes_attachment_id, new.minutes_issued_on, new.chair_person_id, new.place)
        is not distinct from (old.minutes, old.minutes_attachment_id, old.minutes_issued_on, old.chair_person_id, old.place)',
     '/minutes', 'not-editable', null, 'C2.1.3.d', null),
    ('meeting_agenda_items', 'subject_whole', '(new.subject_type is null) = (new.subject_id is null)',
     '/subject_id', 'required', null, 'C2.1.1.b', null),
    ('meeting_agenda_items', 'subject_known',
     'new.subject_id is null or new.subject_type is null or app.record_exists(new.subject_type, new.subject_id)',
     '/subject_id', 'unknown-reference', null, 'C2.1.1.b', null),
    ('meeting_agenda_items', 'meeting_open',
     'coalesce(app.meeting_state(new.meeting_id), '''') not in (''minutes_issued'', ''closed'', ''cancelled'')',
     '/meeting_id', 'not-editable', null, 'C2.1.1.b', null),
    ('meeting_agenda_items', 'stays', 'old.id is null or new.meeting_id = old.meeting_id', '/meeting_id', 'read-only-field', null, null, null),
    ('meeting_attendances', 'meeting_open',
     'coalesce(app.meeting_state(new.meeting_id), '''') not in (''minutes_issued'', ''closed'', ''cancelled'')',
     '/meeting_id', 'not-editable', null, 'C2.1.1.l', null),
    ('meeting_attendances', 'attended_when_held',
     'new.attended is null or app.meeting_state(new.meeting_id) in (''notified'', ''held'', ''minutes_drafted'')',
     '/attended', 'meeting-not-held', 'R-ORG-08', 'C2.1.1.l', null),
    ('meeting_attendances', 'person_of_the_unit',
     'new.person_id is null or app.is_of_organization(new.person_id, new.organization_id)',
     '/person_id', 'person-of-another-unit', 'R-ORG-08', 'C2.1.1.l', null),
    ('meeting_attendances', 'substitute_of_the_unit',
     'new.substitute_for is null or app.is_of_organization(new.substitute_for, new.organization_id)',
     '/substitute_for', 'person-of-another-unit', 'R-ORG-08', 'C2.1.1.l', null),
    ('meeting_attendances', 'substitute_named',
     'new.substitute_for is null or new.person_id is not null', '/person_id', 'required', 'R-ORG-08', 'C2.1.1.l', null),
    ('meeting_attendances', 'reason_of_the_absent',
     'new.absence_reason is null or new.attended is not true', '/absence_reason', 'absence-reason-of-attender', 'R-ORG-08', 'C2.1.1.l', null),
    ('meeting_attendances', 'stays', 'old.id is null or new.meeting_id = old.meeting_id', '/meeting_id', 'read-only-field', null, null, null),
    ('meeting_resolutions', 'meeting_held',
     'coalesce(app.meeting_state(new.meeting_id), '''') not in (''planned'', ''notified'', ''postponed'', ''cancelled'')',
     '/meeting_id', 'meeting-not-held', 'R-MTG-04', 'C2.1.1.d', null),
    ('meeting_resolutions', 'text_is_kept',
     'old.id is null and coalesce(app.meeting_state(new.meeting_id), '''') not in (''minutes_issued'', ''closed'')
        or old.id is not null and old.issued_on is null
        or (new.agenda_item_id, new.text, new.owner_organization_id, new.due_on, new.seq, new.code)
        is not distinct from (old.agenda_item_id, old.text, old.owner_organization_id, old.due_on, old.seq, old.code)',
     '/text', 'not-editable', 'R-MTG-04', 'C2.1.1.d', null),
    ('meeting_resolutions', 'item_of_the_meeting',
     'new.agenda_item_id is null or exists (select from dudao.meeting_agenda_items i
        where i.id = new.agenda_item_id and i.meeting_id = new.meeting_id)',
     '/agenda_item_id', 'unknown-reference', 'R-MTG-04', 'C2.1.1.c', null),
    ('meeting_resolutions', 'due_after_meeting',
     'new.due_on >= (select m.held_on from dudao.meetings m where m.id = new.meeting_id)',
     '/due_on', 'date-before-start', 'R-MTG-04', 'C2.1.1.d',
     'jsonb_build_object(''min'', (select m.held_on from dudao.meetings m where m.id = new.meeting_id))'),
    ('meeting_resolutions', 'stays', 'old.id is null or new.meeting_id = old.meeting_id', '/meeting_id', 'read-only-field', null, null, null),
    ('meeting_resolutions', 'issued_with_the_minutes',
     'new.issued_on is null or old.id is not null and app.meeting_state(new.meeting_id) in (''minutes_issued'', ''closed'')',
     '/issued_on', 'read-only-field', 'R-MTG-04', 'C2.1.1.d', null),
    ('meeting_resolutions', 'begins_unreported',
     'old.id is not null or new.reported_on is null and new.report_text is null and new.evidence = ''{}''',
     '/reported_on', 'read-only-field', 'R-MTG-04', 'C2.1.1.d', null),
    ('meeting_resolutions', 'done_by_the_step', '(new.done_on is not null) = (new.state = ''done'')',
     '/done_on', 'read-only-field', 'R-MTG-04', 'C2.1.1.d', null),
    ('meeting_resolutions', 'dropped_by_the_step', '(new.drop_reason is not null) = (new.state = ''dropped'')',
     '/drop_reason', 'read-only-field', 'R-MTG-04', 'C2.1.1.d', null),
    ('meeting_resolutions', 'report_is_kept',
     'old.id is null or old.state = ''open'' or (new.reported_on, new.report_text, new.evidence, new.done_on, new.drop_reason)
        is not distinct from (old.reported_on, old.report_text, old.evidence, old.done_on, old.drop_reason)',
     '/state', 'not-editable', 'R-MTG-04', 'C2.1.1.d', null);


-- Children ---------------------------------------------------------------------

-- The faults of one part of a body, each under the part's place in it.
create or replace function app.faults_below(
    prefix text, sqlstate text, detail text, constraint_name text, table_name text, column_name text)
returns app.fault[]
language plpgsql stable
as $$
declare
    told jsonb;
begin
    if sqlstate like 'DD%' then
        told := detail::jsonb;
    else
        select v.body::jsonb into told
        from app.describe_violation(sqlstate, constraint_name, table_name, column_name) as v;
    end if;
    if told -> 'errors' is null then
        return array[app.fault(coalesce(told ->> 'code', 'invalid-value'), prefix)];
    end if;
    return array(
        select app.fault(e ->> 'code', prefix || coalesce(e ->> 'pointer', ''), e -> 'params',
            e ->> 'rule_id', e ->> 'clause_id')
        from jsonb_array_elements(told -> 'errors') as e);
end
$$;

-- Plenary and joint meetings are of all member units (C2.1.1.b, C2.1.3.d).
create or replace function app.is_of_all_units(kind text) returns boolean
language sql immutable
as $$
    select kind in ('committee_plenary', 'joint_meeting')
$$;

-- Member units of the meeting's day that are not invited.
create or replace function app.invitation_faults(m dudao.meetings) returns app.fault[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(app.fault('member-unit-missing', '/attendances',
                jsonb_build_object('organization_id', o.id, 'name', o.name),
                case m.kind when 'joint_meeting' then 'R-MTG-01' else 'R-ORG-06' end,
                case m.kind when 'joint_meeting' then 'C2.1.3.d' else 'C2.1.1.b' end) order by o.code), '{}')
        from dudao.organizations o
        where app.is_of_all_units(m.kind)
            and o.id in (select u.organization_id from app.active_member_units(coalesce(m.held_on, m.scheduled_on)) as u)
            and not exists (select from dudao.meeting_attendances a
                where a.meeting_id = m.id and a.organization_id = o.id and a.invited));
end
$$;

-- The committee is convened by its director or a deputy (C2.1.1.b).
create or replace function app.chair_faults(m dudao.meetings) returns app.fault[]
language plpgsql stable security definer
as $$
begin
    if not app.is_of_all_units(m.kind) then
        return '{}';
    elsif m.chair_person_id is null then
        return array[app.fault('required', '/chair_person_id', null, null, 'C2.1.1.b')];
    elsif not exists (select from dudao.committee_members c
            where c.person_id = m.chair_person_id and c.role in ('director', 'deputy_director')
                and daterange(c.joined_on, c.left_on, '[)') @> coalesce(m.held_on, m.scheduled_on)) then
        return array[app.fault('chair-not-of-the-committee', '/chair_person_id', null, null, 'C2.1.1.b')];
    end if;
    return '{}';
end
$$;

create or replace function app.invite_all_units(m dudao.meetings) returns void
language sql security definer
as $$
    insert into dudao.meeting_attendances(meeting_id, organization_id, is_demo)
    select m.id, u.organization_id, m.is_demo
    from app.active_member_units(coalesce(m.held_on, m.scheduled_on)) as u
    where app.is_of_all_units(m.kind)
    on conflict (meeting_id, organization_id) do update set invited = true
$$;

-- Two thirds of the member units, for a plenary (project default).
create or replace function app.quorum_of(m dudao.meetings) returns integer
language plpgsql stable security definer
as $$
begin
    return (
        select ceil(count(*) * split_part(q, '/', 1)::numeric / split_part(q, '/', 2)::numeric)::integer
        from app.active_member_units(coalesce(m.held_on, m.scheduled_on)) as u,
            lateral (select app.parameter('meeting_quorum') #>> '{}' as q) as p
        group by q);
end
$$;

-- What was held: everybody was asked in time, attendance is known, and enough
-- came.
create or replace function app.held_faults(m dudao.meetings) returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := app.invitation_faults(m);
    notice constant integer := app.parameter_int('meeting_notice_workdays');
    needed integer;
    present integer;
begin
    if not exists (select from dudao.meeting_agenda_items i where i.meeting_id = m.id) then
        faults := faults || app.fault('agenda-required', '/agenda', null, null, 'C2.1.1.b');
    end if;
    if m.held_on < app.add_workdays(m.notified_on, notice) then
        faults := faults || app.fault('notice-too-late', '/held_on',
            jsonb_build_object('min', app.add_workdays(m.notified_on, notice)), null, 'C2.1.1.b');
    end if;
    faults := faults || array(
        select app.fault('attendance-unknown', '/attendances',
            jsonb_build_object('organization_id', o.id, 'name', o.name), 'R-ORG-08', 'C2.1.1.l')
        from dudao.meeting_attendances a
        join dudao.organizations o on o.id = a.organization_id
        where a.meeting_id = m.id and a.attended is null
        order by o.code);
    if not exists (select from dudao.meeting_attendances a where a.meeting_id = m.id and a.attended) then
        faults := faults || app.fault('nobody-attended', '/attendances', null, 'R-ORG-08', 'C2.1.1.l');
    end if;
    if m.kind = 'committee_plenary' then
        needed := app.quorum_of(m);
        select count(*) into present
        from dudao.meeting_attendances a
        where a.meeting_id = m.id and a.attended
            and a.organization_id in (select u.organization_id from app.active_member_units(m.held_on) as u);
        if present < needed then
            faults := faults || app.fault('quorum-not-reached', '/attendances',
                jsonb_build_object('min', needed, 'count', present), 'R-ORG-06', 'C2.1.1.b');
        end if;
    end if;
    return faults;
end
$$;

-- Agenda, attendances and resolutions of a body, in its order; what the body
-- does not name stays. All faults of all parts come back together.
create or replace function app.store_meeting_parts(m dudao.meetings, body jsonb) returns app.fault[]
language plpgsql security definer
as $$
declare
    faults app.fault[] := '{}';
    entry record;
    part jsonb;
    item uuid;
    e_detail text;
    e_constraint text;
    e_table text;
    e_column text;
begin
    for entry in
        select k.key, '/' || k.key || '/' || (e.place - 1) as prefix, e.part, e.place::integer as seq,
            row_number() over (partition by k.key, e.part ->> 'organization_id' order by e.place) > 1 as is_repeated
        from (values (1, 'agenda'), (2, 'attendances'), (3, 'resolutions')) as k(n, key),
            lateral jsonb_array_elements(case when jsonb_typeof(body -> k.key) = 'array'
                then body -> k.key else '[]' end) with ordinality as e(part, place)
        order by k.n, e.place
    loop
        part := entry.part;
        begin
            if entry.key = 'agenda' then
                insert into dudao.meeting_agenda_items as i (meeting_id, seq, title, kind,
                    subject_type, subject_id, presenter_person_id, outcome, is_demo)
                values (m.id, entry.seq, part ->> 'title', part ->> 'kind', part ->> 'subject_type',
                    (part ->> 'subject_id')::uuid, (part ->> 'presenter_person_id')::uuid,
                    part ->> 'outcome', m.is_demo)
                on conflict (meeting_id, seq) do update set title = excluded.title, kind = excluded.kind,
                    subject_type = excluded.subject_type, subject_id = excluded.subject_id,
                    presenter_person_id = excluded.presenter_person_id, outcome = excluded.outcome;
            elsif entry.key = 'attendances' then
                if entry.is_repeated then
                    faults := faults || app.fault('duplicate-items', entry.prefix || '/organization_id');
                    continue;
                end if;
                insert into dudao.meeting_attendances as a (meeting_id, organization_id, person_id,
                    invited, attended, substitute_for, absence_reason, is_demo)
                values (m.id, (part ->> 'organization_id')::uuid, (part ->> 'person_id')::uuid,
                    coalesce((part ->> 'invited')::boolean, true), (part ->> 'attended')::boolean,
                    (part ->> 'substitute_for')::uuid, part ->> 'absence_reason', m.is_demo)
                on conflict (meeting_id, organization_id) do update set person_id = excluded.person_id,
                    -- who was invited stays so when attendance is taken
                    invited = case when part ? 'invited' then excluded.invited else a.invited end,
                    attended = excluded.attended, substitute_for = excluded.substitute_for,
                    absence_reason = excluded.absence_reason;
            else
                item := coalesce((part ->> 'agenda_item_id')::uuid, (
                    select i.id from dudao.meeting_agenda_items i
                    where i.meeting_id = m.id and i.seq = (part ->> 'agenda_seq')::integer));
                if item is null and part ->> 'agenda_seq' is not null then
                    faults := faults || app.fault('unknown-reference', entry.prefix || '/agenda_seq',
                        null, 'R-MTG-04', 'C2.1.1.c');
                    item := (select i.id from dudao.meeting_agenda_items i where i.meeting_id = m.id limit 1);
                end if;
                insert into dudao.meeting_resolutions as r (code, meeting_id, seq, agenda_item_id,
                    text, owner_organization_id, due_on, is_demo)
                values (app.next_code('YD'), m.id, entry.seq, item, part ->> 'text',
                    (part ->> 'owner_organization_id')::uuid, (part ->> 'due_on')::date, m.is_demo)
                on conflict (meeting_id, seq) do update set agenda_item_id = excluded.agenda_item_id,
                    text = excluded.text, owner_organization_id = excluded.owner_organization_id,
                    due_on = excluded.due_on;
            end if;
        exception when sqlstate 'DD422' or integrity_constraint_violation then
            get stacked diagnostics e_detail = pg_exception_detail, e_constraint = constraint_name,
                e_table = table_name, e_column = column_name;
            faults := faults || app.faults_below(entry.prefix, sqlstate, e_detail, e_constraint, e_table, e_column);
        end;
    end loop;
    if cardinality(faults) > 0 then
        return faults;
    end if;

    -- what is no longer named
    if body ? 'resolutions' then
        delete from dudao.meeting_resolutions r
        where r.meeting_id = m.id and r.issued_on is null
            and r.seq > jsonb_array_length(body -> 'resolutions');
    end if;
    begin
        if body ? 'agenda' then
            delete from dudao.meeting_agenda_items i
            where i.meeting_id = m.id and i.seq > jsonb_array_length(body -> 'agenda');
        end if;
    exception when foreign_key_violation then
        faults := faults || app.fault('agenda-item-in-use', '/agenda', null, 'R-MTG-04', 'C2.1.1.c');
    end;
    return faults;
end
$$;

-- Who is no longer named is no longer invited.
create or replace function app.forget_invitations(m dudao.meetings, attendances jsonb) returns void
language sql security definer
as $$
    delete from dudao.meeting_attendances a
    where a.meeting_id = m.id
        and a.organization_id not in (
            select (e ->> 'organization_id')::uuid from jsonb_array_elements(attendances) as e)
$$;

-- Parts and the rules that join them, for create and patch.
create or replace function app.store_meeting_body(m dudao.meetings, body jsonb) returns app.fault[]
language plpgsql security definer
as $$
declare
    faults app.fault[];
begin
    if m.held_on is null and jsonb_typeof(body -> 'resolutions') = 'array'
            and jsonb_array_length(body -> 'resolutions') > 0 then
        -- none is stored before the meeting is held; the rest is told as well
        faults := app.store_meeting_parts(m, body - 'resolutions')
            || app.fault('meeting-not-held', '/resolutions', null, 'R-MTG-04', 'C2.1.1.d');
    else
        faults := app.store_meeting_parts(m, body);
    end if;
    if cardinality(faults) = 0 and body ? 'attendances' then
        perform app.forget_invitations(m, body -> 'attendances');
        faults := faults || app.invitation_faults(m);
    end if;
    return faults;
end
$$;


-- Create and change --------------------------------------------------------------

create or replace function app.before_create_meetings(r dudao.meetings, body jsonb)
returns dudao.meetings
language plpgsql
as $$
declare
    sound dudao.meetings;
    detail text;
    told jsonb;
begin
    r.code := app.next_code('HY');
    -- a meeting that was held before it was entered here
    if r.held_on is not null then
        r.state := 'held';
        r.scheduled_on := coalesce(r.scheduled_on, r.held_on);
    end if;
    if not body ?| array['agenda', 'attendances', 'resolutions'] then
        return r;
    end if;
    -- the parts are read even where the meeting itself is wrong
    begin
        insert into dudao.meetings(id, code, kind, title, topic, scheduled_on, notified_on, held_on,
            place, chair_person_id, minutes, minutes_attachment_id, state)
        values (r.id, r.code, r.kind, r.title, r.topic, r.scheduled_on, r.notified_on, r.held_on,
            r.place, r.chair_person_id, r.minutes, r.minutes_attachment_id, r.state);
        raise exception using errcode = 'DD999';
    exception
    when sqlstate 'DD999' or insufficient_privilege then
        return r;
    when sqlstate 'DD422' then
        get stacked diagnostics detail = pg_exception_detail;
    end;
    sound := r;
    sound.scheduled_on := app.today() + 30;
    sound.held_on := null;
    insert into dudao.meetings(id, code, kind, title, topic, scheduled_on)
    values (sound.id, sound.code, coalesce(sound.kind, 'office_meeting'), coalesce(sound.title, '-'),
        coalesce(sound.topic, '-'), sound.scheduled_on);
    told := detail::jsonb;
    perform app.refuse(422, 'validation-failed',
        app.faults_below('', 'DD422', detail, null, null, null)
        || app.store_meeting_parts(sound, case when r.held_on is null then body
            else body - 'resolutions' end
            || case when body ? 'attendances' then jsonb_build_object('attendances', (
                select jsonb_agg(a - 'attended' - 'absence_reason')
                from jsonb_array_elements(body -> 'attendances') as a)) else '{}' end));
    return r;
end
$$;

create or replace function app.after_create_meetings(r dudao.meetings, body jsonb) returns void
language plpgsql
as $$
declare
    faults app.fault[];
begin
    faults := app.store_meeting_body(r, body);
    if cardinality(faults) = 0 and not body ? 'attendances' then
        perform app.invite_all_units(r);
    end if;
    if cardinality(faults) = 0 and r.state = 'held' then
        faults := app.held_faults(r);
    end if;
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    if r.state = 'held' then
        perform app.deadline('meetings', r.id, 'minutes',
            app.add_workdays(r.held_on, app.parameter_int('meeting_minutes_workdays')));
    end if;
end
$$;

create or replace function app.before_patch_meetings(r dudao.meetings, patch jsonb)
returns dudao.meetings
language plpgsql
as $$
declare
    faults app.fault[];
    detail text;
begin
    faults := app.store_meeting_body(r, patch);
    if cardinality(faults) = 0 then
        return r;
    end if;
    begin
        update dudao.meetings m
        set kind = r.kind, title = r.title, topic = r.topic, scheduled_on = r.scheduled_on,
            place = r.place, chair_person_id = r.chair_person_id, minutes = r.minutes,
            minutes_attachment_id = r.minutes_attachment_id
        where m.id = r.id;
    exception when sqlstate 'DD422' then
        get stacked diagnostics detail = pg_exception_detail;
        faults := app.faults_below('', 'DD422', detail, null, null, null) || faults;
    end;
    perform app.refuse(422, 'validation-failed', faults);
    return r;
end
$$;

create or replace function app.after_patch_meetings(r dudao.meetings, patch jsonb) returns void
language plpgsql
as $$
declare
    faults app.fault[] := '{}';
begin
    if patch ?| array['agenda', 'attendances', 'resolutions'] then
        if patch - '{agenda,attendances,resolutions}'::text[] = '{}' then
            update dudao.meetings set id = id where id = r.id;
        end if;
        if r.state in ('held', 'minutes_drafted') then
            faults := app.held_faults(r);
        end if;
    end if;
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
end
$$;

create or replace function app.before_create_meeting_resolutions(r dudao.meeting_resolutions, body jsonb)
returns dudao.meeting_resolutions
language plpgsql
as $$
begin
    r.code := app.next_code('YD');
    r.seq := coalesce((select max(x.seq) from dudao.meeting_resolutions x where x.meeting_id = r.meeting_id), 0) + 1;
    return r;
end
$$;


-- The same for whoever writes past the functions: when the transaction ends,
-- what is held is held by the rules.
create or replace function app.check_held() returns trigger
language plpgsql security definer
as $$
declare
    m dudao.meetings;
    faults app.fault[];
begin
    if tg_table_name = 'meetings' then
        select * into m from dudao.meetings x where x.id = new.id;
    else
        select * into m from dudao.meetings x where x.id = coalesce(new.meeting_id, old.meeting_id);
    end if;
    if m.state in ('held', 'minutes_drafted') then
        faults := app.held_faults(m);
        if cardinality(faults) > 0 then
            perform app.refuse(422, 'validation-failed', faults);
        end if;
    end if;
    return null;
end
$$;

drop trigger if exists d_held on dudao.meetings;
create constraint trigger d_held after insert on dudao.meetings
    deferrable initially deferred for each row execute function app.check_held();
drop trigger if exists d_held on dudao.meeting_attendances;
create constraint trigger d_held after update or delete on dudao.meeting_attendances
    deferrable initially deferred for each row execute function app.check_held();


-- Steps of a meeting ---------------------------------------------------------------

create or replace function app.before_meetings(action text, r dudao.meetings, data jsonb)
returns dudao.meetings
language plpgsql security definer
as $$
declare
    faults app.fault[] := '{}';
begin
    case action
    when 'notify' then
        r.notified_on := app.today();
    when 'hold' then
        r.held_on := coalesce((data ->> 'held_on')::date, least(r.scheduled_on, app.today()));
        r.place := coalesce(data ->> 'place', r.place);
        r.chair_person_id := coalesce((data ->> 'chair_person_id')::uuid, r.chair_person_id);
        -- who comes without an invitation is a guest
        faults := app.store_meeting_parts(r, jsonb_build_object('attendances', coalesce((
            select jsonb_agg(case when exists (select from dudao.meeting_attendances x
                    where x.meeting_id = r.id
                        and x.organization_id = (a ->> 'organization_id')::uuid)
                then a - 'invited' else a || '{"invited": false}' end)
            from jsonb_array_elements(data -> 'attendances') as a), '[]')));
    when 'draft_minutes' then
        r.minutes := coalesce(data ->> 'minutes', r.minutes);
        r.minutes_attachment_id := coalesce((data ->> 'minutes_attachment_id')::uuid, r.minutes_attachment_id);
        faults := app.store_meeting_parts(r, data - 'agenda' - 'attendances')
            || array(
                select app.fault('unknown-reference', format('/outcomes/%s/agenda_seq', o.place - 1))
                from jsonb_array_elements(coalesce(data -> 'outcomes', '[]')) with ordinality as o(outcome, place)
                where not exists (select from dudao.meeting_agenda_items i
                    where i.meeting_id = r.id and i.seq = (o.outcome ->> 'agenda_seq')::integer));
        update dudao.meeting_agenda_items i
        set outcome = o ->> 'outcome'
        from jsonb_array_elements(coalesce(data -> 'outcomes', '[]')) as o
        where i.meeting_id = r.id and i.seq = (o ->> 'agenda_seq')::integer;
    when 'issue_minutes' then
        r.minutes_issued_on := app.today();
    when 'postpone' then
        r.scheduled_on := coalesce((data ->> 'scheduled_on')::date, r.scheduled_on);
        r.notified_on := null;
        r.postpone_reason := data ->> 'reason';
    when 'cancel' then
        r.cancel_reason := data ->> 'reason';
    else
        null;
    end case;
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'precondition-failed', faults);
    end if;
    return r;
end
$$;

create or replace function app.guard_meetings(
    action text, old dudao.meetings, new dudao.meetings, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
    earliest date;
    open_count integer;
begin
    case action
    when 'notify' then
        if not exists (select from dudao.meeting_agenda_items i where i.meeting_id = new.id) then
            faults := faults || app.fault('agenda-required', '/agenda', null, null, 'C2.1.1.b');
        end if;
        if not exists (select from dudao.meeting_attendances a where a.meeting_id = new.id and a.invited) then
            faults := faults || app.fault('invitees-required', '/attendances', null, null, 'C2.1.1.b');
        end if;
        faults := faults || app.chair_faults(new);
        earliest := app.add_workdays(app.today(), app.parameter_int('meeting_notice_workdays'));
        if new.scheduled_on < earliest then
            faults := faults || app.fault('notice-too-late', '/scheduled_on',
                jsonb_build_object('min', earliest), null, 'C2.1.1.b');
        end if;
        faults := faults || app.invitation_faults(new);
    when 'hold' then
        if new.held_on > app.today() then
            faults := faults || app.fault('date-in-future', '/held_on',
                jsonb_build_object('max', app.today()), null, 'C2.1.1.b');
        elsif new.held_on < new.notified_on then
            faults := faults || app.fault('date-before-start', '/held_on',
                jsonb_build_object('min', new.notified_on), null, 'C2.1.1.b');
        end if;
        faults := faults || app.held_faults(new);
    when 'draft_minutes' then
        if new.minutes is null then
            faults := faults || app.fault('required', '/minutes', null, null, 'C2.1.3.d');
        end if;
    when 'issue_minutes' then
        faults := app.chair_faults(new);
        -- the chair's own account, where the chair has one
        if new.chair_person_id is not null
                and app.users_of_person(new.chair_person_id) <> '{}'
                and not app.user_id() = any (app.users_of_person(new.chair_person_id))
                and not exists (select from dudao.users u
                    where u.id = app.user_id() and u.person_id is null) then
            faults := faults || app.fault('chair-only', null, null, null, 'C2.1.1.b');
        end if;
        faults := faults || array(
            select app.fault('item-without-outcome', '/resolutions',
                jsonb_build_object('title', i.title), 'R-MTG-04', 'C2.1.1.d')
            from dudao.meeting_agenda_items i
            where i.meeting_id = new.id and app.is_of_all_units(new.kind)
                and i.kind in ('deliberation', 'coordination') and i.outcome is null
                and not exists (select from dudao.meeting_resolutions r where r.agenda_item_id = i.id)
            order by i.seq);
    when 'close' then
        select count(*) into open_count
        from dudao.meeting_resolutions r
        where r.meeting_id = new.id and r.state = 'open';
        if open_count > 0 then
            faults := faults || app.fault('resolutions-open', null,
                jsonb_build_object('count', open_count), 'R-MTG-04', 'C2.1.1.d');
        end if;
    when 'postpone' then
        if data ->> 'scheduled_on' is null then
            faults := faults || app.fault('required', '/scheduled_on', null, 'R-MTG-01', 'C2.1.3.d');
        elsif new.scheduled_on <= app.today() then
            faults := faults || app.fault('date-not-in-future', '/scheduled_on', null, 'R-MTG-01', 'C2.1.3.d');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.effect_meetings(
    action text, old dudao.meetings, new dudao.meetings, data jsonb)
returns void
language plpgsql security definer
as $$
declare
    item record;
begin
    case action
    when 'notify' then
        for item in
            select a.organization_id from dudao.meeting_attendances a
            where a.meeting_id = new.id and a.invited
        loop
            perform app.dispatch('meetings', new.id, 'serve', item.organization_id,
                'member_unit', app.today(), 'sent');
        end loop;
        perform app.notify('meetings', new.id, 'meeting_notice', '会议通知',
            format('%s，%s召开%s', new.title, new.scheduled_on, coalesce('，地点：' || new.place, '')),
            array(select u.id from dudao.users u
                join dudao.meeting_attendances a on a.organization_id = u.organization_id
                where a.meeting_id = new.id and a.invited and u.status = 'active'),
            (new.scheduled_on)::timestamp at time zone 'Asia/Shanghai');
    when 'hold' then
        perform app.deadline('meetings', new.id, 'minutes',
            app.add_workdays(new.held_on, app.parameter_int('meeting_minutes_workdays')));
    when 'draft_minutes' then
        perform app.meet_deadline('meetings', new.id, 'minutes');
        perform app.notify('meetings', new.id, 'minutes_to_issue', '会议纪要待签发', new.title,
            app.users_with_role('committee_director', 'committee_deputy'));
    when 'issue_minutes' then
        -- the minutes go to every unit that was a member on that day; the
        -- resolutions are open for their owners
        if app.is_of_all_units(new.kind) then
            perform app.circulate('meetings', new.id, new.held_on,
                app.add_workdays(app.today(), app.parameter_int('circulate_workdays')));
        end if;
        for item in
            select a.organization_id from dudao.meeting_attendances a
            where a.meeting_id = new.id and not app.is_of_all_units(new.kind)
        loop
            perform app.dispatch('meetings', new.id, 'circulate', item.organization_id,
                'member_unit', app.today());
        end loop;
        perform app.system_step('dispatches', d.id, 'send')
        from dudao.dispatches d
        where d.subject_type = 'meetings' and d.subject_id = new.id
            and d.purpose = 'circulate' and d.state = 'planned';
        update dudao.meeting_resolutions r
        set issued_on = new.minutes_issued_on
        where r.meeting_id = new.id;
        for item in
            select r.* from dudao.meeting_resolutions r where r.meeting_id = new.id order by r.seq
        loop
            perform app.deadline('meeting_resolutions', item.id, 'done', item.due_on);
            perform app.notify('meeting_resolutions', item.id, 'resolution_assigned',
                '会议议定事项', item.text, app.users_of_organization(item.owner_organization_id),
                (item.due_on + 1)::timestamp at time zone 'Asia/Shanghai');
        end loop;
    when 'postpone', 'cancel' then
        if action = 'postpone' then
            perform app.invite_all_units(new);
        end if;
        if old.state = 'notified' then
            perform app.notify('meetings', new.id, 'meeting_' || action,
                case action when 'cancel' then '会议取消' else '会议延期' end,
                new.title || '：' || (data ->> 'reason'),
                array(select u.id from dudao.users u
                    join dudao.meeting_attendances a on a.organization_id = u.organization_id
                    where a.meeting_id = new.id and a.invited and u.status = 'active'));
        end if;
    else
        null;
    end case;
end
$$;


-- Steps of a resolution --------------------------------------------------------------

create or replace function app.before_meeting_resolutions(
    action text, r dudao.meeting_resolutions, data jsonb)
returns dudao.meeting_resolutions
language plpgsql
as $$
begin
    case action
    when 'report_done' then
        r.reported_on := app.today();
        r.reported_by := app.user_id();
        r.report_text := data ->> 'text';
        r.evidence := array(select e::uuid
            from jsonb_array_elements_text(coalesce(data -> 'evidence', '[]')) as e);
    when 'confirm' then
        r.done_on := app.today();
    when 'drop' then
        r.drop_reason := data ->> 'reason';
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_meeting_resolutions(
    action text, old dudao.meeting_resolutions, new dudao.meeting_resolutions, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
begin
    if new.issued_on is null then
        faults := faults || app.fault('minutes-not-issued', null, null, 'R-MTG-04', 'C2.1.1.d');
    end if;
    case action
    when 'report_done' then
        if new.owner_organization_id is distinct from app.organization_id() then
            faults := faults || app.fault('out-of-scope', null, null, 'R-MTG-04', 'C2.1.1.d');
        end if;
        if coalesce(new.report_text, '') = '' then
            faults := faults || app.fault('required', '/text', null, 'R-MTG-04', 'C2.1.1.d');
        end if;
        if new.evidence = '{}' then
            faults := faults || app.fault('evidence-required', '/evidence', null, 'R-MTG-04', 'C2.1.1.d');
        end if;
        faults := faults || array(
            select app.fault('unknown-reference', format('/evidence/%s', e.place - 1))
            from unnest(new.evidence) with ordinality as e(id, place)
            where not exists (select from dudao.attachments a where a.id = e.id));
    when 'confirm' then
        if new.reported_on is null then
            faults := faults || app.fault('report-required', null, null, 'R-MTG-04', 'C2.1.1.d');
        end if;
        if new.reported_by = app.user_id() then
            faults := faults || app.fault('separation-of-duties', null, null, 'R-MTG-04', 'C2.1.1.d');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.effect_meeting_resolutions(
    action text, old dudao.meeting_resolutions, new dudao.meeting_resolutions, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    case action
    when 'report_done' then
        perform app.notify('meeting_resolutions', new.id, 'resolution_reported',
            '议定事项已报办结', new.text, app.users_with_role('office_staff', 'deputy_chief_inspector'));
    else
        perform app.meet_deadline('meeting_resolutions', new.id, 'done');
        perform app.notify('meeting_resolutions', new.id, 'resolution_' || new.state,
            case action when 'drop' then '议定事项不再办理' else '议定事项已办结' end,
            new.text, app.users_of_organization(new.owner_organization_id));
    end case;
end
$$;


-- What is late by itself -----------------------------------------------------------------

-- R-MTG-04: on the first day past due owner and office are told, once. And
-- while a half year is without its joint meeting (R-MTG-01), the office and
-- the director, once 45 days before its end; A12: also when the last one is
-- too long ago.
create or replace function app.tell_meetings() returns void
language plpgsql security definer
as $$
declare
    today constant date := app.today();
    half_end constant date := make_date(extract(year from today)::integer,
        case when extract(month from today) <= 6 then 6 else 12 end,
        case when extract(month from today) <= 6 then 30 else 31 end);
    last dudao.meetings;
begin
    perform app.notify('meeting_resolutions', r.id, 'resolution_overdue', '议定事项逾期', r.text,
        app.users_of_organization(r.owner_organization_id)
            || app.users_with_role('office_staff', 'deputy_chief_inspector'),
        (r.due_on + 1)::timestamp at time zone 'Asia/Shanghai')
    from dudao.meeting_resolutions r
    where r.state = 'open' and r.issued_on is not null
        and r.due_on < today and r.due_on >= today - 7;

    select m.* into last
    from dudao.meetings m
    where m.kind = 'joint_meeting' and m.held_on <= today
        and m.state in ('held', 'minutes_drafted', 'minutes_issued', 'closed')
    order by m.held_on desc limit 1;
    if last.id is null then
        return;
    end if;
    if half_end - today <= 45 and (last.year, last.half) is distinct from
            (extract(year from today)::integer, case when extract(month from today) <= 6 then 1 else 2 end) then
        perform app.notify('meetings', last.id, 'joint_meeting_due', '本半年尚未召开联席会议',
            format('须于%s前召开', half_end),
            app.users_with_role('office_staff', 'chief_inspector', 'committee_director'),
            half_end::timestamp at time zone 'Asia/Shanghai');
    end if;
    if today - last.held_on > app.parameter_int('joint_meeting_gap_days') then
        perform app.notify('meetings', last.id, 'joint_meeting_gap', '联席会议间隔过长',
            format('上次联席会议召开于%s', last.held_on),
            app.users_with_role('office_staff', 'chief_inspector'),
            (last.held_on + app.parameter_int('joint_meeting_gap_days') + 1)::timestamp at time zone 'Asia/Shanghai');
    end if;
end
$$;


-- Views -----------------------------------------------------------------------------------

drop view if exists app.meeting_resolutions_json, app.meeting_attendances_json,
    app.meeting_agenda_items_json, app.meetings_json;

-- A draft of the minutes is the office's: units read it once it is issued.
create view app.meetings_json with (security_invoker = true) as
select m.*,
    json_build_object(
        'id', m.id, 'version', m.version, 'code', m.code, 'kind', m.kind,
        'title', m.title, 'topic', m.topic, 'year', m.year, 'half', m.half,
        'scheduled_on', m.scheduled_on, 'notified_on', m.notified_on,
        'held_on', m.held_on, 'place', m.place, 'chair_person_id', m.chair_person_id,
        'minutes', case when m.minutes_issued_on is not null or app.reads_drafts() then m.minutes end,
        'minutes_attachment_id', case when m.minutes_issued_on is not null or app.reads_drafts()
            then m.minutes_attachment_id end,
        'minutes_issued_on', m.minutes_issued_on,
        'postpone_reason', m.postpone_reason, 'cancel_reason', m.cancel_reason,
        'invited_count', a.invited, 'attended_count', a.attended,
        'state', m.state,
        'allowed_actions', app.allowed_actions('meetings', m.state),
        'created_at', app.ts(m.created_at), 'updated_at', app.ts(m.updated_at),
        'is_demo', m.is_demo) as body
from dudao.meetings m
cross join lateral (
    select count(*) filter (where x.invited) as invited,
        count(*) filter (where x.attended) as attended
    from dudao.meeting_attendances x
    where x.meeting_id = m.id) as a;

create view app.meeting_agenda_items_json with (security_invoker = true) as
select i.*,
    json_build_object(
        'id', i.id, 'version', i.version, 'meeting_id', i.meeting_id, 'seq', i.seq,
        'title', i.title, 'kind', i.kind, 'subject_type', i.subject_type,
        'subject_id', i.subject_id, 'presenter_person_id', i.presenter_person_id,
        'outcome', i.outcome,
        'created_at', app.ts(i.created_at), 'updated_at', app.ts(i.updated_at),
        'is_demo', i.is_demo) as body
from dudao.meeting_agenda_items i;

create view app.meeting_attendances_json with (security_invoker = true) as
select a.*,
    json_build_object(
        'id', a.id, 'version', a.version, 'meeting_id', a.meeting_id,
        'organization_id', a.organization_id,
        'organization_name', app.organization_name(a.organization_id),
        'person_id', a.person_id, 'invited', a.invited, 'attended', a.attended,
        'substitute_for', a.substitute_for, 'absence_reason', a.absence_reason,
        'created_at', app.ts(a.created_at), 'updated_at', app.ts(a.updated_at),
        'is_demo', a.is_demo) as body
from dudao.meeting_attendances a;

create view app.meeting_resolutions_json with (security_invoker = true) as
select r.*,
    json_build_object(
        'id', r.id, 'version', r.version, 'code', r.code, 'meeting_id', r.meeting_id,
        'seq', r.seq, 'agenda_item_id', r.agenda_item_id, 'text', r.text,
        'owner_organization_id', r.owner_organization_id,
        'owner_name', app.organization_name(r.owner_organization_id),
        'due_on', r.due_on,
        'overdue', r.state = 'open' and r.issued_on is not null and r.due_on < app.today(),
        'issued_on', r.issued_on, 'reported_on', r.reported_on,
        'reported_by', r.reported_by, 'report_text', r.report_text,
        'evidence', r.evidence, 'done_on', r.done_on, 'drop_reason', r.drop_reason,
        'state', r.state,
        'allowed_actions', app.allowed_actions('meeting_resolutions', r.state),
        'created_at', app.ts(r.created_at), 'updated_at', app.ts(r.updated_at),
        'is_demo', r.is_demo) as body
from dudao.meeting_resolutions r;


-- R-ORG-08: who was asked and who came, in the twelve months up to a day. A
-- member reads the own unit's line.
create or replace function app.participation(as_of date, organization_ids uuid[] default null)
returns json
language plpgsql stable security definer
as $$
declare
    since constant date := (as_of - interval '12 months')::date + 1;
    own constant uuid := case when not app.reads_all_meetings() then app.organization_id() end;
    green constant numeric := coalesce((app.parameter('participation_green') #>> '{}')::numeric, 0.8);
    amber constant numeric := coalesce((app.parameter('participation_amber') #>> '{}')::numeric, 0.6);
begin
    return (
        select json_build_object('as_of', as_of, 'since', since,
            'data', coalesce(json_agg(json_build_object(
                'organization_id', u.id, 'organization_name', u.name,
                'invited', u.invited, 'attended', u.attended, 'tasks', u.tasks,
                'rate', u.rate,
                'colour', case when u.rate is null then 'not_applicable'
                    when u.rate >= green then 'green'
                    when u.rate >= amber then 'amber' else 'red' end,
                'rule_id', 'R-ORG-08', 'clause_id', 'C2.1.1.l')
                order by u.rate nulls last, u.code), '[]'))
        from (
            select o.id, o.code, o.name, a.invited, a.attended,
                round(a.attended::numeric / nullif(a.invited, 0), 4) as rate,
                (select count(distinct t.task_id)
                 from dudao.team_members t
                 join dudao.supervision_tasks s on s.id = t.task_id
                 left join dudao.inspectors i on i.id = t.inspector_id
                 left join dudao.persons p on p.id = coalesce(t.person_id, i.person_id)
                 where coalesce(t.organization_id, p.organization_id) = o.id
                    and s.state not in ('draft', 'cancelled') and s.voided_at is null
                    and coalesce(s.onsite_from, s.approved_on, s.created_at::date)
                        between since and as_of) as tasks
            from dudao.organizations o
            cross join lateral (
                select count(*) filter (where x.invited) as invited,
                    count(*) filter (where x.invited and x.attended) as attended
                from dudao.meeting_attendances x
                join dudao.meetings m on m.id = x.meeting_id
                where x.organization_id = o.id and m.held_on between since and as_of
                    and m.state in ('held', 'minutes_drafted', 'minutes_issued', 'closed')) as a
            where o.id in (select u.organization_id from app.active_member_units(as_of) as u)
                and (own is null or o.id = own)
                and (organization_ids is null or o.id = any (organization_ids))
        ) as u);
end
$$;

-- R-ORG-06, R-MTG-01, R-MTG-02 with A12, of one year: what was held in each
-- half and each quarter, and when the next is due.
create or replace function app.meeting_periods(of_year integer, as_of date)
returns json
language plpgsql stable security definer
as $$
declare
    needed constant integer := app.parameter_int('committee_meeting_min_per_year');
    gap constant integer := app.parameter_int('joint_meeting_gap_days');
begin
    return (
        select json_build_object('year', of_year, 'as_of', as_of, 'data', json_agg(json_build_object(
            'kind', p.kind, 'period', p.period, 'starts_on', p.starts_on, 'ends_on', p.ends_on,
            'required', p.required, 'held', p.held, 'meeting_ids', p.ids,
            'longest_gap_days', p.gap_days,
            'gap_warning', coalesce(p.gap_days > gap, false),
            'colour', case
                when p.starts_on > as_of then 'not_applicable'
                when p.held >= p.required then 'green'
                when p.ends_on < as_of then 'red'
                when p.kind = 'joint_meeting' and p.is_postponed then 'red'
                when p.kind = 'joint_meeting' and p.ends_on - as_of > 45 then 'not_applicable'
                when p.kind = 'committee_plenary' and p.held = 0 and as_of > make_date(of_year, 6, 30) then 'red'
                else 'amber' end,
            'rule_id', p.rule_id, 'clause_id', p.clause_id) order by p.n, p.starts_on))
        from (
            select k.*, count(m.id)::integer as held,
                coalesce(json_agg(m.id order by m.held_on) filter (where m.id is not null), '[]') as ids,
                exists (select from dudao.meetings x where x.kind = k.kind and x.state = 'postponed'
                    and x.scheduled_on between k.starts_on and k.ends_on) as is_postponed,
                case when k.kind = 'joint_meeting' and k.starts_on <= as_of then (
                    -- from the one before the period to the first in it, or to the day
                    select coalesce(min(x.held_on) filter (where x.held_on >= k.starts_on),
                            least(as_of, k.ends_on))
                        - max(x.held_on) filter (where x.held_on < k.starts_on)
                    from dudao.meetings x
                    where x.kind = 'joint_meeting' and x.held_on <= least(as_of, k.ends_on)
                        and x.state in ('held', 'minutes_drafted', 'minutes_issued', 'closed')) end as gap_days
            from (
                select 1 as n, 'committee_plenary' as kind, of_year::text as period,
                    make_date(of_year, 1, 1) as starts_on, make_date(of_year, 12, 31) as ends_on,
                    needed as required, 'R-ORG-06' as rule_id, 'C2.1.1.b' as clause_id
                union all
                select 2, 'joint_meeting', format('%s-H%s', of_year, h), make_date(of_year, h * 6 - 5, 1),
                    (make_date(of_year, h * 6 - 5, 1) + interval '6 months')::date - 1,
                    app.parameter_int('joint_meeting_per_half'), 'R-MTG-01', 'C2.1.3.d'
                from generate_series(1, 2) as h
                union all
                select 3, 'communication_session', format('%s-Q%s', of_year, q), make_date(of_year, q * 3 - 2, 1),
                    (make_date(of_year, q * 3 - 2, 1) + interval '3 months')::date - 1,
                    1, 'R-MTG-02', 'C2.1.3.c'
                from generate_series(1, 4) as q
            ) as k
            left join dudao.meetings m on m.kind = k.kind and m.held_on between k.starts_on and k.ends_on
                and m.held_on <= as_of
                and m.state in ('held', 'minutes_drafted', 'minutes_issued', 'closed')
            group by k.n, k.kind, k.period, k.starts_on, k.ends_on, k.required, k.rule_id, k.clause_id
        ) as p);
end
$$;
