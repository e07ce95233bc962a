-- Merit: assessment of inspectors (3.24; C2.4.3.e, L-TL-8, L-DX-06), ranks and
-- awards (3.22; C2.1.3.i, C2.4.3.g, C2.4.3.h), their work in figures (C2.4.3.i).

select app.register('inspector_assessments', permission_group => 'appointments',
    machine => true, legal => true,
    read_only => '{self_review,self_reviewed_on,dimensions,weights,grades,score,
        grade,comment,assessed_by,assessed_on,confirmed_by,confirmed_on}');
select app.register('inspector_ranks', permission_group => 'appointments');
select app.register('rank_applications', permission_group => 'appointments',
    machine => true, legal => true, editable_in => '{applied}',
    read_only => '{code,from_rank_id,applied_on,review_comment,review_panel,score,
        evaluated_on,publicity_from,publicity_to,publicity_publication_id,
        decision_doc_no,decided_by,decided_on,reject_reason}');
select app.register('awards', permission_group => 'awards',
    machine => true, legal => true, editable_in => '{proposed}',
    read_only => '{code,reviewed_on,publicity_from,publicity_to,objections,
        publicity_publication_id,notice_publication_id,doc_no,granted_by,
        granted_on,revoked_on,end_reason}', searched => '{title,citation,code}');
select app.register('award_decisions', permission_group => 'awards',
    machine => true, legal => true, editable_in => '{draft}',
    read_only => '{doc_no,decided_by,decided_on}');

-- An inspector sees the own assessments and applications, the lead those of
-- the zone; the recipient an award once it is made public. Ranks are for
-- inspectors to read, and for the office to change (row rule below).
insert into app.scope_predicates(resource, scope, predicate) values
    ('inspector_assessments', 'z', 'inspector_id = any ((select app.my_zone_inspectors())::uuid[])'),
    ('inspector_assessments', 'n', 'inspector_id = (select app.inspector_id())'),
    ('inspector_assessments', 'o', 'false'),
    ('inspector_assessments', 'p', 'false'),
    ('inspector_ranks', 'z', 'false'),
    ('inspector_ranks', 'n', 'true'),
    ('inspector_ranks', 'o', 'false'),
    ('inspector_ranks', 'p', 'false'),
    ('rank_applications', 'z', 'inspector_id = any ((select app.my_zone_inspectors())::uuid[])'),
    ('rank_applications', 'n', 'inspector_id = (select app.inspector_id())'),
    ('rank_applications', 'o', 'false'),
    ('rank_applications', 'p', 'false'),
    ('awards', 'z', $p$state = any ('{publicized,granted,revoked}')
        and (recipient_zone_id = any ((select app.my_zone_ids())::uuid[])
            or recipient_inspector_id = any ((select app.my_zone_inspectors())::uuid[])
            or recipient_organization_id = any ((select app.my_zone_organizations())::uuid[]))$p$),
    ('awards', 'n', $p$state = any ('{publicized,granted,revoked}')
        and recipient_inspector_id = (select app.inspector_id())$p$),
    ('awards', 'o', $p$state = any ('{publicized,granted,revoked}')
        and recipient_organization_id = (select app.organization_id())$p$),
    ('awards', 'p', $p$state = any ('{publicized,granted}')$p$),
    ('award_decisions', 'z', 'state = ''decided'''),
    ('award_decisions', 'n', 'state = ''decided'''),
    ('award_decisions', 'o', 'state = ''decided'''),
    ('award_decisions', 'p', 'false')
on conflict (resource, scope) do update set predicate = excluded.predicate;

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('inspector_assessments.dimensions', 'conduct', '履职表现', 'Conduct', 1),
    ('inspector_assessments.dimensions', 'reports', '报送督导报告', 'Reports', 2),
    ('inspector_assessments.dimensions', 'feedback_urging', '反馈与督促整改', 'Feedback and urging', 3),
    ('inspector_assessments.dimensions', 'training', '参加培训', 'Training', 4),
    ('inspector_assessments.dimensions', 'satisfaction', '学校与群众满意度', 'Satisfaction', 5),
    ('inspector_assessments.grade', 'excellent', '优秀', 'Excellent', 1),
    ('inspector_assessments.grade', 'competent', '称职', 'Competent', 2),
    ('inspector_assessments.grade', 'basically_competent', '基本称职', 'Basically competent', 3),
    ('inspector_assessments.grade', 'incompetent', '不称职', 'Incompetent', 4),
    ('awards.kind', 'annual_evaluation', '年度评估奖励', 'Annual evaluation', 1),
    ('awards.kind', 'inspector', '督学奖励', 'Inspector', 2),
    ('award_decisions.kind', 'annual_evaluation', '年度评估奖励', 'Annual evaluation', 1),
    ('award_decisions.kind', 'inspector', '督学奖励', 'Inspector', 2),
    ('awards.basis_subject_type', 'supervision_targets', '督导对象评估', 'Supervision target', 1),
    ('awards.basis_subject_type', 'inspector_assessments', '督学年度考核', 'Inspector assessment', 2),
    ('awards.basis_subject_type', 'evaluations', '年度评估', 'Yearly evaluation', 3),
    ('awards.level', 'county_government', '县政府', 'County government', 1),
    ('awards.level', 'supervision_committee', '督导委员会', 'Supervision committee', 2),
    ('awards.level', 'office', '督导办', 'Office', 3),
    ('awards.basis_grade', 'excellent', '优秀', 'Excellent', 1),
    ('awards.basis_grade', 'good', '良好', 'Good', 2),
    ('awards.basis_grade', 'qualified', '合格', 'Qualified', 3),
    ('awards.basis_grade', 'unqualified', '不合格', 'Unqualified', 4),
    ('award_decisions.decision', 'awards', '开展表彰', 'Awards are given', 1),
    ('award_decisions.decision', 'no_award', '本年度不表彰', 'No award this year', 2)
on conflict (name, value) do update set label_zh = excluded.label_zh,
    label_en = excluded.label_en, sort = excluded.sort;


-- In office ------------------------------------------------------------------

create or replace function app.days_in_office(inspector uuid, from_on date, to_on date)
returns integer
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(sum(greatest(0,
            least(coalesce(a.ended_on, a.ends_on), to_on) - greatest(a.starts_on, from_on) + 1)), 0)::integer
        from dudao.inspector_appointments a
        where a.inspector_id = $1 and a.voided_at is null
            and a.state in ('active', 'ended', 'resigned', 'dismissed'));
end
$$;

-- R-INS-07: in office at least six months of the year.
create or replace function app.inspectors_to_assess(year integer) returns setof uuid
language sql stable security definer
as $$
    select i.id
    from dudao.inspectors i
    where app.days_in_office(i.id, make_date($1, 1, 1), make_date($1, 12, 31))
        >= 30 * app.parameter_int('assessment_min_months')
$$;


-- Rules of rows --------------------------------------------------------------

create or replace function app.assessment_score(dimensions jsonb, weights jsonb) returns numeric
language sql immutable
as $$
    select round(sum((dimensions ->> w.key)::numeric * w.value::numeric)
        / sum(w.value::numeric), 2)
    from jsonb_each_text(weights) as w
$$;

create or replace function app.assessment_grade(score numeric, grades jsonb) returns text
language sql immutable
as $$
    select coalesce((
        select g.key from jsonb_each_text(grades) as g
        where score >= g.value::numeric
        order by g.value::numeric desc
        limit 1), 'incompetent')
