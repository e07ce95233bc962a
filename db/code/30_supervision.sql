-- Supervision: tasks, teams, target files, notices, visits.

select app.register('supervision_tasks', permission_group => 'tasks',
    machine => true, legal => true, editable_in => '{draft}',
    read_only => '{code,cancel_reason,consent_document_id,approved_on,
        issued_on,started_on,completed_on}', searched => '{title,code}');
select app.register('team_members', permission_group => 'tasks',
    part_of => 'supervision_tasks', part_key => 'task_id');
select app.register('supervision_notices', permission_group => 'tasks',
    part_of => 'supervision_tasks', part_key => 'task_id', legal => true);
select app.register('supervision_targets', permission_group => 'targets',
    machine => true, editable_in => '{pending}',
    read_only => '{notice_id,waive_reason,onsite_started_on,onsite_ended_on,
        preliminary_opinion,preliminary_fed_back_on,defense_due_on,grade,
        score,is_obstructed,obstruction_kinds,obstruction_facts,
        obstruction_evidence,excuse_reason}');
select app.register('visits', permission_group => 'visits',
    machine => true, legal => true, editable_in => '{draft,returned}',
    read_only => '{organization_id,distance_metres,geo_warning,submitted_at,
        confirmed_at,unit_remark,reviewed_at,reviewed_by,return_reason}',
    searched => '{summary,praise,advice}');
select app.register('visit_items', permission_group => 'visits',
    part_of => 'visits', part_key => 'visit_id',
    deletable => true, read_only => '{problem_id}');


-- Labels --------------------------------------------------------------------

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('supervision_tasks.kind', 'comprehensive', '综合督导', 'Comprehensive', 1),
    ('supervision_tasks.kind', 'special', '专项督导', 'Special', 2),
    ('supervision_tasks.kind', 'regular', '经常性督导', 'Regular', 3),
    ('supervision_tasks.kind', 'government_duty', '履职督导',
        'Duties of government', 4),
    ('supervision_tasks.kind', 'decision_inspection', '决策部署落实检查',
        'Carrying out of decisions', 5),
    ('supervision_tasks.kind', 'work_inspection', '督导工作监督检查',
        'Inspection of supervision work', 6),
    ('supervision_tasks.kind', 'look_back', '回头看', 'Look-back', 7),
    ('supervision_tasks.ordered_by_level', 'national', '中央', 'National', 1),
    ('supervision_tasks.ordered_by_level', 'provincial', '省',
        'Provincial', 2),
    ('supervision_tasks.ordered_by_level', 'municipal', '市',
        'Municipal', 3),
    ('supervision_tasks.ordered_by_level', 'county_party', '县委',
        'County party committee', 4),
    ('supervision_tasks.ordered_by_level', 'county_government', '县政府',
        'County government', 5),
    ('supervision_tasks.ordered_by_level', 'office', '督导办', 'Office', 6),
    ('supervision_tasks.matters', 'M1', '素质教育与教育教学管理',
        'Quality education, teaching and its management', 1),
    ('supervision_tasks.matters', 'M2', '校长教师、招生学籍、质量、安全与条件经费',
        'Staff, enrolment, quality, safety, conditions and funds', 2),
    ('supervision_tasks.matters', 'M3', '义务教育普及均衡与教育规划',
        'Compulsory education and planning', 3),
    ('supervision_tasks.matters', 'M4', '法律法规规定的其他事项',
        'Other matters laid down by law', 4),
    ('team_members.role', 'leader', '组长', 'Leader', 1),
    ('team_members.role', 'deputy', '副组长', 'Deputy', 2),
    ('team_members.role', 'member', '成员', 'Member', 3),
    ('team_members.role', 'expert', '专家', 'Expert', 4),
    ('team_members.role', 'observer', '观察员', 'Observer', 5),
    ('supervision_targets.trigger', 'five_year_cycle', '满五年',
        'Five years', 1),
    ('supervision_targets.trigger', 'term_end', '任期结束', 'End of term', 2),
    ('supervision_targets.trigger', 'order', '上级部署', 'Order', 3),
    ('supervision_targets.trigger', 'plan', '计划', 'Plan', 4),
    ('supervision_targets.trigger', 'complaint', '举报投诉', 'Complaint', 5),
    ('supervision_targets.trigger', 'random', '随机', 'Random', 6),
    ('supervision_targets.grade', 'excellent', '优秀', 'Excellent', 1),
    ('supervision_targets.grade', 'good', '良好', 'Good', 2),
    ('supervision_targets.grade', 'qualified', '合格', 'Qualified', 3),
    ('supervision_targets.grade', 'unqualified', '不合格', 'Unqualified', 4),
    ('supervision_targets.obstruction_kinds', 'refuse_obstruct',
        '拒绝、阻扰督导', 'Refusal or obstruction', 1),
    ('supervision_targets.obstruction_kinds', 'conceal_falsify',
        '隐瞒事实、弄虚作假', 'Concealment or falsification', 2),
    ('supervision_targets.obstruction_kinds', 'no_rectification',
        '不按要求整改并报告', 'No rectification or report', 3),
    ('supervision_targets.obstruction_kinds', 'retaliation',
        '打击报复督学', 'Retaliation', 4),
    ('supervision_targets.obstruction_kinds', 'other',
        '其他严重妨碍情形', 'Other serious hindrance', 5),
    ('visits.kind', 'regular', '经常性督导', 'Regular', 1),
    ('visits.kind', 'random', '随机督导', 'Random', 2),
    ('visits.kind', 'onsite', '任务现场', 'On site for a task', 3),
    ('visits.kind', 'follow_up', '跟踪', 'Follow-up', 4),
    ('visits.kind', 'emergency', '突发', 'Emergency', 5),
    ('visits.methods', 'class_observation', '听课', 'Class observation', 1),
    ('visits.methods', 'document', '查阅资料', 'Documents', 2),
    ('visits.methods', 'meeting', '列席会议', 'Sitting in on meetings', 3),
    ('visits.methods', 'interview', '座谈走访', 'Talks', 4),
    ('visits.methods', 'questionnaire', '问卷', 'Questionnaire', 5),
    ('visits.methods', 'campus_tour', '校园巡视', 'Campus tour', 6),
    ('visit_items.conclusion', 'normal', '正常', 'Normal', 1),
    ('visit_items.conclusion', 'attention', '需关注', 'Needs attention', 2),
    ('visit_items.conclusion', 'problem', '有问题', 'Problem', 3),
    ('visit_items.conclusion', 'not_checked', '未检查', 'Not checked', 4),
    ('visit_items.area', 'A1', '校务管理和制度执行', 'School affairs', 1),
    ('visit_items.area', 'A2', '招生、收费、择校', 'Enrolment and fees', 2),
    ('visit_items.area', 'A3', '课程开设和课堂教学',
        'Curriculum and teaching', 3),
    ('visit_items.area', 'A4', '学生学习、体育锻炼和课业负担',
        'Study, exercise and workload', 4),
    ('visit_items.area', 'A5', '教师师德和专业发展',
        'Ethics and growth of teachers', 5),
    ('visit_items.area', 'A6', '校园及周边安全、学生交通安全',
        'Safety in and around the school', 6),
    ('visit_items.area', 'A7', '食堂、食品、饮水及宿舍卫生',
        'Food, water and dormitories', 7),
    ('visit_items.area', 'A8', '校风、教风、学风', 'Spirit of the school', 8);



