-- Compliance (section 5, C1.b, C1.e). Each rule is a function of a day that
-- shows what it looks at, one row an item, with the item's own colour; how the
-- items of a scope make one result is said by the rule's measure:
--
-- all    green when every item is green, else the worst colour among them
-- share  numerator / denominator against green_at and amber_at
-- count  how many items are not green, against the two
-- ratio  sum of numerators / sum of denominators against the two
-- level  the worst colour; value and threshold are the two sums
--
-- An item that is_fatal makes the result red. No item: not applicable. A
-- function reads as the owner; who may see a result is said by its scope.

drop type if exists app.compliance_item cascade;
create type app.compliance_item as (
    organization_id uuid,
    zone_id         uuid,
    inspector_id    uuid,
    href            text,
    label           text,
    verdict         text,
    numerator       numeric,
    denominator     numeric,
    is_fatal        boolean
);

create or replace function app.compliance_item(
    href text, label text, verdict text,
    organization_id uuid default null, zone_id uuid default null,
    inspector_id uuid default null, numerator numeric default null,
    denominator numeric default 1, is_fatal boolean default false)
returns app.compliance_item
language sql immutable parallel safe
as $$
    select row(organization_id, zone_id, inspector_id, href, label, verdict,
        coalesce(numerator, (verdict = 'green')::integer), denominator,
        is_fatal)::app.compliance_item
$$;

-- green, else amber, else red.
create or replace function app.colour(is_green boolean, is_amber boolean default false)
returns text
language sql immutable parallel safe
as $$
    select case when is_green then 'green' when is_amber then 'amber' else 'red' end
$$;

create or replace function app.number_parameter(key text) returns numeric
language sql stable
as $$
    select (app.parameter(key) #>> '{}')::numeric
$$;


-- Who and what there was on a day --------------------------------------------

-- The county's operating schools. A teaching point is covered through its
-- parent: bearer_id is what bears the plaque.
create or replace function app.schools_on(day date)
returns table (id uuid, name text, zone_id uuid, division_id uuid,
    is_point boolean, counts boolean, is_private boolean, bearer_id uuid)
language sql stable
as $$
    select s.id, o.name, s.zone_id, o.division_id, s.school_type = '218',
        s.counts_in_ratio, s.ownership in ('private_inclusive',
            'private_for_profit', 'private_non_profit'),
        app.bearer_of(s.school_type, s.parent_school_id, s.id)
    from dudao.schools s
    join dudao.organizations o on o.id = s.organization_id
    where o.status = 'operating'
        and coalesce(s.established_on <= day, true)
$$;

create or replace function app.inspectors_on(day date)
returns table (id uuid, name text, code text, zone_id uuid, appointment_id uuid,
    employment text, term_no integer, starts_on date, ends_on date,
    organization_id uuid, person_id uuid, degree text, work_years integer)
language sql stable
as $$
    select i.id, p.name, i.code, m.zone_id, a.id,
        a.employment, a.term_no, a.starts_on, a.ends_on,
        p.organization_id, p.id, i.degree, i.work_years
    from dudao.inspector_appointments a
    join dudao.inspectors i on i.id = a.inspector_id
    join dudao.persons p on p.id = i.person_id
    left join dudao.zone_memberships m on m.inspector_id = i.id
        and m.started_on <= day and coalesce(m.ended_on > day, true)
    where a.voided_at is null
        and a.state in ('active', 'ended', 'resigned', 'dismissed')
        and a.starts_on <= day
        -- one that nobody ended is still in use
        and (a.state = 'active' or coalesce(a.ended_on, a.ends_on) >= day)
$$;

create or replace function app.plaques_on(day date)
returns setof dudao.plaques
language sql stable
as $$
    select p.*
    from dudao.plaques p
    where p.state in ('posted', 'to_replace', 'removed')
        and p.posted_on <= day
        and coalesce(p.removed_on > day, true)
$$;

-- What was submitted by then, and not called back.
create or replace function app.visits_on(day date)
returns setof dudao.visits
language sql stable
as $$
    select v.*
    from dudao.visits v
    where v.voided_at is null
        and v.state in ('submitted', 'school_confirmed', 'reviewed')
        and v.visited_on <= day
$$;

create or replace function app.documents_on(day date)
returns setof dudao.policy_documents
language sql stable
as $$
    select d.*
    from dudao.policy_documents d
    where d.voided_at is null
        and d.state in ('in_force', 'superseded', 'repealed')
        and coalesce(d.effective_from, d.issued_on) <= day
        and coalesce(d.effective_to > day, d.state = 'in_force')
$$;

create or replace function app.zones_on(day date)
returns setof dudao.zones
language sql stable
as $$
    select z.*
    from dudao.zones z
    where z.active_from <= day and coalesce(z.active_to >= day, true)
$$;

-- Listed and not struck off by then; overdue when nothing was reported.
create or replace function app.open_problems_on(day date)
returns table (id uuid, code text, title text, organization_id uuid,
    severity text, is_overdue boolean)
language sql stable
as $$
    select p.id, p.code, p.title, p.organization_id, p.severity,
        coalesce(p.effective_due_on < day, false) and case
            when day >= app.today() then app.problem_overdue(p, day)
            else coalesce(p.reported_on > day, true) end
    from dudao.problems p
    where p.voided_at is null and p.listed_on <= day
        and (p.struck_off_on is null or p.struck_off_on > day
            or p.rebounded_on between p.struck_off_on and day)
$$;

-- Work of inspectors that a unit has seen by then: visits, and the targets of
-- which the team was on site.
create or replace function app.duties_on(day date)
returns table (href text, inspector_id uuid, organization_id uuid, on_day date,
    visit_id uuid, target_id uuid)
language sql stable
as $$
    select '/v1/visits/' || v.id, v.inspector_id, v.organization_id, v.visited_on,
        v.id, v.target_id
    from app.visits_on(day) v
    union all
    select '/v1/supervision-targets/' || g.id, m.inspector_id, g.organization_id,
        g.onsite_started_on, null, g.id
    from dudao.supervision_targets g
    join dudao.team_members m on m.task_id = g.task_id
        and (m.target_ids = '{}' or g.id = any (m.target_ids))
    where m.inspector_id is not null and g.onsite_started_on <= day
$$;

create or replace function app.reports_on(day date)
returns setof dudao.supervision_reports
language sql stable
as $$
    select r.*
    from dudao.supervision_reports r
    where r.voided_at is null and r.issued_on <= day
$$;

-- Whether somebody in one of the roles had made the step by then.
create or replace function app.was_made_by(
    resource text, id uuid, action text, roles text[], day date)
returns boolean
language sql stable
as $$
    select exists (
        select
        from dudao.transitions t
        where t.subject_type = resource and t.subject_id = $2 and t.action = $3
            and t.role = any (roles)
            and (t.at at time zone 'Asia/Shanghai')::date <= day)
$$;


-- H: bases and divisions ------------------------------------------------------

create or replace function app.check_r_gen_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/supervision-tasks/' || t.id, t.title,
        app.colour(d.id is not null and (t.kind <> 'decision_inspection'
            or d.kind = 'superior_directive')))
    from dudao.supervision_tasks t
    left join dudao.policy_documents d on d.id = t.basis_document_id and d.voided_at is null
    where t.voided_at is null and t.approved_on <= day
$$;

create or replace function app.check_r_gen_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/divisions/' || d.id, d.name,
        app.colour(count(o.id) = 1))
    from dudao.divisions d
    left join dudao.organizations o on o.division_id = d.id
        and o.kind in ('township_government', 'subdistrict_office')
        and o.is_supervisable and o.status = 'operating'
    where d.level = 'township'
        and coalesce(d.active_from <= day, true) and coalesce(d.active_to >= day, true)
    group by d.id, d.name
$$;


-- C2.1.3.a, c, e, C3.1.c: the rules of the office -----------------------------

create or replace function app.check_r_mtg_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item(
        coalesce('/v1/policy-documents/' || min(d.id::text), '/v1/policy-documents?kind=' || k.kind),
        coalesce(min(d.title), k.label), app.colour(count(d.id) > 0))
    from (values ('work_procedure', '工作规程'), ('joint_meeting_rule', '联席会议制度'),
        ('communication_rule', '沟通交流制度'), ('reporting_rule', '报告制度')) as k(kind, label)
    left join app.documents_on(day) d on d.kind = k.kind
    group by k.kind, k.label
$$;


-- Tasks (L-TL-11, L-TL-16, L-TL-17) -------------------------------------------

create or replace function app.check_r_tsk_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/supervision-tasks/' || t.id, t.title,
        app.colour(count(distinct m.inspector_id) >= app.parameter_int('team_min_inspectors')))
    from dudao.supervision_tasks t
    left join dudao.team_members m on m.task_id = t.id
        and m.role in ('leader', 'deputy', 'member')
    where t.voided_at is null and t.state <> 'cancelled'
        and t.kind in ('comprehensive', 'special') and t.approved_on <= day
    group by t.id
$$;

create or replace function app.check_r_tsk_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/supervision-targets/' || g.id,
        t.title || ' ' || coalesce(o.short_name, z.name),
        case when n.id is null then 'red'
            else app.colour(w.days >= app.parameter_int('notice_min_workdays'), w.days >= 1) end,
        o.id, coalesce(z.id, s.zone_id))
    from dudao.supervision_targets g
    join dudao.supervision_tasks t on t.id = g.task_id
    left join dudao.supervision_notices n on n.id = g.notice_id
        and n.voided_at is null and n.issued_on <= day
    left join dudao.organizations o on o.id = g.organization_id
    left join dudao.schools s on s.id = g.organization_id
    left join dudao.zones z on z.id = g.zone_id
    cross join lateral (select app.workdays_between(n.issued_on,
        coalesce(g.onsite_started_on, t.onsite_from)) as days) as w
    where t.voided_at is null and t.state <> 'cancelled'
        and app.keeps_target_files(t.kind) and g.state <> 'excused'
        and coalesce(g.onsite_started_on, t.onsite_from) is not null
        and (n.id is not null or coalesce(g.onsite_started_on, t.onsite_from) <= day)
$$;

create or replace function app.check_r_cmp_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/supervision-tasks/' || t.id, t.title,
        app.colour(cardinality(t.matters) > 0 and (t.kind = 'special'
            or t.matters @> array['M1', 'M2', 'M3', 'M4'])))
    from dudao.supervision_tasks t
    where t.voided_at is null and t.state <> 'cancelled'
        and t.kind in ('comprehensive', 'special') and t.approved_on <= day
$$;


-- Visits (C2.2.2.b, C2.2.2.g, C3.2.c, L-GP-05, L-GP-06) -----------------------

-- The running semester and the one before it; the past is told by its own
-- snapshots.
create or replace function app.check_r_vis_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with term as (
        select x.*
        from dudao.semesters x
        where x.starts_on <= day
        order by x.starts_on desc
        limit 2
    ), made as (
        select v.organization_id, t.id as term_id, count(*) as n
        from term t
        join app.visits_on(day) v on v.visited_on between t.starts_on and t.ends_on
        where v.kind in ('regular', 'random', 'follow_up')
        group by 1, 2
    )
    select app.compliance_item(
        '/v1/visits?organization_id=' || s.id || '&semester_id=' || t.id,
        s.name || ' ' || t.code,
        app.colour(coalesce(m.n, 0) >= app.parameter_int('regular_visits_per_semester')
                or t.ends_on - 30 > day,
            t.ends_on >= day),
        s.id, s.zone_id)
    from app.schools_on(day) s
    cross join term t
    left join made m on m.organization_id = s.id and m.term_id = t.id
