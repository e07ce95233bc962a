-- The problem ledger (3.9): C2.3.2, R-PRB-01 to R-PRB-06.

select app.register('problems', permission_group => 'problems',
    machine => true, legal => true, editable_in => '{draft,listed}',
    read_only => '{code,task_id,extended_due_on,listed_on,assigned_on,
        reported_on,struck_off_on,rebounded_on,looked_back_on,
        extension_count,extension_requested_on,extension_requested_due_on,
        extension_reason,round,reviewer_inspector_ids,verify_due_on,
        look_back_from,look_back_due_on,disclosure_due_on,
        escalation_level,major_matter_id}', searched => '{title,description,code}');
select app.register('rectification_plans', permission_group => 'problems',
    part_of => 'problems', part_key => 'problem_id',
    machine => true, editable_in => '{submitted}',
    read_only => '{round,submitted_at,accepted_at,return_reason}');
select app.register('rectification_reports', permission_group => 'problems',
    part_of => 'problems', part_key => 'problem_id',
    read_only => '{round,seq,submitted_at}');
select app.register('problem_reviews', permission_group => 'problems',
    part_of => 'problems', part_key => 'problem_id',
    read_only => '{round,report_id}');


-- Labels --------------------------------------------------------------------

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('problems.severity', 'minor', '一般', 'Minor', 1),
    ('problems.severity', 'moderate', '较重', 'Moderate', 2),
    ('problems.severity', 'major', '重大', 'Major', 3),
    ('problems.severity', 'danger', '危及安全', 'Danger to safety', 4),
    ('problems.category', 'P01', '办学方向', 'Direction of the school', 1),
    ('problems.category', 'P02', '招生收费', 'Enrolment and fees', 2),
    ('problems.category', 'P03', '课程教学', 'Curriculum and teaching', 3),
    ('problems.category', 'P04', '课业负担/双减', 'Workload', 4),
    ('problems.category', 'P05', '师德师风', 'Ethics of teachers', 5),
    ('problems.category', 'P06', '校园安全', 'Campus safety', 6),
    ('problems.category', 'P07', '食品卫生', 'Food hygiene', 7),
    ('problems.category', 'P08', '校舍设施', 'Buildings and facilities', 8),
    ('problems.category', 'P09', '经费投入', 'Funds', 9),
    ('problems.category', 'P10', '控辍保学', 'School attendance', 10),
    ('problems.category', 'P11', '队伍编制待遇', 'Staff and pay', 11),
    ('problems.category', 'P12', '规划建设', 'Planning and building', 12),
    ('problems.category', 'P13', '民办规范', 'Private schools', 13),
    ('problems.category', 'P14', '督导配合', 'Cooperation', 14),
    ('problems.category', 'P15', '监测质量', 'Quality in monitoring', 15),
    ('problems.category', 'P99', '其他', 'Other', 16),
    ('rectification_reports.result', 'completed', '已完成', 'Completed', 1),
    ('rectification_reports.result', 'phased', '阶段性', 'In part', 2),
    ('rectification_reports.result', 'unable', '无法完成', 'Unable', 3),
    ('problem_reviews.kind', 'verification', '销号核查', 'Verification', 1),
    ('problem_reviews.kind', 'look_back', '回头看', 'Look-back', 2),
    ('problem_reviews.method', 'onsite', '现场', 'On site', 1),
    ('problem_reviews.method', 'documents', '资料', 'Documents', 2),
    ('problem_reviews.method', 'unannounced', '暗访', 'Unannounced', 3),
    ('problem_reviews.result', 'in_place', '整改到位', 'In place', 1),
    ('problem_reviews.result', 'not_in_place', '不到位', 'Not in place', 2),
    ('problem_reviews.result', 'late', '不及时', 'Late', 3),
    ('problem_reviews.result', 'rebounded', '反弹', 'Rebounded', 4),
    ('problem_reviews.result', 'false_report', '弄虚作假',
        'False report', 5);



-- What the ledger derives ---------------------------------------------------

-- Open, and past the day that counts (C2.3.2.c, R-PRB-01).
create or replace function app.problem_overdue(p dudao.problems, as_of date)
returns boolean
language sql stable
as $$
    select p.state in ('listed', 'assigned', 'rectifying', 'rebounded')
        and coalesce(as_of > p.effective_due_on, false)
$$;

-- Names no minors, no numbers of persons (4.4).
create or replace function app.names_a_person(text) returns boolean
language sql immutable
as $$
    select $1 ~ '(^|[^0-9])([0-9]{17}[0-9Xx]|1[3-9][0-9]{9})([^0-9]|$)'
$$;

-- The report that is under verification, and the review that judges it.
create or replace function app.last_report(problem uuid)
returns dudao.rectification_reports
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return (
        select r
        from rectification_reports r
        where r.problem_id = problem
        order by r.round desc, r.seq desc
        limit 1);
end
$$;

create or replace function app.last_review(problem uuid, of_kind text)
returns dudao.problem_reviews
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return (
        select r
        from problem_reviews r
        where r.problem_id = problem
            and r.kind = of_kind
        order by r.created_at desc, r.id desc
        limit 1);
end
$$;

-- Why these inspectors may not judge this problem: own unit, reporter,
-- recusal, and a part-time inspector for what is major.
drop function if exists app.reviewer_faults(dudao.problems, uuid[], text);
create or replace function app.reviewer_faults(
    p dudao.problems, reported_by uuid, reviewers uuid[], pointer text)
