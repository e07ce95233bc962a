-- Supervision reports (3.8): to the party committee, the government and the
-- superior body (C2.3.1.a), to every member unit (C2.1.3.f), then to the
-- public (C2.3.1.b); major ones are the committee's (C2.1.1.e).

select app.register('supervision_reports',
    permission_group => 'supervision_reports', machine => true, legal => true,
    editable_in => '{draft,returned}',
    read_only => '{doc_no,campaign_id,monitoring_program_id,submitted_by,
        issued_on,issued_by,resolution_id,delivered_on,published_on,
        exemption_reason,exemption_approved_by}', searched => '{title,doc_no}');

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('supervision_reports.disclosure', 'full', '全文公开', 'In full', 1),
    ('supervision_reports.disclosure', 'redacted', '摘要公开', 'Redacted', 2),
    ('supervision_reports.disclosure', 'exempt', '不予公开', 'Exempt', 3)
on conflict (name, value) do update set label_zh = excluded.label_zh,
    label_en = excluded.label_en, sort = excluded.sort;

-- z and s follow the task; c: what was sent to the own unit; p: what is
-- published; contracts with agencies (k) come later.
insert into app.scope_predicates(resource, scope, predicate) values
    ('supervision_reports', 'z', $p$exists (
        select from dudao.supervision_tasks t where t.id = task_id)$p$),
    ('supervision_reports', 's', $p$exists (
        select from dudao.supervision_tasks t where t.id = task_id)$p$),
    ('supervision_reports', 'c', $p$
        id = any ((select app.circulated_to_me(
            'supervision_reports'))::uuid[])$p$),
    ('supervision_reports', 'p', 'published_on is not null'),
    ('supervision_reports', 'k', 'false')
on conflict (resource, scope) do update set predicate = excluded.predicate;

insert into app.row_rules(resource, name, expression, pointer, code,
    rule_id, clause_id, params) values
    ('supervision_reports', 'title_names_nobody',
        'not app.names_a_person(new.title)', '/title', 'personal-data',
        'R-PUB-03', 'L-XX-01', null),
    ('supervision_reports', 'body_names_nobody',
        'not app.names_a_person(new.body)', '/body', 'personal-data',
        'R-PUB-03', 'L-XX-01', null),
    ('supervision_reports', 'redacted_names_nobody',
        'not app.names_a_person(new.redacted_body)', '/redacted_body',
        'personal-data', 'R-PUB-03', 'L-XX-01', null),
    ('supervision_reports', 'one_subject', $e$
        num_nonnulls(new.task_id, new.campaign_id,
            new.monitoring_program_id) = 1$e$,
        '/task_id', 'required', null, 'C2.3.1.a', null),
    ('supervision_reports', 'task_fixed',
        'old.id is null or new.task_id is not distinct from old.task_id',
        '/task_id', 'read-only-field', null, null, null),
    ('supervision_reports', 'problems_of_task', $e$
        not exists (
            select from unnest(new.problem_ids) as problem
            where not exists (
                select from dudao.problems p
                where p.id = problem and p.task_id = new.task_id))$e$,
        '/problem_ids', 'problem-of-another-task',
        'R-PRB-01', 'C2.3.2.a', null),
    ('supervision_reports', 'problems_or_none', $e$
        not new.no_problem_found or new.problem_ids = '{}'$e$,
        '/no_problem_found', 'problems-contradict',
        'R-PRB-01', 'C2.3.2.a', null),
    -- R-RPT-05: no way around the resolution, whoever writes the row
    ('supervision_reports', 'major_has_resolution', $e$
        not new.is_major or new.issued_on is null
        or new.resolution_id is not null$e$,
        '/resolution_id', 'resolution-required',
        'R-RPT-05', 'C2.1.1.e', null),
    -- what was issued keeps its text
    ('supervision_reports', 'issued_is_fixed', $e$
        old.issued_on is null
        or (new.doc_no, new.title, new.is_major, new.body, new.findings,
            new.statistics, new.problem_ids, new.issued_on, new.issued_by,
            new.resolution_id, new.attachment_id)
        is not distinct from
           (old.doc_no, old.title, old.is_major, old.body, old.findings,
            old.statistics, old.problem_ids, old.issued_on, old.issued_by,
            old.resolution_id, old.attachment_id)$e$,
        null, 'issued-document-fixed', 'R-RPT-01', 'C2.3.1.a', null)