-- Who may do what to whom ---------------------------------------------------

-- L-TL-10: what was granted keeps an inspector off the unit with everything
-- of it, off the target with its visits and problems, or off the visit with
-- its problems.
create or replace function app.has_recusal(
    inspector uuid, organization uuid, target uuid default null,
    visit uuid default null)
returns boolean
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return exists (
        select from recusals r
        where r.inspector_id = inspector
            and r.state = 'granted'
            and (r.organization_id = organization or r.target_id = target
                or r.visit_id = visit));
end
$$;

-- L-TL-10: a granted recusal, or an inspector's own unit.
drop function if exists app.is_recused(uuid, uuid, uuid);
create or replace function app.is_recused(
    inspector uuid, organization uuid, target uuid default null,
    visit uuid default null)
returns boolean
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return app.has_recusal(inspector, organization, target, visit)
    or exists (
        select
        from inspectors i
        join persons p on p.id = i.person_id
        where i.id = inspector
            and p.organization_id = organization);
end
$$;

-- 3.0: a granted recusal removes all actions, in whatever role. Who acts for
-- the own unit does so as the unit.
create or replace function app.is_kept_off(
    organization uuid, target uuid, visit uuid default null)
returns boolean
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return organization is distinct from app.organization_id()
        and app.has_recusal(app.inspector_id(), organization, target, visit);
end
$$;

create or replace function app.recusal_faults(
    organization uuid, target uuid, visit uuid default null)
returns app.fault[]
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return case when app.is_kept_off(organization, target, visit)
        then array[app.fault('recusal-required', null, null, 'R-INS-09',
            'L-TL-10')]
        else '{}' end;
end
$$;

-- Who leads the work at a target: the task's leader or, where a recusal keeps
-- that one off, who was named instead; null: nobody was.
create or replace function app.leader_at(target dudao.supervision_targets)
returns uuid
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
declare
    leader uuid;
    seen uuid[] := '{}';
begin
    select k.leader_inspector_id into leader
    from supervision_tasks k
    where k.id = target.task_id;
    while leader is not null and leader <> all (seen)
            and app.has_recusal(leader, target.organization_id, target.id)
    loop
        seen := seen || leader;
        leader := (
            select r.replaced_by_inspector_id
            from recusals r
            where r.inspector_id = leader and r.state = 'granted'
                and (r.organization_id = target.organization_id
                    or r.target_id = target.id)
            order by r.replaced_by_inspector_id is null, r.decided_on desc,
                r.id desc
            limit 1);
    end loop;
    return leader;
end
$$;

-- Whether the inspector leads the task at one of its targets.
create or replace function app.leads(inspector uuid, task uuid)
returns boolean
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return exists (
        select from supervision_targets t
        where t.task_id = task and app.leader_at(t) = inspector);
end
$$;

-- Full-time on that day (only they lead comprehensive teams or verify major
-- problems: project default).
create or replace function app.is_full_time(inspector uuid, day date)
returns boolean
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return exists (
        select from inspector_appointments a
        where a.inspector_id = inspector
            and a.employment = 'full_time'
            and a.state in ('active', 'ended', 'resigned', 'dismissed')
            and a.starts_on <= day
            and coalesce(a.ended_on, a.ends_on) >= day);
end
$$;

-- Comprehensive, special and duty supervision keep a file for each target
-- (3.3); the other kinds have visits alone.
create or replace function app.keeps_target_files(kind text)
returns boolean
language sql immutable
as $$
    select kind in ('comprehensive', 'special', 'government_duty')
$$;

create or replace function app.distance_metres(
    latitude_a numeric, longitude_a numeric,
    latitude_b numeric, longitude_b numeric)
returns integer
language sql immutable strict
as $$
    select (2 * 6371000 * asin(least(1, sqrt(
        sin(radians(latitude_b - latitude_a) / 2) ^ 2
        + cos(radians(latitude_a)) * cos(radians(latitude_b))
        * sin(radians(longitude_b - longitude_a) / 2) ^ 2))))::integer
$$;


-- Tasks ---------------------------------------------------------------------

create or replace function app.guard_supervision_tasks(
    action text, old dudao.supervision_tasks, new dudao.supervision_tasks,
    data jsonb)
returns app.fault[]
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
declare
    faults app.fault[] := '{}';
    needed integer;
    found integer;
    earliest date;
    conflict record;
begin
    if action = 'approve' then
        if new.basis_document_id is null then
            faults := faults || app.fault('required', '/basis_document_id',
                null, 'R-GEN-01', 'C2.2.1.b');
        end if;
        if new.kind = 'comprehensive'
                and not new.matters @> array['M1', 'M2', 'M3', 'M4'] then
            faults := faults || app.fault('matters-incomplete', '/matters',
                null, 'R-CMP-03', 'L-TL-11');
        end if;
        if not exists (select from supervision_targets t
                where t.task_id = new.id) then
            faults := faults || app.fault('target-required', '/targets',
                null, 'R-TSK-01', 'C2.2.2.a');
        end if;
        if new.kind in ('comprehensive', 'special') then
            needed := app.parameter_int('team_min_inspectors');
            select count(distinct m.inspector_id) into found
            from team_members m
            where m.task_id = new.id
                and m.role in ('leader', 'deputy', 'member');
            if found < needed then
                faults := faults || app.fault('team-too-small', '/team',
                    jsonb_build_object('min', needed, 'count', found),
                    'R-TSK-02', 'L-TL-16');
            end if;
            if new.leader_inspector_id is null then
                faults := faults || app.fault('required',
                    '/leader_inspector_id', null, 'R-TSK-02', 'L-TL-16');
            elsif new.kind = 'comprehensive' and not app.is_full_time(
                    new.leader_inspector_id, app.today()) then
                faults := faults || app.fault('leader-not-full-time',
                    '/leader_inspector_id', null, 'R-TSK-02', 'L-TL-16');
            end if;
        end if;
        for conflict in
            select m.inspector_id, t.organization_id
            from team_members m
            join supervision_targets t on t.task_id = m.task_id
                and (m.target_ids = '{}' or t.id = any (m.target_ids))
            where m.task_id = new.id
                and m.inspector_id is not null
                and app.is_recused(m.inspector_id, t.organization_id, t.id)
        loop
            faults := faults || app.fault('recusal-required', '/team',
                to_jsonb(conflict), 'R-INS-09', 'L-TL-10');
        end loop;
        if new.unplanned_reason is not null
                and not app.has_role('committee_deputy') then
            faults := faults || app.fault('deputy-approval-required', null,
                null, 'R-TSK-01', 'C2.2.2.a');
        end if;

    elsif action = 'issue_notice' then
        if new.kind = 'regular' then
            faults := faults || app.fault('notice-not-needed', '/kind',
                null, 'R-TSK-03', 'L-TL-17');
        end if;
        if new.onsite_from is null then
            faults := faults || app.fault('required', '/onsite_from', null,
                'R-TSK-03', 'L-TL-17');
        elsif new.kind in ('comprehensive', 'special') then
            earliest := app.add_workdays(app.today(),
                app.parameter_int('notice_min_workdays'));
            if new.onsite_from < earliest then
                faults := faults || app.fault('notice-too-late',
                    '/onsite_from', jsonb_build_object('min', earliest),
                    'R-TSK-03', 'L-TL-17');
            end if;
        end if;

    elsif action = 'start' then
        if old.state = 'approved' and new.kind <> 'regular' then
            faults := faults || app.fault('notice-required', null, null,
                'R-TSK-03', 'L-TL-17');
        end if;
        if new.onsite_from > app.today() then
            faults := faults || app.fault('onsite-not-begun', '/onsite_from',
                jsonb_build_object('min', new.onsite_from),
                'R-TSK-03', 'L-TL-17');
        end if;

    elsif action in ('summarize', 'complete') then
        if app.keeps_target_files(new.kind) then
            select count(*) into found
            from supervision_targets t
            where t.task_id = new.id
                and t.state <> all (case action
                    when 'summarize' then array['onsite_done',
                        'defense_open', 'defense_closed', 'opinion_issued',
                        'opinion_received', 'rectifying', 'closed',
                        'excused']
                    else array['opinion_issued', 'opinion_received',
                        'rectifying', 'closed', 'excused'] end);
            if found > 0 then
                faults := faults || app.fault('targets-open', '/targets',
                    jsonb_build_object('count', found),
                    'R-TSK-05', 'L-TL-18');
            end if;
        end if;

    elsif action = 'cancel' then
        if new.ordered_by_level in ('national', 'provincial', 'municipal')
                and new.consent_document_id is null then
            faults := faults || app.fault('consent-required',
                '/consent_document_id', null, 'R-TSK-01', 'C2.2.2.a');
        end if;
    end if;

    -- an inspector who is not the leader has no step on the task
    if action in ('start', 'summarize')
            and app.has_role('inspector_ft', 'inspector_pt', 'zone_lead')
            and not app.has_role('office_staff', 'deputy_chief_inspector')
            and not app.leads(app.inspector_id(), new.id)
    then
        faults := faults || app.fault('leader-only', null, null,
            'R-TSK-02', 'L-TL-16');
    end if;
    return faults;
