-- Demo county: the evaluation of last year's supervision work, over townships,
-- departments and zones, finalized and public; this year's under way (C2.1.3.i,
-- 9-A25). Weights, scores and results are fictional. Days are relative to the
-- day of loading.

set local jit = off;
select set_config('dudao.is_demo', 'on', true);

create function pg_temp.eva_at(day date, hour integer default 10) returns void
language sql
as $$
    select set_config('dudao.now', (day + make_time(hour, 0, 0))::text || '+08', true)
$$;

create function pg_temp.eva_step(
    resource text, id uuid, login text, action text, data jsonb default '{}')
returns void
language plpgsql
as $$
begin
    if login is not null then
        perform app.act_as(login, true);
    end if;
    if not exists (select from app.act(resource, id, action, null, data)) then
        raise exception '% %: no such record', resource, id;
    end if;
end
$$;

create function pg_temp.eva_made(resource text, login text, body jsonb) returns uuid
language plpgsql
as $$
begin
    perform app.act_as(login, true);
    return (select a.body::jsonb ->> 'id' from app.create(resource, body) as a);
end
$$;

-- The account of the unit or of the zone's lead; a unit without one acts by hand.
create function pg_temp.eva_as(e dudao.evaluations) returns void
language plpgsql
as $$
declare
    account text;
begin
    select u.login into account
    from dudao.users u
    join dudao.role_grants g on g.user_id = u.id and g.state = 'active'
    where u.organization_id = e.organization_id
        and g.role in ('township_account', 'department_account')
    order by u.login
    limit 1;
    if account is null and e.zone_id is not null then
        select u.login into account
        from dudao.zones z
        join dudao.inspectors i on i.id = z.lead_inspector_id
        join dudao.users u on u.person_id = i.person_id
        where z.id = e.zone_id;
    end if;
    if account is not null then
        perform app.act_as(account, true);
    else
        perform set_config('dudao.user_id', '', true);
        perform set_config('dudao.organization_id', e.organization_id::text, true);
    end if;
    if e.zone_id is not null then
        perform set_config('dudao.roles', '{zone_lead}', true);
    elsif account is null then
        perform set_config('dudao.roles', '{township_account,department_account}', true);
    end if;
end
$$;

create function pg_temp.eva_framework(
    code text, edition integer, name text, target text, year_from integer, year_to integer,
    lines text)
returns uuid
language plpgsql
as $$
declare
    made uuid;
    line text[];
begin
    made := pg_temp.eva_made('indicator_frameworks', 'office_staff', jsonb_build_object(
        'code', code, 'edition', edition, 'name', name, 'campaign_kind', 'supervision_work',
        'target_kind', target, 'year_from', year_from, 'year_to', year_to,
        'basis_document_id', (select d.id from policy_documents d where d.doc_no = '平办发〔2022〕30号')));
    for line in
        select regexp_split_to_array(btrim(l), '\s+') from regexp_split_to_table(lines, '\n') as l
        where btrim(l) <> ''
    loop
        perform pg_temp.eva_made('indicators', 'office_staff', jsonb_build_object(
            'framework_id', made, 'code', line[1], 'weight', line[2]::numeric, 'scoring', line[3],
            'name', line[4], 'data_source', line[5], 'is_veto', coalesce(line[6] = 'veto', false),
            'parent_id', (select i.id from indicators i where i.framework_id = made
                and line[1] ~ '\.' and i.code = regexp_replace(line[1], '\.[0-9]+$', ''))));
    end loop;
    return made;
end
$$;

-- The share of an indicator's weight that a unit reaches: the same each time.
create function pg_temp.eva_share(unit text, indicator text) returns numeric
language sql
as $$
    select round((case
        when unit in ('安定镇人民政府', '教育局', '卫健局', '西南督学责任区') then 0.92
        when unit = '福寿山镇人民政府' then 0.62
        else 0.78 end) + (abs(hashtext(unit || indicator)) % 8) / 100.0, 2)
$$;

-- One evaluation up to a state; day counts from the launch.
create function pg_temp.eva_lead(e dudao.evaluations, launched date, wanted text) returns void
language plpgsql
as $$
declare
    unit constant text := (app.evaluated(e)).name;
    framework constant uuid := app.framework_of(e.campaign_id);
