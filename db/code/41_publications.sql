-- Publication (3.23): C2.3.1.b, C2.3.1.c, C2.3.2.g, C2.3.4.h, L-XX-01.

select app.register('publication_channels', permission_group => 'publications');
select app.register('publications', permission_group => 'publications',
    machine => true, legal => true, editable_in => '{draft}',
    read_only => '{code,secrecy_reviewer_id,secrecy_reviewed_at,secrecy_result,
        approved_by,approved_at,published_at,withdrawn_at,withdraw_reason,
        scheduled_at,correction_of_id}', searched => '{title,summary,body}');
select app.register('publication_placements', permission_group => 'publications',
    read_only => '{check_at,reachable}');

-- o: the unit's own; p: what everybody sees; x: the channels, for the
-- administrator, who has no business with content.
insert into app.scope_predicates(resource, scope, predicate) values
    ('publications', 'o', 'publisher_org_id = (select app.organization_id())'),
    ('publications', 'p', 'state in (''published'', ''corrected'') and (expires_at is null or expires_at > now())'),
    ('publications', 'x', 'false'),
    ('publication_channels', 'o', 'false'),
    ('publication_channels', 'p', 'active'),
    ('publication_channels', 'x', 'true'),
    ('publication_placements', 'o', 'exists (select from dudao.publications s where s.id = publication_id and s.publisher_org_id = (select app.organization_id()))'),
    ('publication_placements', 'p', 'exists (select from dudao.publications s where s.id = publication_id)'),
    ('publication_placements', 'x', 'false')
on conflict (resource, scope) do update set predicate = excluded.predicate;

