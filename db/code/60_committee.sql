-- The committee and its office (2.2): who belongs to it on which day, who
-- answers for a member unit, who works in the office (C2.1.1, C2.1.2).

select app.register('committee_members', permission_group => 'committee');
select app.register('member_units', permission_group => 'committee',
    searched => '{duties}');
select app.register('liaisons', permission_group => 'committee',
    read_only => '{nominated_by,confirmed_by,confirmed_at}');
select app.register('office_staff', permission_group => 'committee');

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('committee_members.role', 'director', '主任', 'Director', 1),
    ('committee_members.role', 'deputy_director', '副主任', 'Deputy director', 2),
    ('committee_members.role', 'member', '委员', 'Member', 3),
    ('office_staff.post', 'chief_inspector', '总督学', 'Chief inspector', 1),
    ('office_staff.post', 'deputy_chief_inspector', '副总督学',
        'Deputy chief inspector', 2),
    ('office_staff.post', 'staff', '工作人员', 'Staff', 3),
    ('office_staff.employment', 'full_time', '专职', 'Full-time', 1),
    ('office_staff.employment', 'part_time', '兼职', 'Part-time', 2),
    ('office_staff.employment', 'seconded', '借用', 'Seconded', 3)
on conflict (name, value) do update set label_zh = excluded.label_zh,
    label_en = excluded.label_en, sort = excluded.sort;

-- o: the unit's own seat, duties and liaisons; the office belongs to none.
-- p: who sits on the committee and leads the office is known to everybody,
-- the liaisons and their telephones are not.
insert into app.scope_predicates(resource, scope, predicate) values
    ('committee_members', 'o', 'organization_id = (select app.organization_id())'),
    ('committee_members', 'p', 'left_on is null'),
    ('member_units', 'o', 'organization_id = (select app.organization_id())'),
    ('member_units', 'p', 'left_on is null'),
    ('liaisons', 'o', $p$exists (
        select from dudao.member_units u
        where u.id = member_unit_id
            and u.organization_id = (select app.organization_id()))$p$),
    ('liaisons', 'p', 'false'),
    ('office_staff', 'o', 'false'),
    ('office_staff', 'p', 'ended_on is null and post <> ''staff''')
on conflict (resource, scope) do update set predicate = excluded.predicate;


-- What others ask ------------------------------------------------------------

-- The units of a day, in the order of the policy document (C2.1.1.a).
create or replace function app.active_member_units(on_day date)
returns setof dudao.member_units
language sql stable security definer
as $$
    select u.*
    from dudao.member_units u
    where daterange(u.joined_on, u.left_on, '[)') @> on_day
    order by u.seq
$$;

-- C2.1.1.h, C2.1.1.i: the head of a unit is its member on the committee, or
-- the deputy director that comes from it.
create or replace function app.head_of_unit(unit uuid, on_day date)
returns uuid
language plpgsql stable security definer
as $$
begin
    return (
        select m.id
        from dudao.committee_members m
        where m.organization_id = unit and m.role <> 'director'
            and daterange(m.joined_on, m.left_on, '[)') @> on_day);
end
$$;

-- C2.1.1.h: the deputies come from the office of the county government and
-- from the education bureau, which hosts the office.
create or replace function app.deputy_organizations() returns setof uuid
language sql stable security definer
as $$
    select o.host_organization_id
    from dudao.organizations o
    where o.kind = 'supervision_office' and o.status = 'operating'
    union
    select o.id
    from dudao.organizations o
    join dudao.organizations g
        on g.id = o.host_organization_id and g.kind = 'county_government'
    where o.status = 'operating'
$$;

-- C2.1.3.f: to every unit that was a member on that day; how many there were.
create or replace function app.circulate(
    subject_type text, subject_id uuid, on_day date, due_on date)
returns integer
language plpgsql volatile security definer
as $$
begin
    return (
        select count(app.dispatch($1, $2, 'circulate', u.organization_id,
            'member_unit', $4))::integer
        from app.active_member_units($3) as u);
end
$$;

-- C2.1.3.f: to the superior supervision body; null: there is none.
create or replace function app.report_upward(
    subject_type text, subject_id uuid, due_on date)
returns uuid
language plpgsql volatile security definer
as $$
begin
    return (
        select app.dispatch($1, $2, 'report', o.id, 'superior_supervision', $3)
        from dudao.organizations o
        where o.kind = 'superior_supervision_body' and o.status = 'operating'
        order by o.id
        limit 1);
end
$$;

create or replace function app.persons_named(words text) returns setof uuid
language sql stable security definer
as $$
    select p.id from dudao.persons p where p.search @> app.bigrams($1)
