-- Demo county: the committee's meetings (7.8), with what they resolved, and
-- the matters that came before them (fictional). Days are relative to the day
-- of loading: each half year has its joint meeting and its plenary, each
-- quarter its session; what cannot yet have been held is announced.

set local dudao.is_demo = 'on';

create function pg_temp.meet_on_day(day date, hour integer default 9)
returns void language sql as $$
    select set_config('dudao.now', ((day + make_time(hour, 0, 0)) at time zone 'Asia/Shanghai')::text, true)
$$;
-- The working day on or before that day.
create function pg_temp.meet_workday(day date) returns date language sql as $$
    select app.add_workdays(day + 1, -1)
$$;
create function pg_temp.meet_unit_of(code text) returns uuid language sql as $$
    select o.id from dudao.organizations o where o.code = $1
$$;
create function pg_temp.meet_step(resource text, id uuid, action text, data jsonb default '{}')
returns void language plpgsql as $$
begin
    perform app.act(resource, id, action, null, data);
    if not found then
        raise exception '% %: %: not found', resource, id, action;
    end if;
end
$$;
create function pg_temp.meet_entered(resource text, body jsonb) returns uuid language plpgsql as $$
begin
    return (select (a.body::jsonb ->> 'id')::uuid from app.create(resource, body) as a);
end
$$;
create function pg_temp.meet_photo(file_name text) returns uuid language sql as $$
    select (a.body::jsonb ->> 'id')::uuid
    from decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64') as pixel,
        lateral app.store_attachment(encode(sha256(pixel), 'hex'), length(pixel), 'image/png', pixel,
            jsonb_build_object('file_name', file_name, 'kind', 'evidence', 'classification', 'internal')) as a
$$;

-- A meeting up to its notice. null attendances: all member units.
create function pg_temp.meet_convene(kind text, title text, topic text, day date, agenda jsonb, units text[] default null)
returns uuid language plpgsql as $$
declare
    meeting uuid;
begin
    perform pg_temp.meet_on_day(day - 16);
    perform app.act_as('office_staff');
    meeting := pg_temp.meet_entered('meetings', jsonb_strip_nulls(jsonb_build_object('kind', kind, 'title', title,
        'topic', topic, 'scheduled_on', day, 'place', '县政府第二会议室',
        'chair_person_id', (select p.id from dudao.persons p where p.name = case kind
            when 'communication_session' then '演示·政府办副主任'
            when 'office_meeting' then '演示·教育局局长' else '演示·分管副县长' end limit 1),
        'agenda', agenda,
        'attendances', (select jsonb_agg(jsonb_build_object('organization_id', pg_temp.meet_unit_of(u)))
            from unnest(units) as u))));
    perform pg_temp.meet_on_day(day - 14);
    perform pg_temp.meet_step('meetings', meeting, 'notify', '{"comment": "请主要负责人出席"}');
    return meeting;
end
$$;

-- Held on its day; units named are absent.
create function pg_temp.meet_met(meeting uuid, absent text[] default '{}')
returns void language plpgsql as $$
declare
    day constant date := (select m.scheduled_on from dudao.meetings m where m.id = meeting);
begin
    perform pg_temp.meet_on_day(day, 17);
    perform app.act_as('office_staff');
    perform pg_temp.meet_step('meetings', meeting, 'hold', jsonb_build_object('held_on', day, 'attendances', (
        select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('organization_id', a.organization_id,
            'attended', o.code <> all (absent),
            'absence_reason', case when o.code = any (absent) then '参加全市会议' end)) order by o.code)
        from dudao.meeting_attendances a
        join dudao.organizations o on o.id = a.organization_id
        where a.meeting_id = meeting)));
end
$$;

create function pg_temp.meet_minute(meeting uuid, minutes text, resolutions jsonb default '[]', outcomes jsonb default '[]')
returns void language plpgsql as $$
declare
    day constant date := (select m.held_on from dudao.meetings m where m.id = meeting);
begin
    perform pg_temp.meet_on_day(day + 2);
    perform app.act_as('office_staff');
    perform pg_temp.meet_step('meetings', meeting, 'draft_minutes', jsonb_build_object('minutes', minutes,
        'resolutions', resolutions, 'outcomes', outcomes));
end
$$;

create function pg_temp.meet_sign(meeting uuid) returns void language plpgsql as $$
begin
    perform pg_temp.meet_on_day((select m.held_on + 4 from dudao.meetings m where m.id = meeting));
    perform app.act_as('committee_director');
    perform pg_temp.meet_step('meetings', meeting, 'issue_minutes', '{"comment": "同意印发"}');