insert into app.row_rules(resource, name, expression, pointer, code, rule_id, clause_id, params) values
    ('publications', 'title_names_nobody', 'not app.names_a_person(new.title)', '/title', 'personal-data', 'R-PUB-03', 'L-XX-01', null),
    ('publications', 'body_names_nobody', 'not app.names_a_person(new.body)', '/body', 'personal-data', 'R-PUB-03', 'L-XX-01', null),
    ('publications', 'summary_names_nobody', 'not app.names_a_person(new.summary)', '/summary', 'personal-data', 'R-PUB-03', 'L-XX-01', null),
    ('publications', 'reason_names_nobody', 'not app.names_a_person(new.withdraw_reason)', '/reason', 'personal-data', 'R-PUB-03', 'L-XX-01', null),
    ('publications', 'expiry_after_publication', 'new.expires_at > new.published_at', '/expires_at', 'date-before-start', null, null, null),
    ('publications', 'published_at_a_time', 'new.state not in (''published'', ''corrected'') or new.published_at is not null', '/published_at', 'required', null, null, null),
    ('publications', 'unit_publishes_rectification',
     'not app.is_unit_account() or new.kind = ''rectification_disclosure''',
     '/kind', 'unit-publishes-rectification-only', 'R-PRB-06', 'C2.3.2.g', null),
    -- checked at once: a draft about another unit's problem would keep that
    -- unit from its own disclosure
    ('publications', 'problem_of_the_publisher',
     'new.subject_type is distinct from ''problems'' or exists (select from dudao.problems p
        where p.id = new.subject_id and p.organization_id = new.publisher_org_id)',
     '/subject_id', 'disclosure-of-another-unit', 'R-PRB-06', 'C2.3.2.g', null),
    -- the text that was reviewed is the text that is published
    ('publications', 'text_is_kept',
     'old.id is null or (old.state = ''draft'' and new.state = ''draft'')
        or (old.state = ''submitted'' and new.state = ''secrecy_checked'')
        or (new.kind, new.subject_type, new.subject_id, new.publisher_org_id,
            new.title, new.summary, new.body, new.is_major, new.correction_of_id)
        is not distinct from
           (old.kind, old.subject_type, old.subject_id, old.publisher_org_id,
            old.title, old.summary, old.body, old.is_major, old.correction_of_id)',
     '/body', 'not-editable', 'R-PUB-03', 'L-XX-01', null),
    ('publications', 'steps_are_kept',
     'old.id is null or old.state <> new.state
        or (new.code, new.redaction_note, new.secrecy_reviewer_id,
            new.secrecy_reviewed_at, new.secrecy_result, new.approved_by,
            new.approved_at, new.scheduled_at, new.published_at,
            new.withdrawn_at, new.withdraw_reason)
        is not distinct from
           (old.code, old.redaction_note, old.secrecy_reviewer_id,
            old.secrecy_reviewed_at, old.secrecy_result, old.approved_by,
            old.approved_at, old.scheduled_at, old.published_at,
            old.withdrawn_at, old.withdraw_reason)',
     '/state', 'not-editable', 'R-PUB-03', 'L-XX-01', null),
    ('publication_placements', 'place_is_named',
     'new.url is not null or new.broadcast_slot is not null',
     '/url', 'placement-without-place', 'R-PUB-01', 'C2.3.1.b', null),
    -- an address can be looked up, a broadcast or a board cannot
    ('publication_placements', 'slot_has_evidence',
     'new.url is not null or new.broadcast_slot is null or new.evidence_attachment_id is not null',
     '/evidence_attachment_id', 'evidence-required', 'R-PUB-01', 'C2.3.1.b', null),
    ('publication_placements', 'publication_is_approved',
     'old.id is not null or exists (select from dudao.publications p
        where p.id = new.publication_id and p.state in (''approved'', ''scheduled'', ''published''))',
     '/publication_id', 'placement-before-approval', 'R-PUB-01', 'C2.3.1.b', null),
    ('publication_placements', 'channel_is_active',
     'old.channel_id is not distinct from new.channel_id
        or exists (select from dudao.publication_channels c where c.id = new.channel_id and c.active)',
     '/channel_id', 'channel-not-active', 'R-PUB-01', 'C2.3.1.b', null),
    ('publication_placements', 'stays_with_its_publication',
     'old.id is null or (new.publication_id, new.channel_id) = (old.publication_id, old.channel_id)',
     '/publication_id', 'read-only-field', null, null, null),
    ('publication_placements', 'not_in_the_future', 'new.placed_at <= app.now() + interval ''5 minutes''', '/placed_at', 'date-in-future', null, null, null);

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('publications.kind', 'supervision_report', '督导报告', 'Supervision report', 1),
    ('publications.kind', 'evaluation_result', '评估结果', 'Evaluation result', 2),
    ('publications.kind', 'rectification_disclosure', '整改情况', 'Rectification', 3),
    ('publications.kind', 'accountability_result', '问责结果', 'Accountability result', 4),
    ('publications.kind', 'appointment_notice', '聘任公示/公布', 'Appointment notice', 5),
    ('publications.kind', 'plaque_list', '挂牌名单', 'Plaques', 6),
    ('publications.kind', 'circular', '通报', 'Circular', 7),
    ('publications.kind', 'policy', '制度文件', 'Policy', 8),
    ('publications.kind', 'recommendation', '建议', 'Recommendation', 9),
    ('publications.kind', 'other', '其他', 'Other', 10),
    ('publications.secrecy_result', 'pass', '可以公开', 'May be published', 1),
    ('publications.secrecy_result', 'redact', '删减后公开', 'To be redacted', 2),
    ('publications.secrecy_result', 'refuse', '不得公开', 'Must not be published', 3),
    ('publication_channels.kind', 'gov_portal', '政府门户网站', 'Government portal', 1),
    ('publication_channels.kind', 'broadcast_tv', '广播电视', 'Broadcast', 2),
    ('publication_channels.kind', 'official_account', '官方公众号', 'Official account', 3),
    ('publication_channels.kind', 'other_media', '其他媒体', 'Other media', 4),
    ('publication_channels.kind', 'notice_board', '公示栏', 'Notice board', 5),
    ('publication_channels.kind', 'system_public', '本系统公开页', 'This system', 6);


-- Views ----------------------------------------------------------------------

drop view if exists app.public_publications_json, app.publication_placements_json,
    app.publications_json, app.publication_channels_json;

create view app.publication_channels_json with (security_invoker = true) as
select c.*,
    json_build_object(
        'id', c.id, 'version', c.version, 'kind', c.kind, 'name', c.name,
        'owner_org_id', c.owner_org_id, 'url', c.url, 'active', c.active,
        'created_at', app.ts(c.created_at), 'updated_at', app.ts(c.updated_at),
        'is_demo', c.is_demo) as body
from dudao.publication_channels c;

