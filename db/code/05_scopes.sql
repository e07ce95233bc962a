-- Scopes (4.2): which rows lie within a caller's reach. What a predicate writes
-- as (select app.…()) is asked once a statement, by the policy's function
-- (app.generate_reach), and reads as the owner, so that policies do not call
-- each other.
--
-- Where a policy asks a function for every row (gen.x_scope_y), the policies
-- of the tables in it run for every row as well; what they ask here is kept
-- for the rest of the statement, under the statement's time, the user and the
-- number of rows written so far (dudao.writes, counted by the audit trigger).

create or replace function app.kept_stamp() returns text
language sql stable
as $$
    select extract(epoch from statement_timestamp())::text
        || coalesce(current_setting('dudao.user_id', true), '') || '/'
        || coalesce(current_setting('dudao.organization_id', true), '') || '/'
        || coalesce(current_setting('dudao.writes', true), '') || '|'
$$;

create or replace function app.kept_ids(name text) returns uuid[]
language plpgsql stable
as $$
declare
    kept constant text := current_setting('dudao.kept_' || name, true);
    stamp constant text := app.kept_stamp();
begin
    if kept is not null and starts_with(kept, stamp) then
        return substr(kept, length(stamp) + 1)::uuid[];
    end if;
    return null;
end
$$;

create or replace function app.keep_ids(name text, ids uuid[]) returns uuid[]
language plpgsql
as $$
begin
    perform set_config('dudao.kept_' || name, app.kept_stamp() || ids::text, true);
    return ids;
end
$$;

create or replace function app.division_of(organization_id uuid) returns uuid
language plpgsql stable security definer
as $$
begin
    return (
        select o.division_id from dudao.organizations o where o.id = $1);
end
$$;

create or replace function app.division_id() returns uuid
language plpgsql stable
as $$
begin
    return app.division_of(app.organization_id());
end
$$;

create or replace function app.inspector_id() returns uuid
language plpgsql stable security definer
as $$
begin
    return (
        select i.id
        from dudao.inspectors i
        join dudao.users u on u.person_id = i.person_id
        where u.id = (select app.user_id()));
end
$$;

-- z: the zones of the caller's grants, and those that the caller leads.
create or replace function app.my_zone_ids() returns uuid[]
language plpgsql stable security definer
as $$
declare
    ids uuid[] := app.kept_ids('zones');
begin
    if ids is null then
        ids := app.keep_ids('zones', (
            select coalesce(array_agg(distinct z.id), '{}')
            from dudao.zones z
            where z.lead_inspector_id = (select app.inspector_id())
                or z.id in (
                    select g.scope_zone_id
                    from dudao.role_grants g
                    where g.user_id = (select app.user_id()) and g.state = 'active'
                        and g.valid_from <= (select app.today())
                        and (g.valid_to is null or g.valid_to >= (select app.today())))));
    end if;
    return ids;
end
$$;

create or replace function app.my_zone_organizations() returns uuid[]
language plpgsql stable security definer
as $$
declare
    ids uuid[] := app.kept_ids('zone_organizations');
begin
    if ids is null then
        ids := app.keep_ids('zone_organizations', (
            select coalesce(array_agg(s.organization_id), '{}')
            from dudao.schools s
            where s.zone_id = any ((select app.my_zone_ids())::uuid[])));
    end if;
    return ids;
end
$$;

-- s: schools on whose gate the caller's name hangs, and targets of the
-- caller's teams, less what a granted recusal takes away (L-TL-10).
create or replace function app.my_assigned_organizations() returns uuid[]
language plpgsql stable security definer
as $$
declare
    ids uuid[] := app.kept_ids('assigned');
begin
    if ids is null then
        ids := app.keep_ids('assigned', (
            with me as (
                select i.id
                from dudao.inspectors i
                where i.id = (select app.inspector_id())
            )
            select coalesce(array_agg(distinct a.organization_id), '{}')
            from (
                select s.organization_id
                from dudao.plaques p
                join dudao.schools s on s.id = p.school_id
                where p.inspector_id in (select id from me) and p.state = 'posted'
                    and s.organization_id not in (
                        select r.organization_id
                        from dudao.recusals r
                        where r.inspector_id in (select id from me)
                            and r.state = 'granted' and r.organization_id is not null)
                union
                select t.organization_id
                from dudao.team_members m
                join dudao.supervision_targets t on t.task_id = m.task_id
                where m.inspector_id in (select id from me)
                    and (m.target_ids = '{}' or t.id = any (m.target_ids))
                    and not exists (
                        select
                        from dudao.recusals r
                        where r.inspector_id = m.inspector_id and r.state = 'granted'
                            and (r.target_id = t.id or r.organization_id = t.organization_id))
            ) as a
            where a.organization_id is not null));
    end if;
    return ids;
end
$$;

-- j: the units that lie in the division of the caller's own unit.
create or replace function app.my_jurisdiction_organizations() returns uuid[]
language plpgsql stable security definer
as $$
declare
    ids uuid[] := app.kept_ids('jurisdiction');
begin
    if ids is null then
        ids := app.keep_ids('jurisdiction', (
            select coalesce(array_agg(o.id), '{}')
            from dudao.organizations o
            where o.division_id = (select app.division_id())));
    end if;
    return ids;
end
$$;

-- c: what was dispatched to the caller's unit. Subject types are table names.
create or replace function app.circulated_to_me(subject_type text) returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(distinct d.subject_id), '{}')
        from dudao.dispatches d
        where d.subject_type = $1
            and d.recipient_organization_id = (select app.organization_id())
            and d.state in ('sent', 'received'));
end
$$;
