-- Research (3.24): R-RES-02, R-RES-03, C2.4.2.c, C2.4.3.d, C3.3.a to C3.3.d.

select app.register('center_engagements', permission_group => 'research',
    machine => true, editable_in => '{assigned,working,returned}',
    read_only => '{code,assigned_by,assigned_on,submitted_on,accepted_on,return_reason}',
    searched => '{title,code}');
select app.register('research_projects', permission_group => 'research',
    machine => true, editable_in => '{applied,approved,running}',
    read_only => '{code,approved_on,concluded_on,accepted_on,terminated_on,end_reason}',
    searched => '{title,code}');
select app.register('policy_recommendations', permission_group => 'research',
    machine => true, editable_in => '{draft}',
    read_only => '{code,submitted_on,adoption,adopted_doc_no,decided_on,decided_by,decision_note}',
    searched => '{title,text}');
select app.register('exchange_activities', permission_group => 'research',
    searched => '{title,place}');

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('center_engagements.kind', 'school_evaluation', '学校评估', 'School evaluation', 1),
    ('center_engagements.kind', 'quality_monitoring', '质量监测', 'Quality monitoring', 2),
    ('center_engagements.kind', 'training_support', '培训支持', 'Training support', 3),
    ('center_engagements.kind', 'other', '其他', 'Other', 4),
    ('research_projects.kind', 'inspector_research', '督学科研', 'Research of inspectors', 1),
    ('research_projects.kind', 'policy_study', '政策专题研究', 'Policy study', 2),
    ('research_projects.kind', 'decision_study', '重大决策研究', 'Study for a major decision', 3),
    ('policy_recommendations.adoption', 'pending', '待处理', 'Pending', 1),
    ('policy_recommendations.adoption', 'stored', '政策储备', 'Stored', 2),
    ('policy_recommendations.adoption', 'adopted', '采纳', 'Adopted', 3),
    ('policy_recommendations.adoption', 'partly', '部分采纳', 'Adopted in part', 4),
    ('policy_recommendations.adoption', 'declined', '未采纳', 'Declined', 5),
    ('exchange_activities.kind', 'study_visit', '考察', 'Study visit', 1),
    ('exchange_activities.kind', 'forum', '论坛', 'Forum', 2),
    ('exchange_activities.kind', 'rotation', '交流轮岗', 'Rotation', 3),
    ('exchange_activities.kind', 'peer_review', '互评互查', 'Peer review', 4);


-- Scopes ---------------------------------------------------------------------

create or replace function app.published_subjects(subject_type text) returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(p.subject_id), '{}')
        from dudao.publications p
        where p.subject_type = $1 and p.state in ('published', 'corrected')
            and (p.expires_at is null or p.expires_at > now()));
end
$$;

-- n: what one leads, does or wrote; o: what the own unit is to answer.
insert into app.scope_predicates(resource, scope, predicate)
select t.resource, 'c', format('id = any ((select app.circulated_to_me(%L))::uuid[])', t.resource)
from unnest('{center_engagements,research_projects,policy_recommendations,exchange_activities}'::text[]) as t(resource)
union all
select t.resource, 'p', format('id = any ((select app.published_subjects(%L))::uuid[])', t.resource)
from unnest('{center_engagements,research_projects,policy_recommendations,exchange_activities}'::text[]) as t(resource)
union all values
    ('center_engagements', 'o', 'false'),
    ('center_engagements', 'n', 'false'),
    ('research_projects', 'o', 'false'),
    ('research_projects', 'n', $p$
        leader_person_id = (select app.person_id())
        or (select app.person_id()) = any (member_person_ids)
        or created_by = (select app.user_id())$p$),
    ('policy_recommendations', 'o', $p$
        addressed_to_org_id = (select app.organization_id()) and state <> 'draft'$p$),
    ('policy_recommendations', 'n', 'created_by = (select app.user_id())'),
    ('exchange_activities', 'o', 'false'),
    ('exchange_activities', 'n', $p$
        (select app.inspector_id()) = any (participant_inspector_ids)
        or created_by = (select app.user_id())$p$)
on conflict (resource, scope) do update set predicate = excluded.predicate;


-- Rules of rows --------------------------------------------------------------

