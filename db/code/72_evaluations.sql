-- Evaluation (3.6): what is built is the yearly evaluation of the supervision
-- work of townships, departments and zones (C2.1.3.i, 9-A25). The tables and
-- the machines are those of all campaigns; whom another kind of campaign
-- evaluates is not known to app.campaign_targets(), and none is launched.

select app.register('indicator_frameworks',
    permission_group => 'indicator_frameworks', machine => true, legal => true,
    editable_in => '{draft}',
    read_only => '{total,in_force_on,in_force_by,retired_on,retire_reason}',
    searched => '{name,code}');
select app.register('indicators', permission_group => 'indicator_frameworks',
    deletable => true, read_only => '{level}');
select app.register('evaluation_campaigns', permission_group => 'evaluations',
    machine => true, editable_in => '{draft}',
    read_only => '{code,seq,approved_on,approved_by,launched_on,finalized_on,
        circulate_by,published_on,closed_on,cancelled_on,cancel_reason}',
    searched => '{title,code}');
select app.register('evaluations', permission_group => 'evaluations',
    machine => true, legal => true);
select app.register('evaluation_scores', permission_group => 'evaluations');
select app.register('evaluation_objections', permission_group => 'evaluations');

-- o, z, s: the own unit, zone, schools; c: what was circulated; f: what is
-- finalized; a campaign is seen by who sees an evaluation in it. The public
-- reads the publication; contracts with agencies (k) come later.
insert into app.scope_predicates(resource, scope, predicate) values
    ('indicator_frameworks', 'k', 'false'),
    ('indicator_frameworks', 'p', 'state = ''in_force'' and voided_at is null'),
    ('indicators', 'k', 'false'),
    ('indicators', 'p', $p$exists (
        select from dudao.indicator_frameworks f where f.id = framework_id)$p$),
    ('evaluations', 'o', 'organization_id = (select app.organization_id())'),
    ('evaluations', 'z', $p$
        zone_id = any ((select app.my_zone_ids())::uuid[])
        or organization_id = any ((select app.my_zone_organizations())::uuid[])$p$),
    ('evaluations', 's',
        'organization_id = any ((select app.my_assigned_organizations())::uuid[])'),
    ('evaluations', 'c', $p$campaign_id = any (
        (select app.circulated_to_me('evaluation_campaigns'))::uuid[])$p$),
    ('evaluations', 'f', 'state in (''finalized'', ''delivered'', ''included'')'),
    ('evaluations', 'k', 'false'),
    ('evaluations', 'p', 'false'),
    ('evaluation_campaigns', 'o', $p$exists (
        select from dudao.evaluations e where e.campaign_id = evaluation_campaigns.id
            and e.organization_id = (select app.organization_id()))$p$),
    ('evaluation_campaigns', 'z', $p$exists (
        select from dudao.evaluations e where e.campaign_id = evaluation_campaigns.id
            and (e.zone_id = any ((select app.my_zone_ids())::uuid[])
                or e.organization_id = any ((select app.my_zone_organizations())::uuid[])))$p$),
    ('evaluation_campaigns', 's', $p$exists (
        select from dudao.evaluations e where e.campaign_id = evaluation_campaigns.id
            and e.organization_id = any ((select app.my_assigned_organizations())::uuid[]))$p$),
    ('evaluation_campaigns', 'c', $p$id = any (
        (select app.circulated_to_me('evaluation_campaigns'))::uuid[])$p$),
    ('evaluation_campaigns', 'f', 'state in (''finalized'', ''published'', ''closed'')'),
    ('evaluation_campaigns', 'k', 'false'),
    ('evaluation_campaigns', 'p', 'false')
on conflict (resource, scope) do update set predicate = excluded.predicate;

-- What the office scored is its own until it proposes a result.
insert into app.scope_predicates(resource, scope, predicate)
select t.name, s.scope, format($p$exists (
        select from dudao.evaluations e where e.id = evaluation_id and (%s)%s)$p$,
    s.predicate, t.condition)
from (values
    ('o', 'e.organization_id = (select app.organization_id())'),
    ('z', 'e.zone_id = any ((select app.my_zone_ids())::uuid[])
        or e.organization_id = any ((select app.my_zone_organizations())::uuid[])'),
    ('s', 'e.organization_id = any ((select app.my_assigned_organizations())::uuid[])'),
    ('f', 'e.state in (''finalized'', ''delivered'', ''included'')')
) as s(scope, predicate)
cross join (values
    ('evaluation_scores', ' and (stage = ''self'' or app.is_told(e.state))'),
    ('evaluation_objections', '')
) as t(name, condition)
union all
select t, s, 'false'
from unnest('{evaluation_scores,evaluation_objections}'::text[]) as t,
    unnest('{c,k,p}'::text[]) as s
on conflict (resource, scope) do update set predicate = excluded.predicate;

insert into app.enumerations(name, value, label_zh, label_en, sort)
select r.resource || '.' || v.name, v.value, v.label_zh, v.label_en, v.sort
from (values
    ('campaign_kind', 'government_duty', '履行教育职责评价', 'Government duty', 1),
    ('campaign_kind', 'supervision_work', '教育督导工作评估', 'Supervision work', 2),
    ('campaign_kind', 'school_comprehensive', '学校综合评估', 'School, comprehensive', 3),
    ('campaign_kind', 'school_annual', '学校年度评估', 'School, annual', 4),
    ('campaign_kind', 'special', '专项评估', 'Special', 5),
    ('target_kind', 'township', '乡镇（街道）', 'Township', 1),
    ('target_kind', 'township_leader', '乡镇（街道）主要负责人', 'Leader of a township', 2),
    ('target_kind', 'county_department', '县直部门', 'County department', 3),
    ('target_kind', 'department_leader', '县直部门主要负责人', 'Leader of a department', 4),
    ('target_kind', 'zone', '督学责任区', 'Zone', 5),
    ('target_kind', 'kindergarten', '幼儿园', 'Kindergarten', 6),
    ('target_kind', 'compulsory_school', '义务教育学校', 'Compulsory school', 7),
    ('target_kind', 'high_school', '普通高中', 'High school', 8),
    ('target_kind', 'vocational_school', '中等职业学校', 'Vocational school', 9),
    ('target_kind', 'special_school', '特殊教育学校', 'Special school', 10),
    ('target_kind', 'inspector', '督学', 'Inspector', 11),
    ('level', 'national', '国家', 'National', 1),
    ('level', 'provincial', '省', 'Provincial', 2),
    ('level', 'county', '县', 'County', 3)
) as v(name, value, label_zh, label_en, sort)
join (values ('indicator_frameworks', 'campaign_kind'), ('indicator_frameworks', 'target_kind'),
    ('indicator_frameworks', 'level'), ('evaluation_campaigns', 'target_kind')) as r(resource, name)
    using (name)
union all
values
    ('evaluation_campaigns.kind', 'government_duty', '履行教育职责评价', 'Government duty', 1),
    ('evaluation_campaigns.kind', 'supervision_work', '教育督导工作评估', 'Supervision work', 2),
    ('evaluation_campaigns.kind', 'school_comprehensive', '学校综合评估', 'School, comprehensive', 3),
    ('evaluation_campaigns.kind', 'school_annual', '学校年度评估', 'School, annual', 4),
    ('evaluation_campaigns.kind', 'special', '专项评估', 'Special', 5),
    ('evaluation_campaigns.periodicity', 'annual', '年度', 'Annual', 1),
    ('evaluation_campaigns.periodicity', 'ad_hoc', '临时', 'Ad hoc', 2),
    ('indicators.scoring', 'manual', '评分', 'Judged', 1),
    ('indicators.scoring', 'ratio', '比率', 'Ratio', 2),
    ('indicators.scoring', 'deduction', '扣分', 'Deduction', 3),
    ('indicators.scoring', 'yes_no', '是否', 'Yes or no', 4),
    ('indicators.scoring', 'rank', '排名', 'Rank', 5),
    ('evaluations.grade', 'excellent', '优秀', 'Excellent', 1),
    ('evaluations.grade', 'good', '良好', 'Good', 2),
    ('evaluations.grade', 'qualified', '合格', 'Qualified', 3),
    ('evaluations.grade', 'unqualified', '不合格', 'Unqualified', 4),
    ('evaluation_scores.stage', 'self', '自评', 'Of the unit', 1),
    ('evaluation_scores.stage', 'office', '评分', 'Of the office', 2),
    ('evaluation_scores.stage', 'objection', '异议处理', 'After an objection', 3),
    ('evaluation_objections.decision', 'upheld', '采纳', 'Upheld', 1),
    ('evaluation_objections.decision', 'partly', '部分采纳', 'Partly upheld', 2),
    ('evaluation_objections.decision', 'rejected', '不采纳', 'Rejected', 3)
on conflict (name, value) do update set label_zh = excluded.label_zh,
    label_en = excluded.label_en, sort = excluded.sort;


-- Frameworks (R-EVA-04) ----------------------------------------------------------

create or replace function app.leaves_of(framework uuid) returns setof dudao.indicators
language sql stable security definer
as $$
    select i.*
    from dudao.indicators i
    where i.framework_id = framework
        and not exists (select from dudao.indicators c where c.parent_id = i.id)
$$;

create or replace function app.leaf_weight(framework uuid) returns numeric
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(sum(i.weight), 0)::numeric(8,2) from app.leaves_of(framework) i);
end
$$;

