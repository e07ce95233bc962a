-- Training (3.17): the plans of last, this and next year, sessions in every
-- state, and the files of the inspectors: forty concentrated hours for all but
-- 演示督学41, who has 22. Days are relative to the day of loading, and the
-- sessions of this year spread over what has passed of it.

set local jit = off;
select set_config('dudao.is_demo', 'on', true);

create function pg_temp.training_at(day date, hour integer default 9) returns void
language sql as $$
    select set_config('dudao.now',
        (day + make_time(hour, 0, 0))::text || '+08', true)
$$;

create function pg_temp.training_step(resource text, id uuid, login text, action text,
    data jsonb default '{}') returns void
language plpgsql as $$
begin
    perform app.act_as(login, true);
    if not exists (select from app.act(resource, id, action, null, data)) then
        raise exception '% %: no such record', resource, id;
    end if;
end
$$;

create function pg_temp.training_new(resource text, login text, body jsonb) returns uuid
language plpgsql as $$
begin
    perform app.act_as(login, true);
    return (select split_part(a.location, '/', 4)::uuid
        from app.create(resource, body) as a);
end
$$;

create function pg_temp.training_inspectors(names text[]) returns uuid[]
language sql as $$
    select array_agg(i.id order by p.name)
    from dudao.inspectors i
    join dudao.persons p on p.id = i.person_id
    where p.name = any (names)
$$;

create function pg_temp.training_plan(year integer, title text) returns uuid
language plpgsql as $$
declare
    line uuid;
begin
    select l.id into line
    from dudao.budget_lines l
    join dudao.budgets b on b.id = l.budget_id
    where l.category = 'training'
    order by abs(b.year - training_plan.year)
    limit 1;
    perform pg_temp.training_at(make_date(year - 1, 11, 20));
    return pg_temp.training_new('training_plans', 'office_staff', jsonb_build_object(
        'year', year, 'title', title, 'hours_target', 40,
        'summary', '岗前培训、能力提升培训与专题研讨相结合，每名督学集中培训不少于40学时。',
        'budget_line_id', line));
end
$$;

create function pg_temp.training_session(plan uuid, kind text, title text, hours numeric,
    day date, days integer default 0, trainer text default '演示·省督学培训专家',
    mode text default 'concentrated', trainer_name text default null)
returns uuid language sql as $$
    select pg_temp.training_new('training_sessions', 'office_staff', jsonb_build_object(
        'plan_id', plan, 'kind', kind, 'title', title, 'mode', mode,
        'hours', hours, 'place', case mode when 'online' then '省督学网络研修平台'
            else '平江县教师进修学校' end,
        'starts_at', (day + time '09:00') at time zone 'Asia/Shanghai',
        'ends_at', (day + days + time '17:00') at time zone 'Asia/Shanghai',
        'trainer', trainer, 'trainer_person_id', (select p.id
            from dudao.persons p where p.name = trainer_name),
        'capacity', 80))
$$;

-- Enrolled, held and completed: hours of each, and results where asked for.
create function pg_temp.training_hold(session uuid, inspectors uuid[], full_hours numeric,
    less jsonb default '{}', result text default null, last_step text default 'close')
returns void language plpgsql as $$
declare
    s dudao.training_sessions;
    first_day date;
    last_day date;
begin
    select * into strict s from dudao.training_sessions where id = session;
    first_day := (s.starts_at at time zone 'Asia/Shanghai')::date;
    last_day := (s.ends_at at time zone 'Asia/Shanghai')::date;
    perform pg_temp.training_at(first_day, 7);
    perform pg_temp.training_step('training_sessions', session, 'office_staff', 'open');
    perform app.enrol_inspectors(session, jsonb_build_object('records', (
        select jsonb_agg(jsonb_build_object('inspector_id', i))
        from unnest(inspectors) as i)));
    if last_step = 'open' then
        return;
    end if;
    perform pg_temp.training_at(first_day, 9);
    perform pg_temp.training_step('training_sessions', session, 'research_center', 'start');
    if last_step = 'start' then
        return;
    end if;
    perform pg_temp.training_at(last_day, 17);
    perform pg_temp.training_step('training_sessions', session, 'research_center', 'complete',
        jsonb_build_object('records', (
            select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'inspector_id', i,
                'attended_hours', coalesce((less ->> i::text)::numeric, full_hours),
                'result', case when coalesce((less ->> i::text)::numeric, full_hours) > 0
                    then result end)))
            from unnest(inspectors) as i)));
    if last_step = 'complete' then
        return;
    end if;
    perform pg_temp.training_at(last_day, 18);
    perform pg_temp.training_step('training_sessions', session, 'chief_inspector', 'close',
        '{"comment": "学时自今日起计入"}');
end
$$;

do $$
declare
    today constant date := (now() at time zone 'Asia/Shanghai')::date;
    this_year constant integer := extract(year from today);
    new_year constant date := make_date(this_year, 1, 1);
    last_new_year constant date := make_date(this_year - 1, 1, 1);
    all_of_them constant uuid[] := array(
        select i.id from dudao.inspectors i where i.status = 'active' order by i.code);
    one constant uuid := (pg_temp.training_inspectors('{演示督学41}'))[1];
    record_id uuid;
    plan uuid;
    session uuid;
    pre uuid;
    later uuid[];