$$;

create or replace function app.panel_score(panel jsonb) returns numeric
language sql immutable
as $$
    select round(avg((m ->> 'score')::numeric), 2) from jsonb_array_elements(panel) as m
$$;

-- The next enabled rank above: nobody skips one.
create or replace function app.next_rank(rank uuid) returns uuid
language plpgsql stable security definer
as $$
begin
    return (
        select r.id from dudao.inspector_ranks r
        where r.enabled and r."order" > coalesce(
            (select o."order" from dudao.inspector_ranks o where o.id = $1), 0)
        order by r."order"
        limit 1);
end
$$;

create or replace function app.rank_of(inspector uuid) returns uuid
language plpgsql stable security definer
as $$
begin
    return (
        select i.rank_id from dudao.inspectors i where i.id = $1);
end
$$;

create or replace function app.ranks_are_on() returns boolean
language sql stable
as $$
    select coalesce(app.parameter('rank_sequence_enabled') = 'true', false)
$$;

create or replace function app.no_award_decided(year integer, kind text) returns boolean
language plpgsql stable security definer
as $$
begin
    return exists (select from dudao.award_decisions d
        where d.year = $1 and d.kind = $2 and d.decision = 'no_award'
            and d.state = 'decided' and d.voided_at is null);
end
$$;

