-- Run once per database, as a superuser, connected to that database; running
-- it again changes nothing. Roles and what only a superuser may set live
-- here; everything else belongs to dudao_owner and is made by db/migrate.
--
--   psql -d dudao -f db/bootstrap.sql
--   psql -d dudao -v api_password=… -v owner_password=… -v relay_password=… -f …

do $$
begin
    -- owns every object and migrates; the services never connect as it
    if not exists (select from pg_roles where rolname = 'dudao_owner') then
        create role dudao_owner login;
    end if;
    -- what the API connects as: owns nothing, row-level security applies
    if not exists (select from pg_roles where rolname = 'dudao_api') then
        create role dudao_api login;
    end if;
    -- carries the outbox to other systems
    if not exists (select from pg_roles where rolname = 'dudao_relay') then
        create role dudao_relay login;
    end if;
end
$$;

alter role dudao_owner nosuperuser nobypassrls nocreatedb nocreaterole;
alter role dudao_api nosuperuser nobypassrls nocreatedb nocreaterole;
alter role dudao_relay nosuperuser nobypassrls nocreatedb nocreaterole;

\if :{?owner_password}
alter role dudao_owner password :'owner_password';
\endif
\if :{?api_password}
alter role dudao_api password :'api_password';
\endif
\if :{?relay_password}
alter role dudao_relay password :'relay_password';
\endif

alter role dudao_owner set search_path = dudao, app, ext;
alter role dudao_api set search_path = dudao, app, ext;
alter role dudao_relay set search_path = dudao, app, ext;

-- Short statements by primary key: compiling them costs more than it saves.
alter role dudao_api set jit = off;
alter role dudao_relay set jit = off;
alter role dudao_api set idle_in_transaction_session_timeout = '60s';
alter role dudao_relay set idle_in_transaction_session_timeout = '60s';

do $$
declare
    here constant text := quote_ident(current_database());
begin
    execute format('alter database %s owner to dudao_owner', here);
    -- the search path also for a superuser who looks in with psql
    execute format('alter database %s set search_path = dudao, app, ext', here);
    execute format('alter database %s set timezone = ''UTC''', here);
    -- A temporary table could stand in front of a table of ours.
    execute format('revoke all on database %s from public', here);
    execute format('grant connect on database %s to dudao_api, dudao_relay',
        here);
end
$$;

revoke create on schema public from public;

-- Behind row security an index serves only operators that are declared to tell
-- nothing of hidden rows. @> of arrays tells nothing either, but PostgreSQL
-- does not declare it; text search (app.bigrams) needs its index.
alter function pg_catalog.arraycontains(anyarray, anyarray) leakproof;