returns app.fault[]
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
declare
    faults app.fault[] := '{}';
    reviewer record;
begin
    for place in 1 .. coalesce(cardinality(reviewers), 0) loop
        select i.id,
            h.organization_id = p.organization_id
                or exists (
                    select from users u
                    where u.person_id = i.person_id
                        and (u.id = reported_by
                            or u.organization_id = p.organization_id))
                as is_biased
            into reviewer
        from inspectors i
        join persons h on h.id = i.person_id
        where i.id = reviewers[place];
        if reviewer.id is null then
            faults := faults || app.fault('unknown-reference',
                format('%s/%s', pointer, place - 1));
            continue;
        end if;
        if reviewer.is_biased then
            faults := faults || app.fault('reviewer-not-independent',
                format('%s/%s', pointer, place - 1), null,
                'R-PRB-02', 'C2.3.2.b');
        elsif app.is_recused(reviewer.id, p.organization_id, p.target_id,
                p.visit_id)
        then
            faults := faults || app.fault('recusal-required',
                format('%s/%s', pointer, place - 1), null,
                'R-INS-09', 'L-TL-10');
        end if;
        if p.severity in ('major', 'danger')
                and not app.is_full_time(reviewer.id, app.today()) then
            faults := faults || app.fault('reviewer-not-full-time',
                format('%s/%s', pointer, place - 1), null,
                'R-PRB-02', 'C2.3.2.b');
        end if;
    end loop;
    return faults;
end
$$;


-- Registration --------------------------------------------------------------

create or replace function app.before_create_problems(
    "row" dudao.problems, body jsonb)
returns dudao.problems
language plpgsql security definer set search_path = dudao, app, ext
as $$
begin
    "row".code := app.next_code('WT');
    -- a member unit registers what it found itself (4.3: RWo)
    if num_nonnulls("row".target_id, "row".visit_id, "row".review_id,
                "row".exchange_message_id, "row".member_organization_id) = 0
            and app.has_role('committee_member', 'member_liaison') then
        "row".member_organization_id := app.organization_id();
    end if;
    "row".task_id := coalesce(
        (select t.task_id from supervision_targets t
            where t.id = "row".target_id),
        (select t.task_id
            from visits v
            join supervision_targets t on t.id = v.target_id
            where v.id = "row".visit_id));
    return "row";
end
$$;

insert into app.row_rules(resource, name, expression, pointer, code,
    rule_id, clause_id, params, when_changed) values
    -- 3.0: what no step does
    ('problems', 'not_recused', $e$step.action is not null
        or not app.is_kept_off(new.organization_id, new.target_id,
            new.visit_id)$e$,
        null, 'recusal-required', 'R-INS-09', 'L-TL-10', null, null),
    ('problems', 'source',
        'num_nonnulls(new.target_id, new.visit_id, new.review_id,
            new.exchange_message_id, new.member_organization_id) = 1',
        '/visit_id', 'one-source-required', null, 'C2.3.2.a', null, null),
    ('problems', 'supervisable',
        '(select o.is_supervisable from dudao.organizations o
            where o.id = new.organization_id)',
        '/organization_id', 'not-supervisable', null, 'C2.3.2.a', null,
        '{organization_id}'),
    ('problems', 'unit_of_visit',
        '(select v.organization_id = new.organization_id
            from dudao.visits v where v.id = new.visit_id)',
        '/organization_id', 'not-the-visited-unit', null, 'C2.3.2.a', null,
        '{organization_id,visit_id}'),
    ('problems', 'unit_of_target',
        '(select t.organization_id = new.organization_id
            from dudao.supervision_targets t where t.id = new.target_id)',
        '/organization_id', 'not-the-visited-unit', null, 'C2.3.2.a', null,
        '{organization_id,target_id}'),
    ('problems', 'title_without_persons',
        'not app.names_a_person(new.title)',
        '/title', 'personal-data', null, null, null, '{title}'),
    ('problems', 'description_without_persons',
        'not app.names_a_person(new.description)',
        '/description', 'personal-data', null, null, null, '{description}'),
    ('problems', 'due_on_not_past',
        'new.due_on >= app.today() or new.state <> ''draft''',
        '/due_on', 'date-in-past', null, 'C2.3.1.e',
        'jsonb_build_object(''min'', app.today())', null),
    -- also for whoever writes past app.create(): no unit reviews itself
    ('problem_reviews', 'by_reviewer',
        'app.has_role(''inspector_ft'', ''inspector_pt'', ''zone_lead'',
            ''office_staff'', ''deputy_chief_inspector'',
            ''chief_inspector'')',
        null, 'role-not-permitted', 'R-PRB-02', 'C2.3.2.b', null, null);


-- Steps ---------------------------------------------------------------------

create or replace function app.before_problems(
    action text, "row" dudao.problems, data jsonb)
