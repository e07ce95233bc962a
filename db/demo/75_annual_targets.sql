-- Demo county: annual targets in each of their states (C2.1.1.j, C2.2.1.d).
-- Days are relative to the day of loading.

set local dudao.is_demo = 'on';

create function pg_temp.goal_days_ago(days integer, hour integer default 9)
returns void language sql as $$
    select set_config('dudao.now', (((now() at time zone 'Asia/Shanghai')::date
        - days + make_time(hour, 0, 0)) at time zone 'Asia/Shanghai')::text, true)
$$;

create function pg_temp.goal_set(unit text, title text, measure text, target numeric, unit_of_value text,
    due_in integer, direction text default 'at_least', issued_before integer default 200)
returns uuid language plpgsql as $$
declare
    due constant date := (now() at time zone 'Asia/Shanghai')::date + due_in;
    made uuid;
begin
    perform pg_temp.goal_days_ago(issued_before + 5);
    perform app.act_as('office_staff');
    select (a.body::jsonb ->> 'id')::uuid into made
    from app.create('annual_targets', jsonb_build_object(
        'organization_id', (select o.id from dudao.organizations o where o.code = unit),
        'year', extract(year from due), 'title', title, 'measure', measure, 'target_value', target,
        'unit', unit_of_value, 'direction', direction, 'due_on', due)) as a;
    perform pg_temp.goal_days_ago(issued_before);
    perform app.act_as('chief_inspector');
    perform app.act('annual_targets', made, 'issue', null, '{"comment": "请按时完成"}');
    return made;
end
$$;

create function pg_temp.goal_reach(target uuid, login text, days integer, actual numeric, text text)
returns void language plpgsql as $$
declare
    file uuid;
begin
    perform pg_temp.goal_days_ago(days);
    perform app.act_as(login);
    select (a.body::jsonb ->> 'id')::uuid into file
    from decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64') as pixel,
        lateral app.store_attachment(encode(sha256(pixel), 'hex'), length(pixel), 'image/png', pixel,
            '{"file_name": "完成情况.png", "kind": "evidence", "classification": "internal"}') as a;
    perform app.act('annual_targets', target, 'report', null, jsonb_build_object('actual_value', actual,
        'text', text, 'evidence', jsonb_build_array(file)));
end
$$;

do $$
declare
    target uuid;
    other constant text := (select o.code from dudao.users u
        join dudao.organizations o on o.id = u.organization_id where u.login = 'township_account_2');
begin
    target := pg_temp.goal_set('ORG-430626101', '控辍保学动态清零', '义务教育阶段失学辍学学生数', 0, '人', -40, 'at_most');
    perform pg_temp.goal_reach(target, 'township_account', 45, 0, '全镇义务教育阶段无失学辍学学生');
    perform pg_temp.goal_days_ago(30);
    perform app.act_as('office_staff');
    perform app.act('annual_targets', target, 'verify_met', null, '{"comment": "抽查三所学校，属实"}');

    target := pg_temp.goal_set(other, '公办幼儿园学位', '新增公办园学位', 180, '个', -45);
    perform pg_temp.goal_reach(target, 'township_account_2', 50, 120, '新增学位120个，余下工程因征地延后');
    perform pg_temp.goal_days_ago(35);
    perform app.act_as('office_staff');
    perform app.act('annual_targets', target, 'verify_not_met', null, '{"reason": "新增学位120个，未达到180个"}');

    target := pg_temp.goal_set('ORG-430626101', '校园周边道路整治', '完成整治条数', 4, '条', 40, 'at_least', 150);
    perform pg_temp.goal_days_ago(60);
    perform app.act_as('committee_director');
    perform app.act('annual_targets', target, 'adjust', null, '{"target_value": 3, "reason": "一条道路并入省道改造"}');

    target := pg_temp.goal_set('MU07', '教师培训覆盖', '完成培训教师占比', 95, '%', 30, 'at_least', 150);
    perform pg_temp.goal_reach(target, 'department_account', 3, 96.5, '已完成培训4820人');
    target := pg_temp.goal_set('MU08', '学生健康体检', '体检覆盖率', 98, '%', -12);
    target := pg_temp.goal_set('ORG-2143990006', '近视防控', '近视率下降', 1, '个百分点', 60, 'at_least', 120);

    perform pg_temp.goal_days_ago(5);
    perform app.act_as('office_staff');
    perform app.create('annual_targets', jsonb_build_object('organization_id', o.id,
        'year', extract(year from app.today() + 100), 'title', '学校食堂明厨亮灶', 'measure', '覆盖率',
        'target_value', 100, 'unit', '%', 'due_on', app.today() + 100, 'source', 'performance_system',
        'external_ref', 'JX-' || o.code)) from dudao.organizations o where o.code = 'MU07';
    perform app.act_as('member_liaison');
    perform app.create('annual_targets', jsonb_build_object('title', '督导联络会议', 'measure', '召开次数',
        'target_value', 4, 'unit', '次', 'due_on', app.today() + 90, 'year', extract(year from app.today() + 90)));
end
$$;

-- who is to be told by now, is told
select set_config('dudao.now', '', true), app.act_as('', true);
select app.tell_targets();
select app.tell_meetings();
select app.tell_urgent_reports();
