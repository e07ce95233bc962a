-- Supervision reports of the demo county, by the steps of 3.8: two of them
-- public, others on their way. Fictional.

set local dudao.is_demo = 'on';

do $$
declare
    today constant date := (now() at time zone 'Asia/Shanghai')::date;
    task uuid;
    other uuid;
    report uuid;
    item record;
    publication uuid;

begin
    perform set_config('dudao.now', ((today - 40 + time '09:00')
        at time zone 'Asia/Shanghai')::text, true);
    perform app.act_as('office_staff', true);
    for item in
        select z.code, z.name, l.login, i.id as inspector_id
        from (values ('Z4', 'inspector_ft', '演示督学02'),
            ('Z1', 'inspector_05', '演示督学05')) as l(zone, login, person)
        join dudao.zones z on z.code = l.zone
        join dudao.persons p on p.name = l.person
        join dudao.inspectors i on i.person_id = p.id
        order by z.code
    loop
        perform app.act_as('office_staff', true);
        other := task;
        select (a.body::jsonb ->> 'id')::uuid into task
        from app.create('supervision_tasks', jsonb_build_object(
            'kind', 'regular', 'title', item.name || '开学条件督导',
            'year', extract(year from app.today())::integer,
            'matters', '["M1", "M2"]'::jsonb,
            'basis_document_id', (select d.id from dudao.policy_documents d
                where d.title = '教育督导条例'),
            'leader_inspector_id', item.inspector_id,
            'team', jsonb_build_array(jsonb_build_object('role', 'leader',
                'inspector_id', item.inspector_id)),
            'targets', (select jsonb_agg(jsonb_build_object(
                    'organization_id', s.id, 'trigger', 'plan'))
                from (
                    select s.id from dudao.schools s
                    join dudao.zones z on z.id = s.zone_id
                    where z.code = item.code and s.counts_in_ratio
                    order by s.ident_code desc
                    limit 2) as s))) as a;
        perform app.act_as('chief_inspector', true);
        perform app.act('supervision_tasks', task, 'approve');
        perform app.act_as(item.login, true);
        perform app.act('supervision_tasks', task, 'start');
        perform app.act('supervision_tasks', task, 'summarize');
    end loop;

    for item in
        select * from (values
            (1, '西南督学责任区开学条件督导报告', 'full', false, 'published', true),
            (2, '城区督学责任区开学条件督导报告', 'redacted', false, 'published', false),
            (3, '西南督学责任区课后服务督导报告', 'full', false, 'issued', true),
            (4, '西南督学责任区食堂管理督导报告', 'full', false, 'exempted', true),
            (5, '全县校园安全重大督导报告', 'full', true, 'committee_review', true),
            (6, '城区督学责任区课程实施督导报告', 'full', false, 'office_review', false),
            (7, '西南督学责任区体质健康督导报告', 'full', false, 'draft', true)
        ) as r(n, title, disclosure, is_major, state, southwest)
        order by n
    loop
        perform set_config('dudao.now', ((today - 30 + item.n + time '09:00')
            at time zone 'Asia/Shanghai')::text, true);
        perform app.act_as('office_staff', true);
        select (a.body::jsonb ->> 'id')::uuid into report
        from app.create('supervision_reports', jsonb_build_object(
            'task_id', case when item.southwest then task else other end,
            'title', item.title, 'is_major', item.is_major,
            'disclosure', item.disclosure, 'no_problem_found', true,
            'body', '督导组对责任区学校进行了实地督导，总体情况良好，未发现需要挂账整改的问题。',
            'redacted_body', case item.disclosure when 'redacted'
                then '总体情况良好，未发现需要挂账整改的问题。' end,
            'findings', '[{"title": "总体情况", "text": "开学准备充分，制度健全"}]'::jsonb,
            'statistics', '{"schools": 2, "problems": 0}'::jsonb)) as a;
        continue when item.state = 'draft';
        perform app.act('supervision_reports', report, 'submit');
        continue when item.state = 'office_review';
        perform app.act_as('chief_inspector', true);
        if item.is_major then
            perform app.act('supervision_reports', report, 'to_committee');
            continue;
        end if;
        perform app.act('supervision_reports', report, 'issue');
        -- the township is told of what concerns its schools
        if item.n = 1 then
            perform app.dispatch('supervision_reports', report, 'inform',
                o.id, 'supervised_unit', null, 'sent')
            from dudao.organizations o
            where o.code = 'ORG-430626101';
        end if;
        continue when item.state = 'issued';
        perform app.act_as('office_staff', true);
        perform app.act('dispatches', d.id, 'send')
        from dudao.dispatches d
        where d.subject_type = 'supervision_reports'
            and d.subject_id = report and d.state = 'planned';
        perform app.act('supervision_reports', report, 'mark_delivered');
        if item.state = 'exempted' then
            perform app.act_as('committee_director', true);
            perform app.act('supervision_reports', report, 'exempt', null,
                '{"reason": "涉及未成年人个人信息"}');
            continue;
        end if;
        select p.id into publication
        from dudao.publications p
        where p.subject_type = 'supervision_reports' and p.subject_id = report;
        perform app.act('publications', publication, 'submit');
        perform app.act_as('office_staff_2', true);
        perform app.act('publications', publication, 'secrecy_check', null,
            '{"result": "pass"}');
        perform app.act_as('chief_inspector', true);
        perform app.act('publications', publication, 'approve', null,
            '{"comment": "同意公开"}');
        perform app.act_as('office_staff', true);
        perform app.act('publications', publication, 'publish', null,
            jsonb_build_object('placements', jsonb_build_array(
                jsonb_build_object('channel_id', (
                        select c.id from dudao.publication_channels c
                        where c.kind = 'gov_portal' and c.is_demo limit 1),
                    'url', 'https://portal.example/dudao/' || item.n))));
    end loop;
end
$$;

select set_config('dudao.now', '', true), app.act_as('', true);