-- Written by the office's hand, in any of the caller's roles.
create or replace function app.is_office() returns boolean
language sql stable
as $$
    select app.user_id() is null or app.has_role('office_staff',
        'deputy_chief_inspector', 'chief_inspector', 'system')
$$;

insert into app.row_rules(resource, name, expression, pointer, code, rule_id, clause_id, params) values
    ('center_engagements', 'subjects_exist',
     'not exists (select from unnest(new.subject_organization_ids) as s(id)
        where not exists (select from dudao.organizations o where o.id = s.id))',
     '/subject_organization_ids', 'unknown-reference', null, 'C2.4.2.c', null),
    ('center_engagements', 'due_after_assignment', 'new.due_on >= new.assigned_on',
     '/due_on', 'date-before-start', 'R-RES-02', 'C2.4.2.c', 'jsonb_build_object(''min'', new.assigned_on)'),
    -- a school is what is evaluated
    ('center_engagements', 'evaluation_names_units',
     'new.kind <> ''school_evaluation'' or cardinality(new.subject_organization_ids) > 0',
     '/subject_organization_ids', 'subject-required', 'R-RES-02', 'C2.4.2.c', null),
    ('center_engagements', 'assigned_by_the_office', 'old.id is not null or app.is_office()',
     '/kind', 'office-only-field', 'R-RES-02', 'C2.4.2.c', null),
    -- who works does not change what was ordered, nor until when
    ('center_engagements', 'order_is_the_offices',
     'old.id is null or app.is_office()
        or (new.kind, new.title, new.requirements, new.subject_organization_ids, new.subject_task_id, new.due_on)
            is not distinct from
           (old.kind, old.title, old.requirements, old.subject_organization_ids, old.subject_task_id, old.due_on)',
     '/due_on', 'office-only-field', 'R-RES-02', 'C2.4.2.c', null),
    ('center_engagements', 'result_is_kept',
     'old.id is null or old.state not in (''submitted'', ''accepted'')
        or (new.kind, new.result_summary, new.result_attachment_id, new.due_on)
            is not distinct from (old.kind, old.result_summary, old.result_attachment_id, old.due_on)',
     '/result_summary', 'not-editable', 'R-RES-02', 'C2.4.2.c', null),

    ('research_projects', 'members_exist',
     'not exists (select from unnest(new.member_person_ids) as m(id)
        where not exists (select from dudao.persons p where p.id = m.id))',
     '/member_person_ids', 'unknown-reference', null, 'C3.3.d', null),
    ('research_projects', 'members_once',
     'not new.leader_person_id = any (new.member_person_ids)
        and cardinality(new.member_person_ids) = (select count(distinct m) from unnest(new.member_person_ids) as m)',
     '/member_person_ids', 'named-twice', null, 'C3.3.d', null),
    ('research_projects', 'span', 'new.ends_on > new.starts_on',
     '/ends_on', 'ends-before-start', null, null, null),
    -- who applies in the own name applies for something of the own
    ('research_projects', 'applied_for_by_who_takes_part',
     'old.id is not null or app.is_office() or app.has_role(''research_center'')
        or new.leader_person_id = app.person_id() or app.person_id() = any (new.member_person_ids)',
     '/leader_person_id', 'not-taking-part', null, 'C2.4.3.d', null),
    -- what was approved is what is done
    ('research_projects', 'approved_is_kept',
     'old.id is null or old.state = ''applied''
        or (new.kind, new.title, new.leader_person_id, new.fund_fen, new.starts_on)
            is not distinct from (old.kind, old.title, old.leader_person_id, old.fund_fen, old.starts_on)',
     '/title', 'not-editable', 'R-RES-03', 'C3.3.a', null),

    ('policy_recommendations', 'text_is_kept',
     'old.id is null or old.state = ''draft''
        or (new.project_id, new.title, new.text, new.addressed_to_org_id)
            is not distinct from (old.project_id, old.title, old.text, old.addressed_to_org_id)',
     '/text', 'not-editable', null, 'C3.3.b', null),
    ('policy_recommendations', 'decision_is_kept',
     'old.id is null or old.state <> new.state
        or (new.adoption, new.adopted_doc_no, new.decided_on, new.decision_note)
            is not distinct from (old.adoption, old.adopted_doc_no, old.decided_on, old.decision_note)',
     '/adoption', 'not-editable', null, 'C3.3.b', null),

    ('policy_recommendations', 'draft_is_pending',
     'new.state not in (''draft'', ''submitted'') or (new.adoption = ''pending'' and new.adopted_doc_no is null)',
     '/adoption', 'adoption-does-not-fit', null, 'C3.3.b', null),

    ('exchange_activities', 'recorded_by_who_took_part',
     'old.id is not null or app.is_office() or app.has_role(''research_center'')
        or app.inspector_id() = any (new.participant_inspector_ids)',
     '/participant_inspector_ids', 'not-taking-part', null, 'C2.4.3.d', null),
    ('exchange_activities', 'participants_exist',
     'not exists (select from unnest(new.participant_inspector_ids) as p(id)
        where not exists (select from dudao.inspectors i where i.id = p.id))',
     '/participant_inspector_ids', 'unknown-reference', null, 'C2.4.3.d', null),
    ('exchange_activities', 'participants_once',
     'cardinality(new.participant_inspector_ids)
        = (select count(distinct p) from unnest(new.participant_inspector_ids) as p)',
     '/participant_inspector_ids', 'named-twice', null, 'C2.4.3.d', null),
    ('exchange_activities', 'held', 'new.held_on <= app.today()',
     '/held_on', 'date-in-future', null, null, null);


