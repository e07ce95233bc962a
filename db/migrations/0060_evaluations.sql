-- Evaluation (2.6, 3.6): frameworks of indicators, campaigns, what each unit
-- scored in them, and its objections. C2.1.3.i, C2.2.1.c, C2.2.1.e, C2.3.3.a.

create table dudao.indicator_frameworks (
    like app.record including all,
    like app.legal including all,
    code text not null check (code ~ '^[A-Z]{2}-[A-Z0-9-]{2,20}$'),
    edition integer not null check (edition between 1 and 999),
    name text not null check (length(name) between 1 and 200),
    level text not null default 'county' check (
        level in ('national', 'provincial', 'county')),
    -- 9-A25: a township is evaluated for its duties and for its supervision
    -- work, each by a framework of its own
    campaign_kind text not null check (campaign_kind in ('government_duty',
        'supervision_work', 'school_comprehensive', 'school_annual',
        'special')),
    target_kind text not null check (target_kind in ('township',
        'township_leader', 'county_department', 'department_leader', 'zone',
        'kindergarten', 'compulsory_school', 'high_school',
        'vocational_school', 'special_school', 'inspector')),
    year_from integer not null check (year_from between 2012 and 2100),
    year_to integer check (year_to between 2012 and 2100),
    total numeric(6,2) not null default 100 check (total = 100),
    -- {excellent, good, qualified}: the lowest score of each; null until it is
    -- in force: the parameter of that day
    grade_thresholds jsonb check (jsonb_typeof(grade_thresholds) = 'object'),
    basis_document_id uuid references dudao.policy_documents,
    in_force_on date,
    in_force_by uuid references dudao.users,
    retired_on date,
    retire_reason text check (length(retire_reason) between 1 and 2000),
    state text not null default 'draft',
    search text[] generated always as (app.bigrams(name || ' ' || code)) stored,
    check (year_to >= year_from),
    -- R-EVA-04
    constraint indicator_frameworks_in_force_key exclude using gist (
        campaign_kind with =, target_kind with =,
        int4range(year_from, year_to, '[]') with &&) where (state = 'in_force')
);
comment on constraint indicator_frameworks_in_force_key
    on dudao.indicator_frameworks is
    '{"code": "framework-already-in-force", "pointer": "/year_from", "rule_id": "R-EVA-04", "clause_id": "C2.2.1.c"}';
create unique index indicator_frameworks_edition_key
    on dudao.indicator_frameworks (code, edition) where voided_at is null;
create index on dudao.indicator_frameworks (state, id);
create index on dudao.indicator_frameworks (campaign_kind, target_kind, id);
create index on dudao.indicator_frameworks (year_from, id);
create index on dudao.indicator_frameworks (created_at, id);
create index on dudao.indicator_frameworks using gin (search);

create table dudao.indicators (
    like app.record including all,
    framework_id uuid not null references dudao.indicator_frameworks,
    code text not null check (code ~ '^[A-Z]{1,3}[0-9]{1,2}(\.[0-9]{1,2}){0,2}$'),
    parent_id uuid references dudao.indicators,
    level integer not null check (level between 1 and 3),
    name text not null check (length(name) between 1 and 200),
    weight numeric(6,2) not null check (weight between 0 and 100),
    scoring text not null default 'manual' check (scoring in ('manual', 'ratio',
        'deduction', 'yes_no', 'rank')),
    formula text check (length(formula) between 1 and 1000),
    data_source text check (length(data_source) between 1 and 200),
    is_veto boolean not null default false,
    evidence_required boolean not null default false,
    constraint indicators_code_key unique (framework_id, code)
);
create index on dudao.indicators (parent_id, id);
create index on dudao.indicators (framework_id, id);

create table dudao.evaluation_campaigns (
    like app.record including all,
    code text not null unique,
    kind text not null check (kind in ('government_duty', 'supervision_work',
        'school_comprehensive', 'school_annual', 'special')),
    target_kind text not null check (target_kind in ('township',
        'township_leader', 'county_department', 'department_leader', 'zone',
        'kindergarten', 'compulsory_school', 'high_school',
        'vocational_school', 'special_school', 'inspector')),
    periodicity text not null default 'annual' check (
        periodicity in ('annual', 'ad_hoc')),
    framework_id uuid not null references dudao.indicator_frameworks,
    year integer not null check (year between 2012 and 2100),
    seq integer not null check (seq between 1 and 999),
    title text not null check (length(title) between 1 and 200),
    reason text check (length(reason) between 1 and 2000),
    self_due_on date,
    -- working days in which a unit may object
    objection_days integer check (objection_days between 1 and 60),
    approved_on date,
    approved_by uuid references dudao.users,
    launched_on date,
    finalized_on date,
    circulate_by date,
    published_on date,
    closed_on date,
    cancelled_on date,
    cancel_reason text check (length(cancel_reason) between 1 and 2000),
    state text not null default 'draft',
    search text[] generated always as (app.bigrams(title || ' ' || code)) stored,
    constraint evaluation_campaigns_seq_key unique (kind, target_kind, year, seq),
    -- C2.2.1.f: at the office's discretion, but not without a reason
    constraint evaluation_campaigns_ad_hoc_reason check (
        periodicity = 'annual' or reason is not null)
);
comment on constraint evaluation_campaigns_ad_hoc_reason
    on dudao.evaluation_campaigns is
    '{"code": "required", "pointer": "/reason", "clause_id": "C2.2.1.f"}';
