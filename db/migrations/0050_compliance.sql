-- Compliance (section 5, C1.b, C1.e): the rules, and what they showed on each
-- day. Tokens of machines (2.1): what a session of such a token may do.

create table app.compliance_rules (
    rule_id text primary key check (rule_id ~ '^R-[A-Z]{3}-[0-9]{2}$'),
    clause_ids text[] not null check (cardinality(clause_ids) > 0),
    dimension text not null check (dimension in
        ('coverage', 'efficiency', 'authority', 'accountability')),
    title_zh text not null,
    title_en text not null,
    is_critical boolean not null,
    -- for whom a result is made; the county always
    scope_types text[] not null check ('county' = any (scope_types)
        and scope_types <@ array['county', 'zone', 'organization', 'inspector']),
    -- all, share, count, ratio, level: see app.evaluate_compliance()
    measure text not null check (measure in
        ('all', 'share', 'count', 'ratio', 'level')),
    green_at numeric,
    amber_at numeric,
    -- a parameter that gives green_at; amber_at moves along
    green_parameter text,
    lower_is_better boolean not null default false,
    list_href text not null,
    sort integer not null unique
);

create table dudao.compliance_checks (
    like app.record including all,
    rule_id text not null,
    clause_ids text[] not null,
    dimension text not null check (dimension in
        ('coverage', 'efficiency', 'authority', 'accountability')),
    is_critical boolean not null,
    as_of date not null,
    scope_type text not null check (scope_type in
        ('county', 'zone', 'organization', 'inspector')),
    -- of the zone, organization or inspector
    scope_id uuid,
    value numeric,
    threshold numeric,
    numerator numeric not null,
    denominator numeric not null,
    colour text not null check (colour in
        ('green', 'amber', 'red', 'not_applicable')),
    -- {code, params}: the text is made for the reader
    explanation jsonb not null,
    evidence jsonb not null check (jsonb_typeof(evidence) = 'array'),
    unique nulls not distinct (rule_id, scope_type, scope_id, as_of),
    check ((scope_type = 'county') = (scope_id is null))
);
create index on dudao.compliance_checks (as_of, scope_type, scope_id);

-- Of a machine's token: the roles to which it was narrowed hold in all its
-- sessions, and end with it.
alter table dudao.sessions
    add column api_token_id uuid references dudao.api_tokens on delete cascade;
create index on dudao.sessions (api_token_id) where api_token_id is not null;
alter table dudao.api_tokens
    add column revoked_by uuid references dudao.users,
    add column revoke_reason text check (length(revoke_reason) between 1 and 500),
    add check (cardinality(scopes) > 0),
    add check (length(name) between 1 and 100);
create index on dudao.api_tokens (expires_at, id);
