-- Zones, inspectors and their appointments, plaques, recusals (C2.2.2.e,
-- C2.2.2.f, C2.4.1, L-TL-6, L-TL-7, L-TL-10, L-DX-01 to L-DX-03, L-GP-01).

create table dudao.zones (
    like app.record including all,
    code text not null unique check (code ~ '^[A-Z0-9-]{1,20}$'),
    name text not null check (length(name) between 1 and 100),
    lead_inspector_id uuid,
    division_ids uuid[] not null default '{}',
    office_address text check (length(office_address) <= 200),
    phone text check (length(phone) <= 30),
    active_from date not null,
    active_to date,
    search text[] generated always as
        (app.bigrams(name || ' ' || code)) stored,
    check (active_to >= active_from)
);
create index on dudao.zones (name, id);
create index on dudao.zones (lead_inspector_id);
create index on dudao.zones using gin (division_ids);
create index on dudao.zones using gin (search);

alter table dudao.schools
    add foreign key (zone_id) references dudao.zones;

create table dudao.inspectors (
    like app.record including all,
    person_id uuid not null unique references dudao.persons,
    code text not null unique check (length(code) between 1 and 40),
    card_no text unique check (length(card_no) between 1 and 40),
    -- L-TL-7: at least bachelor, at least 10 years
    degree text check (
        degree in ('below_bachelor', 'bachelor', 'master', 'doctor')),
    work_years integer check (work_years between 0 and 70),
    title_rank text check (length(title_rank) <= 100),
    background text not null check (background in (
        'serving_principal', 'retired_principal', 'teacher', 'researcher',
        'official', 'other')),
    expertise_stages text[] not null default '{}' check (
        expertise_stages <@ array['kindergarten', 'primary', 'junior',
            'senior', 'vocational', 'special']),
    expertise_matters text[] not null default '{}' check (
        expertise_matters <@ array['M1', 'M2', 'M3', 'M4']),
    -- C3.3.d
    is_researcher boolean not null default false,
    -- shown on the plaque only
    public_photo_id uuid,
    public_phone text check (length(public_phone) <= 30),
    status text not null default 'candidate' check (
        status in ('candidate', 'active', 'suspended', 'ended'))
);
create index on dudao.inspectors (status, id);
create index on dudao.inspectors (background, id);
create index on dudao.inspectors (coalesce(work_years, -1), id);
create index on dudao.inspectors using gin (expertise_stages);
create index on dudao.inspectors using gin (expertise_matters);

alter table dudao.zones
    add foreign key (lead_inspector_id) references dudao.inspectors;

create table dudao.zone_memberships (
    like app.record including all,
    zone_id uuid not null references dudao.zones,
    inspector_id uuid not null references dudao.inspectors,
    is_lead boolean not null default false,
    started_on date not null,
    ended_on date,
    check (ended_on >= started_on),
    -- 2.12-5
    constraint zone_memberships_no_overlap exclude using gist (
        inspector_id with =,
        daterange(started_on, ended_on, '[)') with &&)
);
-- 2.12-4: one zone for an inspector; and one lead for a zone
create unique index zone_memberships_inspector_key
    on dudao.zone_memberships (inspector_id) where ended_on is null;
create unique index zone_memberships_lead_key
    on dudao.zone_memberships (zone_id) where is_lead and ended_on is null;
create index on dudao.zone_memberships (zone_id, id);
create index on dudao.zone_memberships (inspector_id, id);
create index on dudao.zone_memberships (started_on, id);

