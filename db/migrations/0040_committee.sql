-- The supervision committee and its office (2.2): members, member units with
-- their duties and liaisons, office staff (C2.1.1, C2.1.2, C2.1.3.b).
-- A row's last day is the day before left_on or ended_on: a successor begins
-- on the day on which the predecessor ends.

create table dudao.committee_members (
    like app.record including all,
    person_id uuid not null references dudao.persons,
    organization_id uuid not null references dudao.organizations,
    role text not null check (
        role in ('director', 'deputy_director', 'member')),
    -- the post that brings the seat (C2.1.1.g, C2.1.1.h)
    ex_officio_position text check (
        length(ex_officio_position) between 1 and 100),
    joined_on date not null,
    left_on date,
    basis_document_id uuid not null references dudao.policy_documents,
    check (left_on >= joined_on),
    -- one seat for a person
    constraint committee_members_person_once exclude using gist (
        person_id with =, daterange(joined_on, left_on, '[)') with &&),
    -- C2.1.1.g: one director at a time
    constraint committee_members_one_director exclude using gist (
        role with =, daterange(joined_on, left_on, '[)') with &&)
        where (role = 'director'),
    -- C2.1.1.h, C2.1.1.i: one head for a unit; where the unit's head is a
    -- deputy director, that is the seat
    constraint committee_members_one_head exclude using gist (
        organization_id with =, daterange(joined_on, left_on, '[)') with &&)
        where (role <> 'director')
);
create unique index committee_members_active_director
    on dudao.committee_members (role)
    where role = 'director' and left_on is null;
create index on dudao.committee_members (organization_id, id);
create index on dudao.committee_members (person_id, id);
create index on dudao.committee_members (role, id);
create index on dudao.committee_members (joined_on, id);
create index on dudao.committee_members using gist (
    daterange(joined_on, left_on, '[)'));

create table dudao.member_units (
    like app.record including all,
    organization_id uuid not null references dudao.organizations,
    -- the order of the policy document
    seq integer not null check (seq between 1 and 999),
    -- [{no, text, basis}]
    duties jsonb not null default '[]' check (
        jsonb_typeof(duties) = 'array'),
    joined_on date not null,
    left_on date,
    basis_document_id uuid not null references dudao.policy_documents,
    search text[] generated always as (app.bigrams(duties::text)) stored,
    check (left_on >= joined_on),
    -- C2.1.1.a
    constraint member_units_no_overlap exclude using gist (
        organization_id with =,
        daterange(joined_on, left_on, '[)') with &&),
    constraint member_units_seq exclude using gist (
        seq with =, daterange(joined_on, left_on, '[)') with &&)
);
create unique index member_units_active
    on dudao.member_units (organization_id) where left_on is null;
create index on dudao.member_units (seq, id);
create index on dudao.member_units (joined_on, id);
create index on dudao.member_units using gist (
    daterange(joined_on, left_on, '[)'));
create index on dudao.member_units using gin (search);

create table dudao.liaisons (
    like app.record including all,
    member_unit_id uuid not null references dudao.member_units,
    person_id uuid not null references dudao.persons,
    is_primary boolean not null default false,
    phone text check (length(phone) between 5 and 30),
    started_on date not null,
    ended_on date,
    -- C2.1.1.k: the unit nominates, the office confirms
    nominated_by uuid,
    confirmed_by uuid,
    confirmed_at timestamptz,
    -- whom a nomination is to follow
    replaces_id uuid references dudao.liaisons,
    check (ended_on >= started_on),
    check ((confirmed_by is null) = (confirmed_at is null)),
    constraint liaisons_no_overlap exclude using gist (
        member_unit_id with =, person_id with =,
        daterange(started_on, ended_on, '[)') with &&)
);
-- 2.12-4: one primary liaison of a unit
create unique index liaisons_primary_key on dudao.liaisons (member_unit_id)
    where is_primary and confirmed_at is not null and ended_on is null;
create index on dudao.liaisons (member_unit_id, id);
create index on dudao.liaisons (person_id, id);
create index on dudao.liaisons (started_on, id);
create index on dudao.liaisons using gist (
    daterange(started_on, ended_on, '[)'));

create table dudao.office_staff (
    like app.record including all,
    person_id uuid not null references dudao.persons,
    post text not null check (
        post in ('chief_inspector', 'deputy_chief_inspector', 'staff')),
    employment text not null check (
        employment in ('full_time', 'part_time', 'seconded')),
    is_bureau_leadership boolean not null default false,
    is_party_group_member boolean not null default false,
    is_office_director boolean not null default false,
    started_on date not null,
    ended_on date,
    check (ended_on >= started_on),
    constraint office_staff_person_once exclude using gist (
        person_id with =, daterange(started_on, ended_on, '[)') with &&),
    -- C2.1.2.c, C2.1.2.f: one chief inspector, who is the office's director
    constraint office_staff_one_chief exclude using gist (
        post with =, daterange(started_on, ended_on, '[)') with &&)
        where (post = 'chief_inspector'),
    constraint office_staff_director_check check (
        is_office_director = (post = 'chief_inspector'))
);
create unique index office_staff_active_chief on dudao.office_staff (post)
    where post = 'chief_inspector' and ended_on is null;
create index on dudao.office_staff (person_id, id);
create index on dudao.office_staff (post, id);
create index on dudao.office_staff (employment, id);
create index on dudao.office_staff (started_on, id);
create index on dudao.office_staff using gist (
    daterange(started_on, ended_on, '[)'));

-- C2.1.2.i: why the office has fewer full-time staff than it should
alter table dudao.organizations
    add column shortfall_reason text check (
        length(shortfall_reason) between 1 and 1000),
    add check (shortfall_reason is null or kind = 'supervision_office');

-- R-ORG-04, R-RES-01: of these there is one
create unique index organizations_one_office on dudao.organizations (kind)
    where kind = 'supervision_office' and status = 'operating';
create unique index organizations_one_centre on dudao.organizations (kind)
    where kind = 'research_center' and status = 'operating';
create unique index organizations_one_committee on dudao.organizations (kind)
    where kind = 'supervision_committee' and status = 'operating';