create index on dudao.evaluation_campaigns (state, id);
create index on dudao.evaluation_campaigns (year, id);
create index on dudao.evaluation_campaigns (framework_id, id);
create index on dudao.evaluation_campaigns (created_at, id);
create index on dudao.evaluation_campaigns using gin (search);

create table dudao.evaluations (
    like app.record including all,
    like app.legal including all,
    campaign_id uuid not null references dudao.evaluation_campaigns,
    -- whom it evaluates: one of the three
    organization_id uuid references dudao.organizations,
    leadership_term_id uuid references dudao.leadership_terms,
    zone_id uuid references dudao.zones,
    -- of a leader: the evaluation of the leader's unit
    unit_evaluation_id uuid references dudao.evaluations,
    self_score numeric(6,2) check (self_score between 0 and 100),
    self_report text check (length(self_report) between 1 and 20000),
    truth_commitment boolean not null default false,
    self_scored_on date,
    self_scored_by uuid references dudao.users,
    verified_onsite boolean,
    verify_note text check (length(verify_note) between 1 and 4000),
    verified_on date,
    verified_by uuid references dudao.users,
    verified_score numeric(6,2) check (verified_score between 0 and 100),
    scored_on date,
    scored_by uuid references dudao.users,
    veto_indicator_ids uuid[] not null default '{}',
    bonus numeric(6,2) not null default 0 check (bonus between 0 and 100),
    bonus_reason text check (length(bonus_reason) between 1 and 2000),
    penalty numeric(6,2) not null default 0 check (penalty between 0 and 100),
    penalty_reason text check (length(penalty_reason) between 1 and 2000),
    proposed_on date,
    proposed_by uuid references dudao.users,
    objection_due_on date,
    final_score numeric(6,2) check (final_score between 0 and 100),
    grade text check (grade in ('excellent', 'good', 'qualified', 'unqualified')),
    rank integer check (rank > 0),
    resolution_id uuid references dudao.meeting_resolutions,
    finalized_on date,
    finalized_by uuid references dudao.users,
    delivered_on date,
    included_on date,
    inclusion_doc_no text check (length(inclusion_doc_no) between 1 and 100),
    state text not null default 'notified',
    check (num_nonnulls(organization_id, leadership_term_id, zone_id) = 1)
);
-- each is evaluated once in a campaign
create unique index evaluations_organization_key
    on dudao.evaluations (campaign_id, organization_id)
    where organization_id is not null and voided_at is null;
create unique index evaluations_term_key
    on dudao.evaluations (campaign_id, leadership_term_id)
    where leadership_term_id is not null and voided_at is null;
create unique index evaluations_zone_key
    on dudao.evaluations (campaign_id, zone_id)
    where zone_id is not null and voided_at is null;
create index on dudao.evaluations (campaign_id, id);
create index on dudao.evaluations (organization_id, id);
create index on dudao.evaluations (zone_id, id);
create index on dudao.evaluations (leadership_term_id);
create index on dudao.evaluations (unit_evaluation_id);
create index on dudao.evaluations (resolution_id);
create index on dudao.evaluations (state, id);
create index on dudao.evaluations (grade, id);
create index on dudao.evaluations (coalesce(final_score, -1), id);
create index on dudao.evaluations (coalesce(rank, 100000), id);
create index on dudao.evaluations (created_at, id);

create table dudao.evaluation_objections (
    like app.record including all,
    evaluation_id uuid not null references dudao.evaluations,
    seq integer not null check (seq > 0),
    text text not null check (length(text) between 1 and 4000),
    evidence uuid[] not null default '{}',
    submitted_at timestamptz not null default now(),
    submitted_by uuid references dudao.users,
    decision text check (decision in ('upheld', 'partly', 'rejected')),
    decision_reason text check (length(decision_reason) between 1 and 4000),
    decided_at timestamptz,
    decided_by uuid references dudao.users,
    score_change numeric(6,2) check (score_change between -100 and 100),
    unique (evaluation_id, seq),
    constraint evaluation_objections_decided_whole check (
        num_nonnulls(decision, decision_reason, decided_at, score_change)
            in (0, 4))
);
-- R-EVA-03: one at a time, decided before the next
create unique index evaluation_objections_open_key
    on dudao.evaluation_objections (evaluation_id) where decided_at is null;
create index on dudao.evaluation_objections (created_at, id);

-- Never changed: an objection that is upheld scores its indicators anew.
create table dudao.evaluation_scores (
    like app.record including all,
    evaluation_id uuid not null references dudao.evaluations,
    indicator_id uuid not null references dudao.indicators,
    stage text not null check (stage in ('self', 'office', 'objection')),
    objection_id uuid references dudao.evaluation_objections,
    score numeric(6,2) not null check (score >= 0),
    evidence uuid[] not null default '{}',
    scorer_user_id uuid references dudao.users,
    scorer_org_id uuid references dudao.organizations,
    note text check (length(note) between 1 and 2000),
    check ((stage = 'objection') = (objection_id is not null)),
    constraint evaluation_scores_stage_key unique nulls not distinct
        (evaluation_id, indicator_id, stage, objection_id)
);
create index on dudao.evaluation_scores (indicator_id);
create index on dudao.evaluation_scores (objection_id);
create index on dudao.evaluation_scores (created_at, id);
