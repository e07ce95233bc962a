-- Demo county: the assessments of last year, confirmed for all; drafts of this
-- year; three ranks with applications in every state; awards in every state,
-- and the decisions on them. Days are relative to the day of loading, the
-- people and their merits are fictional.

set local jit = off;
select set_config('dudao.is_demo', 'on', true);

create function pg_temp.merit_at(day date) returns void
language sql
as $$
    select set_config('dudao.now', (day + time '10:00')::text || '+08', true)
$$;

create function pg_temp.merit_step(
    resource text, id uuid, login text, action text, data jsonb default '{}')
returns void
language plpgsql
as $$
begin
    perform app.act_as(login, true);
    if not exists (select from app.act(resource, id, action, null, data)) then
        raise exception '% %: no such record', resource, id;
    end if;
end
$$;

create function pg_temp.merit_made(resource text, login text, body jsonb) returns uuid
language plpgsql
as $$
begin
    perform app.act_as(login, true);
    return (select a.body::jsonb ->> 'id' from app.create(resource, body) as a);
end
$$;

create function pg_temp.merit_inspector(name text) returns uuid
language sql
as $$
    select i.id from inspectors i join persons p on p.id = i.person_id where p.name = $1
$$;

create function pg_temp.merit_login_of(inspector uuid) returns text
language sql
as $$
    select u.login from inspectors i join users u on u.person_id = i.person_id where i.id = $1
$$;

-- The year under way: that of the evaluations, which in January is the last.
create function pg_temp.merit_year() returns integer
language sql
as $$
    select extract(year from (now() at time zone 'Asia/Shanghai')::date - 31)
$$;

-- A day of last winter, or two months back where that has not come yet.
create function pg_temp.merit_winter(days integer) returns date
language sql
as $$
    select least(make_date(pg_temp.merit_year(), 1, 10),
        (now() at time zone 'Asia/Shanghai')::date - 60) + days
$$;

do $$
declare
    last_year constant integer := pg_temp.merit_year() - 1;
    today constant date := (now() at time zone 'Asia/Shanghai')::date;
    chief constant uuid := (select i.id from inspectors i join persons p on p.id = i.person_id
        where p.code = 'RY-800000');
    item record;
    made uuid;
begin
    -- last year: opened, reported, assessed, confirmed (R-INS-07)
    perform pg_temp.merit_at(pg_temp.merit_winter(0));
    perform app.act_as('office_staff', true);
    perform app.open_assessment_year(jsonb_build_object('year', last_year));
    perform pg_temp.merit_at(pg_temp.merit_winter(5));
    for item in
        select a.id, a.inspector_id from inspector_assessments a where a.year = last_year order by a.id
    loop
        perform pg_temp.merit_step('inspector_assessments', item.id, pg_temp.merit_login_of(item.inspector_id),
            'self_review', jsonb_build_object('self_review',
                '按时完成责任学校的经常性督导，及时报送督导报告，跟踪督促问题整改，参加了集中培训。'));
    end loop;
    -- one statement for all: the steps and their checks run for each row
    perform pg_temp.merit_at(pg_temp.merit_winter(15));
    perform app.act_as('office_staff', true);
    perform set_config('dudao.action', 'assess', true);
    update inspector_assessments a
    set dimensions = d.points, weights = app.parameter('assessment_weights'),
        grades = app.parameter('assessment_grades'),
        score = app.assessment_score(d.points, app.parameter('assessment_weights')),
        grade = app.assessment_grade(app.assessment_score(d.points, app.parameter('assessment_weights')),
            app.parameter('assessment_grades')),
        comment = '依据履职记录评定', assessed_by = app.user_id(), assessed_on = app.today(),
        state = 'assessed'
    from (
        select n.id, jsonb_build_object('conduct', n.level + 2, 'reports', n.level,
            'feedback_urging', n.level + 1, 'training', n.level - 3, 'satisfaction', n.level + 1) as points
        from (
            select i.id, case when p.name in ('演示督学01', '演示督学02', '演示督学05', '演示督学06',
                    '演示督学17', '演示督学18', '演示督学19', '演示督学31') then 93
                when p.name = '演示督学45' then 68
                else 78 + right(i.code, 2)::integer % 9 end as level
            from inspectors i
            join persons p on p.id = i.person_id
        ) as n
    ) as d
    where d.id = a.inspector_id and a.year = last_year;
    perform pg_temp.merit_at(pg_temp.merit_winter(25));
    perform app.act_as('chief_inspector', true);
    perform set_config('dudao.action', 'confirm', true);
    update inspector_assessments a
    set confirmed_by = app.user_id(), confirmed_on = app.today(), state = 'confirmed'
    where a.year = last_year and a.inspector_id <> chief;
    perform app.act_as('committee_director', true);
    update inspector_assessments a
    set confirmed_by = app.user_id(), confirmed_on = app.today(), state = 'confirmed'
    where a.year = last_year and a.inspector_id = chief;
    perform set_config('dudao.action', '', true);

    -- this year's first ones
    perform pg_temp.merit_at(today - 6);
    for item in
        select n.name, n.steps, pg_temp.merit_inspector(n.name) as inspector
        from (values ('演示督学02', 1), ('演示督学03', 2), ('演示督学17', 0), ('演示督学31', 1),
            ('演示督学32', 0)) as n(name, steps)
    loop
        made := pg_temp.merit_made('inspector_assessments', 'office_staff',
            jsonb_build_object('inspector_id', item.inspector, 'year', pg_temp.merit_year()));
        if item.steps > 0 then
            perform pg_temp.merit_step('inspector_assessments', made, pg_temp.merit_login_of(item.inspector),
                'self_review', '{"self_review": "本年度按计划完成入校督导，发现的问题均已录入台账。"}');
        end if;
        if item.steps > 1 then
            perform pg_temp.merit_step('inspector_assessments', made, 'zone_lead', 'assess',
                '{"dimensions": {"conduct": 90, "reports": 88, "feedback_urging": 91, "training": 85, "satisfaction": 90}, "comment": "表现良好"}');
        end if;
    end loop;