$$;

-- C2.1.2.i: full-time staff of the office, without one row.
create or replace function app.office_fulltime(without uuid default null)
returns integer
language plpgsql stable security definer
as $$
begin
    return (
        select count(*)::integer
        from dudao.office_staff s
        where s.employment = 'full_time' and s.ended_on is null
            and s.id is distinct from without);
end
$$;

create or replace function app.is_office_account() returns boolean
language sql stable
as $$
    select app.roles()
        && '{office_staff,deputy_chief_inspector,chief_inspector,system}'
$$;

-- The accounts of a member unit; the administrator records, and confirms
-- nothing.
create or replace function app.is_member_writer() returns boolean
language sql stable
as $$
    select app.roles() && '{committee_member,member_liaison}'
        and not app.is_office_account()
        and not app.roles() && '{sys_admin}'
$$;


-- Rules of rows --------------------------------------------------------------

insert into app.row_rules(resource, name, expression, pointer, code,
    rule_id, clause_id, params) values
    ('committee_members', 'left_after_joined', 'new.left_on >= new.joined_on',
        '/left_on', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.joined_on)'),
    ('committee_members', 'joined_past', 'new.joined_on <= app.today()',
        '/joined_on', 'date-in-future', null, null,
        'jsonb_build_object(''max'', app.today())'),
    ('committee_members', 'left_past', 'new.left_on <= app.today()',
        '/left_on', 'date-in-future', null, null,
        'jsonb_build_object(''max'', app.today())'),
    ('committee_members', 'stays_ended',
        'old.left_on is null or new.left_on is not null',
        '/left_on', 'ended-stays-ended', null, null, null),
    ('committee_members', 'person_of_unit', $e$
        new.person_id is not distinct from old.person_id or exists (
            select from dudao.persons p
            where p.id = new.person_id
                and p.organization_id = new.organization_id)$e$,
        '/person_id', 'person-not-of-unit', 'R-ORG-01', 'C2.1.1.i', null),
    ('committee_members', 'director_of_government', $e$
        new.role <> 'director' or exists (
            select from dudao.organizations o
            where o.id = new.organization_id
                and o.kind = 'county_government')$e$,
        '/organization_id', 'director-not-of-government',
        'R-ORG-01', 'C2.1.1.g', null),
    ('committee_members', 'deputy_of_offices', $e$
        new.role <> 'deputy_director' or new.left_on is not null
        or new.organization_id in (select app.deputy_organizations())$e$,
        '/organization_id', 'deputy-not-of-offices',
        'R-ORG-01', 'C2.1.1.h', null),
    ('committee_members', 'post_named', $e$
        new.role = 'member' or new.ex_officio_position is not null$e$,
        '/ex_officio_position', 'required', 'R-ORG-01', 'C2.1.1.h', null),
    ('committee_members', 'unit_is_member', $e$
        new.role <> 'member' or old.id is not null or exists (
            select from dudao.member_units u
            where u.organization_id = new.organization_id
                and daterange(u.joined_on, u.left_on, '[)')
                    @> new.joined_on)$e$,
        '/organization_id', 'not-a-member-unit',
        'R-ORG-02', 'C2.1.1.i', null),

    ('member_units', 'left_after_joined', 'new.left_on >= new.joined_on',
        '/left_on', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.joined_on)'),
    ('member_units', 'joined_past', 'new.joined_on <= app.today()',
        '/joined_on', 'date-in-future', null, null,
        'jsonb_build_object(''max'', app.today())'),
    ('member_units', 'left_past', 'new.left_on <= app.today()',
        '/left_on', 'date-in-future', null, null,
        'jsonb_build_object(''max'', app.today())'),
    ('member_units', 'stays_ended',
        'old.left_on is null or new.left_on is not null',
        '/left_on', 'ended-stays-ended', null, null, null),
    ('member_units', 'duties', $e$
        jsonb_array_length(new.duties) > 0$e$,
        '/duties', 'duties-required', 'R-ORG-03', 'C2.1.1.j', null),
    ('member_units', 'duties_have_text', $e$
        not exists (
            select from jsonb_array_elements(new.duties) as d
            where jsonb_typeof(d) <> 'object'
                or coalesce(btrim(d ->> 'text'), '') = ''
                or coalesce(btrim(d ->> 'no'), '') = '')$e$,
        '/duties', 'duty-incomplete', 'R-ORG-03', 'C2.1.1.j', null),
    ('member_units', 'duties_numbered_once', $e$
        (select count(distinct d ->> 'no') = count(*)
         from jsonb_array_elements(new.duties) as d
         where jsonb_typeof(d) = 'object')$e$,
        '/duties', 'duty-number-repeated', 'R-ORG-03', 'C2.1.1.j', null),
    ('member_units', 'kind_of_unit', $e$
        old.id is not null or exists (
            select from dudao.organizations o
            where o.id = new.organization_id and o.status = 'operating'
                and o.kind in ('party_department', 'county_department',
                    'mass_organization', 'other'))$e$,
        '/organization_id', 'unit-cannot-be-member',
        'R-ORG-02', 'C2.1.1.i', null),
    -- C1.c: a unit of the committee names who leads education in it
    ('member_units', 'edu_leader', $e$
        old.id is not null or new.left_on is not null or exists (
            select from dudao.organizations o
            where o.id = new.organization_id
                and o.edu_leader_person_id is not null)$e$,
        '/organization_id', 'edu-leader-required',
        'R-ORG-09', 'C1.c', null),

    ('liaisons', 'ended_after_started', 'new.ended_on >= new.started_on',
        '/ended_on', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.started_on)'),
    ('liaisons', 'started_past', 'new.started_on <= app.today()',
        '/started_on', 'date-in-future', null, null,
        'jsonb_build_object(''max'', app.today())'),
    ('liaisons', 'ended_past', 'new.ended_on <= app.today()',
        '/ended_on', 'date-in-future', null, null,
        'jsonb_build_object(''max'', app.today())'),
    ('liaisons', 'stays_ended',
        'old.ended_on is null or new.ended_on is not null',
        '/ended_on', 'ended-stays-ended', null, null, null),
    ('liaisons', 'person_of_unit', $e$
        new.person_id is not distinct from old.person_id or exists (
            select from dudao.persons p
            join dudao.member_units u on u.id = new.member_unit_id
            where p.id = new.person_id
                and p.organization_id = u.organization_id)$e$,
        '/person_id', 'person-not-of-unit', 'R-ORG-03', 'C2.1.1.k', null),
    ('liaisons', 'unit_is_active', $e$
        old.id is not null or new.ended_on is not null or exists (
            select from dudao.member_units u
            where u.id = new.member_unit_id and u.left_on is null)$e$,
        '/member_unit_id', 'not-a-member-unit',
        'R-ORG-03', 'C2.1.1.k', null),
    ('liaisons', 'not_before_unit', $e$
        old.id is not null or not exists (
            select from dudao.member_units u
            where u.id = new.member_unit_id
                and u.joined_on > new.started_on)$e$,
        '/started_on', 'before-membership', 'R-ORG-03', 'C2.1.1.k', null),
    ('liaisons', 'replaces_one_of_unit', $e$
        new.replaces_id is null
        or new.replaces_id is not distinct from old.replaces_id
        or exists (
            select from dudao.liaisons l
            where l.id = new.replaces_id and l.ended_on is null
                and l.member_unit_id = new.member_unit_id)$e$,
        '/replaces_id', 'not-active-liaison', 'R-ORG-03', 'C2.1.1.k', null),
    -- C2.1.1.k: the office confirms, and thereby changes what is confirmed
    ('liaisons', 'confirmed_by_office', $e$
        new.confirmed_at is not distinct from old.confirmed_at
        or not app.roles() && '{committee_member,member_liaison,sys_admin}'
        or app.is_office_account()$e$,
        '/confirmed_at', 'office-only-field', 'R-ORG-03', 'C2.1.1.k', null),
    ('liaisons', 'confirmed_is_offices', $e$
        old.confirmed_at is null or not app.is_member_writer()
        or (new.is_primary, new.started_on, new.ended_on)
            is not distinct from
           (old.is_primary, old.started_on, old.ended_on)$e$,
        null, 'office-only-field', 'R-ORG-03', 'C2.1.1.k', null),

    ('office_staff', 'ended_after_started', 'new.ended_on >= new.started_on',
        '/ended_on', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.started_on)'),
    ('office_staff', 'started_past', 'new.started_on <= app.today()',
        '/started_on', 'date-in-future', null, null,
        'jsonb_build_object(''max'', app.today())'),
    ('office_staff', 'ended_past', 'new.ended_on <= app.today()',
        '/ended_on', 'date-in-future', null, null,
        'jsonb_build_object(''max'', app.today())'),
    ('office_staff', 'stays_ended',
        'old.ended_on is null or new.ended_on is not null',
        '/ended_on', 'ended-stays-ended', null, null, null),
    ('office_staff', 'chief_in_leadership', $e$
        new.post <> 'chief_inspector' or new.is_bureau_leadership$e$,
        '/is_bureau_leadership', 'chief-not-in-leadership',
        'R-ORG-05', 'C2.1.2.d', null),
    ('office_staff', 'chief_in_party_group', $e$
        new.post <> 'chief_inspector' or new.is_party_group_member
        or not exists (
            select from dudao.persons p
            where p.id = new.person_id and p.is_party_member)$e$,
        '/is_party_group_member', 'chief-not-in-party-group',
        'R-ORG-05', 'C2.1.2.e', null),
    ('office_staff', 'chief_is_director', $e$
        new.is_office_director = (new.post = 'chief_inspector')$e$,
        '/is_office_director', 'chief-is-office-director',
        'R-ORG-05', 'C2.1.2.f', null),
    ('office_staff', 'deputy_posts', $e$
        new.post <> 'deputy_chief_inspector' or new.ended_on is not null
        or (select count(*)
            from dudao.office_staff s
            where s.post = 'deputy_chief_inspector' and s.ended_on is null
                and s.id <> new.id)
            < app.parameter_int('deputy_chief_posts')$e$,
        '/post', 'deputy-posts-taken', 'R-ORG-05', 'C2.1.2.g',
        'jsonb_build_object(''max'', app.parameter_int(''deputy_chief_posts''))'),
    -- C2.1.2.i: fewer than three only with a reason on record
    ('office_staff', 'full_time_minimum', $e$
        old.id is null or old.employment <> 'full_time'
        or old.ended_on is not null
        or (new.employment = 'full_time' and new.ended_on is null)
        or app.office_fulltime(new.id)
            >= app.parameter_int('office_fulltime_min')
        or exists (
            select from dudao.organizations o
            where o.kind = 'supervision_office' and o.status = 'operating'
                and o.shortfall_reason is not null)$e$,
        '/shortfall_reason', 'shortfall-reason-required',
        'R-ORG-04', 'C2.1.2.i',
        'jsonb_build_object(''min'', app.parameter_int(''office_fulltime_min''))')
