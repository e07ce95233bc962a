-- Supervision: tasks, teams, target files, notices, visits (C2.2.2, C2.3.1,
-- L-TL-11 to L-TL-19, L-GP-03 to L-GP-06).

create table dudao.supervision_tasks (
    like app.record including all,
    like app.legal including all,
    code text not null unique,
    kind text not null check (kind in (
        'comprehensive', 'special', 'regular', 'government_duty',
        'decision_inspection', 'work_inspection', 'look_back')),
    title text not null check (length(title) between 1 and 200),
    year integer not null check (year between 2012 and 2100),
    -- null: the task carries out an item of the plan of the year
    unplanned_reason text check (length(unplanned_reason) <= 1000),
    ordered_by_level text not null default 'office' check (
        ordered_by_level in ('national', 'provincial', 'municipal',
            'county_party', 'county_government', 'office')),
    is_annual_key boolean not null default false,
    basis_document_id uuid references dudao.policy_documents,
    -- L-TL-11: M1 to M4
    matters text[] not null check (
        cardinality(matters) > 0
        and matters <@ array['M1', 'M2', 'M3', 'M4']),
    joint_organization_ids uuid[] not null default '{}',
    leader_inspector_id uuid references dudao.inspectors,
    onsite_from date,
    onsite_to date,
    -- number of the task at the superior body: key of imports and of X-02
    external_ref text unique check (length(external_ref) <= 100),
    cancel_reason text,
    consent_document_id uuid references dudao.policy_documents,
    approved_on date,
    issued_on date,
    started_on date,
    -- starts the 60 days of L-WZ-09
    completed_on date,
    state text not null default 'draft',
    search text[] generated always as
        (app.bigrams(title || ' ' || code)) stored
);
create index on dudao.supervision_tasks (state, id);
create index on dudao.supervision_tasks (kind, id);
create index on dudao.supervision_tasks (year, id);
create index on dudao.supervision_tasks (ordered_by_level, id);
create index on dudao.supervision_tasks (leader_inspector_id);
create index on dudao.supervision_tasks (
    coalesce(onsite_from, 'infinity'::date), id);
create index on dudao.supervision_tasks (created_at, id);
create index on dudao.supervision_tasks using gin (search);

-- L-TL-16: at least three inspectors; experts and joint departments besides.
create table dudao.team_members (
    like app.record including all,
    task_id uuid not null references dudao.supervision_tasks,
    inspector_id uuid references dudao.inspectors,
    person_id uuid references dudao.persons,
    role text not null default 'member' check (
        role in ('leader', 'deputy', 'member', 'expert', 'observer')),
    organization_id uuid references dudao.organizations,
    -- empty: all targets of the task
    target_ids uuid[] not null default '{}',
    unique (task_id, inspector_id),
    unique (task_id, person_id),
    check (num_nonnulls(inspector_id, person_id) = 1)
);
create index on dudao.team_members (inspector_id);

create table dudao.supervision_notices (
    like app.record including all,
    like app.legal including all,
    task_id uuid not null references dudao.supervision_tasks,
    target_ids uuid[] not null check (cardinality(target_ids) > 0),
    doc_no text not null unique,
    issued_on date not null,
    issued_by uuid,
    text text not null check (length(text) between 1 and 10000),
    matters text[] not null,
    schedule text not null check (length(schedule) between 1 and 4000),
    materials_required text check (length(materials_required) <= 4000),
    self_assessment_due_on date,
    attachment_id uuid,
    check (self_assessment_due_on >= issued_on)
);
create index on dudao.supervision_notices (task_id, id);
create index on dudao.supervision_notices (issued_on, id);

