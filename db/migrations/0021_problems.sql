-- The problem ledger: problems, plans, reports, reviews (C2.3.2).

create table dudao.problems (
    like app.record including all,
    like app.legal including all,
    code text not null unique,
    organization_id uuid not null references dudao.organizations,
    -- where it was found: exactly one
    target_id uuid references dudao.supervision_targets,
    visit_id uuid references dudao.visits,
    review_id uuid,
    exchange_message_id uuid,
    member_organization_id uuid references dudao.organizations,
    -- the task behind target or visit
    task_id uuid references dudao.supervision_tasks,
    category text not null check (category in (
        'P01', 'P02', 'P03', 'P04', 'P05', 'P06', 'P07', 'P08', 'P09',
        'P10', 'P11', 'P12', 'P13', 'P14', 'P15', 'P99')),
    matter text check (matter in ('M1', 'M2', 'M3', 'M4')),
    area text check (
        area in ('A1', 'A2', 'A3', 'A4', 'A5', 'A6', 'A7', 'A8')),
    severity text not null check (
        severity in ('minor', 'moderate', 'major', 'danger')),
    title text not null check (length(title) between 1 and 200),
    description text not null check (length(description) between 1 and 4000),
    requirement text check (length(requirement) between 1 and 4000),
    due_on date,
    extended_due_on date,
    effective_due_on date generated always as
        (coalesce(extended_due_on, due_on)) stored,
    responsible_person_id uuid references dudao.persons,
    joint_organization_ids uuid[] not null default '{}',
    is_public boolean not null default true,
    listed_on date,
    assigned_on date,
    reported_on date,
    struck_off_on date,
    rebounded_on date,
    looked_back_on date,
    extension_count integer not null default 0
        check (extension_count between 0 and 1),
    -- a request waits for the chief inspector while these are set
    extension_requested_on date,
    extension_requested_due_on date,
    extension_reason text check (length(extension_reason) <= 2000),
    -- 1, and one more after each rebound
    round integer not null default 1 check (round >= 1),
    -- who verifies, named by the office
    reviewer_inspector_ids uuid[] not null default '{}',
    verify_due_on date,
    look_back_from date,
    look_back_due_on date,
    disclosure_due_on date,
    -- 0 none, 1 letter, 2 circular, 3 interview, 4 accountability case
    escalation_level integer not null default 0
        check (escalation_level between 0 and 4),
    state text not null default 'draft',
    search text[] generated always as (app.bigrams(
        title || ' ' || description || ' ' || code)) stored,
    check (num_nonnulls(target_id, visit_id, review_id, exchange_message_id,
        member_organization_id) = 1),
    check (due_on >= listed_on),
    check (extended_due_on > due_on)
);
create index on dudao.problems (organization_id, id);
create index on dudao.problems (organization_id, state);
create index on dudao.problems (state, id);
create index on dudao.problems (severity, id);
create index on dudao.problems (category, id);
create index on dudao.problems (area) where area is not null;
create index on dudao.problems (coalesce(due_on, 'infinity'::date), id);
create index on dudao.problems (due_on, id);
create index on dudao.problems (created_at, id);
create index on dudao.problems (updated_at, id);
create index on dudao.problems (coalesce(listed_on, 'infinity'::date), id);
create index on dudao.problems (task_id, id) where task_id is not null;
create index on dudao.problems (visit_id) where visit_id is not null;
create index on dudao.problems (target_id) where target_id is not null;
create index on dudao.problems (review_id) where review_id is not null;
create index on dudao.problems (member_organization_id, id)
    where member_organization_id is not null;
create index on dudao.problems (escalation_level, id)
    where escalation_level > 0;
-- the overdue ones are few among the open ones
create index on dudao.problems (effective_due_on, id)
    where state in ('listed', 'assigned', 'rectifying', 'rebounded');
create index on dudao.problems (id) where extension_requested_on is not null;
create index on dudao.problems using gin (reviewer_inspector_ids);
create index on dudao.problems using gin (search);

alter table dudao.visit_items
    add foreign key (problem_id) references dudao.problems;

create table dudao.rectification_plans (
    like app.record including all,
    problem_id uuid not null references dudao.problems,
    round integer not null default 1,
    measures text not null check (length(measures) between 1 and 10000),
    -- [{"text": …, "due_on": …, "done_on": …}]
    steps jsonb not null default '[]' check (jsonb_typeof(steps) = 'array'),
    responsible_person text check (length(responsible_person) <= 100),
    submitted_at timestamptz not null default now(),
    accepted_at timestamptz,
    return_reason text,
    state text not null default 'submitted'
);
create index on dudao.rectification_plans (problem_id, id);
create index on dudao.rectification_plans (state, id);

create table dudao.rectification_reports (
    like app.record including all,
    problem_id uuid not null references dudao.problems,
    round integer not null default 1,
    seq integer not null default 1,
    result text not null check (
        result in ('completed', 'phased', 'unable')),
    text text not null check (length(text) between 1 and 10000),
    evidence uuid[] not null default '{}',
    cost_fen bigint check (cost_fen >= 0),
    signed_by_head boolean not null default false,
    submitted_at timestamptz not null default now(),
    unique (problem_id, round, seq)
);
create index on dudao.rectification_reports (problem_id, id);

-- C2.3.2.d: verification before the strike-off, look-back after it.
create table dudao.problem_reviews (
    like app.record including all,
    problem_id uuid not null references dudao.problems,
    round integer not null default 1,
    kind text not null check (kind in ('verification', 'look_back')),
    task_id uuid references dudao.supervision_tasks,
    -- the report that was verified: a later one needs a new verification
    report_id uuid references dudao.rectification_reports,
    reviewed_on date not null,
    reviewer_inspector_ids uuid[] not null
        check (cardinality(reviewer_inspector_ids) between 1 and 20),
    method text not null check (
        method in ('onsite', 'documents', 'unannounced')),
    result text not null check (
        result in ('in_place', 'not_in_place', 'late', 'rebounded',
            'false_report')),
    note text check (length(note) <= 4000),
    evidence uuid[] not null default '{}',
    check (case kind when 'verification'
        then result in ('in_place', 'not_in_place', 'late', 'false_report')
        else result in ('in_place', 'rebounded', 'false_report') end)
);
create index on dudao.problem_reviews (problem_id, id);
create index on dudao.problem_reviews (reviewed_on, id);
create index on dudao.problem_reviews using gin (reviewer_inspector_ids);

alter table dudao.problems
    add foreign key (review_id) references dudao.problem_reviews,
    add foreign key (exchange_message_id) references dudao.exchange_messages;
