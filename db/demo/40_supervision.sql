-- Demo county: tasks, visits and the problems of 7.7 (fictional), brought to
-- their states by real steps. The clock (dudao.now) is set back so that
-- histories lie in the past; days are relative to the day of loading.

set local dudao.is_demo = 'on';

-- Hands: set the clock, act as a unit, name things ---------------------------

create function pg_temp.at(days integer, hour integer default 9)
returns void language sql as $$
    select set_config('dudao.now', (((now() at time zone 'Asia/Shanghai')::date
        - days + make_time(hour, 0, 0)) at time zone 'Asia/Shanghai')::text,
        true)
$$;

create function pg_temp.org(name text) returns uuid language sql as $$
    select o.id from dudao.organizations o where o.name = $1
$$;

create function pg_temp.inspector(name text) returns uuid language sql as $$
    select i.id
    from dudao.inspectors i
    join dudao.persons p on p.id = i.person_id
    where p.name = $1
$$;

create function pg_temp.act_as(login text) returns void language sql as $$
    select from app.act_as(login)
$$;

-- A unit without an account of its own gets one that nobody can log in to.
create function pg_temp.act_for(unit uuid) returns void
language plpgsql as $$
declare
    o dudao.organizations;
    known text;
    grant_id uuid;
    unit_role text;
begin
    select * into strict o from dudao.organizations where id = unit;
    unit_role := case o.kind when 'school' then 'school_account'
        when 'township_government' then 'township_account'
        when 'subdistrict_office' then 'township_account'
        else 'department_account' end;
    select u.login into known
    from dudao.users u
    join dudao.role_grants g on g.user_id = u.id and g.state = 'active'
    where u.organization_id = unit and g.role = unit_role
    order by u.id limit 1;
    if known is null then
        known := 'unit-' || lower(o.code);
        insert into dudao.users(login, display_name, organization_id)
        values (known, '演示·' || o.short_name, unit);
        insert into dudao.role_grants(user_id, role, valid_from, reason)
        select u.id, unit_role, '2022-09-01', '演示账号'
        from dudao.users u
        where u.login = known
        returning id into grant_id;
        perform app.system_step('role_grants', grant_id, 'approve', '{}');
    end if;
    perform app.act_as(known);
end
$$;

create function pg_temp.do(
    resource text, id uuid, action text, data jsonb default '{}')
returns void language plpgsql as $$
begin
    perform app.act(resource, id, action, null, data);
    if not found then
        raise exception '% %: %: not found', resource, id, action;
    end if;
end
$$;

-- Evidence: a photo of one pixel, stored once.
create function pg_temp.evidence(file_name text) returns uuid
language plpgsql as $$
declare
    pixel constant bytea := decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf'
        || 'FcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
        'base64');
    stored text;
begin
    select a.body::jsonb ->> 'id' into stored
    from app.store_attachment(encode(sha256(pixel), 'hex'), length(pixel),
        'image/png', pixel, jsonb_build_object('file_name', file_name,
            'kind', 'evidence', 'classification', 'internal')) as a;
    return stored::uuid;
end
$$;

-- Tasks -----------------------------------------------------------------------

create function pg_temp.task(
    task_kind text, title text, days integer, units uuid[],
    onsite_from date default null, matters text[] default '{M1,M2,M3,M4}')
returns uuid language plpgsql as $$
declare
    answer app.answer;
begin
    perform pg_temp.at(days);
    perform pg_temp.act_as('office_staff');
    select * into answer from app.create('supervision_tasks',
        jsonb_build_object('kind', task_kind, 'title', title,
            'year', extract(year from app.today())::integer,
            'basis_document_id', (select d.id
                from dudao.policy_documents d
                where d.title = '教育督导条例'),
            'matters', to_jsonb(matters),
            'leader_inspector_id', pg_temp.inspector('演示督学02'),
            'onsite_from', onsite_from,
            'onsite_to', onsite_from + 3,
            -- the leader, and two more who need not keep off any target
            'team', jsonb_build_array(jsonb_build_object('role', 'leader',
                    'inspector_id', pg_temp.inspector('演示督学02')))
                || (select jsonb_agg(jsonb_build_object(
                        'inspector_id', c.id))
                    from (
                        select i.id
                        from dudao.inspectors i
                        join dudao.persons p on p.id = i.person_id
                        where p.name between '演示督学03' and '演示督学16'
                            and not exists (
                                select from unnest(units) as u
                                where app.is_recused(i.id, u))
                        order by p.name limit 2) as c),
            'targets', (select jsonb_agg(jsonb_build_object(
                    'organization_id', u, 'trigger', 'plan'))
                from unnest(units) as u)));
    return (answer.body::jsonb ->> 'id')::uuid;