end
$$;

create function pg_temp.meet_resolved(item integer, owner text, day date, text text) returns jsonb language sql as $$
    select jsonb_build_object('agenda_seq', item, 'owner_organization_id', pg_temp.meet_unit_of(owner),
        'due_on', day, 'text', text)
$$;

create function pg_temp.meet_carried_out(meeting uuid, seq integer, login text, day date, text text)
returns void language plpgsql as $$
declare
    resolution constant uuid := (select r.id from dudao.meeting_resolutions r
        where r.meeting_id = meet_carried_out.meeting and r.seq = meet_carried_out.seq);
begin
    perform pg_temp.meet_on_day(day);
    perform app.act_as(login);
    perform pg_temp.meet_step('meeting_resolutions', resolution, 'report_done', jsonb_build_object('text', text,
        'evidence', jsonb_build_array(pg_temp.meet_photo('办理情况.png'))));
    perform pg_temp.meet_on_day(day, 15);
    perform app.act_as('office_staff');
    perform pg_temp.meet_step('meeting_resolutions', resolution, 'confirm', '{"comment": "材料齐全"}');
end
$$;

create function pg_temp.meet_item_of(meeting uuid, seq integer) returns uuid language sql as $$
    select i.id from dudao.meeting_agenda_items i where i.meeting_id = $1 and i.seq = $2
$$;

do $$
declare
    today constant date := (now() at time zone 'Asia/Shanghai')::date;
    this_year constant integer := extract(year from today);
    -- working days of each period on which something was held
    joint_before constant date := app.add_workdays(make_date(this_year - 1, 11, 27), 1);
    joint_first constant date := app.add_workdays(make_date(this_year, 5, 21), 1);
    day date;
    half integer;
    quarter integer;
    last_joint uuid;
    meeting uuid;
    matter uuid;
    food uuid;
    problem uuid;
    settings constant jsonb := '[{"title": "听取督导办工作汇报", "kind": "report"}, {"title": "审议校园食品安全专项整治", "kind": "deliberation"}, {"title": "协调学校周边交通秩序", "kind": "coordination"}]';
    minutes constant text := '会议专题商讨教育督导工作，听取督导办汇报，审议有关事项，各成员单位作了发言。议定事项责任单位、完成时限见附件。';
