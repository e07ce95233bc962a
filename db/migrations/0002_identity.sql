-- Accounts, what they may do and for how long, and their sessions (2.1, 4.1).

create table dudao.users (
    like app.record including all,
    login                   text not null unique
        check (login ~ '^[a-z0-9][a-z0-9._@-]{1,63}$'),
    display_name            text not null,
    person_id               uuid,
    organization_id         uuid not null,
    password_hash           text,
    password_changed_at     timestamptz,
    status                  text not null default 'active'
        check (status in ('active', 'locked', 'disabled')),
    must_change_password    boolean not null default false,
    last_login_at           timestamptz,
    failed_count            integer not null default 0,
    mfa_enabled             boolean not null default false
);
create index users_organization on dudao.users (organization_id);
create index users_person on dudao.users (person_id);

alter table dudao.users
    add foreign key (created_by) references dudao.users,
    add foreign key (updated_by) references dudao.users;
alter table dudao.notifications
    add foreign key (recipient_user_id) references dudao.users;

-- valid_to is the last civil day on which the grant holds. A delegation
-- (delegated_by) makes its holder act for that person, in that role (4.1).
create table dudao.role_grants (
    like app.record including all,
    user_id                 uuid not null references dudao.users,
    role                    text not null check (role in
        ('committee_director', 'committee_deputy', 'committee_member',
         'member_liaison', 'chief_inspector', 'deputy_chief_inspector',
         'office_staff', 'finance_officer', 'zone_lead', 'inspector_ft',
         'inspector_pt', 'school_account', 'township_account',
         'department_account', 'leader_reader', 'org_personnel_reader',
         'research_center', 'third_party', 'platform_service', 'sys_admin',
         'auditor')),
    scope_zone_id           uuid,
    scope_organization_id   uuid,
    scope_contract_id       uuid,
    valid_from              date not null
        default (now() at time zone 'Asia/Shanghai')::date,
    valid_to                date,
    granted_by              uuid references dudao.users,
    delegated_by            uuid references dudao.users,
    reason                  text not null check (reason <> ''),
    state                   text not null default 'proposed' check (state in
        ('proposed', 'active', 'rejected', 'ended')),
    decided_by              uuid references dudao.users,
    decided_at              timestamptz,
    constraint role_grants_valid_to_check check (valid_to >= valid_from),
    constraint role_grants_delegation_check check
        (delegated_by is null or (valid_to is not null
            and role in ('committee_director', 'chief_inspector')
            and delegated_by <> user_id)),
    constraint role_grants_active_key exclude using gist (
        user_id with =,
        role with =,
        coalesce(scope_zone_id, '00000000-0000-0000-0000-000000000000') with =,
        coalesce(scope_organization_id, '00000000-0000-0000-0000-000000000000') with =,
        coalesce(scope_contract_id, '00000000-0000-0000-0000-000000000000') with =,
        daterange(valid_from, valid_to, '[]') with &&)
        where (state in ('proposed', 'active'))
);
create index role_grants_user on dudao.role_grants (user_id) where state = 'active';
create index role_grants_role on dudao.role_grants (role) where state = 'active';

-- A session is one login and the family of its refresh tokens.
create table dudao.sessions (
    id              uuid primary key default app.uuid_v7(),
    user_id         uuid not null references dudao.users,
    created_at      timestamptz not null default now(),
    expires_at      timestamptz not null,
    last_used_at    timestamptz not null default now(),
    revoked_at      timestamptz,
    revoked_for     text,
    ip              text,
    user_agent      text
);
create index sessions_user on dudao.sessions (user_id) where revoked_at is null;

create table dudao.refresh_tokens (
    token_hash      bytea primary key,
    session_id      uuid not null references dudao.sessions on delete cascade,
    created_at      timestamptz not null default now(),
    expires_at      timestamptz not null,
    used_at         timestamptz
);
create index refresh_tokens_session on dudao.refresh_tokens (session_id);
comment on column dudao.refresh_tokens.token_hash is 'sha256; the token itself is never stored';

create table dudao.api_tokens (
    like app.record including all,
    user_id         uuid not null references dudao.users,
    token_hash      bytea not null unique,
    name            text not null,
    scopes          text[] not null default '{}',
    expires_at      timestamptz not null,
    revoked_at      timestamptz,
    last_used_at    timestamptz,
    ip_allowlist    inet[] not null default '{}'
);
create index api_tokens_user on dudao.api_tokens (user_id);