create or replace function app.framework_state(framework uuid) returns text
language plpgsql stable security definer
as $$
begin
    return (
        select f.state from dudao.indicator_frameworks f where f.id = framework);
end
$$;

-- null where they are not three numbers in order
create or replace function app.thresholds_fit(thresholds jsonb) returns boolean
language sql immutable
as $$
    select thresholds - '{excellent,good,qualified}'::text[] = '{}'
        and jsonb_typeof(thresholds -> 'excellent') = 'number'
        and jsonb_typeof(thresholds -> 'good') = 'number'
        and jsonb_typeof(thresholds -> 'qualified') = 'number'
        and (thresholds ->> 'excellent')::numeric <= 100
        and (thresholds ->> 'excellent')::numeric > (thresholds ->> 'good')::numeric
        and (thresholds ->> 'good')::numeric > (thresholds ->> 'qualified')::numeric
        and (thresholds ->> 'qualified')::numeric > 0
$$;

insert into app.row_rules(resource, name, expression, pointer, code, rule_id, clause_id, params) values
    ('indicator_frameworks', 'years_in_order', 'new.year_to >= new.year_from',
     '/year_to', 'date-before-start', null, 'C2.2.1.c', 'jsonb_build_object(''min'', new.year_from)'),
    ('indicator_frameworks', 'thresholds_in_order',
     'new.grade_thresholds is null or coalesce(app.thresholds_fit(new.grade_thresholds), false)',
     '/grade_thresholds', 'thresholds-not-in-order', 'R-EVA-04', 'C2.2.1.c', null),
    -- also for whoever writes past the steps
    ('indicator_frameworks', 'weights_of_what_is_in_force',
     'new.state <> ''in_force'' or app.leaf_weight(new.id) = 100 and new.grade_thresholds is not null',
     '/state', 'weights-not-100', 'R-EVA-04', 'C2.2.1.c',
     'jsonb_build_object(''sum'', app.leaf_weight(new.id))'),
    ('indicator_frameworks', 'in_force_is_fixed',
     'old.id is null or old.state = ''draft''
        or (new.code, new.edition, new.name, new.level, new.campaign_kind, new.target_kind, new.year_from,
            new.year_to, new.grade_thresholds, new.basis_document_id, new.in_force_on, new.in_force_by)
        is not distinct from (old.code, old.edition, old.name, old.level, old.campaign_kind, old.target_kind,
            old.year_from, old.year_to, old.grade_thresholds, old.basis_document_id, old.in_force_on,
            old.in_force_by)',
     '/state', 'framework-fixed', 'R-EVA-04', 'C2.2.1.c', null),
    ('indicators', 'framework_is_drafted', 'app.framework_state(new.framework_id) = ''draft''',
     '/framework_id', 'framework-fixed', 'R-EVA-04', 'C2.2.1.c', null),
    ('indicators', 'stays_in_its_place',
     'old.id is null or (new.framework_id, new.parent_id) is not distinct from (old.framework_id, old.parent_id)',
     '/parent_id', 'read-only-field', null, 'C2.2.1.c', null),
    -- T1 is of the first level, T1.2 lies below it
    ('indicators', 'code_says_the_place',
     'new.level = 1 + length(new.code) - length(replace(new.code, ''.'', ''''))
        and case when new.parent_id is null then new.level = 1
            else exists (select from dudao.indicators p
                where p.id = new.parent_id and p.framework_id = new.framework_id
                    and new.level = p.level + 1 and starts_with(new.code, p.code || ''.'')) end',
     '/code', 'indicator-code-place', null, 'C2.2.1.c', null);

create or replace function app.with_level(r dudao.indicators) returns dudao.indicators
language plpgsql immutable
as $$
begin
    r.level := least(3, 1 + length(r.code) - length(replace(r.code, '.', '')));
    return r;
end
$$;

create or replace function app.before_create_indicators(r dudao.indicators, body jsonb)
returns dudao.indicators
language sql immutable
as $$
    select app.with_level(r)
$$;

create or replace function app.before_patch_indicators(r dudao.indicators, patch jsonb)
returns dudao.indicators
language sql immutable
as $$
    select app.with_level(r)
$$;

create or replace function app.refuse_indicator_removal() returns trigger
language plpgsql security definer
as $$
begin
    if app.framework_state(old.framework_id) <> 'draft' then
        perform app.refuse(409, 'not-editable', extra => jsonb_build_object(
            'state', app.framework_state(old.framework_id), 'allowed_actions', '[]'::jsonb,
            'rule_id', 'R-EVA-04', 'clause_id', 'C2.2.1.c'));
    end if;
    return old;
end
$$;
create or replace trigger a_removal before delete on dudao.indicators
    for each row execute function app.refuse_indicator_removal();

create or replace function app.before_indicator_frameworks(
    action text, r dudao.indicator_frameworks, data jsonb)
returns dudao.indicator_frameworks
language plpgsql
as $$
declare
    thresholds constant jsonb := app.parameter('grade_thresholds');
begin
    case action
    when 'enforce' then
        r.in_force_on := app.today();
        r.in_force_by := app.user_id();
        r.grade_thresholds := coalesce(r.grade_thresholds, jsonb_build_object(
            'excellent', thresholds -> 0, 'good', thresholds -> 1, 'qualified', thresholds -> 2));
    when 'retire' then
        r.retired_on := app.today();
        r.retire_reason := data ->> 'reason';
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_indicator_frameworks(
    action text, old dudao.indicator_frameworks, new dudao.indicator_frameworks, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
begin
    if action <> 'enforce' then
        return faults;
    end if;
    if app.leaf_weight(new.id) <> 100 then
        faults := faults || app.fault('weights-not-100', null,
            jsonb_build_object('sum', app.leaf_weight(new.id)), 'R-EVA-04', 'C2.2.1.c');
    end if;
    faults := faults || array(
        select app.fault('parent-weight-mismatch', null,
            jsonb_build_object('code', p.code, 'weight', p.weight, 'sum', sum(c.weight)),
            'R-EVA-04', 'C2.2.1.c')
        from dudao.indicators p
        join dudao.indicators c on c.parent_id = p.id
        where p.framework_id = new.id
        group by p.code, p.weight
        having sum(c.weight) <> p.weight
        order by p.code);
    faults := faults || array(
        select app.fault('framework-already-in-force', '/year_from',
            jsonb_build_object('code', f.code, 'edition', f.edition), 'R-EVA-04', 'C2.2.1.c')
        from dudao.indicator_frameworks f
        where f.state = 'in_force' and f.id <> new.id
            and f.campaign_kind = new.campaign_kind and f.target_kind = new.target_kind
            and int4range(f.year_from, f.year_to, '[]') && int4range(new.year_from, new.year_to, '[]'));
    return faults;
end
$$;


-- Campaigns ------------------------------------------------------------------------

-- Whom a campaign evaluates on a day: all of them. Kinds that are not built
-- have nobody, and are not launched.
create or replace function app.campaign_targets(kind text, target_kind text, day date)
returns table (organization_id uuid, zone_id uuid)
language sql stable security definer
as $$
    select o.id, null::uuid
    from dudao.organizations o
    where $1 = 'supervision_work' and $2 = 'township'
        and o.kind in ('township_government', 'subdistrict_office') and o.status = 'operating'
    union all
    select u.organization_id, null
    from app.active_member_units($3) u
    where $1 = 'supervision_work' and $2 = 'county_department'
    union all
    select null, z.id
    from dudao.zones z
    where $1 = 'supervision_work' and $2 = 'zone'
        and z.active_from <= $3 and coalesce(z.active_to >= $3, true)
$$;

-- Whom the county has, and the campaign would miss: a township without a unit.
create or replace function app.missing_targets(target_kind text, day date) returns setof text
language sql stable security definer
as $$
    select d.name
    from dudao.divisions d
    where target_kind = 'township' and d.level = 'township'
        and d.active_from <= day and coalesce(d.active_to >= day, true)
        and not exists (
            select from dudao.organizations o
            where o.division_id = d.id and o.status = 'operating'
                and o.kind in ('township_government', 'subdistrict_office'))
    order by d.code
$$;

-- Who approves it, and who finalizes its results (3.6, 9-A15).
create or replace function app.approver_of(c dudao.evaluation_campaigns) returns text
language sql immutable
as $$
    select case c.periodicity when 'annual' then 'committee_director' else 'chief_inspector' end
$$;

create or replace function app.finalizer_of(c dudao.evaluation_campaigns) returns text
language sql immutable
as $$
    select case when c.periodicity = 'annual' and c.kind in ('government_duty', 'supervision_work')
        then 'committee_director' else 'chief_inspector' end
$$;

-- Whether what the system waits for has come (3.6).
create or replace function app.campaign_may(action text, c dudao.evaluation_campaigns) returns boolean
language sql stable security definer
as $$
    select case action
        -- nobody is left to be waited for, or the time is over
        when 'begin_scoring' then c.self_due_on < app.today() or count(*) filter (where e.state = 'notified') = 0
        when 'open_objection' then count(*) filter (where e.state not in ('void', 'notified',
                'self_scored', 'verified', 'scored')) > 0
            and count(*) filter (where e.state in ('notified', 'self_scored', 'verified', 'scored')) = 0
        when 'finalize' then count(*) filter (where e.state in ('finalized', 'delivered', 'included')) > 0
            and count(*) filter (where e.state not in ('finalized', 'delivered', 'included', 'void')) = 0
        end
    from dudao.evaluations e
    where e.campaign_id = c.id
$$;

insert into app.row_rules(resource, name, expression, pointer, code, rule_id, clause_id, params) values
    ('evaluation_campaigns', 'framework_fits',
     'not exists (select from dudao.indicator_frameworks f where f.id = new.framework_id
        and (f.campaign_kind <> new.kind or f.target_kind <> new.target_kind
            or f.voided_at is not null
            or not int4range(f.year_from, f.year_to, ''[]'') @> new.year))',
     '/framework_id', 'framework-of-another-kind', 'R-EVA-04', 'C2.2.1.c', null),
    ('evaluation_campaigns', 'year_has_begun', 'new.year <= extract(year from app.today())',
     '/year', 'date-in-future', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluation_campaigns', 'approved_is_fixed',
     'old.id is null or old.state = ''draft''
        or (new.code, new.kind, new.target_kind, new.periodicity, new.framework_id, new.year, new.seq, new.title,
            new.reason)
        is not distinct from (old.code, old.kind, old.target_kind, old.periodicity, old.framework_id, old.year,
            old.seq, old.title, old.reason)',
     '/state', 'not-editable', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluation_campaigns', 'steps_are_kept',
     'old.id is null or old.state <> new.state or old.state = ''draft''
        or (new.self_due_on, new.objection_days, new.approved_on, new.approved_by, new.launched_on,
            new.finalized_on, new.circulate_by, new.published_on, new.closed_on, new.cancelled_on, new.cancel_reason)
        is not distinct from (old.self_due_on, old.objection_days, old.approved_on, old.approved_by,
            old.launched_on, old.finalized_on, old.circulate_by, old.published_on, old.closed_on,
            old.cancelled_on, old.cancel_reason)',
     '/state', 'not-editable', 'R-EVA-05', 'C2.1.3.i', null);

create or replace function app.next_campaign_seq(kind text, target_kind text, of_year integer)
returns integer
language plpgsql volatile security definer
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(
        concat_ws(':', 'dudao.evaluation_campaigns', kind, target_kind, of_year), 0));
    return (select coalesce(max(c.seq), 0) + 1 from dudao.evaluation_campaigns c
        where c.kind = next_campaign_seq.kind and c.target_kind = next_campaign_seq.target_kind
            and c.year = of_year);
end
$$;

create or replace function app.before_create_evaluation_campaigns(
    r dudao.evaluation_campaigns, body jsonb)
returns dudao.evaluation_campaigns
language plpgsql
as $$
begin
    r.code := app.next_code('PG');
    r.seq := app.next_campaign_seq(r.kind, r.target_kind, r.year);
    if r.framework_id is null then
        select f.id into r.framework_id
        from dudao.indicator_frameworks f
        where f.state = 'in_force' and f.campaign_kind = r.kind and f.target_kind = r.target_kind
            and int4range(f.year_from, f.year_to, '[]') @> r.year;
    end if;
    return r;
end
$$;

-- The number belongs to the kind and the year.
create or replace function app.before_patch_evaluation_campaigns(
    r dudao.evaluation_campaigns, patch jsonb)
returns dudao.evaluation_campaigns
language plpgsql
as $$
begin
    if patch ?| '{kind,target_kind,year}'::text[] and not exists (
            select from dudao.evaluation_campaigns c
            where c.id = r.id and (c.kind, c.target_kind, c.year) = (r.kind, r.target_kind, r.year)) then
        r.seq := app.next_campaign_seq(r.kind, r.target_kind, r.year);
    end if;
    return r;
end
$$;

create or replace function app.before_evaluation_campaigns(
    action text, r dudao.evaluation_campaigns, data jsonb)
returns dudao.evaluation_campaigns
language plpgsql
as $$
begin
    case action
    when 'approve' then
        r.approved_on := app.today();
        r.approved_by := app.user_id();
    when 'launch' then
        r.launched_on := app.today();
        r.self_due_on := coalesce((data ->> 'self_due_on')::date, r.self_due_on,
            app.add_workdays(app.today(), app.parameter_int('self_assessment_workdays')));
        r.objection_days := coalesce(r.objection_days,
            app.parameter_int('evaluation_objection_workdays'));
    when 'finalize' then
        r.finalized_on := app.today();
        r.circulate_by := app.add_workdays(app.today(), app.parameter_int('circulate_workdays'));
    when 'publish' then
        r.published_on := app.today();
    when 'close' then
        r.closed_on := app.today();
    when 'cancel' then
        r.cancelled_on := app.today();
        r.cancel_reason := data ->> 'reason';
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_evaluation_campaigns(
    action text, old dudao.evaluation_campaigns, new dudao.evaluation_campaigns, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
begin
    case action
    when 'approve' then
        if not app.has_role(app.approver_of(new)) then
            faults := faults || app.fault(case new.periodicity when 'annual'
                then 'director-decides-annual' else 'chief-decides-ad-hoc' end,
                '/periodicity', null, 'R-EVA-05', 'C2.1.3.i');
        end if;
        if app.framework_state(new.framework_id) <> 'in_force' then
            faults := faults || app.fault('framework-not-in-force', '/framework_id', null,
                'R-EVA-04', 'C2.2.1.c');
        end if;
        if app.leaf_weight(new.framework_id) <> 100 then
            faults := faults || app.fault('weights-not-100', '/framework_id',
                jsonb_build_object('sum', app.leaf_weight(new.framework_id)), 'R-EVA-04', 'C2.2.1.c');
        end if;
    when 'launch' then
        if not exists (select from app.campaign_targets(new.kind, new.target_kind, app.today())) then
            faults := faults || app.fault('campaign-without-targets', '/target_kind', null,
                'R-EVA-05', 'C2.1.3.i');
        end if;
        faults := faults || array(
            select app.fault('targets-incomplete', '/target_kind', jsonb_build_object('name', m),
                'R-EVA-05', 'C2.1.3.i')
            from app.missing_targets(new.target_kind, app.today()) as m);
        if new.self_due_on < app.today() then
            faults := faults || app.fault('date-in-past', '/self_due_on',
                jsonb_build_object('min', app.today()), 'R-EVA-05', 'C2.1.3.i');
        end if;
        if new.self_due_on is null or new.objection_days is null then
            faults := faults || app.fault('required', '/self_due_on', null, 'R-EVA-05', 'C2.1.3.i');
        end if;
    when 'begin_scoring', 'open_objection', 'finalize' then
        if not app.campaign_may(action, new) then
            faults := faults || app.fault('evaluations-not-there-yet', null, null, 'R-EVA-05', 'C2.1.3.i');
        end if;
    when 'publish' then
        if not exists (
                select from dudao.publications p
                join dudao.publication_placements x on x.publication_id = p.id
                where p.subject_type = 'evaluation_campaigns' and p.subject_id = new.id
                    and p.state = 'published') then
            faults := faults || app.fault('placement-missing', null, null, 'R-PUB-01', 'C2.3.1.b');
        end if;
    when 'close' then
        if exists (select from dudao.evaluations e
                where e.campaign_id = new.id and e.state = 'finalized') then
            faults := faults || app.fault('evaluations-not-delivered', null, null, 'R-RPT-02', 'C2.1.3.f');
        end if;
    when 'cancel' then
        if exists (select from dudao.evaluations e
                where e.campaign_id = new.id and e.finalized_on is not null) then
            faults := faults || app.fault('evaluations-finalized', null, null, 'R-EVA-05', 'C2.1.3.i');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

-- Name, code and accounts of whom an evaluation is about.
create or replace function app.evaluated(e dudao.evaluations,
    out name text, out code text, out users uuid[])
language sql stable security definer
as $$
    select coalesce(o.name, p.name, z.name),
        coalesce(case when o.kind in ('township_government', 'subdistrict_office') then d.code end,
            o.code, p.code, z.code),
        case when o.id is not null then app.users_of_organization(o.id)
            else app.users_of_person(coalesce(p.id, i.person_id)) end
    from (select 1) as one
    left join dudao.organizations o on o.id = e.organization_id
    left join dudao.divisions d on d.id = o.division_id
    left join dudao.zones z on z.id = e.zone_id
    left join dudao.inspectors i on i.id = z.lead_inspector_id
    left join dudao.leadership_terms t on t.id = e.leadership_term_id
    left join dudao.persons p on p.id = t.person_id
$$;

-- To the unit; what is for a zone goes to who leads it.
create or replace function app.send_to_evaluated(
    e dudao.evaluations, subject_type text, subject_id uuid, purpose text)
returns void
language plpgsql security definer
as $$
begin
    if e.organization_id is not null then
        perform app.dispatch(subject_type, subject_id, purpose, e.organization_id,
            'supervised_unit', null, 'sent');
        return;
    end if;
    insert into dudao.dispatches(subject_type, subject_id, purpose, recipient_person_id,
        recipient_role, state, sent_at)
    select send_to_evaluated.subject_type, send_to_evaluated.subject_id, send_to_evaluated.purpose,
        coalesce(t.person_id, i.person_id), 'person', 'sent', app.now()
    from (select 1) as one
    left join dudao.zones z on z.id = e.zone_id
    left join dudao.inspectors i on i.id = z.lead_inspector_id
    left join dudao.leadership_terms t on t.id = e.leadership_term_id
    where coalesce(t.person_id, i.person_id) is not null
    on conflict on constraint dispatches_subject_key do nothing;
end
$$;

create or replace function app.effect_evaluation_campaigns(
    action text, old dudao.evaluation_campaigns, new dudao.evaluation_campaigns, data jsonb)
returns void
language plpgsql security definer
as $$
declare
    e dudao.evaluations;
begin
    case action
    when 'launch' then
        for e in
            insert into dudao.evaluations(campaign_id, organization_id, zone_id)
            select new.id, t.organization_id, t.zone_id
            from app.campaign_targets(new.kind, new.target_kind, app.today()) t
            returning *
        loop
            perform app.send_to_evaluated(e, 'evaluations', e.id, 'serve');
            perform app.deadline('evaluations', e.id, 'self_score', new.self_due_on);
            perform app.notify('evaluations', e.id, 'evaluation_notified', '评估通知', new.title,
                (app.evaluated(e)).users, (new.self_due_on + 1)::timestamp at time zone 'Asia/Shanghai');
        end loop;
    when 'begin_scoring' then
        for e in
            select * from dudao.evaluations x where x.campaign_id = new.id and x.state = 'notified'
        loop
            perform app.notify('evaluations', e.id, 'self_score_overdue', '自评逾期未报', new.title,
                (app.evaluated(e)).users || app.users_with_role('office_staff', 'deputy_chief_inspector'));
        end loop;
    when 'open_objection' then
        perform app.notify('evaluation_campaigns', new.id, 'results_proposed', '评估结果已拟定，异议期内',
            new.title, app.users_with_role('committee_director', 'office_staff'));
    when 'finalize' then
        update dudao.evaluations x
        set rank = app.evaluation_rank(x)
        where x.campaign_id = new.id and x.finalized_on is not null;
        -- C2.1.3.f, R-RPT-02: one circulation for the results of a campaign
        perform app.report_upward('evaluation_campaigns', new.id, new.circulate_by);
        perform app.circulate('evaluation_campaigns', new.id, new.finalized_on, new.circulate_by);
        perform app.dispatch('evaluation_campaigns', new.id, m.purpose, m.organization_id,
            m.recipient_role, new.circulate_by)
        from app.mandatory_recipients() as m
        where m.purpose = 'deliver_report' and m.organization_id is not null;
        perform app.deadline('evaluation_campaigns', new.id, 'circulation', new.circulate_by);
        perform app.notify('evaluation_campaigns', new.id, 'results_finalized', '评估结果已审定，待反馈通报',
            new.title, app.users_with_role('office_staff', 'deputy_chief_inspector'),
            (new.circulate_by + 1)::timestamp at time zone 'Asia/Shanghai');
    when 'publish' then
        perform app.meet_deadline('evaluation_campaigns', new.id, 'publication');
    when 'cancel' then
        perform app.system_step('evaluations', x.id, 'void',
            jsonb_build_object('reason', '评估批次取消：' || left(new.cancel_reason, 1900)))
        from dudao.evaluations x
        where x.campaign_id = new.id and x.state <> 'void';
    else
        null;
    end case;
end
$$;

-- A campaign follows its evaluations.
create or replace function app.follow_campaign(campaign uuid) returns void
language plpgsql security definer
as $$
declare
    c dudao.evaluation_campaigns;
    action text;
begin
    loop
        select * into c from dudao.evaluation_campaigns x where x.id = campaign;
        action := case c.state when 'launched' then 'begin_scoring'
            when 'scoring' then 'open_objection' when 'objection' then 'finalize' end;
        exit when action is null or app.campaign_may(action, c) is not true;
        perform app.system_step('evaluation_campaigns', campaign, action);
    end loop;
end
$$;

create or replace function app.follow_evaluation() returns trigger
language plpgsql security definer
as $$
begin
    perform app.follow_campaign(new.campaign_id);
    return null;
end
$$;
create or replace trigger e_campaign after update on dudao.evaluations
    for each row when (old.state <> new.state)
    execute function app.follow_evaluation();

-- 3.6: the time for the units' own scores is over.
create or replace function app.follow_campaigns() returns void
language sql security definer
as $$
    select app.follow_campaign(c.id)
    from dudao.evaluation_campaigns c
    where c.state = 'launched' and c.self_due_on < app.today()
$$;

-- The publication of its results publishes a campaign (3.6).
create or replace function app.follow_publication_of_campaign() returns trigger
language plpgsql security definer
as $$
begin
    if exists (select from dudao.evaluation_campaigns c
            where c.id = new.subject_id and c.state = 'finalized') then
        perform app.system_step('evaluation_campaigns', new.subject_id, 'publish');
    end if;
    return null;
end
$$;
create or replace trigger e_campaign after update on dudao.publications
    for each row when (new.subject_type = 'evaluation_campaigns'
        and new.state = 'published' and old.state <> 'published')
    execute function app.follow_publication_of_campaign();


-- Scores -----------------------------------------------------------------------------

-- The result was told to the unit.
create or replace function app.is_told(state text) returns boolean
language sql immutable parallel safe
as $$
    select state in ('preliminary', 'objected', 'finalized', 'delivered', 'included')
$$;

-- Before that the unit sees its own part only.
create or replace function app.sees_scores(state text) returns boolean
language sql stable
as $$
    select app.is_told(state) or app.has_role('office_staff', 'deputy_chief_inspector',
        'chief_inspector', 'committee_director', 'committee_deputy', 'research_center',
        'third_party', 'auditor')
$$;

create or replace function app.is_evaluated_unit(organization_id uuid, zone_id uuid) returns boolean
language plpgsql stable security definer
as $$
begin
    return coalesce(organization_id = app.organization_id(), false)
        or coalesce(zone_id = any (app.my_zone_ids()), false);
end
$$;

-- 3.6: who belongs to the unit does not score it.
create or replace function app.belongs_to_evaluated(organization_id uuid, zone_id uuid) returns boolean
language plpgsql stable security definer
as $$
#variable_conflict use_column
begin
    return app.is_evaluated_unit(organization_id, zone_id)
        or exists (
            select from dudao.zone_memberships m
            where m.zone_id = belongs_to_evaluated.zone_id
                and m.inspector_id = app.inspector_id() and m.ended_on is null);
end
$$;

-- The last score of each indicator that is not the unit's own.
create or replace function app.scores_now(evaluation uuid)
returns table (indicator_id uuid, score numeric)
language sql stable security definer
as $$
    select distinct on (s.indicator_id) s.indicator_id, s.score
    from dudao.evaluation_scores s
    left join dudao.evaluation_objections o on o.id = s.objection_id
    where s.evaluation_id = evaluation and s.stage <> 'self'
    order by s.indicator_id, coalesce(o.seq, 0) desc
$$;

create or replace function app.total_of(evaluation uuid) returns numeric
language plpgsql stable security definer
as $$
begin
    return (
        select sum(s.score)::numeric(6,2) from app.scores_now(evaluation) s);
end
$$;

create or replace function app.self_total_of(evaluation uuid) returns numeric
language plpgsql stable security definer
as $$
begin
    return (
        select sum(s.score)::numeric(6,2)
        from dudao.evaluation_scores s
        where s.evaluation_id = evaluation and s.stage = 'self');
end
$$;

-- Any veto: unqualified, whatever the score (2.6).
create or replace function app.grade_of(e dudao.evaluations) returns text
language plpgsql stable security definer
as $$
begin
    return (
        select case
            when cardinality(e.veto_indicator_ids) > 0 then 'unqualified'
            when e.final_score >= (f.grade_thresholds ->> 'excellent')::numeric then 'excellent'
            when e.final_score >= (f.grade_thresholds ->> 'good')::numeric then 'good'
            when e.final_score >= (f.grade_thresholds ->> 'qualified')::numeric then 'qualified'
            when e.final_score is not null then 'unqualified'
            end
        from dudao.evaluation_campaigns c
        join dudao.indicator_frameworks f on f.id = c.framework_id
        where c.id = e.campaign_id);
end
$$;

-- Ties share a rank; who was vetoed comes after the others.
create or replace function app.evaluation_rank(e dudao.evaluations) returns integer
language plpgsql stable security definer
as $$
begin
    return (
        select 1 + count(*)::integer
        from dudao.evaluations x
        where x.campaign_id = e.campaign_id and x.finalized_on is not null and x.id <> e.id
            and (x.veto_indicator_ids = '{}', x.final_score) > (e.veto_indicator_ids = '{}', e.final_score));
end
$$;

create or replace function app.final_score_of(e dudao.evaluations) returns numeric
language sql immutable
as $$
    select case when e.proposed_on is not null
        then greatest(0, least(100, e.verified_score + e.bonus - e.penalty)) end
$$;

create or replace function app.framework_of(campaign uuid) returns uuid
language plpgsql stable security definer
as $$
begin
    return (
        select c.framework_id from dudao.evaluation_campaigns c where c.id = campaign);
end
$$;

create or replace function app.evaluation(id uuid) returns dudao.evaluations
language plpgsql stable security definer
as $$
begin
    return (
        select e from dudao.evaluations e where e.id = $1);
end
$$;

insert into app.row_rules(resource, name, expression, pointer, code, rule_id, clause_id, params) values
    ('evaluations', 'target_of_the_campaign',
     'old.id is not null or exists (
        select from dudao.evaluation_campaigns c
        cross join lateral app.campaign_targets(c.kind, c.target_kind, app.today()) t
        where c.id = new.campaign_id and c.state = ''launched''
            and (t.organization_id, t.zone_id) is not distinct from (new.organization_id, new.zone_id))',
     '/campaign_id', 'not-a-target', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluations', 'target_is_fixed',
     'old.id is null or (new.campaign_id, new.organization_id, new.leadership_term_id, new.zone_id, new.unit_evaluation_id)
        is not distinct from (old.campaign_id, old.organization_id, old.leadership_term_id, old.zone_id,
            old.unit_evaluation_id)',
     '/campaign_id', 'read-only-field', 'R-EVA-05', 'C2.1.3.i', null),
    -- no total but that of its parts, whoever writes it
    ('evaluations', 'self_score_is_the_sum', 'new.self_score is not distinct from app.self_total_of(new.id)',
     '/self_score', 'score-not-the-sum', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluations', 'verified_score_is_the_sum',
     'new.verified_score is not distinct from app.total_of(new.id)',
     '/verified_score', 'score-not-the-sum', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluations', 'final_score_is_computed', 'new.final_score is not distinct from app.final_score_of(new)',
     '/final_score', 'score-not-the-sum', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluations', 'grade_is_computed',
     'new.grade is not distinct from case when new.finalized_on is not null then app.grade_of(new) end',
     '/grade', 'grade-not-of-the-score', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluations', 'rank_is_computed',
     'new.rank is not distinct from old.rank or new.rank = app.evaluation_rank(new)',
     '/rank', 'read-only-field', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluations', 'bonus_has_a_reason', 'new.bonus = 0 or new.bonus_reason is not null',
     '/bonus_reason', 'required', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluations', 'penalty_has_a_reason', 'new.penalty = 0 or new.penalty_reason is not null',
     '/penalty_reason', 'required', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluations', 'vetoes_are_of_the_framework',
     'not exists (select from unnest(new.veto_indicator_ids) as v
        where not exists (select from dudao.indicators i
            where i.id = v and i.is_veto and i.framework_id = app.framework_of(new.campaign_id)))',
     '/veto_indicator_ids', 'not-a-veto-indicator', 'R-EVA-05', 'C2.1.3.i', null),
    -- 3.6: what was finalized changes by a superseding evaluation only
    ('evaluations', 'steps_are_kept',
     'old.id is null or (old.state <> new.state and old.finalized_on is null)
        or (new.self_score, new.self_report, new.truth_commitment, new.self_scored_on, new.self_scored_by,
            new.verified_onsite, new.verify_note, new.verified_on, new.verified_by, new.verified_score,
            new.scored_on, new.scored_by, new.veto_indicator_ids, new.bonus, new.bonus_reason, new.penalty,
            new.penalty_reason, new.proposed_on, new.proposed_by, new.objection_due_on, new.final_score,
            new.grade, new.resolution_id, new.finalized_on, new.finalized_by)
        is not distinct from (old.self_score, old.self_report, old.truth_commitment, old.self_scored_on,
            old.self_scored_by, old.verified_onsite, old.verify_note, old.verified_on, old.verified_by,
            old.verified_score, old.scored_on, old.scored_by, old.veto_indicator_ids, old.bonus,
            old.bonus_reason, old.penalty, old.penalty_reason, old.proposed_on, old.proposed_by,
            old.objection_due_on, old.final_score, old.grade, old.resolution_id, old.finalized_on,
            old.finalized_by)',
     '/state', 'not-editable', 'R-EVA-05', 'C2.1.3.i', null),

    ('evaluation_scores', 'never_changed', 'old.id is null',
     null, 'not-editable', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluation_scores', 'in_turn',
     '(new.stage, (app.evaluation(new.evaluation_id)).state) in
        ((''self'', ''notified''), (''office'', ''verified''), (''objection'', ''objected''))',
     '/stage', 'score-out-of-turn', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluation_scores', 'by_whom_it_concerns',
     'case new.stage when ''self'' then app.is_evaluated_unit(
            (app.evaluation(new.evaluation_id)).organization_id, (app.evaluation(new.evaluation_id)).zone_id)
        when ''office'' then app.has_role(''office_staff'', ''deputy_chief_inspector'', ''research_center'',
                ''third_party'')
            and not app.belongs_to_evaluated((app.evaluation(new.evaluation_id)).organization_id,
                (app.evaluation(new.evaluation_id)).zone_id)
        else app.has_role(''chief_inspector'') end',
     null, 'separation-of-duties', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluation_scores', 'of_a_leaf',
     'exists (select from app.leaves_of(app.framework_of((app.evaluation(new.evaluation_id)).campaign_id)) l
        where l.id = new.indicator_id)',
     '/indicator_id', 'unknown-reference', 'R-EVA-05', 'C2.1.3.i', null),
    ('evaluation_scores', 'within_the_weight',
     'new.score <= coalesce((select i.weight from dudao.indicators i where i.id = new.indicator_id), new.score)',
     '/score', 'out-of-range', 'R-EVA-05', 'C2.1.3.i',
     'jsonb_build_object(''min'', 0, ''max'', (select i.weight from dudao.indicators i where i.id = new.indicator_id))'),

    ('evaluation_objections', 'raised_in_turn',
     'old.id is not null or (app.evaluation(new.evaluation_id)).state = ''preliminary''
        and app.is_evaluated_unit((app.evaluation(new.evaluation_id)).organization_id,
            (app.evaluation(new.evaluation_id)).zone_id) and new.decided_at is null',
     null, 'objection-out-of-turn', 'R-EVA-03', 'C2.1.3.i', null),
    ('evaluation_objections', 'decided_in_turn',
     'old.id is null or (new.decision, new.decision_reason, new.decided_at, new.decided_by, new.score_change)
            is not distinct from (old.decision, old.decision_reason, old.decided_at, old.decided_by, old.score_change)
        or old.decided_at is null and (app.evaluation(new.evaluation_id)).state = ''objected''
            and app.has_role(''chief_inspector'')',
     null, 'objection-out-of-turn', 'R-EVA-03', 'C2.1.3.i', null),
    ('evaluation_objections', 'text_is_kept',
     'old.id is null or (new.evaluation_id, new.seq, new.text, new.evidence, new.submitted_at, new.submitted_by)
        is not distinct from (old.evaluation_id, old.seq, old.text, old.evidence, old.submitted_at, old.submitted_by)',
     null, 'not-editable', 'R-EVA-03', 'C2.1.3.i', null);

-- Writes the scores of a step, or refuses it with every fault. All leaves are
-- scored by the unit and by the office; an objection may touch some.
create or replace function app.store_scores(
    e dudao.evaluations, stage text, entries jsonb, objection uuid default null)
returns void
language plpgsql security definer
as $$
declare
    framework constant uuid := app.framework_of(e.campaign_id);
    missing constant text := (
        select string_agg(l.code, '、' order by l.code)
        from app.leaves_of(framework) l
        where stage <> 'objection' and not exists (
            select from jsonb_array_elements(entries) as x
            where x ->> 'indicator_id' = l.id::text));
    faults app.fault[];
begin
    select coalesce(array_agg(f.fault order by x.place, f.fault), '{}') into faults
    from jsonb_array_elements(entries) with ordinality as x(entry, place)
    left join app.leaves_of(framework) l on l.id::text = x.entry ->> 'indicator_id'
    cross join lateral (
        select app.fault('unknown-reference', format('/scores/%s/indicator_id', x.place - 1)) as fault
        where l.id is null
        union all
        select app.fault('duplicate', format('/scores/%s/indicator_id', x.place - 1))
        where exists (
            select from jsonb_array_elements(entries) with ordinality as y(entry, place)
            where y.place < x.place and y.entry ->> 'indicator_id' = x.entry ->> 'indicator_id')
        union all
        select app.fault('out-of-range', format('/scores/%s/score', x.place - 1),
            jsonb_build_object('min', 0, 'max', l.weight), 'R-EVA-05', 'C2.1.3.i')
        where (x.entry ->> 'score')::numeric not between 0 and l.weight
        union all
        select app.fault('evidence-required', format('/scores/%s/evidence', x.place - 1))
        where stage = 'self' and l.evidence_required
            and coalesce(x.entry -> 'evidence', '[]') = '[]'
        union all
        select app.fault('unknown-reference', format('/scores/%s/evidence/%s', x.place - 1, v.place - 1))
        from jsonb_array_elements_text(coalesce(x.entry -> 'evidence', '[]'))
            with ordinality as v(id, place)
        where not exists (select from dudao.attachments a where a.id = v.id::uuid)
    ) as f;
    if missing is not null then
        faults := faults || app.fault('leaf-scores-missing', '/scores',
            jsonb_build_object('codes', missing), 'R-EVA-05', 'C2.1.3.i');
    end if;
    if cardinality(faults) > 0 then
        perform app.refuse_step(faults, 'R-EVA-05', 'C2.1.3.i');
    end if;
    insert into dudao.evaluation_scores(evaluation_id, indicator_id, stage, objection_id, score,
        evidence, scorer_user_id, scorer_org_id, note)
    select e.id, (x ->> 'indicator_id')::uuid, store_scores.stage, objection, (x ->> 'score')::numeric,
        array(select v::uuid from jsonb_array_elements_text(coalesce(x -> 'evidence', '[]')) as v),
        app.user_id(), app.organization_id(), x ->> 'note'
    from jsonb_array_elements(entries) as x;
end
$$;


-- Evaluations ------------------------------------------------------------------------

-- Whether the caller may make this step at all is known before it is written.
create or replace function app.faults_of_actor(action text, e dudao.evaluations) returns app.fault[]
language plpgsql stable security definer
as $$
begin
    if action in ('self_score', 'object') and not app.is_evaluated_unit(e.organization_id, e.zone_id) then
        return array[app.fault('out-of-scope', null, null, 'R-EVA-05', 'C2.1.3.i')];
    end if;
    if action in ('verify', 'score') and app.belongs_to_evaluated(e.organization_id, e.zone_id) then
        return array[app.fault('separation-of-duties', null, null, 'R-EVA-05', 'C2.1.3.i')];
    end if;
    if action = 'object' and app.today() > e.objection_due_on then
        return array[app.fault('deadline-passed', null,
            jsonb_build_object('due_on', e.objection_due_on), 'R-EVA-03', 'C2.1.3.i')];
    end if;
    return '{}';
end
$$;

create or replace function app.before_evaluations(action text, r dudao.evaluations, data jsonb)
returns dudao.evaluations
language plpgsql security definer
as $$
declare
    campaign dudao.evaluation_campaigns;
    objection dudao.evaluation_objections;
    faults constant app.fault[] := app.faults_of_actor(action, r);
begin
    if cardinality(faults) > 0 then
        perform app.refuse_step(faults, null, null);
    end if;
    select * into campaign from dudao.evaluation_campaigns c where c.id = r.campaign_id;
    case action
    when 'self_score' then
        perform app.store_scores(r, 'self', coalesce(data -> 'scores', '[]'));
        r.self_score := app.self_total_of(r.id);
        r.self_report := data ->> 'report';
        r.truth_commitment := coalesce((data ->> 'truth_commitment')::boolean, false);
        r.self_scored_on := app.today();
        r.self_scored_by := app.user_id();
    when 'verify' then
        r.verified_onsite := coalesce((data ->> 'onsite')::boolean, false);
        r.verify_note := data ->> 'note';
        r.verified_on := app.today();
        r.verified_by := app.user_id();
    when 'score' then
        perform app.store_scores(r, 'office', coalesce(data -> 'scores', '[]'));
        r.verified_score := app.total_of(r.id);
        r.veto_indicator_ids := array(
            select distinct v::uuid
            from jsonb_array_elements_text(coalesce(data -> 'veto_indicator_ids', '[]')) as v);
        r.scored_on := app.today();
        r.scored_by := app.user_id();
    when 'propose' then
        r.bonus := coalesce((data ->> 'bonus')::numeric, 0);
        r.bonus_reason := data ->> 'bonus_reason';
        r.penalty := coalesce((data ->> 'penalty')::numeric, 0);
        r.penalty_reason := data ->> 'penalty_reason';
        r.proposed_on := app.today();
        r.proposed_by := app.user_id();
        r.objection_due_on := app.add_workdays(app.today(), campaign.objection_days);
        r.final_score := app.final_score_of(r);
    when 'object' then
        insert into dudao.evaluation_objections(evaluation_id, seq, text, evidence, submitted_at, submitted_by)
        select r.id, 1 + count(*), data ->> 'text',
            array(select v::uuid from jsonb_array_elements_text(coalesce(data -> 'evidence', '[]')) as v),
            app.now(), app.user_id()
        from dudao.evaluation_objections o
        where o.evaluation_id = r.id;
    when 'resolve' then
        select * into objection
        from dudao.evaluation_objections o
        where o.evaluation_id = r.id and o.decided_at is null;
        perform app.store_scores(r, 'objection', coalesce(data -> 'scores', '[]'), objection.id);
        update dudao.evaluation_objections o
        set decision = data ->> 'decision', decision_reason = data ->> 'reason',
            decided_at = app.now(), decided_by = app.user_id(),
            score_change = app.total_of(r.id) - r.verified_score
        where o.id = objection.id and btrim(coalesce(data ->> 'reason', '')) <> '';
        r.verified_score := app.total_of(r.id);
        r.final_score := app.final_score_of(r);
    when 'finalize' then
        r.resolution_id := (data ->> 'resolution_id')::uuid;
        r.finalized_on := app.today();
        r.finalized_by := app.user_id();
        r.grade := app.grade_of(r);
    when 'deliver' then
        r.delivered_on := app.today();
    when 'include' then
        r.included_on := app.today();
        r.inclusion_doc_no := data ->> 'ack_doc_no';
    else
        null;
    end case;
    return r;
end
$$;

-- How many of a campaign must be seen on site, and how many still can be once
-- this one is verified.
create or replace function app.onsite_sample(e dudao.evaluations, out needed integer, out possible integer)
language sql stable security definer
as $$
    select ceil(count(*) * app.number_parameter('evaluation_onsite_sample'))::integer,
        (count(*) filter (where x.id = e.id and e.verified_onsite)
            + count(*) filter (where x.id <> e.id
                and (x.verified_onsite or x.state in ('notified', 'self_scored'))))::integer
    from dudao.evaluations x
    where x.campaign_id = e.campaign_id and x.state <> 'void'
$$;

create or replace function app.guard_evaluations(
    action text, old dudao.evaluations, new dudao.evaluations, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := app.faults_of_actor(action, old);
    campaign dudao.evaluation_campaigns;
    leaf_count constant integer := (
        select count(*) from app.leaves_of(app.framework_of(new.campaign_id)));
    sample record;
begin
    select * into campaign from dudao.evaluation_campaigns c where c.id = new.campaign_id;
    if action not in ('deliver', 'include', 'void')
            and campaign.state not in ('launched', 'scoring', 'objection') then
        faults := faults || app.fault('campaign-not-open', null,
            jsonb_build_object('state', campaign.state), 'R-EVA-05', 'C2.1.3.i');
    end if;
    case action
    when 'self_score' then
        if leaf_count <> (select count(*) from dudao.evaluation_scores s
                where s.evaluation_id = new.id and s.stage = 'self') then
            faults := faults || app.fault('leaf-scores-missing', '/scores', null, 'R-EVA-05', 'C2.1.3.i');
        end if;
        if coalesce(btrim(new.self_report), '') = '' then
            faults := faults || app.fault('required', '/report', null, 'R-EVA-05', 'C2.1.3.i');
        end if;
        if not new.truth_commitment then
            faults := faults || app.fault('truth-commitment-required', '/truth_commitment', null,
                'R-EVA-05', 'C2.1.3.i');
        end if;
    when 'verify' then
        if coalesce(btrim(new.verify_note), '') = '' then
            faults := faults || app.fault('required', '/note', null, 'R-EVA-05', 'C2.1.3.i');
        end if;
        select * into sample from app.onsite_sample(new);
        if sample.possible < sample.needed and new.verified_onsite is not true then
            faults := faults || app.fault('onsite-sample-short', '/onsite',
                jsonb_build_object('needed', sample.needed), 'R-EVA-05', 'C2.1.3.i');
        end if;
    when 'score' then
        if leaf_count <> (select count(*) from dudao.evaluation_scores s
                where s.evaluation_id = new.id and s.stage = 'office') then
            faults := faults || app.fault('leaf-scores-missing', '/scores', null, 'R-EVA-05', 'C2.1.3.i');
        end if;
    when 'propose' then
        if new.proposed_on is null or new.objection_due_on is null
                or new.objection_due_on < app.add_workdays(app.today(), campaign.objection_days) then
            faults := faults || app.fault('required', '/objection_due_on', null, 'R-EVA-03', 'C2.1.3.i');
        end if;
    when 'object' then
        if not exists (select from dudao.evaluation_objections o
                where o.evaluation_id = new.id and o.decided_at is null) then
            faults := faults || app.fault('required', '/text', null, 'R-EVA-03', 'C2.1.3.i');
        end if;
        faults := faults || array(
            select app.fault('unknown-reference', format('/evidence/%s', v.place - 1))
            from dudao.evaluation_objections o
            cross join unnest(o.evidence) with ordinality as v(id, place)
            where o.evaluation_id = new.id and o.decided_at is null
                and not exists (select from dudao.attachments a where a.id = v.id));
    when 'resolve' then
        if exists (select from dudao.evaluation_objections o
                where o.evaluation_id = new.id and o.decided_at is null) then
            faults := faults || app.fault('evaluation-objection-open', '/decision', null, 'R-EVA-03', 'C2.1.3.i');
        end if;
        if data ->> 'decision' = 'rejected' and new.verified_score <> old.verified_score
                or data ->> 'decision' <> 'rejected' and coalesce(data -> 'scores', '[]') = '[]' then
            faults := faults || app.fault('decision-contradicts-scores', '/scores', null,
                'R-EVA-03', 'C2.1.3.i');
        end if;
    when 'finalize' then
        if not app.has_role(app.finalizer_of(campaign)) then
            faults := faults || app.fault(case app.finalizer_of(campaign) when 'committee_director'
                then 'director-decides-annual' else 'chief-decides-ad-hoc' end, null, null,
                'R-EVA-05', 'C2.1.3.i');
        end if;
        -- R-EVA-03: what the unit may still say is waited for
        if app.today() <= new.objection_due_on then
            faults := faults || app.fault('objection-period-open', null,
                jsonb_build_object('until', new.objection_due_on), 'R-EVA-03', 'C2.1.3.i');
        end if;
        if exists (select from dudao.evaluation_objections o
                where o.evaluation_id = new.id and o.decided_at is null) then
            faults := faults || app.fault('evaluation-objection-open', null, null, 'R-EVA-03', 'C2.1.3.i');
        end if;
        if campaign.periodicity = 'annual' and new.resolution_id is null then
            faults := faults || app.fault('resolution-required', '/resolution_id', null,
                'R-EVA-05', 'C2.1.3.i');
        elsif new.resolution_id is not null and not exists (
                select from dudao.meeting_resolutions r
                join dudao.meetings m on m.id = r.meeting_id
                where r.id = new.resolution_id and r.issued_on is not null
                    and m.kind in ('committee_plenary', 'joint_meeting')) then
            faults := faults || app.fault('resolution-not-of-committee', '/resolution_id', null,
                'R-EVA-05', 'C2.1.3.i');
        end if;
    when 'deliver' then
        -- with its rank, and circulated with the others'
        if campaign.finalized_on is null then
            faults := faults || app.fault('campaign-not-finalized', null,
                jsonb_build_object('state', campaign.state), 'R-RPT-02', 'C2.1.3.f');
        end if;
    when 'include' then
        if campaign.target_kind <> 'township' then
            faults := faults || app.fault('townships-only', null, null, 'R-USE-01', 'C2.3.3.a');
        end if;
        if new.inclusion_doc_no is null then
            faults := faults || app.fault('required', '/ack_doc_no', null, 'R-USE-01', 'C2.3.3.a');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

-- The results for the public: units, grades and ranks, nothing else.
create or replace function app.results_text(campaign uuid) returns text
language plpgsql stable security definer
as $$
begin
    return (
        select string_agg(format('%s. %s：%s', e.rank, (app.evaluated(e)).name, n.label_zh), E'\n'
            order by e.rank, (app.evaluated(e)).code)
        from dudao.evaluations e
        join app.enumerations n on n.name = 'evaluations.grade' and n.value = e.grade
        where e.campaign_id = campaign and e.finalized_on is not null);
end
$$;

create or replace function app.effect_evaluations(
    action text, old dudao.evaluations, new dudao.evaluations, data jsonb)
returns void
language plpgsql security definer
as $$
declare
    actor constant text := coalesce(current_setting('dudao.user_id', true), '');
    who constant record := app.evaluated(new);
    campaign dudao.evaluation_campaigns;
begin
    select * into campaign from dudao.evaluation_campaigns c where c.id = new.campaign_id;
    case action
    when 'self_score' then
        perform app.meet_deadline('evaluations', new.id, 'self_score');
    when 'propose' then
        perform app.send_to_evaluated(new, 'evaluations', new.id, 'feedback');
        perform app.deadline('evaluations', new.id, 'objection', new.objection_due_on);
        perform app.notify('evaluations', new.id, 'result_proposed', '拟定评估结果', campaign.title,
            who.users, (new.objection_due_on + 1)::timestamp at time zone 'Asia/Shanghai');
    when 'object' then
        perform app.notify('evaluations', new.id, 'evaluation_objection', '评估结果异议',
            who.name || '：' || campaign.title, app.users_with_role('chief_inspector'));
    when 'resolve' then
        perform app.notify('evaluations', new.id, 'objection_decided', '异议处理结果', campaign.title, who.users);
    when 'finalize' then
        perform app.meet_deadline('evaluations', new.id, 'objection');
        if new.grade = 'unqualified' then
            perform app.notify('evaluations', new.id, 'evaluation_unqualified', '评估结果不合格',
                who.name || '：' || campaign.title,
                app.users_with_role('chief_inspector', 'committee_director'));
        end if;
    when 'deliver' then
        perform app.send_to_evaluated(new, 'evaluation_campaigns', campaign.id, 'feedback');
        perform app.system_step('dispatches', d.id, 'send')
        from dudao.dispatches d
        where d.subject_type = 'evaluation_campaigns' and d.subject_id = campaign.id
            and d.state in ('planned', 'returned');
        perform app.meet_deadline('evaluation_campaigns', campaign.id, 'circulation');
        perform app.enqueue('X-05', 'upsert', 'evaluations', new.id,
            concat_ws(':', 'eval', campaign.code, who.code), jsonb_build_object(
                'campaign', campaign.code, 'kind', campaign.kind, 'year', campaign.year,
                'target_kind', campaign.target_kind, 'target', who.code, 'name', who.name,
                'score', new.final_score, 'grade', new.grade, 'rank', new.rank,
                'finalized_on', new.finalized_on));
        perform app.notify('evaluations', new.id, 'evaluation_delivered', '评估结果反馈', campaign.title, who.users);
        if not exists (select from dudao.publications p
                where p.subject_type = 'evaluation_campaigns' and p.subject_id = campaign.id) then
            perform app.deadline('evaluation_campaigns', campaign.id, 'publication',
                app.add_workdays(app.today(), app.parameter_int('publication_workdays')));
            -- nobody's own text, so that whoever may review and approve it
            -- still can (R-PUB-03)
            perform set_config('dudao.user_id', '', true);
            insert into dudao.publications(code, kind, subject_type, subject_id, publisher_org_id,
                title, body)
            select app.next_code('GK'), 'evaluation_result', 'evaluation_campaigns', campaign.id, o.id,
                '关于' || campaign.title || '结果的公告', app.results_text(campaign.id)
            from dudao.organizations o
            where o.kind = 'supervision_office' and o.status = 'operating';
            perform set_config('dudao.user_id', actor, true);
        end if;
    when 'void' then
        perform app.meet_deadline('evaluations', new.id, 'self_score', 'objection');
    else
        null;
    end case;
end
$$;

-- The history of an evaluation; how it was scored is told with the result.
create or replace function app.evaluation_transitions(evaluation uuid, state text) returns text
language sql stable
as $$
    select case when app.sees_scores(state) then app.transitions_of('evaluations', evaluation)
        else (
            select jsonb_build_object('data', coalesce(jsonb_agg(
                case when t.step ->> 'action' in ('verify', 'score')
                    then t.step || '{"comment": null, "data": null}' else t.step end
                order by t.place), '[]'))::text
            from jsonb_array_elements(app.transitions_of('evaluations', evaluation)::jsonb -> 'data')
                with ordinality as t(step, place)) end
$$;


-- Views --------------------------------------------------------------------------------

drop view if exists app.indicator_frameworks_json, app.indicators_json,
    app.evaluation_campaigns_json, app.evaluations_json, app.evaluation_scores_json,
    app.evaluation_objections_json;

create view app.indicator_frameworks_json with (security_invoker = true) as
select f.*,
    json_build_object(
        'id', f.id, 'version', f.version, 'code', f.code, 'edition', f.edition,
        'name', f.name, 'level', f.level, 'campaign_kind', f.campaign_kind,
        'target_kind', f.target_kind, 'year_from', f.year_from, 'year_to', f.year_to,
        'total', f.total, 'leaf_weight', app.leaf_weight(f.id),
        'grade_thresholds', f.grade_thresholds, 'basis_document_id', f.basis_document_id,
        'in_force_on', f.in_force_on, 'in_force_by', f.in_force_by,
        'retired_on', f.retired_on, 'retire_reason', f.retire_reason,
        'voided_at', app.ts(f.voided_at), 'void_reason', f.void_reason,
        'state', f.state,
        'allowed_actions', app.allowed_actions('indicator_frameworks', case when f.voided_at is null then f.state end),
        'created_at', app.ts(f.created_at), 'updated_at', app.ts(f.updated_at),
        'is_demo', f.is_demo) as body
from dudao.indicator_frameworks f;

create view app.indicators_json with (security_invoker = true) as
select i.*,
    json_build_object(
        'id', i.id, 'version', i.version, 'framework_id', i.framework_id,
        'code', i.code, 'parent_id', i.parent_id, 'level', i.level, 'name', i.name,
        'weight', i.weight,
        'is_leaf', not exists (select from dudao.indicators c where c.parent_id = i.id),
        'scoring', i.scoring, 'formula', i.formula, 'data_source', i.data_source,
        'is_veto', i.is_veto, 'evidence_required', i.evidence_required,
        'created_at', app.ts(i.created_at), 'updated_at', app.ts(i.updated_at),
        'is_demo', i.is_demo) as body
from dudao.indicators i;

create view app.evaluation_campaigns_json with (security_invoker = true) as
select c.*,
    json_build_object(
        'id', c.id, 'version', c.version, 'code', c.code, 'kind', c.kind,
        'target_kind', c.target_kind, 'periodicity', c.periodicity,
        'framework_id', c.framework_id, 'year', c.year, 'seq', c.seq,
        'title', c.title, 'reason', c.reason, 'self_due_on', c.self_due_on,
        'objection_days', c.objection_days, 'approved_on', c.approved_on,
        'approved_by', c.approved_by, 'launched_on', c.launched_on,
        'finalized_on', c.finalized_on, 'circulate_by', c.circulate_by,
        'published_on', c.published_on, 'closed_on', c.closed_on,
        'cancelled_on', c.cancelled_on, 'cancel_reason', c.cancel_reason,
        'state', c.state,
        'allowed_actions', app.allowed_actions('evaluation_campaigns', c.state),
        'created_at', app.ts(c.created_at), 'updated_at', app.ts(c.updated_at),
        'is_demo', c.is_demo) as body
from dudao.evaluation_campaigns c;

create view app.evaluations_json with (security_invoker = true) as
select e.*,
    json_build_object(
        'id', e.id, 'version', e.version, 'campaign_id', e.campaign_id,
        'organization_id', e.organization_id,
        'leadership_term_id', e.leadership_term_id, 'zone_id', e.zone_id,
        'target_name', (app.evaluated(e)).name,
        'unit_evaluation_id', e.unit_evaluation_id,
        'self_score', e.self_score, 'self_report', e.self_report,
        'truth_commitment', e.truth_commitment, 'self_scored_on', e.self_scored_on,
        'verified_on', e.verified_on,
        'verified_onsite', case when m.told then e.verified_onsite end,
        'verify_note', case when m.told then e.verify_note end,
        'scored_on', e.scored_on,
        'verified_score', case when m.told then e.verified_score end,
        'veto_indicator_ids', case when m.told then e.veto_indicator_ids else '{}' end,
        'bonus', e.bonus, 'bonus_reason', e.bonus_reason,
        'penalty', e.penalty, 'penalty_reason', e.penalty_reason,
        'proposed_on', e.proposed_on, 'objection_due_on', e.objection_due_on,
        'final_score', e.final_score, 'grade', e.grade, 'rank', e.rank,
        'resolution_id', e.resolution_id, 'finalized_on', e.finalized_on,
        'finalized_by', e.finalized_by, 'delivered_on', e.delivered_on,
        'included_on', e.included_on, 'inclusion_doc_no', e.inclusion_doc_no,
        'voided_at', app.ts(e.voided_at), 'void_reason', e.void_reason,
        'state', e.state,
        'allowed_actions', app.allowed_actions('evaluations', e.state),
        'created_at', app.ts(e.created_at), 'updated_at', app.ts(e.updated_at),
        'is_demo', e.is_demo) as body
from dudao.evaluations e
cross join lateral (select app.sees_scores(e.state)) as m(told);

create view app.evaluation_scores_json with (security_invoker = true) as
select s.*,
    json_build_object(
        'id', s.id, 'version', s.version, 'evaluation_id', s.evaluation_id,
        'indicator_id', s.indicator_id,
        'indicator_code', (select i.code from dudao.indicators i where i.id = s.indicator_id),
        'stage', s.stage, 'objection_id', s.objection_id, 'score', s.score,
        'evidence', s.evidence, 'scorer_user_id', s.scorer_user_id,
        'scorer_org_id', s.scorer_org_id, 'note', s.note,
        'created_at', app.ts(s.created_at), 'is_demo', s.is_demo) as body
from dudao.evaluation_scores s;

create view app.evaluation_objections_json with (security_invoker = true) as
select o.*,
    json_build_object(
        'id', o.id, 'version', o.version, 'evaluation_id', o.evaluation_id,
        'seq', o.seq, 'text', o.text, 'evidence', o.evidence,
        'submitted_at', app.ts(o.submitted_at), 'submitted_by', o.submitted_by,
        'decision', o.decision, 'decision_reason', o.decision_reason,
        'decided_at', app.ts(o.decided_at), 'decided_by', o.decided_by,
        'score_change', o.score_change,
        'created_at', app.ts(o.created_at), 'is_demo', o.is_demo) as body
from dudao.evaluation_objections o;