insert into app.row_rules(resource, name, expression, pointer, code, rule_id, clause_id, params) values
    ('inspector_assessments', 'year_has_begun', 'old.id is not null or new.year <= extract(year from app.today())',
     '/year', 'date-in-future', 'R-INS-07', 'C2.4.3.e', null),
    ('inspector_assessments', 'in_office', $e$old.id is not null
        or app.days_in_office(new.inspector_id, make_date(new.year, 1, 1), make_date(new.year, 12, 31)) > 0$e$,
     '/inspector_id', 'not-in-office', 'R-INS-07', 'L-TL-8', 'jsonb_build_object(''year'', new.year)'),
    ('inspector_assessments', 'whose_is_kept',
     'old.id is null or (new.inspector_id, new.year) = (old.inspector_id, old.year)',
     '/inspector_id', 'read-only-field', 'R-INS-07', 'C2.4.3.e', null),
    ('inspector_assessments', 'dimensions_are_five', $e$new.dimensions is null or (
            select count(*) = 5 and bool_and(jsonb_typeof(d.value) = 'number'
                and d.value between '0' and '100')
            from jsonb_each(new.dimensions) as d
            where d.key = any ('{conduct,reports,feedback_urging,training,satisfaction}'))$e$,
     '/dimensions', 'dimensions-incomplete', 'R-INS-07', 'L-DX-06', null),
    ('inspector_assessments', 'score_follows',
     'new.score is not distinct from app.assessment_score(new.dimensions, new.weights)',
     '/score', 'score-not-derived', 'R-INS-07', 'L-DX-06', null),
    ('inspector_assessments', 'grade_follows',
     'new.score is null and new.grade is null or new.grade = app.assessment_grade(new.score, new.grades)',
     '/grade', 'score-not-derived', 'R-INS-07', 'C2.4.3.e', null),
    -- content comes with a step, and stays as it was decided
    ('inspector_assessments', 'content_is_kept', $e$
        case when old.id is null then
            num_nonnulls(new.self_review, new.dimensions, new.score, new.grade, new.assessed_by, new.confirmed_by) = 0
        else (old.self_review is null or new.self_review is not distinct from old.self_review)
            and (old.state <> new.state and old.state = 'self_reviewed'
                or (new.dimensions, new.weights, new.grades, new.score, new.grade,
                    new.comment, new.assessed_by, new.assessed_on)
                is not distinct from (old.dimensions, old.weights, old.grades, old.score,
                    old.grade, old.comment, old.assessed_by, old.assessed_on))
            and (old.state <> new.state or (new.self_review, new.self_reviewed_on, new.confirmed_by, new.confirmed_on)
                is not distinct from (old.self_review, old.self_reviewed_on, old.confirmed_by, old.confirmed_on))
        end$e$,
     '/state', 'not-editable', 'R-INS-07', 'L-TL-8', null),

    ('inspector_assessments', 'state_has_its_content', $e$case new.state
        when 'self_reviewed' then new.self_review is not null
        when 'assessed' then num_nulls(new.self_review, new.dimensions, new.weights, new.grades, new.score, new.grade, new.assessed_on) = 0
        when 'confirmed' then num_nulls(new.self_review, new.dimensions, new.score, new.grade, new.confirmed_on) = 0
        end$e$,
     '/state', 'required', 'R-INS-07', 'C2.4.3.e', null),

    ('inspector_ranks', 'kept_by_the_office', $e$not app.roles() && '{inspector_ft,inspector_pt,zone_lead}'
        or app.roles() && '{office_staff,deputy_chief_inspector,chief_inspector}'$e$,
     null, 'office-only-field', null, 'C2.4.3.g', null),
    ('inspector_ranks', 'criteria_known', $e$not exists (
            select from jsonb_each(new.criteria) as c
            where c.key <> all ('{description,min_service_years,min_excellent_years}'))$e$,
     '/criteria', 'unknown-field', null, 'C2.4.3.g', null),
    -- C2.4.3.g: a rank comes from a decided application alone
    ('inspectors', 'rank_by_decision', $e$new.rank_id is null or new.rank_id is not distinct from old.rank_id
        or exists (select from dudao.rank_applications a
            where a.inspector_id = new.id and a.to_rank_id = new.rank_id and a.state = 'approved')$e$,
     '/rank_id', 'rank-without-decision', null, 'C2.4.3.g', null),

    ('rank_applications', 'feature_is_on', 'old.id is not null or app.ranks_are_on()',
     null, 'feature-disabled', null, 'C2.4.3.g', 'jsonb_build_object(''parameter'', ''rank_sequence_enabled'')'),
    ('rank_applications', 'in_office', 'old.id is not null or app.employment_of(new.inspector_id) is not null',
     '/inspector_id', 'no-active-appointment', null, 'C2.4.3.g', null),
    ('rank_applications', 'from_own_rank',
     'old.id is not null or new.from_rank_id is not distinct from app.rank_of(new.inspector_id)',
     '/from_rank_id', 'rank-not-next', null, 'C2.4.3.g', null),
    ('rank_applications', 'to_the_next',
     'new.to_rank_id is not distinct from old.to_rank_id or new.to_rank_id is not distinct from app.next_rank(new.from_rank_id)',
     '/to_rank_id', 'rank-not-next', null, 'C2.4.3.g', null),
    ('rank_applications', 'whose_is_kept', $e$old.id is null or (new.inspector_id, new.code, new.from_rank_id, new.applied_on)
        is not distinct from (old.inspector_id, old.code, old.from_rank_id, old.applied_on)$e$,
     '/inspector_id', 'read-only-field', null, 'C2.4.3.g', null),
    ('rank_applications', 'materials_are_named', $e$not exists (
            select from jsonb_array_elements(new.materials) as m
            where coalesce(m ->> 'title', '') = '' or not m ->> 'attachment_id' is null and not exists (
                select from dudao.attachments f where f.id = (m ->> 'attachment_id')::uuid))$e$,
     '/materials', 'unknown-reference', null, 'C2.4.3.g', null),
    ('rank_applications', 'panel_members_are_known', $e$new.review_panel is not distinct from old.review_panel
        or not exists (select from jsonb_array_elements(new.review_panel) as m
            where not exists (select from dudao.persons p where p.id = (m ->> 'person_id')::uuid))$e$,
     '/review_panel', 'unknown-reference', null, 'C2.4.3.g', null),
    ('rank_applications', 'panel_members_differ', $e$(
            select count(distinct m ->> 'person_id') = count(*) from jsonb_array_elements(new.review_panel) as m)$e$,
     '/review_panel', 'duplicate-items', null, 'C2.4.3.g', null),
    ('rank_applications', 'applicant_not_on_panel', $e$not exists (
            select from jsonb_array_elements(new.review_panel) as m
            join dudao.inspectors i on i.person_id = (m ->> 'person_id')::uuid
            where i.id = new.inspector_id)$e$,
     '/review_panel', 'recusal-required', null, 'C2.4.3.g', null),
    ('rank_applications', 'panel_scores', $e$not exists (
            select from jsonb_array_elements(new.review_panel) as m
            where jsonb_typeof(m -> 'score') is distinct from 'number'
                or not m -> 'score' between '0' and '100')$e$,
     '/review_panel', 'out-of-range', null, 'C2.4.3.g', '''{"min": 0, "max": 100}'''),
    ('rank_applications', 'score_follows', 'new.score is not distinct from app.panel_score(new.review_panel)',
     '/score', 'score-not-derived', null, 'C2.4.3.g', null),
    ('rank_applications', 'state_has_its_content', $e$case
        when new.state in ('evaluated', 'publicized') then num_nulls(new.score, new.evaluated_on) = 0
        when new.state = 'approved' then num_nulls(new.score, new.evaluated_on, new.decision_doc_no) = 0
        when new.state = 'rejected' then new.reject_reason is not null
        end$e$,
     '/state', 'required', null, 'C2.4.3.g', null),
    ('rank_applications', 'content_is_kept', $e$old.id is null or old.state <> new.state
        or (new.review_panel, new.score, new.publicity_from, new.publicity_to, new.decision_doc_no, new.reject_reason)
        is not distinct from (old.review_panel, old.score, old.publicity_from, old.publicity_to,
            old.decision_doc_no, old.reject_reason)$e$,
     '/state', 'not-editable', null, 'C2.4.3.g', null),

    ('awards', 'one_recipient',
     'num_nonnulls(new.recipient_inspector_id, new.recipient_organization_id, new.recipient_zone_id) = 1',
     null, 'one-recipient', 'R-INS-08', 'C2.4.3.h', null),
    ('awards', 'kind_of_recipient', '(new.kind = ''inspector'') = (new.recipient_inspector_id is not null)',
     '/kind', 'award-kind', 'R-INS-08', 'C2.4.3.h', null),
    ('awards', 'line_of_awards',
     'new.budget_line_id is null or exists (select from dudao.budget_lines l
        where l.id = new.budget_line_id and l.category = ''award'')',
     '/budget_line_id', 'line-of-another-category', 'R-FIN-02', 'C3.1.b', '''{"category": "award"}'''),
    ('awards', 'year_has_begun', 'new.year <= extract(year from app.today())',
     '/year', 'date-in-future', 'R-EVA-05', 'C2.1.3.i', null),
    ('awards', 'year_has_awards', 'old.id is not null or not app.no_award_decided(new.year, new.kind)',
     '/year', 'no-award-decided', 'R-EVA-05', 'C2.1.3.i', 'jsonb_build_object(''year'', new.year)'),
    ('awards', 'basis_is_known', $e$case new.basis_subject_type
        when 'inspector_assessments' then exists (select from dudao.inspector_assessments s
            where s.id = new.basis_subject_id and s.inspector_id = new.recipient_inspector_id
                and s.year = new.year)
        when 'supervision_targets' then exists (select from dudao.supervision_targets s
            where s.id = new.basis_subject_id
                and (s.organization_id = new.recipient_organization_id or s.zone_id = new.recipient_zone_id)
                and (s.grade is null or s.grade = new.basis_grade))
        when 'evaluations' then exists (select from dudao.evaluations s
            join dudao.evaluation_campaigns c on c.id = s.campaign_id
            where s.id = new.basis_subject_id and s.finalized_on is not null
                and (s.organization_id = new.recipient_organization_id or s.zone_id = new.recipient_zone_id)
                and c.year = new.year and s.grade = new.basis_grade)
        end$e$,
     '/basis_subject_id', 'basis-of-another', 'R-INS-08', 'C2.4.3.h', null),
    -- what was made public is what is granted
    ('awards', 'text_is_kept', $e$old.id is null or old.state = 'proposed'
        or (new.code, new.year, new.kind, new.title, new.level, new.citation, new.amount_fen,
            new.recipient_inspector_id, new.recipient_organization_id, new.recipient_zone_id,
            new.basis_subject_id, new.basis_grade)
        is not distinct from (old.code, old.year, old.kind, old.title, old.level, old.citation, old.amount_fen,
            old.recipient_inspector_id, old.recipient_organization_id, old.recipient_zone_id,
            old.basis_subject_id, old.basis_grade)$e$,
     '/state', 'not-editable', 'R-INS-08', 'C2.4.3.h', null),
    ('awards', 'state_has_its_content', $e$case
        when new.state = 'granted' then num_nulls(new.doc_no, new.granted_on, new.granted_by, new.publicity_to) = 0
        when new.state in ('revoked', 'rejected') then new.end_reason is not null
        end$e$,
     '/state', 'required', 'R-INS-08', 'C2.4.3.h', null),
    ('awards', 'steps_are_kept', $e$old.id is null or old.state <> new.state
        or (new.publicity_from, new.publicity_to, new.doc_no, new.granted_by, new.granted_on, new.revoked_on, new.end_reason)
        is not distinct from (old.publicity_from, old.publicity_to, old.doc_no, old.granted_by, old.granted_on,
            old.revoked_on, old.end_reason)$e$,
     '/state', 'not-editable', 'R-INS-08', 'C2.4.3.h', null),

    ('award_decisions', 'year_has_begun', 'new.year <= extract(year from app.today())',
     '/year', 'date-in-future', 'R-EVA-05', 'C2.1.3.i', null),
    ('award_decisions', 'state_has_its_content',
     'new.state <> ''decided'' or num_nulls(new.doc_no, new.decided_on) = 0',
     '/state', 'required', 'R-EVA-05', 'C2.1.3.i', null),
    ('award_decisions', 'decision_is_kept', $e$old.id is null or old.state = 'draft'
        or (new.year, new.kind, new.decision, new.reason, new.doc_no, new.decided_by, new.decided_on)
        is not distinct from (old.year, old.kind, old.decision, old.reason, old.doc_no, old.decided_by, old.decided_on)$e$,
     '/decision', 'not-editable', 'R-EVA-05', 'C2.1.3.i', null)
on conflict (resource, name) do update set expression = excluded.expression,
    pointer = excluded.pointer, code = excluded.code, rule_id = excluded.rule_id,
    clause_id = excluded.clause_id, params = excluded.params;


-- Assessments (3.24) -----------------------------------------------------------

