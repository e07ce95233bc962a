-- Assessment of inspectors (C2.4.3.e, L-TL-8, L-DX-06), their professional
-- ranks (C2.4.3.g) and awards (C2.1.3.i, C2.4.3.h).

insert into dudao.rule_parameters(
    key, value, unit, basis, basis_clause, valid_from, changed_reason)
select key, value::jsonb, unit, basis, basis_clause, '2012-10-01', '初始值'
from (values
    -- L-DX-06 names what the agency looks at; 100 in all
    ('assessment_weights', '{"conduct": 20, "reports": 20, "feedback_urging": 25, "training": 15, "satisfaction": 20}',
        'points of 100', 'project default', 'L-DX-06'),
    ('assessment_grades', '{"excellent": 90, "competent": 75, "basically_competent": 60}',
        'points', 'project default', 'C2.4.3.e'),
    ('assessment_min_months', '6', 'months of 30 days', 'R-INS-07', 'C2.4.3.e'),
    ('merit_publicity_workdays', '5', 'workdays', 'project default', 'C2.4.3.h'),
    ('rank_panel_min', '3', 'persons', 'project default', 'C2.4.3.g')
) as p(key, value, unit, basis, basis_clause)
on conflict (key) do nothing;

create table dudao.inspector_assessments (
    like app.record including all,
    like app.legal including all,
    inspector_id uuid not null references dudao.inspectors,
    year integer not null check (year between 2012 and 2100),
    self_review text check (length(self_review) between 1 and 10000),
    self_reviewed_on date,
    -- {conduct, reports, feedback_urging, training, satisfaction}: 0 to 100
    dimensions jsonb check (jsonb_typeof(dimensions) = 'object'),
    -- weights and limits of that day: the parameters may change later
    weights jsonb,
    grades jsonb,
    score numeric(5,2) check (score between 0 and 100),
    grade text check (grade in ('excellent', 'competent',
        'basically_competent', 'incompetent')),
    comment text check (length(comment) <= 4000),
    assessed_by uuid references dudao.users,
    assessed_on date,
    confirmed_by uuid references dudao.users,
    confirmed_on date,
    state text not null default 'draft'
);
-- R-INS-07: one a year
create unique index inspector_assessments_year_key
    on dudao.inspector_assessments (inspector_id, year) where voided_at is null;
create index on dudao.inspector_assessments (inspector_id, id);
create index on dudao.inspector_assessments (year, state, id);
create index on dudao.inspector_assessments (state, id);
create index on dudao.inspector_assessments (grade, id);
create index on dudao.inspector_assessments (coalesce(score, -1), id);
create index on dudao.inspector_assessments (created_at, id);

create table dudao.inspector_ranks (
    like app.record including all,
    code text not null unique check (code ~ '^[A-Z0-9-]{1,20}$'),
    name text not null unique check (length(name) between 1 and 100),
    "order" integer not null unique check ("order" between 1 and 100),
    -- {description, min_service_years, min_excellent_years}
    criteria jsonb not null default '{}' check (jsonb_typeof(criteria) = 'object'),
    enabled boolean not null default true
);
create index on dudao.inspector_ranks (enabled, id);

-- set by an approved application
alter table dudao.inspectors
    add column rank_id uuid references dudao.inspector_ranks;
create index on dudao.inspectors (rank_id);

create table dudao.rank_applications (
    like app.record including all,
    like app.legal including all,
    code text not null unique,
    inspector_id uuid not null references dudao.inspectors,
    from_rank_id uuid references dudao.inspector_ranks,
    to_rank_id uuid not null references dudao.inspector_ranks,
    statement text not null check (length(statement) between 1 and 10000),
    -- [{title, attachment_id}]
    materials jsonb not null default '[]' check (jsonb_typeof(materials) = 'array'),
    applied_on date not null,
    review_comment text check (length(review_comment) <= 2000),
    -- [{person_id, score, opinion}]: at least three persons
    review_panel jsonb not null default '[]' check (jsonb_typeof(review_panel) = 'array'),
    score numeric(5,2) check (score between 0 and 100),
    evaluated_on date,
    publicity_from date,
    publicity_to date,
    publicity_publication_id uuid references dudao.publications,
    decision_doc_no text check (length(decision_doc_no) between 1 and 100),
    decided_by uuid references dudao.users,
    decided_on date,
    reject_reason text check (length(reject_reason) between 1 and 2000),
    state text not null default 'applied',
    check (publicity_to >= publicity_from),
    check (from_rank_id <> to_rank_id)
);
-- one under way at a time
create unique index rank_applications_open_key
    on dudao.rank_applications (inspector_id)
    where voided_at is null and state not in ('approved', 'rejected');
