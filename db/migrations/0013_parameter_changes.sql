-- Parameters are changed by two persons (4.1): one proposes a value, another
-- approves it. The value itself stays in rule_parameters.
create table dudao.rule_parameter_changes (
    like app.record including all,
    rule_parameter_id uuid not null references dudao.rule_parameters,
    value jsonb not null,
    previous_value jsonb,
    valid_from date not null,
    reason text not null check (length(reason) between 1 and 2000),
    basis text check (length(basis) <= 200),
    basis_clause text check (length(basis_clause) <= 40),
    decided_by uuid references dudao.users,
    decided_at timestamptz,
    state text not null default 'proposed'
);
-- one proposal at a time
create unique index rule_parameter_changes_open_key
    on dudao.rule_parameter_changes (rule_parameter_id)
    where state = 'proposed';
create index on dudao.rule_parameter_changes (state, id);
create index on dudao.rule_parameter_changes (rule_parameter_id, id);

-- R-ORG-04, R-RES-01: one office, one committee, one research centre.
create unique index organizations_single_key
    on dudao.organizations (kind)
    where status = 'operating' and kind in ('supervision_office',
        'supervision_committee', 'research_center');

-- Filters of the accounts.
create index on dudao.users (status, id);
create index on dudao.users (display_name, id);
create index on dudao.role_grants (user_id, id);
create index on dudao.role_grants (role, id);
create index on dudao.role_grants (state, id);
create index on dudao.role_grants (valid_from, id);

-- DX-430626-0031: the numbers of inspectors never begin anew (8.2).
create sequence dudao.inspector_numbers;