end
$$;


-- Ranks: the county tries the sequence out (C2.4.3.g) ----------------------------

do $$
declare
    item record;
    made uuid;
    first_rank uuid;
    panel constant jsonb := (select jsonb_agg(jsonb_build_object('person_id', p.id,
            'score', 84 + right(p.name, 1)::integer, 'opinion', '同意'))
        from persons p where p.name in ('演示督学60', '演示督学61', '演示督学62'));
begin
    perform pg_temp.merit_at(pg_temp.merit_winter(2));
    made := pg_temp.merit_made('rule_parameter_changes', 'sys_admin', jsonb_build_object(
        'rule_parameter_id', (select p.id from rule_parameters p where p.key = 'rank_sequence_enabled'),
        'value', true, 'reason', '试行督学专业技术等级序列'));
    perform pg_temp.merit_step('rule_parameter_changes', made, 'chief_inspector', 'approve', '{"comment": "同意试行"}');
    first_rank := pg_temp.merit_made('inspector_ranks', 'office_staff',
        '{"code": "DX-1", "name": "初级督学", "order": 1, "criteria": {"description": "年度考核称职以上"}}');
    perform pg_temp.merit_made('inspector_ranks', 'office_staff',
        '{"code": "DX-2", "name": "中级督学", "order": 2, "criteria": {"description": "任职满三年，考核优秀一次以上", "min_service_years": 3, "min_excellent_years": 1}}');
    perform pg_temp.merit_made('inspector_ranks', 'office_staff',
        '{"code": "DX-3", "name": "高级督学", "order": 3, "criteria": {"description": "任职满六年，考核优秀三次以上", "min_service_years": 6, "min_excellent_years": 3}}');

    for item in
        select n.steps, n.is_rejected, n.day, pg_temp.merit_inspector(n.name) as inspector
        from (values ('演示督学02', 5, false, pg_temp.merit_winter(26)), ('演示督学31', 5, true, pg_temp.merit_winter(26)),
            ('演示督学01', 4, false, null), ('演示督学05', 3, false, null),
            ('演示督学06', 2, false, null), ('演示督学17', 1, false, null)) as n(name, steps, is_rejected, day)
    loop
        item.day := coalesce(item.day, (now() at time zone 'Asia/Shanghai')::date - 5);
        perform pg_temp.merit_at(item.day);
        made := pg_temp.merit_made('rank_applications', pg_temp.merit_login_of(item.inspector), jsonb_build_object(
            'to_rank_id', first_rank, 'statement', '任督学以来履职尽责，年度考核优秀。',
            'materials', '[{"title": "年度考核表"}, {"title": "培训证书"}]'::jsonb));
        continue when item.steps < 2;
        perform pg_temp.merit_at(item.day + 1);
        perform pg_temp.merit_step('rank_applications', made, 'office_staff', 'review', '{"comment": "材料齐全"}');
        continue when item.steps < 3;
        perform pg_temp.merit_at(item.day + 2);
        perform pg_temp.merit_step('rank_applications', made, 'office_staff', 'evaluate',
            jsonb_build_object('review_panel', panel));
        continue when item.steps < 4;
        perform pg_temp.merit_at(item.day + 3);
        perform pg_temp.merit_step('rank_applications', made, 'chief_inspector', 'publicize');
        continue when item.steps < 5;
        perform pg_temp.merit_at(item.day + 20);
        if item.is_rejected then
            perform pg_temp.merit_step('rank_applications', made, 'chief_inspector', 'reject',
                '{"reason": "公示期间收到异议，经核实成立"}');
        else
            perform pg_temp.merit_step('rank_applications', made, 'chief_inspector', 'approve',
                jsonb_build_object('decision_doc_no', '平教督〔' || extract(year from app.today()) || '〕DJ1号'));
        end if;
    end loop;
