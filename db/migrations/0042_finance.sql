-- Conditions (2.10, C3.1, C3.2.a) and exchange (2.11, C3.2.b): the budget and
-- its lines, inspectors' expense claims, offices and equipment, informatization,
-- and how other systems call our records. Money is in fen.

create table dudao.budgets (
    like app.record including all,
    year integer not null unique check (year between 2012 and 2100),
    funding_source text not null default 'fiscal' check (
        funding_source in ('fiscal', 'other')),
    requested_fen bigint not null check (
        requested_fen between 1 and 100000000000),
    approved_fen bigint check (approved_fen between 1 and 100000000000),
    approved_doc_no text unique check (length(approved_doc_no) between 1 and 100),
    approved_on date,
    note text check (length(note) <= 2000),
    -- times that the lines of the draft were written
    revision integer not null default 0,
    state text not null default 'draft'
);
create index on dudao.budgets (state, year);

-- C3.1.b: what each line may be spent for, and what is promised and paid.
create table dudao.budget_lines (
    like app.record including all,
    budget_id uuid not null references dudao.budgets,
    category text not null check (category in (
        'inspector_activity', 'training', 'monitoring_purchase', 'research',
        'equipment', 'informatization', 'award', 'other')),
    -- tells two lines of one category apart
    name text not null default '' check (length(name) <= 100),
    amount_fen bigint not null check (amount_fen between 0 and 100000000000),
    reserved_fen bigint not null default 0 check (reserved_fen >= 0),
    paid_fen bigint not null default 0 check (paid_fen >= 0),
    locked boolean not null default false,
    unique (budget_id, category, name),
    constraint budget_lines_balance_check check (
        reserved_fen + paid_fen <= amount_fen)
);
comment on constraint budget_lines_balance_check on dudao.budget_lines is
    '{"code": "line-overdrawn", "pointer": "/amount_fen", "rule_id": "R-FIN-02", "clause_id": "C3.1.b"}';
create index on dudao.budget_lines (category, id);
create index on dudao.budget_lines (locked, id);

create table dudao.expense_claims (
    like app.record including all,
    code text not null unique,
    claimant_inspector_id uuid not null references dudao.inspectors,
    activity_type text not null,
    activity_id uuid not null,
    -- the day of the activity and the kind of line that pays for it
    activity_on date,
    category text,
    budget_line_id uuid references dudao.budget_lines,
    total_fen bigint not null default 0 check (
        total_fen between 0 and 100000000000),
    note text check (length(note) <= 2000),
    submitted_at timestamptz,
    checked_by uuid references dudao.users,
    checked_at timestamptz,
    approved_by uuid references dudao.users,
    approved_at timestamptz,
    paid_by uuid references dudao.users,
    paid_on date,
    voucher_no text unique check (length(voucher_no) between 1 and 60),
    reject_reason text check (length(reject_reason) <= 2000),
    state text not null default 'draft',
    search text[] generated always as (
        app.bigrams(code || ' ' || coalesce(note, ''))) stored
);
comment on constraint expense_claims_voucher_no_key on dudao.expense_claims is
    '{"code": "duplicate-number", "pointer": "/voucher_no", "rule_id": "R-FIN-02", "clause_id": "C3.1.b"}';
create index on dudao.expense_claims (claimant_inspector_id, id);
create index on dudao.expense_claims (state, id);
create index on dudao.expense_claims (activity_type, activity_id);
create index on dudao.expense_claims (budget_line_id, state);
create index on dudao.expense_claims (activity_on, id);
create index on dudao.expense_claims (coalesce(submitted_at, 'infinity'::timestamptz), id);
create index on dudao.expense_claims (created_at, id);
create index on dudao.expense_claims using gin (search);

create table dudao.expense_items (
    like app.record including all,
    claim_id uuid not null references dudao.expense_claims,
    seq integer not null check (seq between 1 and 100),
    category text not null check (category in ('communication', 'transport',
        'meals', 'lodging', 'labor', 'other')),
    occurred_on date not null,
    amount_fen bigint not null check (amount_fen between 1 and 10000000000),
    -- persons and days to which the standard applies
    quantity integer not null default 1 check (quantity between 1 and 366),
    -- of the funds rule in force when the item was entered (C3.1.c)
    standard_limit_fen bigint,
    over_limit_reason text check (length(over_limit_reason) <= 1000),
    invoice_no text check (length(invoice_no) between 1 and 60),
    attachment_id uuid references dudao.attachments,
    note text check (length(note) <= 500),
    -- the invoices of a refused or cancelled claim may be claimed again
    released boolean not null default false,
    unique (claim_id, seq)
);
create unique index expense_items_invoice_no_key on dudao.expense_items (invoice_no)
    where not released;