on conflict (resource, name) do update set
    expression = excluded.expression, pointer = excluded.pointer,
    code = excluded.code, rule_id = excluded.rule_id,
    clause_id = excluded.clause_id, params = excluded.params;

-- Whose row it is stays: another person or unit is another row.
insert into app.row_rules(resource, name, expression, pointer, code)
select f.resource, 'fixed_' || name,
    format('old.id is null or new.%1$I = old.%1$I', name),
    '/' || name, 'read-only-field'
from (values
    ('committee_members', '{person_id,organization_id,role}'::text[]),
    ('member_units', '{organization_id}'),
    ('liaisons', '{member_unit_id,person_id}'),
    ('office_staff', '{person_id}')
) as f(resource, names), unnest(f.names) as name
on conflict (resource, name) do update set expression = excluded.expression;

-- What a member unit's own account may not do: it keeps its duties and
-- nominates its liaison.
insert into app.row_rules(resource, name, expression, pointer, code, clause_id)
select f.resource, 'office_only_' || name,
    format('not app.is_member_writer() '
        'or new.%1$I is not distinct from old.%1$I', name),
    '/' || name, 'office-only-field', 'C2.1.1.a'
from (values
    ('committee_members', '{role,joined_on,left_on,basis_document_id}'::text[]),
    ('member_units', '{seq,joined_on,left_on,basis_document_id}')
) as f(resource, names), unnest(f.names) as name
on conflict (resource, name) do update set expression = excluded.expression;