returns dudao.problems
language plpgsql security definer set search_path = dudao, app, ext
as $$
begin
    case action
    when 'list' then
        "row".listed_on := app.today();
        "row".due_on := case "row".severity
            -- L-GP-05: danger counts from the visit on
            when 'danger' then least("row".due_on, app.today() + 1)
            else coalesce("row".due_on, app.today()
                + (app.parameter('rectification_days')
                    ->> "row".severity)::integer)
            end;
    when 'assign' then
        "row".assigned_on := app.today();
        if "row".state = 'rebounded' then
            "row".round := "row".round + 1;
            "row".requirement := data ->> 'requirement';
            "row".due_on := (data ->> 'due_on')::date;
            "row".extended_due_on := null;
            "row".struck_off_on := null;
            "row".looked_back_on := null;
            "row".look_back_from := null;
            "row".look_back_due_on := null;
            "row".disclosure_due_on := null;
            "row".reported_on := null;
            "row".reviewer_inspector_ids := '{}';
        else
            "row".requirement :=
                coalesce(data ->> 'requirement', "row".requirement);
        end if;
    when 'request_extension' then
        "row".extension_requested_on := app.today();
        "row".extension_requested_due_on := (data ->> 'due_on')::date;
        "row".extension_reason := data ->> 'reason';
    when 'approve_extension' then
        "row".extended_due_on := "row".extension_requested_due_on;
        "row".extension_count := "row".extension_count + 1;
        "row".extension_requested_on := null;
        "row".extension_requested_due_on := null;
    when 'reject_extension' then
        "row".extension_requested_on := null;
        "row".extension_requested_due_on := null;
    when 'report', 'report_phase' then
        insert into rectification_reports(problem_id, round, seq, result,
            text, evidence, cost_fen, signed_by_head, submitted_at, is_demo)
        values ("row".id, "row".round,
            (select coalesce(max(r.seq), 0) + 1
                from rectification_reports r
                where r.problem_id = "row".id and r.round = "row".round),
            coalesce(data ->> 'result', case action
                when 'report' then 'completed' else 'phased' end),
            data ->> 'text',
            array(select e::uuid from jsonb_array_elements_text(
                coalesce(nullif(data -> 'evidence', 'null'), '[]')) as e),
            (data ->> 'cost_fen')::bigint,
            coalesce((data ->> 'signed_by_head')::boolean, false),
            app.now(), "row".is_demo);
        if action = 'report' then
            "row".reported_on := app.today();
            "row".extension_requested_on := null;
            "row".extension_requested_due_on := null;
        end if;
    when 'verify' then
        "row".reviewer_inspector_ids := array(
            select distinct r::uuid
            from jsonb_array_elements_text(
                data -> 'reviewer_inspector_ids') as r);
        "row".verify_due_on := app.add_workdays("row".reported_on,
            app.parameter_int('verify_workdays'));
    when 'strike_off' then
        "row".struck_off_on := app.today();
        "row".looked_back_on := null;
        "row".look_back_from := app.today()
            + app.parameter_int('lookback_min_days');
        "row".look_back_due_on := app.today()
            + app.parameter_int('lookback_max_days');
        "row".disclosure_due_on := app.add_workdays(app.today(),
            app.parameter_int('publication_workdays'));
    when 'reject' then
        "row".reviewer_inspector_ids := '{}';
    when 'look_back_ok' then
        "row".looked_back_on := app.today();
    when 'rebound' then
        "row".rebounded_on := app.today();
        "row".due_on := (data ->> 'due_on')::date;
        "row".extended_due_on := null;
    when 'void' then
        "row".voided_at := app.now();
        "row".voided_by := app.user_id();
        "row".void_reason := data ->> 'reason';
    else
    end case;
    return "row";
end
$$;

-- What every strike-off needs (C2.3.2.b, R-PRB-02).
create or replace function app.strike_off_faults(p dudao.problems)
returns app.fault[]
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
declare
    faults app.fault[] := '{}';
    report rectification_reports := app.last_report(p.id);
    review problem_reviews := app.last_review(p.id, 'verification');
begin
    -- the account that wrote the review down is the one of a reviewer
    if review.id is null or review.report_id is distinct from report.id
            or not exists (
                select
                from users u
                join inspectors i on i.person_id = u.person_id
                where u.id = review.created_by
                    and i.id = any (review.reviewer_inspector_ids)
                    and i.id = any (p.reviewer_inspector_ids)) then
        faults := faults || app.fault('verification-required', null, null,
            'R-PRB-02', 'C2.3.2.b');
    elsif review.result <> 'in_place' then
        faults := faults || app.fault('verification-not-in-place', null,
            jsonb_build_object('result', review.result),
            'R-PRB-02', 'C2.3.2.b');
    else
        if review.evidence = '{}' then
            faults := faults || app.fault('evidence-required', null, null,
                'R-PRB-02', 'C2.3.2.b');
        end if;
        faults := faults || app.reviewer_faults(p, report.created_by,
            review.reviewer_inspector_ids, '/reviewer_inspector_ids');
    end if;
    -- who reported, or belongs to the unit, does not strike off
    if app.user_id() = report.created_by
            or exists (
                select
                from users actor
                left join users reporter on reporter.id = report.created_by
                where actor.id = app.user_id()
                    and (actor.organization_id = p.organization_id
                        or actor.person_id = reporter.person_id)) then
        faults := faults || app.fault('separation-of-duties', null, null,
            'R-PRB-02', 'C2.3.2.b');
    end if;
    if p.severity in ('major', 'danger')
            and not app.has_role('chief_inspector') then
        faults := faults || app.fault('chief-inspector-required', null,
            jsonb_build_object('severity', p.severity),
            'R-PRB-02', 'C2.3.2.b');
    end if;
    return faults;
end
$$;