$$;

-- The finished teaching months of the newest semester that has one. Teaching
-- points are left to R-VIS-01.
create or replace function app.check_r_vis_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with month as (
        select m.first_on, (m.first_on + interval '1 month')::date - 1 as last_on,
            dense_rank() over (order by x.starts_on desc) as place
        from dudao.semesters x
        cross join lateral unnest(x.teaching_months) as t(month)
        cross join lateral (select to_date(t.month, 'YYYY-MM') as first_on) as m
        where (m.first_on + interval '1 month')::date <= day
    ), made as (
        select v.organization_id, m.first_on, count(*) as n
        from month m
        join app.visits_on(day) v on v.visited_on between m.first_on and m.last_on
        where m.place = 1 and v.kind in ('regular', 'random', 'follow_up')
        group by 1, 2
    )
    select app.compliance_item(
        '/v1/visits?organization_id=' || s.id || '&visited_on.gte=' || m.first_on
            || '&visited_on.lte=' || m.last_on,
        s.name || ' ' || to_char(m.first_on, 'YYYY-MM'),
        app.colour(coalesce(x.n, 0) >= app.parameter_int('regular_visits_per_month'), true),
        s.id, s.zone_id)
    from app.schools_on(day) s
    cross join month m
    left join made x on x.organization_id = s.id and x.first_on = m.first_on
    where m.place = 1 and not s.is_point
$$;

create or replace function app.check_r_vis_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/visits/' || v.id, o.name || ' ' || v.visited_on,
        app.colour(v.submitted_at <= coalesce(v.left_at,
            (v.visited_on + 1)::timestamp at time zone 'Asia/Shanghai')
            + make_interval(hours => app.parameter_int('visit_upload_hours')), true),
        o.id, s.zone_id, v.inspector_id)
    from app.visits_on(day) v
    left join dudao.organizations o on o.id = v.organization_id
    left join dudao.schools s on s.id = v.organization_id
    where v.visited_on > day - 365
$$;

create or replace function app.check_r_vis_04(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with year as (
        select min(y.starts_on) as starts_on
        from dudao.semesters x
        join dudao.semesters y using (academic_year)
        where x.starts_on = (select max(z.starts_on) from dudao.semesters z where z.starts_on <= day)
    ), seen as (
        select v.organization_id, count(distinct i.area) as n
        from app.visits_on(day) v
        join dudao.visit_items i on i.visit_id = v.id
        where v.visited_on >= (select starts_on from year)
            and i.conclusion <> 'not_checked'
        group by 1
    )
    select app.compliance_item('/v1/visits?organization_id=' || s.id, s.name,
        app.colour(coalesce(x.n, 0) >= 8, x.n >= 6), s.id, s.zone_id)
    from app.schools_on(day) s
    left join seen x on x.organization_id = s.id
    where s.is_private
$$;

create or replace function app.check_r_vis_05(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/problems/' || p.id, p.title,
        case when coalesce(p.assigned_on, day) > p.listed_on then 'red'
            else app.colour(coalesce(r.reviewed_on, day) <= p.listed_on + 3,
                coalesce(r.reviewed_on, day) <= p.listed_on + 7) end,
        p.organization_id, s.zone_id)
    from dudao.problems p
    left join dudao.schools s on s.id = p.organization_id
    left join lateral (
        select min(x.reviewed_on) as reviewed_on
        from dudao.problem_reviews x
        where x.problem_id = p.id and x.reviewed_on <= day) as r on true
    where p.voided_at is null and p.severity = 'danger' and p.listed_on <= day
$$;


-- Plaques (C2.2.2.f, L-GP-01) --------------------------------------------------

create or replace function app.check_r_plq_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/schools/' || s.id, s.name,
        app.colour(i.id is not null, true), s.id, s.zone_id)
    from app.schools_on(day) s
    left join app.plaques_on(day) p on p.school_id = s.bearer_id
    left join app.inspectors_on(day) i on i.id = p.inspector_id
$$;

create or replace function app.check_r_plq_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/plaques/' || p.id, o.name,
        app.colour(num_nulls(p.photo_attachment_id, i.public_phone, p.items, p.hotline) = 0, true),
        o.id, s.zone_id, i.id)
    from app.plaques_on(day) p
    join dudao.inspectors i on i.id = p.inspector_id
    join dudao.organizations o on o.id = p.school_id
    join dudao.schools s on s.id = p.school_id
$$;

create or replace function app.check_r_plq_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/inspectors/' || i.id, i.name,
        app.colour(count(p.id) <= app.parameter_int('inspector_school_ratio'),
            count(p.id) <= app.parameter_int('plaque_school_max')),
        null, i.zone_id, i.id)
    from app.inspectors_on(day) i
    join app.plaques_on(day) p on p.inspector_id = i.id
    group by i.id, i.name, i.zone_id
$$;


-- Inspectors (C2.4.1, L-TL-6, L-TL-7, L-TL-10, L-DX-02) ------------------------

create or replace function app.check_r_ins_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/schools/' || s.id, s.name, 'green', null, s.zone_id,
        numerator => 1, denominator => 0)
    from app.schools_on(day) s
    where s.counts
    union all
    select app.compliance_item('/v1/inspectors/' || i.id, i.name, 'green', null, i.zone_id,
        numerator => 0, denominator => 1)
    from app.inspectors_on(day) i
$$;

create or replace function app.check_r_ins_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/inspectors/' || i.id, i.name, 'green', null, i.zone_id,
        numerator => (i.employment = 'full_time')::integer)
    from app.inspectors_on(day) i
$$;

create or replace function app.check_r_ins_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/inspector-appointments/' || i.appointment_id, i.name,
        case when i.ends_on < day
                or i.ends_on > (i.starts_on + make_interval(
                    years => app.parameter_int('inspector_term_years')))::date then 'red'
            else app.colour(i.ends_on - day > 30 or exists (
                select from dudao.inspector_appointments a
                where a.renewal_of_id = i.appointment_id
                    and a.voided_at is null and a.state <> 'rejected'), true) end,
        null, i.zone_id, i.id)
    from app.inspectors_on(day) i
    where i.employment = 'part_time'
$$;

create or replace function app.check_r_ins_04(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/inspector-appointments/' || i.appointment_id, i.name,
        app.colour(i.term_no <= app.parameter_int('inspector_max_terms')),
        null, i.zone_id, i.id)
    from app.inspectors_on(day) i
    where i.employment = 'part_time'
$$;

create or replace function app.check_r_ins_05(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/inspectors/' || i.id, i.name,
        app.colour(coalesce(i.degree in ('bachelor', 'master', 'doctor')
            and i.work_years >= app.parameter_int('inspector_min_work_years'), false)),
        null, i.zone_id, i.id)
    from app.inspectors_on(day) i
$$;

create or replace function app.check_r_ins_06(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with sent as (
        select d.subject_id, min(d.due_on) as due_on,
            bool_or(coalesce((d.sent_at at time zone 'Asia/Shanghai')::date <= day, false)) as is_sent
        from dudao.dispatches d
        where d.subject_type = 'inspector_appointments' and d.purpose = 'report'
            and d.recipient_role = 'superior_supervision' and d.state <> 'void'
        group by 1
    )
    select app.compliance_item('/v1/inspector-appointments/' || i.appointment_id, i.name,
        case when n.published_at is null
                or app.workdays_between(a.publicity_from, a.publicity_to)
                    < app.parameter_int('publicity_workdays')
                or a.publicity_from is null then 'red'
            else app.colour(coalesce(s.is_sent, false),
                day <= coalesce(s.due_on, app.add_workdays(a.starts_on,
                    app.parameter_int('report_delivery_workdays')))) end,
        null, i.zone_id, i.id)
    from app.inspectors_on(day) i
    join dudao.inspector_appointments a on a.id = i.appointment_id
    left join dudao.publications n on n.id = a.notice_publication_id
        and n.state in ('published', 'corrected')
    left join sent s on s.subject_id = a.id
$$;

create or replace function app.check_r_ins_09(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item(w.href, p.name || ' ' || o.name,
        app.colour(not (coalesce(p.organization_id = w.organization_id, false) or exists (
                select from dudao.leadership_terms l
                where l.person_id = p.id and l.organization_id = w.organization_id
                    and l.started_on <= w.on_day
                    and coalesce(l.ended_on > w.on_day - interval '3 years', true)))
            or exists (
                select from dudao.recusals r
                where r.inspector_id = w.inspector_id and r.declared_on <= day
                    and (r.organization_id = w.organization_id
                        or r.visit_id = w.visit_id or r.target_id = w.target_id))),
        w.organization_id, s.zone_id, w.inspector_id)
    from app.duties_on(day) w
    join dudao.inspectors i on i.id = w.inspector_id
    join dudao.persons p on p.id = i.person_id
    join dudao.organizations o on o.id = w.organization_id
    left join dudao.schools s on s.id = w.organization_id
    where w.on_day > day - 365
$$;

create or replace function app.check_r_ins_10(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/inspector-appointments/' || i.appointment_id, i.name,
        app.colour(a.decision_doc_no is not null), null, i.zone_id, i.id)
    from app.inspectors_on(day) i
    join dudao.inspector_appointments a on a.id = i.appointment_id
$$;


-- Zones (C2.2.2.e, C2.4.1, C2.1.3.h, L-ZR-01) ----------------------------------

create or replace function app.check_r_zon_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/schools/' || s.id, s.name, app.colour(z.id is not null),
        s.id, s.zone_id)
    from app.schools_on(day) s
    left join app.zones_on(day) z on z.id = s.zone_id
$$;

-- What R-ZON-02 to R-ZON-04 count.
create or replace function app.zone_counts_on(day date)
returns table (id uuid, name text, school_count bigint, inspector_count bigint, fulltime_count bigint)
language sql stable
as $$
    select z.id, z.name,
        (select count(*) from app.schools_on(day) s where s.zone_id = z.id and s.counts),
        count(i.id), count(i.id) filter (where i.employment = 'full_time')
    from app.zones_on(day) z
    left join app.inspectors_on(day) i on i.zone_id = z.id
    group by z.id, z.name
$$;

create or replace function app.check_r_zon_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/zones/' || z.id, z.name,
        app.colour(z.school_count <= z.inspector_count * app.number_parameter('inspector_school_ratio'),
            z.school_count <= z.inspector_count * (app.number_parameter('inspector_school_ratio') + 0.5)),
        null, z.id)
    from app.zone_counts_on(day) z
$$;

create or replace function app.check_r_zon_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/zones/' || z.id, z.name,
        app.colour(z.fulltime_count >= app.parameter_int('zone_fulltime_min')), null, z.id)
    from app.zone_counts_on(day) z
$$;

-- advice: never red
create or replace function app.check_r_zon_04(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/zones/' || z.id, z.name,
        app.colour(z.school_count <= app.parameter_int('zone_school_soft_max'), true), null, z.id)
    from app.zone_counts_on(day) z
$$;