end
$$;

create function pg_temp.issue(task uuid, days integer, text text)
returns void language plpgsql as $$
begin
    perform pg_temp.at(days);
    perform pg_temp.act_as('chief_inspector');
    perform pg_temp.do('supervision_tasks', task, 'approve',
        '{"comment": "同意立项"}');
    perform pg_temp.do('supervision_tasks', task, 'issue_notice',
        jsonb_build_object('text', text,
            'schedule', '第一日听取汇报、查阅资料，第二日入校听课、座谈，第三日反馈',
            'materials_required', '自评报告、课程表、台账、教师花名册'));
end
$$;

do $$
declare
    today constant date := (now() at time zone 'Asia/Shanghai')::date;
    duty uuid;
    food uuid;
    whole uuid;
    decision uuid;
    term uuid;
    target uuid;
begin
    -- duties of the townships: where problems 6 and 12 come from
    duty := pg_temp.task('government_duty', '乡镇(街道)履行教育职责督导', 90,
        array(select o.id from dudao.organizations o
            where o.kind in ('township_government', 'subdistrict_office')
            order by o.code), today - 60);
    perform pg_temp.issue(duty, 80,
        '根据年度督导计划，定于近期对各乡镇（街道）履行教育职责情况开展督导，请据实自评。');
    perform pg_temp.at(60);
    perform pg_temp.act_as('office_staff');
    perform pg_temp.do('supervision_tasks', duty, 'start');

    -- problem 10: carrying out of decisions by the education bureau
    decision := pg_temp.task('decision_inspection',
        '乡村教师队伍建设决策部署落实检查', 70,
        array[pg_temp.org('教育局')], today - 50, '{M2,M3}');
    perform pg_temp.issue(decision, 62,
        '定于近期检查乡村教师队伍建设有关决策部署的落实情况。');
    perform pg_temp.at(50);
    perform pg_temp.act_as('office_staff');
    perform pg_temp.do('supervision_tasks', decision, 'start');

    -- a special task with its files on their way
    food := pg_temp.task('special', '秋季校园食品安全专项督导', 60,
        array[pg_temp.org('安定镇示例中心小学'),
            pg_temp.org('伍市镇示例中心小学'),
            pg_temp.org('三市镇示例初级中学')], today - 30, '{M2}');
    perform pg_temp.issue(food, 50,
        '定于近期对你校开展校园食品安全专项督导，请做好准备，不得搞迎评形式主义。');
    perform pg_temp.at(30);
    perform pg_temp.act_as('office_staff');
    perform pg_temp.do('supervision_tasks', food, 'start');
    select t.id into target
    from dudao.supervision_targets t
    where t.task_id = food
        and t.organization_id = pg_temp.org('伍市镇示例中心小学');
    perform pg_temp.at(29);
    perform pg_temp.act_as('chief_inspector');
    perform pg_temp.do('supervision_targets', target,
        'waive_self_assessment', '{"reason": "本学期已接受食品安全自查"}');
    perform pg_temp.act_as('inspector_ft');
    perform pg_temp.do('supervision_targets', target, 'begin_onsite',
        '{"comment": "小组3名督学到齐"}');

    -- the notice of 7.8
    whole := pg_temp.task('comprehensive', '天岳街道示例民办学校综合督导', 20,
        array[pg_temp.org('天岳街道示例民办学校')], today + 10);
    perform pg_temp.issue(whole, 5,
        '根据《教育督导条例》和年度督导计划，定于近期对你校开展综合督导。请围绕督导事项报送'
        || '自评报告，并做好师生家长座谈、问卷等准备工作，不得搞迎评形式主义。');

    -- approved: the package of the semester
    term := pg_temp.task('regular', '西南督学责任区本学期经常性督导', 40,
        array(select s.id from dudao.schools s
            join dudao.zones z on z.id = s.zone_id
            where z.code = 'Z4' and s.counts_in_ratio
            order by s.ident_code limit 20));
    perform pg_temp.at(38);
    perform pg_temp.act_as('chief_inspector');
    perform pg_temp.do('supervision_tasks', term, 'approve',
        '{"comment": "同意"}');
    perform pg_temp.act_as('office_staff');
    perform pg_temp.do('supervision_tasks', term, 'start');

    -- a draft, and one that was called off
    perform pg_temp.task('special', '冬季校园安全专项督导', 3,
        array[pg_temp.org('虹桥镇示例初级中学'),
            pg_temp.org('南江镇示例中心小学')], today + 25, '{M2}');
    term := pg_temp.task('work_inspection', '责任区督导工作监督检查', 15,
        array[pg_temp.org('安定镇人民政府')], today + 30, '{M2}');
    perform pg_temp.act_as('chief_inspector');
    perform pg_temp.do('supervision_tasks', term, 'cancel',
        '{"reason": "并入年终评估考核"}');