create table dudao.inspector_appointments (
    like app.record including all,
    like app.legal including all,
    inspector_id uuid not null references dudao.inspectors,
    basis_document_id uuid not null references dudao.policy_documents,
    employment text not null check (
        employment in ('full_time', 'part_time')),
    -- L-DX-01: the government appoints, the committee engages
    appointment_mode text not null check (
        appointment_mode in ('appointed', 'engaged')),
    appointing_authority text not null check (
        appointing_authority in ('county_government',
            'supervision_committee')),
    recommended_by_org_id uuid references dudao.organizations,
    recommendation_text text check (length(recommendation_text) <= 4000),
    -- the nine items of L-TL-7 and L-DX-03, each true or false, and evidence
    qualification jsonb not null default '{}' check (
        jsonb_typeof(qualification) = 'object'),
    publicity_from date,
    publicity_to date,
    publicity_url text check (length(publicity_url) <= 400),
    -- [{received_on, text, upheld, decided_on}]; upheld null: undecided
    objections jsonb not null default '[]' check (
        jsonb_typeof(objections) = 'array'),
    term_no integer not null default 1 check (term_no between 1 and 20),
    starts_on date,
    ends_on date,
    ended_on date,
    end_reason text check (length(end_reason) <= 2000),
    certificate_no text unique check (length(certificate_no) <= 60),
    decision_doc_no text check (length(decision_doc_no) <= 100),
    -- reason to go beyond the share of C2.4.1.b
    override_reason text check (length(override_reason) <= 2000),
    -- L-DX-05
    pre_service_passed_on date,
    -- 3.24: the inspector asked to resign
    resignation_requested_on date,
    renewal_of_id uuid references dudao.inspector_appointments,
    state text not null default 'recommended',
    check (ends_on > starts_on),
    check (publicity_to >= publicity_from),
    check ((starts_on is null) = (ends_on is null)),
    -- 2.12-5: terms that were decided do not overlap
    constraint inspector_appointments_no_overlap exclude using gist (
        inspector_id with =,
        daterange(starts_on, least(ended_on, ends_on), '[]') with &&)
        where (starts_on is not null and voided_at is null and state in (
            'appointed', 'active', 'ended', 'resigned', 'dismissed'))
);
create unique index inspector_appointments_active_key
    on dudao.inspector_appointments (inspector_id)
    where state = 'active';
create unique index inspector_appointments_term_key
    on dudao.inspector_appointments (inspector_id, term_no, employment)
    where state <> 'rejected' and voided_at is null;
create index on dudao.inspector_appointments (inspector_id, id);
create index on dudao.inspector_appointments (state, ends_on);
create index on dudao.inspector_appointments (basis_document_id);
create index on dudao.inspector_appointments (recommended_by_org_id);

create table dudao.plaques (
    like app.record including all,
    school_id uuid not null references dudao.schools,
    inspector_id uuid not null references dudao.inspectors,
    items text check (length(items) <= 2000),
    hotline text check (length(hotline) <= 30),
    posted_on date,
    photo_attachment_id uuid,
    location text check (length(location) <= 200),
    removed_on date,
    flag_reason text check (length(flag_reason) <= 2000),
    state text not null default 'planned',
    check (removed_on >= posted_on)
);
-- 2.12-4: one plaque at the gate, and one that is to follow it
create unique index plaques_school_key
    on dudao.plaques (school_id) where state in ('posted', 'to_replace');
create unique index plaques_planned_key
    on dudao.plaques (school_id) where state = 'planned';
create index on dudao.plaques (school_id, id);
create index on dudao.plaques (inspector_id, state);
create index on dudao.plaques (state, id);
create index on dudao.plaques (coalesce(posted_on, 'infinity'::date), id);

-- L-TL-10. The inspector keeps off one unit, one target file or one visit.
create table dudao.recusals (
    like app.record including all,
    inspector_id uuid not null references dudao.inspectors,
    target_id uuid,
    visit_id uuid,
    organization_id uuid references dudao.organizations,
    reason text not null check (
        reason in ('near_relative', 'former_post', 'interest', 'other')),
    note text check (length(note) <= 2000),
    declared_on date not null
        default (now() at time zone 'Asia/Shanghai')::date,
    decided_by uuid,
    decided_on date,
    decision text check (decision in ('granted', 'rejected')),
    replaced_by_inspector_id uuid references dudao.inspectors,
    state text not null default 'declared',
    check (num_nonnulls(target_id, visit_id, organization_id) = 1),
    check (replaced_by_inspector_id <> inspector_id)
);
create index on dudao.recusals (inspector_id, state);
create index on dudao.recusals (target_id);
create index on dudao.recusals (visit_id);
create index on dudao.recusals (organization_id);
create index on dudao.recusals (state, id);
