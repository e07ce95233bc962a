-- The appointments (3.15), zones and plaques (3.24) of 7.2, and the office's
-- own rules (3.21): every step by the account that has to make it, on the day
-- on which it was made.
--
-- Part-time inspectors serve their second term, which followed the first in
-- September 2025; 演示督学40 is in a third one that ends in 60 days and cannot
-- be renewed. Two schools have no plaque.

set local jit = off;
select set_config('dudao.is_demo', 'on', true);

create function pg_temp.at(day date, hour integer default 9) returns void
language sql
as $$
    select set_config('dudao.now',
        (day + make_time(hour, 0, 0))::text || '+08', true)
$$;

create function pg_temp.step(
    resource text, id uuid, login text, action text,
    data jsonb default '{}') returns void
language plpgsql
as $$
begin
    perform app.act_as(login, true);
    if not exists (
            select from app.act(resource, id, action, null, data)) then
        raise exception '% %: no such record', resource, id;
    end if;
end
$$;

-- One term, from the recommendation to the first day in office.
create function pg_temp.appoint(
    appointment uuid, starts_on date, ends_on date, doc_no text)
returns void
language plpgsql
as $$
declare
    item text;
    sent uuid;
begin
    perform pg_temp.at(starts_on - 40);
    perform pg_temp.step('inspector_appointments', appointment,
        'office_staff', 'review', jsonb_build_object('qualification', (
            select jsonb_object_agg(q, true)
            from unnest(app.qualification_items()) as q),
            'comment', '资格条件九项均符合'));
    -- the working days of the publicity may have the Spring Festival among them
    perform pg_temp.at(starts_on - 38);
    perform pg_temp.step('inspector_appointments', appointment,
        'chief_inspector', 'publicize', jsonb_build_object(
            'publicity_url', 'https://demo.example/gongshi/'
            || to_char(starts_on, 'YYYY')));
    perform pg_temp.at(starts_on - 12);
    perform pg_temp.step('inspector_appointments', appointment,
        'chief_inspector', 'approve', '{"comment": "公示期内无异议"}');
    perform pg_temp.at(starts_on - 7);
    perform pg_temp.step('inspector_appointments', appointment,
        'committee_director', 'appoint', jsonb_build_object(
            'starts_on', starts_on, 'ends_on', ends_on,
            'decision_doc_no', doc_no,
            'pre_service_passed_on', starts_on - 3,
            'comment', '同意聘任'));
    select d.id into sent
    from dispatches d
    where d.subject_type = 'inspector_appointments'
        and d.subject_id = appointment and d.state = 'planned';
    perform pg_temp.at(starts_on - 5);
    perform pg_temp.step('dispatches', sent, 'office_staff', 'send',
        '{"channel": "official_document_exchange"}');
    perform pg_temp.step('dispatches', sent, 'office_staff', 'receive',
        '{"receipt_by": "演示·市督导办收文员"}');
    perform pg_temp.at(starts_on);
    perform app.system_step('inspector_appointments', appointment,
        'activate');
end
$$;

create function pg_temp.first_term(
    inspector uuid, employment text, basis text, starts_on date,
    ends_on date, doc_no text) returns uuid
language plpgsql
as $$
declare
    appointment uuid;
begin
    perform app.act_as('office_staff', true);
    perform pg_temp.at(starts_on - 42);
    insert into inspector_appointments(inspector_id, basis_document_id,
        employment, appointment_mode, appointing_authority,
        recommended_by_org_id, recommendation_text, term_no)
    select inspector, d.id, employment,
        case employment when 'full_time' then 'appointed' else 'engaged' end,
        case employment when 'full_time' then 'county_government'
            else 'supervision_committee' end,
        o.id, '经单位推荐，热爱教育督导工作', 1
    from policy_documents d, organizations o
    where d.doc_no = basis and o.code = 'MU07'
    returning id into appointment;
    perform pg_temp.appoint(appointment, starts_on, ends_on, doc_no);
    return appointment;
end
$$;

create function pg_temp.next_term(
    previous uuid, starts_on date, doc_no text) returns uuid
language plpgsql
as $$
declare
    appointment uuid;