comment on constraint committee_members_person_once
    on dudao.committee_members is
    '{"code": "person-already-member", "pointer": "/person_id", "rule_id": "R-ORG-01", "clause_id": "C2.1.1.i"}';
comment on constraint committee_members_one_director
    on dudao.committee_members is
    '{"code": "second-director", "pointer": "/role", "rule_id": "R-ORG-01", "clause_id": "C2.1.1.g"}';
comment on constraint committee_members_one_head
    on dudao.committee_members is
    '{"code": "second-head-of-unit", "pointer": "/organization_id", "rule_id": "R-ORG-02", "clause_id": "C2.1.1.i"}';
comment on constraint member_units_no_overlap on dudao.member_units is
    '{"code": "overlapping-period", "pointer": "/joined_on", "rule_id": "R-ORG-02", "clause_id": "C2.1.1.a"}';
comment on constraint member_units_seq on dudao.member_units is
    '{"code": "sequence-taken", "pointer": "/seq", "rule_id": "R-ORG-02", "clause_id": "C2.1.1.i"}';
comment on constraint liaisons_no_overlap on dudao.liaisons is
    '{"code": "overlapping-period", "pointer": "/person_id", "rule_id": "R-ORG-03", "clause_id": "C2.1.1.k"}';
comment on constraint office_staff_person_once on dudao.office_staff is
    '{"code": "overlapping-period", "pointer": "/person_id", "rule_id": "R-ORG-05", "clause_id": "C2.1.2.c"}';
