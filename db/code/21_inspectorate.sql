-- The inspectorate: zones, inspectors, appointments (3.15), plaques and
-- recusals (3.24).

select app.register('zones', permission_group => 'zones', searched => '{name,code}');
select app.register('zone_memberships', permission_group => 'zones');
select app.register('inspectors', permission_group => 'zones',
    read_only => '{card_no,rank_id}');
select app.register('inspector_appointments',
    permission_group => 'appointments', machine => true, legal => true,
    editable_in => '{recommended,reviewing}',
    read_only => '{publicity_from,publicity_to,publicity_url,objections,
        term_no,ended_on,end_reason,certificate_no,decision_doc_no,
        decision_resolution_id,override_reason,dismissal_ground,
        pre_service_passed_on,resignation_requested_on,renewal_of_id,
        publicity_publication_id,notice_publication_id}');
select app.register('plaques', permission_group => 'zones', machine => true,
    editable_in => '{planned,posted}',
    read_only => '{posted_on,removed_on,flag_reason}');
select app.register('recusals', permission_group => 'recusals',
    machine => true, editable_in => '{declared}',
    read_only => '{declared_by,declared_on,decided_by,decided_on,decision,
        decision_note,replaced_by_inspector_id}');

-- 3.24 lets inspectors put up their own plaques (post).
insert into app.permissions(permission_group, role, operations, scope) values
    ('zones', 'inspector_ft', 'T', 'o'),
    ('zones', 'inspector_pt', 'T', 'o')
on conflict do nothing;


-- Labels --------------------------------------------------------------------

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('staffing.fulltime_mode', 'max', '不高于', 'At most', 1),
    ('staffing.fulltime_mode', 'min', '不低于', 'At least', 2),
    ('inspectors.degree', 'below_bachelor', '本科以下', 'Below bachelor', 1),
    ('inspectors.degree', 'bachelor', '本科', 'Bachelor', 2),
    ('inspectors.degree', 'master', '硕士', 'Master', 3),
    ('inspectors.degree', 'doctor', '博士', 'Doctor', 4),
    ('inspectors.background', 'serving_principal', '在职校（园）长',
        'Serving head', 1),
    ('inspectors.background', 'retired_principal', '退休校（园）长',
        'Retired head', 2),
    ('inspectors.background', 'teacher', '教师', 'Teacher', 3),
    ('inspectors.background', 'researcher', '教研员', 'Researcher', 4),
    ('inspectors.background', 'official', '机关干部', 'Official', 5),
    ('inspectors.background', 'other', '其他', 'Other', 6),
    ('inspectors.expertise_stages', 'kindergarten', '学前教育', 'Kindergarten', 1),
    ('inspectors.expertise_stages', 'primary', '小学', 'Primary', 2),
    ('inspectors.expertise_stages', 'junior', '初中', 'Junior secondary', 3),
    ('inspectors.expertise_stages', 'senior', '普通高中', 'Senior secondary', 4),
    ('inspectors.expertise_stages', 'vocational', '中等职业', 'Vocational', 5),
    ('inspectors.expertise_stages', 'special', '特殊教育', 'Special', 6),
    ('inspectors.expertise_matters', 'M1', '素质教育与教育教学管理',
        'Quality education and management', 1),
    ('inspectors.expertise_matters', 'M2', '校长教师、招生学籍、质量、安全与条件经费',
        'Staff, enrolment, quality, safety, funds', 2),
    ('inspectors.expertise_matters', 'M3', '义务教育普及均衡与教育规划',
        'Compulsory education and planning', 3),
    ('inspectors.expertise_matters', 'M4', '法律法规规定的其他事项',
        'Other matters by law', 4),
    ('inspectors.status', 'candidate', '候选', 'Candidate', 1),
    ('inspectors.status', 'active', '在任', 'Active', 2),
    ('inspectors.status', 'suspended', '暂停履职', 'Suspended', 3),
    ('inspectors.status', 'ended', '已离任', 'Ended', 4),
    ('inspector_appointments.employment', 'full_time', '专职', 'Full-time', 1),
    ('inspector_appointments.employment', 'part_time', '兼职', 'Part-time', 2),
    ('inspector_appointments.appointment_mode', 'appointed', '任命',
        'Appointed', 1),
    ('inspector_appointments.appointment_mode', 'engaged', '聘任', 'Engaged', 2),
    ('inspector_appointments.appointing_authority', 'county_government', '县政府',
        'County government', 1),
    ('inspector_appointments.appointing_authority', 'supervision_committee', '督导委员会',
        'Supervision committee', 2),
    ('inspector_appointments.dismissal_ground', 'dereliction', '玩忽职守',
        'Dereliction of duty', 1),
    ('inspector_appointments.dismissal_ground', 'falsification', '弄虚作假',
        'Falsification', 2),
    ('inspector_appointments.dismissal_ground', 'abuse_of_power', '滥用职权、徇私舞弊',
        'Abuse of power', 3),
    ('inspector_appointments.dismissal_ground', 'recusal_omitted', '应当回避而未回避',
        'Recusal omitted', 4),
    ('inspector_appointments.dismissal_ground', 'danger_not_urged', '发现危险未督促整改',
        'Danger not acted upon', 5),
    ('inspector_appointments.dismissal_ground', 'incompetent_assessment', '考核不称职',
        'Assessed as incompetent', 6),
    ('recusals.reason', 'near_relative', '近亲属', 'Near relative', 1),
    ('recusals.reason', 'former_post', '原任职单位', 'Former post', 2),
    ('recusals.reason', 'interest', '利害关系', 'Interest', 3),
    ('recusals.reason', 'other', '其他', 'Other', 4),
    ('recusals.decision', 'granted', '予以回避', 'Granted', 1),
    ('recusals.decision', 'rejected', '不予回避', 'Rejected', 2)
on conflict (name, value) do update set label_zh = excluded.label_zh,
    label_en = excluded.label_en, sort = excluded.sort;


-- Scopes (4.2) --------------------------------------------------------------

insert into app.scope_predicates(resource, scope, predicate) values
    ('zones', 'z', 'id = any ((select app.my_zone_ids())::uuid[])'),
    ('zones', 'o', 'id = (select app.zone_of((select app.inspector_id())))'),
    ('zones', 'p', 'true'),
    ('zone_memberships', 'z', $p$
        zone_id = any ((select app.my_zone_ids())::uuid[])$p$),
    ('zone_memberships', 'o', 'inspector_id = (select app.inspector_id())'),
    ('zone_memberships', 'p', 'false'),
    ('inspectors', 'z', $p$
        id = any ((select app.my_zone_inspectors())::uuid[])
        or id = (select app.inspector_id())$p$),
    ('inspectors', 'o', 'id = (select app.inspector_id())'),
    -- whose name hangs at a gate is known to everybody
    ('inspectors', 'p', $p$exists (
        select from dudao.plaques p
        where p.inspector_id = inspectors.id and p.state = 'posted')$p$),
    ('plaques', 'z', $p$exists (
        select from dudao.schools s
        where s.id = school_id
            and s.zone_id = any ((select app.my_zone_ids())::uuid[]))$p$),
    ('plaques', 'o', 'inspector_id = (select app.inspector_id())'),
    ('plaques', 'p', 'state = ''posted'''),
    ('inspector_appointments', 'z', $p$
        inspector_id = any ((select app.my_zone_inspectors())::uuid[])$p$),
    ('inspector_appointments', 'o', $p$
        recommended_by_org_id = (select app.organization_id())$p$),
    ('inspector_appointments', 'n', $p$
        inspector_id = (select app.inspector_id())$p$),
    -- L-DX-02: publicity before, announcement after the decision
    ('inspector_appointments', 'p', $p$
        voided_at is null
        and state in ('publicizing', 'appointed', 'active')$p$),
    ('recusals', 'z', $p$
        inspector_id = any ((select app.my_zone_inspectors())::uuid[])$p$),
    ('recusals', 'n', 'inspector_id = (select app.inspector_id())'),
    -- a unit asks that an inspector keep off it, or off one visit or file
    ('recusals', 'o', $p$
        app.recusal_unit(organization_id, target_id, visit_id)
            = (select app.organization_id())$p$)
on conflict (resource, scope) do update set predicate = excluded.predicate;

-- The unit that the inspector is to keep off.
create or replace function app.recusal_unit(
    organization uuid, target uuid, visit uuid) returns uuid
language plpgsql stable security definer
as $$
begin
    return coalesce($1,
        (select t.organization_id from dudao.supervision_targets t
         where t.id = $2),
        (select v.organization_id from dudao.visits v where v.id = $3));
end
$$;

create or replace function app.my_zone_inspectors() returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(m.inspector_id), '{}')
        from dudao.zone_memberships m
        where m.ended_on is null
            and m.zone_id = any ((select app.my_zone_ids())::uuid[]));
end
$$;


-- Who is what ---------------------------------------------------------------

create or replace function app.zone_of(inspector uuid) returns uuid
language plpgsql stable security definer
as $$
begin
    return (
        select m.zone_id
        from dudao.zone_memberships m
        where m.inspector_id = $1 and m.ended_on is null);
end
$$;

-- full_time or part_time by the active appointment; null: none.
create or replace function app.employment_of(inspector uuid) returns text
language plpgsql stable security definer
as $$
begin
    return (
        select a.employment
        from dudao.inspector_appointments a
        where a.inspector_id = $1 and a.state = 'active');