end
$$;


-- Visits ----------------------------------------------------------------------

create function pg_temp.visit(
    login text, unit uuid, days integer, visit_kind text, summary text,
    problem_area text default null)
returns uuid language plpgsql as $$
declare
    visited_on date;
    answer app.answer;
    school dudao.schools;
begin
    perform pg_temp.at(days, 17);
    perform pg_temp.act_as(login);
    visited_on := app.today();
    select * into school from dudao.schools where id = unit;
    select * into answer from app.create('visits', jsonb_strip_nulls(
        jsonb_build_object('client_uid', app.uuid_v7(), 'kind', visit_kind,
            'school_id', unit, 'visited_on', visited_on,
            'arrived_at', app.ts((visited_on + time '08:30')
                at time zone 'Asia/Shanghai'),
            'left_at', app.ts((visited_on + time '11:20')
                at time zone 'Asia/Shanghai'),
            'latitude', school.latitude, 'longitude', school.longitude,
            'methods', jsonb_build_array('class_observation', 'document',
                'campus_tour'),
            'summary', summary, 'no_problem_found', problem_area is null,
            'items', (select jsonb_agg(jsonb_build_object(
                    'area', 'A' || n, 'conclusion', case
                        when 'A' || n = problem_area then 'problem'
                        when n = 5 then 'not_checked'
                        else 'normal' end) order by n)
                from generate_series(1, 8) as n))));
    return (answer.body::jsonb ->> 'id')::uuid;
end
$$;

-- Routine: the plaque schools of three inspectors over three months.
do $$
declare
    round record;
    visit uuid;
begin
    for round in
        select p.school_id, l.login, l.inspector_id,
            m.months * 28 + 9 + row_number() over (
                partition by l.login, m.months order by p.school_id) * 2
                as days,
            m.months
        from (values ('inspector_ft', '演示督学02'),
            ('inspector_pt', '演示督学17'),
            ('zone_lead', '演示督学01')) as n(login, name)
        cross join lateral (select n.login,
            pg_temp.inspector(n.name) as inspector_id) as l
        join dudao.plaques p on p.inspector_id = l.inspector_id
            and p.state = 'posted'
        cross join generate_series(0, 2) as m(months)
        order by 4 desc
    loop
        visit := pg_temp.visit(round.login, round.school_id,
            round.days::integer, 'regular',
            '随机听课一节，查阅教学常规与安全台账，巡视校园，情况正常。');
        perform pg_temp.do('visits', visit, 'submit');
        continue when round.months = 0;
        if round.months = 2 then
            perform pg_temp.at(round.days::integer - 2);
            perform pg_temp.act_for(round.school_id);
            perform pg_temp.do('visits', visit, 'confirm',
                '{"remark": "情况属实"}');
        end if;
        perform pg_temp.at(round.days::integer - 3);
        perform pg_temp.act_as('office_staff');
        perform pg_temp.do('visits', visit, 'review',
            '{"comment": "已审阅"}');
    end loop;