create index on dudao.rank_applications (inspector_id, id);
create index on dudao.rank_applications (state, id);
create index on dudao.rank_applications (from_rank_id);
create index on dudao.rank_applications (to_rank_id, id);
create index on dudao.rank_applications (applied_on, id);
create index on dudao.rank_applications (publicity_publication_id);

create table dudao.awards (
    like app.record including all,
    like app.legal including all,
    code text not null unique,
    year integer not null check (year between 2012 and 2100),
    kind text not null check (kind in ('annual_evaluation', 'inspector')),
    title text not null check (length(title) between 1 and 200),
    level text not null check (
        level in ('county_government', 'supervision_committee', 'office')),
    recipient_inspector_id uuid references dudao.inspectors,
    recipient_organization_id uuid references dudao.organizations,
    recipient_zone_id uuid references dudao.zones,
    citation text not null check (length(citation) between 1 and 4000),
    -- what the award rests on (R-INS-08): the assessment of the year, or a
    -- target file of the unit
    basis_subject_type text check (
        basis_subject_type in ('inspector_assessments', 'supervision_targets')),
    basis_subject_id uuid,
    basis_grade text check (basis_grade in (
        'excellent', 'good', 'qualified', 'unqualified')),
    basis_text text check (length(basis_text) between 1 and 4000),
    amount_fen bigint check (amount_fen > 0),
    budget_line_id uuid references dudao.budget_lines,
    reviewed_on date,
    publicity_from date,
    publicity_to date,
    -- [{no, raised_by, text, received_on, upheld, opinion, decided_on}];
    -- upheld null: not yet decided
    objections jsonb not null default '[]' check (jsonb_typeof(objections) = 'array'),
    publicity_publication_id uuid references dudao.publications,
    notice_publication_id uuid references dudao.publications,
    doc_no text unique check (length(doc_no) between 1 and 100),
    granted_by uuid references dudao.users,
    granted_on date,
    revoked_on date,
    end_reason text check (length(end_reason) between 1 and 2000),
    state text not null default 'proposed',
    search text[] generated always as (
        app.bigrams(title || ' ' || citation || ' ' || code)) stored,
    check (num_nonnulls(recipient_inspector_id, recipient_organization_id,
        recipient_zone_id) = 1),
    check ((kind = 'inspector') = (recipient_inspector_id is not null)),
    check ((basis_subject_type is null) = (basis_subject_id is null)),
    check (publicity_to >= publicity_from)
);
-- the same thing is not given twice
create unique index awards_inspector_key
    on dudao.awards (recipient_inspector_id, year, title)
    where voided_at is null and state not in ('rejected', 'revoked');
create unique index awards_organization_key
    on dudao.awards (recipient_organization_id, year, title)
    where voided_at is null and state not in ('rejected', 'revoked');
create unique index awards_zone_key
    on dudao.awards (recipient_zone_id, year, title)
    where voided_at is null and state not in ('rejected', 'revoked');
create index on dudao.awards (state, id);
create index on dudao.awards (year, id);
create index on dudao.awards (kind, id);
create index on dudao.awards (recipient_inspector_id, id);
create index on dudao.awards (recipient_organization_id, id);
create index on dudao.awards (recipient_zone_id, id);
create index on dudao.awards (basis_subject_id);
create index on dudao.awards (budget_line_id);
create index on dudao.awards (publicity_publication_id);
create index on dudao.awards (notice_publication_id);
create index on dudao.awards (created_at, id);
create index on dudao.awards (coalesce(granted_on, 'infinity'::date), id);
create index on dudao.awards using gin (search);

-- R-EVA-05: each year it is decided whether there are awards, also when there
-- are none.
create table dudao.award_decisions (
    like app.record including all,
    like app.legal including all,
    year integer not null check (year between 2012 and 2100),
    kind text not null check (kind in ('annual_evaluation', 'inspector')),
    decision text not null check (decision in ('awards', 'no_award')),
    reason text not null check (length(reason) between 1 and 4000),
    doc_no text unique check (length(doc_no) between 1 and 100),
    decided_by uuid references dudao.users,
    decided_on date,
    state text not null default 'draft'
);
create unique index award_decisions_year_key
    on dudao.award_decisions (year, kind) where voided_at is null;
create index on dudao.award_decisions (state, id);