create or replace function app.extension_faults(
    old dudao.problems, new dudao.problems)
returns app.fault[]
language plpgsql stable
as $$
declare
    faults app.fault[] := '{}';
    latest date := old.due_on + 30;
begin
    if old.extension_count > 0 then
        faults := faults || app.fault('extension-used', null, null,
            'R-PRB-01', 'C2.3.2.f');
    end if;
    if old.extension_requested_on is not null then
        faults := faults || app.fault('extension-pending', null, null,
            'R-PRB-01', 'C2.3.2.f');
    end if;
    if app.today() > old.due_on then
        faults := faults || app.fault('deadline-passed', null,
            jsonb_build_object('due_on', old.due_on),
            'R-PRB-01', 'C2.3.2.f');
    end if;
    if new.extension_requested_due_on is null then
        faults := faults || app.fault('required', '/due_on', null,
            'R-PRB-01', 'C2.3.2.f');
    elsif new.extension_requested_due_on <= old.due_on
            or new.extension_requested_due_on > latest then
        faults := faults || app.fault('extension-out-of-range', '/due_on',
            jsonb_build_object('min', old.due_on + 1, 'max', latest),
            'R-PRB-01', 'C2.3.2.f');
    end if;
    return faults;
end
$$;

create or replace function app.guard_problems(
    action text, old dudao.problems, new dudao.problems, data jsonb)
returns app.fault[]
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
declare
    faults app.fault[] := '{}';
    report rectification_reports;
    review problem_reviews;
    plan rectification_plans;
begin
    case action
    when 'list', 'assign' then
        if coalesce(new.requirement, '') = '' then
            faults := faults || app.fault('required', '/requirement', null,
                'R-FBK-02', 'C2.3.1.e');
        end if;
        if new.due_on is null then
            faults := faults || app.fault('required', '/due_on', null,
                'R-FBK-02', 'C2.3.1.e');
        elsif (action = 'list' or old.state = 'rebounded')
                and new.due_on < app.today() then
            faults := faults || app.fault('date-in-past', '/due_on',
                jsonb_build_object('min', app.today()),
                'R-FBK-02', 'C2.3.1.e');
        end if;

    when 'accept_plan' then
        select * into plan
        from rectification_plans r
        where r.problem_id = new.id
            and r.round = new.round
            and r.state <> 'returned'
        order by r.submitted_at desc, r.id desc
        limit 1;
        if plan.id is null then
            faults := faults || app.fault('plan-required', null, null,
                'R-PRB-01', 'C2.3.2.c');
        elsif new.severity in ('major', 'danger')
                and jsonb_array_length(plan.steps) = 0 then
            faults := faults || app.fault('plan-steps-required', '/steps',
                jsonb_build_object('severity', new.severity),
                'R-PRB-01', 'C2.3.2.c');
        end if;

    when 'request_extension' then
        faults := app.extension_faults(old, new);

    when 'approve_extension', 'reject_extension' then
        if old.extension_requested_on is null then
            faults := faults || app.fault('extension-not-requested', null,
                null, 'R-PRB-01', 'C2.3.2.f');
        end if;

    when 'report' then
        report := app.last_report(new.id);
        if report.id is null or report.round <> new.round or exists (
                select from problem_reviews r where r.report_id = report.id)
        then
            faults := faults || app.fault('report-required', null, null,
                'R-PRB-03', 'C2.3.2.g');
        end if;
        if report.result is distinct from 'completed' then
            faults := faults || app.fault('report-not-completed', '/result',
                null, 'R-PRB-03', 'C2.3.2.g');
        end if;
        if coalesce(report.evidence, '{}') = '{}' then
            faults := faults || app.fault('evidence-required', '/evidence',
                null, 'R-PRB-03', 'C2.3.2.g');
        end if;
        if report.signed_by_head is not true then
            faults := faults || app.fault('head-signature-required',
                '/signed_by_head', null, 'R-PRB-03', 'C2.3.2.g');
        end if;
        faults := faults || app.missing_attachments(report.evidence);

    when 'report_phase' then
        report := app.last_report(new.id);
        if report.result not in ('phased', 'unable') then
            faults := faults || app.fault('report-not-phased', '/result',
                null, 'R-PRB-01', 'C2.3.2.g');
        end if;
        faults := faults || app.missing_attachments(report.evidence);

    when 'verify' then
        if new.reviewer_inspector_ids = '{}' then
            faults := faults || app.fault('required',
                '/reviewer_inspector_ids', null, 'R-PRB-02', 'C2.3.2.b');
        end if;
        report := app.last_report(new.id);
        faults := faults || app.reviewer_faults(new, report.created_by,
            new.reviewer_inspector_ids, '/reviewer_inspector_ids');

    when 'strike_off' then
        faults := app.strike_off_faults(new);

    when 'reject' then
        report := app.last_report(new.id);
        review := app.last_review(new.id, 'verification');
        if review.id is null or review.report_id is distinct from report.id
        then
            faults := faults || app.fault('verification-required', null,
                null, 'R-LTR-01', 'C2.3.2.f');
        elsif review.result = 'in_place' then
            faults := faults || app.fault('verification-in-place', null,
                null, 'R-LTR-01', 'C2.3.2.f');
        end if;

    when 'look_back_ok', 'rebound' then
        review := app.last_review(new.id, 'look_back');
        if review.id is null or review.round <> new.round then
            faults := faults || app.fault('look-back-required', null, null,
                'R-PRB-04', 'C2.3.2.d');
        elsif action = 'look_back_ok' and review.result <> 'in_place' then
            faults := faults || app.fault('look-back-not-in-place', null,
                jsonb_build_object('result', review.result),
                'R-PRB-04', 'C2.3.2.d');
        elsif action = 'rebound' and review.result = 'in_place' then
            faults := faults || app.fault('look-back-in-place', null, null,
                'R-PRB-05', 'C2.3.2.e');
        end if;
        if action = 'look_back_ok' and not (coalesce(
                app.inspector_id() = any (review.reviewer_inspector_ids),
                false)) then
            faults := faults || app.fault('own-review-only', null, null,
                'R-PRB-04', 'C2.3.2.d');
        end if;
        if action = 'rebound' and new.due_on is null then
            faults := faults || app.fault('required', '/due_on', null,
                'R-PRB-05', 'C2.3.2.e');
        elsif action = 'rebound' and new.due_on < app.today() then
            faults := faults || app.fault('date-in-past', '/due_on',
                jsonb_build_object('min', app.today()),
                'R-PRB-05', 'C2.3.2.e');
        end if;

    when 'void' then
        -- "cannot be fixed" is no error of registration, and what was
        -- enforced once is on record (3.9)
        if old.escalation_level > 0 then
            faults := faults || app.fault('letter-issued', null, null,
                'R-PRB-01', 'C2.3.2.c');
        end if;
    else
    end case;
    return faults || app.recusal_faults(new.organization_id, new.target_id,
        new.visit_id);