end
$$;


-- The problems of 7.7 ----------------------------------------------------------

create function pg_temp.found(
    n integer, unit uuid, visit uuid, target uuid, member uuid,
    category text, area text, severity text, title text, description text,
    requirement text)
returns uuid language plpgsql as $$
declare
    problem uuid;
begin
    insert into dudao.problems(code, organization_id, visit_id, target_id,
        member_organization_id, task_id, category, area, severity, title,
        description, requirement)
    values ('WT-2024-' || lpad(n::text, 6, '0'), unit, visit, target, member,
        (select t.task_id from dudao.supervision_targets t
            where t.id = target),
        category, area, severity, title, description, requirement)
    returning id into problem;
    update dudao.visit_items i
    set problem_id = problem, note = found.description
    where i.visit_id = found.visit and i.area = found.area;
    return problem;
end
$$;

-- From a visit of a full-time inspector, listed by its review (danger: at once).
create function pg_temp.found_at_visit(
    n integer, unit text, days integer, category text, area text,
    severity text, title text, description text, requirement text)
returns uuid language plpgsql as $$
declare
    visit uuid := pg_temp.visit('inspector_ft', pg_temp.org(unit), days,
        'random', '随机督导，发现问题一项，已当场向学校负责人反馈。', area);
    problem uuid := pg_temp.found(n, pg_temp.org(unit), visit, null, null,
        category, area, severity, title, description, requirement);
begin
    perform pg_temp.do('visits', visit, 'submit');
    perform pg_temp.at(days - 1);
    perform pg_temp.act_as('zone_lead');
    perform pg_temp.do('visits', visit, 'review', '{"comment": "已审阅"}');
    if severity <> 'danger' then
        perform pg_temp.act_as('office_staff');
        perform pg_temp.do('problems', problem, 'assign',
            '{"comment": "请按期整改"}');
    end if;
    return problem;
end
$$;

-- In a task: the target file of the unit is the source.
create function pg_temp.found_in_task(
    n integer, task uuid, unit text, days integer, category text,
    severity text, title text, description text, requirement text)
returns uuid language plpgsql as $$
declare
    problem uuid;
begin
    perform pg_temp.at(days);
    perform pg_temp.act_as('office_staff');
    problem := pg_temp.found(n, pg_temp.org(unit), null, (
            select t.id from dudao.supervision_targets t
            where t.task_id = task
                and t.organization_id = pg_temp.org(unit)),
        null, category, null, severity, title, description, requirement);
    perform pg_temp.do('problems', problem, 'list');
    perform pg_temp.do('problems', problem, 'assign',
        '{"comment": "请按期整改"}');
    return problem;
end
$$;

create function pg_temp.plan(problem uuid, days integer, measures text)
returns void language plpgsql as $$
declare
    unit uuid := (select organization_id from dudao.problems
        where id = problem);
begin
    perform pg_temp.at(days);
    perform pg_temp.act_for(unit);
    perform app.create('rectification_plans', jsonb_build_object(
        'problem_id', problem, 'measures', measures,
        'steps', jsonb_build_array(jsonb_build_object('text', measures,
            'due_on', app.today() + 7, 'done_on', null)),
        'responsible_person', '演示·主要负责人'));
    perform pg_temp.at(days - 1);
    perform pg_temp.act_as('office_staff');
    perform pg_temp.do('problems', problem, 'accept_plan',
        '{"comment": "方案可行"}');
end
$$;

create function pg_temp.report(problem uuid, days integer, text text)
returns void language plpgsql as $$
begin
    perform pg_temp.at(days);
    perform pg_temp.act_for((select organization_id from dudao.problems
        where id = problem));
    perform pg_temp.do('problems', problem, 'report', jsonb_build_object(
        'result', 'completed', 'text', text, 'signed_by_head', true,
        'evidence', jsonb_build_array(pg_temp.evidence('整改后照片.png'))));
