-- The committee's work: meetings with agenda, attendance and resolutions
-- (C2.1.1.b, C2.1.1.l, C2.1.3.c, C2.1.3.d), and the matters that it decides
-- (C2.1.1.c, C2.1.1.d, C2.1.3.f, L-DX-04).

insert into dudao.rule_parameters(
    key, value, unit, basis, basis_clause, valid_from, changed_reason)
values
    ('meeting_notice_workdays', '3', 'workdays', 'project default', 'C2.1.1.b', '2012-10-01', '初始值'),
    ('meeting_quorum', '"2/3"', 'of member units', 'project default', 'C2.1.1.b', '2012-10-01', '初始值'),
    ('meeting_minutes_workdays', '5', 'workdays', 'project default', 'C2.1.3.d', '2012-10-01', '初始值'),
    ('joint_meeting_gap_days', '214', 'days', 'project default (每半年)', 'C2.1.3.d', '2012-10-01', '初始值')
on conflict (key) do nothing;

create table dudao.meetings (
    like app.record including all,
    code text not null unique,
    kind text not null check (kind in ('committee_plenary', 'joint_meeting',
        'communication_session', 'office_meeting')),
    title text not null check (length(title) between 1 and 200),
    topic text not null check (length(topic) between 1 and 1000),
    scheduled_on date not null check (scheduled_on between '2012-01-01' and '2100-12-31'),
    -- A12: calendar halves, of the day on which it was held
    year integer not null generated always as
        (extract(year from coalesce(held_on, scheduled_on))::integer) stored,
    half integer not null generated always as
        (case when extract(month from coalesce(held_on, scheduled_on)) <= 6 then 1 else 2 end) stored,
    notified_on date,
    held_on date,
    place text check (length(place) between 1 and 200),
    chair_person_id uuid references dudao.persons,
    minutes text check (length(minutes) between 1 and 50000),
    minutes_attachment_id uuid references dudao.attachments,
    minutes_issued_on date,
    postpone_reason text,
    cancel_reason text,
    state text not null default 'planned',
    search text[] generated always as
        (app.bigrams(title || ' ' || topic || ' ' || code)) stored,
    check (held_on >= notified_on),
    check (minutes_issued_on >= held_on)
);
create index on dudao.meetings (kind, year, half);
create index on dudao.meetings (state, id);
create index on dudao.meetings (year, id);
create index on dudao.meetings (scheduled_on, id);
create index on dudao.meetings (held_on);
create index on dudao.meetings (created_at, id);
create index on dudao.meetings (chair_person_id) where chair_person_id is not null;
create index on dudao.meetings using gin (search);

create table dudao.meeting_agenda_items (
    like app.record including all,
    meeting_id uuid not null references dudao.meetings,
    seq integer not null check (seq between 1 and 100),
    title text not null check (length(title) between 1 and 200),
    kind text not null check (kind in ('study', 'deliberation', 'coordination', 'appointment', 'report')),
    subject_type text check (length(subject_type) <= 60),
    subject_id uuid,
    presenter_person_id uuid references dudao.persons,
    outcome text check (length(outcome) between 1 and 4000),
    unique (meeting_id, seq),
    unique (meeting_id, id),
    check ((subject_type is null) = (subject_id is null))
);
create index on dudao.meeting_agenda_items (subject_type, subject_id) where subject_id is not null;

create table dudao.meeting_attendances (
    like app.record including all,
    meeting_id uuid not null references dudao.meetings,
    organization_id uuid not null references dudao.organizations,
    person_id uuid references dudao.persons,
    invited boolean not null default true,
    -- null: not yet known
    attended boolean,
    -- who was invited, when person_id came instead
    substitute_for uuid references dudao.persons,
    absence_reason text check (length(absence_reason) between 1 and 1000),
    unique (meeting_id, organization_id),
    check (substitute_for <> person_id),
    check (substitute_for is null or person_id is not null),
    check (absence_reason is null or attended is not true)
);
create index on dudao.meeting_attendances (organization_id, meeting_id);

create table dudao.meeting_resolutions (
    like app.record including all,
    code text not null unique,
    meeting_id uuid not null references dudao.meetings,
    seq integer not null check (seq between 1 and 200),
    -- a resolution without agenda item is none (3.19)
    agenda_item_id uuid not null,
    text text not null check (length(text) between 1 and 4000),
    owner_organization_id uuid not null references dudao.organizations,
    due_on date not null,
    -- with the minutes: from then on the owner sees it
    issued_on date,
    reported_on date,
    reported_by uuid references dudao.users,
    report_text text check (length(report_text) between 1 and 4000),
    evidence uuid[] not null default '{}',
    done_on date,
    drop_reason text,
    state text not null default 'open',
    search text[] generated always as (app.bigrams(text || ' ' || code)) stored,
    unique (meeting_id, seq),
    foreign key (meeting_id, agenda_item_id) references dudao.meeting_agenda_items (meeting_id, id)
);
create index on dudao.meeting_resolutions (agenda_item_id);
create index on dudao.meeting_resolutions (owner_organization_id, state);
create index on dudao.meeting_resolutions (state, due_on);
create index on dudao.meeting_resolutions (due_on, id);
create index on dudao.meeting_resolutions (created_at, id);
create index on dudao.meeting_resolutions using gin (search);

create table dudao.major_matters (
    like app.record including all,
    like app.legal including all,
    code text not null unique,
    kind text not null check (kind in ('major_matter', 'major_problem', 'bottleneck', 'incident')),
    title text not null check (length(title) between 1 and 200),
    description text not null check (length(description) between 1 and 10000),
    -- the unit that it concerns; null: the county
    organization_id uuid references dudao.organizations,
    occurred_at timestamptz,
    source_type text check (length(source_type) <= 60),
    source_id uuid,
    severity text not null default 'major' check (severity in ('moderate', 'major', 'critical')),
    accepted_at timestamptz,
    -- L-DX-04
    urgent_report_due_at timestamptz,
    urgent_reported_at timestamptz,
    agenda_item_id uuid references dudao.meeting_agenda_items,
    resolution_id uuid references dudao.meeting_resolutions,
    -- the day on which the committee resolved
    resolved_on date,
    dispatch_due_on date,
    reported_up_at timestamptz,
    circulated_at timestamptz,
    closed_on date,
    state text not null default 'draft',
    search text[] generated always as
        (app.bigrams(title || ' ' || description || ' ' || code)) stored,
    check ((source_type is null) = (source_id is null))
);
create index on dudao.major_matters (organization_id, id);
create index on dudao.major_matters (state, id);
create index on dudao.major_matters (kind, id);
create index on dudao.major_matters (severity, id);
create index on dudao.major_matters (resolved_on);
create index on dudao.major_matters (agenda_item_id) where agenda_item_id is not null;
create index on dudao.major_matters (resolution_id) where resolution_id is not null;
create index on dudao.major_matters (created_at, id);
create index on dudao.major_matters (urgent_report_due_at)
    where urgent_report_due_at is not null and urgent_reported_at is null;
create index on dudao.major_matters using gin (search);

-- C2.1.1.d: what one unit cannot rectify alone.
alter table dudao.problems
    add column major_matter_id uuid references dudao.major_matters;
create index on dudao.problems (major_matter_id) where major_matter_id is not null;