create view app.publication_placements_json with (security_invoker = true) as
select p.*,
    json_build_object(
        'id', p.id, 'version', p.version, 'publication_id', p.publication_id,
        'channel_id', p.channel_id, 'url', p.url,
        'broadcast_slot', p.broadcast_slot, 'placed_at', app.ts(p.placed_at),
        'evidence_attachment_id', p.evidence_attachment_id,
        'check_at', app.ts(p.check_at), 'reachable', p.reachable,
        'created_at', app.ts(p.created_at), 'updated_at', app.ts(p.updated_at),
        'is_demo', p.is_demo) as body
from dudao.publication_placements p;

create view app.publications_json with (security_invoker = true) as
select p.id, p.version, p.code, p.kind, p.subject_type, p.subject_id,
    p.publisher_org_id, p.state, p.published_at, p.created_at, p.search,
    json_build_object(
        'id', p.id, 'version', p.version, 'code', p.code, 'kind', p.kind,
        'subject_type', p.subject_type, 'subject_id', p.subject_id,
        'publisher_org_id', p.publisher_org_id, 'title', p.title,
        'summary', p.summary, 'body', p.body, 'is_major', p.is_major,
        'redaction_note', p.redaction_note,
        'secrecy_review', case when p.secrecy_reviewed_at is not null then
            json_build_object('reviewer_id', p.secrecy_reviewer_id,
                'at', app.ts(p.secrecy_reviewed_at), 'result', p.secrecy_result) end,
        'approved_by', p.approved_by, 'approved_at', app.ts(p.approved_at),
        'scheduled_at', app.ts(p.scheduled_at),
        'published_at', app.ts(p.published_at),
        'expires_at', app.ts(p.expires_at),
        'correction_of_id', p.correction_of_id,
        'withdrawn_at', app.ts(p.withdrawn_at), 'withdraw_reason', p.withdraw_reason,
        'voided_at', app.ts(p.voided_at), 'void_reason', p.void_reason,
        'state', p.state,
        'allowed_actions', app.allowed_actions('publications', p.state),
        'created_at', app.ts(p.created_at), 'updated_at', app.ts(p.updated_at),
        'is_demo', p.is_demo) as body
from dudao.publications p;

-- Where a publication stands; a channel that is no longer in use, which the
-- public does not see by itself, is still where it was published.
create or replace function app.public_placements(publication uuid) returns json
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(json_agg(json_build_object(
            'channel', c.name, 'kind', c.kind, 'url', l.url,
            'broadcast_slot', l.broadcast_slot, 'placed_at', app.ts(l.placed_at))
            order by l.placed_at, l.id), '[]')
        from dudao.publication_placements l
        join dudao.publication_channels c on c.id = l.channel_id
        where l.publication_id = publication);
end
$$;

-- What everybody may read: no authors, no reviewers, no inner states. The
-- publisher's name stays when the unit itself is no more.
create view app.public_publications_json with (security_invoker = true) as
select p.id, p.version, p.code, p.kind, p.subject_type, p.subject_id,
    p.publisher_org_id, p.state, p.published_at, p.created_at, p.search,
    json_build_object(
        'code', p.code, 'kind', p.kind, 'title', p.title,
        'summary', p.summary, 'body', p.body,
        'publisher', app.organization_name(p.publisher_org_id),
        'published_at', app.ts(p.published_at),
        'is_corrected', p.state = 'corrected',
        'corrected_by_code', (select c.code from dudao.publications c
            where c.correction_of_id = p.id and c.state = 'published'
            order by c.published_at desc limit 1),
        'correction_of_code', (select c.code from dudao.publications c
            where c.id = p.correction_of_id),
        'placements', app.public_placements(p.id)) as body
from dudao.publications p
where p.state in ('published', 'corrected')
    and (p.expires_at is null or p.expires_at > now());


-- Steps ----------------------------------------------------------------------

create or replace function app.is_unit_account() returns boolean
language sql stable
as $$
    select app.roles() && '{school_account,township_account,department_account}'
        and not app.roles() && '{office_staff,deputy_chief_inspector,chief_inspector}'
$$;

-- A unit publishes in its own name, the office in the office's.
create or replace function app.before_create_publications(r dudao.publications, body jsonb)
returns dudao.publications
language plpgsql
as $$
begin
    r.code := app.next_code('GK');
    if r.publisher_org_id is null or app.is_unit_account() then
        r.publisher_org_id := app.organization_id();
    end if;
    return r;
