-- Reference data: divisions, organizations, schools, persons, terms of
-- office, code lists, semesters, policy documents (H.1 to H.5, P.1, C1.c,
-- C2.2.2.d to C2.2.2.g).

-- Ministry of Civil Affairs codes: 6 digits down to the county, 9 digits for
-- a township (the province in its 12-digit form). stat_code is the code of
-- the statistical series, which differs for three townships.
create table dudao.divisions (
    like app.record including all,
    code text not null unique check (
        code ~ '^[0-9]{6}([0-9]{3}|[0-9]{6})?$'),
    stat_code text check (stat_code ~ '^[0-9]{6}([0-9]{3}|[0-9]{6})?$'),
    name text not null check (length(name) between 1 and 100),
    short_name text not null check (length(short_name) between 1 and 50),
    level text not null check (
        level in ('province', 'prefecture', 'county', 'township')),
    -- from digits 7 to 9 of the code
    kind text generated always as (
        case
            when level <> 'township' then null
            when substr(code, 7, 3) between '001' and '099'
                then 'subdistrict'
            when substr(code, 7, 3) between '100' and '199' then 'town'
            when substr(code, 7, 3) between '200' and '399' then 'township'
        end) stored,
    parent_id uuid references dudao.divisions,
    population integer check (population >= 0),
    population_year integer check (population_year between 1949 and 2100),
    active_from date,
    active_to date,
    search text[] generated always as (app.bigrams(name)) stored,
    check (active_to >= active_from)
);
create index on dudao.divisions (parent_id);
create index on dudao.divisions (level, code);
create index on dudao.divisions (name, id);
create index on dudao.divisions using gin (search);

create table dudao.persons (
    like app.record including all,
    code text not null unique check (length(code) between 1 and 40),
    name text not null check (length(name) between 1 and 100),
    gender text check (gender in ('male', 'female')),
    birth_year integer check (birth_year between 1900 and 2100),
    -- HMAC of the number: to find doubles, never to read it back
    id_number_hash bytea unique,
    is_party_member boolean not null default false,
    organization_id uuid,
    position_title text check (length(position_title) <= 100),
    phone text check (length(phone) <= 30),
    email text check (length(email) <= 200),
    -- names alone: pairs of digits of a code would find other people
    search text[] generated always as (app.bigrams(name)) stored
);
create index on dudao.persons (name, id);
create index on dudao.persons (organization_id, id);
create index on dudao.persons using gin (search);

-- The key of persons.id_number_hash; no role but the owner reads it.
create table dudao.person_hash_key (
    singleton boolean primary key default true check (singleton),
    key bytea not null default ext.gen_random_bytes(32)
);
insert into dudao.person_hash_key default values;