end
$$;

create or replace function app.before_supervision_tasks(
    action text, "row" dudao.supervision_tasks, data jsonb)
returns dudao.supervision_tasks
language plpgsql security definer set search_path = dudao, app, ext
as $$
begin
    case action
    when 'approve' then
        "row".approved_on := app.today();
    when 'issue_notice' then
        "row".issued_on := app.today();
        insert into supervision_notices(task_id, target_ids, doc_no,
            issued_on, issued_by, text, matters, schedule,
            materials_required, self_assessment_due_on, attachment_id,
            is_demo)
        select "row".id, array_agg(t.id order by t.id),
            app.next_doc_no('平教督'), app.today(), app.user_id(),
            data ->> 'text', "row".matters, data ->> 'schedule',
            data ->> 'materials_required',
            coalesce((data ->> 'self_assessment_due_on')::date,
                app.add_workdays(app.today(),
                    app.parameter_int('self_assessment_workdays'))),
            (data ->> 'attachment_id')::uuid, "row".is_demo
        from supervision_targets t
        where t.task_id = "row".id
            and t.state = 'pending';
    when 'start' then
        "row".started_on := app.today();
    when 'complete' then
        "row".completed_on := app.today();
    when 'cancel' then
        "row".cancel_reason := data ->> 'reason';
        "row".consent_document_id := (data ->> 'consent_document_id')::uuid;
    else
    end case;
    return "row";
end
$$;

create or replace function app.effect_supervision_tasks(
    action text, old dudao.supervision_tasks, new dudao.supervision_tasks,
    data jsonb)
returns void
language plpgsql security definer set search_path = dudao, app, ext
as $$
declare
    notice supervision_notices;
    target supervision_targets;
    due_at timestamptz;
begin
    if action = 'approve' then
        perform app.notify('supervision_tasks', new.id, 'task_approved',
            '督导任务已立项', new.title, array(
                select u.id
                from team_members m
                left join inspectors i on i.id = m.inspector_id
                join users u
                    on u.person_id = coalesce(i.person_id, m.person_id)
                where m.task_id = new.id));

    elsif action = 'issue_notice' then
        select * into notice from supervision_notices n
        where n.task_id = new.id
        order by n.id desc limit 1;
        due_at := (notice.self_assessment_due_on + 1)::timestamp
            at time zone 'Asia/Shanghai';
        for target in
            select * from supervision_targets t
            where t.id = any (notice.target_ids)
        loop
            if target.organization_id is not null then
                perform app.dispatch('supervision_notices', notice.id,
                    'serve', target.organization_id, 'supervised_unit',
                    app.add_workdays(app.today(), 3), 'sent');
                perform app.notify('supervision_targets', target.id,
                    'notice_served', '督导通知书 ' || notice.doc_no,
                    new.title,
                    app.users_of_organization(target.organization_id),
                    due_at);
            end if;
            perform app.deadline('supervision_targets', target.id,
                'self_assessment', notice.self_assessment_due_on);
            perform app.system_step('supervision_targets', target.id,
                'notify', jsonb_build_object('notice_id', notice.id));
        end loop;

    elsif action = 'complete' then
        -- L-WZ-09: sixty days for an accountability team
        perform app.deadline('supervision_tasks', new.id,
            'accountability_team',
            app.today() + app.parameter_int('acc_team_days'));
        perform app.notify('supervision_tasks', new.id, 'task_completed',
            '督导任务已完成', new.title,
            app.users_with_role('chief_inspector', 'office_staff'));

    elsif action = 'cancel' then
        for target in
            select * from supervision_targets t
            where t.task_id = new.id
                and t.state in ('pending', 'notified', 'self_assessed')
        loop
            if old.state = 'issued' and target.organization_id is not null
            then
                perform app.dispatch('supervision_tasks', new.id, 'inform',
                    target.organization_id, 'supervised_unit', null, 'sent');
            end if;
            perform app.meet_deadline('supervision_targets', target.id,
                'self_assessment');
            perform app.system_step('supervision_targets', target.id,
                'excuse', jsonb_build_object('reason', data ->> 'reason'));
        end loop;
    end if;

    -- C2.2.2.a: the body that ordered the task hears of every step
    if new.ordered_by_level in ('national', 'provincial', 'municipal') then
        perform app.enqueue('X-02', 'event', 'supervision_tasks', new.id,
            'task:' || new.code, jsonb_build_object(
                'external_ref', new.external_ref,
                'code', new.code,
                'state', new.state,
                'target_count', (select count(*) from supervision_targets t
                    where t.task_id = new.id)));
    end if;
end
$$;


-- Target files --------------------------------------------------------------

create or replace function app.guard_supervision_targets(
    action text, old dudao.supervision_targets,
    new dudao.supervision_targets, data jsonb)
returns app.fault[]
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
declare
    faults app.fault[] := '{}';
    task supervision_tasks;
    needed integer;
    found integer;