end
$$;

create function pg_temp.verify(problem uuid, days integer)
returns void language plpgsql as $$
begin
    perform pg_temp.at(days);
    perform pg_temp.act_as('office_staff');
    perform pg_temp.do('problems', problem, 'verify', jsonb_build_object(
        'reviewer_inspector_ids', jsonb_build_array(
            pg_temp.inspector('演示督学01')),
        'comment', '请于10个工作日内核查'));
end
$$;

create function pg_temp.review(
    problem uuid, days integer, review_kind text, result text, note text)
returns void language plpgsql as $$
begin
    perform pg_temp.at(days);
    perform pg_temp.act_as('zone_lead');
    perform app.create('problem_reviews', jsonb_build_object(
        'problem_id', problem, 'kind', review_kind,
        'reviewed_on', app.today(), 'method', 'onsite', 'result', result,
        'note', note, 'evidence', jsonb_build_array(
            pg_temp.evidence('现场核查照片.png'))));
end
$$;

create function pg_temp.strike_off(problem uuid, days integer, note text)
returns void language plpgsql as $$
begin
    perform pg_temp.review(problem, days + 1, 'verification', 'in_place',
        note);
    perform pg_temp.at(days);
    perform pg_temp.act_as('chief_inspector');
    perform pg_temp.do('problems', problem, 'strike_off',
        jsonb_build_object('comment', note));
end
$$;

do $$
declare
    p uuid;
    target_of_duty constant uuid := (
        select t.id from dudao.supervision_tasks t
        where t.kind = 'government_duty' and t.is_demo limit 1);