create or replace function app.check_r_zon_05(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with inspected as (
        select g.organization_id, g.zone_id
        from dudao.supervision_targets g
        join dudao.supervision_tasks t on t.id = g.task_id
        where t.kind = 'work_inspection' and t.voided_at is null and t.state <> 'cancelled'
            and coalesce(g.onsite_started_on, t.started_on, t.issued_on) <= day
            and coalesce(g.onsite_started_on, t.started_on, t.issued_on) >= date_trunc('year', day)
            and g.state not in ('pending', 'excused')
    )
    select app.compliance_item(u.href, u.name,
        app.colour(exists (
                select from inspected x
                where x.organization_id = u.organization_id or x.zone_id = u.zone_id),
            day <= make_date(extract(year from day)::integer, 11, 30)),
        u.organization_id, u.zone_id)
    from (
        select '/v1/zones/' || z.id as href, z.name, null::uuid as organization_id, z.id as zone_id
        from app.zones_on(day) z
        union all
        select '/v1/organizations/' || o.id, o.name, o.id, null
        from dudao.organizations o
        where o.kind in ('township_government', 'subdistrict_office') and o.status = 'operating'
    ) as u
$$;


-- Problems (C2.3.1.e, C2.3.2) --------------------------------------------------

create or replace function app.check_r_fbk_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/problems/' || p.id, p.title,
        app.colour(num_nulls(p.requirement, p.due_on) = 0), p.organization_id, s.zone_id)
    from dudao.problems p
    left join dudao.schools s on s.id = p.organization_id
    where p.voided_at is null and p.target_id is not null and p.listed_on <= day
$$;

create or replace function app.check_r_prb_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/problems/' || p.id, p.title,
        app.colour(not p.is_overdue, p.severity <> 'danger'), p.organization_id, s.zone_id,
        is_fatal => p.is_overdue and p.severity = 'danger')
    from app.open_problems_on(day) p
    left join dudao.schools s on s.id = p.organization_id
$$;

create or replace function app.check_r_prb_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/problems/' || p.id, p.title,
        app.colour(exists (
            select
            from dudao.problem_reviews r
            join dudao.rectification_reports x on x.problem_id = p.id and x.round = r.round
            where r.problem_id = p.id and r.kind = 'verification' and r.result = 'in_place'
                and cardinality(r.evidence) > 0
                and r.created_by is distinct from x.created_by
                and not exists (
                    select
                    from dudao.inspectors i
                    join dudao.persons n on n.id = i.person_id
                    where i.id = any (r.reviewer_inspector_ids)
                        and n.organization_id = p.organization_id))),
        p.organization_id, s.zone_id)
    from dudao.problems p
    left join dudao.schools s on s.id = p.organization_id
    where p.voided_at is null and p.struck_off_on <= day
$$;

-- each report of the last year; one that waits within its time is not counted
create or replace function app.check_r_prb_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/problems/' || p.id, p.title,
        app.colour(coalesce(v.reviewed_on <= l.until, false), true), p.organization_id, s.zone_id)
    from dudao.rectification_reports r
    join dudao.problems p on p.id = r.problem_id and p.voided_at is null
    left join dudao.schools s on s.id = p.organization_id
    cross join lateral (select (r.submitted_at at time zone 'Asia/Shanghai')::date as on_day) as h
    cross join lateral (select app.add_workdays(h.on_day, app.parameter_int('verify_workdays')) as until) as l
    left join lateral (
        select min(x.reviewed_on) as reviewed_on
        from dudao.problem_reviews x
        where x.problem_id = r.problem_id and x.kind = 'verification'
            and coalesce(x.report_id = r.id, x.round = r.round and x.reviewed_on >= h.on_day)
            and x.reviewed_on <= day) as v on true
    where r.result = 'completed' and h.on_day between day - 365 and day
        and (v.reviewed_on is not null or day > l.until)
$$;

-- All major ones and a sample of the others, 90 to 180 days after they were
-- struck off; missed once the 180 days are over.
create or replace function app.check_r_prb_04(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with due as (
        select p.*, p.severity in ('major', 'danger') as is_major,
            coalesce(p.looked_back_on <= day, false) as is_done,
            day - p.struck_off_on > app.parameter_int('lookback_max_days') as is_over
        from dudao.problems p
        where p.voided_at is null
            and day - p.struck_off_on between app.parameter_int('lookback_min_days') and 365
            and (p.rebounded_on is null or p.rebounded_on > day or p.looked_back_on is not null)
    ), sampled as (
        select d.*, avg(d.is_done::integer) over (partition by d.is_major, d.is_over) as share
        from due d
    )
    select app.compliance_item('/v1/problems/' || p.id, p.title,
        app.colour(p.is_done or (not p.is_major
            and p.share >= app.number_parameter('lookback_sample')), not p.is_over),
        p.organization_id, s.zone_id)
    from sampled p
    left join dudao.schools s on s.id = p.organization_id
$$;

-- C2.3.2.e: what was falsified is followed up as a clue
create or replace function app.check_r_prb_05(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/problems/' || p.id, p.title,
        app.colour(r.result = 'in_place', r.result = 'rebounded'), p.organization_id, s.zone_id,
        numerator => (r.result <> 'in_place')::integer,
        is_fatal => r.result = 'false_report' and p.escalation_level < 4 and not exists (
            select from dudao.deadlines d
            where d.subject_type = 'problems' and d.subject_id = p.id
                and d.kind = 'accountability_clue'))
    from dudao.problem_reviews r
    join dudao.problems p on p.id = r.problem_id and p.voided_at is null
    left join dudao.schools s on s.id = p.organization_id
    where r.kind = 'look_back' and r.reviewed_on between day - 365 and day
$$;

create or replace function app.check_r_prb_06(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/problems/' || p.id, p.title,
        app.colour(coalesce(n.published_on <= l.until, false), true), p.organization_id, s.zone_id)
    from dudao.problems p
    left join dudao.schools s on s.id = p.organization_id
    cross join lateral (select app.add_workdays(p.struck_off_on, app.parameter_int('publication_workdays')) as until) as l
    left join lateral (
        select min((x.published_at at time zone 'Asia/Shanghai')::date) as published_on
        from dudao.publications x
        where x.subject_type = 'problems' and x.subject_id = p.id
            and x.kind = 'rectification_disclosure'
            and x.state in ('published', 'corrected') and x.voided_at is null) as n on true
    where p.voided_at is null and p.is_public
        and p.struck_off_on between day - 365 and day
        and (n.published_on <= day or day > l.until)
$$;


-- Publication (C2.3.1.b, L-XX-01) ----------------------------------------------

-- An exemption is shown amber for as long as it lasts (3.8).
create or replace function app.check_r_pub_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/supervision-reports/' || r.id, r.title,
        app.colour(coalesce(n.placed_on <= l.until, false),
            (n.placed_on is null and day <= l.until)
                or (r.disclosure = 'exempt' and app.was_made_by('supervision_reports', r.id,
                    'exempt', '{committee_director}', day))))
    from app.reports_on(day) r
    cross join lateral (select app.add_workdays(r.issued_on,
        app.parameter_int('publication_workdays')) as until) as l
    left join lateral (
        select min((x.placed_at at time zone 'Asia/Shanghai')::date) as placed_on
        from dudao.publications p
        join dudao.publication_placements x on x.publication_id = p.id
        where p.subject_type = 'supervision_reports' and p.subject_id = r.id
            and p.kind = 'supervision_report'
            and p.state in ('published', 'corrected') and p.voided_at is null
            and (x.placed_at at time zone 'Asia/Shanghai')::date <= day) as n on true
$$;

create or replace function app.check_r_pub_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/publications/' || p.id, p.title || ' ' || c.name,
        app.colour(x.reachable, true), p.publisher_org_id)
    from dudao.publication_placements x
    join dudao.publications p on p.id = x.publication_id and p.state = 'published'
        and p.voided_at is null
    join dudao.publication_channels c on c.id = x.channel_id
    where x.reachable is not null
        and (x.check_at at time zone 'Asia/Shanghai')::date <= day
$$;

create or replace function app.check_r_pub_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/publications/' || p.id, p.title,
        app.colour(p.secrecy_reviewer_id is not null
            and p.secrecy_reviewer_id is distinct from p.created_by
            and coalesce(p.secrecy_result <> 'refuse', false)),
        p.publisher_org_id)
    from dudao.publications p
    where p.voided_at is null and p.state in ('published', 'corrected', 'withdrawn')
        and (p.published_at at time zone 'Asia/Shanghai')::date <= day
$$;


-- Guarantees (C2.4.2, C2.4.3.f, C3.1.c, C3.2.b) --------------------------------

create or replace function app.check_r_res_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item(
        coalesce('/v1/organizations/' || min(c.id::text), '/v1/organizations?kind=research_center'),
        coalesce(min(c.name), '教育督导与评估研究中心'),
        app.colour(count(c.id) = 1 and bool_and(o.id is not null)), numerator => count(o.id))
    from dudao.organizations c
    left join dudao.organizations o on o.id = c.managed_by_id and o.kind = 'supervision_office'
    where c.kind = 'research_center' and c.status = 'operating'
$$;

-- Of each of the two kinds one that was accepted in the year.
create or replace function app.check_r_res_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item(
        coalesce('/v1/center-engagements/' || coalesce(min(e.id::text) filter (where e.is_done), min(e.id::text)),
            '/v1/center-engagements?kind=' || k.kind),
        coalesce(min(e.title) filter (where e.is_done), min(e.title), k.label),
        app.colour(coalesce(bool_or(e.is_done), false), count(e.id) > 0))
    from (values ('school_evaluation', '学校评估'), ('quality_monitoring', '质量监测')) as k(kind, label)
    left join (
        select x.id, x.kind, x.title, coalesce(x.accepted_on <= day, false) as is_done
        from dudao.center_engagements x
        where x.assigned_on <= day
            and coalesce(x.accepted_on >= date_trunc('year', day), true)) as e on e.kind = k.kind
    group by k.kind, k.label
$$;

-- Running or accepted in the year; who only applied has not begun.
create or replace function app.check_r_res_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item(
        coalesce('/v1/research-projects/' || coalesce(min(p.id::text) filter (where p.counts), min(p.id::text)),
            '/v1/research-projects?kind=policy_study&kind=decision_study'),
        coalesce(min(p.title) filter (where p.counts), min(p.title), '政策、重大决策专题研究'),
        app.colour(count(*) filter (where p.counts) > 0, count(p.id) > 0),
        numerator => count(*) filter (where p.counts))
    from (select 1) as one
    left join (
        select x.id, x.title, x.state not in ('applied', 'approved') and x.starts_on <= day as counts
        from dudao.research_projects x
        where x.kind in ('policy_study', 'decision_study') and x.state <> 'rejected'
            and x.created_at < (day + 1)::timestamp at time zone 'Asia/Shanghai'
            -- what was over before the year does not belong to it
            and coalesce(greatest(x.concluded_on, x.accepted_on) >= date_trunc('year', day), true)
            and coalesce(x.terminated_on > day, true)) as p on true
$$;

create or replace function app.check_r_fin_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item(
        coalesce('/v1/policy-documents/' || min(d.id::text), '/v1/policy-documents?kind=funds_rule'),
        coalesce(min(d.title), '经费使用管理办法'),
        app.colour(coalesce(bool_or(jsonb_array_length(d.expense_standards) > 0), false)))
    from app.documents_on(day) d
    where d.kind = 'funds_rule'
$$;

-- the outbox towards the superior platform
create or replace function app.check_r_itx_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/exchange-messages', '上级平台',
        app.colour(m.last_on >= day - 7 and m.rejected <= 5, m.last_on >= day - 30))
    from (
        select coalesce(max(x.acked_at), min(x.created_at))::date as last_on,
            count(*) filter (where x.state = 'rejected') as rejected, count(*) as n
        from dudao.exchange_messages x
        where x.direction = 'out' and x.state <> 'superseded'
            and x.created_at < (day + 1)::timestamp at time zone 'Asia/Shanghai') as m
    where m.n > 0