end
$$;


-- Awards (C2.1.3.i, C2.4.3.h) ----------------------------------------------------

create function pg_temp.merit_award(
    day date, steps integer, recipient jsonb, title text, doc_no text default null,
    final text default 'grant')
returns void
language plpgsql
as $$
declare
    last_year constant integer := pg_temp.merit_year() - 1;
    made uuid;
begin
    perform pg_temp.merit_at(day);
    made := pg_temp.merit_made('awards', 'office_staff', recipient || jsonb_build_object(
        'year', last_year, 'title', title, 'level', 'supervision_committee',
        'kind', case when recipient ? 'recipient_inspector_id' then 'inspector' else 'annual_evaluation' end,
        'citation', '认真履职，成效显著。')
        -- money comes from the year's line for awards
        || case when doc_no like '%J1号' then coalesce((
            select jsonb_build_object('amount_fen', 200000, 'budget_line_id', l.id)
            from budget_lines l
            join budgets b on b.id = l.budget_id
            where l.category = 'award' and b.year = last_year + 1
                and b.state in ('approved', 'adjusted')), '{}') else '{}' end
        -- whom the year's campaigns evaluated is rewarded for that
        || case when recipient ? 'recipient_inspector_id' or exists (
                select from evaluations e
                join evaluation_campaigns c on c.id = e.campaign_id
                where c.year = last_year and e.finalized_on is not null
                    and coalesce(e.organization_id, e.zone_id)::text in (
                        recipient ->> 'recipient_organization_id', recipient ->> 'recipient_zone_id'))
            then '{}'::jsonb
            else '{"basis_grade": "good", "basis_text": "年度教育督导工作评估良好以上"}' end);
    if steps < 1 then
        return;
    end if;
    perform pg_temp.merit_at(day + 1);
    perform pg_temp.merit_step('awards', made, 'chief_inspector', 'review', '{"comment": "同意"}');
    if steps < 2 then
        return;
    end if;
    perform pg_temp.merit_at(day + 2);
    perform pg_temp.merit_step('awards', made, 'office_staff', 'publicize');
    if steps < 3 then
        return;
    end if;
    perform pg_temp.merit_at(day + 3);
    if final <> 'grant' then
        perform pg_temp.merit_step('awards', made, 'office_staff', 'raise_objection',
            '{"raised_by": "群众来信", "text": "建议核实全年入校督导次数。"}');
        perform pg_temp.merit_at(day + 5);
        perform pg_temp.merit_step('awards', made, 'chief_inspector', 'decide_objection', jsonb_build_object(
            'no', 1, 'upheld', final = 'reject',
            'opinion', case final when 'reject' then '经核实，入校次数不足' else '经核实，情况属实' end));
    end if;
    perform pg_temp.merit_at(day + 16);
    if final = 'reject' then
        perform pg_temp.merit_step('awards', made, 'chief_inspector', 'reject', '{"reason": "异议成立"}');
        return;
    end if;
    perform pg_temp.merit_step('awards', made, 'committee_director', 'grant', jsonb_build_object('doc_no', doc_no));
    if final = 'revoke' then
        perform pg_temp.merit_at(day + 30);
        perform pg_temp.merit_step('awards', made, 'committee_director', 'revoke', '{"reason": "申报事迹不实"}');
    end if;
end
$$;

do $$
declare
    today constant date := (now() at time zone 'Asia/Shanghai')::date;
    this_year constant integer := pg_temp.merit_year();
    item record;
    award_kind text;
    made uuid;