-- Views ----------------------------------------------------------------------

create or replace function app.person_names(persons uuid[]) returns json
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(json_agg(p.name order by m.place), '[]')
        from unnest(persons) with ordinality as m(id, place)
        join dudao.persons p on p.id = m.id);
end
$$;

create or replace function app.inspector_names(inspectors uuid[]) returns json
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(json_agg(app.inspector_name(m.id) order by m.place), '[]')
        from unnest(inspectors) with ordinality as m(id, place));
end
$$;

drop view if exists app.center_engagements_json, app.research_projects_json,
    app.policy_recommendations_json, app.exchange_activities_json;

create view app.center_engagements_json with (security_invoker = true) as
select e.*,
    json_build_object(
        'id', e.id, 'version', e.version, 'code', e.code, 'kind', e.kind,
        'title', e.title, 'requirements', e.requirements,
        'subject_organization_ids', e.subject_organization_ids,
        'subject_task_id', e.subject_task_id, 'assigned_by', e.assigned_by,
        'assigned_on', e.assigned_on, 'due_on', e.due_on,
        'is_overdue', e.state <> 'accepted' and coalesce(e.submitted_on, app.today()) > e.due_on,
        'result_summary', e.result_summary,
        'result_attachment_id', e.result_attachment_id,
        'submitted_on', e.submitted_on, 'accepted_on', e.accepted_on,
        'return_reason', e.return_reason, 'state', e.state,
        'allowed_actions', app.allowed_actions('center_engagements', e.state),
        'created_at', app.ts(e.created_at), 'updated_at', app.ts(e.updated_at),
        'is_demo', e.is_demo) as body
from dudao.center_engagements e;

create view app.research_projects_json with (security_invoker = true) as
select p.*,
    json_build_object(
        'id', p.id, 'version', p.version, 'code', p.code, 'kind', p.kind,
        'title', p.title, 'purpose', p.purpose,
        'leader_person_id', p.leader_person_id,
        'leader_name', app.person_names(array[p.leader_person_id]) ->> 0,
        'member_person_ids', p.member_person_ids,
        'member_names', app.person_names(p.member_person_ids),
        'fund_fen', p.fund_fen, 'currency', 'CNY',
        'starts_on', p.starts_on, 'ends_on', p.ends_on, 'outcome', p.outcome,
        'outcome_attachment_id', p.outcome_attachment_id,
        'approved_on', p.approved_on, 'concluded_on', p.concluded_on,
        'accepted_on', p.accepted_on, 'terminated_on', p.terminated_on,
        'end_reason', p.end_reason, 'state', p.state,
        'allowed_actions', app.allowed_actions('research_projects', p.state),
        'created_at', app.ts(p.created_at), 'updated_at', app.ts(p.updated_at),
        'is_demo', p.is_demo) as body
from dudao.research_projects p;