comment on constraint office_staff_one_chief on dudao.office_staff is
    '{"code": "second-chief", "pointer": "/post", "rule_id": "R-ORG-05", "clause_id": "C2.1.2.f"}';


-- Organizations, as far as the committee needs them --------------------------

insert into app.row_rules(resource, name, expression, pointer, code,
    rule_id, clause_id, params) values
    -- C2.1.2.a: in the education bureau, a department of the county
    ('organizations', 'office_host_is_bureau', $e$
        new.kind <> 'supervision_office' or new.host_organization_id is null
        or exists (
            select from dudao.organizations o
            where o.id = new.host_organization_id
                and o.kind = 'county_department'
                and o.status = 'operating')$e$,
        '/host_organization_id', 'host-not-department',
        'R-ORG-04', 'C2.1.2.a', null),
    ('organizations', 'centre_of_the_office', $e$
        new.kind <> 'research_center' or new.status <> 'operating'
        or exists (
            select from dudao.organizations o
            where o.id = new.managed_by_id and o.status = 'operating')$e$,
        '/managed_by_id', 'managed-by-office', 'R-RES-01', 'C2.4.2.b', null),
    -- one, neither more nor fewer: a reform of the office changes its row
    ('organizations', 'office_remains', $e$
        old.kind is distinct from 'supervision_office'
        or old.status <> 'operating'
        or (new.kind, new.status) = (old.kind, old.status)$e$,
        '/status', 'only-one-of-its-kind', 'R-ORG-04', 'C2.1.2.a', null),
    ('organizations', 'centre_remains', $e$
        old.kind is distinct from 'research_center'
        or old.status <> 'operating'
        or (new.kind, new.status) = (old.kind, old.status)$e$,
        '/status', 'only-one-of-its-kind', 'R-RES-01', 'C2.4.2.a', null),
    ('organizations', 'one_office', $e$
        new.kind <> 'supervision_office' or new.status <> 'operating'
        or not exists (
            select from dudao.organizations o
            where o.kind = 'supervision_office' and o.status = 'operating'
                and o.id <> new.id)$e$,
        '/kind', 'only-one-of-its-kind', 'R-ORG-04', 'C2.1.2.a', null),
    ('organizations', 'one_centre', $e$
        new.kind <> 'research_center' or new.status <> 'operating'
        or not exists (
            select from dudao.organizations o
            where o.kind = 'research_center' and o.status = 'operating'
                and o.id <> new.id)$e$,
        '/kind', 'only-one-of-its-kind', 'R-RES-01', 'C2.4.2.a', null),
    -- C1.c: who leads education in a township or member unit is replaced,
    -- not removed
    ('organizations', 'edu_leader_remains', $e$
        old.edu_leader_person_id is null
        or new.edu_leader_person_id is not null
        or new.status <> 'operating'
        or (new.kind not in ('township_government', 'subdistrict_office')
            and not exists (
                select from dudao.member_units u
                where u.organization_id = new.id and u.left_on is null))$e$,
        '/edu_leader_person_id', 'edu-leader-required',
        'R-ORG-09', 'C1.c', null),
    ('organizations', 'member_unit_operates', $e$
        new.status = 'operating' or not exists (
            select from dudao.member_units u
            where u.organization_id = new.id and u.left_on is null)$e$,
        '/status', 'still-a-member-unit', 'R-ORG-02', 'C2.1.1.a', null),
    ('organizations', 'shortfall_of_office', $e$
        new.shortfall_reason is null or new.kind = 'supervision_office'$e$,
        '/shortfall_reason', 'shortfall-of-office-only',
        'R-ORG-04', 'C2.1.2.i', null),
    ('organizations', 'office_only_shortfall_reason', $e$
        old.id is null
        or new.shortfall_reason is not distinct from old.shortfall_reason
        or not app.is_unit_writer()$e$,
        '/shortfall_reason', 'office-only-field',
        'R-ORG-04', 'C2.1.2.i', null)
on conflict (resource, name) do update set
    expression = excluded.expression, pointer = excluded.pointer,
    code = excluded.code, rule_id = excluded.rule_id,
    clause_id = excluded.clause_id, params = excluded.params;


-- Writes ---------------------------------------------------------------------