begin
    select * into task from supervision_tasks t where t.id = new.task_id;

    if action = 'notify' and new.notice_id is null then
        faults := faults || app.fault('notice-required', null, null,
            'R-TSK-03', 'L-TL-17');

    elsif action in ('submit_self_assessment', 'audit_self_assessment') then
        faults := faults || app.fault('self-assessment-required', null,
            null, 'R-TSK-04', 'L-TL-18');

    elsif action = 'begin_onsite' then
        if task.state <> 'in_progress' then
            faults := faults || app.fault('task-not-in-progress', null,
                jsonb_build_object('state', task.state),
                'R-TSK-03', 'L-TL-17');
        end if;
        needed := app.parameter_int('team_min_inspectors');
        select count(distinct m.inspector_id) into found
        from team_members m
        where m.task_id = new.task_id
            and (m.target_ids = '{}' or new.id = any (m.target_ids))
            and not app.is_recused(m.inspector_id, new.organization_id,
                new.id);
        if task.kind in ('comprehensive', 'special') and found < needed then
            faults := faults || app.fault('team-too-small', null,
                jsonb_build_object('min', needed, 'count', found),
                'R-TSK-02', 'L-TL-16');
        end if;

    elsif action = 'end_onsite' then
        if not exists (
                select from visits v
                where v.target_id = new.id
                    and v.kind = 'onsite'
                    and v.state in ('submitted', 'school_confirmed',
                        'reviewed')) then
            faults := faults || app.fault('onsite-visit-required', null,
                null, 'R-TSK-05', 'L-TL-18');
        end if;

    elsif action = 'feed_back' then
        faults := faults || app.fault('opinion-collection-required', null,
            null, 'R-TSK-06', 'L-TL-19');

    elsif action in ('submit_defense', 'close_defense') then
        faults := faults || app.fault('defense-required', null, null,
            'R-FBK-01', 'L-TL-20');

    elsif action in ('issue_opinion', 'acknowledge') then
        faults := faults || app.fault('opinion-required', null, null,
            'R-FBK-01', 'C2.3.1.d');

    elsif action = 'close' then
        select count(*) into found
        from problems p
        where p.target_id = new.id
            and p.state not in ('struck_off', 'voided');
        if found > 0 then
            faults := faults || app.fault('problems-open', null,
                jsonb_build_object('count', found), 'R-PRB-01', 'C2.3.2.c');
        end if;

    elsif action = 'record_obstruction' then
        if new.obstruction_kinds = '{}' then
            faults := faults || app.fault('required', '/obstruction_kinds',
                null, 'R-ACC-01', 'C2.3.4.f');
        end if;
        if coalesce(new.obstruction_facts, '') = '' then
            faults := faults || app.fault('required', '/facts', null,
                'R-ACC-01', 'C2.3.4.f');
        end if;
    end if;

    faults := faults || app.recusal_faults(new.organization_id, new.id);
    if action in ('begin_onsite', 'end_onsite', 'feed_back')
            and app.leader_at(new) is distinct from app.inspector_id()
    then
        faults := faults || app.fault('leader-only', null, null,
            'R-TSK-02', 'L-TL-16');
    end if;
    return faults;
end
$$;

create or replace function app.before_supervision_targets(
    action text, "row" dudao.supervision_targets, data jsonb)
returns dudao.supervision_targets
language plpgsql security definer set search_path = dudao, app, ext
as $$
begin
    case action
    when 'notify' then
        "row".notice_id := (data ->> 'notice_id')::uuid;
    when 'waive_self_assessment' then
        "row".waive_reason := data ->> 'reason';
    when 'begin_onsite' then
        "row".onsite_started_on := app.today();
    when 'end_onsite' then
        "row".onsite_ended_on := app.today();
    when 'excuse' then
        "row".excuse_reason := data ->> 'reason';
    when 'record_obstruction' then
        "row".is_obstructed := true;
        "row".obstruction_kinds := array(
            select distinct k
            from unnest("row".obstruction_kinds || array(
                select jsonb_array_elements_text(data -> 'kinds'))) as k
            order by k);
        "row".obstruction_facts := data ->> 'facts';
        "row".obstruction_evidence := "row".obstruction_evidence || array(
            select e::uuid
            from jsonb_array_elements_text(
                coalesce(data -> 'evidence', '[]')) as e);
    else
    end case;
    return "row";
end
$$;

create or replace function app.effect_supervision_targets(
    action text, old dudao.supervision_targets,
    new dudao.supervision_targets, data jsonb)
returns void
language plpgsql security definer set search_path = dudao, app, ext
as $$
begin
    if action in ('waive_self_assessment', 'submit_self_assessment',
            'excuse') then
        perform app.meet_deadline('supervision_targets', new.id,
            'self_assessment');
    elsif action = 'end_onsite' then
        perform app.deadline('supervision_targets', new.id,
            'preliminary_opinion', app.add_workdays(app.today(), 5));
    elsif action = 'record_obstruction' then
        perform app.notify('supervision_targets', new.id,
            'obstruction_recorded', '记录到阻扰督导的情形',
            new.obstruction_facts, app.users_with_role('chief_inspector'));
        perform app.deadline('supervision_targets', new.id,
            'accountability_clue',
            app.today() + app.parameter_int('acc_team_days'));
    end if;
end
$$;


-- Visits --------------------------------------------------------------------

create or replace function app.guard_visits(
    action text, old dudao.visits, new dudao.visits, data jsonb)
returns app.fault[]
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
declare
    faults app.fault[] := '{}';
    appointment inspector_appointments;
    item record;
    problem_count integer;
begin
    if action = 'submit' then
        if new.inspector_id is distinct from app.inspector_id() then
            faults := faults || app.fault('own-visit-only', '/inspector_id',
                null, 'R-VIS-01', 'L-TL-8');
        end if;
        if new.arrived_at is null then
            faults := faults || app.fault('required', '/arrived_at', null,
                'R-VIS-01', 'C2.2.2.b');
        end if;
        if new.left_at is null then
            faults := faults || app.fault('required', '/left_at', null,
                'R-VIS-01', 'C2.2.2.b');
        end if;
        if new.methods = '{}' then
            faults := faults || app.fault('required', '/methods', null,
                'R-VIS-01', 'L-GP-06');
        end if;
        if coalesce(new.summary, '') = '' then
            faults := faults || app.fault('required', '/summary', null,
                'R-VIS-01', 'L-TL-15');
        end if;
        if new.kind = 'regular' and not exists (
                select from visit_items i where i.visit_id = new.id) then
            faults := faults || app.fault('required', '/items', null,
                'R-VIS-04', 'L-GP-04');
        end if;
        for item in
            select i.*, row_number() over (order by i.seq) - 1 as place
            from visit_items i
            where i.visit_id = new.id
            order by i.seq
        loop
            if item.conclusion is null then
                faults := faults || app.fault('required',
                    format('/items/%s/conclusion', item.place), null,
                    'R-VIS-04', 'L-GP-04');
            elsif item.conclusion = 'problem' and item.problem_id is null
            then
                faults := faults || app.fault('required',
                    format('/items/%s/problem', item.place), null,
                    'R-VIS-01', 'L-GP-03');
            end if;
        end loop;

        select count(*) into problem_count
        from problems p
        where p.visit_id = new.id and p.state <> 'voided';
        if new.no_problem_found and problem_count > 0 then
            faults := faults || app.fault('problem-found',
                '/no_problem_found',
                jsonb_build_object('count', problem_count),
                'R-VIS-01', 'L-GP-03');
        elsif not new.no_problem_found and problem_count = 0 then
            faults := faults || app.fault('no-problem-not-declared',
                '/no_problem_found', null, 'R-VIS-01', 'L-GP-03');
        end if;

        select * into appointment
        from inspector_appointments a
        where a.inspector_id = new.inspector_id
            and a.state = 'active'
            and a.starts_on <= new.visited_on
            and a.ends_on >= new.visited_on
        order by a.starts_on desc limit 1;
        if appointment.id is null then
            faults := faults || app.fault('appointment-required',
                '/inspector_id', null, 'R-INS-10', 'C2.1.1.f');
        elsif appointment.pre_service_passed_on is null
                and appointment.term_no = 1 then
            faults := faults || app.fault('pre-service-training-required',
                '/inspector_id', null, 'R-TRN-02', 'L-DX-05');
        end if;
        if app.is_recused(new.inspector_id, new.organization_id,
                new.target_id, new.id) then
            faults := faults || app.fault('recusal-required',
                '/inspector_id', jsonb_build_object(
                    'inspector_id', new.inspector_id,
                    'organization_id', new.organization_id),
                'R-INS-09', 'L-TL-10');
        end if;

    elsif action = 'review' then
        if new.inspector_id = app.inspector_id() then
            faults := faults || app.fault('separation-of-duties', null,
                null, 'R-VIS-01', 'L-TL-8');
        end if;
    end if;
    if action <> 'submit' then
        faults := faults || app.recusal_faults(new.organization_id,
            new.target_id, new.id);
    end if;
    return faults;