$$;


-- The committee and its office (C2.1.1, C2.1.2, C1.c) --------------------------

create or replace function app.check_r_org_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with seat as (
        select m.*, coalesce(m.left_on > day, true) as is_held
        from dudao.committee_members m
        where m.role in ('director', 'deputy_director') and m.joined_on <= day
    )
    -- ex officio: of the county government's office, and of the bureau that
    -- hosts the office
    select app.compliance_item('/v1/committee-members?role=' || r.role, r.label,
        app.colour(count(s.id) filter (where s.is_held) = r.posts
                and count(distinct s.organization_id) filter (where s.is_held) = r.posts
                and (r.posts = 1 or coalesce(bool_or(o.id is not null) filter (where s.is_held), false)),
            count(s.id) filter (where s.is_held) < r.posts and coalesce(max(s.left_on) >= day - 60, false)),
        numerator => count(s.id) filter (where s.is_held), denominator => r.posts)
    from (values ('director', '主任', 1), ('deputy_director', '副主任', 2)) as r(role, label, posts)
    left join seat s on s.role = r.role
    left join dudao.organizations o on o.host_organization_id = s.organization_id
        and o.kind = 'supervision_office'
    group by r.role, r.label, r.posts
$$;

create or replace function app.member_units_on(day date)
returns table (id uuid, organization_id uuid, name text, seq integer, duties jsonb)
language sql stable
as $$
    select u.id, o.id, o.name, u.seq, u.duties
    from dudao.member_units u
    join dudao.organizations o on o.id = u.organization_id
    where u.joined_on <= day and coalesce(u.left_on > day, true)
$$;

-- the 23 units that the document lists (9-A20), and those that were added
create or replace function app.check_r_org_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with unit as (
        select coalesce('/v1/member-units/' || u.id, '/v1/member-units') as href,
            coalesce(u.name, '第 ' || n.seq || ' 个成员单位') as label, u.organization_id,
            count(m.id) filter (where coalesce(m.left_on > day, true)) as heads,
            max(m.left_on) as left_on
        from generate_series(1, 23) as n(seq)
        full join app.member_units_on(day) u on u.seq = n.seq
        left join dudao.committee_members m on m.organization_id = u.organization_id
            and m.role <> 'director' and m.joined_on <= day
        group by 1, 2, 3
    )
    select app.compliance_item(u.href, u.label,
        app.colour(u.heads = 1, u.organization_id is not null and u.heads = 0
            and u.left_on >= day - 60 and count(*) filter (where u.heads <> 1) over () <= 2),
        u.organization_id)
    from unit u
$$;

create or replace function app.check_r_org_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/member-units/' || u.id, u.name,
        app.colour(jsonb_array_length(u.duties) > 0 and exists (
            select from dudao.liaisons l
            where l.member_unit_id = u.id and l.confirmed_at is not null
                and l.started_on <= day and coalesce(l.ended_on > day, true)), true),
        u.organization_id)
    from app.member_units_on(day) u
$$;

create or replace function app.staff_on(day date) returns setof dudao.office_staff
language sql stable
as $$
    select s.*
    from dudao.office_staff s
    where s.started_on <= day and coalesce(s.ended_on > day, true)
$$;

create or replace function app.check_r_org_04(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/office-staff?employment=full_time', coalesce(min(o.name), '督导办'),
        case when count(o.id) <> 1 or min(o.host_organization_id::text) is null then 'red'
            else app.colour(f.n >= app.parameter_int('office_fulltime_min'),
                min(o.shortfall_reason) is not null) end,
        numerator => f.n, denominator => app.parameter_int('office_fulltime_min'))
    from (select count(*) filter (where s.employment = 'full_time') as n from app.staff_on(day) s) as f
    left join dudao.organizations o on o.kind = 'supervision_office' and o.status = 'operating'
    group by f.n
$$;

create or replace function app.check_r_org_05(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/office-staff?post=chief_inspector', '总督学',
        app.colour(count(*) = 1 and bool_and(s.is_bureau_leadership and s.is_office_director
            and (s.is_party_group_member or not p.is_party_member))))
    from app.staff_on(day) s
    join dudao.persons p on p.id = s.person_id
    where s.post = 'chief_inspector'
    union all
    select app.compliance_item('/v1/office-staff?post=deputy_chief_inspector', '副总督学',
        app.colour(count(*) filter (where coalesce(s.ended_on > day, true))
                between 1 and app.parameter_int('deputy_chief_posts'),
            count(*) filter (where coalesce(s.ended_on > day, true)) = 0
                and coalesce(max(s.ended_on) >= day - 90, false)))
    from dudao.office_staff s
    where s.post = 'deputy_chief_inspector' and s.started_on <= day
$$;

create or replace function app.check_r_org_06(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/meetings?kind=committee_plenary&year=' || extract(year from day),
        to_char(day, 'YYYY') || '年委员会全体会议',
        case when x.n >= x.due then 'green'
            when to_char(day, 'MM-DD') = '12-31' then 'red'
            else app.colour(false, x.n > 0 or extract(month from day) <= 6) end,
        numerator => x.n, denominator => x.due)
    from (
        select count(*) as n, app.parameter_int('committee_meeting_min_per_year') as due
        from dudao.meetings m
        where m.kind = 'committee_plenary' and m.held_on between date_trunc('year', day) and day) as x
$$;

create or replace function app.check_r_org_07(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/major-matters/' || m.id, m.title,
        app.colour(m.resolution_id is not null))
    from dudao.major_matters m
    where m.voided_at is null and m.resolved_on <= day
$$;

create or replace function app.check_r_org_08(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/meetings?state=closed', u.name,
        app.colour(x.share >= app.number_parameter('participation_green'),
            x.share >= app.number_parameter('participation_amber')), u.organization_id)
    from (
        select a.organization_id,
            (count(*) filter (where a.attended))::numeric / count(*) as share
        from dudao.meeting_attendances a
        join dudao.meetings m on m.id = a.meeting_id
        where a.invited and m.held_on > day - interval '12 months' and m.held_on <= day
        group by 1) as x
    join app.member_units_on(day) u on u.organization_id = x.organization_id
$$;

create or replace function app.check_r_org_09(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/organizations/' || o.id, o.name,
        app.colour(o.edu_leader_person_id is not null, true), o.id)
    from dudao.organizations o
    where o.status = 'operating' and (o.kind in ('township_government', 'subdistrict_office')
        or o.id in (select u.organization_id from app.member_units_on(day) u))
$$;


-- Meetings, matters, reports (C2.1.3.c, C2.1.3.d, C2.1.3.f, C2.1.1.d, C2.1.1.e) -

-- the half that runs and the one before it
create or replace function app.check_r_mtg_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/meetings?kind=joint_meeting&scheduled_on.gte=' || h.starts_on
            || '&scheduled_on.lte=' || h.ends_on,
        to_char(h.starts_on, 'YYYY') || case when extract(month from h.starts_on) = 1
            then '年上半年联席会议' else '年下半年联席会议' end,
        case when count(m.id) filter (where m.held_on <= day)
                >= app.parameter_int('joint_meeting_per_half') then 'green'
            when h.ends_on < day or bool_or(m.state = 'postponed') then 'red'
            else app.colour(h.ends_on - day > 45, true) end)
    from (
        select s::date as starts_on, (s + interval '6 months')::date - 1 as ends_on
        from generate_series(date_trunc('year', day) - interval '6 months', day, interval '6 months') as s
        order by s desc
        limit 2) as h
    left join dudao.meetings m on m.kind = 'joint_meeting'
        and coalesce(m.held_on, m.scheduled_on) between h.starts_on and h.ends_on
        and m.created_at < (day + 1)::timestamp at time zone 'Asia/Shanghai'
    group by h.starts_on, h.ends_on
$$;

create or replace function app.check_r_mtg_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/meetings?kind=communication_session&scheduled_on.gte=' || h.starts_on
            || '&scheduled_on.lte=' || h.ends_on,
        to_char(h.starts_on, 'YYYY年第Q季度') || '沟通交流',
        app.colour(count(m.id) > 0, h.ends_on >= day))
    from (
        select s::date as starts_on, (s + interval '3 months')::date - 1 as ends_on
        from generate_series(date_trunc('quarter', day) - interval '3 months', day, interval '3 months') as s) as h
    left join dudao.meetings m on m.kind = 'communication_session'
        and m.held_on between h.starts_on and least(h.ends_on, day)
    group by h.starts_on, h.ends_on
$$;

create or replace function app.check_r_mtg_04(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/meeting-resolutions/' || r.id, left(r.text, 100),
        app.colour(r.due_on >= day or r.done_on <= day), r.owner_organization_id)
    from dudao.meeting_resolutions r
    where r.state <> 'dropped' and r.issued_on <= day
$$;

-- The superior body, and every unit that was a member on that day.
create or replace function app.check_r_rpt_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with due as (
        select m.id, '/v1/major-matters/' || m.id as href, m.title, m.resolved_on as on_day,
            'major_matters' as subject_type,
            app.add_workdays(m.resolved_on, app.parameter_int('circulate_workdays')) as until
        from dudao.major_matters m
        where m.voided_at is null and m.resolved_on <= day
        union all
        select r.id, '/v1/supervision-reports/' || r.id, r.title, r.issued_on,
            'supervision_reports',
            app.add_workdays(r.issued_on, app.parameter_int('circulate_workdays'))
        from app.reports_on(day) r
        union all
        select c.id, '/v1/evaluation-campaigns/' || c.id, c.title, c.finalized_on,
            'evaluation_campaigns', c.circulate_by
        from dudao.evaluation_campaigns c
        where c.periodicity = 'annual' and c.finalized_on <= day
    ), wanted as (
        select d.*, u.organization_id, 'circulate' as purpose
        from due d
        cross join lateral app.member_units_on(d.on_day) u
        union all
        select d.*, o.id, 'report'
        from due d
        cross join dudao.organizations o
        where o.kind = 'superior_supervision_body'
    ), sent as (
        select w.id, w.href, w.title, w.until,
            min(coalesce((d.sent_at at time zone 'Asia/Shanghai')::date, 'infinity')) as sent_on
        from wanted w
        left join dudao.dispatches d on d.subject_type = w.subject_type and d.subject_id = w.id
            and d.recipient_organization_id = w.organization_id and d.purpose = w.purpose
            and d.state in ('sent', 'received')
            and (d.sent_at at time zone 'Asia/Shanghai')::date <= day
        group by w.id, w.href, w.title, w.until, w.organization_id
    )
    select app.compliance_item(s.href, s.title,
        app.colour(max(s.sent_on) <= s.until, max(s.sent_on) <= day or day <= s.until))
    from sent s
    group by s.id, s.href, s.title, s.until
$$;

-- C2.3.1.a: the party committee, the government and the superior body.
create or replace function app.check_r_rpt_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with sent as (
        select r.id, r.title,
            app.add_workdays(r.issued_on, app.parameter_int('report_delivery_workdays')) as until,
            coalesce((
                select min((d.sent_at at time zone 'Asia/Shanghai')::date)
                from dudao.dispatches d
                where d.subject_type = 'supervision_reports' and d.subject_id = r.id
                    and d.purpose = m.purpose and d.recipient_role = m.recipient_role
                    and d.state in ('sent', 'received')), 'infinity') as sent_on
        from app.reports_on(day) r
        cross join app.mandatory_recipients() m
    )
    select app.compliance_item('/v1/supervision-reports/' || s.id, s.title,
        app.colour(max(s.sent_on) <= least(s.until, day),
            max(s.sent_on) <= day or day <= s.until))
    from sent s
    group by s.id, s.title, s.until