-- The file of one unit (or zone) inside one task.
create table dudao.supervision_targets (
    like app.record including all,
    task_id uuid not null references dudao.supervision_tasks,
    organization_id uuid references dudao.organizations,
    zone_id uuid references dudao.zones,
    leadership_term_id uuid references dudao.leadership_terms,
    trigger text not null default 'plan' check (
        trigger in ('five_year_cycle', 'term_end', 'order', 'plan',
            'complaint', 'random')),
    notice_id uuid references dudao.supervision_notices,
    waive_reason text,
    onsite_started_on date,
    onsite_ended_on date,
    preliminary_opinion text,
    preliminary_fed_back_on date,
    defense_due_on date,
    grade text check (
        grade in ('excellent', 'good', 'qualified', 'unqualified')),
    score numeric(5,2) check (score between 0 and 100),
    is_obstructed boolean not null default false,
    -- L-TL-25
    obstruction_kinds text[] not null default '{}' check (
        obstruction_kinds <@ array['refuse_obstruct', 'conceal_falsify',
            'no_rectification', 'retaliation', 'other']),
    obstruction_facts text,
    obstruction_evidence uuid[] not null default '{}',
    excuse_reason text,
    state text not null default 'pending',
    unique (task_id, organization_id),
    unique (task_id, zone_id),
    check (num_nonnulls(organization_id, zone_id) = 1),
    check (onsite_ended_on >= onsite_started_on)
);
create index on dudao.supervision_targets (organization_id, id);
create index on dudao.supervision_targets (zone_id);
create index on dudao.supervision_targets (state, id);
create index on dudao.supervision_targets (notice_id);

create table dudao.visits (
    like app.record including all,
    like app.legal including all,
    -- made by the phone: an upload that is sent again is the same visit
    client_uid uuid not null unique,
    kind text not null check (
        kind in ('regular', 'random', 'onsite', 'follow_up', 'emergency')),
    school_id uuid references dudao.schools,
    target_id uuid references dudao.supervision_targets,
    -- the visited unit, from school or target; empty for a zone
    organization_id uuid references dudao.organizations,
    inspector_id uuid not null references dudao.inspectors,
    companion_ids uuid[] not null default '{}',
    assigned_by uuid,
    semester_id uuid references dudao.semesters,
    visited_on date not null,
    arrived_at timestamptz,
    left_at timestamptz,
    latitude numeric(9,6) check (latitude between -90 and 90),
    longitude numeric(9,6) check (longitude between -180 and 180),
    distance_metres integer,
    geo_warning boolean not null default false,
    methods text[] not null default '{}' check (
        methods <@ array['class_observation', 'document', 'meeting',
            'interview', 'questionnaire', 'campus_tour']),
    summary text check (length(summary) <= 10000),
    praise text check (length(praise) <= 4000),
    advice text check (length(advice) <= 4000),
    no_problem_found boolean not null default false,
    submitted_at timestamptz,
    confirmed_at timestamptz,
    unit_remark text check (length(unit_remark) <= 2000),
    reviewed_at timestamptz,
    reviewed_by uuid,
    return_reason text,
    state text not null default 'draft',
    search text[] generated always as (app.bigrams(coalesce(summary, '')
        || ' ' || coalesce(praise, '') || ' ' || coalesce(advice, '')))
        stored,
    check (num_nonnulls(school_id, target_id) >= 1),
    check (left_at >= arrived_at)
);
create index on dudao.visits (organization_id, visited_on desc, id);
create index on dudao.visits (organization_id, id);
create index on dudao.visits (inspector_id, visited_on, id);
create index on dudao.visits (target_id);
create index on dudao.visits (semester_id, id);
create index on dudao.visits (state, id);
create index on dudao.visits (kind, id);
create index on dudao.visits (visited_on, id);
create index on dudao.visits (created_at, id);
create index on dudao.visits (id) where geo_warning;
create index on dudao.visits using gin (search);

create table dudao.visit_items (
    like app.record including all,
    visit_id uuid not null references dudao.visits,
    seq integer not null check (seq between 1 and 500),
    -- L-GP-04: A1 to A8
    area text not null check (
        area in ('A1', 'A2', 'A3', 'A4', 'A5', 'A6', 'A7', 'A8')),
    conclusion text check (
        conclusion in ('normal', 'attention', 'problem', 'not_checked')),
    note text check (length(note) <= 4000),
    evidence uuid[] not null default '{}',
    problem_id uuid,
    unique (visit_id, seq)
);
create index on dudao.visit_items (problem_id);
create index on dudao.visit_items (area, conclusion);

-- what an inspector keeps off (0011)
alter table dudao.recusals
    add foreign key (target_id) references dudao.supervision_targets,
    add foreign key (visit_id) references dudao.visits;