begin
    -- the first year of the office: there were none
    perform pg_temp.merit_at(pg_temp.merit_winter(1));
    for item in
        select * from (values
            (this_year - 4, 'annual_evaluation', 'no_award', '当年评估办法尚在试行，不开展表彰', 'W1'),
            (this_year - 4, 'inspector', 'no_award', '当年督学考核办法尚未施行，不开展表彰', 'W2')
        ) as d(year, kind, decision, reason, doc_no)
    loop
        made := pg_temp.merit_made('award_decisions', 'office_staff', jsonb_build_object('year', item.year,
            'kind', item.kind, 'decision', item.decision, 'reason', item.reason));
        perform pg_temp.merit_step('award_decisions', made, 'committee_director', 'decide', jsonb_build_object(
            'doc_no', '平教督委〔' || extract(year from app.today()) || '〕' || item.doc_no || '号'));
    end loop;

    for item in
        select n.name, n.final, row_number() over (order by n.name) as n
        from (values ('演示督学02', 'grant'), ('演示督学31', 'grant'), ('演示督学17', 'grant'),
            ('演示督学05', 'revoke'), ('演示督学06', 'reject')) as n(name, final)
    loop
        perform pg_temp.merit_award(pg_temp.merit_winter(28), 3, jsonb_build_object(
            'recipient_inspector_id', pg_temp.merit_inspector(item.name)), '优秀责任督学',
            '平教督委〔' || this_year || '〕J' || item.n || '号', item.final);
    end loop;
    for item in
        select o.id, row_number() over (order by o.code) as n from organizations o
        where o.name in ('安定镇人民政府', '安定镇示例中心小学', '教育局', '卫健局')
    loop
        perform pg_temp.merit_award(pg_temp.merit_winter(28), 3, jsonb_build_object('recipient_organization_id', item.id),
            '教育督导工作先进单位', '平教督委〔' || this_year || '〕D' || item.n || '号');
    end loop;
    perform pg_temp.merit_award(pg_temp.merit_winter(28), 3, jsonb_build_object('recipient_zone_id',
        (select z.id from zones z where z.code = 'Z4')), '先进督学责任区', '平教督委〔' || this_year || '〕Z1号');
    -- under way
    perform pg_temp.merit_award(today - 3, 2, jsonb_build_object('recipient_inspector_id',
        pg_temp.merit_inspector('演示督学01')), '督导工作贡献奖');
    perform pg_temp.merit_award(today - 3, 2, jsonb_build_object('recipient_zone_id',
        (select z.id from zones z where z.code = 'Z2')), '督导工作贡献奖');
    perform pg_temp.merit_award(today - 2, 1, jsonb_build_object('recipient_inspector_id',
        pg_temp.merit_inspector('演示督学18')), '督导工作贡献奖');
    perform pg_temp.merit_award(today - 2, 0, jsonb_build_object('recipient_inspector_id',
        pg_temp.merit_inspector('演示督学19')), '督导工作贡献奖');
    perform pg_temp.merit_award(today - 1, 0, jsonb_build_object('recipient_zone_id',
        (select z.id from zones z where z.code = 'Z1')), '督导工作贡献奖');

    -- last year's decision, and a draft for this one (R-EVA-05)
    perform pg_temp.merit_at(pg_temp.merit_winter(45));
    foreach award_kind in array '{annual_evaluation,inspector}'::text[] loop
        made := pg_temp.merit_made('award_decisions', 'office_staff', jsonb_build_object('year', this_year - 1,
            'kind', award_kind, 'decision', 'awards', 'reason', '按年度评估和考核结果予以表彰'));
        perform pg_temp.merit_step('award_decisions', made, 'committee_director', 'decide', jsonb_build_object(
            'doc_no', '平教督委〔' || this_year || '〕' || case award_kind when 'inspector' then 'B2' else 'B1' end || '号'));
    end loop;
    perform pg_temp.merit_at(today - 1);
    perform pg_temp.merit_made('award_decisions', 'office_staff', jsonb_build_object('year', this_year,
        'kind', 'annual_evaluation', 'decision', 'awards', 'reason', '拟按年度评估结果表彰'));
end
$$;

-- The notices go public (3.23).
do $$
declare
    item record;