end
$$;

create or replace function app.before_visits(
    action text, "row" dudao.visits, data jsonb)
returns dudao.visits
language plpgsql security definer set search_path = dudao, app, ext
as $$
begin
    case action
    when 'submit' then
        "row".submitted_at := app.now();
        "row".return_reason := null;
    when 'confirm' then
        "row".confirmed_at := app.now();
        "row".unit_remark := data ->> 'remark';
    when 'review' then
        "row".reviewed_at := app.now();
        "row".reviewed_by := app.user_id();
    when 'return' then
        "row".return_reason := data ->> 'reason';
        "row".confirmed_at := null;
    else
    end case;
    return "row";
end
$$;

create or replace function app.effect_visits(
    action text, old dudao.visits, new dudao.visits, data jsonb)
returns void
language plpgsql security definer set search_path = dudao, app, ext
as $$
declare
    problem problems;
    recipients uuid[];
begin
    if action = 'submit' then
        perform app.deadline('visits', new.id, 'confirm',
            app.add_workdays(app.today(), 5));
        -- L-TL-15, L-GP-05: danger cannot wait for the review
        for problem in
            select * from problems p
            where p.visit_id = new.id
                and p.severity = 'danger'
                and p.state = 'draft'
        loop
            perform app.system_step('problems', problem.id, 'list', '{}');
            perform app.system_step('problems', problem.id, 'assign', '{}');
            recipients := app.users_with_role('chief_inspector')
                || app.users_of_organization(problem.organization_id)
                || coalesce((
                    select app.users_of_organization(
                        o.parent_organization_id)
                    from organizations o
                    where o.id = problem.organization_id
                        and o.parent_organization_id is not null), '{}');
            perform app.notify('problems', problem.id, 'danger_found',
                '发现危及安全的问题，请立即处置', problem.title, recipients,
                app.now() + interval '1 day');
        end loop;
        perform app.notify('visits', new.id, 'visit_submitted',
            '督导记录待确认', left(new.summary, 200),
            app.users_of_organization(new.organization_id))
        where new.organization_id is not null;

    elsif action = 'confirm' then
        perform app.meet_deadline('visits', new.id, 'confirm');

    elsif action = 'review' then
        perform app.meet_deadline('visits', new.id, 'confirm');
        for problem in
            select * from problems p
            where p.visit_id = new.id
                and p.state = 'draft'
            order by p.id
        loop
            perform app.system_step('problems', problem.id, 'list', '{}');
        end loop;

    elsif action = 'return' then
        perform app.meet_deadline('visits', new.id, 'confirm');
        perform app.notify('visits', new.id, 'visit_returned',
            '督导记录被退回', data ->> 'reason', array(
                select u.id
                from inspectors i
                join users u on u.person_id = i.person_id
                where i.id = new.inspector_id));
    end if;
end
$$;


-- What comes with a task, a visit -------------------------------------------

-- Which of these attachments are there not?
create or replace function app.missing_attachments(
    ids uuid[], pointer text default '/evidence')
returns app.fault[]
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return array(
        select app.fault('unknown-reference',
            format('%s/%s', pointer, e.place - 1))
        from unnest(ids) with ordinality as e(id, place)
        where not exists (select from attachments a where a.id = e.id));
end
$$;

create or replace function app.before_create_supervision_tasks(
    "row" dudao.supervision_tasks, body jsonb)
returns dudao.supervision_tasks
language plpgsql
as $$
begin
    "row".code := app.next_code('RW');
    return "row";
end
$$;

-- The team and the targets of a body take the place of those that were.
create or replace function app.store_team(
    task dudao.supervision_tasks, team jsonb)
returns void
language plpgsql security definer set search_path = dudao, app, ext
as $$
declare
    faults app.fault[];
begin
    select array_agg(app.fault('unknown-reference',
            format('/team/%s/%s', m.place - 1, m.column_name)))
        into faults
    from (
        select e.place, case
            when e.member ->> 'inspector_id' is not null and not exists (
                select from dudao.inspectors i
                where i.id = (e.member ->> 'inspector_id')::uuid)
            then 'inspector_id'
            when e.member ->> 'person_id' is not null and not exists (
                select from dudao.persons p
                where p.id = (e.member ->> 'person_id')::uuid)
            then 'person_id' end as column_name
        from jsonb_array_elements(team) with ordinality as e(member, place)
    ) as m
    where m.column_name is not null;
    if faults is not null then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    delete from dudao.team_members m where m.task_id = task.id;
    insert into dudao.team_members(task_id, inspector_id, person_id, role,
        organization_id, target_ids, is_demo)
    select task.id, (e.member ->> 'inspector_id')::uuid,
        (e.member ->> 'person_id')::uuid,
        coalesce(e.member ->> 'role', 'member'),
        (e.member ->> 'organization_id')::uuid,
        array(select t::uuid from jsonb_array_elements_text(
            coalesce(e.member -> 'target_ids', '[]')) as t),
        task.is_demo
    from jsonb_array_elements(team) as e(member);
end
$$;

create or replace function app.store_targets(
    task dudao.supervision_tasks, targets jsonb)
returns void
language plpgsql security definer set search_path = dudao, app, ext
as $$
declare
    faults app.fault[];