create view app.policy_recommendations_json with (security_invoker = true) as
select r.*,
    json_build_object(
        'id', r.id, 'version', r.version, 'code', r.code,
        'project_id', r.project_id, 'title', r.title, 'text', r.text,
        'addressed_to_org_id', r.addressed_to_org_id,
        'addressed_to_name', app.organization_name(r.addressed_to_org_id),
        'author_name', app.display_name(r.created_by),
        'submitted_on', r.submitted_on, 'adoption', r.adoption,
        'adopted_doc_no', r.adopted_doc_no, 'decided_on', r.decided_on,
        'decided_by', r.decided_by, 'decision_note', r.decision_note,
        'state', r.state,
        'allowed_actions', app.allowed_actions('policy_recommendations', r.state),
        'created_at', app.ts(r.created_at), 'updated_at', app.ts(r.updated_at),
        'is_demo', r.is_demo) as body
from dudao.policy_recommendations r;

create view app.exchange_activities_json with (security_invoker = true) as
select e.*,
    json_build_object(
        'id', e.id, 'version', e.version, 'title', e.title, 'kind', e.kind,
        'held_on', e.held_on, 'place', e.place,
        'participant_inspector_ids', e.participant_inspector_ids,
        'participant_names', app.inspector_names(e.participant_inspector_ids),
        'hours', e.hours, 'report', e.report,
        'report_attachment_id', e.report_attachment_id,
        'created_at', app.ts(e.created_at), 'updated_at', app.ts(e.updated_at),
        'is_demo', e.is_demo) as body
from dudao.exchange_activities e;


-- Engagements ----------------------------------------------------------------

create or replace function app.before_create_center_engagements(
    r dudao.center_engagements, body jsonb)
returns dudao.center_engagements
language plpgsql
as $$
begin
    r.code := app.next_code('ZX');
    r.assigned_by := app.user_id();
    r.assigned_on := app.today();
    return r;
end
$$;

create or replace function app.after_create_center_engagements(
    r dudao.center_engagements, body jsonb)
returns void
language plpgsql security definer
as $$
begin
    perform app.notify('center_engagements', r.id, 'engagement_assigned',
        '委派专业任务', r.title, app.users_with_role('research_center'));
    perform app.deadline('center_engagements', r.id, 'submit', r.due_on);
end
$$;

create or replace function app.before_center_engagements(
    action text, r dudao.center_engagements, data jsonb)