$$;

create or replace function app.check_r_rpt_05(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/supervision-reports/' || r.id, r.title,
        app.colour(r.resolution_id is not null and app.was_made_by('supervision_reports', r.id,
            'issue', '{committee_director,committee_deputy}', day)))
    from app.reports_on(day) r
    where r.is_major
$$;


-- Assessment, awards, training (C2.4.3, C2.1.3.i) -------------------------------------

-- For the year before, of who served in it for six months.
create or replace function app.check_r_ins_07(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with year as (
        select (date_trunc('year', day) - interval '1 year')::date as starts_on,
            date_trunc('year', day)::date - 1 as ends_on
    ), served as (
        select a.inspector_id, sum(least(y.ends_on, coalesce(a.ended_on, a.ends_on))
            - greatest(y.starts_on, a.starts_on) + 1) as days
        from year y
        join dudao.inspector_appointments a on a.starts_on <= y.ends_on
            and coalesce(a.ended_on, a.ends_on) >= y.starts_on
        where a.voided_at is null and a.state in ('active', 'ended', 'resigned', 'dismissed')
        group by 1
    )
    select app.compliance_item(coalesce('/v1/inspector-assessments/' || x.id, '/v1/inspectors/' || i.id), i.name,
        app.colour(coalesce(x.confirmed_on <= day, false), extract(month from day) <= 3),
        null, i.zone_id, i.id)
    from app.inspectors_on(day) i
    join served s on s.inspector_id = i.id
    cross join year y
    left join dudao.inspector_assessments x on x.inspector_id = i.id
        and x.year = extract(year from y.starts_on) and x.voided_at is null
    where s.days >= app.parameter_int('assessment_min_months') * 30
$$;

create or replace function app.check_r_ins_08(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/awards/' || w.id, w.title,
        app.colour(exists (
            select from dudao.inspector_assessments x
            where x.inspector_id = w.recipient_inspector_id and x.year = w.year
                and x.voided_at is null and x.state = 'confirmed' and x.grade = 'excellent')),
        null, m.zone_id, w.recipient_inspector_id)
    from dudao.awards w
    left join dudao.zone_memberships m on m.inspector_id = w.recipient_inspector_id and m.ended_on is null
    where w.kind = 'inspector' and w.voided_at is null and w.granted_on <= day
        and coalesce(w.revoked_on > day, true)
$$;

-- For the year before: its campaigns over townships, departments and zones, and
-- what was decided about awards. Amber while one of the campaigns still runs.
create or replace function app.check_r_eva_05(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with part as (
        select t.label, coalesce('/v1/evaluation-campaigns/' || c.id, '/v1/evaluation-campaigns?kind=supervision_work') as href,
            coalesce(c.finalized_on <= day, false) as is_done, c.id is not null as is_running
        from (values ('township', '乡镇（街道）教育督导工作评估'), ('county_department', '县直部门教育督导工作评估'),
            ('zone', '督学责任区教育督导工作评估')) as t(target_kind, label)
        left join lateral (
            select x.id, x.finalized_on
            from dudao.evaluation_campaigns x
            where x.kind = 'supervision_work' and x.target_kind = t.target_kind and x.periodicity = 'annual'
                and x.year = extract(year from day) - 1 and x.launched_on <= day
                and coalesce(x.cancelled_on > day, true)
            order by x.finalized_on, x.id
            limit 1) as c on true
        union all
        select '年度表彰决定', coalesce('/v1/award-decisions/' || min(x.id::text), '/v1/award-decisions'),
            count(x.id) > 0, false
        from dudao.award_decisions x
        where x.year = extract(year from day) - 1 and x.kind = 'annual_evaluation'
            and x.voided_at is null and x.state = 'decided' and x.decided_on <= day
    ), whole as (
        select bool_or(is_running and not is_done)
            or to_char(day, 'MM-DD') <= app.parameter('evaluation_finalize_by') #>> '{}' as is_pending
        from part
    )
    select app.compliance_item(p.href, extract(year from day) - 1 || '年' || p.label,
        app.colour(p.is_done, w.is_pending))
    from part p
    cross join whole w
$$;

create or replace function app.check_r_trn_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item(
        coalesce('/v1/training-plans/' || min(p.id::text),
            '/v1/training-plans?year=' || extract(year from day)),
        coalesce(min(p.title), to_char(day, 'YYYY') || '年督学培训计划'),
        app.colour(coalesce(bool_or(p.included_in_cadre_teacher_plan
                and p.inclusion_doc_no is not null), false),
            count(p.id) > 0 or extract(month from day) <= 3))
    from (select 1) as one
    left join dudao.training_plans p on p.year = extract(year from day)
        and p.state in ('approved', 'closed') and p.approved_on <= day
$$;

-- In the first term no duty before the training is passed; who had one is
-- shown with the first of them, who had none with the training.
create or replace function app.check_r_trn_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    with duty as materialized (
        select w.* from app.duties_on(day) w
    )
    select app.compliance_item(
        coalesce(w.href, '/v1/training-records/' || a.pre_service_record_id,
            '/v1/inspector-appointments/' || a.id),
        i.name || coalesce(' ' || w.on_day, ''), app.colour(w.href is null),
        null, i.zone_id, i.id)
    from app.inspectors_on(day) i
    join dudao.inspector_appointments a on a.id = i.appointment_id
    left join lateral (
        select d.href, d.on_day
        from duty d
        where d.inspector_id = i.id and d.on_day >= a.starts_on
            and coalesce(d.on_day < a.pre_service_passed_on, true)
        order by d.on_day, d.href
        limit 1) as w on true
    where i.term_no = 1
$$;

-- Pro rata until the year is over; what is behind then is in breach.
create or replace function app.check_r_trn_03(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item(
        '/v1/training-records?inspector_id=' || h.inspector_id
            || '&year=' || extract(year from day),
        app.inspector_name(h.inspector_id) || ' ' || h.hours || '/' || h.expected,
        app.colour(h.hours >= h.expected, to_char(day, 'MM-DD') < '12-31'),
        null, i.zone_id, h.inspector_id)
    from app.training_hours(extract(year from day)::integer, day) h
    left join app.inspectors_on(day) i on i.id = h.inspector_id
$$;

create or replace function app.check_r_trn_05(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/policy-documents?kind=promotion_rule', '督学晋升办法',
        app.colour(exists (select from app.documents_on(day) d where d.kind = 'promotion_rule'),
            exists (
                select from dudao.policy_documents d
                where d.kind = 'promotion_rule' and d.voided_at is null and d.state in ('draft', 'reviewing'))))
    union all
    -- C2.4.3.g: an option
    select app.compliance_item('/v1/policy-documents?kind=promotion_rule', '督学职级序列',
        app.colour(exists (select from dudao.inspector_ranks r where r.enabled)))
    where app.parameter('rank_sequence_enabled') = 'true'
$$;


-- Conditions (C3.1, C3.2) ------------------------------------------------------

create or replace function app.check_r_fin_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item(coalesce('/v1/budgets/' || min(b.id::text), '/v1/budgets'),
        to_char(day, 'YYYY') || '年督导经费预算',
        app.colour(coalesce(bool_or(b.approved_on <= day and b.state not in ('draft', 'submitted')), false),
            coalesce(bool_or(b.state = 'submitted'), false) or extract(month from day) <= 3))
    from (select 1) as one
    left join dudao.budgets b on b.year = extract(year from day) and b.funding_source = 'fiscal'
$$;

create or replace function app.check_r_fin_02(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/budget-lines/' || l.id, l.category || coalesce(' ' || nullif(l.name, ''), ''),
        app.colour(l.paid_fen < 0.9 * l.amount_fen
                or (l.paid_fen <= l.amount_fen and to_char(day, 'MM-DD') > '09-30'),
            l.paid_fen <= l.amount_fen))
    from dudao.budget_lines l
    join dudao.budgets b on b.id = l.budget_id
    where b.year = extract(year from day) and l.amount_fen + l.paid_fen > 0
    union all
    select app.compliance_item('/v1/expense-claims/' || c.id, c.code, app.colour(c.category = l.category))
    from dudao.expense_claims c
    join dudao.budget_lines l on l.id = c.budget_line_id
    where c.paid_on between date_trunc('year', day) and day
$$;

create or replace function app.check_r_fin_04(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/expense-claims/' || c.id, c.code,
        app.colour(coalesce(c.paid_on, day) <= a.on_day + app.parameter_int('claim_pay_days'), true),
        null, null, c.claimant_inspector_id)
    from dudao.expense_claims c
    cross join lateral (select (c.approved_at at time zone 'Asia/Shanghai')::date as on_day) as a
    where a.on_day between day - 365 and day
        and (c.paid_on <= day or day > a.on_day + app.parameter_int('claim_pay_days'))
    union all
    -- no item without an official activity, however few they are
    select app.compliance_item('/v1/expense-claims/' || c.id, c.code, 'red',
        null, null, c.claimant_inspector_id, numerator => 0, denominator => 0,
        is_fatal => true)
    from dudao.expense_claims c
    where (c.submitted_at at time zone 'Asia/Shanghai')::date between day - 365 and day
        and c.state in ('submitted', 'checked', 'approved', 'paid')
        and (app.claim_activity(c)).is_official is not true
$$;

create or replace function app.check_r_fin_05(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item(o.href, o.name,
        app.colour(count(distinct f.kind) = 2, o.zone_id is not null), null, o.zone_id)
    from (
        select '/v1/organizations/' || x.id as href, x.name, x.id as organization_id, null::uuid as zone_id
        from dudao.organizations x
        where x.kind = 'supervision_office' and x.status = 'operating'
        union all
        select '/v1/zones/' || z.id, z.name, null, z.id
        from app.zones_on(day) z) as o
    left join dudao.facilities f
        on (f.organization_id = o.organization_id or f.zone_id = o.zone_id)
        and f.kind in ('office_room', 'equipment') and f.status <> 'disposed'
        and coalesce(f.acquired_on <= day, true)
    group by o.href, o.name, o.zone_id
$$;

create or replace function app.check_r_itx_01(day date) returns setof app.compliance_item
language sql stable security definer
as $$
    select app.compliance_item('/v1/informatization-items', '督导信息化项目',
        app.colour(count(*) > 0), numerator => count(*))
    from dudao.informatization_items i
    join dudao.policy_documents d on d.id = i.plan_document_id and d.voided_at is null
    where i.stage <> 'retired' and i.created_at < (day + 1)::timestamp at time zone 'Asia/Shanghai'
$$;


-- The rules --------------------------------------------------------------------

delete from app.compliance_rules;
insert into app.compliance_rules(rule_id, clause_ids, dimension, title_zh, title_en,
    is_critical, scope_types, measure, green_at, amber_at, green_parameter,
    lower_is_better, list_href, sort)
select rule_id, clause_ids::text[],
    case dimension when 'cov' then 'coverage' when 'eff' then 'efficiency'
        when 'aut' then 'authority' else 'accountability' end,
    title_zh, title_en,
    -- project default (section 5)
    rule_id = any ('{R-PLQ-01,R-CMP-01,R-CMP-02,R-VIS-05,R-EVA-01,R-MTG-01,R-RPT-01,R-RPT-02,R-PUB-01,R-PRB-01,R-PRB-02,R-LTR-01,R-INT-03,R-ACC-01,R-ACC-03,R-ACC-04,R-ACC-08,R-FIN-01,R-FIN-02,R-MON-04}'::text[]),
    array['county'] || case when strpos(scopes, 'z') > 0 then array['zone'] else '{}' end
        || case when strpos(scopes, 'o') > 0 then array['organization'] else '{}' end
        || case when strpos(scopes, 'i') > 0 then array['inspector'] else '{}' end,
    measure, green_at, amber_at, green_parameter, lower, list_href, row_number() over ()
from (values
    ('R-GEN-01', '{H.2,C2.2.1.b}', 'aut', '督导活动均有依据文件', 'Every activity has its basis', '', 'all', 1, null, null, false, '/v1/supervision-tasks'),
    ('R-GEN-02', '{H.5}', 'cov', '乡镇（街道）均为督导对象', 'Every township is supervised', '', 'all', 1, null, null, false, '/v1/divisions?level=township'),
    ('R-ORG-01', '{C2.1.1.g,C2.1.1.h}', 'eff', '委员会主任、副主任', 'Director and deputies of the committee', '', 'level', 1, null, null, false, '/v1/committee-members'),
    ('R-ORG-02', '{C2.1.1.i}', 'cov', '成员单位齐备', 'Member units and their heads', 'o', 'all', 1, null, null, false, '/v1/member-units'),
    ('R-ORG-03', '{C2.1.1.j,C2.1.1.k,C2.1.3.b}', 'eff', '成员单位职责与联络人', 'Duties and liaisons', 'o', 'share', 1, 0.90, null, false, '/v1/member-units'),
    ('R-ORG-04', '{C2.1.2.a,C2.1.2.i}', 'eff', '督导办及专职人员', 'The office and its full-time staff', '', 'level', 1, null, null, false, '/v1/office-staff'),
    ('R-ORG-05', '{C2.1.2.c,C2.1.2.d,C2.1.2.e,C2.1.2.f,C2.1.2.g}', 'aut', '总督学、副总督学', 'Chief inspector and deputies', '', 'all', 1, null, null, false, '/v1/office-staff'),
    ('R-ORG-06', '{C2.1.1.b}', 'eff', '委员会定期研究', 'Plenary meetings of the committee', '', 'level', 1, null, null, false, '/v1/meetings?kind=committee_plenary'),
    ('R-ORG-07', '{C2.1.1.c}', 'aut', '重大事项经审议', 'Major matters have a resolution', '', 'all', 1, null, null, false, '/v1/major-matters'),
    ('R-ORG-08', '{C2.1.1.l}', 'eff', '成员单位参会', 'Participation of member units', 'o', 'all', 1, null, null, false, '/v1/meetings'),
    ('R-ORG-09', '{C1.c}', 'eff', '分管教育督导的负责人', 'Leader in charge', 'o', 'share', 1, 0.90, null, false, '/v1/organizations'),
    ('R-MTG-01', '{C2.1.3.d}', 'eff', '联席会议每半年一次', 'A joint meeting each half year', '', 'all', 1, null, null, false, '/v1/meetings?kind=joint_meeting'),
    ('R-MTG-02', '{C2.1.3.c}', 'eff', '沟通交流每季度一次', 'A session each quarter', '', 'all', 1, null, null, false, '/v1/meetings?kind=communication_session'),
    ('R-MTG-03', '{C2.1.3.a,C2.1.3.c,C2.1.3.e,C3.1.c}', 'eff', '工作规程与制度齐备', 'Procedures are in force', '', 'count', 0, 1, null, true, '/v1/policy-documents?state=in_force'),
    ('R-MTG-04', '{C2.1.1.d}', 'aut', '议定事项办理', 'Resolutions are carried out', 'o', 'count', 0, 2, null, true, '/v1/meeting-resolutions'),
    ('R-RPT-01', '{C2.3.1.a,L-TL-23}', 'aut', '督导报告报送党委、政府和上级', 'Reports reach the three recipients', '', 'all', 1, null, null, false, '/v1/supervision-reports'),
    ('R-RPT-02', '{C2.1.3.f}', 'aut', '重大事项、督导结果报告与通报', 'Matters and results reported up and circulated', '', 'all', 1, null, null, false, '/v1/dispatches?purpose=report&purpose=circulate'),
    ('R-RPT-05', '{C2.1.1.e}', 'aut', '重大督导报告由委员会发布', 'Major reports are issued by the committee', '', 'all', 1, null, null, false, '/v1/supervision-reports?is_major=true'),
    ('R-TSK-02', '{L-TL-16}', 'aut', '督导组督学不少于三人', 'Teams of three inspectors', '', 'all', 1, null, null, false, '/v1/supervision-tasks?kind=comprehensive&kind=special'),
    ('R-TSK-03', '{L-TL-17}', 'aut', '督导事先书面通知', 'Notice in writing beforehand', 'zo', 'all', 1, null, null, false, '/v1/supervision-notices'),
    ('R-CMP-03', '{L-TL-11}', 'aut', '督导内容覆盖', 'Matters covered', '', 'all', 1, null, null, false, '/v1/supervision-tasks?kind=comprehensive&kind=special'),
    ('R-VIS-01', '{C2.2.2.b,L-TL-14}', 'cov', '每学期经常性督导不少于两次', 'Two regular visits a semester', 'zo', 'all', 1, null, null, false, '/v1/visits'),
    ('R-VIS-02', '{L-GP-06}', 'cov', '责任督学每月到校', 'A visit in each teaching month', 'zo', 'share', 0.98, 0.90, null, false, '/v1/visits'),
    ('R-VIS-03', '{C3.2.c}', 'eff', '督导记录及时上传', 'Visits are uploaded in time', 'zoi', 'share', 0.95, 0.85, null, false, '/v1/visits'),
    ('R-VIS-04', '{C2.2.2.g}', 'cov', '民办学校督导内容全覆盖', 'All areas at private schools', 'zo', 'all', 1, null, null, false, '/v1/visits'),
    ('R-VIS-05', '{L-TL-15,L-GP-05}', 'aut', '重大隐患当日交办及时复查', 'Dangers are followed up at once', 'zo', 'all', 1, null, null, false, '/v1/problems?severity=danger'),
    ('R-PLQ-01', '{C2.2.2.f}', 'cov', '挂牌督导全覆盖', 'Every school has its plaque', 'zo', 'share', 1, 0.95, null, false, '/v1/plaques?state=posted'),
    ('R-PLQ-02', '{L-GP-01}', 'cov', '督学责任牌内容完整', 'Plaques are complete', 'zoi', 'share', 1, 0.95, null, false, '/v1/plaques?state=posted'),
    ('R-PLQ-03', '{L-GP-01}', 'cov', '责任督学负责学校数', 'Schools of each inspector', 'zi', 'all', 1, null, null, false, '/v1/inspectors'),
    ('R-INS-01', '{C2.4.1.a}', 'cov', '督学与学校数之比', 'Schools for each inspector', 'z', 'ratio', 5, 5.5, 'inspector_school_ratio', true, '/v1/inspectors?status=active'),
    ('R-INS-02', '{C2.4.1.b}', 'cov', '专职督学比例', 'Share of full-time inspectors', '', 'share', 0.3333, 0.3533, 'fulltime_ratio_limit', true, '/v1/inspector-appointments?state=active'),
    ('R-INS-03', '{L-TL-6}', 'aut', '兼职督学任期', 'Terms of part-time inspectors', 'zi', 'all', 1, null, null, false, '/v1/inspector-appointments?state=active&employment=part_time'),
    ('R-INS-04', '{L-TL-6}', 'aut', '兼职督学连任届数', 'Consecutive terms', 'zi', 'all', 1, null, null, false, '/v1/inspector-appointments?state=active&employment=part_time'),
    ('R-INS-05', '{L-TL-7}', 'aut', '督学任职条件', 'Qualification of inspectors', 'zi', 'all', 1, null, null, false, '/v1/inspectors'),
    ('R-INS-06', '{L-DX-02}', 'aut', '督学聘任公示公布与备案', 'Appointments are made public', 'zi', 'all', 1, null, null, false, '/v1/inspector-appointments?state=active'),
    ('R-INS-07', '{C2.4.3.e,L-TL-8}', 'eff', '督学年度考核', 'Yearly assessment', 'zi', 'all', 1, null, null, false, '/v1/inspector-assessments'),
    ('R-INS-08', '{C2.4.3.h}', 'eff', '督学表彰有优秀等次', 'Awards rest on an excellent assessment', 'zi', 'all', 1, null, null, false, '/v1/awards?kind=inspector'),
    ('R-INS-09', '{L-TL-10}', 'aut', '督学回避', 'No undeclared conflict', 'zoi', 'all', 1, null, null, false, '/v1/recusals'),
    ('R-INS-10', '{C2.1.1.f}', 'aut', '督学聘任决定文件', 'Appointments are decided in writing', 'zi', 'all', 1, null, null, false, '/v1/inspector-appointments?state=active'),
    ('R-ZON-01', '{C2.2.2.e}', 'cov', '学校均属一个责任区', 'Every school is in a zone', 'zo', 'all', 1, null, null, false, '/v1/zones'),
    ('R-ZON-02', '{C2.4.1.a}', 'cov', '责任区督学配比', 'Schools for each inspector by zone', 'z', 'all', 1, null, null, false, '/v1/zones'),
    ('R-ZON-03', '{C2.4.1.c}', 'cov', '责任区专职督学不少于两名', 'Two full-time inspectors a zone', 'z', 'all', 1, null, null, false, '/v1/zones'),
    ('R-ZON-04', '{L-ZR-01}', 'cov', '责任区规模', 'Size of the zones', 'z', 'all', 1, null, null, false, '/v1/zones'),
    ('R-ZON-05', '{C2.1.3.h}', 'eff', '责任区、乡镇督导工作检查', 'Work inspection of zones and townships', 'zo', 'all', 1, null, null, false, '/v1/supervision-tasks?kind=work_inspection'),
    ('R-EVA-05', '{C2.1.3.i}', 'eff', '督导工作考核与表彰', 'Supervision work is assessed and rewarded', '', 'all', 1, null, null, false, '/v1/evaluation-campaigns?kind=supervision_work'),
    ('R-FBK-02', '{C2.3.1.e,L-TL-21}', 'acc', '问题有要求有时限', 'Problems have requirement and date', 'zo', 'all', 1, null, null, false, '/v1/problems'),
    ('R-PRB-01', '{C2.3.2.c}', 'acc', '整改逾期', 'Overdue problems', 'zo', 'share', 1, 0.97, null, false, '/v1/problems?overdue=true'),
    ('R-PRB-02', '{C2.3.2.b}', 'acc', '销号有核查有证据', 'Strike-off after verification', 'zo', 'all', 1, null, null, false, '/v1/problems?state=struck_off'),
    ('R-PRB-03', '{C2.3.2.d}', 'acc', '整改核查及时', 'Verification in time', 'zo', 'share', 0.95, 0.85, null, false, '/v1/problems'),
    ('R-PRB-04', '{C2.3.2.d}', 'acc', '整改回头看', 'Look-back', 'zo', 'all', 1, null, null, false, '/v1/problems?state=struck_off'),
    ('R-PRB-05', '{C2.3.2.e}', 'acc', '问题反弹率', 'Rebounds', 'zo', 'share', 0.02, 0.05, null, true, '/v1/problems?state=rebounded'),
    ('R-PRB-06', '{C2.3.2.g}', 'aut', '整改情况公示', 'Units disclose what they rectified', 'zo', 'share', 0.95, 0.80, null, false, '/v1/publications?kind=rectification_disclosure'),
    ('R-PUB-01', '{C2.3.1.b,L-TL-23}', 'aut', '督导报告及时公开', 'Reports are published in time', '', 'all', 1, null, null, false, '/v1/publications?kind=supervision_report'),
    ('R-PUB-02', '{C2.3.1.b}', 'aut', '公开内容可访问', 'What was published is reachable', '', 'share', 1, 0.95, null, false, '/v1/publications?state=published'),
    ('R-PUB-03', '{L-XX-01}', 'aut', '公开前保密审查', 'Secrecy review by another person', 'o', 'all', 1, null, null, false, '/v1/publications?state=published'),
    ('R-TRN-01', '{C2.4.3.a,C2.4.3.b}', 'eff', '督学培训计划纳入干部教师培训', 'The training plan of the year', '', 'all', 1, null, null, false, '/v1/training-plans'),
    ('R-TRN-02', '{C2.4.3.c,L-DX-05}', 'eff', '新任督学先培训后上岗', 'Training before the first duty', 'zi', 'count', 0, null, null, true, '/v1/training-records?kind=pre_service'),
    ('R-TRN-03', '{C2.4.3.c,L-DX-05}', 'eff', '督学年度集中培训学时', 'Hours of training in the year', 'zi', 'share', 0.95, 0.80, null, false, '/v1/training-hours'),
    ('R-TRN-05', '{C2.4.3.f,C2.4.3.g}', 'eff', '督学晋升制度', 'Promotion of inspectors', '', 'all', 1, null, null, false, '/v1/policy-documents?kind=promotion_rule'),
    ('R-RES-01', '{C2.4.2.a,C2.4.2.b}', 'eff', '教育督导研究中心', 'The research centre', '', 'level', 1, null, null, false, '/v1/organizations?kind=research_center'),
    ('R-RES-02', '{C2.4.2.c}', 'eff', '研究中心定期开展专业工作', 'Professional work of the centre', '', 'all', 1, null, null, false, '/v1/center-engagements?kind=school_evaluation&kind=quality_monitoring'),
    ('R-RES-03', '{C3.3.a}', 'eff', '政策、重大决策专题研究', 'Studies of policy and major decisions', '', 'level', 1, null, null, false, '/v1/research-projects?kind=policy_study&kind=decision_study'),
    ('R-FIN-01', '{C3.1.a}', 'eff', '督导经费纳入预算', 'The fiscal budget of the year', '', 'all', 1, null, null, false, '/v1/budgets'),
    ('R-FIN-02', '{C3.1.b}', 'eff', '专款专用', 'Lines are kept to', '', 'all', 1, null, null, false, '/v1/budget-lines'),
    ('R-FIN-03', '{C3.1.c}', 'eff', '经费使用办法', 'The funds rule', '', 'all', 1, null, null, false, '/v1/policy-documents?kind=funds_rule'),
    ('R-FIN-04', '{C3.1.d}', 'eff', '费用及时报销', 'Claims are paid in time', 'i', 'share', 0.95, 0.80, null, false, '/v1/expense-claims'),
    ('R-FIN-05', '{C3.1.e}', 'eff', '办公条件', 'Rooms and equipment', 'z', 'all', 1, null, null, false, '/v1/facilities'),
    ('R-ITX-01', '{C3.2.a}', 'eff', '督导信息化', 'Informatization', '', 'level', 1, null, null, false, '/v1/informatization-items'),
    ('R-ITX-02', '{C3.2.b}', 'eff', '上级平台交换', 'Exchange with the platforms', '', 'all', 1, null, null, false, '/v1/exchange-messages')
) as v(rule_id, clause_ids, dimension, title_zh, title_en, scopes, measure,
    green_at, amber_at, green_parameter, lower, list_href);

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('compliance_checks.dimension', 'coverage', '全面覆盖', 'Full coverage', 1),
    ('compliance_checks.dimension', 'efficiency', '运转高效', 'Efficient operation', 2),
    ('compliance_checks.dimension', 'authority', '结果权威', 'Authoritative results', 3),
    ('compliance_checks.dimension', 'accountability', '问责有力', 'Strong accountability', 4),
    ('compliance_checks.colour', 'green', '合规', 'Green', 1),
    ('compliance_checks.colour', 'amber', '预警', 'Amber', 2),
    ('compliance_checks.colour', 'red', '不合规', 'Red', 3),
    ('compliance_checks.colour', 'not_applicable', '不适用', 'Not applicable', 4),
    ('compliance_checks.measure', 'all', '逐项全部符合', 'Every item', 1),
    ('compliance_checks.measure', 'share', '按比例', 'Share of the items', 2),
    ('compliance_checks.measure', 'count', '按不符合数', 'Number of failures', 3),
    ('compliance_checks.measure', 'ratio', '按比值', 'Ratio of two sums', 4),
    ('compliance_checks.measure', 'level', '按最差一项', 'The worst item', 5),
    ('compliance_checks.measure', 'none', '无可评判项', 'Nothing to judge', 6),
    ('compliance_checks.scope_type', 'county', '全县', 'County', 1),
    ('compliance_checks.scope_type', 'zone', '责任区', 'Zone', 2),
    ('compliance_checks.scope_type', 'organization', '单位', 'Organization', 3),
    ('compliance_checks.scope_type', 'inspector', '督学', 'Inspector', 4);


-- Evaluation -------------------------------------------------------------------

-- The results of one scope on a day, offenders first in the evidence: all that
-- fail, at most 50, or five of what was counted when none fails.
create or replace function app.evaluate_compliance(
    day date, scope_type text default 'county', scope_id uuid default null,
    rules text[] default null)
returns setof dudao.compliance_checks
language plpgsql stable security definer
as $$
declare
    r app.compliance_rules;
    c dudao.compliance_checks;
    t record;
    amber_at numeric;
    lower_is_better boolean;
    condition constant text := case scope_type when 'county' then 'true'
        when 'zone' then 'i.zone_id = $2' when 'organization' then 'i.organization_id = $2'
        else 'i.inspector_id = $2' end;
begin
    c.version := 1;
    c.created_at := app.now();
    c.updated_at := app.now();
    c.is_demo := false;
    c.as_of := day;
    c.scope_type := scope_type;
    c.scope_id := scope_id;
    for r in
        select x.* from app.compliance_rules x
        where evaluate_compliance.scope_type = any (x.scope_types)
            and (rules is null or x.rule_id = any (rules))
        order by x.sort
    loop
        execute format($q$
            with item as materialized (
                select i.* from app.%I($1) as i where %s
            ), shown as (
                select i.*, i.is_fatal or i.verdict = 'red' as is_red,
                    row_number() over (order by i.is_fatal desc,
                        array_position(array['red', 'amber', 'green'], i.verdict), i.label, i.href) as place
                from item i
            )
            select count(*) as n,
                count(*) filter (where i.verdict = 'green') as green,
                count(*) filter (where i.verdict = 'amber') as amber,
                count(*) filter (where i.verdict = 'red') as red,
                coalesce(bool_or(i.is_fatal), false) as is_fatal,
                coalesce(sum(i.numerator), 0) as numerator,
                coalesce(sum(i.denominator), 0) as denominator,
                (select coalesce(jsonb_agg(jsonb_build_object(
                    'rel', case when s.is_red then 'offender'
                        when s.verdict = 'amber' then 'pending' else 'subject' end,
                    'href', s.href, 'label', left(s.label, 200)) order by s.place), '[]')
                 from shown s
                 where s.place <= 50 and (s.is_red or s.verdict <> 'green' or s.place <= 5)) as evidence
            from item i $q$, 'check_' || lower(replace(r.rule_id, '-', '_')), condition)
            into t using day, scope_id;

        -- C2.4.1.b: at most one third as the text says, at least in the other reading (9-A1)
        lower_is_better := case when r.rule_id = 'R-INS-02'
            then app.parameter('fulltime_ratio_mode') = '"max"' else r.lower_is_better end;
        c.threshold := coalesce(app.number_parameter(r.green_parameter), r.green_at);
        amber_at := c.threshold + (r.amber_at - r.green_at)
            * case when lower_is_better = r.lower_is_better then 1 else -1 end;
        c.numerator := t.numerator;
        c.denominator := t.denominator;
        c.value := round(case r.measure
            when 'count' then t.n - t.green
            when 'level' then t.numerator
            else t.numerator / nullif(t.denominator, 0) end, 4);
        if r.measure = 'level' then
            c.threshold := t.denominator;
        end if;
        c.colour := case
            when t.is_fatal then 'red'
            when t.n = 0 then 'not_applicable'
            when r.measure in ('all', 'level') then
                case when t.red > 0 then 'red' when t.amber > 0 then 'amber' else 'green' end
            -- schools, and nobody for them
            when c.value is null then 'red'
            when lower_is_better then app.colour(c.value <= c.threshold, c.value <= amber_at)
            else app.colour(c.value >= c.threshold, c.value >= amber_at) end;
        c.id := md5(concat_ws('|', r.rule_id, scope_type, scope_id, day))::uuid;
        c.rule_id := r.rule_id;
        c.clause_ids := r.clause_ids;
        c.dimension := r.dimension;
        c.is_critical := r.is_critical;
        c.explanation := jsonb_build_object(
            'code', case when t.n = 0 then 'none' else r.measure end,
            'params', jsonb_build_object('total', t.n, 'green', t.green,
                'amber', t.amber, 'red', t.red, 'value', c.value, 'threshold', c.threshold));
        c.evidence := t.evidence || jsonb_build_object(
            'rel', 'list', 'href', r.list_href, 'label', r.title_zh);
        return next c;
    end loop;
end
$$;

-- What was kept of a past day; else as the records show it.
create or replace function app.compliance_on(
    day date, scope_type text default 'county', scope_id uuid default null)
returns setof dudao.compliance_checks
language plpgsql stable security definer
as $$
begin
    return query
        select c.*
        from dudao.compliance_checks c
        where day < app.today() and c.as_of = day and c.scope_type = compliance_on.scope_type
            and c.scope_id is not distinct from compliance_on.scope_id;
    if not found then
        return query select * from app.evaluate_compliance(day, scope_type, scope_id);
    end if;
end
$$;

create or replace function app.keep_compliance_of(day date) returns void
language sql security definer
as $$
    insert into dudao.compliance_checks
    select c.*
    from (
        select 'county' as scope_type, null::uuid as scope_id
        union all
        select 'zone', z.id from app.zones_on(day) z
    ) as s
    cross join lateral app.evaluate_compliance(day, s.scope_type, s.scope_id) as c
    on conflict do nothing
$$;

-- C1.e: red when a critical rule is, or a tenth of its rules; amber when any
-- rule is amber or red.
create or replace function app.roll_up(checks dudao.compliance_checks[])
returns table (dimension text, colour text, total integer, green integer,
    amber integer, red integer, not_applicable integer, critical_red text[])
language sql stable
as $$
    select d.dimension,
        case when n.total = 0 then 'not_applicable'
            when cardinality(n.critical_red) > 0 or n.red >= 0.1 * n.total then 'red'
            else app.colour(n.amber + n.red = 0, true) end,
        n.total, n.green, n.amber, n.red, n.not_applicable, n.critical_red
    from unnest('{coverage,efficiency,authority,accountability}'::text[])
        with ordinality as d(dimension, place)
    cross join lateral (
        select (count(*) filter (where c.colour <> 'not_applicable'))::integer as total,
            (count(*) filter (where c.colour = 'green'))::integer as green,
            (count(*) filter (where c.colour = 'amber'))::integer as amber,
            (count(*) filter (where c.colour = 'red'))::integer as red,
            (count(*) filter (where c.colour = 'not_applicable'))::integer as not_applicable,
            coalesce(array_agg(c.rule_id order by c.rule_id)
                filter (where c.colour = 'red' and c.is_critical), '{}') as critical_red
        from unnest(checks) as c
        where c.dimension = d.dimension) as n
    order by d.place
$$;

-- Once a day: the day that is over. After 31 December the year goes to the
-- superior platform (X-16, C1.b), also when the service slept on that day.
create or replace function app.keep_compliance() returns void
language plpgsql security definer
as $$
declare
    yesterday constant date := app.today() - 1;
    year_end constant date := date_trunc('year', app.today())::date - 1;
    year constant text := to_char(year_end, 'YYYY');
begin
    if not exists (select from dudao.compliance_checks c where c.as_of = yesterday) then
        perform app.keep_compliance_of(yesterday);
    end if;
    if app.today() - year_end > 90 or exists (
            select from dudao.exchange_messages m
            where m.direction = 'out' and m.type = 'X-16' and m.business_key = 'compliance:' || year) then
        return;
    end if;
    perform app.keep_compliance_of(year_end);
    perform app.enqueue('X-16', 'upsert', null, null, 'compliance:' || year, (
        select jsonb_build_object('year', year::integer, 'as_of', year_end,
            'dimensions', (
                select jsonb_agg(to_jsonb(d))
                from app.roll_up(array_agg(c)) d),
            'rules', jsonb_agg(jsonb_build_object('rule_id', c.rule_id,
                'clause_ids', c.clause_ids, 'dimension', c.dimension, 'colour', c.colour,
                'value', c.value, 'threshold', c.threshold,
                'numerator', c.numerator, 'denominator', c.denominator) order by c.rule_id),
            'statistics', app.county_numbers(year_end))
        from dudao.compliance_checks c
        where c.as_of = year_end and c.scope_type = 'county'));
end
$$;

create or replace function app.county_numbers(day date) returns jsonb
language plpgsql stable security definer
as $$
#variable_conflict use_column
begin
    return jsonb_build_object(
        'schools', (select count(*) filter (where s.counts) from app.schools_on(day) s),
        'teaching_points', (select count(*) filter (where s.is_point) from app.schools_on(day) s),
        'zones', (select count(*) from app.zones_on(day)),
        'inspectors', (select count(*) from app.inspectors_on(day)),
        'full_time_inspectors', (select count(*) filter (where i.employment = 'full_time') from app.inspectors_on(day) i),
        'plaques_posted', (select count(*) from app.plaques_on(day)),
        'visits_of_year', (select count(*) from app.visits_on(day) v where v.visited_on >= date_trunc('year', day)),
        'problems_of_year', (select count(*) from dudao.problems p
            where p.voided_at is null and p.listed_on between date_trunc('year', day) and day),
        'struck_off_of_year', (select count(*) from dudao.problems p
            where p.voided_at is null and p.struck_off_on between date_trunc('year', day) and day));
end
$$;


-- What the API shows -----------------------------------------------------------

select app.register('compliance_checks', permission_group => 'compliance', audit => false);

insert into app.scope_predicates(resource, scope, predicate) values
    ('compliance_checks', 'f', 'rule_id ~ ''^R-FIN-'' and scope_type = ''county'''),
    ('compliance_checks', 'z', $p$
        scope_id = any ((select app.my_zone_ids())::uuid[])
        or scope_id = any ((select app.my_zone_organizations())::uuid[])$p$),
    ('compliance_checks', 'n', 'scope_id = (select app.inspector_id())'),
    ('compliance_checks', 'o', 'scope_id = (select app.organization_id())'),
    ('compliance_checks', 'j', 'scope_id = any ((select app.my_jurisdiction_organizations())::uuid[])'),
    -- C1.b: what X-16 sends once a year
    ('compliance_checks', 'y', 'scope_type = ''county'' and to_char(as_of, ''MM-DD'') = ''12-31'''),
    -- the public reads the headline, not the rows (10.2)
    ('compliance_checks', 'h', 'false')
on conflict (resource, scope) do update set predicate = excluded.predicate;

create or replace function app.compliance_text(explanation jsonb, lang text default null)
returns text
language sql stable
as $$
    select case coalesce(lang, 'zh-CN') when 'en' then case explanation ->> 'code'
            when 'none' then 'Nothing to be judged.'
            when 'count' then format('%s of %s fail; %s may.', p ->> 'value', p ->> 'total', p ->> 'threshold')
            when 'ratio' then format('The ratio is %s, the limit %s.', coalesce(p ->> 'value', '–'), p ->> 'threshold')
            when 'level' then format('%s of %s required.', p ->> 'value', p ->> 'threshold')
            else format('%s of %s satisfied (%s, to be %s): %s pending, %s in breach.', p ->> 'green',
                p ->> 'total', coalesce(p ->> 'value', '–'), p ->> 'threshold', p ->> 'amber', p ->> 'red') end
        else case explanation ->> 'code'
            when 'none' then '没有需要评判的事项。'
            when 'count' then format('%s 项中 %s 项不符合，限 %s 项。', p ->> 'total', p ->> 'value', p ->> 'threshold')
            when 'ratio' then format('比值 %s，限值 %s。', coalesce(p ->> 'value', '–'), p ->> 'threshold')
            when 'level' then format('应有 %s，现有 %s。', p ->> 'threshold', p ->> 'value')
            else format('%s 项中 %s 项符合（%s，应为 %s）；预警 %s 项，不符合 %s 项。', p ->> 'total',
                p ->> 'green', coalesce(p ->> 'value', '–'), p ->> 'threshold', p ->> 'amber', p ->> 'red') end
        end
    from (select explanation -> 'params' as p) as x
$$;

-- county, zone:Z1, org:MU07, inspector:DX-430626-0002, or the id instead of
-- the code; without any, the widest scope that the caller may see.
create or replace function app.compliance_scope(
    scope text, out scope_type text, out scope_id uuid)
language plpgsql stable security definer
as $$
declare
    wanted constant text := split_part(scope, ':', 2);
    letters constant text[] := array(
        select p.scope from app.permissions p
        where p.permission_group = 'compliance' and p.role = any (app.roles()));
begin
    if scope is null then
        if letters && '{a,f,y}' then
            scope_type := 'county';
        elsif letters && '{z}' then
            scope_type := 'zone';
            scope_id := (app.my_zone_ids())[1];
        elsif letters && '{n}' then
            scope_type := 'inspector';
            scope_id := app.inspector_id();
        else
            scope_type := 'organization';
            scope_id := app.organization_id();
        end if;
        return;
    end if;
    scope_type := case split_part(scope, ':', 1) when 'org' then 'organization'
        else split_part(scope, ':', 1) end;
    if scope_type = 'county' then
        return;
    end if;
    scope_id := case scope_type
        when 'zone' then (select z.id from dudao.zones z where wanted in (z.code, z.id::text))
        when 'organization' then (select o.id from dudao.organizations o where wanted in (o.code, o.id::text))
        else (select i.id from dudao.inspectors i where wanted in (i.code, i.id::text)) end;
    if scope_id is null then
        perform app.refuse(422, 'validation-failed', array[app.fault('unknown-reference', '/scope')]);
    end if;
end
$$;

create or replace function app.read_compliance(
    as_of date default null, scope text default null, lang text default null)
returns table (id uuid, rule_id text, clause_ids text[], dimension text, colour text,
    sort integer, checked dudao.compliance_checks, body json)
language plpgsql stable security definer
as $$
declare
    -- y: the year that is over
    day constant date := coalesce(as_of, case
        when app.roles() = '{platform_service}' then date_trunc('year', app.today())::date - 1
        else app.today() end);
    place record;
begin
    if day > app.today() then
        perform app.refuse(422, 'validation-failed', array[
            app.fault('date-in-future', '/as_of', jsonb_build_object('max', app.today()))]);
    end if;
    select * into place from app.compliance_scope(scope);
    return query execute format($q$
        select c.id, c.rule_id, c.clause_ids, c.dimension, c.colour, r.sort, c,
            json_build_object(
                'id', c.id,
                'rule_id', c.rule_id,
                'clause_ids', c.clause_ids,
                'dimension', c.dimension,
                'title_zh', r.title_zh,
                'title_en', r.title_en,
                'is_critical', c.is_critical,
                'as_of', c.as_of,
                'scope_type', c.scope_type,
                'scope_id', c.scope_id,
                'value', c.value,
                'threshold', c.threshold,
                'numerator', c.numerator,
                'denominator', c.denominator,
                'colour', c.colour,
                'explanation', c.explanation || jsonb_build_object(
                    'text', app.compliance_text(c.explanation, $4)),
                'evidence', c.evidence)
        from (select compliance_checks from app.compliance_on($1, $2, $3) as compliance_checks
            where %s) as s(c)
        cross join lateral (select (s.c).*) as c
        join app.compliance_rules r on r.rule_id = c.rule_id $q$,
        app.policy_expression('compliance_checks', 'compliance', 'R'))
        using day, place.scope_type, place.scope_id, lang;
    if not found then
        perform app.refuse(403, 'out-of-scope');
    end if;
end
$$;

create or replace function app.read_compliance_dimensions(
    lang text default null, as_of date default null, scope text default null)
returns text
language sql stable security definer
as $$
    select json_build_object(
        'as_of', max((c.checked).as_of),
        'scope_type', max((c.checked).scope_type),
        'scope_id', max((c.checked).scope_id::text),
        'data', (
            select json_agg(json_build_object('dimension', d.dimension,
                'label_zh', e.label_zh, 'label_en', e.label_en, 'colour', d.colour,
                'total', d.total, 'green', d.green, 'amber', d.amber, 'red', d.red,
                'not_applicable', d.not_applicable, 'critical_red', d.critical_red,
                'text', format(case lang when 'en' then '%s rules: %s green, %s amber, %s red.'
                    else '%s 条规则：合规 %s，预警 %s，不合规 %s。' end,
                    d.total, d.green, d.amber, d.red)) order by e.sort)
            from app.roll_up(array_agg(c.checked)) d
            join app.enumerations e
                on e.name = 'compliance_checks.dimension' and e.value = d.dimension))::text
    from app.read_compliance(as_of, scope, lang) c
$$;

-- The public's view: the last day that was kept (10.2, C2.3.1.c).
create or replace function app.public_headline() returns text
language plpgsql stable security definer
as $$
begin
    return (
        select json_build_object(
            'as_of', k.as_of,
            'numbers', app.county_numbers(k.as_of),
            'dimensions', (
                select json_agg(json_build_object('dimension', d.dimension,
                    'label_zh', e.label_zh, 'label_en', e.label_en, 'colour', d.colour) order by e.sort)
                from app.roll_up(array(
                    select c from dudao.compliance_checks c
                    where c.as_of = k.as_of and c.scope_type = 'county')) d
                join app.enumerations e
                    on e.name = 'compliance_checks.dimension' and e.value = d.dimension))::text
        from (select coalesce(max(c.as_of), app.today() - 1) as as_of
            from dudao.compliance_checks c where c.as_of < app.today()) as k);
end
$$;