begin
    select array_agg(app.fault(m.code,
            format('/targets/%s/%s', m.place - 1, m.column_name)))
        into faults
    from (
        select e.place, 'unknown-reference' as code, case
            when e.target ->> 'organization_id' is not null and not exists (
                select from dudao.organizations o
                where o.id = (e.target ->> 'organization_id')::uuid)
            then 'organization_id'
            when e.target ->> 'zone_id' is not null and not exists (
                select from dudao.zones z
                where z.id = (e.target ->> 'zone_id')::uuid)
            then 'zone_id' end as column_name
        from jsonb_array_elements(targets) with ordinality
            as e(target, place)
        union all
        select e.place, 'not-supervisable', 'organization_id'
        from jsonb_array_elements(targets) with ordinality
            as e(target, place)
        join dudao.organizations o
            on o.id = (e.target ->> 'organization_id')::uuid
        where not o.is_supervisable
    ) as m
    where m.column_name is not null;
    if faults is not null then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    delete from dudao.supervision_targets t
    where t.task_id = task.id
        and not exists (
            select from jsonb_array_elements(targets) as e(target)
            where (e.target ->> 'organization_id')::uuid
                    = t.organization_id
                or (e.target ->> 'zone_id')::uuid = t.zone_id);
    insert into dudao.supervision_targets(task_id, organization_id, zone_id,
        leadership_term_id, trigger, is_demo)
    select task.id, (e.target ->> 'organization_id')::uuid,
        (e.target ->> 'zone_id')::uuid,
        (e.target ->> 'leadership_term_id')::uuid,
        coalesce(e.target ->> 'trigger', 'plan'), task.is_demo
    from jsonb_array_elements(targets) as e(target)
    where not exists (
        select from dudao.supervision_targets t
        where t.task_id = task.id
            and (t.organization_id = (e.target ->> 'organization_id')::uuid
                or t.zone_id = (e.target ->> 'zone_id')::uuid));
end
$$;

create or replace function app.after_create_supervision_tasks(
    "row" dudao.supervision_tasks, body jsonb)
returns void
language plpgsql
as $$
begin
    if body ? 'targets' then
        perform app.store_targets("row", body -> 'targets');
    end if;
    if body ? 'team' then
        perform app.store_team("row", body -> 'team');
    end if;
end
$$;

create or replace function app.after_patch_supervision_tasks(
    "row" dudao.supervision_tasks, patch jsonb)
returns void
language plpgsql
as $$
begin
    perform app.after_create_supervision_tasks("row", patch);
    -- another team or other targets are another version of the task
    if patch - '{team,targets}'::text[] = '{}' then
        update dudao.supervision_tasks set id = id where id = "row".id;
    end if;
end
$$;

-- Targets and members are added one by one while the task is a draft.
create or replace function app.draft_task(task_id uuid)
returns dudao.supervision_tasks
language plpgsql
as $$
declare
    task dudao.supervision_tasks;
begin
    select * into task from dudao.supervision_tasks t where t.id = task_id;
    if task.id is null then
        perform app.refuse(404, 'not-found');
    end if;
    if task.state <> 'draft' then
        perform app.refuse(409, 'not-editable', extra => jsonb_build_object(
            'state', task.state, 'rule_id', 'R-TSK-02',
            'clause_id', 'L-TL-16'));
    end if;
    return task;
end
$$;

create or replace function app.before_create_team_members(
    "row" dudao.team_members, body jsonb)
returns dudao.team_members
language plpgsql
as $$
begin
    perform app.draft_task("row".task_id);
    return "row";
end
$$;

create or replace function app.before_create_supervision_targets(
    "row" dudao.supervision_targets, body jsonb)
returns dudao.supervision_targets
language plpgsql
as $$
begin
    perform app.draft_task("row".task_id);
    return "row";
end
$$;

create or replace function app.place_visit("row" dudao.visits)
returns dudao.visits
language plpgsql security definer set search_path = dudao, app, ext
as $$
declare
    limit_metres constant integer := app.parameter_int('geo_warning_metres');
begin
    "row".organization_id := coalesce("row".school_id,
        (select t.organization_id from supervision_targets t
            where t.id = "row".target_id));
    "row".distance_metres := (
        select app.distance_metres("row".latitude, "row".longitude,
            s.latitude, s.longitude)
        from schools s
        where s.id = "row".organization_id);
    "row".geo_warning := coalesce(
        "row".distance_metres > limit_metres, false);
    return "row";
end
$$;

create or replace function app.before_create_visits(
    "row" dudao.visits, body jsonb)
returns dudao.visits
language plpgsql
as $$
begin
    "row" := app.place_visit("row");
    "row".inspector_id := coalesce("row".inspector_id, app.inspector_id());
    "row".semester_id := coalesce("row".semester_id, (
        select s.id from dudao.semesters s
        where "row".visited_on between s.starts_on and s.ends_on));
    -- L-TL-8: the plaque is a standing assignment by the chief inspector
    "row".assigned_by := coalesce("row".assigned_by,
        (app.users_with_role('chief_inspector'))[1]);
    return "row";
end
$$;

create or replace function app.before_patch_visits(
    "row" dudao.visits, patch jsonb)
returns dudao.visits
language plpgsql
as $$
begin
    return app.place_visit("row");
end
$$;

-- Items in the order of the body; an item with a problem in it registers
-- that problem, so that a phone sends a whole visit at once.
create or replace function app.store_visit_items(
    visit dudao.visits, items jsonb)
returns void
language plpgsql
as $$
declare
    entry record;
    problem jsonb;
    answer app.answer;
    stored uuid;
    known uuid;
begin
    for entry in
        select e.item, e.place::integer as seq
        from jsonb_array_elements(items) with ordinality as e(item, place)
    loop
        select i.problem_id into known
        from dudao.visit_items i
        where i.visit_id = visit.id and i.seq = entry.seq;
        insert into dudao.visit_items as i (visit_id, seq, area, conclusion,
            note, evidence, is_demo)
        values (visit.id, entry.seq, entry.item ->> 'area',
            entry.item ->> 'conclusion', entry.item ->> 'note',
            array(select a::uuid from jsonb_array_elements_text(
                coalesce(entry.item -> 'evidence', '[]')) as a),
            visit.is_demo)
        on conflict (visit_id, seq) do update set area = excluded.area,
            conclusion = excluded.conclusion, note = excluded.note,
            evidence = excluded.evidence
        returning i.id into stored;
        problem := nullif(entry.item -> 'problem', 'null');
        if problem is not null and known is null then
            select * into answer from app.create('problems',
                jsonb_build_object('visit_id', visit.id,
                    'organization_id', visit.organization_id,
                    'area', entry.item ->> 'area') || problem);
            update dudao.visit_items
            set problem_id = (answer.body::jsonb ->> 'id')::uuid
            where id = stored;
        elsif problem is not null then
            perform app.patch('problems', known, null, problem - 'id');
        end if;
    end loop;
    delete from dudao.visit_items i
    where i.visit_id = visit.id
        and i.seq > jsonb_array_length(items)
        and i.problem_id is null;
end
$$;

create or replace function app.after_create_visits(
    "row" dudao.visits, body jsonb)
returns void
language plpgsql
as $$
begin
    if body ? 'items' then
        perform app.store_visit_items("row", body -> 'items');
    end if;
end
$$;

create or replace function app.after_patch_visits(
    "row" dudao.visits, patch jsonb)
returns void
language plpgsql
as $$
begin
    perform app.after_create_visits("row", patch);
    if patch - '{items}'::text[] = '{}' then
        update dudao.visits set id = id where id = "row".id;
    end if;
end
$$;

