-- Training of inspectors (C2.4.3.a to C2.4.3.c, L-DX-05, 3.17): the plan of a
-- year, its sessions, and the training file of each inspector.

create table dudao.training_plans (
    like app.record including all,
    year integer not null check (year between 2015 and 2100),
    title text not null check (length(title) between 1 and 200),
    summary text check (length(summary) <= 4000),
    hours_target integer not null check (hours_target between 0 and 1000),
    budget_line_id uuid,
    -- C2.4.3.b: within the plan for education cadres and teachers
    included_in_cadre_teacher_plan boolean not null default false,
    inclusion_doc_no text check (length(inclusion_doc_no) between 1 and 100),
    not_included_reason text check (
        length(not_included_reason) between 1 and 2000),
    submitted_on date,
    approved_on date,
    closed_on date,
    state text not null default 'draft',
    search text[] generated always as (app.bigrams(title)) stored,
    constraint training_plans_inclusion_check check (
        inclusion_doc_no is null or included_in_cadre_teacher_plan)
);
create unique index training_plans_year_key on dudao.training_plans (year);
comment on constraint training_plans_inclusion_check on dudao.training_plans is
    '{"code": "inclusion-not-stated", "pointer": "/included_in_cadre_teacher_plan", "rule_id": "R-TRN-01", "clause_id": "C2.4.3.b"}';
create index on dudao.training_plans (state, year);
create index on dudao.training_plans (budget_line_id);
create index on dudao.training_plans using gin (search);

create table dudao.training_sessions (
    like app.record including all,
    plan_id uuid not null references dudao.training_plans,
    kind text not null check (kind in (
        'pre_service', 'capacity_building', 'special_topic', 'exchange')),
    title text not null check (length(title) between 1 and 200),
    mode text not null check (mode in (
        'concentrated', 'online', 'self_study')),
    hours numeric(5,1) check (hours between 0.5 and 400),
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    place text check (length(place) between 1 and 200),
    -- the name that is announced; the person, where it is one of ours
    trainer text check (length(trainer) between 1 and 200),
    trainer_person_id uuid references dudao.persons,
    capacity integer check (capacity between 1 and 10000),
    opened_on date,
    completed_on date,
    -- the day from which the hours count
    closed_on date,
    cancel_reason text check (length(cancel_reason) <= 2000),
    state text not null default 'planned',
    search text[] generated always as
        (app.bigrams(title || ' ' || coalesce(trainer, '') || ' '
            || coalesce(place, ''))) stored,
    constraint training_sessions_span_check check (ends_at > starts_at)
);
comment on constraint training_sessions_span_check
    on dudao.training_sessions is
    '{"code": "ends-before-start", "pointer": "/ends_at"}';
create index on dudao.training_sessions (plan_id, starts_at);
create index on dudao.training_sessions (state, starts_at);
create index on dudao.training_sessions (kind, starts_at);
create index on dudao.training_sessions (mode, starts_at);
create index on dudao.training_sessions (starts_at, id);
create index on dudao.training_sessions (trainer_person_id);
create index on dudao.training_sessions using gin (search);

create table dudao.training_records (
    like app.record including all,
    session_id uuid not null references dudao.training_sessions,
    inspector_id uuid not null references dudao.inspectors,
    attended_hours numeric(5,1) check (attended_hours between 0 and 400),
    certificate_no text check (length(certificate_no) between 1 and 60),
    certified_on date,
    comment text check (length(comment) <= 2000),
    verified_by uuid references dudao.users,
    state text not null default 'enrolled',
    -- 2.4: what came of it
    result text generated always as (case state
        when 'attended' then 'enrolled' when 'certified' then 'passed'
        else state end) stored,
    constraint training_records_inspector_key unique (session_id, inspector_id),
    constraint training_records_certificate_no_key unique (certificate_no),
    -- who was there has hours, who was not has none
    constraint training_records_hours_check check (case
        when state = 'enrolled' then attended_hours is null
        when state = 'absent' then attended_hours = 0
        else attended_hours > 0 end),
    constraint training_records_certificate_check check (
        (state = 'certified') = (certificate_no is not null))
);
comment on constraint training_records_inspector_key
    on dudao.training_records is
    '{"code": "already-enrolled", "pointer": "/inspector_id"}';
comment on constraint training_records_certificate_no_key
    on dudao.training_records is
    '{"code": "duplicate-number", "pointer": "/certificate_no"}';
comment on constraint training_records_hours_check
    on dudao.training_records is
    '{"code": "hours-do-not-fit-attendance", "pointer": "/attended_hours", "rule_id": "R-TRN-03", "clause_id": "L-DX-05"}';
comment on constraint training_records_certificate_check
    on dudao.training_records is
    '{"code": "certificate-without-pass", "pointer": "/certificate_no", "rule_id": "R-TRN-02", "clause_id": "L-DX-05"}';
create index on dudao.training_records (inspector_id, session_id);
create index on dudao.training_records (state, id);

-- L-DX-05: the training by which a first term may begin.
alter table dudao.inspector_appointments
    add column pre_service_record_id uuid references dudao.training_records;
create index on dudao.inspector_appointments (pre_service_record_id);
