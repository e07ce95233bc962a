-- Research (3.24): the centre's engagements of last and this year, projects,
-- recommendations in every state, and exchanges (C2.4.2.c, C2.4.3.d, C3.3).

set local jit = off;
select set_config('dudao.is_demo', 'on', true);

create function pg_temp.research_at(day date, hour integer default 9) returns void
language sql as $$
    select set_config('dudao.now',
        (day + make_time(hour, 0, 0))::text || '+08', true)
$$;

create function pg_temp.research_step(resource text, id uuid, login text, action text,
    data jsonb default '{}') returns void
language plpgsql as $$
begin
    perform app.act_as(login, true);
    if not exists (select from app.act(resource, id, action, null, data)) then
        raise exception '% %: no such record', resource, id;
    end if;
end
$$;

create function pg_temp.research_new(resource text, login text, body jsonb) returns uuid
language plpgsql as $$
begin
    perform app.act_as(login, true);
    return (select split_part(a.location, '/', 4)::uuid
        from app.create(resource, body) as a);
end
$$;

create function pg_temp.research_persons(names text[]) returns uuid[]
language sql as $$
    select coalesce(array_agg(p.id order by p.name), '{}')
    from dudao.persons p
    where p.name = any (names)
$$;

-- An engagement taken as far as last_state says.
create function pg_temp.research_engagement(kind text, title text, units text[],
    assigned_on date, due_on date, last_state text) returns void
language plpgsql as $$
declare
    pixel constant bytea := decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf'
        || 'FcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64');
    engagement uuid;
    file text;
begin
    perform pg_temp.research_at(assigned_on);
    engagement := pg_temp.research_new('center_engagements', 'office_staff',
        jsonb_build_object('kind', kind, 'title', title, 'due_on', due_on,
            'requirements', '按方案组织实施，形成数据与书面报告。',
            'subject_organization_ids', (select coalesce(jsonb_agg(o.id), '[]')
                from dudao.organizations o where o.name = any (units))));
    if last_state = 'assigned' then
        return;
    end if;
    perform pg_temp.research_at(assigned_on, 15);
    perform pg_temp.research_step('center_engagements', engagement, 'research_center', 'start');
    if last_state = 'working' then
        return;
    end if;
    perform pg_temp.research_at(least(due_on,
        ((now() at time zone 'Asia/Shanghai')::date)));
    perform app.act_as('research_center', true);
    select a.body::jsonb ->> 'id' into file
    from app.store_attachment(encode(sha256(pixel), 'hex'), length(pixel),
        'image/png', pixel, jsonb_build_object('file_name', title || '报告.png',
            'kind', 'evidence', 'classification', 'internal')) as a;
    perform pg_temp.research_step('center_engagements', engagement, 'research_center',
        'submit', jsonb_build_object('result_attachment_id', file,
            'result_summary', title || '：已按方案完成，问题与建议见报告。'));
    if last_state = 'returned' then
        perform pg_temp.research_step('center_engagements', engagement, 'office_staff',
            'return', '{"reason": "缺少分校数据，请补充"}');
    elsif last_state = 'accepted' then
        perform pg_temp.research_step('center_engagements', engagement, 'office_staff',
            'accept', '{"comment": "符合要求，予以验收"}');
    end if;
end
$$;

-- A project taken as far as last_state says; its leader makes the steps.
create function pg_temp.research_project(kind text, title text, leader text, login text,
    members text[], starts_on date, ends_on date, last_state text) returns uuid
language plpgsql as $$
declare
    project uuid;