begin
    perform pg_temp.at(starts_on - 60);
    perform pg_temp.step('inspector_appointments', previous,
        'office_staff', 'renew', '{"comment": "考核称职，续聘"}');
    select a.id into appointment
    from inspector_appointments a
    where a.renewal_of_id = previous;
    perform pg_temp.at(starts_on - 40);
    -- the new term begins the day after the old one
    perform pg_temp.renewed(appointment, previous, starts_on, doc_no);
    return appointment;
end
$$;

create function pg_temp.renewed(
    appointment uuid, previous uuid, starts_on date, doc_no text)
returns void
language plpgsql
as $$
declare
    sent uuid;
begin
    perform pg_temp.step('inspector_appointments', appointment,
        'office_staff', 'review', '{"comment": "续聘资格审核通过"}');
    perform pg_temp.at(starts_on - 38);
    perform pg_temp.step('inspector_appointments', appointment,
        'chief_inspector', 'publicize');
    perform pg_temp.at(starts_on - 12);
    perform pg_temp.step('inspector_appointments', appointment,
        'chief_inspector', 'approve', '{"comment": "公示期内无异议"}');
    perform pg_temp.at(starts_on - 7);
    perform pg_temp.step('inspector_appointments', appointment,
        'committee_director', 'appoint', jsonb_build_object(
            'starts_on', starts_on, 'decision_doc_no', doc_no));
    select d.id into sent
    from dispatches d
    where d.subject_type = 'inspector_appointments'
        and d.subject_id = appointment and d.state = 'planned';
    perform pg_temp.at(starts_on - 5);
    perform pg_temp.step('dispatches', sent, 'office_staff', 'send',
        '{"channel": "official_document_exchange"}');
    perform pg_temp.step('dispatches', sent, 'office_staff', 'receive',
        '{"receipt_by": "演示·市督导办收文员"}');
    perform pg_temp.at(starts_on);
    perform app.system_step('inspector_appointments', previous, 'end');
    perform app.system_step('inspector_appointments', appointment,
        'activate');
end
$$;

-- n as in the names: -1 the chief, 0 the deputy chief inspector.
create temporary table named on commit drop as
select i.id, right(i.code, 4)::integer - 2 as n
from inspectors i;

do $$
declare
    item record;
    term uuid;
    starts_on date;
begin
    -- Part-time first: the share of full-time inspectors stays below one
    -- third at every step (C2.4.1.b).
    for item in
        select * from named where n >= 17 order by n
    loop
        if item.n = 40 then
            starts_on := (app.today() + 61 - interval '3 years')::date;
            -- app.today() is the day of the load: no term has begun yet
            term := pg_temp.first_term(item.id, 'part_time',
                '教督〔2016〕2号', (starts_on - interval '6 years')::date,
                ((starts_on - interval '6 years')::date
                    + interval '3 years')::date - 1, '平教督〔2017〕3号');
            term := pg_temp.next_term(term,
                (select a.ends_on + 1 from inspector_appointments a
                 where a.id = term), '平教督〔2020〕6号');
            term := pg_temp.next_term(term,
                (select a.ends_on + 1 from inspector_appointments a
                 where a.id = term), '平教督〔2023〕4号');
        else
            term := pg_temp.first_term(item.id, 'part_time',
                '平办发〔2022〕30号', '2022-09-01', '2025-08-31',
                '平教督委〔2022〕2号');
        end if;
        perform set_config('dudao.now', '', true);
    end loop;
    for item in
        select * from named where n <= 16 order by n
    loop
        perform pg_temp.first_term(item.id, 'full_time',
            '平办发〔2022〕30号', '2022-09-01', '2032-08-31',
            '平政人〔2022〕5号');
    end loop;
end
$$;

-- Zones: 16, 12, 16 and 18 inspectors; the chiefs, 16 and 64 at the county.
do $$
declare
    item record;
begin
    perform app.act_as('office_staff', true);
    perform pg_temp.at('2022-09-01', 15);
    insert into zone_memberships(zone_id, inspector_id, is_lead, started_on)
    select z.id, i.id, i.n in (5, 9, 12, 1), '2022-09-01'
    from named i
    join zones z on z.code = case
        when i.n between 1 and 4 or i.n between 17 and 30 then 'Z4'
        when i.n between 5 and 8 or i.n between 31 and 42 then 'Z1'
        when i.n between 9 and 11 or i.n between 43 and 51 then 'Z2'
        when i.n between 12 and 15 or i.n between 52 and 63 then 'Z3' end
    order by i.n;