begin
    p := pg_temp.found_at_visit(1, '安定镇示例中心小学', 75, 'P07', 'A7',
        'moderate', '食堂留样不规范',
        '9月10日、11日午餐留样量不足125克，未标注留样人',
        '完善留样登记，配备专用留样冰箱，组织从业人员培训');
    perform pg_temp.plan(p, 72, '配备专用留样冰箱，培训食堂从业人员，每餐专人留样登记');
    perform pg_temp.report(p, 55, '已配备专用留样冰箱，完成培训，留样登记完整');
    perform pg_temp.verify(p, 53);
    perform pg_temp.strike_off(p, 48, '现场查看近10日留样与登记，整改到位');

    p := pg_temp.found_at_visit(2, '三市镇示例初级中学', 32, 'P04', 'A4',
        'moderate', '八年级书面作业公示制度执行不到位',
        '抽查3个班书面作业均超过90分钟，未按制度公示',
        '落实作业统筹公示，年级组每周核定作业总量');
    perform pg_temp.plan(p, 28, '建立年级组作业统筹表，每日公示，教导处每周核查');
    perform pg_temp.report(p, 6, '作业统筹公示已执行四周，抽查均未超时');
    perform pg_temp.verify(p, 4);

    p := pg_temp.found_at_visit(3, '天岳街道示例阳光幼儿园', 45, 'P13', 'A2',
        'major', '办园许可证过期仍招收新生',
        '办园许可证已过期2个月，仍招收新生',
        '立即停止招收新生，30日内完成换证');
    perform pg_temp.plan(p, 40, '停止招收新生，向审批机关报送换证材料');

    p := pg_temp.found_at_visit(4, '伍市镇示例中心小学', 135, 'P06', 'A6',
        'danger', '教学楼三楼走廊护栏松动',
        '教学楼三楼走廊护栏松动，高度不足1.1米',
        '当日隔离，24小时内加固并书面报告');
    perform pg_temp.plan(p, 135, '立即封闭三楼走廊，当晚加固护栏');
    perform pg_temp.report(p, 134, '护栏已加固并加高至1.2米，附检测记录');
    perform pg_temp.verify(p, 134);
    perform pg_temp.strike_off(p, 132, '现场复核，护栏已加固，高度1.2米');
    perform pg_temp.review(p, 30, 'look_back', 'in_place',
        '回头看：护栏牢固，巡查记录完整');
    perform pg_temp.do('problems', p, 'look_back_ok',
        '{"comment": "未反弹"}');

    p := pg_temp.found_at_visit(5, '石牛寨镇示例九年一贯制学校', 160, 'P03',
        'A3', 'moderate', '音乐、劳动课被占用',
        '音乐、劳动课被占用，课表与实际授课不一致',
        '开齐开足课程，校长每周巡课并留痕');
    perform pg_temp.plan(p, 156, '按课表授课，校长每周巡课');
    perform pg_temp.report(p, 140, '已按课表授课，巡课记录齐全');
    perform pg_temp.verify(p, 138);
    perform pg_temp.strike_off(p, 132, '随堂核查两天，课表与授课一致');
    perform pg_temp.review(p, 12, 'look_back', 'rebounded',
        '回头看：九年级音乐课再次被占用');
    perform pg_temp.at(11);
    perform pg_temp.act_as('office_staff');
    perform pg_temp.do('problems', p, 'rebound', jsonb_build_object(
        'reason', '九年级音乐课再次被占用', 'due_on', app.today() + 25));

    p := pg_temp.found_in_task(6, target_of_duty, '南江镇人民政府', 40,
        'P10', 'major', '辍学学生劝返台账缺失',
        '1名辍学学生劝返台账缺失，未及时上报',
        '一人一案完成劝返或送教，10日内报台账');
    perform pg_temp.plan(p, 36, '一人一案，班主任与村干部共同劝返，建立台账');
    perform pg_temp.report(p, 28, '学生已返校，台账已报');

    p := pg_temp.found_at_visit(7, '天岳街道示例民办学校', 10, 'P02', 'A2',
        'major', '提前收取下学期学费',
        '提前收取下学期学费并与升班挂钩',
        '全额清退违规收费，公示收费清单');
    perform pg_temp.plan(p, 6, '全额清退，公示收费清单，约谈财务人员');

    p := pg_temp.found_at_visit(8, '梅仙镇示例中心小学', 8, 'P05', 'A5',
        'minor', '师德考核档案不完整',
        '师德考核档案不完整，2名教师无年度考核表',
        '补齐档案，完善师德考核办法');

    p := pg_temp.found_at_visit(9, '虹桥镇示例初级中学', 65, 'P08', 'A6',
        'moderate', '实验室危化品管理不到位',
        '实验室危化品未实行双人双锁管理',
        '配齐专柜，建立领用登记');
    perform pg_temp.plan(p, 61, '购置专柜，双人双锁，建立领用登记');
    perform pg_temp.report(p, 44, '专柜已到位，双人双锁，领用登记齐全');
    perform pg_temp.verify(p, 42);
    perform pg_temp.strike_off(p, 38, '现场查看专柜与登记，整改到位');

    p := pg_temp.found_in_task(10, (
            select t.id from dudao.supervision_tasks t
            where t.kind = 'decision_inspection' and t.is_demo limit 1),
        '教育局', 30, 'P11', 'moderate', '乡村学校音体美教师缺额较大',
        '乡村学校音体美教师缺额较大，走教安排未落实',
        '制定走教方案并于下学期开学前到位');
    perform pg_temp.plan(p, 26, '制定走教方案，测算师资，落实交通补助');

    -- found by a member unit in the results of the national monitoring
    perform pg_temp.at(4);
    perform pg_temp.act_as('office_staff');
    p := pg_temp.found(11, pg_temp.org('汉昌街道示例第一小学'), null, null,
        pg_temp.org('教育局'), 'P15', null, 'minor', '体质健康优良率偏低',
        '国家监测四年级体质健康优良率低于全省均值6.2个百分点',
        '落实每天校园体育活动，学期末复测');
    perform pg_temp.do('problems', p, 'list');

    p := pg_temp.found_in_task(12, target_of_duty, '福寿山镇人民政府', 30,
        'P14', 'major', '自评材料与实际不符',
        '自评材料中两项数据与实地核查不符',
        '重新核实报送，说明原因并追究责任');
    perform pg_temp.plan(p, 26, '重新核实两项数据，说明原因');
    perform pg_temp.report(p, 16, '两项数据已重新核实报送');
end
$$;

select set_config('dudao.now', '', true), app.act_as('', true);