begin
    if wanted = 'notified' then
        return;
    end if;
    perform pg_temp.eva_at(launched + 8);
    perform pg_temp.eva_as(e);
    perform pg_temp.eva_step('evaluations', e.id, null, 'self_score', jsonb_build_object(
        'report', '本年度按要求开展教育督导相关工作，现将自评情况报告如下。', 'truth_commitment', true,
        'scores', (select jsonb_agg(jsonb_build_object('indicator_id', l.id,
                'score', round(l.weight * least(1, pg_temp.eva_share(unit, l.code) + 0.03), 1)))
            from app.leaves_of(framework) l)));
    if wanted = 'self_scored' then
        return;
    end if;
    perform pg_temp.eva_at(launched + 14);
    perform pg_temp.eva_step('evaluations', e.id, 'office_staff', 'verify', jsonb_build_object(
        'onsite', unit = '安定镇人民政府' or abs(hashtext(unit)) % 3 > 0,
        'note', '查阅台账并抽查佐证材料'));
    if wanted = 'verified' then
        return;
    end if;
    perform pg_temp.eva_at(launched + 18);
    perform pg_temp.eva_step('evaluations', e.id, 'office_staff_2', 'score', jsonb_build_object(
        'scores', (select jsonb_agg(jsonb_build_object('indicator_id', l.id,
                'score', round(l.weight * pg_temp.eva_share(unit, l.code), 1)))
            from app.leaves_of(framework) l)));
    if wanted = 'scored' then
        return;
    end if;
    perform pg_temp.eva_at(launched + 20);
    perform pg_temp.eva_step('evaluations', e.id, 'chief_inspector', 'propose',
        case unit when '福寿山镇人民政府'
            then '{"penalty": 3, "penalty_reason": "自评材料两项数据与实地核查不符"}'
            else '{}' end::jsonb);
end
$$;

create function pg_temp.eva_campaign(target text, of_year integer, title text, launched date) returns uuid
language plpgsql
as $$
declare
    made uuid;
begin
    perform pg_temp.eva_at(launched - 7);
    made := pg_temp.eva_made('evaluation_campaigns', 'office_staff', jsonb_build_object(
        'kind', 'supervision_work', 'target_kind', target, 'year', of_year, 'title', title));
    perform pg_temp.eva_at(launched - 3);
    perform pg_temp.eva_step('evaluation_campaigns', made, 'committee_director', 'approve', '{"comment": "同意"}');
    perform pg_temp.eva_at(launched);
    perform pg_temp.eva_step('evaluation_campaigns', made, 'chief_inspector', 'launch');
    return made;
end
$$;

do $$
declare
    today constant date := (now() at time zone 'Asia/Shanghai')::date;
    -- of the day on which its campaign is planned: January has last year's
    this_year constant integer := extract(year from today - 31);
    -- before the awards of that year: their basis are these results
    winter constant date := least(make_date(this_year, 1, 10), today - 60);
    twn text := '
        T1   25 manual    组织领导
        T1.1 15 manual    专题研究教育督导工作       会议记录
        T1.2 10 yes_no    明确分管领导和督导联络人   单位信息
        T2   25 manual    支持保障
        T2.1 15 manual    支持责任督学挂牌督导       责任区台账
        T2.2 10 manual    配合各类督导检查           督导任务
        T3   35 ratio     问题整改
        T3.1 20 ratio     问题按期销号率             问题台账  veto
        T3.2 15 manual    督促辖区学校整改           问题台账
        T4   15 manual    结果运用
        T4.1 15 manual    公开整改情况并运用督导结果 公开记录';
    framework uuid;
    campaign uuid;
    target record;
    e dudao.evaluations;
    resolution constant uuid := (
        select r.id
        from meeting_resolutions r
        join meetings m on m.id = r.meeting_id
        where r.issued_on is not null and m.kind in ('committee_plenary', 'joint_meeting')
        order by r.issued_on <= winter desc, r.issued_on desc
        limit 1);
    publication uuid;