-- A unit that leaves takes its head and its liaisons with it.
create or replace function app.follow_member_unit() returns trigger
language plpgsql security definer
as $$
begin
    update dudao.liaisons l
    set ended_on = greatest(l.started_on, new.left_on)
    where l.member_unit_id = new.id and l.ended_on is null;
    update dudao.committee_members m
    set left_on = greatest(m.joined_on, new.left_on)
    where m.organization_id = new.organization_id and m.role = 'member'
        and m.left_on is null;
    return null;
end
$$;
create or replace trigger d_left after update on dudao.member_units
    for each row when (old.left_on is null and new.left_on is not null)
    execute function app.follow_member_unit();

-- R-ORG-03: once a unit has a liaison it keeps one, and one of them is the
-- primary one. Looked at when the change is complete: a replacement may come
-- after the end.
create or replace function app.check_liaisons() returns trigger
language plpgsql security definer
as $$
declare
    active integer;
    primaries integer;
begin
    if not exists (
            select from dudao.member_units u
            where u.id = new.member_unit_id and u.left_on is null) then
        return null;
    end if;
    -- two who end two liaisons at once see each other
    perform from dudao.member_units u
    where u.id = new.member_unit_id
    for no key update;
    select count(*), count(*) filter (where l.is_primary)
        into active, primaries
    from dudao.liaisons l
    where l.member_unit_id = new.member_unit_id
        and l.confirmed_at is not null and l.ended_on is null;
    if active = 0 and tg_op = 'UPDATE' and new.ended_on is not null
            and new.confirmed_at is not null then
        perform app.refuse(422, 'validation-failed', array[app.fault(
            'last-liaison', '/ended_on', null, 'R-ORG-03', 'C2.1.1.k')]);
    end if;
    if active > 0 and primaries <> 1 then
        perform app.refuse(422, 'validation-failed', array[app.fault(
            'primary-liaison-required', '/is_primary', null,
            'R-ORG-03', 'C2.1.1.k')]);
    end if;
    return null;
end
$$;
drop trigger if exists liaisons_of_unit on dudao.liaisons;
create constraint trigger liaisons_of_unit
    after insert or update on dudao.liaisons
    deferrable initially deferred
    for each row execute function app.check_liaisons();

-- What stands at the end of a call must hold, so that the call answers for it.
create or replace function app.settle_liaisons() returns void
language plpgsql
as $$
begin
    set constraints dudao.liaisons_of_unit immediate;
    set constraints dudao.liaisons_of_unit deferred;
end
$$;

-- The others of the unit are no longer primary; whether there were any.
create or replace function app.demote_liaisons(unit uuid, liaison uuid)
returns boolean
language plpgsql
as $$
begin
    update dudao.liaisons l
    set is_primary = false
    where l.member_unit_id = unit and l.id <> liaison
        and l.is_primary and l.ended_on is null;
    return found;
end
$$;

-- A unit may come with its first liaison.
create or replace function app.after_create_member_units(
    r dudao.member_units, body jsonb)
returns void
language plpgsql
as $$
begin
    if body -> 'liaison' is not null then
        perform app.create('liaisons', (body -> 'liaison')
            || jsonb_build_object('member_unit_id', r.id,
                'started_on', r.joined_on));
    end if;
end
$$;

create or replace function app.before_create_liaisons(
    r dudao.liaisons, body jsonb)
returns dudao.liaisons
language plpgsql
as $$
begin
    r.nominated_by := app.user_id();
    if app.is_office_account() then
        r.confirmed_by := app.user_id();
        r.confirmed_at := app.now();
        if r.replaces_id is not null then
            update dudao.liaisons l
            set ended_on = greatest(l.started_on, r.started_on)
            where l.id = r.replaces_id and l.ended_on is null
                and l.member_unit_id = r.member_unit_id
            returning r.is_primary or l.is_primary into r.is_primary;
            r.is_primary := coalesce(r.is_primary, false);
        end if;
        r := app.primary_if_first(r);
        -- ended in this very step
        r.replaces_id := null;
    end if;
    return r;
end
$$;

-- The first liaison is the primary one; a new primary one takes over.
create or replace function app.primary_if_first(r dudao.liaisons)
returns dudao.liaisons
language plpgsql
as $$
begin
    if r.is_primary then
        perform app.demote_liaisons(r.member_unit_id, r.id);
    else
        r.is_primary := not exists (
            select from dudao.liaisons l
            where l.member_unit_id = r.member_unit_id and l.id <> r.id
                and l.is_primary and l.confirmed_at is not null
                and l.ended_on is null);
    end if;
    return r;
end
$$;

