-- Demo: the channels of the county (C2.3.1.b), and one rectification that
-- went its whole way to the public through the steps of 3.23.

insert into dudao.publication_channels(kind, name, owner_org_id, url, is_demo)
select c.kind, c.name, o.id, c.url, true
from (values
    ('gov_portal', '平江县人民政府门户网站（演示）', 'https://portal.example'),
    ('broadcast_tv', '平江县融媒体中心（演示）', null),
    ('official_account', '平江教育督导公众号（演示）', 'https://account.example'),
    ('notice_board', '学校公示栏（演示）', null),
    ('system_public', '本系统公开页（演示）', null)) as c(kind, name, url)
left join dudao.organizations o on o.kind = 'supervision_office';

do $$
declare
    problem dudao.problems;
    made uuid;
begin
    perform set_config('dudao.is_demo', 'on', true);
    select p.* into problem
    from dudao.problems p
    join dudao.users u on u.organization_id = p.organization_id and u.login like 'school_account%'
    where p.state = 'struck_off'
    order by p.code
    limit 1;
    if problem.id is null then
        return;
    end if;
    perform app.act_as((select u.login from dudao.users u
        where u.organization_id = problem.organization_id and u.login like 'school_account%'
        order by u.login limit 1), true);
    insert into dudao.publications(code, kind, subject_type, subject_id,
        publisher_org_id, title, summary, body)
    values (app.next_code('GK'), 'rectification_disclosure', 'problems', problem.id,
        problem.organization_id, '关于“' || problem.title || '”整改情况的公示',
        '问题已整改到位并经督导办核查销号。',
        E'问题：' || problem.description || E'\n整改要求：' || coalesce(problem.requirement, '')
        || E'\n完成情况：已按要求整改，经现场核查到位。\n监督方式：可向县政府教育督导办反映。')
    returning id into made;
    perform app.act('publications', made, 'submit', null, '{}');
    perform app.act_as('office_staff', true);
    perform app.act('publications', made, 'secrecy_check', null, '{"result": "pass"}');
    perform app.act_as('chief_inspector', true);
    perform app.act('publications', made, 'approve', null, '{"comment": "同意公开"}');
    perform app.act_as('office_staff', true);
    perform app.act('publications', made, 'publish', null, jsonb_build_object('placements',
        jsonb_build_array(jsonb_build_object(
            'channel_id', (select c.id from dudao.publication_channels c where c.kind = 'gov_portal' and c.is_demo limit 1),
            'url', 'https://portal.example/zhenggai/1'))));
end
$$;