end
$$;

-- Who has to hear of a step on the unit's side and on the office's.
create or replace function app.problem_reviewer_users(p dudao.problems)
returns uuid[]
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    return (
        select coalesce(array_agg(distinct u.id), '{}')
        from inspectors i
        join users u on u.person_id = i.person_id
        where i.id = any (p.reviewer_inspector_ids)
            or i.id in (
                select q.inspector_id from plaques q
                where q.school_id = p.organization_id and q.state = 'posted'));
end
$$;

create or replace function app.problem_exchange(p dudao.problems)
returns jsonb
language plpgsql stable security definer set search_path = dudao, app, ext
as $$
begin
    -- X-04 carries no free text
    return jsonb_build_object(
        'code', p.code,
        'unit', (select jsonb_build_object('code', o.code, 'kind', o.kind)
            from organizations o where o.id = p.organization_id),
        'category', p.category,
        'severity', p.severity,
        'state', p.state,
        'round', p.round,
        'assigned_on', p.assigned_on,
        'due_on', p.effective_due_on,
        'struck_off_on', p.struck_off_on);
end
$$;

create or replace function app.effect_problems(
    action text, old dudao.problems, new dudao.problems, data jsonb)
returns void
language plpgsql security definer set search_path = dudao, app, ext
as $$
declare
    unit_users uuid[] := app.users_of_organization(new.organization_id);
    review problem_reviews;
    plan_id uuid;
    payload jsonb;