end
$$;

-- Plaques: the schools of a zone go round among its inspectors, who then
-- have at most five each. 安定镇示例中心小学 belongs to 演示督学02.
insert into attachment_blobs(sha256, size_bytes, content)
values ('3b3525dda47039c51b2ba9f606ddd7db38218597c17367e9eb8c51fba6d25ba4',
    92, '\x89504e470d0a1a0a0000000d494844520000002000000020080000000056112528000000234944415478da6358000427800017cd400705f82441343d148c86c368388c8603060d005b23d01fc85cefe80000000049454e44ae426082')
on conflict do nothing;

do $$
declare
    item record;
    photo uuid;
begin
    perform pg_temp.at('2022-09-05');
    for item in
        select app.uuid_v7() as id, s.id as school_id, i.id as inspector_id,
            s.place
        from (
            select s.id, s.zone_id, row_number() over (
                partition by s.zone_id
                order by o.name <> '安定镇示例中心小学', s.ident_code)
                as place,
                o.name
            from schools s
            join organizations o on o.id = s.organization_id
            where s.counts_in_ratio
        ) as s
        join (
            select n.id, m.zone_id, row_number() over (
                partition by m.zone_id
                order by n.n <> 2, n.n) as place,
                count(*) over (partition by m.zone_id) as members
            from named n
            join zone_memberships m on m.inspector_id = n.id
        ) as i on i.zone_id = s.zone_id
            and i.place = 1 + (s.place - 1) % i.members
        -- 7.2: two schools without a plaque
        where s.name not in ('三阳乡示例幼儿园08', '大洲乡示例幼儿园02')
        order by s.zone_id, s.place
    loop
        perform app.act_as('office_staff', true);
        insert into attachments(sha256, file_name, mime, size_bytes,
            classification, kind, subject_type, subject_id)
        values ('3b3525dda47039c51b2ba9f606ddd7db38218597c17367e9eb8c51fba6d25ba4',
            '公示牌.png', 'image/png', 92, 'public', 'photo', 'plaques',
            item.id)
        returning id into photo;
        insert into plaques(id, school_id, inspector_id, items, hotline,
            location)
        select item.id, item.school_id, item.inspector_id,
            string_agg(c.label_zh, '；' order by c.sort), '0730-6200100',
            case item.place % 2 when 0 then '校门左侧' else '校门右侧' end
        from code_items c
        where c.list = 'visit_area';
        perform pg_temp.step('plaques', item.id, 'office_staff', 'post',
            jsonb_build_object('posted_on', '2022-09-05',
                'photo_attachment_id', photo));
    end loop;
end
$$;

-- The second term, if the load is after its first day.
do $$
declare
    item record;
begin
    perform set_config('dudao.now', '', true);
    if app.today() < '2025-09-01' then
        return;
    end if;
    for item in
        select a.id
        from inspector_appointments a
        join named n on n.id = a.inspector_id
        where a.state = 'active' and a.ends_on = '2025-08-31'
        order by n.n
    loop
        perform pg_temp.next_term(item.id, '2025-09-01',
            '平教督委〔2025〕3号');
    end loop;
end
$$;

-- The office's own rules: drafted, submitted, issued (C2.1.3.a to e).
do $$
declare
    item record;
    document uuid;