create table dudao.organizations (
    like app.record including all,
    code text not null unique check (length(code) between 1 and 40),
    -- GB 32100; the check digit is a row rule
    uscc text unique check (uscc ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'),
    kind text not null check (kind in (
        'county_party_committee', 'county_government', 'party_department',
        'county_department', 'mass_organization', 'township_government',
        'subdistrict_office', 'school', 'supervision_office',
        'supervision_committee', 'research_center', 'third_party',
        'superior_supervision_body', 'media', 'other')),
    name text not null check (length(name) between 1 and 200),
    short_name text not null check (length(short_name) between 1 and 100),
    division_id uuid not null references dudao.divisions,
    parent_organization_id uuid references dudao.organizations,
    managed_by_id uuid references dudao.organizations,
    host_organization_id uuid references dudao.organizations,
    edu_leader_person_id uuid references dudao.persons,
    is_supervisable boolean not null default false,
    status text not null default 'operating' check (
        status in ('operating', 'suspended', 'closed', 'merged')),
    contact_name text check (length(contact_name) <= 100),
    contact_phone text check (length(contact_phone) <= 30),
    address text check (length(address) <= 200),
    search text[] generated always as
        (app.bigrams(name || ' ' || short_name)) stored
);
create index on dudao.organizations (kind, id);
create index on dudao.organizations (division_id, id);
create index on dudao.organizations (parent_organization_id, id);
create index on dudao.organizations (managed_by_id);
create index on dudao.organizations (host_organization_id);
create index on dudao.organizations (edu_leader_person_id);
create index on dudao.organizations (status, id);
create index on dudao.organizations (name, id);
create index on dudao.organizations using gin (search);

alter table dudao.persons
    add foreign key (organization_id) references dudao.organizations;

-- A school is an organization: same id.
create table dudao.schools (
    like app.record including all,
    organization_id uuid not null unique references dudao.organizations,
    -- category (2), province 43 (2), sequence (6); never used again
    ident_code text not null unique check (
        ident_code ~ '^(11|21|31|34|36|37|51)43[0-9]{6}$'),
    -- code list school_type
    school_type text not null check (school_type ~ '^[1-9][0-9]{2}$'),
    stages text[] not null check (
        cardinality(stages) > 0
        and stages <@ array['kindergarten', 'primary', 'junior', 'senior',
            'vocational', 'special']),
    ownership text not null check (ownership in (
        'public', 'public_inclusive_kg', 'private_inclusive',
        'private_for_profit', 'private_non_profit')),
    sponsor text check (length(sponsor) <= 200),
    licence_status text check (
        licence_status in ('licensed', 'unlicensed', 'expired')),
    licence_no text check (length(licence_no) <= 60),
    licence_valid_to date,
    zone_id uuid,
    parent_school_id uuid references dudao.schools,
    -- 9-A2: false for teaching points and attached classes
    counts_in_ratio boolean not null,
    -- code list urban_rural
    urban_rural text check (urban_rural ~ '^[12][0-9]{2}$'),
    student_count integer check (student_count >= 0),
    boarder_count integer check (boarder_count >= 0),
    class_count integer check (class_count >= 0),
    teacher_count integer check (teacher_count >= 0),
    as_of_year integer check (as_of_year between 2000 and 2100),
    established_on date,
    longitude numeric(9,6) check (longitude between -180 and 180),
    latitude numeric(9,6) check (latitude between -90 and 90),
    check (organization_id = id)
);
create index on dudao.schools (zone_id, id);
create index on dudao.schools (school_type, id);
create index on dudao.schools (ownership, id);
create index on dudao.schools (licence_status, id);
create index on dudao.schools (coalesce(licence_valid_to,
    'infinity'::date), id);
create index on dudao.schools (parent_school_id);
create index on dudao.schools (coalesce(student_count, -1), id);
create index on dudao.schools using gin (stages);

create table dudao.leadership_terms (
    like app.record including all,
    organization_id uuid not null references dudao.organizations,
    person_id uuid not null references dudao.persons,
    position text not null check (position in (
        'township_party_secretary', 'township_head', 'department_head',
        'principal', 'kindergarten_head', 'school_party_secretary',
        'deputy', 'other')),
    is_principal_leader boolean not null default false,
    in_leadership_team boolean not null default true,
    started_on date not null,
    planned_end_on date,
    ended_on date,
    end_reason text check (end_reason in (
        'term_expired', 'transferred', 'resigned', 'removed', 'retired',
        'deceased')),
    unique (organization_id, person_id, position, started_on),
    check (planned_end_on > started_on),
    check (ended_on >= started_on),
    -- 2.12-5: the day on which a term ends belongs to it
    constraint leadership_terms_no_overlap exclude using gist (
        person_id with =, organization_id with =, position with =,
        daterange(started_on, ended_on, '[]') with &&)
);
-- One principal leader in office for each post of a unit.
create unique index leadership_terms_principal_key
    on dudao.leadership_terms (organization_id, position)
    where is_principal_leader and ended_on is null;
create index on dudao.leadership_terms (organization_id, id);
create index on dudao.leadership_terms (person_id, id);
create index on dudao.leadership_terms (position, id);
create index on dudao.leadership_terms (started_on, id);
create index on dudao.leadership_terms (coalesce(planned_end_on,
    'infinity'::date), id);
create index on dudao.leadership_terms (coalesce(ended_on,
    'infinity'::date), id);

create table dudao.code_items (
    like app.record including all,
    list text not null check (list ~ '^[a-z][a-z0-9_]{0,39}$'),
    code text not null check (length(code) between 1 and 40),
    label_zh text not null check (length(label_zh) between 1 and 200),
    label_en text not null check (length(label_en) between 1 and 200),
    parent_code text check (length(parent_code) <= 40),
    sort integer not null default 0,
    active boolean not null default true,
    -- what a list needs beyond a label, e.g. the recipients of 2.3
    data jsonb check (jsonb_typeof(data) = 'object'),
    unique (list, code)
);
create index on dudao.code_items (list, sort, code, id);
create index on dudao.code_items (list, parent_code);

create table dudao.semesters (
    like app.record including all,
    code text not null unique check (code ~ '^20[0-9]{2}-20[0-9]{2}-[12]$'),
    academic_year text generated always as (substr(code, 1, 9)) stored,
    term text not null check (term in ('first', 'second')),
    starts_on date not null,
    ends_on date not null,
    -- YYYY-MM with at least 15 teaching days
    teaching_months text[] not null default '{}',
    check (ends_on > starts_on),
    constraint semesters_no_overlap exclude using gist (
        daterange(starts_on, ends_on, '[]') with &&)
);
create index on dudao.semesters (starts_on, id);

create table dudao.policy_documents (
    like app.record including all,
    like app.legal including all,
    title text not null check (length(title) between 1 and 300),
    -- given at issue; external documents bring theirs
    doc_no text unique check (length(doc_no) between 1 and 100),
    issuer text not null check (length(issuer) between 1 and 200),
    issued_on date,
    kind text not null check (kind in (
        'national_law', 'superior_directive', 'provincial_policy',
        'municipal_policy', 'local_scheme', 'work_procedure',
        'joint_meeting_rule', 'communication_rule', 'reporting_rule',
        'evaluation_scheme', 'funds_rule', 'promotion_rule',
        'training_rule', 'it_plan', 'other')),
    level text not null check (
        level in ('national', 'provincial', 'municipal', 'county')),
    parent_document_id uuid references dudao.policy_documents,
    is_external boolean not null default false,
    effective_from date,
    effective_to date,
    -- [{clause_id, text}]
    clauses jsonb not null default '[]' check (
        jsonb_typeof(clauses) = 'array'),
    -- [{category, unit, limit_fen}]
    expense_standards jsonb not null default '[]' check (
        jsonb_typeof(expense_standards) = 'array'),
    attachment_id uuid,
    is_public boolean not null default true,
    superseded_by_id uuid references dudao.policy_documents,
    repeal_reason text check (length(repeal_reason) <= 2000),
    submitted_by uuid,
    state text not null default 'draft',
    search text[] generated always as (app.bigrams(
        title || ' ' || coalesce(doc_no, '') || ' ' || issuer)) stored,
    check (parent_document_id <> id),
    check (effective_to >= effective_from)
);
-- 3.21: one in force of each of the kinds that exist once
create unique index policy_documents_in_force_key
    on dudao.policy_documents (kind)
    where state = 'in_force' and kind in (
        'work_procedure', 'joint_meeting_rule', 'communication_rule',
        'reporting_rule', 'funds_rule', 'promotion_rule');
create index on dudao.policy_documents (kind, id);
create index on dudao.policy_documents (level, id);
create index on dudao.policy_documents (state, id);
create index on dudao.policy_documents (parent_document_id);
create index on dudao.policy_documents (coalesce(issued_on,
    'infinity'::date), id);
create index on dudao.policy_documents (title, id);
create index on dudao.policy_documents using gin (search);

-- The accounts of 0002 belong to persons and units.
alter table dudao.users
    add foreign key (person_id) references dudao.persons,
    add foreign key (organization_id) references dudao.organizations;