begin
    perform pg_temp.eva_at(winter - 70);
    for target in
        select * from (values
            ('PJ-SW-TWN', '乡镇（街道）教育督导工作评估指标', 'township', twn),
            ('PJ-SW-DPT', '县直部门教育督导工作评估指标', 'county_department', '
                D1 30 manual 落实成员单位教育督导职责   职责清单
                D2 25 ratio  参加联席会议和督导活动     会议记录
                D3 20 manual 信息报送与联络             督导办记录
                D4 25 ratio  问题整改                   问题台账  veto'),
            ('PJ-ZON', '督学责任区教育督导工作评估指标', 'zone', '
                Z1 25 ratio  挂牌全覆盖                 挂牌台账
                Z2 30 ratio  经常性督导频次             督导记录
                Z3 15 manual 督导报告质量               督导报告
                Z4 20 ratio  问题跟踪整改               问题台账
                Z5 10 ratio  培训研修                   培训记录')
        ) as t(code, name, kind, lines)
    loop
        framework := pg_temp.eva_framework(target.code, 1, target.name, target.kind, this_year - 1, null,
            target.lines);
        perform pg_temp.eva_step('indicator_frameworks', framework, 'committee_director', 'enforce',
            '{"comment": "同意施行"}');
    end loop;

    -- last year
    for target in
        select * from (values
            ('township', '乡镇（街道）'), ('county_department', '县直部门'), ('zone', '督学责任区')
        ) as t(kind, name)
    loop
        campaign := pg_temp.eva_campaign(target.kind, this_year - 1,
            (this_year - 1) || '年度' || target.name || '教育督导工作评估', winter - 42);
        for e in
            select * from evaluations x where x.campaign_id = campaign order by x.id
        loop
            perform pg_temp.eva_lead(e, winter - 42, 'preliminary');
        end loop;
        select x.* into e
        from evaluations x
        join users u on u.organization_id = x.organization_id
        where x.campaign_id = campaign and u.login = 'township_account';
        if found then
            perform pg_temp.eva_at(winter - 20);
            perform pg_temp.eva_as(e);
            perform pg_temp.eva_step('evaluations', e.id, null, 'object',
                '{"text": "专题研究教育督导工作共三次，有会议纪要，请予复核。"}');
            perform pg_temp.eva_at(winter - 18);
            perform pg_temp.eva_step('evaluations', e.id, 'chief_inspector', 'resolve', jsonb_build_object(
                'decision', 'upheld', 'reason', '经复核会议纪要，情况属实',
                'scores', (select jsonb_agg(jsonb_build_object('indicator_id', l.id, 'score', l.weight))
                    from app.leaves_of(app.framework_of(campaign)) l where l.code = 'T1.1')));
        end if;
        perform pg_temp.eva_at(winter - 2);
        for e in
            select * from evaluations x where x.campaign_id = campaign order by x.id
        loop
            perform pg_temp.eva_step('evaluations', e.id, 'committee_director', 'finalize',
                jsonb_build_object('resolution_id', resolution));
        end loop;
        perform pg_temp.eva_at(winter);
        for e in
            select * from evaluations x where x.campaign_id = campaign order by x.id
        loop
            perform pg_temp.eva_step('evaluations', e.id, 'office_staff', 'deliver');
        end loop;
        select p.id into publication
        from publications p
        where p.subject_type = 'evaluation_campaigns' and p.subject_id = campaign;
        perform pg_temp.eva_at(winter + 2, 9);
        perform pg_temp.eva_step('publications', publication, 'office_staff', 'submit');
        perform pg_temp.eva_step('publications', publication, 'office_staff_2', 'secrecy_check', '{"result": "pass"}');
        perform pg_temp.eva_step('publications', publication, 'chief_inspector', 'approve', '{"comment": "同意公开"}');
        perform pg_temp.eva_step('publications', publication, 'office_staff', 'publish', jsonb_build_object(
            'placements', jsonb_build_array(jsonb_build_object(
                'channel_id', (select c.id from publication_channels c where c.kind = 'gov_portal' order by c.id limit 1),
                'url', 'https://portal.example/pg/' || campaign))));
        if target.kind <> 'zone' then
            perform pg_temp.eva_at(winter + 4);
            perform pg_temp.eva_step('evaluation_campaigns', campaign, 'chief_inspector', 'close',
                '{"comment": "结果已反馈并公开"}');
        end if;
    end loop;

    -- this year's: townships are being scored, zones have been told
    campaign := pg_temp.eva_campaign('township', this_year,
        this_year || '年度乡镇（街道）教育督导工作评估', today - 24);
    for e in
        select * from evaluations x where x.campaign_id = campaign order by x.id
    loop
        perform pg_temp.eva_lead(e, today - 24, case (app.evaluated(e)).name
            when '安定镇人民政府' then 'notified' when '福寿山镇人民政府' then 'preliminary'
            else (array['self_scored', 'verified', 'scored'])[1 + abs(hashtext(e.organization_id::text)) % 3] end);
    end loop;
    perform pg_temp.eva_campaign('zone', this_year, this_year || '年度督学责任区教育督导工作评估', today - 2);
    perform pg_temp.eva_at(today - 1);
    campaign := pg_temp.eva_made('evaluation_campaigns', 'office_staff', jsonb_build_object(
        'kind', 'supervision_work', 'target_kind', 'county_department', 'year', this_year,
        'title', this_year || '年度县直部门教育督导工作评估'));

    -- the next edition is being drafted
    perform pg_temp.eva_framework('PJ-SW-TWN', 2, '乡镇（街道）教育督导工作评估指标（修订稿）', 'township',
        this_year + 1, null, twn);
end
$$;

-- the running campaign has passed its date
select set_config('dudao.now', '', true);
select app.act_as('', true);
select app.follow_campaigns();

-- what is months old waits for nobody
update notifications
set read_at = created_at
where read_at is null and created_at < now() - interval '30 days'
    and subject_type in ('evaluation_campaigns', 'evaluations');
