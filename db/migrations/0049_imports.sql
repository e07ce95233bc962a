-- Files of rows that are taken in as a whole or not at all (chapter 7: a
-- county begins with spreadsheets).

create table dudao.imports (
    like app.record including all,
    kind text not null check (
        kind in ('organizations', 'schools', 'persons', 'inspectors')),
    mode text not null default 'upsert' check (
        mode in ('upsert', 'create_only', 'update_only')),
    dry_run boolean not null default false,
    file_name text check (length(file_name) between 1 and 200),
    charset text not null check (charset in ('utf-8', 'gb18030')),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes integer not null check (size_bytes > 0),
    -- in whose name the rows are written
    acting_roles text[] not null,
    acting_organization_id uuid references dudao.organizations,
    row_count integer not null default 0,
    created_count integer not null default 0,
    updated_count integer not null default 0,
    unchanged_count integer not null default 0,
    fault_count integer not null default 0,
    -- the first thousand: [{row, column, header, code, params, value}]
    faults jsonb not null default '[]' check (jsonb_typeof(faults) = 'array'),
    attempts integer not null default 0,
    started_at timestamptz,
    finished_at timestamptz,
    state text not null default 'queued'
);
create index on dudao.imports (created_at, id);
create index on dudao.imports (kind, id);
create index on dudao.imports (state, id);
create index on dudao.imports (kind, sha256) where state = 'done';

-- The cells, until the import is over; no role but the owner reads them.
create table dudao.import_files (
    import_id uuid primary key references dudao.imports,
    rows json not null
);

-- What a file of a kind may hold; filled by db/code.
create table app.import_columns (
    kind text not null,
    place integer not null,
    name text not null,
    label_zh text not null,
    label_en text not null,
    -- other headers that are understood
    aliases text[] not null default '{}',
    -- the member of the row that it sets; of organizations where a school has
    -- two rows
    target text not null,
    -- text integer number boolean date enum enums code reference secret
    type text not null,
    -- the enumeration, code list, or kind referred to
    list text,
    is_key boolean not null default false,
    is_required boolean not null default false,
    is_of_organization boolean not null default false,
    example text not null,
    primary key (kind, name)
);
grant select on app.import_columns to dudao_api;