create or replace function app.users_of_inspector(inspector uuid) returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select app.users_of_person(i.person_id) from dudao.inspectors i where i.id = $1);
end
$$;

create or replace function app.is_chief(inspector uuid) returns boolean
language plpgsql stable security definer
as $$
begin
    return exists (
        select from dudao.inspectors i
        join dudao.users u on u.person_id = i.person_id
        join dudao.role_grants g on g.user_id = u.id
        where i.id = $1 and g.role = 'chief_inspector' and g.state = 'active'
            and (g.valid_to is null or g.valid_to >= app.today()));
end
$$;

create or replace function app.after_create_inspector_assessments(
    r dudao.inspector_assessments, body jsonb)
returns void
language plpgsql security definer
as $$
begin
    -- R-INS-07: confirmed by 31 March
    perform app.deadline('inspector_assessments', r.id, 'confirm', make_date(r.year + 1, 3, 31));
    perform app.notify('inspector_assessments', r.id, 'assessment_opened',
        '请提交督学年度述职', r.year || '年度', app.users_of_inspector(r.inspector_id));
end
$$;

-- Opens the year: one draft for each inspector who is due, whether it is the
-- first call or another.
create or replace function app.open_assessment_year(body jsonb) returns setof app.answer
language plpgsql security definer
as $$
declare
    opened_year constant integer := (body ->> 'year')::integer;
    made dudao.inspector_assessments;
    due uuid[];
    n integer := 0;
begin
    if not app.has_role('office_staff', 'deputy_chief_inspector') then
        perform app.refuse(403, 'role-not-permitted');
    end if;
    if opened_year > extract(year from app.today()) then
        perform app.refuse(422, 'validation-failed', array[
            app.fault('date-in-future', '/year', null, 'R-INS-07', 'C2.4.3.e')]);
    end if;
    perform pg_advisory_xact_lock(hashtext('dudao.assessments'), opened_year);
    due := array(select app.inspectors_to_assess(opened_year));
    for made in
        insert into dudao.inspector_assessments(inspector_id, year)
        select d, opened_year
        from unnest(due) as d
        where not exists (select from dudao.inspector_assessments a
            where a.inspector_id = d and a.year = opened_year and a.voided_at is null)
        returning *
    loop
        perform app.after_create_inspector_assessments(made, '{}');
        n := n + 1;
    end loop;
    return query select 200, null::text, null::text, json_build_object(
        'year', opened_year, 'due', cardinality(due), 'opened', n,
        'existing', cardinality(due) - n)::text;
end
$$;

create or replace function app.before_inspector_assessments(
    action text, r dudao.inspector_assessments, data jsonb)