end
$$;

create or replace function app.inspectors_employed(employment text[])
returns setof uuid
language sql stable security definer
as $$
    select a.inspector_id
    from dudao.inspector_appointments a
    where a.state = 'active' and a.employment = any ($1)
$$;

create or replace function app.inspectors_of_zones(zone_ids uuid[])
returns setof uuid
language sql stable security definer
as $$
    select m.inspector_id
    from dudao.zone_memberships m
    where m.ended_on is null and m.zone_id = any ($1)
$$;

create or replace function app.schools_of_zones(zone_ids uuid[])
returns setof uuid
language sql stable security definer
as $$
    select s.id from dudao.schools s where s.zone_id = any ($1)
$$;

-- A teaching point goes with its school (R-PLQ-01).
create or replace function app.schools_with_plaques()
returns setof uuid
language sql stable security definer
as $$
    select s.id
    from dudao.schools s
    join dudao.plaques p
        on p.school_id = app.bearer_of(s.school_type, s.parent_school_id, s.id)
    where p.state in ('posted', 'to_replace')
$$;

create or replace function app.inspectors_named(words text)
returns setof uuid
language sql stable security definer
as $$
    select i.id
    from dudao.inspectors i
    join dudao.persons p on p.id = i.person_id
    where p.search @> app.bigrams($1) or i.code = $1
$$;

create or replace function app.inspector_name(inspector uuid) returns text
language plpgsql stable security definer
as $$
begin
    return (
        select p.name
        from dudao.inspectors i
        join dudao.persons p on p.id = i.person_id
        where i.id = $1);
end
$$;

create or replace function app.school_count_of(inspector uuid)
returns integer
language plpgsql stable security definer
as $$
begin
    return (
        select count(*)::integer
        from dudao.plaques p
        where p.inspector_id = $1 and p.state in ('posted', 'to_replace'));
end
$$;

-- Counts of a zone (C2.4.1.a, C2.4.1.c), of all rows whoever asks.
create or replace function app.zone_numbers(
    zone uuid, out school_count integer, out inspector_count integer,
    out fulltime_count integer)
language sql stable security definer
as $$
    select
        (select count(*)::integer
         from dudao.schools s
         join dudao.organizations o on o.id = s.organization_id
         where s.zone_id = zone and s.counts_in_ratio
            and o.status = 'operating'),
        count(*)::integer,
        count(*) filter (where a.employment = 'full_time')::integer
    from dudao.zone_memberships m
    join dudao.inspector_appointments a
        on a.inspector_id = m.inspector_id and a.state = 'active'
    where m.zone_id = zone and m.ended_on is null
$$;

-- Full-time among all active inspectors of the county (R-INS-02, 9-A1), as
-- it would be with one more.
create or replace function app.fulltime_share(with_one_more text default null)
returns numeric
language plpgsql stable security definer
as $$
begin
    return (
        select (count(*) filter (where a.employment = 'full_time')
                + (coalesce(with_one_more, '') = 'full_time')::integer)::numeric
            / nullif(count(*) + (with_one_more is not null)::integer, 0)
        from dudao.inspector_appointments a
        where a.state in ('active', 'appointed'));
end
$$;

-- The share as it will be once that inspector holds that employment: whoever
-- is in office already, in a term that runs out or as the other kind, counts
-- once. Four digits, as the limit has them (1/3 is written 0.3333).
create or replace function app.fulltime_share_after(
    inspector uuid, employment text)
returns numeric
language plpgsql stable security definer
as $$
begin
    return (
        select round(avg((t.employment = 'full_time')::integer), 4)
        from (
            (select distinct on (a.inspector_id) a.employment
            from dudao.inspector_appointments a
            where a.state in ('active', 'appointed') and a.voided_at is null
                and a.inspector_id <> $1
            order by a.inspector_id, a.starts_on desc)
            union all
            select $2
        ) as t);
end
$$;


-- Rules of rows -------------------------------------------------------------

insert into app.row_rules(resource, name, expression, pointer, code,
    rule_id, clause_id, params) values
    ('zones', 'active_to', 'new.active_to >= new.active_from',
        '/active_to', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.active_from)'),
    ('zones', 'divisions', $e$
        not exists (
            select from unnest(new.division_ids) as id
            where not exists (
                select from dudao.divisions d
                where d.id = id and d.level = 'township'))$e$,
        '/division_ids', 'unknown-reference', null, 'L-TL-13', null),
    -- project default: the lead is a full-time inspector of the zone
    ('zones', 'lead_full_time', $e$
        new.lead_inspector_id is null
        or new.lead_inspector_id is not distinct from old.lead_inspector_id
        or app.employment_of(new.lead_inspector_id) = 'full_time'$e$,
        '/lead_inspector_id', 'lead-not-full-time',
        'R-ZON-03', 'C2.4.1.c', null),
    ('zones', 'lead_member', $e$
        new.lead_inspector_id is null
        or new.lead_inspector_id is not distinct from old.lead_inspector_id
        or app.zone_of(new.lead_inspector_id) = new.id$e$,
        '/lead_inspector_id', 'lead-not-member',
        'R-ZON-03', 'C2.4.1.c', null),
    ('zones', 'no_school_left', $e$
        new.active_to is null or new.active_to is not distinct from
            old.active_to or not exists (
            select from dudao.schools s
            join dudao.organizations o on o.id = s.organization_id
            where s.zone_id = new.id and o.status = 'operating')$e$,
        '/active_to', 'zone-has-schools', 'R-ZON-01', 'C2.2.2.e', null),

    ('zone_memberships', 'ended_on', 'new.ended_on >= new.started_on',
        '/ended_on', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.started_on)'),
    ('zone_memberships', 'not_in_future', 'new.ended_on <= app.today()',
        '/ended_on', 'date-in-future', null, null, null),
    ('zone_memberships', 'appointed', $e$
        old.id is not null or new.ended_on is not null
        or app.employment_of(new.inspector_id) is not null$e$,
        '/inspector_id', 'no-active-appointment',
        'R-ZON-02', 'C2.4.1.a', null),
    ('zone_memberships', 'lead_full_time', $e$
        not new.is_lead or new.ended_on is not null
        or app.employment_of(new.inspector_id) = 'full_time'$e$,
        '/is_lead', 'lead-not-full-time', 'R-ZON-03', 'C2.4.1.c', null),

    ('inspectors', 'status_active', $e$
        new.status is not distinct from old.status or new.status <> 'active'
        or app.employment_of(new.id) is not null$e$,
        '/status', 'no-active-appointment', 'R-PLQ-01', 'C2.4.1.d', null),

    ('inspector_appointments', 'mode_of_employment', $e$
        (new.employment = 'full_time') = (new.appointment_mode = 'appointed')
        $e$,
        '/appointment_mode', 'appointment-mode', null, 'L-DX-01', null),
    -- 9-A14: the government appoints, the committee engages
    ('inspector_appointments', 'authority_of_employment', $e$
        (new.employment = 'full_time')
            = (new.appointing_authority = 'county_government')$e$,
        '/appointing_authority', 'appointing-authority',
        'R-INS-10', 'C2.1.1.f', null),
    ('inspector_appointments', 'term_limit', $e$
        new.employment <> 'part_time'
        or new.term_no <= app.parameter_int('inspector_max_terms')$e$,
        '/term_no', 'too-many-terms', 'R-INS-04', 'L-TL-6',
        'jsonb_build_object(''max'', app.parameter_int(''inspector_max_terms''))'),
    ('inspector_appointments', 'term_length', $e$
        new.employment <> 'part_time' or new.starts_on is null
        or new.ends_on = (new.starts_on + make_interval(
            years => app.parameter_int('inspector_term_years')))::date - 1$e$,
        '/ends_on', 'term-length', 'R-INS-03', 'L-TL-6',
        'jsonb_build_object(''expected'', (new.starts_on + make_interval(years => app.parameter_int(''inspector_term_years'')))::date - 1)'),
    ('inspector_appointments', 'qualification_known', $e$
        not exists (
            select from jsonb_object_keys(new.qualification) as k
            where k <> 'evidence'
                and k <> all (app.qualification_items()))$e$,
        '/qualification', 'unknown-field', 'R-INS-05', 'L-TL-7', null),
    ('inspector_appointments', 'publicity_order',
        'new.publicity_to >= new.publicity_from',
        '/publicity_to', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.publicity_from)'),

    -- teaching points follow their school
    ('plaques', 'no_teaching_point', $e$
        new.school_id is not distinct from old.school_id or not exists (
            select from dudao.schools s
            where s.id = new.school_id and s.school_type = '218')$e$,
        '/school_id', 'teaching-point-follows-parent',
        'R-PLQ-01', 'C2.2.2.f', null),
    ('plaques', 'school_operating', $e$
        new.school_id is not distinct from old.school_id or exists (
            select from dudao.organizations o
            where o.id = new.school_id and o.status = 'operating')$e$,
        '/school_id', 'unit-not-operating', 'R-PLQ-01', 'C2.2.2.f', null),
    -- L-TL-10, R-INS-09
    ('plaques', 'own_unit', $e$
        new.state in ('to_replace', 'removed')
        or not app.is_of_unit(new.inspector_id, new.school_id)$e$,
        '/inspector_id', 'recusal-required', 'R-INS-09', 'L-TL-10', null),

    ('recusals', 'one_subject', $e$
        num_nonnulls(new.target_id, new.visit_id, new.organization_id) = 1$e$,
        null, 'one-subject', 'R-INS-09', 'L-TL-10', null),
    ('recusals', 'inspector_fixed', $e$
        old.id is null or new.inspector_id = old.inspector_id$e$,
        '/inspector_id', 'read-only-field', 'R-INS-09', 'L-TL-10', null),
    ('recusals', 'subject_fixed', $e$
        old.id is null or (new.target_id, new.visit_id, new.organization_id)
            is not distinct from
            (old.target_id, old.visit_id, old.organization_id)$e$,
        null, 'read-only-field', 'R-INS-09', 'L-TL-10', null),
    ('recusals', 'not_in_future', 'new.declared_on <= app.today()',
        '/declared_on', 'date-in-future', null, null, null),
    ('recusals', 'replacement', $e$
        new.replaced_by_inspector_id <> new.inspector_id$e$,
        '/replaced_by_inspector_id', 'self-reference', null, null, null)