begin
    perform pg_temp.research_at(starts_on - 40);
    project := pg_temp.research_new('research_projects', login, jsonb_build_object(
        'kind', kind, 'title', title, 'starts_on', starts_on, 'ends_on', ends_on,
        'purpose', '摸清现状，提出改进完善的建议。',
        'leader_person_id', (pg_temp.research_persons(array[leader]))[1],
        'member_person_ids', pg_temp.research_persons(members),
        'fund_fen', case kind when 'inspector_research' then 500000 else 2000000 end));
    if last_state = 'applied' then
        return project;
    end if;
    perform pg_temp.research_at(starts_on - 20);
    if last_state = 'rejected' then
        perform pg_temp.research_step('research_projects', project, 'chief_inspector',
            'reject', '{"reason": "与在研课题重复"}');
        return project;
    end if;
    perform pg_temp.research_step('research_projects', project, 'chief_inspector', 'approve');
    if last_state = 'approved' then
        return project;
    end if;
    perform pg_temp.research_at(starts_on);
    perform pg_temp.research_step('research_projects', project, login, 'start');
    if last_state = 'running' then
        return project;
    end if;
    perform pg_temp.research_at(ends_on);
    if last_state = 'terminated' then
        perform pg_temp.research_step('research_projects', project, 'chief_inspector',
            'terminate', '{"reason": "主持人工作调动"}');
        return project;
    end if;
    perform pg_temp.research_step('research_projects', project, login, 'conclude',
        '{"outcome": "形成研究报告一份、政策建议两条。"}');
    if last_state = 'accepted' then
        perform pg_temp.research_step('research_projects', project, 'chief_inspector', 'accept');
    end if;
    return project;
end
$$;

-- A recommendation, and what was decided on it, by whom.
create function pg_temp.research_recommendation(login text, title text, text text,
    project uuid, unit text, submitted_on date, action text default null,
    decider text default null, data jsonb default '{}') returns void
language plpgsql as $$
declare
    recommendation uuid;
begin
    perform pg_temp.research_at(submitted_on);
    recommendation := pg_temp.research_new('policy_recommendations', login,
        jsonb_build_object('project_id', project, 'title', title, 'text', text,
            'addressed_to_org_id', (select o.id from dudao.organizations o where o.code = unit)));
    if action is null then
        return;
    end if;
    perform pg_temp.research_step('policy_recommendations', recommendation, login, 'submit');
    if action = 'submit' then
        return;
    end if;
    perform pg_temp.research_at(submitted_on, 16);
    perform pg_temp.research_step('policy_recommendations', recommendation, decider, action, data);
end
$$;

do $$
declare
    today constant date := (now() at time zone 'Asia/Shanghai')::date;
    new_year constant date := least(make_date(extract(year from today)::integer, 1, 1), today - 31);
    -- a day of this year that has passed, by its share of what has passed; in
    -- January too there are days for what takes weeks
    spring constant date := new_year + (today - new_year) / 4;
    summer constant date := new_year + (today - new_year) / 2;
    study uuid;
    old_study uuid;