on conflict (resource, name) do update set
    expression = excluded.expression, pointer = excluded.pointer,
    code = excluded.code, rule_id = excluded.rule_id,
    clause_id = excluded.clause_id, params = excluded.params;

-- Those who read a report only because it is public read what is public.
create or replace function app.reads_as_public() returns boolean
language sql stable
as $$
    select app.roles() <@ '{school_account,department_account,public}'
        and app.roles() <> '{}'
$$;

create or replace function app.before_create_supervision_reports(
    r dudao.supervision_reports, body jsonb)
returns dudao.supervision_reports
language plpgsql
as $$
begin
    if r.task_id is not null and not body ? 'problem_ids'
            and not r.no_problem_found then
        select coalesce(array_agg(p.id order by p.code), '{}')
            into r.problem_ids
        from dudao.problems p
        where p.task_id = r.task_id and p.state <> 'draft';
    end if;
    return r;
end
$$;

create or replace function app.before_supervision_reports(
    action text, r dudao.supervision_reports, data jsonb)
returns dudao.supervision_reports
language plpgsql
as $$
begin
    case action
    when 'submit' then
        r.submitted_by := app.user_id();
    when 'issue' then
        r.resolution_id := coalesce((data ->> 'resolution_id')::uuid,
            r.resolution_id);
        r.issued_on := app.today();
        r.issued_by := app.user_id();
        -- a refused step gives its number back
        r.doc_no := app.next_doc_no('平教督报');
    when 'mark_delivered' then
        r.delivered_on := app.today();
    when 'publish' then
        r.published_on := app.today();
    when 'exempt' then
        r.disclosure := 'exempt';
        r.exemption_reason := data ->> 'reason';
        r.exemption_approved_by := app.user_id();
    else
        null;
    end case;
    return r;
end
$$;

-- C2.3.1.a: the three who must have it.
create or replace function app.mandatory_recipients()
returns table (recipient_role text, purpose text, organization_id uuid)
language sql stable security definer
as $$
    select distinct on (m.recipient_role) m.recipient_role, m.purpose, o.id
    from (values
        ('county_party_committee', 'party_committee', 'deliver_report'),
        ('county_government', 'government', 'deliver_report'),
        ('superior_supervision_body', 'superior_supervision', 'report')
    ) as m(kind, recipient_role, purpose)
    left join dudao.organizations o
        on o.kind = m.kind and o.status = 'operating'
    order by m.recipient_role, o.id
$$;