begin
    -- the year before: all done
    perform pg_temp.meet_on_day(joint_before - 30);
    perform app.act_as('office_staff');
    matter := pg_temp.meet_entered('major_matters', '{"kind": "major_matter", "title": "中小学校舍安全排查方案", "description": "全县中小学校舍使用超过二十年的有46栋，需住建、教育、应急联合排查并分类处置。", "severity": "major"}');
    perform app.act_as('chief_inspector');
    perform pg_temp.meet_step('major_matters', matter, 'accept');
    meeting := pg_temp.meet_convene('joint_meeting', format('%s年下半年教育督导联席会议', this_year - 1),
        '专题商讨教育督导工作：校舍安全与冬季取暖', joint_before,
        jsonb_build_array(jsonb_build_object('title', '审议校舍安全排查方案', 'kind', 'deliberation',
            'subject_type', 'major_matters', 'subject_id', matter),
            jsonb_build_object('title', '听取冬季取暖保障汇报', 'kind', 'report')));
    perform app.act_as('chief_inspector');
    perform pg_temp.meet_step('major_matters', matter, 'submit_to_meeting',
        jsonb_build_object('agenda_item_id', pg_temp.meet_item_of(meeting, 1)));
    perform pg_temp.meet_met(meeting, '{MU20}');
    perform pg_temp.meet_minute(meeting, minutes, jsonb_build_array(
        pg_temp.meet_resolved(1, 'MU07', joint_before + 45, '教育局牵头，四十五日内完成校舍安全排查并建立台账'),
        pg_temp.meet_resolved(2, 'MU08', joint_before + 20, '卫健局对寄宿制学校取暖防中毒开展巡查')));
    perform pg_temp.meet_sign(meeting);
    perform app.act_as('committee_director');
    perform pg_temp.meet_step('major_matters', matter, 'resolve', jsonb_build_object('resolution_id',
        (select r.id from dudao.meeting_resolutions r where r.meeting_id = meeting and r.seq = 1)));
    perform pg_temp.meet_on_day(joint_before + 4, 15);
    perform app.act_as('office_staff');
    perform pg_temp.meet_step('major_matters', matter, 'send_dispatches', '{"channel": "official_document_exchange"}');
    perform pg_temp.meet_step('major_matters', matter, 'mark_circulated');
    perform pg_temp.meet_carried_out(meeting, 1, 'member_liaison', joint_before + 30, '46栋校舍排查完毕，3栋停用，台账已报');
    perform pg_temp.meet_carried_out(meeting, 2, 'department_account_2', joint_before + 18, '巡查寄宿制学校31所');
    perform pg_temp.meet_on_day(joint_before + 31);
    perform pg_temp.meet_step('meetings', meeting, 'close', '{"comment": "议定事项全部办结"}');
    perform app.act_as('chief_inspector');
    perform pg_temp.meet_step('major_matters', matter, 'close', '{"comment": "排查完成"}');

    -- each half year of this year that has begun: a plenary and a joint meeting
    for half in 1 .. case when today >= make_date(this_year, 7, 1) then 2 else 1 end loop
        day := least(app.add_workdays(make_date(this_year, half * 6 - 3, 9), 1), pg_temp.meet_workday(today - 25));
        if day < make_date(this_year, 1, 1) then
            -- in January the last one is that of the autumn before
            day := app.add_workdays(make_date(this_year - 1, 9, 9), 1);
        end if;
        if half = 1 or day >= make_date(this_year, 7, 1) then
            meeting := pg_temp.meet_convene('committee_plenary', format('%s年%s半年教育督导委员会全体会议',
                extract(year from day), case when extract(month from day) < 7 then '上' else '下' end),
                '研究本县教育督导工作', day,
                '[{"title": "研究年度督导工作安排", "kind": "study"}, {"title": "协调乡镇控辍保学力量", "kind": "coordination"}]');
            perform pg_temp.meet_met(meeting, case half when 1 then '{MU14,MU20}' else '{MU20}' end::text[]);
            perform pg_temp.meet_minute(meeting, '会议研究了教育督导工作安排，议定事项见附件。', jsonb_build_array(
                pg_temp.meet_resolved(2, 'ORG-430626101', greatest(day + 60, today + 20), '安定镇人民政府试点控辍保学网格员制度并总结经验'),
                pg_temp.meet_resolved(2, 'MU19', greatest(day + 40, today + 10), '民政局梳理留守儿童台账并共享')),
                '[{"agenda_seq": 1, "outcome": "原则同意年度督导工作安排"}]');
            perform pg_temp.meet_sign(meeting);
            if half = 1 then
                perform pg_temp.meet_on_day(day + 10);
                perform pg_temp.meet_step('meeting_resolutions', (select r.id from dudao.meeting_resolutions r
                    where r.meeting_id = meeting and r.seq = 2), 'drop', '{"reason": "并入全省台账系统统一建设"}');
            end if;
        end if;
        day := case half when 1 then joint_first else app.add_workdays(make_date(this_year, 10, 20), 1) end;
        day := least(day, pg_temp.meet_workday(today - 14));
        if day < make_date(this_year, half * 6 - 5, 1) then
            -- too early in the half year: announced for later
            perform pg_temp.meet_on_day(today - 1);
            perform app.act_as('office_staff');
            meeting := pg_temp.meet_entered('meetings', jsonb_build_object('kind', 'joint_meeting',
                'title', format('%s年%s半年教育督导联席会议', this_year, (array['上', '下'])[half]),
                'topic', '专题商讨教育督导工作', 'scheduled_on', pg_temp.meet_workday(today + 20),
                'chair_person_id', (select p.id from dudao.persons p where p.name = '演示·分管副县长'),
                'agenda', settings));
            perform pg_temp.meet_step('meetings', meeting, 'notify');
            continue;
        end if;
        -- the matter of this half's joint meeting
        perform pg_temp.meet_on_day(day - 25);
        perform app.act_as('office_staff');
        matter := pg_temp.meet_entered('major_matters', jsonb_build_object('kind', case half when 1 then 'major_matter' else 'bottleneck' end,
            'title', case half when 1 then '全县学校食堂食品安全专项整治' else '农村小规模学校校车运力不足' end,
            'description', case half when 1 then '督导发现12所学校食堂留样、索证不规范，需市场监管、卫健、教育联合整治。'
                else '5个乡镇校车班次不足，学生候车超过一小时，涉及财政、交通、交警和教育。' end,
            'severity', 'major'));
        perform app.act_as('chief_inspector');
        perform pg_temp.meet_step('major_matters', matter, 'accept');
        meeting := pg_temp.meet_convene('joint_meeting', format('%s年%s半年教育督导联席会议', this_year, (array['上', '下'])[half]),
            '专题商讨教育督导工作', day, settings);
        perform app.act_as('chief_inspector');
        perform pg_temp.meet_step('major_matters', matter, 'submit_to_meeting',
            jsonb_build_object('agenda_item_id', pg_temp.meet_item_of(meeting, 2)));
        perform pg_temp.meet_met(meeting, case half when 1 then '{}' else '{MU04}' end::text[]);
        perform pg_temp.meet_minute(meeting, minutes, jsonb_build_array(
            pg_temp.meet_resolved(2, 'MU17', day + 40, '市场监督管理局牵头，四十日内完成学校食堂留样专项检查'),
            pg_temp.meet_resolved(2, 'MU07', day + 30, '教育局督促各校配齐留样设备、落实陪餐制度'),
            pg_temp.meet_resolved(3, 'MU22', greatest(day + 60, today + 15), '交警大队在上下学时段增设护学岗'),
            pg_temp.meet_resolved(1, 'MU08', day + 35, '卫健局将食堂从业人员健康检查情况通报督导办')));
        perform pg_temp.meet_sign(meeting);
        perform app.act_as('committee_director');
        perform pg_temp.meet_step('major_matters', matter, 'resolve', jsonb_build_object('resolution_id',
            (select r.id from dudao.meeting_resolutions r where r.meeting_id = meeting and r.seq = 1)));
        perform pg_temp.meet_on_day(day + 4, 16);
        perform app.act_as('office_staff');
        perform pg_temp.meet_step('major_matters', matter, 'send_dispatches', '{"channel": "system"}');
        perform pg_temp.meet_step('major_matters', matter, 'mark_circulated');
        perform pg_temp.meet_on_day(day + 5);
        perform app.act_as('member_liaison');
        perform pg_temp.meet_step('dispatches', (select d.id from dudao.dispatches d
            where d.subject_type = 'major_matters' and d.subject_id = matter and d.purpose = 'circulate'
                and d.recipient_organization_id = pg_temp.meet_unit_of('MU07')), 'receive', '{"receipt_by": "演示·教育局联络员"}');
        if day + 30 < today then
            perform pg_temp.meet_carried_out(meeting, 2, 'member_liaison', day + 25, '全县学校留样设备配齐，陪餐记录每周抽查');
            perform pg_temp.meet_carried_out(meeting, 4, 'department_account_2', day + 28, '已通报从业人员健康检查情况');
        end if;
        if day + 40 < today then
            -- this owner has no account: the director closes it with the reason
            perform pg_temp.meet_on_day(day + 38);
            perform app.act_as('committee_director');
            perform pg_temp.meet_step('meeting_resolutions', (select r.id from dudao.meeting_resolutions r
                where r.meeting_id = meeting and r.seq = 1), 'drop', '{"reason": "专项检查并入全市统一行动，已完成"}');
        end if;
    end loop;

    -- C2.1.3.c: a communication session in each quarter that has begun
    for quarter in 1 .. extract(quarter from today)::integer loop
        day := least(app.add_workdays(make_date(this_year, quarter * 3 - 1, 5), 1), pg_temp.meet_workday(today - 8));
        if day < make_date(this_year, quarter * 3 - 2, 1) then
            continue;
        end if;
        meeting := pg_temp.meet_convene('communication_session', format('%s年第%s季度教育督导沟通交流会', this_year, quarter),
            (array['校园周边环境', '招生与控辍', '开学准备', '冬季安全'])[quarter], day,
            '[{"title": "通报督导发现的共性问题", "kind": "report"}]',
            array['MU07', 'MU08', 'MU09', (array['MU10', 'MU17', 'MU20', 'MU21'])[quarter]]);
        perform pg_temp.meet_met(meeting);
        perform pg_temp.meet_minute(meeting, '会议通报了共性问题，各单位交流了工作情况。');
        if day < today - 20 then
            perform pg_temp.meet_sign(meeting);
            perform pg_temp.meet_on_day(day + 6);
            perform app.act_as('office_staff');
            perform pg_temp.meet_step('meetings', meeting, 'close');
        end if;
    end loop;

    -- the office's own: one held, one put off, one called off, one planned
    meeting := pg_temp.meet_convene('office_meeting', '督导办工作例会', '研究近期督导任务', pg_temp.meet_workday(today - 4),
        '[{"title": "研究近期督导任务", "kind": "study"}]', '{ORG-OFF,ORG-RES}');
    perform pg_temp.meet_met(meeting);
    meeting := pg_temp.meet_convene('office_meeting', '督学责任区工作调度会', '挂牌督导进展', pg_temp.meet_workday(today + 6),
        '[{"title": "挂牌督导进展", "kind": "report"}]', '{ORG-OFF}');
    perform pg_temp.meet_on_day(today - 2);
    perform app.act_as('committee_director');
    perform pg_temp.meet_step('meetings', meeting, 'postpone', jsonb_build_object('scheduled_on', today + 25,
        'reason', '与全县安全生产会议冲突'));
    meeting := pg_temp.meet_convene('office_meeting', '督导信息化协调会', '平台使用情况', pg_temp.meet_workday(today + 5),
        '[{"title": "平台使用情况", "kind": "report"}]', '{ORG-OFF,ORG-RES}');
    perform pg_temp.meet_on_day(today - 2, 10);
    perform app.act_as('committee_director');
    perform pg_temp.meet_step('meetings', meeting, 'cancel', '{"reason": "并入督导办工作例会"}');
    perform pg_temp.meet_convene('communication_session', '教育督导专题沟通会', '冬春季校园安全',
        pg_temp.meet_workday(today + 12), '[{"title": "会商冬春季校园安全", "kind": "coordination"}]', '{MU07,MU08,MU16}');
    perform pg_temp.meet_on_day(today - 1);
    perform app.act_as('office_staff');
    meeting := pg_temp.meet_entered('meetings', jsonb_build_object('kind', 'committee_plenary',
        'title', '教育督导委员会全体会议（筹备）', 'topic', '研究下阶段教育督导工作', 'scheduled_on', today + 40,
        'agenda', '[{"title": "审议学校危墙加固资金缺口", "kind": "coordination"}]'::jsonb));

    -- C2.1.1.d: a problem that the unit cannot solve alone
    select p.id into problem from dudao.problems p
    where p.state in ('assigned', 'rectifying', 'reported') and p.severity = 'major'
    order by p.code limit 1;
    if problem is not null then
        perform pg_temp.meet_on_day(today - 6);
        select (a.body::jsonb ->> 'id')::uuid into matter
        from app.submit_problem_to_committee(problem, '{}') as a;
        perform app.act_as('chief_inspector');
        perform pg_temp.meet_step('major_matters', matter, 'accept', '{"comment": "提请全体会议协调"}');
        perform pg_temp.meet_step('major_matters', matter, 'submit_to_meeting',
            jsonb_build_object('agenda_item_id', pg_temp.meet_item_of(meeting, 1)));
    end if;

    -- L-DX-04: an incident, reported upward within the hour
    perform pg_temp.meet_on_day(today - 12, 8);
    perform app.act_as('school_account');
    matter := pg_temp.meet_entered('major_matters', jsonb_build_object('kind', 'incident', 'title', '操场东侧围墙局部倒塌',
        'description', '昨夜强降雨后围墙倒塌约3米，无人员伤亡，现场已封闭。', 'severity', 'major',
        'occurred_at', app.ts(app.now() - interval '1 hour')));
    perform app.act_as('chief_inspector');
    perform pg_temp.meet_step('major_matters', matter, 'accept', '{"comment": "立即核实并上报"}');
    perform pg_temp.meet_on_day(today - 12, 9);
    perform app.act_as('office_staff');
    perform pg_temp.meet_step('major_matters', matter, 'report_urgent', '{"comment": "已电话报告市督导办"}');
    -- drafts of units, and one that was registered twice
    perform pg_temp.meet_on_day(today - 1, 10);
    perform app.act_as('school_account');
    perform pg_temp.meet_entered('major_matters', '{"kind": "bottleneck", "title": "寄宿生宿舍床位不足", "description": "本学期寄宿需求增加40人，现有床位无法满足。", "severity": "moderate"}');
    perform app.act_as('township_account');
    perform pg_temp.meet_entered('major_matters', '{"kind": "bottleneck", "title": "镇区学位紧张", "description": "镇区两所小学班额均超过五十人。"}');
    perform app.act_as('department_account');
    matter := pg_temp.meet_entered('major_matters', '{"kind": "major_problem", "title": "教师编制结构性缺额", "description": "音体美教师缺额68人，需编办、人社局协调。"}');
    perform app.act_as('office_staff');
    matter := pg_temp.meet_entered('major_matters', '{"kind": "major_problem", "title": "教师编制结构性缺额（重复）", "description": "音体美教师缺额68人。"}');
    perform app.act_as('chief_inspector');
    perform pg_temp.meet_step('major_matters', matter, 'void', '{"void_reason": "重复登记"}');
end
$$;

select set_config('dudao.now', '', true), app.act_as('', true);