begin
    for item in
        select * from (values
            ('work_procedure', '平江县教育督导工作规程', '平教督〔2022〕11号',
                '2022-10-10'::date, '[{"clause_id": "第一条", "text": "督导工作按照制定计划、组织实施、反馈意见、督促整改、报告公开的程序进行"}, {"clause_id": "第二条", "text": "各成员单位明确一名联络员，负责联系教育督导工作"}]'),
            ('joint_meeting_rule', '平江县教育督导联席会议制度',
                '平教督〔2022〕12号', '2022-10-10',
                '[{"clause_id": "第一条", "text": "联席会议每半年召开一次，专题商讨教育督导工作"}]'),
            ('communication_rule', '平江县教育督导定期沟通交流制度',
                '平教督〔2022〕13号', '2022-10-12',
                '[{"clause_id": "第一条", "text": "督导办每季度与成员单位联络员沟通交流一次"}]'),
            ('reporting_rule', '平江县教育督导报告制度', '平教督〔2022〕14号',
                '2022-10-12', '[{"clause_id": "第一条", "text": "重大事项和督导结果及时报告上级督导机构，并向各成员单位通报"}]'),
            ('funds_rule', '平江县教育督导经费使用办法', '平教督〔2023〕2号',
                '2023-02-20', '[{"clause_id": "第一条", "text": "督导经费列入财政预算，专款专用"}]')
        ) as d(kind, title, doc_no, issued_on, clauses)
    loop
        perform pg_temp.at(item.issued_on - 10);
        perform app.act_as('office_staff', true);
        insert into policy_documents(title, issuer, kind, level,
            parent_document_id, clauses, expense_standards)
        select item.title, '平江县人民政府教育督导委员会办公室', item.kind,
            'county', p.id, item.clauses::jsonb,
            case when item.kind = 'funds_rule' then
                '[{"category": "transport", "unit": "人天", "limit_fen": 8000},
                  {"category": "meals", "unit": "人天", "limit_fen": 10000},
                  {"category": "communication", "unit": "人月", "limit_fen": 10000}]'
                ::jsonb else '[]' end
        from policy_documents p
        where p.doc_no = '平办发〔2022〕30号'
        returning id into document;
        perform pg_temp.step('policy_documents', document, 'office_staff',
            'submit', '{"comment": "征求成员单位意见后送审"}');
        perform pg_temp.at(item.issued_on);
        perform pg_temp.step('policy_documents', document,
            case app.issuer_role(item.kind) when 'committee_director'
                then 'committee_director' else 'chief_inspector' end,
            'issue', jsonb_build_object('doc_no', item.doc_no,
                'issued_on', item.issued_on, 'comment', '同意印发'));
    end loop;
end
$$;

-- The notices of the appointments and the rules go public (3.23, L-DX-02).
do $$
declare
    item record;
    channel uuid;
begin
    insert into publication_channels(kind, name, owner_org_id, url)
    select 'official_account', '平江教育督导公告栏（演示）', o.id,
        'https://notices.example'
    from organizations o
    where o.code = 'ORG-OFF'
    returning id into channel;
    for item in
        select p.id, p.kind, p.created_at, u.login
        from publications p
        join users u on u.id = p.created_by
        where p.state = 'draft'
        order by p.created_at, p.id
    loop
        perform set_config('dudao.now',
            (item.created_at + interval '3 hours')::text, true);
        perform pg_temp.step('publications', item.id, 'office_staff',
            'submit');
        perform pg_temp.step('publications', item.id, 'office_staff_2',
            'secrecy_check', '{"result": "pass"}');
        perform pg_temp.step('publications', item.id,
            case item.login when 'chief_inspector'
                then 'committee_director' else 'chief_inspector' end,
            'approve', '{"comment": "同意公开"}');
        perform pg_temp.step('publications', item.id, 'office_staff',
            'publish', jsonb_build_object('placements', jsonb_build_array(
                jsonb_build_object('channel_id', channel,
                    'url', 'https://notices.example/' || item.id))));
    end loop;
end
$$;

-- What happened years ago waits for nobody: read, and acknowledged upstairs.
select set_config('dudao.now', '', true);
select app.act_as('', true);
update notifications
set read_at = created_at
where read_at is null and subject_type in ('inspector_appointments',
    'plaques', 'policy_documents', 'role_grants', 'publications');
do $$
declare
    message record;
begin
    perform app.act_as('platform_service', true);
    for message in
        select m.id, m.created_at from exchange_messages m
        where m.type in ('X-13', 'X-15') and m.state = 'pending'
        order by m.id
    loop
        perform set_config('dudao.now', message.created_at::text, true);
        perform app.act('exchange_messages', message.id, 'send');
        perform app.act('exchange_messages', message.id, 'ack', null,
            jsonb_build_object('peer_receipt_no', 'DEMO-' || right(message.id::text, 8)));
    end loop;
    perform set_config('dudao.now', '', true);
    perform app.act_as('', true);
end
$$;