create or replace function app.after_create_liaisons(
    r dudao.liaisons, body jsonb)
returns void
language plpgsql
as $$
begin
    perform app.settle_liaisons();
    if r.confirmed_at is null then
        perform app.notify('liaisons', r.id, 'liaison_nominated',
            '联络人待确认', app.person_name(r.person_id),
            app.users_with_role('office_staff'));
    end if;
end
$$;

create or replace function app.before_patch_liaisons(
    r dudao.liaisons, patch jsonb)
returns dudao.liaisons
language plpgsql
as $$
begin
    if patch ? 'replacement' and r.ended_on is null then
        perform app.refuse(422, 'validation-failed',
            array[app.fault('required', '/ended_on')]);
    end if;
    if (patch ->> 'is_primary')::boolean and r.confirmed_at is not null
            and app.is_office_account() then
        perform app.demote_liaisons(r.member_unit_id, r.id);
    end if;
    return r;
end
$$;

-- With the end comes the replacement; without one the next liaison, if there
-- is any, becomes the primary one.
create or replace function app.after_patch_liaisons(
    r dudao.liaisons, patch jsonb)
returns void
language plpgsql
as $$
begin
    if patch -> 'replacement' is not null then
        perform app.create('liaisons', (patch -> 'replacement')
            || jsonb_build_object('member_unit_id', r.member_unit_id,
                'started_on', r.ended_on, 'is_primary', r.is_primary));
    elsif patch ? 'ended_on' and r.is_primary
            and r.confirmed_at is not null then
        update dudao.liaisons l
        set is_primary = true
        where l.id = (
            select o.id from dudao.liaisons o
            where o.member_unit_id = r.member_unit_id
                and o.confirmed_at is not null and o.ended_on is null
            order by o.started_on, o.id
            limit 1)
            and not l.is_primary;
    end if;
    perform app.settle_liaisons();
end
$$;

-- C2.1.1.k: the office confirms whom the unit nominated.
create or replace function app.confirm_liaison(
    liaison uuid, if_match integer, body jsonb)
returns setof app.answer
language plpgsql
as $$
declare
    r dudao.liaisons;
    was_primary boolean;
begin
    if not exists (select from dudao.liaisons l where l.id = liaison) then
        return;
    end if;
    r := gen.liaisons_lock(liaison);
    if if_match is not null and r.version <> if_match then
        perform app.refuse(412, 'version-conflict',
            extra => jsonb_build_object('version', r.version));
    end if;
    if not app.is_office_account() then
        perform app.refuse(403, 'role-not-permitted',
            extra => '{"rule_id": "R-ORG-03", "clause_id": "C2.1.1.k"}');
    end if;
    if r.confirmed_at is not null or r.ended_on is not null then
        perform app.refuse(409, 'not-awaiting-confirmation',
            extra => '{"rule_id": "R-ORG-03", "clause_id": "C2.1.1.k"}');
    end if;
    if r.replaces_id is not null then
        update dudao.liaisons l
        set ended_on = greatest(l.started_on, app.today())
        where l.id = r.replaces_id and l.ended_on is null
        returning l.is_primary into was_primary;
        r.is_primary := r.is_primary or coalesce(was_primary, false);
    end if;
    r := app.primary_if_first(r);
    update dudao.liaisons l
    set confirmed_by = app.user_id(), confirmed_at = app.now(),
        is_primary = r.is_primary
    where l.id = liaison;
    perform app.settle_liaisons();
    perform app.notify('liaisons', r.id, 'liaison_confirmed',
        '联络人已确认', app.person_name(r.person_id), array[r.nominated_by]);
    return query
        select 200, null::text, v.version::text, v.body::text
        from app.liaisons_json v
        where v.id = liaison;
end
$$;

-- C2.1.2.g: who counts the posts counts alone.
create or replace function app.lock_office_posts() returns trigger
language plpgsql security definer
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('dudao.office_staff', 0));
    return new;
end
$$;
create or replace trigger a0_posts before insert or update
    on dudao.office_staff
    for each row execute function app.lock_office_posts();

create or replace function app.before_create_office_staff(
    r dudao.office_staff, body jsonb)
returns dudao.office_staff
language plpgsql
as $$
begin
    if not body ? 'is_office_director' then
        r.is_office_director := r.post = 'chief_inspector';
    end if;
    return r;
end
$$;

-- The reason of a shortfall stands with the office and may come with the step
-- that causes it (C2.1.2.i).
create or replace function app.before_patch_office_staff(
    r dudao.office_staff, patch jsonb)