insert into app.row_rules(resource, name, expression, pointer, code,
    rule_id, clause_id, params) values
    ('supervision_tasks', 'onsite_order',
        'new.onsite_to >= new.onsite_from',
        '/onsite_to', 'date-before-start', null, 'L-TL-16',
        'jsonb_build_object(''min'', new.onsite_from)'),
    ('supervision_targets', 'one_subject',
        'num_nonnulls(new.organization_id, new.zone_id) = 1',
        '/organization_id', 'one-of-required', null, 'C2.3.1.d', null),
    ('team_members', 'one_subject',
        'num_nonnulls(new.inspector_id, new.person_id) = 1',
        '/inspector_id', 'one-of-required', 'R-TSK-02', 'L-TL-16', null),
    -- 3.0: what no step does
    ('supervision_targets', 'not_recused', $e$step.action is not null
        or not app.is_kept_off(new.organization_id, new.id)$e$,
        null, 'recusal-required', 'R-INS-09', 'L-TL-10', null),
    ('visits', 'not_recused', $e$step.action is not null
        or not app.is_kept_off(new.organization_id, new.target_id, new.id)$e$,
        '/inspector_id', 'recusal-required', 'R-INS-09', 'L-TL-10', null),
    ('visits', 'subject',
        'num_nonnulls(new.school_id, new.target_id) >= 1',
        '/school_id', 'one-of-required', 'R-VIS-01', 'C2.2.2.b', null),
    ('visits', 'not_future',
        'new.visited_on <= app.today()',
        '/visited_on', 'date-in-future', 'R-VIS-01', 'C2.2.2.b',
        'jsonb_build_object(''max'', app.today())'),
    ('visits', 'arrived_that_day',
        '(new.arrived_at at time zone ''Asia/Shanghai'')::date
            = new.visited_on',
        '/arrived_at', 'not-the-day-of-visit', 'R-VIS-01', 'C2.2.2.b', null),
    ('visits', 'left_not_future',
        'new.left_at <= app.now()',
        '/left_at', 'date-in-future', 'R-VIS-01', 'C2.2.2.b',
        'jsonb_build_object(''max'', app.ts(app.now()))'),
    ('visits', 'left_after_arrival',
        'new.left_at >= new.arrived_at',
        '/left_at', 'date-before-start', 'R-VIS-01', 'C2.2.2.b',
        'jsonb_build_object(''min'', app.ts(new.arrived_at))');


-- Scopes (4.2) --------------------------------------------------------------

-- Tasks on whose team the caller is.
create or replace function app.my_task_ids() returns uuid[]
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return (
        select coalesce(array_agg(distinct t.id), '{}')
        from (
            select m.task_id as id
            from team_members m
            where m.inspector_id = app.inspector_id()
            union all
            select s.id
            from supervision_tasks s
            where s.leader_inspector_id = app.inspector_id()
        ) as t);
end
$$;

-- L-TL-10: from which units, targets and visits a granted recusal keeps the
-- caller.
drop function if exists app.my_recused_organizations();
drop function if exists app.my_recused_targets();
drop function if exists app.my_recused_visits();
create or replace function app.my_recused(what text) returns uuid[]
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return (
        select coalesce(array_agg(r.id) filter (where r.id is not null), '{}')
        from (
            select case what
                when 'organizations' then x.organization_id
                when 'targets' then x.target_id
                when 'visits' then x.visit_id end as id
            from recusals x
            where x.inspector_id = app.inspector_id() and x.state = 'granted') as r);
end
$$;

-- Policies may not refer to each other in a circle: children look at tasks,
-- tasks look at targets, targets at their own columns.
insert into app.scope_predicates(resource, scope, predicate) values
    ('supervision_tasks', 'z', $p$exists (
        select from dudao.supervision_targets t
        where t.task_id = supervision_tasks.id
            and (t.organization_id
                    = any ((select app.my_zone_organizations())::uuid[])
                or t.zone_id = any ((select app.my_zone_ids())::uuid[])))
        or id = any ((select app.my_task_ids())::uuid[])$p$),
    ('supervision_tasks', 's',
        'id = any ((select app.my_task_ids())::uuid[])'),
    ('supervision_tasks', 'o', $p$state <> all ('{draft,approved}')
        and exists (
            select from dudao.supervision_targets t
            where t.task_id = supervision_tasks.id
                and t.organization_id = (select app.organization_id()))$p$),
    ('supervision_tasks', 'c', $p$exists (
        select from dudao.dispatches d
        where d.subject_type = 'supervision_tasks'
            and d.subject_id = supervision_tasks.id
            and d.recipient_organization_id = (select app.organization_id())
            and d.state in ('sent', 'received'))$p$),
    -- contracts with agencies come later
    ('supervision_tasks', 'k', 'false'),
    ('supervision_targets', 'z', $p$organization_id
            = any ((select app.my_zone_organizations())::uuid[])
        or zone_id = any ((select app.my_zone_ids())::uuid[])
        or task_id = any ((select app.my_task_ids())::uuid[])$p$),
    ('supervision_targets', 's', $p$id <> all (
            (select app.my_recused('targets'))::uuid[])
        and (organization_id
                = any ((select app.my_assigned_organizations())::uuid[])
            or (task_id = any ((select app.my_task_ids())::uuid[])
                and coalesce(organization_id <> all (
                    (select app.my_recused('organizations'))::uuid[]), true)))$p$),
    ('supervision_targets', 'o', $p$state <> 'pending'
        and organization_id = (select app.organization_id())$p$),
    ('supervision_targets', 'i', $p$state = any (
            '{opinion_issued,opinion_received,rectifying,closed}')
        and organization_id
            = any ((select app.my_jurisdiction_organizations())::uuid[])$p$),
    ('supervision_targets', 'c', $p$exists (
        select from dudao.dispatches d
        where d.subject_type = 'supervision_targets'
            and d.subject_id = supervision_targets.id
            and d.recipient_organization_id = (select app.organization_id())
            and d.state in ('sent', 'received'))$p$),
    ('supervision_targets', 'k', 'false'),
    ('visits', 'z', $p$organization_id
            = any ((select app.my_zone_organizations())::uuid[])
        or inspector_id = (select app.inspector_id())$p$),
    -- what one has written stays to be read
    ('visits', 's', $p$inspector_id = (select app.inspector_id())
        or (organization_id
                = any ((select app.my_assigned_organizations())::uuid[])
            and id <> all ((select app.my_recused('visits'))::uuid[])
            and coalesce(target_id <> all (
                (select app.my_recused('targets'))::uuid[]), true))$p$),
    ('visits', 'o', $p$state <> 'draft'
        and organization_id = (select app.organization_id())$p$),
    ('visits', 'j', $p$state = 'reviewed' and organization_id
        = any ((select app.my_jurisdiction_organizations())::uuid[])$p$),
    ('visits', 'k', 'false');


-- What the API shows --------------------------------------------------------

-- All of them, also to who sees but the own.
create or replace function app.target_count(task uuid) returns bigint
language plpgsql stable security definer
as $$
begin
    return (
        select count(*)
        from dudao.supervision_targets g
        where g.task_id = task);
end
$$;