comment on index dudao.expense_items_invoice_no_key is
    '{"code": "invoice-used", "pointer": "/items/invoice_no", "rule_id": "R-FIN-02", "clause_id": "C3.1.b"}';
create index on dudao.expense_items (category, occurred_on);
create index on dudao.expense_items (occurred_on, id);

create table dudao.facilities (
    like app.record including all,
    kind text not null check (
        kind in ('office_room', 'equipment', 'vehicle', 'other')),
    organization_id uuid references dudao.organizations,
    zone_id uuid references dudao.zones,
    name text not null check (length(name) between 1 and 200),
    area_m2 numeric(8,2) check (area_m2 > 0),
    quantity integer not null default 1 check (quantity between 1 and 100000),
    asset_no text unique check (length(asset_no) between 1 and 60),
    acquired_on date,
    status text not null default 'in_use' check (
        status in ('in_use', 'idle', 'repairing', 'disposed')),
    value_fen bigint check (value_fen between 0 and 100000000000),
    search text[] generated always as (
        app.bigrams(name || ' ' || coalesce(asset_no, ''))) stored,
    constraint facilities_owner_check check (
        num_nonnulls(organization_id, zone_id) = 1)
);
comment on constraint facilities_owner_check on dudao.facilities is
    '{"code": "one-owner-required", "pointer": "/organization_id", "rule_id": "R-FIN-05", "clause_id": "C3.1.e"}';
comment on constraint facilities_asset_no_key on dudao.facilities is
    '{"code": "duplicate-number", "pointer": "/asset_no", "rule_id": "R-FIN-05", "clause_id": "C3.1.e"}';
create index on dudao.facilities (zone_id, kind);
create index on dudao.facilities (organization_id, kind);
create index on dudao.facilities (kind, id);
create index on dudao.facilities (status, id);
create index on dudao.facilities using gin (search);

create table dudao.informatization_items (
    like app.record including all,
    plan_document_id uuid not null references dudao.policy_documents,
    title text not null check (length(title) between 1 and 200),
    stage text not null default 'planned' check (
        stage in ('planned', 'building', 'running', 'retired')),
    year integer not null check (year between 2012 and 2100),
    budget_line_id uuid references dudao.budget_lines,
    progress integer not null default 0 check (progress between 0 and 100),
    search text[] generated always as (app.bigrams(title)) stored
);
create index on dudao.informatization_items (plan_document_id, id);
create index on dudao.informatization_items (stage, id);
create index on dudao.informatization_items (year, id);
create index on dudao.informatization_items (budget_line_id);
create index on dudao.informatization_items using gin (search);

create table dudao.external_identifiers (
    like app.record including all,
    subject_type text not null check (length(subject_type) between 1 and 60),
    subject_id uuid not null,
    system text not null check (system in (
        'provincial_platform', 'municipal_platform', 'national_stats')),
    external_id text not null check (length(external_id) between 1 and 100),
    first_seen_at timestamptz not null,
    retired_at timestamptz,
    check (retired_at >= first_seen_at)
);
create unique index external_identifiers_external_id_key
    on dudao.external_identifiers (system, external_id)
    where retired_at is null;
create unique index external_identifiers_subject_id_key
    on dudao.external_identifiers (system, subject_type, subject_id)
    where retired_at is null;
comment on index dudao.external_identifiers_external_id_key is
    '{"code": "external-id-taken", "pointer": "/external_id", "rule_id": "R-ITX-02", "clause_id": "C3.2.b"}';
comment on index dudao.external_identifiers_subject_id_key is
    '{"code": "subject-has-external-id", "pointer": "/subject_id", "rule_id": "R-ITX-02", "clause_id": "C3.2.b"}';
create index on dudao.external_identifiers (subject_type, subject_id);
create index on dudao.external_identifiers (system, id);

-- the outbox is read by peer and state, and by what it is about
create index on dudao.exchange_messages (state, id);
create index on dudao.exchange_messages (peer, id);
create index on dudao.exchange_messages (type, id);
create index on dudao.exchange_messages (business_key);
create index on dudao.exchange_messages (created_at, id);

-- What an expense may be claimed for. `statement` gives, for $1 the activity
-- and $2 the inspector, no row where there is no such activity, else
-- (held_on date, takes_part boolean, is_official boolean).
create table app.claim_activities (
    activity_type text primary key,
    category text not null,
    label_zh text not null,
    label_en text not null,
    statement text not null
);