begin
    case action
    when 'list' then
        perform app.deadline('problems', new.id, 'assign',
            app.add_workdays(app.today(), 5));

    when 'assign' then
        perform app.meet_deadline('problems', new.id, 'assign');
        perform app.deadline('problems', new.id, 'plan', case new.severity
            when 'danger' then app.today() + 1
            else app.add_workdays(app.today(), 5) end);
        perform app.deadline('problems', new.id, 'rectify', new.due_on);
        perform app.dispatch('problems', new.id, 'serve',
            new.organization_id, 'supervised_unit', app.today(), 'sent');
        perform app.notify('problems', new.id, 'problem_assigned',
            '问题已交办：' || new.code, new.requirement, unit_users,
            (new.due_on + 1)::timestamp at time zone 'Asia/Shanghai');

    when 'accept_plan' then
        perform app.meet_deadline('problems', new.id, 'plan');
        select r.id into plan_id
        from rectification_plans r
        where r.problem_id = new.id
            and r.round = new.round
            and r.state = 'submitted'
        order by r.submitted_at desc, r.id desc
        limit 1;
        if plan_id is not null then
            perform app.system_step('rectification_plans', plan_id,
                'accept', data);
        end if;
        perform app.notify('problems', new.id, 'plan_accepted',
            '整改方案已认可：' || new.code, new.title, unit_users);

    when 'request_extension' then
        perform app.notify('problems', new.id, 'extension_requested',
            '申请延期整改：' || new.code, new.extension_reason,
            app.users_with_role('chief_inspector'));

    when 'approve_extension' then
        perform app.meet_deadline('problems', new.id, 'rectify');
        perform app.deadline('problems', new.id, 'rectify',
            new.extended_due_on);
        perform app.notify('problems', new.id, 'extension_approved',
            '同意延期整改：' || new.code, new.title, unit_users,
            (new.extended_due_on + 1)::timestamp
                at time zone 'Asia/Shanghai');

    when 'reject_extension' then
        perform app.notify('problems', new.id, 'extension_rejected',
            '不同意延期整改：' || new.code, data ->> 'reason', unit_users);

    when 'report' then
        perform app.meet_deadline('problems', new.id, 'plan', 'rectify');
        perform app.deadline('problems', new.id, 'verify',
            app.add_workdays(app.today(),
                app.parameter_int('verify_workdays')));
        perform app.notify('problems', new.id, 'rectification_reported',
            '已报整改：' || new.code, new.title,
            app.users_with_role('office_staff') || app.problem_reviewer_users(new));

    when 'report_phase' then
        perform app.notify('problems', new.id, 'rectification_progress',
            '整改进展：' || new.code, new.title,
            app.users_with_role('office_staff'));

    when 'verify' then
        perform app.notify('problems', new.id, 'verification_ordered',
            '请核查：' || new.code, new.title,
            app.problem_reviewer_users(new),
            (new.verify_due_on + 1)::timestamp at time zone 'Asia/Shanghai');

    when 'strike_off' then
        perform app.meet_deadline('problems', new.id, 'verify', 'supervision_letter');
        perform app.deadline('problems', new.id, 'look_back',
            new.look_back_due_on);
        -- C2.3.2.g: the unit tells the public
        if new.is_public then
            perform app.deadline('problems', new.id, 'disclosure',
                new.disclosure_due_on);
        end if;
        perform app.notify('problems', new.id, 'problem_struck_off',
            '已销号，请按期公开整改情况：' || new.code, new.title,
            unit_users, (new.disclosure_due_on + 1)::timestamp
                at time zone 'Asia/Shanghai');

    when 'reject' then
        perform app.meet_deadline('problems', new.id, 'verify');
        -- C2.3.2.f: five working days for the letter
        perform app.deadline('problems', new.id, 'supervision_letter',
            app.add_workdays(app.today(),
                app.parameter_int('letter_issue_workdays')));
        review := app.last_review(new.id, 'verification');
        if review.result = 'false_report' then
            perform app.deadline('problems', new.id, 'accountability_clue',
                app.today() + app.parameter_int('acc_team_days'));
        end if;
        perform app.notify('problems', new.id, 'rectification_rejected',
            '核查未通过：' || new.code, data ->> 'reason',
            unit_users || app.users_with_role('office_staff'));

    when 'look_back_ok' then
        perform app.meet_deadline('problems', new.id, 'look_back');

    when 'rebound' then
        perform app.meet_deadline('problems', new.id, 'look_back', 'disclosure');
        perform app.deadline('problems', new.id, 'assign',
            app.add_workdays(app.today(), 5));
        perform app.deadline('problems', new.id, 'supervision_letter',
            app.add_workdays(app.today(),
                app.parameter_int('letter_issue_workdays')));
        review := app.last_review(new.id, 'look_back');
        -- C2.3.2.e: falsification is followed up
        if review.result = 'false_report' then
            perform app.deadline('problems', new.id, 'accountability_clue',
                app.today() + app.parameter_int('acc_team_days'));
        end if;
        perform app.notify('problems', new.id, 'problem_rebounded',
            '问题反弹：' || new.code, data ->> 'reason',
            unit_users || app.users_with_role('office_staff', 'chief_inspector'));

    when 'void' then
        perform app.meet_deadline('problems', new.id, 'assign');
    else
    end case;

    -- the superior platform follows the ledger from the assignment on
    if new.state not in ('draft', 'listed', 'voided') then
        payload := app.problem_exchange(new);
        perform app.enqueue('X-04', 'upsert', 'problems', new.id,
            'problem:' || new.code, payload);
    end if;
    if action in ('strike_off', 'rebound', 'look_back_ok') then
        review := app.last_review(new.id, case action
            when 'strike_off' then 'verification' else 'look_back' end);
        perform app.enqueue('X-07', 'upsert', 'problems', new.id,
            'rectification:' || new.code,
            payload || jsonb_build_object(
                'review_kind', review.kind,
                'review_result', review.result,
                'reviewed_on', review.reviewed_on));
    end if;
end
$$;


-- Plans, reports, reviews ---------------------------------------------------

-- A child of a problem belongs to the state of its problem; who does not see
-- the problem gets the answer of an unknown one.
create or replace function app.problem_for_child(
    problem uuid, child text, states text[], roles text[], rule text,
    clause text)
returns dudao.problems
language plpgsql
as $$
declare
    p dudao.problems;
begin
    select * into p from dudao.problems where id = problem;
    if p.id is null then
        perform app.refuse(404, 'not-found');
    end if;
    if not app.has_role(variadic roles) then
        perform app.refuse(403, 'role-not-permitted',
            extra => jsonb_build_object('rule_id', rule,
                'clause_id', clause, 'state', p.state));
    end if;
    if p.state <> all (states) then
        perform app.refuse(409, 'illegal-transition',
            extra => jsonb_build_object('rule_id', rule,
                'clause_id', clause, 'state', p.state, 'allowed_actions',
                app.allowed_actions('problems', p.state)));
    end if;
    return p;
end
$$;

create or replace function app.before_create_rectification_plans(
    "row" dudao.rectification_plans, body jsonb)
returns dudao.rectification_plans
language plpgsql
as $$
declare
    p dudao.problems := app.problem_for_child("row".problem_id, 'plans',
        '{assigned,rectifying}',
        '{school_account,township_account,department_account}',
        'R-PRB-01', 'C2.3.2.c');
begin
    "row".round := p.round;
    "row".submitted_at := app.now();
    return "row";
end
$$;

create or replace function app.before_rectification_plans(
    action text, "row" dudao.rectification_plans, data jsonb)