drop view if exists app.supervision_tasks_json;
create view app.supervision_tasks_json with (security_invoker = true) as
select t.*, json_build_object(
    'id', t.id,
    'version', t.version,
    'code', t.code,
    'kind', t.kind,
    'title', t.title,
    'year', t.year,
    'unplanned_reason', t.unplanned_reason,
    'ordered_by_level', t.ordered_by_level,
    'is_annual_key', t.is_annual_key,
    'basis_document_id', t.basis_document_id,
    'matters', t.matters,
    'joint_organization_ids', t.joint_organization_ids,
    'leader_inspector_id', t.leader_inspector_id,
    'onsite_from', t.onsite_from,
    'onsite_to', t.onsite_to,
    'external_ref', t.external_ref,
    'team', (
        select coalesce(json_agg(json_build_object(
            'id', m.id,
            'inspector_id', m.inspector_id,
            'person_id', m.person_id,
            'role', m.role,
            'organization_id', m.organization_id,
            'target_ids', m.target_ids) order by m.id), '[]')
        from dudao.team_members m
        where m.task_id = t.id),
    'target_count', app.target_count(t.id),
    'cancel_reason', t.cancel_reason,
    'consent_document_id', t.consent_document_id,
    'approved_on', t.approved_on,
    'issued_on', t.issued_on,
    'started_on', t.started_on,
    'completed_on', t.completed_on,
    'state', t.state,
    'allowed_actions', app.allowed_actions('supervision_tasks', t.state),
    'created_at', app.ts(t.created_at),
    'updated_at', app.ts(t.updated_at),
    'is_demo', t.is_demo) as body
from dudao.supervision_tasks t;

drop view if exists app.team_members_json;
create view app.team_members_json with (security_invoker = true) as
select t.*, json_build_object(
    'id', t.id,
    'version', t.version,
    'task_id', t.task_id,
    'inspector_id', t.inspector_id,
    'person_id', t.person_id,
    'role', t.role,
    'organization_id', t.organization_id,
    'target_ids', t.target_ids,
    'created_at', app.ts(t.created_at),
    'updated_at', app.ts(t.updated_at),
    'is_demo', t.is_demo) as body
from dudao.team_members t;

drop view if exists app.supervision_notices_json;
create view app.supervision_notices_json with (security_invoker = true) as
select t.*, json_build_object(
    'id', t.id,
    'version', t.version,
    'task_id', t.task_id,
    'target_ids', t.target_ids,
    'doc_no', t.doc_no,
    'issued_on', t.issued_on,
    'issued_by', t.issued_by,
    'text', t.text,
    'matters', t.matters,
    'schedule', t.schedule,
    'materials_required', t.materials_required,
    'self_assessment_due_on', t.self_assessment_due_on,
    'attachment_id', t.attachment_id,
    'created_at', app.ts(t.created_at),
    'updated_at', app.ts(t.updated_at),
    'is_demo', t.is_demo) as body
from dudao.supervision_notices t;

drop view if exists app.supervision_targets_json;
create view app.supervision_targets_json with (security_invoker = true) as
select t.*, json_build_object(
    'id', t.id,
    'version', t.version,
    'task_id', t.task_id,
    'organization_id', t.organization_id,
    'zone_id', t.zone_id,
    'leadership_term_id', t.leadership_term_id,
    'trigger', t.trigger,
    'notice_id', t.notice_id,
    'waive_reason', t.waive_reason,
    'onsite_started_on', t.onsite_started_on,
    'onsite_ended_on', t.onsite_ended_on,
    'preliminary_opinion', t.preliminary_opinion,
    'preliminary_fed_back_on', t.preliminary_fed_back_on,
    'defense_due_on', t.defense_due_on,
    'grade', t.grade,
    'score', t.score,
    'is_obstructed', t.is_obstructed,
    'obstruction_kinds', t.obstruction_kinds,
    'obstruction_facts', t.obstruction_facts,
    'obstruction_evidence', t.obstruction_evidence,
    'excuse_reason', t.excuse_reason,
    'state', t.state,
    'allowed_actions', app.allowed_actions('supervision_targets', t.state),
    'created_at', app.ts(t.created_at),
    'updated_at', app.ts(t.updated_at),
    'is_demo', t.is_demo) as body
from dudao.supervision_targets t;

-- R-VIS-01: of one inspector's visits of a kind to a school on a day one
-- counts, the first submitted, whether or not the reader sees the others.
create or replace function app.is_first_visit(visit dudao.visits) returns boolean
language plpgsql stable security definer
as $$
begin
    return not exists (
        select
        from dudao.visits e
        where e.organization_id = visit.organization_id
            and e.inspector_id = visit.inspector_id
            and e.visited_on = visit.visited_on
            and e.kind = visit.kind
            and e.state in ('submitted', 'school_confirmed', 'reviewed')
            and (e.submitted_at, e.id) < (visit.submitted_at, visit.id));
end
$$;

drop view if exists app.visits_json;
create view app.visits_json with (security_invoker = true) as
select t.*, json_build_object(
    'id', t.id,
    'version', t.version,
    'client_uid', t.client_uid,
    'kind', t.kind,
    'school_id', t.school_id,
    'target_id', t.target_id,
    'organization_id', t.organization_id,
    'inspector_id', t.inspector_id,
    'companion_ids', t.companion_ids,
    'assigned_by', t.assigned_by,
    'semester_id', t.semester_id,
    'visited_on', t.visited_on,
    'arrived_at', app.ts(t.arrived_at),
    'left_at', app.ts(t.left_at),
    'latitude', t.latitude,
    'longitude', t.longitude,
    'distance_metres', t.distance_metres,
    'geo_warning', t.geo_warning,
    'methods', t.methods,
    'summary', t.summary,
    'praise', t.praise,
    'advice', t.advice,
    'no_problem_found', t.no_problem_found,
    'items', (
        select coalesce(json_agg(json_build_object(
            'id', i.id,
            'seq', i.seq,
            'area', i.area,
            'conclusion', i.conclusion,
            'note', i.note,
            'evidence', i.evidence,
            'problem_id', i.problem_id) order by i.seq), '[]')
        from dudao.visit_items i
        where i.visit_id = t.id),
    'submitted_at', app.ts(t.submitted_at),
    -- R-VIS-03
    'is_late', coalesce(t.submitted_at
        > coalesce(t.left_at, (t.visited_on + 1)::timestamp
            at time zone 'Asia/Shanghai')
        + (select app.parameter_int('visit_upload_hours'))
            * interval '1 hour', false),
    'is_counted', t.state in ('submitted', 'school_confirmed', 'reviewed')
        and app.is_first_visit(t),
    'confirmed_at', app.ts(t.confirmed_at),
    'unit_remark', t.unit_remark,
    'reviewed_at', app.ts(t.reviewed_at),
    'reviewed_by', t.reviewed_by,
    'return_reason', t.return_reason,
    'state', t.state,
    'allowed_actions', app.allowed_actions('visits', t.state),
    'created_at', app.ts(t.created_at),
    'updated_at', app.ts(t.updated_at),
    'is_demo', t.is_demo) as body
from dudao.visits t;

drop view if exists app.visit_items_json;
create view app.visit_items_json with (security_invoker = true) as
select t.*, json_build_object(
    'id', t.id,
    'version', t.version,
    'visit_id', t.visit_id,
    'seq', t.seq,
    'area', t.area,
    'conclusion', t.conclusion,
    'note', t.note,
    'evidence', t.evidence,
    'problem_id', t.problem_id,
    'created_at', app.ts(t.created_at),
    'updated_at', app.ts(t.updated_at),
    'is_demo', t.is_demo) as body
from dudao.visit_items t;
