-- Supervision reports (2.5, 3.8): C2.1.1.e, C2.1.3.f, C2.3.1.a, L-TL-23.

create table dudao.supervision_reports (
    like app.record including all,
    like app.legal including all,
    doc_no text unique check (length(doc_no) between 1 and 60),
    -- what it reports on: one of the three
    task_id uuid references dudao.supervision_tasks,
    -- campaigns and monitoring programmes have no tables yet
    campaign_id uuid,
    monitoring_program_id uuid,
    title text not null check (length(title) between 1 and 200),
    is_major boolean not null default false,
    body text not null default '' check (length(body) <= 100000),
    -- [{title, text}]
    findings jsonb not null default '[]' check (
        jsonb_typeof(findings) = 'array'),
    statistics jsonb not null default '{}' check (
        jsonb_typeof(statistics) = 'object'),
    problem_ids uuid[] not null default '{}',
    no_problem_found boolean not null default false,
    attachment_id uuid references dudao.attachments,
    submitted_by uuid,
    issued_on date,
    issued_by uuid,
    -- the resolution that releases a major report
    resolution_id uuid references dudao.meeting_resolutions,
    delivered_on date,
    published_on date,
    disclosure text not null default 'full' check (
        disclosure in ('full', 'redacted', 'exempt')),
    -- what is public of a report that is not public in full
    redacted_body text check (length(redacted_body) <= 100000),
    exemption_reason text check (length(exemption_reason) <= 2000),
    exemption_approved_by uuid,
    state text not null default 'draft',
    search text[] generated always as (app.bigrams(
        title || ' ' || coalesce(doc_no, ''))) stored,
    check (num_nonnulls(task_id, campaign_id, monitoring_program_id) = 1)
);
create index on dudao.supervision_reports (task_id, id);
create index on dudao.supervision_reports (state, id);
create index on dudao.supervision_reports (disclosure, id);
create index on dudao.supervision_reports (resolution_id);
create index on dudao.supervision_reports (coalesce(issued_on,
    'infinity'::date), id);
create index on dudao.supervision_reports (created_at, id);
create index on dudao.supervision_reports using gin (problem_ids);
create index on dudao.supervision_reports using gin (search);