returns dudao.rectification_plans
language plpgsql security definer set search_path = dudao, app, ext
as $$
begin
    if action = 'accept' then
        "row".accepted_at := app.now();
    else
        "row".return_reason := data ->> 'reason';
    end if;
    return "row";
end
$$;

create or replace function app.effect_rectification_plans(
    action text, old dudao.rectification_plans,
    new dudao.rectification_plans, data jsonb)
returns void
language plpgsql security definer set search_path = dudao, app, ext
as $$
declare
    p problems;
begin
    select * into p from problems where id = new.problem_id;
    if action = 'return' then
        perform app.notify('rectification_plans', new.id, 'plan_returned',
            '整改方案被退回：' || p.code, new.return_reason,
            app.users_of_organization(p.organization_id));
    elsif p.state = 'assigned' then
        perform app.system_step('problems', p.id, 'accept_plan', data);
    end if;
end
$$;

create or replace function app.before_create_rectification_reports(
    "row" dudao.rectification_reports, body jsonb)
returns dudao.rectification_reports
language plpgsql
as $$
begin
    -- a report is a step of its problem: report or report_phase
    perform app.refuse(403, 'role-not-permitted');
    return "row";
end
$$;

create or replace function app.before_create_problem_reviews(
    "row" dudao.problem_reviews, body jsonb)
returns dudao.problem_reviews
language plpgsql
as $$
declare
    p dudao.problems;
    report dudao.rectification_reports;
    faults app.fault[] := '{}';
    is_reviewer boolean;
begin
    p := app.problem_for_child("row".problem_id, 'reviews',
        case "row".kind when 'verification' then '{verifying}'::text[]
            else '{struck_off}' end,
        case "row".kind when 'verification'
            then '{inspector_ft,inspector_pt,zone_lead}'::text[]
            else '{inspector_ft,inspector_pt,zone_lead,office_staff,
                deputy_chief_inspector,chief_inspector}' end,
        'R-PRB-02', 'C2.3.2.b');
    report := app.last_report(p.id);
    "row".round := p.round;
    "row".report_id := report.id;
    if "row".kind = 'verification' then
        "row".reviewer_inspector_ids := coalesce(
            nullif("row".reviewer_inspector_ids, '{}'),
            p.reviewer_inspector_ids);
        if not "row".reviewer_inspector_ids <@ p.reviewer_inspector_ids then
            faults := faults || app.fault('reviewer-not-assigned',
                '/reviewer_inspector_ids', null, 'R-PRB-02', 'C2.3.2.b');
        end if;
    elsif cardinality(coalesce("row".reviewer_inspector_ids, '{}')) = 0 then
        "row".reviewer_inspector_ids := array[app.inspector_id()];
    end if;
    is_reviewer := coalesce(
        app.inspector_id() = any ("row".reviewer_inspector_ids), false);
    if not is_reviewer and not ("row".kind = 'look_back' and app.has_role(
            'office_staff', 'deputy_chief_inspector', 'chief_inspector'))
    then
        faults := faults || app.fault('reviewer-not-assigned',
            '/reviewer_inspector_ids', null, 'R-PRB-02', 'C2.3.2.b');
    end if;
    faults := faults || app.reviewer_faults(p, report.created_by,
        "row".reviewer_inspector_ids, '/reviewer_inspector_ids');
    if "row".reviewed_on > app.today() then
        faults := faults || app.fault('date-in-future', '/reviewed_on',
            jsonb_build_object('max', app.today()));
    elsif "row".reviewed_on < (case "row".kind when 'verification'
            then p.reported_on else p.struck_off_on end) then
        faults := faults || app.fault('date-before-start', '/reviewed_on',
            jsonb_build_object('min', case "row".kind
                when 'verification' then p.reported_on
                else p.struck_off_on end));
    end if;
    if "row".result = 'in_place'
            and coalesce("row".evidence, '{}') = '{}' then
        faults := faults || app.fault('evidence-required', '/evidence',
            null, 'R-PRB-02', 'C2.3.2.b');
    end if;
    faults := faults || app.missing_attachments("row".evidence);
    if cardinality(faults) > 0 then
        perform app.refuse_step(faults, 'R-PRB-02', 'C2.3.2.b');
    end if;
    return "row";
end
$$;


-- Scopes (4.2) --------------------------------------------------------------

insert into app.scope_predicates(resource, scope, predicate) values
    ('problems', 'z', $p$organization_id
        = any ((select app.my_zone_organizations())::uuid[])$p$),
    ('problems', 's', $p$(organization_id
                = any ((select app.my_assigned_organizations())::uuid[])
            and coalesce(visit_id <> all (
                (select app.my_recused('visits'))::uuid[]), true)
            and coalesce(target_id <> all (
                (select app.my_recused('targets'))::uuid[]), true))
        or (select app.inspector_id()) = any (reviewer_inspector_ids)
        or visit_id in (
            select v.id
            from dudao.visits v
            where v.inspector_id = (select app.inspector_id()))$p$),
    ('problems', 'o', $p$state <> 'draft'
        and organization_id = (select app.organization_id())$p$),
    -- what a member unit found
    ('problems', 'u', $p$member_organization_id
        = (select app.organization_id())$p$),
    ('problems', 'i', $p$state <> all ('{draft,listed,voided}')
        and organization_id
            = any ((select app.my_jurisdiction_organizations())::uuid[])$p$),
    ('problems', 'c', $p$exists (
        select from dudao.dispatches d
        where d.subject_type = 'problems'
            and d.subject_id = problems.id
            and d.recipient_organization_id = (select app.organization_id())
            and d.state in ('sent', 'received'))$p$),
    -- units whose personnel the caller's organization manages
    ('problems', 'm', $p$state <> 'draft' and organization_id in (
        select o.id
        from dudao.organizations o
        where o.parent_organization_id = (select app.organization_id())
            or o.managed_by_id = (select app.organization_id()))$p$),
    -- contracts with agencies come later
    ('problems', 'k', 'false'),
    -- the public reads the disclosure, not the ledger (C2.3.2.g)
    ('problems', 'p', 'false');