begin
    -- last year, closed; all sessions over
    plan := pg_temp.training_plan(this_year - 1, '平江县' || this_year - 1 || '年督学培训计划');
    pre := pg_temp.training_session(plan, 'pre_service', '新任督学岗前培训班', 16, last_new_year + 60, 1);
    session := pg_temp.training_session(plan, 'capacity_building', '督学能力提升培训班', 40,
        last_new_year + 150, 4);
    perform pg_temp.training_at(last_new_year - 20);
    perform pg_temp.training_step('training_plans', plan, 'office_staff', 'submit');
    perform pg_temp.training_at(last_new_year - 12);
    perform pg_temp.training_step('training_plans', plan, 'chief_inspector', 'approve',
        jsonb_build_object('included_in_cadre_teacher_plan', true,
            'inclusion_doc_no', '平教通〔' || this_year - 1 || '〕9号'));
    perform pg_temp.training_hold(pre, pg_temp.training_inspectors('{演示督学05,演示督学17,演示督学29}'), 16,
        result => 'passed');
    for record_id in
        select r.id from dudao.training_records r where r.session_id = pre
    loop
        perform pg_temp.training_step('training_records', record_id, 'office_staff', 'certify');
    end loop;
    perform pg_temp.training_hold(session, all_of_them, 40);
    perform pg_temp.training_at(last_new_year + 364);
    perform pg_temp.training_step('training_plans', plan, 'chief_inspector', 'close');

    -- this year
    plan := pg_temp.training_plan(this_year, '平江县' || this_year || '年督学培训计划');
    pre := pg_temp.training_session(plan, 'pre_service', '新任督学岗前培训班', 16,
        new_year + (today - new_year) / 5, 0);
    session := pg_temp.training_session(plan, 'capacity_building', '春季督学能力提升培训班', 24,
        new_year + (today - new_year) / 4, 0);
    later := array[
        pg_temp.training_session(plan, 'special_topic', '“双减”与五项管理专题培训', 16,
            new_year + (today - new_year) / 2, 0),
        pg_temp.training_session(plan, 'special_topic', '校园安全督导网络研修', 6,
            new_year + (today - new_year) * 2 / 3, 0, mode => 'online'),
        pg_temp.training_session(plan, 'special_topic', '督导报告撰写工作坊', 8,
            greatest(new_year, today - 2), 0, '演示督学02', trainer_name => '演示督学02'),
        pg_temp.training_session(plan, 'exchange', '责任区督学片区交流研讨', 6,
            greatest(new_year, today - 1), 2),
        pg_temp.training_session(plan, 'capacity_building', '秋季督学能力提升培训班', 16,
            least(today + 20, make_date(this_year, 12, 31))),
        pg_temp.training_session(plan, 'exchange', '年度督学工作交流会', 4,
            make_date(this_year, 12, 31)),
        pg_temp.training_session(plan, 'special_topic', '义务教育优质均衡督导专题培训', 8,
            least(today + 10, make_date(this_year, 12, 31)))];
    perform pg_temp.training_at(new_year - 20);
    perform pg_temp.training_step('training_plans', plan, 'office_staff', 'submit');
    perform pg_temp.training_at(new_year - 12);
    perform pg_temp.training_step('training_plans', plan, 'chief_inspector', 'approve',
        jsonb_build_object('included_in_cadre_teacher_plan', true,
            'inclusion_doc_no', '平教通〔' || this_year || '〕12号'));
    perform pg_temp.training_hold(pre, pg_temp.training_inspectors('{演示督学09,演示督学13}'), 16, result => 'passed');
    select r.id into record_id from dudao.training_records r where r.session_id = pre order by r.id limit 1;
    perform pg_temp.training_step('training_records', record_id, 'office_staff', 'certify');
    -- 演示督学41: 22 of 24 hours, and not there the second time
    perform pg_temp.training_hold(session, all_of_them, 24, jsonb_build_object(one::text, 22));
    perform pg_temp.training_hold(later[1], all_of_them, 16, jsonb_build_object(one::text, 0));
    -- online hours do not count
    perform pg_temp.training_hold(later[2], pg_temp.training_inspectors('{演示督学02,演示督学17,演示督学41}'), 6);
    perform pg_temp.training_hold(later[3], pg_temp.training_inspectors('{演示督学06,演示督学10,演示督学14}'), 8,
        last_step => 'complete');
    perform pg_temp.training_step('training_records', (select r.id from dudao.training_records r
            where r.session_id = later[3] order by r.id limit 1),
        'research_center', 'pass', '{"comment": "习作评为优秀"}');
    perform pg_temp.training_step('training_records', (select r.id from dudao.training_records r
            where r.session_id = later[3] and r.state = 'attended' order by r.id limit 1),
        'research_center', 'fail', '{"comment": "未提交习作"}');
    perform pg_temp.training_hold(later[4], pg_temp.training_inspectors('{演示督学02,演示督学18,演示督学30}'), 6,
        last_step => 'start');
    perform pg_temp.training_at(greatest(new_year, today - 3));
    perform pg_temp.training_step('training_sessions', later[5], 'office_staff', 'open');
    perform app.enrol_inspectors(later[5], jsonb_build_object('records', (
        select jsonb_agg(jsonb_build_object('inspector_id', i))
        from unnest(pg_temp.training_inspectors('{演示督学17,演示督学22,演示督学45}')) as i)));
    perform pg_temp.training_step('training_sessions', later[7], 'chief_inspector', 'cancel',
        '{"reason": "与全县质量监测时间冲突，内容并入秋季培训班"}');

    -- next year's is being written
    plan := pg_temp.training_plan(this_year + 1, '平江县' || this_year + 1 || '年督学培训计划');
    perform pg_temp.training_session(plan, 'pre_service', '新任督学岗前培训班', 16,
        make_date(this_year + 1, 3, 10), 1);
end
$$;