on conflict (resource, name) do update set
    expression = excluded.expression, pointer = excluded.pointer,
    code = excluded.code, rule_id = excluded.rule_id,
    clause_id = excluded.clause_id, params = excluded.params;

comment on constraint inspector_appointments_no_overlap
    on dudao.inspector_appointments is
    '{"code": "overlapping-period", "pointer": "/starts_on", "rule_id": "R-INS-03", "clause_id": "L-TL-6"}';
comment on index dudao.recusals_subject_key is
    '{"code": "duplicate", "pointer": "/inspector_id", "rule_id": "R-INS-09", "clause_id": "L-TL-10"}';
comment on index dudao.inspector_appointments_term_key is
    '{"code": "duplicate", "pointer": "/inspector_id", "rule_id": "R-INS-04", "clause_id": "L-TL-6"}';
comment on constraint zone_memberships_no_overlap on dudao.zone_memberships is
    '{"code": "overlapping-period", "pointer": "/started_on", "rule_id": "R-ZON-02", "clause_id": "C2.4.1.a"}';

-- L-TL-7 (1 to 6) and L-DX-03 (7 to 9).
create or replace function app.qualification_items() returns text[]
language sql immutable parallel safe
as $$
    select '{political_loyalty,law_and_policy,integrity,education_and_experience,organising_ability,health,willing_grassroots,supervision_skills,time_guaranteed}'::text[]
$$;

create or replace function app.is_of_unit(inspector uuid, organization uuid)
returns boolean
language plpgsql stable security definer
as $$
begin
    return exists (
        select
        from dudao.inspectors i
        join dudao.persons p on p.id = i.person_id
        where i.id = $1 and p.organization_id = $2);
end
$$;


-- Zones: the lead is written in one place -----------------------------------

-- zones.lead_inspector_id and zone_memberships.is_lead say the same.
create or replace function app.follow_lead_of_zone() returns trigger
language plpgsql security definer
as $$
begin
    update dudao.zone_memberships m
    set is_lead = (m.inspector_id is not distinct from new.lead_inspector_id)
    where m.zone_id = new.id and m.ended_on is null
        and m.is_lead and m.inspector_id is distinct from
            new.lead_inspector_id;
    update dudao.zone_memberships m
    set is_lead = true
    where m.zone_id = new.id and m.ended_on is null
        and not m.is_lead and m.inspector_id = new.lead_inspector_id;
    return null;
end
$$;
create or replace trigger d_lead after update on dudao.zones
    for each row when (old.lead_inspector_id is distinct from
        new.lead_inspector_id)
    execute function app.follow_lead_of_zone();

create or replace function app.follow_lead_of_member() returns trigger
language plpgsql security definer
as $$
begin
    if new.is_lead and new.ended_on is null then
        update dudao.zones z
        set lead_inspector_id = new.inspector_id
        where z.id = new.zone_id
            and z.lead_inspector_id is distinct from new.inspector_id;
    else
        update dudao.zones z
        set lead_inspector_id = null
        where z.id = new.zone_id and z.lead_inspector_id = new.inspector_id;
    end if;
    return null;
end
$$;
create or replace trigger d_lead after insert or update
    on dudao.zone_memberships
    for each row execute function app.follow_lead_of_member();

create or replace function app.next_inspector_code() returns text
language plpgsql volatile security definer
as $$
begin
    return 'DX-430626-'
        || lpad(nextval('dudao.inspector_numbers')::text, 4, '0');
end
$$;

create or replace function app.before_create_inspectors(
    r dudao.inspectors, body jsonb)
returns dudao.inspectors
language plpgsql
as $$
begin
    r.code := coalesce(r.code, app.next_inspector_code());
    r.status := 'candidate';
    return r;
end
$$;


-- Appointments (3.15) -------------------------------------------------------

create or replace function app.before_create_inspector_appointments(
    r dudao.inspector_appointments, body jsonb)
returns dudao.inspector_appointments
language plpgsql
as $$
declare
    is_office constant boolean := app.has_role('office_staff',
        'deputy_chief_inspector', 'chief_inspector');
begin
    -- a unit recommends in its own name and somebody whom it can see; what
    -- the person brings along stands in the materials, the form is the
    -- office's (L-DX-02)
    if not is_office then
        r.recommended_by_org_id := coalesce(r.recommended_by_org_id,
            app.organization_id());
        perform app.refuse_form_of_unit(r.qualification);
    end if;
    if r.inspector_id is null and body ? 'person_id' then
        if not exists (
                select from dudao.persons p
                where p.id = (body ->> 'person_id')::uuid) then
            perform app.refuse(422, 'validation-failed', array[
                app.fault('unknown-reference', '/person_id')]);
        end if;
        r.inspector_id := app.candidate_of((body ->> 'person_id')::uuid,
            body);
    end if;
    if r.inspector_id is null then
        perform app.refuse(422, 'validation-failed', array[
            app.fault('required', '/inspector_id', null, null, 'L-DX-02')]);
    end if;
    r.basis_document_id := coalesce(r.basis_document_id, (
        select d.id
        from dudao.policy_documents d
        join dudao.rule_parameters p on p.basis = d.doc_no
        where p.key = 'inspector_school_ratio' and d.state = 'in_force'
        limit 1));
    r.appointment_mode := coalesce(r.appointment_mode,
        case r.employment when 'full_time' then 'appointed'
            else 'engaged' end);
    r.appointing_authority := coalesce(r.appointing_authority,
        case r.employment when 'full_time' then 'county_government'
            else 'supervision_committee' end);
    r.ends_on := coalesce(r.ends_on, (r.starts_on + make_interval(
        years => app.parameter_int('inspector_term_years')))::date - 1);
    r.term_no := app.next_term_no(r.inspector_id, r.employment,
        coalesce(r.starts_on, app.today()));
    return r;
end
$$;

-- The nine answers are the office's; a unit adds evidence to them.
create or replace function app.refuse_form_of_unit(qualification jsonb)
returns void
language plpgsql stable
as $$
declare
    faults app.fault[];
begin
    select array_agg(app.fault('read-only-field', '/qualification/' || k,
        null, 'R-INS-05', 'L-TL-7'))
    into faults
    from jsonb_object_keys(qualification) as k
    where k <> 'evidence';
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
end
$$;

-- Who is recommended for the first time becomes a candidate.
create or replace function app.candidate_of(person uuid, materials jsonb)
returns uuid
language plpgsql security definer
as $$
declare
    result uuid;
begin
    select i.id into result
    from dudao.inspectors i
    where i.person_id = person;
    if result is null then
        insert into dudao.inspectors as i (person_id, code, degree,
            work_years, title_rank, background)
        values (person, app.next_inspector_code(), materials ->> 'degree',
            (materials ->> 'work_years')::integer,
            materials ->> 'title_rank',
            coalesce(materials ->> 'background', 'other'))
        returning i.id into result;
    end if;
    return result;
end
$$;

create or replace function app.before_patch_inspector_appointments(
    r dudao.inspector_appointments, patch jsonb)
returns dudao.inspector_appointments
language plpgsql
as $$
begin
    if not app.has_role('office_staff', 'deputy_chief_inspector',
            'chief_inspector') then
        if r.state <> 'recommended' then
            perform app.refuse(409, 'not-editable', extra =>
                jsonb_build_object('state', r.state,
                    'allowed_actions', '[]'::jsonb));
        end if;
        perform app.refuse_form_of_unit(
            coalesce(patch -> 'qualification', '{}'));
    end if;
    if patch ? 'employment' then
        r.appointment_mode := case r.employment when 'full_time'
            then 'appointed' else 'engaged' end;
        r.appointing_authority := case r.employment when 'full_time'
            then 'county_government' else 'supervision_committee' end;
    end if;
    if patch ? 'starts_on' and not patch ? 'ends_on' then
        r.ends_on := (r.starts_on + make_interval(
            years => app.parameter_int('inspector_term_years')))::date - 1;
    end if;
    r.term_no := app.next_term_no(r.inspector_id, r.employment,
        coalesce(r.starts_on, app.today()));
    return r;
end
$$;