-- What the API shows --------------------------------------------------------

-- as_of: the day for which overdue is derived.
drop view if exists app.problems_json;
create or replace function app.problem_json(
    p dudao.problems, as_of date default app.today())
returns json
language sql stable
as $$
    select json_build_object(
        'id', p.id,
        'version', p.version,
        'code', p.code,
        'organization_id', p.organization_id,
        'target_id', p.target_id,
        'visit_id', p.visit_id,
        'review_id', p.review_id,
        'exchange_message_id', p.exchange_message_id,
        'member_organization_id', p.member_organization_id,
        'task_id', p.task_id,
        'major_matter_id', p.major_matter_id,
        'category', p.category,
        'matter', p.matter,
        'area', p.area,
        'severity', p.severity,
        'title', p.title,
        'description', p.description,
        'requirement', p.requirement,
        'due_on', p.due_on,
        'extended_due_on', p.extended_due_on,
        'effective_due_on', p.effective_due_on,
        'overdue', app.problem_overdue(p, as_of),
        'responsible_person_id', p.responsible_person_id,
        'joint_organization_ids', p.joint_organization_ids,
        'is_public', p.is_public,
        'listed_on', p.listed_on,
        'assigned_on', p.assigned_on,
        'reported_on', p.reported_on,
        'struck_off_on', p.struck_off_on,
        'rebounded_on', p.rebounded_on,
        'looked_back_on', p.looked_back_on,
        'extension_count', p.extension_count,
        'extension_request', case when p.extension_requested_on is not null
            then json_build_object(
                'requested_on', p.extension_requested_on,
                'due_on', p.extension_requested_due_on,
                'reason', p.extension_reason) end,
        'round', p.round,
        'reviewer_inspector_ids', p.reviewer_inspector_ids,
        'verify_due_on', p.verify_due_on,
        'look_back_from', p.look_back_from,
        'look_back_due_on', p.look_back_due_on,
        'disclosure_due_on', p.disclosure_due_on,
        'escalation_level', p.escalation_level,
        'voided_at', app.ts(p.voided_at),
        'void_reason', p.void_reason,
        'state', p.state,
        'allowed_actions', app.allowed_actions('problems', p.state),
        'created_at', app.ts(p.created_at),
        'updated_at', app.ts(p.updated_at),
        'is_demo', p.is_demo)
$$;
create view app.problems_json with (security_invoker = true) as
select t.*, app.problem_json(t) as body
from dudao.problems t;

drop view if exists app.rectification_plans_json;
create view app.rectification_plans_json with (security_invoker = true) as
select t.*, json_build_object(
    'id', t.id,
    'version', t.version,
    'problem_id', t.problem_id,
    'round', t.round,
    'measures', t.measures,
    'steps', t.steps,
    'responsible_person', t.responsible_person,
    'submitted_at', app.ts(t.submitted_at),
    'submitted_by', t.created_by,
    'accepted_at', app.ts(t.accepted_at),
    'return_reason', t.return_reason,
    'state', t.state,
    'allowed_actions', app.allowed_actions('rectification_plans', t.state),
    'created_at', app.ts(t.created_at),
    'updated_at', app.ts(t.updated_at),
    'is_demo', t.is_demo) as body
from dudao.rectification_plans t;

drop view if exists app.rectification_reports_json;
create view app.rectification_reports_json with (security_invoker = true) as
select t.*, json_build_object(
    'id', t.id,
    'version', t.version,
    'problem_id', t.problem_id,
    'round', t.round,
    'seq', t.seq,
    'result', t.result,
    'text', t.text,
    'evidence', t.evidence,
    'cost_fen', t.cost_fen,
    'currency', 'CNY',
    'signed_by_head', t.signed_by_head,
    'submitted_at', app.ts(t.submitted_at),
    'submitted_by', t.created_by,
    'created_at', app.ts(t.created_at),
    'updated_at', app.ts(t.updated_at),
    'is_demo', t.is_demo) as body
from dudao.rectification_reports t;

drop view if exists app.problem_reviews_json;
create view app.problem_reviews_json with (security_invoker = true) as
select t.*, json_build_object(
    'id', t.id,
    'version', t.version,
    'problem_id', t.problem_id,
    'round', t.round,
    'kind', t.kind,
    'task_id', t.task_id,
    'report_id', t.report_id,
    'reviewed_on', t.reviewed_on,
    'reviewer_inspector_ids', t.reviewer_inspector_ids,
    'method', t.method,
    'result', t.result,
    'note', t.note,
    'evidence', t.evidence,
    'submitted_by', t.created_by,
    'created_at', app.ts(t.created_at),
    'updated_at', app.ts(t.updated_at),
    'is_demo', t.is_demo) as body
from dudao.problem_reviews t;