begin
    for item in
        select p.id, p.created_at, u.login
        from publications p
        join users u on u.id = p.created_by
        where p.state = 'draft' and p.kind = 'appointment_notice' and p.subject_id is null
            and p.title ~ '^(拟表彰对象公示|表彰决定公告|撤销表彰公告|督学专业技术等级晋升公示)'
        order by p.created_at, p.id
    loop
        perform set_config('dudao.now', (item.created_at + interval '3 hours')::text, true);
        perform pg_temp.merit_step('publications', item.id, 'office_staff', 'submit');
        perform pg_temp.merit_step('publications', item.id, 'office_staff_2', 'secrecy_check', '{"result": "pass"}');
        perform pg_temp.merit_step('publications', item.id,
            case item.login when 'chief_inspector' then 'committee_director' else 'chief_inspector' end,
            'approve', '{"comment": "同意公开"}');
        perform pg_temp.merit_step('publications', item.id, 'office_staff', 'publish',
            jsonb_build_object('placements', jsonb_build_array(jsonb_build_object(
                'channel_id', (select c.id from publication_channels c where c.kind = 'official_account' order by c.id limit 1),
                'url', 'https://notices.example/' || item.id))));
    end loop;
end
$$;

-- The work of zones and townships is inspected (C2.1.3.h, R-ZON-05) -----------------

do $$
declare
    today constant date := (now() at time zone 'Asia/Shanghai')::date;
    leader constant uuid := pg_temp.merit_inspector('演示督学02');
    task uuid;
    item record;
    visit uuid;
begin
    perform pg_temp.merit_at(today - 30);
    task := pg_temp.merit_made('supervision_tasks', 'office_staff', jsonb_build_object(
        'kind', 'work_inspection', 'title', '乡镇（街道）和督学责任区教育督导工作监督检查',
        'year', extract(year from today), 'matters', '["M4"]'::jsonb,
        'basis_document_id', (select d.id from policy_documents d where d.doc_no = '平办发〔2022〕30号'),
        'leader_inspector_id', leader, 'onsite_from', today - 20, 'onsite_to', today - 17,
        'team', (select jsonb_agg(jsonb_build_object('inspector_id', pg_temp.merit_inspector(n),
                'role', case when n = '演示督学02' then 'leader' else 'member' end))
            from unnest('{演示督学02,演示督学03,演示督学04}'::text[]) as n),
        'targets', (select jsonb_agg(t.target) from (
            select jsonb_build_object('zone_id', z.id) as target from zones z where z.active_to is null
            union all
            select jsonb_build_object('organization_id', o.id) from organizations o
            where o.kind in ('township_government', 'subdistrict_office') and o.status = 'operating') as t)));
    perform pg_temp.merit_step('supervision_tasks', task, 'chief_inspector', 'approve', '{"comment": "同意"}');
    perform pg_temp.merit_at(today - 28);
    perform pg_temp.merit_step('supervision_tasks', task, 'chief_inspector', 'issue_notice',
        '{"text": "定于近期对教育督导工作开展情况进行监督检查，请备齐工作台账。", "schedule": "听取汇报，查阅台账，走访学校", "materials_required": "督导工作台账"}');
    perform pg_temp.merit_at(today - 20);
    perform pg_temp.merit_step('supervision_tasks', task, 'office_staff', 'start');
    for item in
        select t.id from supervision_targets t where t.task_id = task order by t.id
    loop
        perform pg_temp.merit_step('supervision_targets', item.id, 'chief_inspector',
            'waive_self_assessment', '{"reason": "以督导工作台账代替自评"}');
        perform pg_temp.merit_step('supervision_targets', item.id, 'inspector_ft', 'begin_onsite');
        visit := pg_temp.merit_made('visits', 'inspector_ft', jsonb_build_object(
            'client_uid', app.uuid_v7(), 'kind', 'onsite', 'target_id', item.id,
            'visited_on', app.today(), 'methods', '["document", "meeting"]'::jsonb,
            'summary', '查阅督导工作台账，听取汇报，工作正常开展。', 'no_problem_found', true,
            'arrived_at', app.ts((app.today() + time '08:30') at time zone 'Asia/Shanghai'),
            'left_at', app.ts((app.today() + time '09:30') at time zone 'Asia/Shanghai')));
        perform pg_temp.merit_step('visits', visit, 'inspector_ft', 'submit');
        perform pg_temp.merit_step('visits', visit, 'office_staff', 'review', '{"comment": "已审阅"}');
        perform pg_temp.merit_step('supervision_targets', item.id, 'inspector_ft', 'end_onsite');
    end loop;
end
$$;

-- what is months old waits for nobody
select set_config('dudao.now', '', true);
select app.act_as('', true);
update notifications
set read_at = created_at
where read_at is null and created_at < now() - interval '30 days'
    and subject_type in ('inspector_assessments', 'rank_applications', 'awards');