returns dudao.inspector_assessments
language plpgsql
as $$
begin
    case action
    when 'self_review' then
        r.self_review := data ->> 'self_review';
        r.self_reviewed_on := app.today();
    when 'assess' then
        r.dimensions := data -> 'dimensions';
        r.comment := data ->> 'comment';
        r.weights := app.parameter('assessment_weights');
        r.grades := app.parameter('assessment_grades');
        r.score := app.assessment_score(r.dimensions, r.weights);
        r.grade := case when r.score is not null then app.assessment_grade(r.score, r.grades) end;
        r.assessed_by := app.user_id();
        r.assessed_on := app.today();
    when 'confirm' then
        r.confirmed_by := app.user_id();
        r.confirmed_on := app.today();
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_inspector_assessments(
    action text, old dudao.inspector_assessments,
    new dudao.inspector_assessments, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
begin
    if action = 'self_review' then
        if app.inspector_id() is distinct from new.inspector_id then
            faults := faults || app.fault('out-of-scope', null, null, 'R-INS-07', 'L-TL-8');
        end if;
        if coalesce(new.self_review, '') = '' then
            faults := faults || app.fault('required', '/self_review', null, 'R-INS-07', 'L-TL-8');
        end if;
    elsif action in ('assess', 'confirm') and app.inspector_id() = new.inspector_id then
        -- nobody judges himself
        faults := faults || app.fault('separation-of-duties', null, null, 'R-INS-07', 'L-TL-8');
    elsif action = 'confirm' then
        if old.assessed_by = app.user_id() then
            faults := faults || app.fault('separation-of-duties', null, null, 'R-INS-07', 'L-TL-8');
        end if;
        -- the director has a say on the chief inspector alone
        if not app.has_role('chief_inspector')
                and not app.is_chief(new.inspector_id) then
            faults := faults || app.fault('chief-confirms', null, null, 'R-INS-07', 'C2.4.3.e');
        end if;
    end if;
    if action = 'assess' and new.score is null then
        faults := faults || app.fault('dimensions-incomplete', '/dimensions', null, 'R-INS-07', 'L-DX-06');
    end if;
    return faults;
end
$$;

create or replace function app.effect_inspector_assessments(
    action text, old dudao.inspector_assessments,
    new dudao.inspector_assessments, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    case action
    when 'assess' then
        perform app.notify('inspector_assessments', new.id, 'assessment_to_confirm',
            '督学考核待确认', app.inspector_name(new.inspector_id),
            app.users_with_role('chief_inspector'));
    when 'confirm' then
        perform app.meet_deadline('inspector_assessments', new.id, 'confirm');
        perform app.notify('inspector_assessments', new.id, 'assessment_confirmed',
            '年度考核结果已确认', new.year || '年度：' || (select e.label_zh from app.enumerations e
                where e.name = 'inspector_assessments.grade' and e.value = new.grade),
            app.users_of_inspector(new.inspector_id));
    when 'void' then
        perform app.meet_deadline('inspector_assessments', new.id, 'confirm');
    else
        null;
    end case;
end
$$;


-- Rank applications (3.22) -----------------------------------------------------

create or replace function app.before_create_rank_applications(
    r dudao.rank_applications, body jsonb)
returns dudao.rank_applications
language plpgsql
as $$
begin
    -- C2.4.3.g asks to explore a sequence of ranks: it may be off
    if not app.ranks_are_on() then
        perform app.refuse(422, 'feature-disabled', extra => jsonb_build_object(
            'clause_id', 'C2.4.3.g', 'params', jsonb_build_object('parameter', 'rank_sequence_enabled')));
    end if;
    r.code := app.next_code('DJ');
    r.inspector_id := coalesce(r.inspector_id, app.inspector_id());
    r.from_rank_id := app.rank_of(r.inspector_id);
    r.applied_on := app.today();
    return r;
end
$$;

create or replace function app.after_create_rank_applications(
    r dudao.rank_applications, body jsonb)
returns void
language plpgsql security definer
as $$
begin
    perform app.notify('rank_applications', r.id, 'rank_applied', '督学等级晋升申报',
        app.inspector_name(r.inspector_id), app.users_with_role('office_staff', 'deputy_chief_inspector'));
end
$$;

create or replace function app.before_rank_applications(
    action text, r dudao.rank_applications, data jsonb)
returns dudao.rank_applications
language plpgsql
as $$
begin
    case action
    when 'supplement' then
        r.materials := r.materials || coalesce(data -> 'materials', '[]');
    when 'review' then
        r.review_comment := data ->> 'comment';
    when 'evaluate' then
        r.review_panel := coalesce(data -> 'review_panel', '[]');
        r.score := app.panel_score(r.review_panel);
        r.evaluated_on := app.today();
    when 'publicize' then
        r.publicity_from := coalesce((data ->> 'publicity_from')::date, app.today());
        r.publicity_to := coalesce((data ->> 'publicity_to')::date,
            app.add_workdays(r.publicity_from, app.parameter_int('merit_publicity_workdays')));
        if r.publicity_to >= r.publicity_from then
            r.publicity_publication_id := app.add_to_notice(
                '督学专业技术等级晋升公示（' || r.publicity_from || '至' || r.publicity_to || '）',
                app.inspector_name(r.inspector_id) || '（拟晋升' || app.rank_name(r.to_rank_id) || '）');
        end if;
    when 'approve' then
        r.decision_doc_no := data ->> 'decision_doc_no';
        r.decided_by := app.user_id();
        r.decided_on := app.today();
    when 'reject' then
        r.reject_reason := data ->> 'reason';
        r.decided_by := app.user_id();
        r.decided_on := app.today();
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.rank_name(rank uuid) returns text
language plpgsql stable security definer
as $$
begin
    return (
        select r.name from dudao.inspector_ranks r where r.id = $1);
end
$$;

create or replace function app.guard_rank_applications(
    action text, old dudao.rank_applications,
    new dudao.rank_applications, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
    criteria jsonb;
    found integer;
    needed integer;
begin
    if action = 'supplement' then
        if app.inspector_id() is distinct from new.inspector_id then
            faults := faults || app.fault('out-of-scope', null, null, null, 'C2.4.3.g');
        end if;
        return faults;
    end if;
    if action <> 'void' and app.inspector_id() = new.inspector_id then
        faults := faults || app.fault('separation-of-duties', null, null, null, 'C2.4.3.g');
    end if;
    if action in ('review', 'evaluate', 'publicize', 'approve') and not app.ranks_are_on() then
        faults := faults || app.fault('feature-disabled', null,
            '{"parameter": "rank_sequence_enabled"}', null, 'C2.4.3.g');
    end if;
    case action
    when 'review' then
        if new.materials = '[]' then
            faults := faults || app.fault('required', '/materials', null, null, 'C2.4.3.g');
        end if;
        select r.criteria into criteria from dudao.inspector_ranks r where r.id = new.to_rank_id;
        needed := (criteria ->> 'min_service_years')::integer;
        found := app.days_in_office(new.inspector_id, '2012-10-01', app.today()) / 365;
        if found < needed then
            faults := faults || app.fault('rank-criteria-not-met', '/to_rank_id', jsonb_build_object(
                'item', 'min_service_years', 'min', needed, 'count', found), null, 'C2.4.3.g');
        end if;
        needed := (criteria ->> 'min_excellent_years')::integer;
        select count(*) into found
        from dudao.inspector_assessments a
        where a.inspector_id = new.inspector_id and a.state = 'confirmed' and a.grade = 'excellent';
        if found < needed then
            faults := faults || app.fault('rank-criteria-not-met', '/to_rank_id', jsonb_build_object(
                'item', 'min_excellent_years', 'min', needed, 'count', found), null, 'C2.4.3.g');
        end if;
    when 'evaluate' then
        needed := app.parameter_int('rank_panel_min');
        found := jsonb_array_length(new.review_panel);
        if found < needed then
            faults := faults || app.fault('panel-too-small', '/review_panel', jsonb_build_object(
                'min', needed, 'count', found), null, 'C2.4.3.g');
        end if;
    when 'publicize' then
        faults := faults || app.publicity_faults(new.publicity_from, new.publicity_to, null, 'C2.4.3.g');
    when 'approve' then
        if new.publicity_to >= app.today() then
            faults := faults || app.fault('publicity-not-over', null,
                jsonb_build_object('until', new.publicity_to), null, 'C2.4.3.g');
        end if;
        if new.decision_doc_no is null then
            faults := faults || app.fault('required', '/decision_doc_no', null, null, 'C2.4.3.g');
        end if;
        if app.rank_of(new.inspector_id) is distinct from new.from_rank_id then
            faults := faults || app.fault('rank-not-next', '/to_rank_id', null, null, 'C2.4.3.g');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.publicity_faults(
    from_on date, to_on date, rule_id text, clause_id text) returns app.fault[]
language plpgsql stable
as $$
declare
    faults app.fault[] := '{}';
begin
    if from_on < app.today() then
        faults := faults || app.fault('date-in-past', '/publicity_from', null, rule_id, clause_id);
    end if;
    if app.workdays_between(from_on, to_on) < app.parameter_int('merit_publicity_workdays') then
        faults := faults || app.fault('publicity-too-short', '/publicity_to', jsonb_build_object(
            'min', app.parameter_int('merit_publicity_workdays')), rule_id, clause_id);
    end if;
    return faults;
end
$$;

create or replace function app.effect_rank_applications(
    action text, old dudao.rank_applications,
    new dudao.rank_applications, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    case action
    when 'publicize' then
        perform app.deadline('rank_applications', new.id, 'publicity', new.publicity_to);
    when 'approve' then
        update dudao.inspectors i set rank_id = new.to_rank_id where i.id = new.inspector_id;
        perform app.meet_deadline('rank_applications', new.id, 'publicity');
        perform app.notify('rank_applications', new.id, 'rank_approved', '督学等级晋升已批准',
            app.rank_name(new.to_rank_id), app.users_of_inspector(new.inspector_id));
    when 'reject' then
        perform app.meet_deadline('rank_applications', new.id, 'publicity');
        perform app.notify('rank_applications', new.id, 'rank_rejected', '督学等级晋升未通过',
            new.reject_reason, app.users_of_inspector(new.inspector_id));
    else
        null;
    end case;
end
$$;


-- Awards (3.22) ----------------------------------------------------------------

create or replace function app.award_recipient(r dudao.awards) returns text
language plpgsql stable security definer
as $$
begin
    return coalesce(app.inspector_name(r.recipient_inspector_id),
        app.organization_name(r.recipient_organization_id),
        (select z.name from dudao.zones z where z.id = r.recipient_zone_id));
end
$$;

-- R-INS-08: what an inspector's award rests on is looked up, not claimed; that
-- of a unit or zone when nothing was named.
create or replace function app.with_basis(r dudao.awards) returns dudao.awards
language plpgsql stable security definer
as $$
begin
    if r.recipient_inspector_id is not null then
        r.basis_subject_type := null;
        r.basis_subject_id := null;
        r.basis_grade := null;
        select 'inspector_assessments', a.id, 'excellent'
            into r.basis_subject_type, r.basis_subject_id, r.basis_grade
        from dudao.inspector_assessments a
        where a.inspector_id = r.recipient_inspector_id and a.year = r.year
            and a.state = 'confirmed' and a.grade = 'excellent';
    elsif num_nonnulls(r.basis_subject_id, r.basis_grade, r.basis_text) = 0 then
        -- C2.1.3.i: the year's evaluation of the unit's supervision work
        select 'evaluations', e.id, e.grade
            into r.basis_subject_type, r.basis_subject_id, r.basis_grade
        from dudao.evaluations e
        join dudao.evaluation_campaigns c on c.id = e.campaign_id
        where c.kind = 'supervision_work' and c.year = r.year and e.finalized_on is not null
            and (e.organization_id = r.recipient_organization_id or e.zone_id = r.recipient_zone_id)
        order by e.finalized_on desc, e.id desc
        limit 1;
    end if;
    return r;
end
$$;

create or replace function app.before_create_awards(r dudao.awards, body jsonb) returns dudao.awards
language plpgsql
as $$
begin
    r.code := app.next_code('BZ');
    return app.with_basis(r);
end
$$;

create or replace function app.before_patch_awards(r dudao.awards, patch jsonb) returns dudao.awards
language plpgsql
as $$
begin
    return app.with_basis(r);
end
$$;

create or replace function app.before_awards(action text, r dudao.awards, data jsonb) returns dudao.awards
language plpgsql
as $$
declare
    line constant text := app.award_recipient(r) || '：' || r.title;
    place integer;
begin
    case action
    when 'review' then
        r := app.with_basis(r);
        r.reviewed_on := app.today();
    when 'publicize' then
        r.publicity_from := coalesce((data ->> 'publicity_from')::date, app.today());
        r.publicity_to := coalesce((data ->> 'publicity_to')::date,
            app.add_workdays(r.publicity_from, app.parameter_int('merit_publicity_workdays')));
        if r.publicity_to >= r.publicity_from then
            r.publicity_publication_id := app.add_to_notice(
                '拟表彰对象公示（' || r.publicity_from || '至' || r.publicity_to || '）', line);
        end if;
    when 'raise_objection' then
        r.objections := r.objections || jsonb_build_array(jsonb_build_object(
            'no', jsonb_array_length(r.objections) + 1, 'raised_by', data ->> 'raised_by',
            'text', data ->> 'text', 'received_on', coalesce(data ->> 'received_on', app.today()::text),
            'upheld', null, 'opinion', null, 'decided_on', null));
    when 'decide_objection' then
        place := (data ->> 'no')::integer - 1;
        r.objections := jsonb_set(r.objections, array[place::text],
            (r.objections -> place) || jsonb_build_object('upheld', data -> 'upheld',
                'opinion', data ->> 'opinion', 'decided_on', app.today()), false);
    when 'grant' then
        r.doc_no := data ->> 'doc_no';
        r.budget_line_id := coalesce((data ->> 'budget_line_id')::uuid, r.budget_line_id);
        r.granted_by := app.user_id();
        r.granted_on := app.today();
        r.notice_publication_id := app.add_to_notice('表彰决定公告（' || app.today() || '）', line);
    when 'revoke' then
        r.end_reason := data ->> 'reason';
        r.revoked_on := app.today();
        r.notice_publication_id := app.add_to_notice('撤销表彰公告（' || app.today() || '）', line);
    when 'reject' then
        r.end_reason := data ->> 'reason';
    else
        null;
    end case;
    return r;
end
$$;

-- C3.1.b: the line's awards, with this one, stay within it. The line is locked,
-- so that two grants at a time do not overdraw it.
create or replace function app.award_line_faults(r dudao.awards) returns app.fault[]
language plpgsql security definer
as $$
declare
    line dudao.budget_lines;
    available bigint;
    faults app.fault[] := '{}';
begin
    select * into line from dudao.budget_lines l where l.id = r.budget_line_id for no key update;
    select line.amount_fen - line.reserved_fen - line.paid_fen - coalesce(sum(a.amount_fen), 0)
        into available
    from dudao.awards a
    where a.budget_line_id = line.id and a.state = 'granted' and a.id <> r.id;
    if not exists (select from dudao.budgets b
            where b.id = line.budget_id and b.state in ('approved', 'adjusted')) then
        faults := faults || app.fault('budget-not-approved', '/budget_line_id', null, 'R-FIN-02', 'C3.1.b');
    end if;
    if line.locked then
        faults := faults || app.fault('line-locked', '/budget_line_id', null, 'R-FIN-02', 'C3.1.b');
    end if;
    if available < r.amount_fen then
        faults := faults || app.fault('line-overdrawn', '/budget_line_id',
            jsonb_build_object('available', available), 'R-FIN-02', 'C3.1.b');
    end if;
    return faults;
end
$$;

create or replace function app.guard_awards(
    action text, old dudao.awards, new dudao.awards, data jsonb)
returns app.fault[]
language plpgsql security definer
as $$
declare
    faults app.fault[] := '{}';
    -- R-INS-08 for inspectors, R-EVA-05 for units
    rule constant text := case new.kind when 'inspector' then 'R-INS-08' else 'R-EVA-05' end;
    clause constant text := case new.kind when 'inspector' then 'C2.4.3.h' else 'C2.1.3.i' end;
    objection jsonb;
begin
    if action in ('review', 'grant') then
        if new.kind = 'inspector' then
            if not exists (select from dudao.inspector_assessments a
                    where a.id = new.basis_subject_id and a.state = 'confirmed'
                        and a.inspector_id = new.recipient_inspector_id
                        and a.year = new.year and a.grade = 'excellent') then
                faults := faults || app.fault('assessment-not-excellent', '/recipient_inspector_id',
                    jsonb_build_object('year', new.year), rule, clause);
            end if;
        else
            if new.basis_grade is null or new.basis_grade not in ('excellent', 'good') then
                faults := faults || app.fault('grade-below-good', '/basis_grade', null, rule, clause);
            end if;
            if num_nonnulls(new.basis_subject_id, new.basis_text) = 0 then
                faults := faults || app.fault('required', '/basis_text', null, rule, clause);
            end if;
        end if;
        -- 3.22 also asks that no restriction on the recipient be in force.
        -- Restriction recommendations have no table yet; once they have, the
        -- recipient's row in state in_force refuses here (restriction-in-force).
        if app.no_award_decided(new.year, new.kind) then
            faults := faults || app.fault('no-award-decided', '/year',
                jsonb_build_object('year', new.year), 'R-EVA-05', 'C2.1.3.i');
        end if;
    end if;
    -- nobody has a hand in the own award
    if new.recipient_inspector_id = app.inspector_id() and action <> 'void' then
        faults := faults || app.fault('separation-of-duties', null, null, rule, clause);
    end if;
    case action
    when 'publicize' then
        faults := faults || app.publicity_faults(new.publicity_from, new.publicity_to, rule, clause);
    when 'raise_objection' then
        objection := new.objections -> -1;
        if coalesce(objection ->> 'text', '') = '' then
            faults := faults || app.fault('required', '/text', null, rule, clause);
        end if;
        if (objection ->> 'received_on')::date not between new.publicity_from
                and least(new.publicity_to, app.today()) then
            faults := faults || app.fault('objection-out-of-time', '/received_on', jsonb_build_object(
                'from', new.publicity_from, 'until', least(new.publicity_to, app.today())), rule, clause);
        end if;
    when 'decide_objection' then
        objection := old.objections -> ((data ->> 'no')::integer - 1);
        if objection is null then
            faults := faults || app.fault('unknown-reference', '/no', null, rule, clause);
        elsif objection ->> 'upheld' is not null then
            faults := faults || app.fault('objection-decided', '/no', null, rule, clause);
        end if;
    when 'grant' then
        if new.publicity_to >= app.today() then
            faults := faults || app.fault('publicity-not-over', null,
                jsonb_build_object('until', new.publicity_to), rule, clause);
        end if;
        if exists (select from jsonb_array_elements(new.objections) as o
                where o ->> 'upheld' is distinct from 'false') then
            faults := faults || app.fault('objection-open', '/objections', null, rule, clause);
        end if;
        if new.doc_no is null then
            faults := faults || app.fault('required', '/doc_no', null, rule, clause);
        end if;
        if new.amount_fen is not null and new.budget_line_id is null then
            faults := faults || app.fault('budget-line-missing', '/budget_line_id', null, rule, clause);
        elsif new.amount_fen is not null then
            faults := faults || app.award_line_faults(new);
        end if;
        if new.created_by = app.user_id() then
            faults := faults || app.fault('separation-of-duties', null, null, rule, clause);
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.effect_awards(
    action text, old dudao.awards, new dudao.awards, data jsonb)
returns void
language plpgsql security definer
as $$
declare
    recipients constant uuid[] := coalesce(
        app.users_of_inspector(new.recipient_inspector_id),
        app.users_of_organization(new.recipient_organization_id),
        app.users_of_inspector((select z.lead_inspector_id from dudao.zones z
            where z.id = new.recipient_zone_id)), '{}');
begin
    case action
    when 'publicize' then
        perform app.deadline('awards', new.id, 'publicity', new.publicity_to);
    when 'raise_objection' then
        perform app.notify('awards', new.id, 'award_objection', '表彰公示收到异议', new.title,
            app.users_with_role('chief_inspector'));
    when 'grant' then
        perform app.meet_deadline('awards', new.id, 'publicity');
        perform app.notify('awards', new.id, 'award_granted', '授予表彰', new.title || '（' || new.doc_no || '）',
            recipients);
    when 'reject' then
        perform app.meet_deadline('awards', new.id, 'publicity');
    when 'revoke' then
        perform app.notify('awards', new.id, 'award_revoked', '表彰已撤销', new.title, recipients);
    else
        null;
    end case;
end
$$;

create or replace function app.before_award_decisions(
    action text, r dudao.award_decisions, data jsonb)
returns dudao.award_decisions
language plpgsql
as $$
begin
    if action = 'decide' then
        r.doc_no := data ->> 'doc_no';
        r.decided_by := app.user_id();
        r.decided_on := app.today();
    end if;
    return r;
end
$$;

create or replace function app.guard_award_decisions(
    action text, old dudao.award_decisions, new dudao.award_decisions, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
    under_way boolean;
begin
    if action <> 'decide' then
        return faults;
    end if;
    if new.doc_no is null then
        faults := faults || app.fault('required', '/doc_no', null, 'R-EVA-05', 'C2.1.3.i');
    end if;
    select exists (select from dudao.awards a
        where a.year = new.year and a.kind = new.kind and a.voided_at is null
            and a.state not in ('rejected', 'revoked')) into under_way;
    if under_way and new.decision = 'no_award' then
        faults := faults || app.fault('awards-under-way', '/decision', null, 'R-EVA-05', 'C2.1.3.i');
    elsif not under_way and new.decision = 'awards' then
        faults := faults || app.fault('no-award-proposed', '/decision', null, 'R-EVA-05', 'C2.1.3.i');
    end if;
    return faults;
end
$$;


-- The work of an inspector in figures (Q-INS-01, C2.4.3.i) ---------------------

create or replace function app.may_see_workload(inspector uuid) returns boolean
language plpgsql stable security definer
as $$
begin
    return app.roles() && '{committee_director,committee_deputy,chief_inspector,deputy_chief_inspector,office_staff,leader_reader,org_personnel_reader,auditor}'
        or inspector = app.inspector_id()
        or app.has_role('zone_lead') and inspector = any (app.my_zone_inspectors());
end
$$;

-- Concentrated hours of the year (L-DX-05).
create or replace function app.training_hours(inspector uuid, year integer) returns numeric
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(sum(r.attended_hours), 0)
        from dudao.training_records r
        join dudao.training_sessions s on s.id = r.session_id
        where r.inspector_id = $1 and s.mode = 'concentrated'
            and extract(year from s.starts_at at time zone 'Asia/Shanghai') = $2);
end
$$;

create or replace function app.inspector_figures(
    inspector uuid, year integer, out visit_count integer, out task_count integer,
    out problem_count integer, out struck_off_count integer, out review_count integer,
    out visit_hours numeric, out claim_count integer, out claim_fen bigint, out training_hours numeric, out award_count integer,
    out assessment_state text, out assessment_score numeric, out assessment_grade text)
language plpgsql stable security definer
as $$
declare
    from_on constant date := make_date(year, 1, 1);
    to_on constant date := make_date(year, 12, 31);
begin
    select count(*), round(coalesce(sum(extract(epoch from v.left_at - v.arrived_at)), 0) / 3600, 1)
        into visit_count, visit_hours
    from dudao.visits v
    where v.inspector_id = inspector and v.visited_on between from_on and to_on
        and v.state in ('submitted', 'school_confirmed', 'reviewed') and v.voided_at is null;
    select count(*) into task_count
    from dudao.supervision_tasks t
    where t.year = inspector_figures.year and t.state not in ('draft', 'cancelled')
        and (t.leader_inspector_id = inspector or exists (select from dudao.team_members m
            where m.task_id = t.id and m.inspector_id = inspector));
    select count(*), count(*) filter (where p.state = 'struck_off')
        into problem_count, struck_off_count
    from dudao.problems p
    join dudao.visits v on v.id = p.visit_id
    where v.inspector_id = inspector and p.listed_on between from_on and to_on
        and p.voided_at is null;
    select count(*) into review_count
    from dudao.problem_reviews r
    where r.reviewed_on between from_on and to_on and inspector = any (r.reviewer_inspector_ids);
    select count(*), coalesce(sum(c.total_fen), 0) into claim_count, claim_fen
    from dudao.expense_claims c
    where c.claimant_inspector_id = inspector and c.activity_on between from_on and to_on
        and c.state not in ('draft', 'rejected', 'cancelled');
    training_hours := app.training_hours(inspector, year);
    select count(*) into award_count
    from dudao.awards a
    where a.recipient_inspector_id = inspector and a.year = inspector_figures.year and a.state = 'granted';
    select a.state, a.score, a.grade into assessment_state, assessment_score, assessment_grade
    from dudao.inspector_assessments a
    where a.inspector_id = inspector and a.year = inspector_figures.year and a.voided_at is null;
    -- a result is one once it is confirmed
    if assessment_state is distinct from 'confirmed' then
        assessment_score := null;
        assessment_grade := null;
    end if;
end
$$;

-- Who may not know the figures of this inspector sees that there are some.
create or replace function app.inspector_workload(inspector uuid, year integer) returns json
language plpgsql stable security definer
as $$
begin
    return (
        select json_build_object(
            'inspector_id', i.id, 'code', i.code, 'name', app.inspector_name(i.id),
            'year', $2, 'employment', app.employment_of(i.id), 'zone_id', app.zone_of(i.id),
            'school_count', app.school_count_of(i.id), 'rank', app.rank_name(i.rank_id),
            'visit_count', f.visit_count, 'visit_hours', f.visit_hours,
            'task_count', f.task_count, 'problem_count', f.problem_count,
            'struck_off_count', f.struck_off_count, 'review_count', f.review_count,
            'claim_count', f.claim_count, 'claim_fen', f.claim_fen,
            'training_hours', f.training_hours, 'award_count', f.award_count,
            'assessment', case when f.assessment_state is not null then json_build_object(
                'state', f.assessment_state, 'score', f.assessment_score, 'grade', f.assessment_grade) end)
        from dudao.inspectors i
        left join lateral (select * from app.inspector_figures(i.id, $2)) as f
            on app.may_see_workload(i.id)
        where i.id = $1);
end
$$;

-- All that the caller may compare: who was in office in the year.
create or replace function app.inspector_workloads(year integer)
returns table (id uuid, code text, zone_id uuid, employment text, visit_count integer,
    problem_count integer, task_count integer, review_count integer, score numeric, body json)
language sql stable security definer
as $$
    select i.id, i.code, (w.body ->> 'zone_id')::uuid, w.body ->> 'employment',
        (w.body ->> 'visit_count')::integer, (w.body ->> 'problem_count')::integer,
        (w.body ->> 'task_count')::integer, (w.body ->> 'review_count')::integer,
        coalesce((w.body -> 'assessment' ->> 'score')::numeric, -1), w.body
    from dudao.inspectors i
    cross join lateral app.inspector_workload(i.id, $1) as w(body)
    where app.may_see_workload(i.id)
        and app.days_in_office(i.id, make_date($1, 1, 1), make_date($1, 12, 31)) > 0
$$;


-- Views ----------------------------------------------------------------------

drop view if exists app.public_awards_json, app.awards_json, app.award_decisions_json,
    app.rank_applications_json, app.inspector_ranks_json, app.inspector_assessments_json;

create view app.inspector_assessments_json with (security_invoker = true) as
select a.*,
    json_build_object(
        'id', a.id, 'version', a.version, 'inspector_id', a.inspector_id,
        'inspector_name', app.inspector_name(a.inspector_id), 'year', a.year,
        'self_review', a.self_review, 'self_reviewed_on', a.self_reviewed_on,
        'dimensions', a.dimensions, 'weights', a.weights, 'score', a.score,
        'grade', a.grade, 'comment', a.comment,
        'assessed_by', app.display_name(a.assessed_by), 'assessed_on', a.assessed_on,
        'confirmed_by', app.display_name(a.confirmed_by), 'confirmed_on', a.confirmed_on,
        'voided_at', app.ts(a.voided_at), 'void_reason', a.void_reason,
        'state', a.state,
        'allowed_actions', app.allowed_actions('inspector_assessments',
            case when a.voided_at is null then a.state end),
        'created_at', app.ts(a.created_at), 'updated_at', app.ts(a.updated_at),
        'is_demo', a.is_demo) as body
from dudao.inspector_assessments a;

create view app.inspector_ranks_json with (security_invoker = true) as
select r.*,
    json_build_object(
        'id', r.id, 'version', r.version, 'code', r.code, 'name', r.name,
        'order', r."order", 'criteria', r.criteria, 'enabled', r.enabled,
        'created_at', app.ts(r.created_at), 'updated_at', app.ts(r.updated_at),
        'is_demo', r.is_demo) as body
from dudao.inspector_ranks r;

create view app.rank_applications_json with (security_invoker = true) as
select a.*,
    json_build_object(
        'id', a.id, 'version', a.version, 'code', a.code, 'inspector_id', a.inspector_id,
        'inspector_name', app.inspector_name(a.inspector_id),
        'from_rank_id', a.from_rank_id, 'from_rank_name', app.rank_name(a.from_rank_id),
        'to_rank_id', a.to_rank_id, 'to_rank_name', app.rank_name(a.to_rank_id),
        'statement', a.statement, 'materials', a.materials, 'applied_on', a.applied_on,
        'review_comment', a.review_comment, 'review_panel', a.review_panel,
        'score', a.score, 'evaluated_on', a.evaluated_on,
        'publicity_from', a.publicity_from, 'publicity_to', a.publicity_to,
        'publicity_publication_id', a.publicity_publication_id,
        'decision_doc_no', a.decision_doc_no, 'decided_on', a.decided_on,
        'reject_reason', a.reject_reason,
        'voided_at', app.ts(a.voided_at), 'void_reason', a.void_reason,
        'state', a.state,
        'allowed_actions', app.allowed_actions('rank_applications',
            case when a.voided_at is null then a.state end),
        'created_at', app.ts(a.created_at), 'updated_at', app.ts(a.updated_at),
        'is_demo', a.is_demo) as body
from dudao.rank_applications a;

-- Who objected is not for the recipient to know.
create view app.awards_json with (security_invoker = true) as
select a.*,
    json_build_object(
        'id', a.id, 'version', a.version, 'code', a.code, 'year', a.year, 'kind', a.kind,
        'title', a.title, 'level', a.level,
        'recipient_inspector_id', a.recipient_inspector_id,
        'recipient_organization_id', a.recipient_organization_id,
        'recipient_zone_id', a.recipient_zone_id,
        'recipient_name', app.award_recipient(a), 'citation', a.citation,
        'basis_subject_type', a.basis_subject_type, 'basis_subject_id', a.basis_subject_id,
        'basis_grade', a.basis_grade, 'basis_text', a.basis_text,
        'amount_fen', a.amount_fen, 'currency', 'CNY', 'budget_line_id', a.budget_line_id,
        'reviewed_on', a.reviewed_on,
        'publicity_from', a.publicity_from, 'publicity_to', a.publicity_to,
        'objections', case when (select app.roles() && '{committee_director,chief_inspector,deputy_chief_inspector,office_staff,auditor}')
            then a.objections else '[]'::jsonb end,
        'publicity_publication_id', a.publicity_publication_id,
        'notice_publication_id', a.notice_publication_id,
        'doc_no', a.doc_no, 'granted_by', app.display_name(a.granted_by),
        'granted_on', a.granted_on, 'revoked_on', a.revoked_on, 'end_reason', a.end_reason,
        'voided_at', app.ts(a.voided_at), 'void_reason', a.void_reason,
        'state', a.state,
        'allowed_actions', app.allowed_actions('awards', case when a.voided_at is null then a.state end),
        'created_at', app.ts(a.created_at), 'updated_at', app.ts(a.updated_at),
        'is_demo', a.is_demo) as body
from dudao.awards a;

create view app.award_decisions_json with (security_invoker = true) as
select d.*,
    json_build_object(
        'id', d.id, 'version', d.version, 'year', d.year, 'kind', d.kind,
        'decision', d.decision, 'reason', d.reason, 'doc_no', d.doc_no,
        'decided_by', app.display_name(d.decided_by), 'decided_on', d.decided_on,
        'voided_at', app.ts(d.voided_at), 'void_reason', d.void_reason,
        'state', d.state,
        'allowed_actions', app.allowed_actions('award_decisions', case when d.voided_at is null then d.state end),
        'created_at', app.ts(d.created_at), 'updated_at', app.ts(d.updated_at),
        'is_demo', d.is_demo) as body
from dudao.award_decisions d;

-- What everybody may read: no inner states, no money, no objections.
create view app.public_awards_json with (security_invoker = true) as
select a.id, a.code, a.year, a.kind, a.search, a.publicity_from, a.state,
    json_build_object(
        'code', a.code, 'year', a.year, 'kind', a.kind, 'title', a.title, 'level', a.level,
        'recipient_name', app.award_recipient(a), 'citation', a.citation,
        'publicity_from', a.publicity_from, 'publicity_to', a.publicity_to,
        'is_granted', a.state = 'granted', 'doc_no', a.doc_no, 'granted_on', a.granted_on) as body
from dudao.awards a
where a.state in ('publicized', 'granted') and a.voided_at is null;
