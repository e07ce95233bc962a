-- What is looked at together: a zone with its schools and inspectors, the
-- numbers of C2.4.1 and what is wrong with them, an inspector's whole file.

-- C2.4.1.a to c for the county (zone null) or a zone, of all rows whoever
-- asks: these are figures of the county's arrangement, no person's.
create or replace function app.staffing(zone uuid default null) returns json
language plpgsql stable security definer
as $$
declare
    z dudao.zones;
    schools integer;
    inspectors integer;
    fulltime integer;
    zones integer;
    ratio_limit constant numeric :=
        (app.parameter('inspector_school_ratio') #>> '{}')::numeric;
    share_limit constant numeric :=
        (app.parameter('fulltime_ratio_limit') #>> '{}')::numeric;
    mode constant text := app.parameter('fulltime_ratio_mode') #>> '{}';
    fulltime_min constant integer := app.parameter_int('zone_fulltime_min');
    soft_max constant integer := app.parameter_int('zone_school_soft_max');
    -- two full-time inspectors within one third: at least six in all (9-A3)
    needed constant integer := ceil(fulltime_min / nullif(case
        when round(1 / 3.0, 4) = share_limit then 1 / 3.0
        else share_limit end, 0) - 0.0001);
    share numeric;
    warnings jsonb := '[]';
begin
    if zone is null then
        select count(*) filter (where s.counts_in_ratio)
        into schools
        from dudao.schools s
        join dudao.organizations o on o.id = s.organization_id
        where o.status = 'operating';
        select count(*), count(*) filter (where a.employment = 'full_time')
        into inspectors, fulltime
        from dudao.inspector_appointments a
        where a.state = 'active' and a.voided_at is null;
        select count(*) into zones
        from dudao.zones x
        where x.active_to is null or x.active_to >= app.today();
    else
        select x.* into z from dudao.zones x where x.id = zone;
        if z.id is null then
            return null;
        end if;
        select n.school_count, n.inspector_count, n.fulltime_count
        into schools, inspectors, fulltime
        from app.zone_numbers(zone) as n;
    end if;
    share := round(fulltime::numeric / nullif(inspectors, 0), 4);

    if schools > inspectors * ratio_limit then
        warnings := warnings || jsonb_build_object(
            'code', 'ratio-above-limit',
            'rule_id', case when zone is null then 'R-INS-01'
                else 'R-ZON-02' end, 'clause_id', 'C2.4.1.a',
            'params', jsonb_build_object('limit', ratio_limit,
                'missing', ceil(schools / ratio_limit) - inspectors));
    end if;
    if zone is null and (mode = 'max' and share > share_limit
            or mode = 'min' and share < share_limit) then
        warnings := warnings || jsonb_build_object(
            'code', case mode when 'max' then 'fulltime-share-exceeded'
                else 'fulltime-share-too-low' end,
            'rule_id', 'R-INS-02', 'clause_id', 'C2.4.1.b',
            'params', jsonb_build_object('share', share,
                'limit', share_limit));
    end if;
    if zone is not null and fulltime < fulltime_min then
        warnings := warnings || jsonb_build_object(
            'code', 'zone-fulltime-too-few',
            'rule_id', 'R-ZON-03', 'clause_id', 'C2.4.1.c',
            'params', jsonb_build_object('min', fulltime_min,
                'count', fulltime));
    end if;
    if zone is not null and schools > soft_max then
        warnings := warnings || jsonb_build_object(
            'code', 'zone-above-soft-max',
            'rule_id', 'R-ZON-04', 'clause_id', 'L-ZR-01',
            'params', jsonb_build_object('max', soft_max,
                'count', schools));
    end if;
    -- 9-A3: within one third full-time, a small zone with its two full-time
    -- inspectors needs so many others that 1:5 is far away
    if zone is not null and mode = 'max' and schools <= soft_max
            and schools < 3.4 * needed then
        warnings := warnings || jsonb_build_object(
            'code', 'small-zone-lowers-ratio',
            'rule_id', 'R-ZON-04', 'clause_id', 'C2.4.1.c',
            'params', jsonb_build_object('inspectors_needed', needed,
                'ratio', round(schools::numeric / needed, 2)));
    end if;
    if zone is null and mode = 'max' and inspectors < needed * zones then
        warnings := warnings || jsonb_build_object(
            'code', 'zones-need-more-inspectors',
            'rule_id', 'R-INS-02', 'clause_id', 'C2.4.1.c',
            'params', jsonb_build_object('zones', zones,
                'inspectors_needed', needed * zones));
    end if;
    return json_build_object(
        'zone_id', z.id,
        'zone_code', z.code,
        'zone_name', z.name,
        'school_count', schools,
        'inspector_count', inspectors,
        'fulltime_count', fulltime,
        'parttime_count', inspectors - fulltime,
        'ratio', round(schools::numeric / nullif(inspectors, 0), 2),
        'ratio_limit', ratio_limit,
        'fulltime_share', share,
        'fulltime_limit', share_limit,
        'fulltime_mode', mode,
        'zone_fulltime_min', fulltime_min,
        'zone_school_soft_max', soft_max,
        'warnings', warnings);
end
$$;

create or replace function app.inspector_ratios() returns json
language sql stable
as $$
    select json_build_object(
        'as_of', app.today(),
        'county', app.staffing(),
        'zones', (
            select coalesce(json_agg(app.staffing(z.id) order by z.code),
                '[]')
            from dudao.zones z
            where z.active_to is null or z.active_to >= app.today()))
$$;

-- The zone editor's two sides, as far as the caller sees them.
create or replace function app.zone_schools(zone uuid) returns json
language sql stable
as $$
    select coalesce(json_agg(json_build_object(
            'school_id', s.id,
            'name', o.name,
            'ident_code', s.ident_code,
            'school_type', s.school_type,
            'counts_in_ratio', s.counts_in_ratio,
            'plaque_id', p.id,
            'plaque_state', p.state,
            'inspector_id', p.inspector_id,
            'inspector_name', app.inspector_name(p.inspector_id))
        order by s.ident_code), '[]')
    from dudao.schools s
    join dudao.organizations o on o.id = s.organization_id
    left join dudao.plaques p on p.school_id = s.id
        and p.state in ('posted', 'to_replace')
    where s.zone_id = zone and o.status = 'operating'
$$;

create or replace function app.zone_inspectors(zone uuid) returns json
language sql stable
as $$
    select coalesce(json_agg(json_build_object(
            'membership_id', m.id,
            'inspector_id', m.inspector_id,
            'name', app.inspector_name(m.inspector_id),
            'is_lead', m.is_lead,
            'employment', app.employment_of(m.inspector_id),
            'school_count', app.school_count_of(m.inspector_id),
            'started_on', m.started_on)
        order by m.is_lead desc, m.started_on, m.id), '[]')
    from dudao.zone_memberships m
    where m.zone_id = zone and m.ended_on is null
$$;

-- The training file (L-DX-05).
create or replace function app.trainings_of(inspector uuid) returns json
language sql stable
as $$
    select coalesce(json_agg(t.body order by t.id desc), '[]')
    from app.training_records_json t
    where t.inspector_id = $1
$$;

-- Schools and inspectors go to a zone together, or none of them does
-- (R-ZON-01, R-ZON-02). Plaques whose holder is then of another zone are
-- marked, so that a responsible inspector of the zone follows.
create or replace function app.move_to_zone(
    zone uuid, if_match integer, data jsonb) returns setof app.answer
language plpgsql
as $$
declare
    z dudao.zones;
    faults app.fault[] := '{}';
    item record;
    day date;
begin
    select x.* into z from dudao.zones x where x.id = zone;
    if z.id is null then
        return;
    end if;
    if not app.has_role('office_staff', 'deputy_chief_inspector') then
        perform app.refuse(403, 'role-not-permitted');
    end if;
    perform pg_advisory_xact_lock(hashtextextended('dudao.zones', 0));
    select x.* into z from dudao.zones x where x.id = zone;
    if if_match is not null and z.version <> if_match then
        perform app.refuse(412, 'version-conflict',
            extra => jsonb_build_object('version', z.version));
    end if;
    if z.active_to < app.today() then
        faults := faults || app.fault('zone-not-active', null, null,
            'R-ZON-01', 'C2.2.2.e');
    end if;
    for item in
        select x.id::uuid as id, n - 1 as n, s.id as school, o.status
        from jsonb_array_elements_text(
            coalesce(data -> 'school_ids', '[]')) with ordinality as x(id, n)
        left join dudao.schools s on s.id = x.id::uuid
        left join dudao.organizations o on o.id = s.organization_id
    loop
        if item.school is null then
            faults := faults || app.fault('unknown-reference',
                '/school_ids/' || item.n, null, 'R-ZON-01', 'C2.2.2.e');
        elsif item.status <> 'operating' then
            faults := faults || app.fault('unit-not-operating',
                '/school_ids/' || item.n, null, 'R-ZON-01', 'C2.2.2.e');
        end if;
    end loop;
    for item in
        select n - 1 as n, i.id as inspector, m.started_on,
            coalesce((x.member ->> 'started_on')::date, app.today()) as day
        from jsonb_array_elements(
            coalesce(data -> 'members', '[]')) with ordinality as x(member, n)
        left join dudao.inspectors i
            on i.id = (x.member ->> 'inspector_id')::uuid
        left join dudao.zone_memberships m
            on m.inspector_id = i.id and m.ended_on is null
                and m.zone_id <> zone
    loop
        if item.inspector is null then
            faults := faults || app.fault('unknown-reference',
                '/members/' || item.n || '/inspector_id', null, 'R-ZON-02',
                'C2.4.1.a');
        elsif app.employment_of(item.inspector) is null then
            faults := faults || app.fault('no-active-appointment',
                '/members/' || item.n || '/inspector_id', null, 'R-ZON-02',
                'C2.4.1.a');
        end if;
        if item.day > app.today() then
            faults := faults || app.fault('date-in-future',
                '/members/' || item.n || '/started_on');
        elsif item.day < item.started_on then
            faults := faults || app.fault('overlapping-period',
                '/members/' || item.n || '/started_on',
                jsonb_build_object('min', item.started_on), 'R-ZON-02',
                'C2.4.1.a');
        end if;
    end loop;
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;

    update dudao.schools s
    set zone_id = zone
    where s.zone_id is distinct from zone
        and s.id in (select x::uuid from jsonb_array_elements_text(
            coalesce(data -> 'school_ids', '[]')) as x);
    for item in
        select (x.member ->> 'inspector_id')::uuid as inspector,
            coalesce((x.member ->> 'started_on')::date, app.today()) as day
        from jsonb_array_elements(coalesce(data -> 'members', '[]'))
            as x(member)
    loop
        if app.zone_of(item.inspector) is distinct from zone then
            update dudao.zone_memberships m
            set ended_on = item.day, is_lead = false
            where m.inspector_id = item.inspector and m.ended_on is null;
            insert into dudao.zone_memberships(zone_id, inspector_id,
                started_on)
            values (zone, item.inspector, item.day);
        end if;
    end loop;
    perform app.flag_plaques_across_zones(zone);
    return query
        select 200, null::text, v.version || '-' || left(md5(b.body), 12),
            b.body
        from app.zones_json v
        cross join lateral (select app.with_members(v.body,
            'schools', app.zone_schools(v.id),
            'inspectors', app.zone_inspectors(v.id),
            'staffing', app.staffing(v.id))::text as body) as b
        where v.id = zone;
end
$$;

-- Plaques of the zone's schools and of its inspectors, of which the other
-- side is now elsewhere.
create or replace function app.flag_plaques_across_zones(zone uuid)
returns void
language plpgsql security definer
as $$
declare
    item uuid;
begin
    for item in
        select p.id
        from dudao.plaques p
        join dudao.schools s on s.id = p.school_id
        join dudao.zone_memberships m
            on m.inspector_id = p.inspector_id and m.ended_on is null
        where p.state = 'posted' and s.zone_id <> m.zone_id
            and zone in (s.zone_id, m.zone_id)
    loop
        perform app.system_step('plaques', item, 'flag',
            jsonb_build_object('reason', '责任区调整'));
    end loop;
end
$$;