-- Consecutive terms; a gap of a whole term begins anew (project default).
create or replace function app.next_term_no(
    inspector uuid, employment text, starts_on date)
returns integer
language plpgsql stable security definer
as $$
begin
    return coalesce((
        select case when least(a.ended_on, a.ends_on) + make_interval(years =>
                    app.parameter_int('inspector_term_years')) < $3
            then 1 else a.term_no + 1 end
        from dudao.inspector_appointments a
        where a.inspector_id = $1 and a.employment = $2
            and a.starts_on is not null and a.voided_at is null
            and a.state in ('appointed', 'active', 'ended', 'resigned',
                'dismissed')
        order by a.starts_on desc
        limit 1), 1);
end
$$;

-- One line more in the notice of that title, which is begun when need be. The
-- draft then goes its way through 3.23.
create or replace function app.add_to_notice(title text, line text)
returns uuid
language plpgsql security definer
as $$
declare
    office uuid;
    result uuid;
begin
    select o.id into office
    from dudao.organizations o
    where o.kind = 'supervision_office' and o.status = 'operating';
    if office is null then
        return null;
    end if;
    perform pg_advisory_xact_lock(
        hashtextextended('dudao.notice:' || title, 0));
    update dudao.publications p
    set body = p.body || E'\n' || line
    where p.kind = 'appointment_notice' and p.state = 'draft'
        and p.subject_id is null and p.title = add_to_notice.title
    returning p.id into result;
    if result is null then
        insert into dudao.publications as p (code, kind, publisher_org_id,
            title, body)
        values (app.next_code('GK'), 'appointment_notice', office, title,
            line)
        returning p.id into result;
    end if;
    return result;
end
$$;

create or replace function app.appointment_line(
    r dudao.inspector_appointments) returns text
language sql stable
as $$
    select app.inspector_name(r.inspector_id) || '（'
        || case r.employment when 'full_time' then '专职' else '兼职' end
        || '，第' || r.term_no || '任期）'
$$;

create or replace function app.before_inspector_appointments(
    action text, r dudao.inspector_appointments, data jsonb)
returns dudao.inspector_appointments
language plpgsql
as $$
declare
    place integer;
begin
    case action
    when 'review' then
        r.qualification := r.qualification
            || coalesce(data -> 'qualification', '{}');
    when 'publicize' then
        r.publicity_from := coalesce((data ->> 'publicity_from')::date,
            app.today());
        r.publicity_to := coalesce((data ->> 'publicity_to')::date,
            app.add_workdays(r.publicity_from,
                app.parameter_int('publicity_workdays')));
        r.publicity_url := coalesce(data ->> 'publicity_url',
            r.publicity_url);
        r.publicity_publication_id := app.add_to_notice(
            '拟聘督学公示（' || r.publicity_from || '至' || r.publicity_to
            || '）', app.appointment_line(r));
    when 'record_objection' then
        r.objections := r.objections || jsonb_build_object(
            'no', jsonb_array_length(r.objections) + 1,
            'received_on', coalesce(data ->> 'received_on',
                app.today()::text),
            'raised_by', data ->> 'raised_by',
            'text', data ->> 'text',
            'evidence', coalesce(data -> 'evidence', '[]'),
            'upheld', null, 'opinion', null, 'decided_on', null,
            'decided_by', null);
    when 'decide_objection' then
        place := (data ->> 'no')::integer - 1;
        if r.objections -> place -> 'upheld' = 'null' then
            r.objections := jsonb_set(r.objections, array[place::text],
                r.objections -> place || jsonb_build_object(
                    'upheld', data -> 'upheld',
                    'opinion', data ->> 'opinion',
                    'decided_on', app.today(),
                    'decided_by', app.user_id()));
        end if;
    when 'appoint' then
        r.starts_on := coalesce((data ->> 'starts_on')::date, r.starts_on,
            app.today());
        r.ends_on := coalesce((data ->> 'ends_on')::date,
            (r.starts_on + make_interval(years =>
                app.parameter_int('inspector_term_years')))::date - 1);
        r.decision_doc_no := coalesce(data ->> 'decision_doc_no',
            r.decision_doc_no);
        r.decision_resolution_id := coalesce(
            (data ->> 'decision_resolution_id')::uuid,
            r.decision_resolution_id);
        r.pre_service_passed_on := coalesce(
            (data ->> 'pre_service_passed_on')::date,
            r.pre_service_passed_on);
        r.override_reason := data ->> 'override_reason';
        -- what counts is the first day, not that of the recommendation
        r.term_no := app.next_term_no(r.inspector_id, r.employment,
            r.starts_on);
        r.certificate_no := coalesce(r.certificate_no, app.next_code('PS'));
        r.notice_publication_id := app.add_to_notice(
            '督学聘任公告（' || app.today() || '）', app.appointment_line(r));
    when 'end' then
        r.ended_on := r.ends_on;
        r.end_reason := '任期届满';
    when 'resign' then
        r.ended_on := coalesce((data ->> 'ended_on')::date, app.today());
        r.end_reason := coalesce(data ->> 'reason', r.end_reason);
    when 'request_resignation' then
        r.resignation_requested_on := app.today();
        r.end_reason := data ->> 'reason';
    when 'dismiss' then
        r.ended_on := app.today();
        r.end_reason := data ->> 'reason';
        r.dismissal_ground := data ->> 'ground';
    else
        null;
    end case;
    return r;
end
$$;

-- The grade of the last confirmed assessment (3.24); null: none yet.
create or replace function app.last_grade_of(inspector uuid) returns text
language plpgsql stable security definer
as $$
begin
    return (
        select a.grade
        from dudao.inspector_assessments a
        where a.inspector_id = $1 and a.state = 'confirmed'
        order by a.year desc
        limit 1);
end
$$;

