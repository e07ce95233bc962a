-- Annual targets (2.2, A16; C2.1.1.j, C2.2.1.d): what a unit is to reach in a
-- year, set by the office or taken over from the county's performance system.

insert into dudao.rule_parameters(
    key, value, unit, basis, basis_clause, valid_from, changed_reason)
values ('target_unreported_workdays', '10', 'workdays', 'project default', 'C2.1.1.j', '2012-10-01', '初始值')
on conflict (key) do nothing;

create table dudao.annual_targets (
    like app.record including all,
    like app.legal including all,
    organization_id uuid not null references dudao.organizations,
    year integer not null check (year between 2012 and 2100),
    seq integer not null check (seq between 1 and 999),
    title text not null check (length(title) between 1 and 200),
    measure text not null check (length(measure) between 1 and 1000),
    -- null: met or not, by the report
    target_value numeric(14,2),
    direction text not null default 'at_least' check (direction in ('at_least', 'at_most')),
    actual_value numeric(14,2),
    unit text check (length(unit) between 1 and 20),
    due_on date not null,
    source text not null default 'office' check (source in ('office', 'performance_system')),
    external_ref text unique check (length(external_ref) between 1 and 100),
    proposed_by_unit boolean not null default false,
    issued_doc_no text check (length(issued_doc_no) between 1 and 60),
    issued_on date,
    reported_on date,
    reported_by uuid references dudao.users,
    report_text text check (length(report_text) between 1 and 4000),
    evidence uuid[] not null default '{}',
    verified_on date,
    verified_by uuid references dudao.users,
    verify_note text,
    adjusted_on date,
    adjust_reason text,
    adjust_count integer not null default 0,
    state text not null default 'draft',
    search text[] generated always as (app.bigrams(title || ' ' || measure)) stored,
    constraint annual_targets_number unique (organization_id, year, seq),
    check (extract(year from due_on) between year and year + 1)
);
comment on constraint annual_targets_number on dudao.annual_targets is
    '{"code": "duplicate-number", "pointer": "/seq", "clause_id": "C2.1.1.j"}';
create index on dudao.annual_targets (state, id);
create index on dudao.annual_targets (year, id);
create index on dudao.annual_targets (due_on, id);
create index on dudao.annual_targets (created_at, id);
create index on dudao.annual_targets using gin (search);