returns dudao.office_staff
language plpgsql
as $$
begin
    if patch ? 'shortfall_reason' then
        update dudao.organizations o
        set shortfall_reason = patch ->> 'shortfall_reason'
        where o.kind = 'supervision_office' and o.status = 'operating';
    end if;
    return r;
end
$$;


-- What the API shows ---------------------------------------------------------

drop view if exists app.committee_members_json;
create view app.committee_members_json with (security_invoker = true) as
select m.*,
    json_build_object(
        'id', m.id,
        'version', m.version,
        'person_id', m.person_id,
        'person_name', app.person_name(m.person_id),
        'organization_id', m.organization_id,
        'organization_name', app.organization_name(m.organization_id),
        'role', m.role,
        'ex_officio_position', m.ex_officio_position,
        'joined_on', m.joined_on,
        'left_on', m.left_on,
        'basis_document_id', m.basis_document_id,
        'created_at', app.ts(m.created_at),
        'updated_at', app.ts(m.updated_at),
        'is_demo', m.is_demo) as body
from dudao.committee_members m;

drop view if exists app.member_units_json;
create view app.member_units_json with (security_invoker = true) as
select u.*,
    json_build_object(
        'id', u.id,
        'version', u.version,
        'organization_id', u.organization_id,
        'organization_name', app.organization_name(u.organization_id),
        'seq', u.seq,
        'duties', u.duties,
        'joined_on', u.joined_on,
        'left_on', u.left_on,
        'basis_document_id', u.basis_document_id,
        'created_at', app.ts(u.created_at),
        'updated_at', app.ts(u.updated_at),
        'is_demo', u.is_demo) as body
from dudao.member_units u;

drop view if exists app.liaisons_json;
create view app.liaisons_json with (security_invoker = true) as
select l.*, u.organization_id,
    json_build_object(
        'id', l.id,
        'version', l.version,
        'member_unit_id', l.member_unit_id,
        'organization_id', u.organization_id,
        'organization_name', app.organization_name(u.organization_id),
        'person_id', l.person_id,
        'person_name', app.person_name(l.person_id),
        'is_primary', l.is_primary,
        'phone', app.mask_phone(l.phone, u.organization_id),
        'started_on', l.started_on,
        'ended_on', l.ended_on,
        'nominated_by', l.nominated_by,
        'confirmed_by', l.confirmed_by,
        'confirmed_at', app.ts(l.confirmed_at),
        'replaces_id', l.replaces_id,
        'created_at', app.ts(l.created_at),
        'updated_at', app.ts(l.updated_at),
        'is_demo', l.is_demo) as body
from dudao.liaisons l
join dudao.member_units u on u.id = l.member_unit_id;

drop view if exists app.office_staff_json;
create view app.office_staff_json with (security_invoker = true) as
select s.*,
    json_build_object(
        'id', s.id,
        'version', s.version,
        'person_id', s.person_id,
        'person_name', app.person_name(s.person_id),
        'post', s.post,
        'employment', s.employment,
        'is_bureau_leadership', s.is_bureau_leadership,
        'is_party_group_member', s.is_party_group_member,
        'is_office_director', s.is_office_director,
        'started_on', s.started_on,
        'ended_on', s.ended_on,
        'created_at', app.ts(s.created_at),
        'updated_at', app.ts(s.updated_at),
        'is_demo', s.is_demo) as body
from dudao.office_staff s;

-- The committee for everybody (4.3): offices and duties, names of seats; no
-- liaisons, no telephones. Read under the policies of role public.
create or replace function app.public_committee() returns json
language sql stable
as $$
    select json_build_object(
        'members', coalesce((
            select json_agg(json_build_object(
                'name', app.person_name(m.person_id),
                'organization', app.organization_name(m.organization_id),
                'role', m.role,
                'position', m.ex_officio_position,
                'joined_on', m.joined_on)
                order by array_position(
                    '{director,deputy_director,member}'::text[], m.role),
                    u.seq, m.joined_on, m.id)
            from dudao.committee_members m
            left join dudao.member_units u
                on u.organization_id = m.organization_id
            where m.left_on is null), '[]'),
        'units', coalesce((
            select json_agg(json_build_object(
                'seq', u.seq,
                'organization', app.organization_name(u.organization_id),
                'duties', u.duties,
                'joined_on', u.joined_on) order by u.seq)
            from dudao.member_units u
            where u.left_on is null), '[]'),
        'office', coalesce((
            select json_agg(json_build_object(
                'name', app.person_name(s.person_id),
                'post', s.post,
                'started_on', s.started_on) order by s.post, s.started_on)
            from dudao.office_staff s
            where s.ended_on is null), '[]'))
$$;