end
$$;

-- Is the subject in a state in which it may be shown? Runs as owner: the
-- answer is about the subject, not about who asks.
create or replace function app.subject_faults(p dudao.publications) returns app.fault[]
language plpgsql stable security definer
as $$
declare
    problem dudao.problems;
    is_publishable boolean;
    faults app.fault[] := '{}';
begin
    if p.kind = 'rectification_disclosure' and p.subject_type is distinct from 'problems' then
        return array[app.fault('disclosure-needs-problem', '/subject_id', null, 'R-PRB-06', 'C2.3.2.g')];
    end if;
    case p.subject_type
    when 'problems' then
        select * into problem from dudao.problems x where x.id = p.subject_id;
        is_publishable := problem.is_public and p.kind = 'rectification_disclosure';
        if problem.state <> 'struck_off' then
            faults := array[app.fault('disclosure-before-strike-off', '/subject_id',
                jsonb_build_object('state', problem.state), 'R-PRB-06', 'C2.3.2.g')];
        end if;
    when 'policy_documents' then
        is_publishable := exists (select from dudao.policy_documents d
            where d.id = p.subject_id and d.is_public and d.voided_at is null
                and d.state in ('in_force', 'superseded', 'repealed'));
    when 'inspector_appointments' then
        is_publishable := exists (select from dudao.inspector_appointments a
            where a.id = p.subject_id
                and a.state not in ('recommended', 'reviewing', 'rejected'));
    when 'plaques' then
        is_publishable := exists (select from dudao.plaques x
            where x.id = p.subject_id and x.state = 'posted');
    when 'supervision_tasks' then
        is_publishable := exists (select from dudao.supervision_tasks t
            where t.id = p.subject_id and t.state not in ('draft', 'approved', 'cancelled'));
    -- 3.8: not before it was delivered, though prepared since it was issued
    when 'supervision_reports' then
        is_publishable := p.kind = 'supervision_report' and exists (
            select from dudao.supervision_reports r
            where r.id = p.subject_id and r.disclosure <> 'exempt'
                and (r.state in ('delivered', 'published')
                    or (r.state = 'issued' and p.state <> 'published')));
    -- 3.6: results that the committee has finalized
    when 'evaluation_campaigns' then
        is_publishable := p.kind = 'evaluation_result' and exists (
            select from dudao.evaluation_campaigns c
            where c.id = p.subject_id
                and c.state in ('finalized', 'published', 'closed'));
    else
        is_publishable := p.subject_type is null;
    end case;
    if is_publishable is not true then
        faults := faults || app.fault('subject-not-publishable', '/subject_id', null, 'R-PUB-01', 'C2.3.1.b');
    end if;
    return faults;
end
$$;

-- Whose text it is: who drafted it, and whoever changed it since.
create or replace function app.has_written(publication_id uuid, user_id uuid) returns boolean
language plpgsql stable security definer
as $$
begin
    return exists (
        select from dudao.audit_logs l
        where l.subject_type = 'publications' and l.subject_id = $1
            and l.user_id = $2 and l.action in ('create', 'update', 'submit'));
end
$$;

create or replace function app.before_publications(action text, r dudao.publications, data jsonb)
returns dudao.publications
language plpgsql
as $$
declare
    placement jsonb;
begin
    case action
    when 'secrecy_check' then
        r.secrecy_reviewer_id := app.user_id();
        r.secrecy_reviewed_at := app.now();
        r.secrecy_result := data ->> 'result';
        r.redaction_note := coalesce(data ->> 'redaction_note', r.redaction_note);
        if data ->> 'result' = 'redact' then
            r.body := coalesce(data ->> 'redacted_body', r.body);
            r.summary := coalesce(data ->> 'redacted_summary', r.summary);
        end if;
    when 'approve' then
        r.approved_by := app.user_id();
        r.approved_at := app.now();
    when 'schedule', 'publish' then
        if action = 'schedule' then
            r.scheduled_at := (data ->> 'scheduled_at')::timestamptz;
        else
            r.published_at := app.now();
        end if;
        for placement in select * from jsonb_array_elements(coalesce(data -> 'placements', '[]')) loop
            perform app.place(r.id, placement);
        end loop;
    when 'withdraw' then
        r.withdrawn_at := app.now();
        r.withdraw_reason := data ->> 'reason';
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.place(publication_id uuid, placement jsonb) returns void
language sql
as $$
    insert into dudao.publication_placements(publication_id, channel_id, url,
        broadcast_slot, placed_at, evidence_attachment_id)
    values ($1, (placement ->> 'channel_id')::uuid, placement ->> 'url',
        placement ->> 'broadcast_slot',
        coalesce((placement ->> 'placed_at')::timestamptz, app.now()),
        (placement ->> 'evidence_attachment_id')::uuid)