create or replace function app.guard_inspector_appointments(
    action text, old dudao.inspector_appointments,
    new dudao.inspector_appointments, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
    inspector dudao.inspectors;
    item text;
    share numeric;
    share_limit numeric;
    place integer;
    grade text;
begin
    select i.* into inspector
    from dudao.inspectors i
    where i.id = new.inspector_id;

    if action = 'review' then
        -- the form is filled in completely
        foreach item in array app.qualification_items() loop
            if jsonb_typeof(new.qualification -> item) is distinct from
                    'boolean' then
                faults := faults || app.fault('required',
                    '/qualification/' || item, null, 'R-INS-05', 'L-TL-7');
            end if;
        end loop;
    elsif action = 'publicize' then
        if new.publicity_from < app.today() then
            faults := faults || app.fault('date-before-start',
                '/publicity_from', jsonb_build_object('min', app.today()),
                'R-INS-06', 'L-DX-02');
        end if;
        -- every item of L-TL-7 and L-DX-03
        foreach item in array app.qualification_items() loop
            if new.qualification -> item is distinct from 'true' then
                faults := faults || app.fault('qualification-not-met',
                    '/qualification/' || item,
                    jsonb_build_object('item', item), 'R-INS-05', 'L-TL-7');
            end if;
        end loop;
        if coalesce(inspector.degree, 'below_bachelor') = 'below_bachelor'
                then
            faults := faults || app.fault('degree-too-low', null, null,
                'R-INS-05', 'L-TL-7');
        end if;
        if coalesce(inspector.work_years, 0)
                < app.parameter_int('inspector_min_work_years') then
            faults := faults || app.fault('work-years-too-few', null,
                jsonb_build_object('min',
                    app.parameter_int('inspector_min_work_years')),
                'R-INS-05', 'L-TL-7');
        end if;
        -- L-DX-02
        if app.workdays_between(new.publicity_from, new.publicity_to)
                < app.parameter_int('publicity_workdays') then
            faults := faults || app.fault('publicity-too-short',
                '/publicity_to', jsonb_build_object('min',
                    app.parameter_int('publicity_workdays')),
                'R-INS-06', 'L-DX-02');
        end if;
    elsif action = 'approve' then
        if new.publicity_to is null or new.publicity_to >= app.today() then
            faults := faults || app.fault('publicity-not-over', null,
                jsonb_build_object('until', new.publicity_to),
                'R-INS-06', 'L-DX-02');
        end if;
        -- every objection is decided, and none of them upheld
        select faults || coalesce(array_agg(app.fault(
            case when o -> 'upheld' = 'true' then 'objection-upheld'
                else 'objection-open' end,
            '/objections/' || (n - 1), jsonb_build_object('no', n),
            'R-INS-06', 'L-DX-02') order by n), '{}')
        into faults
        from jsonb_array_elements(new.objections) with ordinality as x(o, n)
        where coalesce(o -> 'upheld', 'null') <> 'false';
    elsif action = 'record_objection' then
        item := new.objections -> -1 ->> 'received_on';
        if item::date > app.today() then
            faults := faults || app.fault('date-in-future', '/received_on',
                null, 'R-INS-06', 'L-DX-02');
        elsif item::date not between new.publicity_from
                and new.publicity_to then
            faults := faults || app.fault('objection-out-of-time',
                '/received_on', jsonb_build_object('from',
                    new.publicity_from, 'until', new.publicity_to),
                'R-INS-06', 'L-DX-02');
        end if;
        if coalesce(new.objections -> -1 ->> 'text', '') = '' then
            faults := faults || app.fault('required', '/text', null,
                'R-INS-06', 'L-DX-02');
        end if;
    elsif action = 'decide_objection' then
        place := coalesce((data ->> 'no')::integer, 0) - 1;
        if place < 0 or old.objections -> place is null then
            faults := faults || app.fault('unknown-reference', '/no', null,
                'R-INS-06', 'L-DX-02');
        elsif old.objections -> place -> 'upheld' <> 'null' then
            faults := faults || app.fault('objection-decided', '/no',
                jsonb_build_object('no', place + 1), 'R-INS-06', 'L-DX-02');
        end if;
        if jsonb_typeof(data -> 'upheld') is distinct from 'boolean' then
            faults := faults || app.fault('required', '/upheld', null,
                'R-INS-06', 'L-DX-02');
        end if;
        if coalesce(data ->> 'opinion', '') = '' then
            faults := faults || app.fault('required', '/opinion', null,
                'R-INS-06', 'L-DX-02');
        end if;
    elsif action = 'reject' and old.state = 'publicizing' then
        if not exists (
                select from jsonb_array_elements(new.objections) as o
                where o -> 'upheld' = 'true') then
            faults := faults || app.fault('no-objection-upheld',
                '/objections', null, 'R-INS-06', 'L-DX-02');
        end if;
    elsif action = 'appoint' then
        -- C2.1.1.f, R-INS-10, 9-A14: the government appoints with a document
        -- of its own; the committee engages by a resolution or a document
        if new.employment = 'full_time' and new.decision_doc_no is null then
            faults := faults || app.fault('required', '/decision_doc_no',
                null, 'R-INS-10', 'C2.1.1.f');
        end if;
        if new.employment = 'part_time' and num_nonnulls(
                new.decision_resolution_id, new.decision_doc_no) = 0 then
            faults := faults || app.fault('required',
                '/decision_resolution_id', null, 'R-INS-10', 'C2.1.1.f');
        end if;
        if new.decision_resolution_id is not null and not exists (
                select from dudao.meeting_resolutions r
                join dudao.meetings m on m.id = r.meeting_id
                where r.id = new.decision_resolution_id
                    and m.kind = 'committee_plenary'
                    and r.state <> 'dropped') then
            faults := faults || app.fault('unknown-reference',
                '/decision_resolution_id', null, 'R-INS-10', 'C2.1.1.f');
        end if;
        if new.starts_on <= new.publicity_to then
            faults := faults || app.fault('date-before-start', '/starts_on',
                jsonb_build_object('min', new.publicity_to + 1),
                'R-INS-06', 'L-DX-02');
        end if;
        if exists (
                select from dudao.inspector_appointments a
                where a.inspector_id = new.inspector_id and a.id <> new.id
                    and a.state in ('appointed', 'active')
                    and a.voided_at is null
                    and daterange(a.starts_on,
                            least(a.ended_on, a.ends_on), '[]')
                        && daterange(new.starts_on,
                            greatest(new.starts_on, new.ends_on), '[]'))
                then
            faults := faults || app.fault('overlapping-period',
                '/starts_on', null, 'R-INS-03', 'L-TL-6');
        end if;
        -- 3.15: no further term after a low grade, be it renewed or
        -- recommended anew, nor when the grade came after the renewal
        grade := app.last_grade_of(new.inspector_id);
        if (new.term_no > 1 or new.renewal_of_id is not null)
                and grade in ('basically_competent', 'incompetent') then
            faults := faults || app.fault('assessment-too-low', null,
                jsonb_build_object('grade', grade), 'R-INS-07',
                'C2.4.3.e');
        end if;
        -- C2.4.1.b with 9-A1: an act that takes the county further past the
        -- limit wants a reason; one that brings it nearer does not
        share := app.fulltime_share_after(new.inspector_id, new.employment);
        share_limit := (app.parameter('fulltime_ratio_limit') #>> '{}')
            ::numeric;
        if new.override_reason is null then
            if app.parameter('fulltime_ratio_mode') = '"max"'
                    and new.employment = 'full_time'
                    and share > share_limit then
                faults := faults || app.fault('fulltime-share-exceeded',
                    '/override_reason', jsonb_build_object('share', share,
                        'limit', share_limit), 'R-INS-02', 'C2.4.1.b');
            elsif app.parameter('fulltime_ratio_mode') = '"min"'
                    and new.employment = 'part_time'
                    and share < share_limit then
                faults := faults || app.fault('fulltime-share-too-low',
                    '/override_reason', jsonb_build_object('share', share,
                        'limit', share_limit), 'R-INS-02', 'C2.4.1.b');
            end if;
        end if;
    elsif action = 'activate' then
        if new.starts_on > app.today() then
            faults := faults || app.fault('term-not-begun', null,
                jsonb_build_object('starts_on', new.starts_on),
                'R-INS-03', 'L-TL-6');
        end if;
        -- L-DX-05: trained before the first duty
        if new.term_no = 1 and new.pre_service_passed_on is null then
            faults := faults || app.fault('pre-service-training-missing',
                null, null, 'R-TRN-02', 'L-DX-05');
        end if;
        if exists (
                select from dudao.inspector_appointments a
                where a.inspector_id = new.inspector_id and a.id <> new.id
                    and a.state = 'active') then
            faults := faults || app.fault('appointment-active', null, null,
                'R-INS-03', 'L-TL-6');
        end if;
    elsif action = 'renew' then
        if old.ends_on - app.today()
                > app.parameter_int('inspector_renew_window_days') then
            faults := faults || app.fault('renewal-too-early', null,
                jsonb_build_object('from', old.ends_on
                    - app.parameter_int('inspector_renew_window_days')),
                'R-INS-03', 'L-TL-6');
        end if;
        if old.employment = 'part_time' and old.term_no
                >= app.parameter_int('inspector_max_terms') then
            faults := faults || app.fault('too-many-terms', null,
                jsonb_build_object('max',
                    app.parameter_int('inspector_max_terms')),
                'R-INS-04', 'L-TL-6');
        end if;
        if exists (
                select from dudao.inspector_appointments a
                where a.renewal_of_id = old.id and a.voided_at is null
                    and a.state <> 'rejected') then
            faults := faults || app.fault('renewal-exists', null, null,
                'R-INS-03', 'L-TL-6');
        end if;
        if old.resignation_requested_on is not null then
            faults := faults || app.fault('resignation-requested', null,
                null, null, 'L-TL-6');
        end if;
        -- 3.15: at least competent in the last assessment that is confirmed;
        -- that there is one each year is R-INS-07
        grade := app.last_grade_of(old.inspector_id);
        if grade in ('basically_competent', 'incompetent') then
            faults := faults || app.fault('assessment-too-low', null,
                jsonb_build_object('grade', grade), 'R-INS-07',
                'C2.4.3.e');
        end if;
    elsif action = 'resign' then
        if old.resignation_requested_on is null then
            faults := faults || app.fault('resignation-not-requested', null,
                null, null, 'L-TL-6');
        end if;
        if new.ended_on > app.today() then
            faults := faults || app.fault('date-in-future', '/ended_on');
        elsif new.ended_on < new.starts_on then
            faults := faults || app.fault('date-before-start', '/ended_on',
                jsonb_build_object('min', new.starts_on));
        end if;
    elsif action = 'dismiss' then
        if new.dismissal_ground is null then
            faults := faults || app.fault('required', '/ground', null, null,
                'L-TL-26');
        elsif new.dismissal_ground = 'incompetent_assessment'
                and app.last_grade_of(old.inspector_id) is distinct from
                    'incompetent' then
            faults := faults || app.fault('assessment-not-incompetent',
                '/ground', null, 'R-INS-07', 'C2.4.3.e');
        end if;
    elsif action = 'end' then
        if old.ends_on >= app.today() then
            faults := faults || app.fault('term-not-over', null,
                jsonb_build_object('ends_on', old.ends_on),
                'R-INS-03', 'L-TL-6');
        end if;
    elsif action = 'request_resignation' then
        if app.inspector_id() is distinct from old.inspector_id then
            faults := faults || app.fault('out-of-scope');
        end if;
        if old.resignation_requested_on is not null then
            faults := faults || app.fault('resignation-requested', null,
                null, null, 'L-TL-6');
        end if;
    end if;
    return faults;
end
$$;

create or replace function app.effect_inspector_appointments(
    action text, old dudao.inspector_appointments,
    new dudao.inspector_appointments, data jsonb)
returns void
language plpgsql security definer
as $$
declare
    person uuid;
    account uuid;
    superior uuid;
    name text := app.inspector_name(new.inspector_id);
begin
    select i.person_id into person
    from dudao.inspectors i
    where i.id = new.inspector_id;

    case action
    when 'publicize' then
        perform app.deadline('inspector_appointments', new.id, 'publicity',
            new.publicity_to);
    when 'approve' then
        perform app.meet_deadline('inspector_appointments', new.id,
            'publicity');
        perform app.notify('inspector_appointments', new.id,
            'appointment_approved', '督学拟聘通过', name,
            app.users_with_role('committee_director', 'committee_deputy'));
    when 'record_objection' then
        perform app.notify('inspector_appointments', new.id,
            'objection_received', '督学公示收到异议', name,
            app.users_with_role('chief_inspector'));
    when 'reject' then
        perform app.meet_deadline('inspector_appointments', new.id,
            'publicity');
        perform app.notify('inspector_appointments', new.id,
            'appointment_rejected', '督学推荐未通过', name,
            app.users_of_organization(new.recommended_by_org_id));
    when 'appoint' then
        update dudao.inspectors i
        set card_no = coalesce(i.card_no, 'DXZ-' || i.code)
        where i.id = new.inspector_id;
        -- L-DX-02: announced, and reported to the superior body
        select o.id into superior
        from dudao.organizations o
        where o.kind = 'superior_supervision_body'
            and o.status = 'operating'
        limit 1;
        if superior is not null then
            perform app.dispatch('inspector_appointments', new.id, 'report',
                superior, 'superior_supervision',
                app.add_workdays(app.today(),
                    app.parameter_int('report_delivery_workdays')));
        end if;
        perform app.enqueue('X-13', 'upsert', 'inspector_appointments',
            new.id, 'appointment:' || new.certificate_no,
            jsonb_build_object(
                'inspector', (select i.code from dudao.inspectors i
                    where i.id = new.inspector_id),
                'name', name, 'employment', new.employment,
                'term_no', new.term_no, 'starts_on', new.starts_on,
                'ends_on', new.ends_on,
                'decision_doc_no', new.decision_doc_no));
        perform app.deadline('inspector_appointments', new.id, 'term_end',
            new.ends_on);
        perform app.notify('inspector_appointments', new.id,
            'appointed', '督学聘任', name || '：' || new.starts_on || '至'
            || new.ends_on, app.users_of_person(person)
                || app.users_of_organization(new.recommended_by_org_id));
    when 'activate' then
        update dudao.inspectors i
        set status = 'active'
        where i.id = new.inspector_id and i.status <> 'active';
        foreach account in array app.users_of_person(person) loop
            perform app.grant_role(account,
                case new.employment when 'full_time' then 'inspector_ft'
                    else 'inspector_pt' end,
                '督学聘任生效', new.starts_on, new.ends_on);
        end loop;
    when 'renew' then
        insert into dudao.inspector_appointments(inspector_id,
            basis_document_id, employment, appointment_mode,
            appointing_authority, recommended_by_org_id,
            recommendation_text, qualification, term_no,
            pre_service_passed_on, renewal_of_id)
        values (new.inspector_id, new.basis_document_id, new.employment,
            new.appointment_mode, new.appointing_authority,
            new.recommended_by_org_id, '续聘', new.qualification,
            new.term_no + 1, new.pre_service_passed_on, new.id);
    when 'request_resignation' then
        perform app.notify('inspector_appointments', new.id,
            'resignation_requested', '督学申请辞任', name,
            app.users_with_role('chief_inspector'));
    when 'end', 'resign', 'dismiss' then
        perform app.close_inspector(new.inspector_id, person,
            new.employment, new.ended_on, action);
        perform app.meet_deadline('inspector_appointments', new.id,
            'term_end');
        if action = 'dismiss' then
            select o.id into superior
            from dudao.organizations o
            where o.kind = 'superior_supervision_body'
                and o.status = 'operating'
            limit 1;
            if superior is not null then
                perform app.dispatch('inspector_appointments', new.id,
                    'filing', superior, 'superior_supervision',
                    app.add_workdays(app.today(),
                        app.parameter_int('report_delivery_workdays')));
            end if;
        end if;
    else
        null;
    end case;
end
$$;

-- The end of an appointment closes what hung on it (10.1): zone membership,
-- plaques, role.
create or replace function app.close_inspector(
    inspector uuid, person uuid, employment text, closed_on date, cause text)
returns void
language plpgsql security definer
as $$
declare
    item uuid;
    role text := case employment when 'full_time' then 'inspector_ft'
        else 'inspector_pt' end;
begin
    -- a renewed term may follow at once
    if exists (
            select from dudao.inspector_appointments a
            where a.inspector_id = inspector and a.state = 'appointed'
                and a.starts_on <= closed_on + 1) and cause = 'end' then
        -- who goes on as the other kind keeps the zone and loses the role
        if not exists (
                select from dudao.inspector_appointments a
                where a.inspector_id = inspector and a.state = 'appointed'
                    and a.employment = close_inspector.employment) then
            foreach item in array app.users_of_person(person) loop
                perform app.end_grants(item, role, '督学聘任结束');
                if employment = 'full_time' then
                    perform app.end_grants(item, 'zone_lead',
                        '督学聘任结束');
                end if;
            end loop;
        end if;
        return;
    end if;
    update dudao.zone_memberships m
    set ended_on = greatest(m.started_on, closed_on), is_lead = false
    where m.inspector_id = inspector and m.ended_on is null;
    for item in
        select p.id from dudao.plaques p
        where p.inspector_id = inspector and p.state = 'posted'
    loop
        perform app.system_step('plaques', item, 'flag',
            jsonb_build_object('reason', '责任督学离任'));
    end loop;
    for item in
        select p.id from dudao.plaques p
        where p.inspector_id = inspector
            and p.state in ('planned', 'to_replace')
    loop
        perform app.system_step('plaques', item, 'remove',
            jsonb_build_object('removed_on', closed_on));
    end loop;
    foreach item in array app.users_of_person(person) loop
        perform app.end_grants(item, role, '督学聘任结束');
        perform app.end_grants(item, 'zone_lead', '督学聘任结束');
    end loop;
    update dudao.inspectors i
    set status = 'ended',
        -- L-TL-26: the card is withdrawn
        card_no = case when cause = 'dismiss' then null else i.card_no end
    where i.id = inspector;
end
$$;

-- What the calendar does: terms begin and end, and the office hears of it 90
-- and 30 days before. Once a day, by a timer or by hand; a second run on the
-- same day changes nothing.
create or replace function app.run_appointments() returns integer
language plpgsql security definer
as $$
declare
    item dudao.inspector_appointments;
    n integer := 0;
begin
    for item in
        select a.* from dudao.inspector_appointments a
        where a.state = 'active' and a.ends_on < app.today()
            and a.voided_at is null
    loop
        perform app.system_step('inspector_appointments', item.id, 'end');
        n := n + 1;
    end loop;
    for item in
        select a.* from dudao.inspector_appointments a
        where a.state = 'appointed' and a.starts_on <= app.today()
            and a.voided_at is null
            and (a.term_no > 1 or a.pre_service_passed_on is not null)
            and not exists (
                select from dudao.inspector_appointments b
                where b.inspector_id = a.inspector_id
                    and b.state = 'active')
    loop
        perform app.system_step('inspector_appointments', item.id,
            'activate');
        n := n + 1;
    end loop;
    perform app.notify('inspector_appointments', a.id, 'term_ends',
        '督学任期将满', app.inspector_name(a.inspector_id) || '：'
        || a.ends_on, app.users_with_role('office_staff',
            'deputy_chief_inspector'),
        (a.ends_on - days)::timestamp at time zone 'Asia/Shanghai')
    from dudao.inspector_appointments a
    cross join unnest('{90,30}'::integer[]) as days
    where a.state = 'active' and a.voided_at is null
        and a.ends_on - days between app.today() - 7 and app.today();
    return n;
end
$$;


-- Plaques (3.24) ------------------------------------------------------------

create or replace function app.before_create_plaques(
    r dudao.plaques, body jsonb)
returns dudao.plaques
language plpgsql
as $$
begin
    r.items := coalesce(r.items, (
        select string_agg(c.label_zh, '；' order by c.sort)
        from dudao.code_items c
        where c.list = 'visit_area' and c.active));
    return r;
end
$$;

create or replace function app.before_plaques(
    action text, r dudao.plaques, data jsonb)
returns dudao.plaques
language plpgsql
as $$
begin
    case action
    when 'post' then
        r.posted_on := coalesce((data ->> 'posted_on')::date, app.today());
        r.photo_attachment_id := coalesce(
            (data ->> 'photo_attachment_id')::uuid, r.photo_attachment_id);
        r.location := coalesce(data ->> 'location', r.location);
    when 'flag' then
        r.flag_reason := data ->> 'reason';
    when 'remove' then
        r.removed_on := coalesce((data ->> 'removed_on')::date, app.today());
        r.removed_on := greatest(r.removed_on, r.posted_on);
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_plaques(
    action text, old dudao.plaques, new dudao.plaques, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
    inspector dudao.inspectors;
    zone uuid;
    school_zone uuid;
    held integer;
begin
    if action <> 'post' then
        return faults;
    end if;
    select i.* into inspector
    from dudao.inspectors i
    where i.id = new.inspector_id;
    -- only who is in office hangs at a gate (R-PLQ-01)
    if app.employment_of(new.inspector_id) is null
            or inspector.status <> 'active' then
        faults := faults || app.fault('no-active-appointment',
            '/inspector_id', null, 'R-PLQ-01', 'C2.2.2.f');
    end if;
    -- R-PLQ-02: photo, phone, items, hotline
    if new.photo_attachment_id is null then
        faults := faults || app.fault('required', '/photo_attachment_id',
            null, 'R-PLQ-02', 'L-GP-01');
    end if;
    if coalesce(inspector.public_phone, new.hotline) is null then
        faults := faults || app.fault('required', '/hotline', null,
            'R-PLQ-02', 'L-GP-01');
    end if;
    if coalesce(new.items, '') = '' then
        faults := faults || app.fault('required', '/items', null,
            'R-PLQ-02', 'L-GP-01');
    end if;
    if new.posted_on > app.today() then
        faults := faults || app.fault('date-in-future', '/posted_on');
    end if;
    if exists (
            select from dudao.plaques p
            where p.school_id = new.school_id and p.id <> new.id
                and p.state in ('posted', 'to_replace')) then
        faults := faults || app.fault('plaque-still-posted', '/school_id',
            null, 'R-PLQ-01', 'C2.2.2.f');
    end if;
    -- about five schools; red above seven (R-PLQ-03)
    held := app.school_count_of(new.inspector_id);
    if held >= app.parameter_int('plaque_school_max') then
        faults := faults || app.fault('inspector-overloaded',
            '/inspector_id', jsonb_build_object('count', held,
                'max', app.parameter_int('plaque_school_max')),
            'R-PLQ-03', 'L-GP-01');
    end if;
    -- inspectors of the county level have no zone, and may help anywhere
    zone := app.zone_of(new.inspector_id);
    select s.zone_id into school_zone
    from dudao.schools s
    where s.id = new.school_id;
    if zone is not null and zone is distinct from school_zone then
        faults := faults || app.fault('inspector-of-other-zone',
            '/inspector_id', null, 'R-ZON-02', 'C2.2.2.e');
    end if;
    -- L-TL-10
    if exists (
            select from dudao.recusals r
            where r.inspector_id = new.inspector_id and r.state = 'granted'
                and r.organization_id = new.school_id) then
        faults := faults || app.fault('recusal-required', '/inspector_id',
            null, 'R-INS-09', 'L-TL-10');
    end if;
    return faults;
end
$$;

create or replace function app.effect_plaques(
    action text, old dudao.plaques, new dudao.plaques, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    if action = 'post' then
        perform app.notify('plaques', new.id, 'plaque_posted',
            '责任督学已挂牌', app.inspector_name(new.inspector_id),
            app.users_of_organization(new.school_id));
    elsif action = 'flag' then
        perform app.notify('plaques', new.id, 'plaque_to_replace',
            '责任督学公示牌待更换', app.organization_name(new.school_id),
            app.users_with_role('office_staff', 'deputy_chief_inspector'));
    end if;
end
$$;


-- Recusals (3.24) -----------------------------------------------------------

create or replace function app.before_create_recusals(
    r dudao.recusals, body jsonb)
returns dudao.recusals
language plpgsql
as $$
begin
    -- an inspector speaks of nobody else
    r.inspector_id := coalesce(r.inspector_id, app.inspector_id());
    r.declared_by := app.user_id();
    r.declared_on := app.today();
    return r;
end
$$;

create or replace function app.after_create_recusals(
    r dudao.recusals, body jsonb)
returns void
language sql security definer
as $$
    select app.notify('recusals', r.id, 'recusal_declared', '回避申报待决定',
        app.inspector_name(r.inspector_id) || '：' || coalesce(
            app.organization_name(app.recusal_unit(r.organization_id,
                r.target_id, r.visit_id)), ''),
        app.users_with_role('chief_inspector'))
$$;

create or replace function app.before_recusals(
    action text, r dudao.recusals, data jsonb)
returns dudao.recusals
language plpgsql
as $$
begin
    r.decided_by := app.user_id();
    r.decided_on := app.today();
    r.decision := case action when 'grant' then 'granted'
        else 'rejected' end;
    r.decision_note := coalesce(data ->> 'reason', data ->> 'comment');
    if action = 'grant' then
        r.replaced_by_inspector_id :=
            (data ->> 'replaced_by_inspector_id')::uuid;
    end if;
    return r;
end
$$;

create or replace function app.guard_recusals(
    action text, old dudao.recusals, new dudao.recusals, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
    unit uuid := app.recusal_unit(new.organization_id, new.target_id,
        new.visit_id);
    other constant uuid := new.replaced_by_inspector_id;
    led text;
begin
    -- nobody decides on the own recusal (3.0)
    if app.inspector_id() = new.inspector_id then
        faults := faults || app.fault('separation-of-duties', null, null,
            'R-INS-09', 'L-TL-10');
    end if;
    if action = 'grant' and other is not null then
        if app.employment_of(other) is null then
            faults := faults || app.fault('no-active-appointment',
                '/replaced_by_inspector_id', null, 'R-INS-09', 'L-TL-10');
        end if;
        if app.is_recused(other, unit, new.target_id, new.visit_id) then
            faults := faults || app.fault('recusal-required',
                '/replaced_by_inspector_id', null, 'R-INS-09', 'L-TL-10');
        end if;
        -- the school's plaque goes to the replacement: as for any plaque
        if app.has_plaque_at(new.inspector_id, new.organization_id)
                and app.zone_of(other) is distinct from
                    app.zone_of(new.inspector_id)
                and app.zone_of(other) is not null then
            faults := faults || app.fault('inspector-of-other-zone',
                '/replaced_by_inspector_id', null, 'R-ZON-02', 'C2.2.2.e');
        end if;
    end if;
    if action = 'grant' then
        -- nobody else could do what the leader does (3.3)
        select t.kind into led
        from app.targets_of_recusal(new) as g
        join dudao.supervision_tasks t on t.id = g.task_id
        where app.leader_at(g) = new.inspector_id
            and t.state <> 'draft' and g.state in ('pending', 'notified',
                'self_assessed', 'self_assessment_audited', 'onsite',
                'onsite_done')
        order by t.kind = 'comprehensive' desc
        limit 1;
        if led is not null and other is null then
            faults := faults || app.fault('required',
                '/replaced_by_inspector_id', null, 'R-INS-09', 'L-TL-10');
        elsif led = 'comprehensive'
                and not app.is_full_time(other, app.today()) then
            faults := faults || app.fault('leader-not-full-time',
                '/replaced_by_inspector_id', null, 'R-TSK-02', 'L-TL-16');
        end if;
    end if;
    return faults;
end
$$;

-- The targets that are under way and on whose team the inspector was, or of
-- which the recusal speaks.
create or replace function app.targets_of_recusal(r dudao.recusals)
returns setof dudao.supervision_targets
language sql stable security definer
as $$
    select g.*
    from dudao.supervision_targets g
    join dudao.supervision_tasks t on t.id = g.task_id
    where t.voided_at is null
        and t.state not in ('completed', 'archived', 'cancelled')
        and g.state not in ('closed', 'excused')
        and (g.id = r.target_id
            or (g.organization_id = r.organization_id and exists (
                select from dudao.team_members m
                where m.task_id = g.task_id
                    and m.inspector_id = r.inspector_id
                    and (m.target_ids = '{}'
                        or g.id = any (m.target_ids)))))
$$;

create or replace function app.has_plaque_at(inspector uuid, school uuid)
returns boolean
language plpgsql stable security definer
as $$
begin
    return exists (
        select from dudao.plaques p
        where p.school_id = $2 and p.inspector_id = $1
            and p.state = 'posted');
end
$$;

-- From that moment the inspector is off (3.24): scopes and guards look at the
-- granted row. What names the inspector goes to the replacement.
create or replace function app.effect_recusals(
    action text, old dudao.recusals, new dudao.recusals, data jsonb)
returns void
language plpgsql security definer
as $$
declare
    item uuid;
    unit uuid := app.recusal_unit(new.organization_id, new.target_id,
        new.visit_id);
    name text := app.inspector_name(new.inspector_id) || '：'
        || coalesce(app.organization_name(unit), '');
begin
    if action = 'grant' then
        for item in
            select p.id from dudao.plaques p
            where p.school_id = new.organization_id
                and p.inspector_id = new.inspector_id
                and p.state in ('posted', 'planned')
        loop
            if (select p.state from dudao.plaques p where p.id = item)
                    = 'posted' then
                perform app.system_step('plaques', item, 'flag',
                    jsonb_build_object('reason', '责任督学回避'));
            else
                perform app.system_step('plaques', item, 'remove');
            end if;
        end loop;
        if new.replaced_by_inspector_id is not null then
            insert into dudao.plaques(school_id, inspector_id, items,
                hotline)
            select p.school_id, new.replaced_by_inspector_id, p.items,
                p.hotline
            from dudao.plaques p
            where p.school_id = new.organization_id
                and p.inspector_id = new.inspector_id
                and p.state = 'to_replace'
            on conflict (school_id) where state = 'planned' do update
                set inspector_id = excluded.inspector_id;
            insert into dudao.team_members(task_id, inspector_id, target_ids)
            select t.task_id, new.replaced_by_inspector_id, array_agg(t.id)
            from app.targets_of_recusal(new) as t
            group by t.task_id
            on conflict (task_id, inspector_id) do update
                set target_ids = case
                    when team_members.target_ids = '{}' then '{}'
                    else team_members.target_ids || excluded.target_ids end
                where not team_members.target_ids @> excluded.target_ids;
        end if;
    end if;
    perform app.notify('recusals', new.id, 'recusal_decided',
        case action when 'grant' then '回避申请已同意'
            else '回避申请未予同意' end, name,
        app.users_of_person(person_id) || case action when 'grant' then
            app.users_of_organization(unit)
                || app.users_with_role('office_staff') else '{}' end)
    from dudao.inspectors i
    where i.id in (new.inspector_id, new.replaced_by_inspector_id);
end
$$;


-- What the API shows --------------------------------------------------------

drop view if exists app.zones_json;
create view app.zones_json with (security_invoker = true) as
select z.*,
    json_build_object(
        'id', z.id,
        'version', z.version,
        'code', z.code,
        'name', z.name,
        'lead_inspector_id', z.lead_inspector_id,
        'division_ids', z.division_ids,
        'office_address', z.office_address,
        'phone', app.mask_phone(z.phone, null),
        'active_from', z.active_from,
        'active_to', z.active_to,
        'school_count', n.school_count,
        'inspector_count', n.inspector_count,
        'fulltime_count', n.fulltime_count,
        'ratio', round(n.school_count::numeric
            / nullif(n.inspector_count, 0), 2),
        'created_at', app.ts(z.created_at),
        'updated_at', app.ts(z.updated_at),
        'is_demo', z.is_demo) as body
from dudao.zones z
cross join lateral app.zone_numbers(z.id) as n;

drop view if exists app.zone_memberships_json;
create view app.zone_memberships_json with (security_invoker = true) as
select m.*,
    json_build_object(
        'id', m.id,
        'version', m.version,
        'zone_id', m.zone_id,
        'inspector_id', m.inspector_id,
        'inspector_name', app.inspector_name(m.inspector_id),
        'is_lead', m.is_lead,
        'started_on', m.started_on,
        'ended_on', m.ended_on,
        'created_at', app.ts(m.created_at),
        'updated_at', app.ts(m.updated_at),
        'is_demo', m.is_demo) as body
from dudao.zone_memberships m;

drop view if exists app.inspectors_json;
create view app.inspectors_json with (security_invoker = true) as
select i.*,
    json_build_object(
        'id', i.id,
        'version', i.version,
        'person_id', i.person_id,
        'name', app.inspector_name(i.id),
        'code', i.code,
        'card_no', i.card_no,
        'degree', i.degree,
        'work_years', i.work_years,
        'title_rank', i.title_rank,
        'background', i.background,
        'expertise_stages', i.expertise_stages,
        'expertise_matters', i.expertise_matters,
        'current_employment', app.employment_of(i.id),
        'zone_id', app.zone_of(i.id),
        'school_count', app.school_count_of(i.id),
        'is_researcher', i.is_researcher,
        'rank_id', i.rank_id,
        'public_photo_id', i.public_photo_id,
        'public_phone', case when i.id = (select app.inspector_id())
            then i.public_phone else app.mask_phone(i.public_phone, null) end,
        'status', i.status,
        'created_at', app.ts(i.created_at),
        'updated_at', app.ts(i.updated_at),
        'is_demo', i.is_demo) as body
from dudao.inspectors i;

drop view if exists app.inspector_appointments_json;
create view app.inspector_appointments_json with (security_invoker = true) as
select a.*,
    json_build_object(
        'id', a.id,
        'version', a.version,
        'inspector_id', a.inspector_id,
        'inspector_name', app.inspector_name(a.inspector_id),
        'basis_document_id', a.basis_document_id,
        'employment', a.employment,
        'appointment_mode', a.appointment_mode,
        'appointing_authority', a.appointing_authority,
        'recommended_by_org_id', a.recommended_by_org_id,
        'recommendation_text', a.recommendation_text,
        'qualification', a.qualification,
        'publicity_from', a.publicity_from,
        'publicity_to', a.publicity_to,
        'publicity_url', a.publicity_url,
        -- who objected stays with those who decide
        'objections', case
            when (select app.has_role('office_staff',
                'deputy_chief_inspector', 'chief_inspector',
                'committee_director', 'committee_deputy')) then a.objections
            else (
                select coalesce(jsonb_agg(o - '{raised_by,evidence,decided_by}'
                    ::text[] || '{"raised_by": null, "evidence": [],
                        "decided_by": null}'::jsonb), '[]')
                from jsonb_array_elements(a.objections) as o) end,
        'term_no', a.term_no,
        'starts_on', a.starts_on,
        'ends_on', a.ends_on,
        'ended_on', a.ended_on,
        'end_reason', a.end_reason,
        'certificate_no', a.certificate_no,
        'decision_doc_no', a.decision_doc_no,
        'decision_resolution_id', a.decision_resolution_id,
        'override_reason', a.override_reason,
        'dismissal_ground', a.dismissal_ground,
        'pre_service_passed_on', a.pre_service_passed_on,
        'pre_service_record_id', a.pre_service_record_id,
        'resignation_requested_on', a.resignation_requested_on,
        'renewal_of_id', a.renewal_of_id,
        'publicity_publication_id', a.publicity_publication_id,
        'notice_publication_id', a.notice_publication_id,
        'voided_at', app.ts(a.voided_at),
        'void_reason', a.void_reason,
        'state', a.state,
        'allowed_actions', case when a.voided_at is null
            then app.allowed_actions('inspector_appointments', a.state)
            else '[]'::json end,
        'created_at', app.ts(a.created_at),
        'updated_at', app.ts(a.updated_at),
        'is_demo', a.is_demo) as body
from dudao.inspector_appointments a;

drop view if exists app.recusals_json;
create view app.recusals_json with (security_invoker = true) as
select r.*,
    json_build_object(
        'id', r.id,
        'version', r.version,
        'inspector_id', r.inspector_id,
        'inspector_name', app.inspector_name(r.inspector_id),
        'target_id', r.target_id,
        'visit_id', r.visit_id,
        'organization_id', r.organization_id,
        'unit_id', app.recusal_unit(r.organization_id, r.target_id,
            r.visit_id),
        'unit_name', app.organization_name(app.recusal_unit(
            r.organization_id, r.target_id, r.visit_id)),
        'reason', r.reason,
        'note', r.note,
        'declared_by', r.declared_by,
        'declared_on', r.declared_on,
        'decided_by', r.decided_by,
        'decided_on', r.decided_on,
        'decision', r.decision,
        'decision_note', r.decision_note,
        'replaced_by_inspector_id', r.replaced_by_inspector_id,
        'state', r.state,
        'allowed_actions', app.allowed_actions('recusals', r.state),
        'created_at', app.ts(r.created_at),
        'updated_at', app.ts(r.updated_at),
        'is_demo', r.is_demo) as body
from dudao.recusals r;

-- L-DX-01: whoever is shown a certificate or a card may ask whether it holds.
create or replace function app.check_certificate(wanted text)
returns setof app.answer
language sql stable security definer
as $$
    select 200, null::text, left(md5(c.body::text), 16), c.body::text
    from (
        select json_build_object(
            'certificate_no', a.certificate_no,
            'card_no', i.card_no,
            'name', app.inspector_name(i.id),
            'employment', a.employment,
            'term_no', a.term_no,
            'starts_on', a.starts_on,
            'ends_on', least(a.ended_on, a.ends_on),
            'is_valid', a.state = 'active' and a.voided_at is null
                and app.today() between a.starts_on and a.ends_on) as body
        from dudao.inspector_appointments a
        join dudao.inspectors i on i.id = a.inspector_id
        where (a.certificate_no = wanted or i.card_no = wanted)
            and a.starts_on is not null
        order by a.state = 'active' desc, a.starts_on desc
        limit 1
    ) as c
$$;

-- What hangs at the gate: name, photo, phone, items. It is there for the
-- public, so the phone is whole.
create or replace function app.plaque_inspector(
    inspector uuid, out name text, out phone text, out photo_id uuid)
language sql stable security definer
as $$
    select p.name, i.public_phone, i.public_photo_id
    from dudao.inspectors i
    join dudao.persons p on p.id = i.person_id
    where i.id = $1
$$;

drop view if exists app.plaques_json;
create view app.plaques_json with (security_invoker = true) as
select p.*,
    json_build_object(
        'id', p.id,
        'version', p.version,
        'school_id', p.school_id,
        'school_name', app.organization_name(p.school_id),
        'inspector_id', p.inspector_id,
        'inspector_name', i.name,
        'public_phone', i.phone,
        'public_photo_id', i.photo_id,
        'items', p.items,
        'hotline', p.hotline,
        'posted_on', p.posted_on,
        'photo_attachment_id', p.photo_attachment_id,
        'location', p.location,
        'removed_on', p.removed_on,
        'flag_reason', p.flag_reason,
        'state', p.state,
        'allowed_actions', app.allowed_actions('plaques', p.state),
        'created_at', app.ts(p.created_at),
        'updated_at', app.ts(p.updated_at),
        'is_demo', p.is_demo) as body
from dudao.plaques p
cross join lateral app.plaque_inspector(p.inspector_id) as i;

-- The same for everybody, without what only the office needs.
drop view if exists app.public_plaques_json;
create view app.public_plaques_json with (security_invoker = true) as
select p.id, p.school_id, p.posted_on, s.ident_code, o.search,
    json_build_object(
        'id', p.id,
        'school_id', p.school_id,
        'school_name', o.name,
        'ident_code', s.ident_code,
        'inspector_name', i.name,
        'public_phone', i.phone,
        'public_photo_id', i.photo_id,
        'items', p.items,
        'hotline', p.hotline,
        'location', p.location,
        'posted_on', p.posted_on) as body
from dudao.plaques p
join dudao.schools s on s.id = p.school_id
join dudao.organizations o on o.id = p.school_id
cross join lateral app.plaque_inspector(p.inspector_id) as i
where p.state = 'posted';