create or replace function app.guard_supervision_reports(
    action text, old dudao.supervision_reports,
    new dudao.supervision_reports, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
    task dudao.supervision_tasks;
    missing record;
begin
    case action
    when 'submit' then
        select t.* into task
        from dudao.supervision_tasks t
        where t.id = new.task_id;
        if task.id is not null
                and task.state not in ('summarizing', 'completed') then
            faults := faults || app.fault('task-not-summarized', '/task_id',
                jsonb_build_object('state', task.state),
                'R-RPT-01', 'C2.3.1.a');
        end if;
        if btrim(new.body) = '' then
            faults := faults || app.fault('required', '/body', null,
                'R-RPT-01', 'C2.3.1.a');
        end if;
        if new.problem_ids = '{}' and not new.no_problem_found then
            faults := faults || app.fault('problem-list-required',
                '/problem_ids', null, 'R-PRB-01', 'C2.3.2.a');
        end if;
        if new.disclosure = 'redacted'
                and coalesce(btrim(new.redacted_body), '') = '' then
            faults := faults || app.fault('required', '/redacted_body', null,
                'R-PUB-03', 'L-XX-01');
        end if;
        -- an inspector who does not lead the task has no step on its report
        if not app.is_office_account()
                and app.has_role('inspector_ft', 'inspector_pt', 'zone_lead')
                and task.leader_inspector_id
                    is distinct from app.inspector_id() then
            faults := faults || app.fault('leader-only', null, null,
                'R-TSK-02', 'L-TL-16');
        end if;
    when 'to_committee' then
        if not new.is_major then
            faults := faults || app.fault('report-not-major', '/is_major',
                null, 'R-RPT-05', 'C2.1.1.e');
        end if;
    when 'issue' then
        if old.state = 'office_review' and new.is_major then
            faults := faults || app.fault('major-report-of-committee',
                '/is_major', null, 'R-RPT-05', 'C2.1.1.e');
        end if;
        if new.is_major and new.resolution_id is null then
            faults := faults || app.fault('resolution-required',
                '/resolution_id', null, 'R-RPT-05', 'C2.1.1.e');
        elsif new.is_major and not exists (
                select from dudao.meeting_resolutions r
                join dudao.meetings m on m.id = r.meeting_id
                where r.id = new.resolution_id and r.issued_on is not null
                    and m.kind in ('committee_plenary', 'joint_meeting'))
                then
            faults := faults || app.fault('resolution-not-of-committee',
                '/resolution_id', null, 'R-RPT-05', 'C2.1.1.e');
        end if;
        -- 3.0: who drafted it does not issue it
        if app.user_id() in (new.created_by, new.submitted_by) then
            faults := faults || app.fault('separation-of-duties', null, null,
                'R-RPT-05', 'C2.1.1.e');
        end if;
        for missing in
            select m.recipient_role from app.mandatory_recipients() as m
            where m.organization_id is null
        loop
            faults := faults || app.fault('recipient-unknown', null,
                jsonb_build_object('recipient_role', missing.recipient_role),
                'R-RPT-01', 'C2.3.1.a');
        end loop;
    when 'mark_delivered' then
        for missing in
            select m.recipient_role, o.name
            from app.mandatory_recipients() as m
            left join dudao.organizations o on o.id = m.organization_id
            where not exists (
                select from dudao.dispatches d
                where d.subject_type = 'supervision_reports'
                    and d.subject_id = new.id and d.purpose = m.purpose
                    and d.recipient_role = m.recipient_role
                    and d.state in ('sent', 'received'))
        loop
            faults := faults || app.fault('mandatory-dispatch-not-sent', null,
                jsonb_build_object('recipient_role', missing.recipient_role,
                    'recipient', missing.name), 'R-RPT-01', 'C2.3.1.a');
        end loop;
    when 'publish' then
        -- C2.3.1.b: not nowhere
        if not exists (
                select from dudao.publications p
                join dudao.publication_placements x
                    on x.publication_id = p.id
                where p.subject_type = 'supervision_reports'
                    and p.subject_id = new.id and p.state = 'published') then
            faults := faults || app.fault('placement-missing', null, null,
                'R-PUB-01', 'C2.3.1.b');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.effect_supervision_reports(
    action text, old dudao.supervision_reports,
    new dudao.supervision_reports, data jsonb)
returns void
language plpgsql security definer
as $$
declare
    actor constant text := coalesce(current_setting('dudao.user_id', true), '');
    deliver_by constant date := app.add_workdays(app.today(),
        app.parameter_int('report_delivery_workdays'));
    circulate_by constant date := app.add_workdays(app.today(),
        app.parameter_int('circulate_workdays'));
    public_by constant date := app.add_workdays(app.today(),
        app.parameter_int('publication_workdays'));
begin
    case action
    when 'submit' then
        perform app.notify('supervision_reports', new.id, 'report_submitted',
            '督导报告待审核', new.title, app.users_with_role('chief_inspector'));
    when 'return' then
        perform app.notify('supervision_reports', new.id, 'report_returned',
            '督导报告被退回', new.title, array[old.submitted_by]);
    when 'to_committee' then
        perform app.notify('supervision_reports', new.id, 'report_to_committee',
            '重大督导报告待审议', new.title, app.users_with_role(
                'committee_director', 'committee_deputy'));
    when 'issue' then
        perform app.dispatch('supervision_reports', new.id, m.purpose,
            m.organization_id, m.recipient_role, deliver_by)
        from app.mandatory_recipients() as m
        where m.purpose = 'deliver_report';
        perform app.report_upward('supervision_reports', new.id,
            circulate_by);
        perform app.circulate('supervision_reports', new.id, new.issued_on,
            circulate_by);
        perform app.deadline('supervision_reports', new.id, 'delivery',
            deliver_by);
        perform app.enqueue('X-03', 'upsert', 'supervision_reports', new.id,
            'report:' || new.doc_no, jsonb_build_object(
                'doc_no', new.doc_no, 'title', new.title,
                'is_major', new.is_major, 'issued_on', new.issued_on,
                'text', new.body, 'statistics', new.statistics,
                'attachment_sha256', (
                    select b.sha256
                    from dudao.attachments b
                    where b.id = new.attachment_id)));
        if new.disclosure <> 'exempt' then
            perform app.deadline('supervision_reports', new.id,
                'publication', public_by);
            -- The draft is nobody's own text, so that whoever may review and
            -- approve it still can (R-PUB-03).
            perform set_config('dudao.user_id', '', true);
            insert into dudao.publications(code, kind, subject_type,
                subject_id, publisher_org_id, title, body, is_major)
            select app.next_code('GK'), 'supervision_report',
                'supervision_reports', new.id, o.id, new.title,
                case new.disclosure when 'redacted' then new.redacted_body
                    else new.body end,
                new.is_major
            from dudao.organizations o
            where o.kind = 'supervision_office' and o.status = 'operating'
            on conflict do nothing;
            perform set_config('dudao.user_id', actor, true);
        end if;
        perform app.notify('supervision_reports', new.id, 'report_issued',
            '督导报告已印发', new.title || '（' || new.doc_no || '）',
            app.users_with_role('office_staff', 'deputy_chief_inspector'));
    when 'mark_delivered' then
        perform app.meet_deadline('supervision_reports', new.id, 'delivery');
    when 'publish', 'exempt' then
        perform app.meet_deadline('supervision_reports', new.id,
            'publication');
    else
        null;
    end case;
end
$$;

-- Once the three have been sent, the report is delivered.
create or replace function app.deliver_reports() returns void
language plpgsql security definer
as $$
declare
    item record;
begin
    for item in
        select r.id
        from dudao.supervision_reports r
        where r.state = 'issued'
            and not exists (
                select from app.mandatory_recipients() as m
                where not exists (
                    select from dudao.dispatches d
                    where d.subject_type = 'supervision_reports'
                        and d.subject_id = r.id and d.purpose = m.purpose
                        and d.recipient_role = m.recipient_role
                        and d.state in ('sent', 'received')))
        limit 100
    loop
        perform app.system_step('supervision_reports', item.id,
            'mark_delivered');
    end loop;
end
$$;

-- The publication of a report publishes the report (3.8).
create or replace function app.follow_publication_of_report()
returns trigger
language plpgsql security definer
as $$
begin
    if exists (select from dudao.supervision_reports r
            where r.id = new.subject_id and r.state = 'delivered') then
        perform app.system_step('supervision_reports', new.subject_id,
            'publish');
    end if;
    return null;
end
$$;
create or replace trigger e_report after update on dudao.publications
    for each row when (new.subject_type = 'supervision_reports'
        and new.state = 'published' and old.state <> 'published')
    execute function app.follow_publication_of_report();

drop view if exists app.supervision_reports_json;
create view app.supervision_reports_json with (security_invoker = true) as
select r.id, r.version, r.doc_no, r.task_id, r.title, r.is_major, r.problem_ids,
    r.resolution_id, r.issued_on, r.disclosure, r.state, r.created_at, r.search,
    json_build_object(
        'id', r.id,
        'version', r.version,
        'doc_no', r.doc_no,
        'task_id', r.task_id,
        'title', r.title,
        'is_major', r.is_major,
        'body', case when r.disclosure <> 'full' and app.reads_as_public()
            then r.redacted_body else r.body end,
        'findings', case when r.disclosure <> 'full' and app.reads_as_public()
            then '[]' else r.findings end,
        'statistics', case when r.disclosure <> 'full'
            and app.reads_as_public() then '{}' else r.statistics end,
        'problem_ids', r.problem_ids,
        'no_problem_found', r.no_problem_found,
        'attachment_id', r.attachment_id,
        'submitted_by', r.submitted_by,
        'issued_on', r.issued_on,
        'issued_by', r.issued_by,
        'resolution_id', r.resolution_id,
        'delivered_on', r.delivered_on,
        'published_on', r.published_on,
        'disclosure', r.disclosure,
        'redacted_body', r.redacted_body,
        'exemption_reason', r.exemption_reason,
        'exemption_approved_by', r.exemption_approved_by,
        'voided_at', app.ts(r.voided_at),
        'void_reason', r.void_reason,
        'state', r.state,
        'allowed_actions', case when r.voided_at is null
            then app.allowed_actions('supervision_reports', r.state)
            else '[]'::json end,
        'created_at', app.ts(r.created_at),
        'updated_at', app.ts(r.updated_at),
        'is_demo', r.is_demo) as body
from dudao.supervision_reports r;