$$;

-- C2.3.1.b: nothing is published nowhere.
create or replace function app.placement_faults(publication_id uuid) returns app.fault[]
language plpgsql stable security definer
as $$
begin
    if exists (select from dudao.publication_placements p
            where p.publication_id = placement_faults.publication_id) then
        return '{}';
    end if;
    return array[app.fault('placement-missing', '/placements', null, 'R-PUB-01', 'C2.3.1.b')];
end
$$;

create or replace function app.guard_publications(
    action text, old dudao.publications, new dudao.publications, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
begin
    case action
    when 'submit' then
        faults := app.subject_faults(new);
    when 'secrecy_check' then
        -- four eyes: nobody reviews his own text (R-PUB-03)
        if app.has_written(new.id, app.user_id())
                or new.secrecy_reviewer_id is distinct from app.user_id() then
            faults := faults || app.fault('separation-of-duties', null, null, 'R-PUB-03', 'L-XX-01');
        end if;
        if new.secrecy_result is null or new.secrecy_result = 'refuse' then
            faults := faults || app.fault('secrecy-review-not-passed', '/result', null, 'R-PUB-03', 'L-XX-01');
        end if;
        if new.secrecy_result = 'redact' and coalesce(new.redaction_note, '') = '' then
            faults := faults || app.fault('redaction-note-missing', '/redaction_note', null, 'R-PUB-03', 'L-XX-01');
        end if;
        -- 3.23: no full text where the disclosure is a redacted one
        if new.secrecy_result = 'redact' and (new.summary, new.body)
                is not distinct from (old.summary, old.body) then
            faults := faults || app.fault('text-not-redacted', '/redacted_body', null, 'R-PUB-03', 'L-XX-01');
        end if;
    when 'approve' then
        if app.has_written(new.id, app.user_id())
                or new.approved_by is distinct from app.user_id() then
            faults := faults || app.fault('separation-of-duties', null, null, 'R-PUB-03', 'L-XX-01');
        end if;
        if (new.is_major or new.kind = 'accountability_result')
                and not app.has_role('committee_director') then
            faults := faults || app.fault('needs-director', null, null, 'R-RPT-05', 'C2.1.1.e');
        end if;
    when 'schedule' then
        if new.scheduled_at is null or new.scheduled_at <= app.now() then
            faults := faults || app.fault('date-not-in-future', '/scheduled_at');
        end if;
        faults := faults || app.placement_faults(new.id);
    when 'publish' then
        faults := app.subject_faults(new) || app.placement_faults(new.id);
        if new.approved_at is null then
            faults := faults || app.fault('approval-missing', null, null, 'R-PUB-01', 'C2.3.1.b');
        end if;
        if old.state = 'scheduled' and old.scheduled_at > app.now() then
            faults := faults || app.fault('before-scheduled-time', null,
                jsonb_build_object('scheduled_at', app.ts(old.scheduled_at)));
        end if;
    when 'correct' then
        if not exists (select from dudao.publications c
                where c.correction_of_id = new.id and c.state = 'published') then
            faults := faults || app.fault('correction-missing', null, null, 'R-PUB-01', 'C2.3.1.b');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

-- The index of publications for the superior platform, with where they stand.
create or replace function app.tell_publication(publication_id uuid) returns void
language plpgsql security definer
as $$
declare
    p dudao.publications;
begin
    select * into p from dudao.publications x where x.id = publication_id;
    perform app.enqueue('X-15', case p.state when 'withdrawn' then 'withdraw' else 'upsert' end,
        'publications', p.id, 'publication:' || p.code,
        jsonb_build_object('code', p.code, 'kind', p.kind, 'title', p.title,
            'state', p.state, 'published_at', app.ts(p.published_at),
            'reason', p.withdraw_reason,
            'urls', (select coalesce(jsonb_agg(x.url order by x.placed_at, x.id), '[]')
                from dudao.publication_placements x
                where x.publication_id = p.id and x.url is not null)));
end
$$;

create or replace function app.after_create_publication_placements(
    r dudao.publication_placements, body jsonb)
returns void
language plpgsql security definer
as $$
begin
    if exists (select from dudao.publications p
            where p.id = r.publication_id and p.state = 'published') then
        perform app.tell_publication(r.publication_id);
    end if;
end
$$;

create or replace function app.effect_publications(
    action text, old dudao.publications, new dudao.publications, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    case action
    when 'submit' then
        perform app.notify('publications', new.id, 'publication_submitted',
            '待保密审查', new.title, app.users_with_role('office_staff'));
    when 'secrecy_check' then
        perform app.notify('publications', new.id, 'publication_to_approve',
            '待批准公开', new.title, app.users_with_role(
                case when new.is_major or new.kind = 'accountability_result'
                    then 'committee_director' else 'chief_inspector' end));
    when 'reject' then
        perform app.notify('publications', new.id, 'publication_rejected',
            '公开未通过', new.title, array[new.created_by]);
    when 'approve' then
        perform app.notify('publications', new.id, 'publication_approved',
            '已批准公开', new.title, app.users_with_role('office_staff'));
    when 'publish' then
        if new.subject_type = 'problems' then
            perform app.meet_deadline('problems', new.subject_id, 'disclosure');
        end if;
        -- what was planned for this moment stands there from now on
        if old.state = 'scheduled' then
            update dudao.publication_placements p
            set placed_at = new.published_at
            where p.publication_id = new.id and p.placed_at < new.published_at;
        end if;
        -- the chief inspector then marks the old one as corrected
        if new.correction_of_id is not null then
            perform app.notify('publications', new.correction_of_id, 'publication_to_correct',
                '更正稿已发布', new.title, app.users_with_role('chief_inspector'));
        end if;
        perform app.tell_publication(new.id);
    when 'correct', 'withdraw' then
        perform app.tell_publication(new.id);
    else
        null;
    end case;
end
$$;

-- A correcting item: a new draft that names the one it corrects.
create or replace function app.create_correction(publication_id uuid, body jsonb)
returns setof app.answer
language plpgsql
as $$
declare
    old dudao.publications;
    made uuid;
begin
    select * into old from dudao.publications p where p.id = publication_id;
    if old.id is null then
        return;
    end if;
    -- a correction that was withdrawn may be followed by another
    if old.state not in ('published', 'corrected') then
        perform app.refuse(409, 'illegal-transition', extra => jsonb_build_object(
            'state', old.state, 'rule_id', 'R-PUB-01', 'clause_id', 'C2.3.1.b',
            'allowed_actions', app.allowed_actions('publications', old.state)::jsonb));
    end if;
    insert into dudao.publications(code, kind, subject_type, subject_id,
        publisher_org_id, title, summary, body, is_major, correction_of_id)
    values (app.next_code('GK'), old.kind, old.subject_type, old.subject_id,
        old.publisher_org_id, body ->> 'title', body ->> 'summary',
        body ->> 'body', old.is_major, old.id)
    returning id into made;
    return query
        select 201, '/v1/publications/' || v.id, v.version::text, v.body::text
        from app.publications_json v
        where v.id = made;
end
$$;

-- Withdrawn items answer 410 with the reason, others 404.
create or replace function app.read_public_publication(wanted text) returns setof app.answer
language plpgsql stable security definer
as $$
declare
    gone dudao.publications;
begin
    return query
        -- placements and corrections are part of it: no version of its own
        select 200, null::text, left(md5(v.body::text), 16), v.body::text
        from app.public_publications_json v
        where v.code = wanted;
    if found then
        return;
    end if;
    select * into gone from dudao.publications p
    where p.code = wanted and p.state = 'withdrawn';
    if gone.id is not null then
        perform app.refuse(410, 'publication-withdrawn', extra => jsonb_build_object(
            'params', jsonb_build_object('reason', gone.withdraw_reason,
                'withdrawn_at', app.ts(gone.withdrawn_at))));
    end if;
end
$$;