returns dudao.center_engagements
language plpgsql
as $$
begin
    case action
    when 'submit' then
        r.result_summary := coalesce(data ->> 'result_summary', r.result_summary);
        r.result_attachment_id := coalesce(
            (data ->> 'result_attachment_id')::uuid, r.result_attachment_id);
        r.submitted_on := app.today();
        r.return_reason := null;
    when 'accept' then
        r.accepted_on := app.today();
    when 'return' then
        r.return_reason := data ->> 'reason';
        r.submitted_on := null;
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_center_engagements(
    action text, old dudao.center_engagements, new dudao.center_engagements, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
begin
    case action
    when 'submit' then
        if new.result_attachment_id is null then
            faults := faults || app.fault('required', '/result_attachment_id', null,
                'R-RES-02', 'C2.4.2.c');
        end if;
        if new.result_summary is null then
            faults := faults || app.fault('required', '/result_summary', null,
                'R-RES-02', 'C2.4.2.c');
        end if;
    when 'accept' then
        if app.last_actor('center_engagements', new.id, 'submit') = app.user_id() then
            faults := faults || app.fault('separation-of-duties', null, null,
                'R-RES-02', 'C2.4.2.c');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.effect_center_engagements(
    action text, old dudao.center_engagements, new dudao.center_engagements, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    case action
    when 'submit' then
        perform app.meet_deadline('center_engagements', new.id, 'submit');
        perform app.notify('center_engagements', new.id, 'engagement_submitted',
            '专业任务待验收', new.title,
            app.users_with_role('office_staff', 'deputy_chief_inspector'));
    when 'accept', 'return' then
        perform app.notify('center_engagements', new.id, 'engagement_' || action,
            case action when 'accept' then '专业任务已验收' else '专业任务被退回' end,
            new.title, app.users_with_role('research_center'));
    else
        null;
    end case;
end
$$;


-- Projects -------------------------------------------------------------------

create or replace function app.before_create_research_projects(
    r dudao.research_projects, body jsonb)
returns dudao.research_projects
language plpgsql
as $$
begin
    r.code := app.next_code('KT');
    return r;
end
$$;

create or replace function app.before_research_projects(
    action text, r dudao.research_projects, data jsonb)
returns dudao.research_projects
language plpgsql
as $$
begin
    case action
    when 'approve' then
        r.approved_on := app.today();
    when 'reject' then
        r.end_reason := data ->> 'reason';
    when 'conclude' then
        r.outcome := coalesce(data ->> 'outcome', r.outcome);
        r.outcome_attachment_id := coalesce(
            (data ->> 'outcome_attachment_id')::uuid, r.outcome_attachment_id);
        r.concluded_on := app.today();
    when 'accept' then
        r.accepted_on := app.today();
    when 'terminate' then
        r.terminated_on := app.today();
        r.end_reason := data ->> 'reason';
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_research_projects(
    action text, old dudao.research_projects, new dudao.research_projects, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
begin
    case action
    when 'approve', 'accept' then
        -- nobody decides on the own project
        if app.person_id() = new.leader_person_id
                or app.person_id() = any (new.member_person_ids) then
            faults := faults || app.fault('separation-of-duties', null, null,
                'R-RES-03', 'C3.3.a');
        end if;
    when 'start', 'conclude' then
        if app.person_id() is distinct from new.leader_person_id
                and not (app.has_role('research_center')
                    and cardinality(app.users_of_person(new.leader_person_id)) = 0) then
            faults := faults || app.fault('project-leader-only', null, null,
                'R-RES-03', 'C3.3.a');
        end if;
        if action = 'conclude' and coalesce(new.outcome, '') = '' then
            faults := faults || app.fault('required', '/outcome', null,
                'R-RES-03', 'C3.3.a');
        end if;
        if action = 'start' and new.starts_on > app.today() then
            faults := faults || app.fault('project-not-begun', null,
                jsonb_build_object('starts_on', new.starts_on), 'R-RES-03', 'C3.3.a');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.effect_research_projects(
    action text, old dudao.research_projects, new dudao.research_projects, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    case action
    when 'conclude' then
        perform app.notify('research_projects', new.id, 'project_concluded',
            '课题待验收', new.title, app.users_with_role('chief_inspector'));
    when 'approve', 'reject', 'accept', 'terminate' then
        perform app.notify('research_projects', new.id, 'project_' || action,
            case action when 'approve' then '课题已立项' when 'reject' then '课题未立项'
                when 'accept' then '课题已验收' else '课题已终止' end,
            new.title, app.users_of_person(new.leader_person_id) || new.created_by);
    else
        null;
    end case;
end
$$;


-- Recommendations ------------------------------------------------------------

create or replace function app.before_create_policy_recommendations(
    r dudao.policy_recommendations, body jsonb)
returns dudao.policy_recommendations
language plpgsql
as $$
begin
    r.code := app.next_code('JY');
    return r;
end
$$;

create or replace function app.before_policy_recommendations(
    action text, r dudao.policy_recommendations, data jsonb)
returns dudao.policy_recommendations
language plpgsql
as $$
begin
    if action = 'submit' then
        r.submitted_on := app.today();
        return r;
    end if;
    r.decided_on := app.today();
    r.decided_by := app.user_id();
    r.decision_note := coalesce(data ->> 'reason', data ->> 'comment', r.decision_note);
    r.adoption := case action when 'store' then 'stored'
        when 'decline' then 'declined'
        else coalesce(data ->> 'adoption', 'adopted') end;
    if action = 'adopt' then
        r.adopted_doc_no := data ->> 'adopted_doc_no';
    end if;
    return r;
end
$$;

create or replace function app.guard_policy_recommendations(
    action text, old dudao.policy_recommendations, new dudao.policy_recommendations, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
begin
    if action = 'submit' then
        return faults;
    end if;
    if app.last_actor('policy_recommendations', new.id, 'submit') = app.user_id()
            or new.created_by = app.user_id() then
        faults := faults || app.fault('separation-of-duties', null, null, null, 'C3.3.b');
    end if;
    if action = 'adopt' and new.adopted_doc_no is null then
        faults := faults || app.fault('required', '/adopted_doc_no', null, null, 'C3.3.b');
    end if;
    return faults;
end
$$;

create or replace function app.effect_policy_recommendations(
    action text, old dudao.policy_recommendations, new dudao.policy_recommendations, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    if action = 'submit' then
        perform app.notify('policy_recommendations', new.id, 'recommendation_submitted',
            '政策建议待处理', new.title, app.users_with_role('chief_inspector')
            || app.users_of_organization(new.addressed_to_org_id));
    else
        perform app.notify('policy_recommendations', new.id, 'recommendation_' || action,
            '政策建议处理结果', new.title, array[new.created_by]);
    end if;
end
$$;


-- Research strength (Q-RES-02) and what became of recommendations (Q-RES-03),
-- by year, of the rows that the caller sees.
create or replace function app.research_strength(
    as_of date, from_year integer default null, to_year integer default null)
returns json
language sql stable
as $$
    select json_build_object('data', coalesce(json_agg(json_build_object(
        'year', y.year,
        'projects', p.projects, 'policy_studies', p.policy_studies,
        'inspector_research', p.inspector_research,
        'projects_running', p.running, 'projects_accepted', p.accepted,
        'researchers', (
            select count(distinct m.id)
            from dudao.research_projects x
            cross join lateral unnest(x.member_person_ids || x.leader_person_id) as m(id)
            where x.state not in ('applied', 'rejected')
                and extract(year from x.starts_on) <= y.year
                and extract(year from coalesce(x.terminated_on, x.accepted_on, x.ends_on)) >= y.year),
        'inspector_researchers', (
            select count(distinct i.id)
            from dudao.research_projects x
            cross join lateral unnest(x.member_person_ids || x.leader_person_id) as m(id)
            join dudao.inspectors i on i.person_id = m.id
            where x.state not in ('applied', 'rejected')
                and extract(year from x.starts_on) <= y.year
                and extract(year from coalesce(x.terminated_on, x.accepted_on, x.ends_on)) >= y.year),
        'engagements_accepted', g.accepted,
        'school_evaluations_accepted', g.evaluations,
        'quality_monitoring_accepted', g.monitoring,
        'recommendations_submitted', r.submitted,
        'recommendations_stored', r.stored,
        'recommendations_adopted', r.adopted,
        'recommendations_declined', r.declined,
        'adoption_rate', case when r.submitted > 0
            then round(r.adopted::numeric / r.submitted, 4) end,
        'exchanges', e.exchanges, 'exchange_participants', e.participants
        ) order by y.year desc), '[]'))
    from generate_series(
        coalesce(from_year, coalesce(to_year, extract(year from as_of)::integer) - 2),
        coalesce(to_year, extract(year from as_of)::integer)) as y(year)
    cross join lateral (
        select count(*) as projects,
            count(*) filter (where x.kind in ('policy_study', 'decision_study')) as policy_studies,
            count(*) filter (where x.kind = 'inspector_research') as inspector_research,
            count(*) filter (where x.state = 'running') as running,
            count(*) filter (where x.state = 'accepted') as accepted
        from dudao.research_projects x
        where x.state not in ('applied', 'rejected')
            and x.starts_on between make_date(y.year, 1, 1) and make_date(y.year, 12, 31)) as p
    cross join lateral (
        select count(*) as accepted,
            count(*) filter (where x.kind = 'school_evaluation') as evaluations,
            count(*) filter (where x.kind = 'quality_monitoring') as monitoring
        from dudao.center_engagements x
        where x.accepted_on between make_date(y.year, 1, 1) and make_date(y.year, 12, 31)) as g
    cross join lateral (
        select count(*) as submitted,
            count(*) filter (where x.state = 'stored') as stored,
            count(*) filter (where x.state = 'adopted') as adopted,
            count(*) filter (where x.state = 'declined') as declined
        from dudao.policy_recommendations x
        where x.submitted_on between make_date(y.year, 1, 1) and make_date(y.year, 12, 31)) as r
    cross join lateral (
        select count(*) as exchanges,
            coalesce(sum(cardinality(x.participant_inspector_ids)), 0) as participants
        from dudao.exchange_activities x
        where x.held_on between make_date(y.year, 1, 1) and make_date(y.year, 12, 31)) as e
$$;