begin
    perform pg_temp.research_engagement('school_evaluation', '安定镇中小学办学水平评估',
        '{安定镇示例中心小学}', new_year - 300, new_year - 200, 'accepted');
    perform pg_temp.research_engagement('quality_monitoring', '义务教育质量监测数据分析',
        '{}', new_year - 250, new_year - 90, 'accepted');
    perform pg_temp.research_engagement('school_evaluation', '安定镇示例中心小学办学水平评估',
        '{安定镇示例中心小学}', spring, summer, 'accepted');
    perform pg_temp.research_engagement('quality_monitoring', '小学四年级数学质量监测',
        '{}', new_year, summer, 'accepted');
    perform pg_temp.research_engagement('training_support', '督导报告撰写课程开发',
        '{}', summer, today + 30, 'submitted');
    perform pg_temp.research_engagement('quality_monitoring', '初中八年级科学质量监测',
        '{}', summer, today + 10, 'returned');
    perform pg_temp.research_engagement('school_evaluation', '安定镇示例小学01办学水平评估',
        '{安定镇示例小学01}', today - 10, today + 60, 'working');
    perform pg_temp.research_engagement('other', '督导指标体系修订论证',
        '{}', today - 2, today + 45, 'assigned');

    old_study := pg_temp.research_project('policy_study', '县域教育督导体制机制改革研究',
        '演示督学24', 'inspector_24', '{演示督学20,演示督学28}', new_year - 350, new_year - 60, 'accepted');
    study := pg_temp.research_project('policy_study', '县域义务教育优质均衡督导机制研究',
        '演示督学20', 'inspector_20', '{演示督学24,演示督学32,演示督学03}', new_year, today + 200, 'running');
    perform pg_temp.research_project('decision_study', '乡镇学校布局调整决策研究',
        '演示督学28', 'inspector_28', '{演示督学36}', spring, today, 'concluded');
    perform pg_temp.research_project('inspector_research', '责任督学经常性督导记录方法研究',
        '演示督学17', 'inspector_pt', '{演示督学18}', spring, today + 150, 'running');
    perform pg_temp.research_project('inspector_research', '农村小规模学校督导工具研究',
        '演示督学02', 'inspector_ft', '{}', today + 30, today + 300, 'applied');
    perform pg_temp.research_project('inspector_research', '督学与学校沟通策略研究',
        '演示督学40', 'inspector_40', '{}', summer, today + 90, 'rejected');
    perform pg_temp.research_project('inspector_research', '课后服务督导案例研究',
        '演示督学44', 'inspector_44', '{演示督学48}', new_year - 200, new_year - 100, 'terminated');
    perform pg_temp.research_project('policy_study', '学前教育普及普惠督导路径研究',
        '演示督学32', 'inspector_32', '{}', today + 15, today + 380, 'approved');

    perform pg_temp.research_recommendation('inspector_24', '关于健全责任区工作机制的建议',
        '建议每个责任区按月研讨、按季通报，形成问题清单。', old_study, 'ORG-OFF', new_year - 50,
        'adopt', 'chief_inspector', jsonb_build_object('adoption', 'adopted',
            'adopted_doc_no', '平教督〔' || extract(year from new_year) - 1 || '〕18号'));
    perform pg_temp.research_recommendation('research_center', '关于加强校园周边综合治理的建议',
        '建议由教育局牵头，每学期开展一次校园周边环境联合检查。', null, 'MU07', spring,
        'adopt', 'committee_member', jsonb_build_object('adoption', 'partly',
            'adopted_doc_no', '平教发〔' || extract(year from new_year) || '〕31号'));
    perform pg_temp.research_recommendation('research_center', '关于建立教育督导大数据平台的建议',
        '建议分步建设督导数据平台，先行归集监测与整改数据。', null, 'ORG-GOV', summer,
        'store', 'chief_inspector', '{"comment": "结合明年信息化规划再研究"}');
    perform pg_temp.research_recommendation('inspector_ft', '关于农村学校食堂集中配餐的建议',
        '建议规模较小的学校由中心学校集中配餐。', null, 'MU07', summer,
        'decline', 'chief_inspector', '{"reason": "现阶段不具备运输与保温条件"}');
    perform pg_temp.research_recommendation('inspector_20', '关于按季通报乡镇履职情况的建议',
        '建议将乡镇履行教育职责评价结果按季通报。', study, 'MU01', today - 5, 'submit');
    perform pg_temp.research_recommendation('inspector_pt', '关于优化督导记录表的建议',
        '建议压缩重复项目，增加问题照片栏。', null, 'ORG-OFF', today - 3);

    perform pg_temp.research_at(summer);
    perform pg_temp.research_new('exchange_activities', 'office_staff', jsonb_build_object(
        'title', '赴示例县学习责任区建设', 'kind', 'study_visit', 'held_on', summer,
        'place', '示例县教育督导办', 'hours', 8, 'report', '学习了责任区工作台账与分片研讨做法。',
        'participant_inspector_ids', (select jsonb_agg(i.id) from dudao.inspectors i
            join dudao.persons p on p.id = i.person_id
            where p.name in ('演示督学01', '演示督学02', '演示督学03', '演示督学20'))));
    perform pg_temp.research_at(today - 1);
    perform pg_temp.research_new('exchange_activities', 'research_center', jsonb_build_object(
        'title', '平江县督学论坛', 'kind', 'forum', 'held_on', today - 1,
        'place', '平江县教师进修学校', 'hours', 4, 'report', '交流论文12篇。',
        'participant_inspector_ids', (select jsonb_agg(i.id) from dudao.inspectors i
            join dudao.persons p on p.id = i.person_id
            where p.name between '演示督学17' and '演示督学26')));
end
$$;
