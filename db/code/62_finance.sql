-- Conditions (2.10, 3.18, 3.24: C3.1, C3.2.a) and exchange (8.3, 2.11: C3.2.b).

select app.register('budgets', permission_group => 'finance', machine => true,
    editable_in => '{draft}',
    read_only => '{approved_fen,approved_doc_no,approved_on,revision}');
select app.register('budget_lines', permission_group => 'finance',
    deletable => true, read_only => '{reserved_fen,paid_fen}');
select app.register('expense_claims', permission_group => 'finance', machine => true,
    editable_in => '{draft,returned}',
    read_only => '{code,activity_on,category,total_fen,submitted_at,checked_by,
        checked_at,approved_by,approved_at,paid_by,paid_on,voucher_no,reject_reason}',
    searched => '{code,note}');
select app.register('expense_items', permission_group => 'finance',
    deletable => true, read_only => '{standard_limit_fen,released}');
select app.register('facilities', permission_group => 'finance',
    searched => '{name,asset_no}');
select app.register('informatization_items', permission_group => 'informatization',
    searched => '{title}');
select app.register('external_identifiers', permission_group => 'informatization',
    deletable => true);
-- its steps are its trail
select app.register('exchange_messages', permission_group => 'informatization',
    machine => true, audit => false);

-- The superior body whose platform the caller is (8.3).
create or replace function app.my_peer() returns text
language plpgsql stable security definer
as $$
begin
    return (
        select case when d.level = 'province' then 'provincial_platform'
            else 'municipal_platform' end
        from dudao.organizations o
        join dudao.divisions d on d.id = o.division_id
        where o.id = (select app.organization_id())
            and o.kind = 'superior_supervision_body');
end
$$;

-- z: facilities of the own zone; n: the own claims; p: the budget's total;
-- o: what is exchanged with the caller's platform.
insert into app.scope_predicates(resource, scope, predicate) values
    ('budgets', 'z', 'false'),
    ('budgets', 'n', 'false'),
    ('budgets', 'p', 'state in (''approved'', ''adjusted'', ''closed'')'),
    ('budget_lines', 'z', 'false'),
    ('budget_lines', 'n', 'false'),
    ('budget_lines', 'p', 'false'),
    ('expense_claims', 'z', 'false'),
    ('expense_claims', 'n', 'claimant_inspector_id = (select app.inspector_id())'),
    ('expense_claims', 'p', 'false'),
    ('expense_items', 'z', 'false'),
    ('expense_items', 'n', 'exists (select from dudao.expense_claims c where c.id = claim_id and c.claimant_inspector_id = (select app.inspector_id()))'),
    ('expense_items', 'p', 'false'),
    ('facilities', 'z', 'zone_id = any ((select app.my_zone_ids())::uuid[])'),
    ('facilities', 'n', 'false'),
    ('facilities', 'p', 'false'),
    ('informatization_items', 'o', 'false'),
    ('external_identifiers', 'o', 'system = (select app.my_peer())'),
    ('exchange_messages', 'o', 'peer = (select app.my_peer())')
on conflict (resource, scope) do update set predicate = excluded.predicate;

insert into app.row_rules(resource, name, expression, pointer, code, rule_id, clause_id, params) values
    ('budgets', 'lines_fit',
     'coalesce(step.action in (''approve'', ''adjust''), false)
        or app.lines_total(new.id) <= coalesce(new.approved_fen, new.requested_fen)',
     '/requested_fen', 'lines-exceed-budget', 'R-FIN-02', 'C3.1.b',
     'jsonb_build_object(''total'', app.lines_total(new.id), ''limit'', coalesce(new.approved_fen, new.requested_fen))'),
    ('budgets', 'approval_is_there',
     'new.state in (''draft'', ''submitted'')
        or num_nulls(new.approved_fen, new.approved_doc_no, new.approved_on) = 0',
     '/approved_doc_no', 'approval-document-required', 'R-FIN-01', 'C3.1.a', null),
    ('budgets', 'approval_not_in_future', 'new.approved_on <= app.today()',
     '/approved_on', 'date-in-future', 'R-FIN-01', 'C3.1.a', null),
    ('budgets', 'approval_is_kept',
     'old.id is null or coalesce(step.action in (''approve'', ''adjust''), false)
        or (new.approved_fen, new.approved_doc_no, new.approved_on)
        is not distinct from (old.approved_fen, old.approved_doc_no, old.approved_on)',
     '/approved_fen', 'not-editable', 'R-FIN-01', 'C3.1.a', null),
    ('budgets', 'request_is_kept',
     'old.id is null or (old.state = ''draft'' and new.state = ''draft'')
        or (new.year, new.funding_source, new.requested_fen)
        is not distinct from (old.year, old.funding_source, old.requested_fen)',
     '/requested_fen', 'not-editable', 'R-FIN-01', 'C3.1.a', null),
    -- C3.1.b: no transfer out of a line without approval
    ('budget_lines', 'changed_with_the_budget',
     '(old.id is not null and (new.budget_id, new.category, new.name, new.amount_fen)
            is not distinct from (old.budget_id, old.category, old.name, old.amount_fen))
        or app.budget_is_open(new.budget_id)',
     '/amount_fen', 'line-frozen', 'R-FIN-02', 'C3.1.b', null),
    ('budget_lines', 'stays_in_its_budget',
     'old.id is null or new.budget_id = old.budget_id',
     '/budget_id', 'read-only-field', null, null, null),
    ('budget_lines', 'within_the_budget',
     'new.amount_fen is not distinct from old.amount_fen
        or app.room_in_budget(new.budget_id, new.id) >= new.amount_fen',
     '/amount_fen', 'lines-exceed-budget', 'R-FIN-02', 'C3.1.b',
     'jsonb_build_object(''room'', app.room_in_budget(new.budget_id, new.id))'),
    -- what is promised and paid is what the claims say
    ('budget_lines', 'balance_of_claims',
     '(new.reserved_fen, new.paid_fen) = (select
            coalesce(sum(c.total_fen) filter (where c.state in (''checked'', ''approved'')), 0),
            coalesce(sum(c.total_fen) filter (where c.state = ''paid''), 0)
        from dudao.expense_claims c where c.budget_line_id = new.id)',
     '/reserved_fen', 'not-editable', 'R-FIN-02', 'C3.1.b', null),
    ('expense_claims', 'activity_type_known',
     'exists (select from app.claim_activities a where a.activity_type = new.activity_type)',
     '/activity_type', 'invalid-value', 'R-FIN-04', 'C3.1.d', null),
    ('expense_claims', 'of_an_activity',
     '(old.id is not null and (new.activity_type, new.activity_id, new.claimant_inspector_id)
            is not distinct from (old.activity_type, old.activity_id, old.claimant_inspector_id))
        or new.activity_on is not null',
     '/activity_id', 'unknown-reference', 'R-FIN-04', 'C3.1.d', null),
    ('expense_claims', 'of_the_own_activity',
     '(old.id is not null and (new.activity_type, new.activity_id, new.claimant_inspector_id)
            is not distinct from (old.activity_type, old.activity_id, old.claimant_inspector_id))
        or (app.claim_activity(new)).takes_part is not false',
     '/activity_id', 'activity-of-another', 'R-FIN-04', 'C3.1.d', null),
    ('expense_claims', 'of_an_official_activity',
     '(old.id is not null and (new.activity_type, new.activity_id, new.claimant_inspector_id)
            is not distinct from (old.activity_type, old.activity_id, old.claimant_inspector_id))
        or (app.claim_activity(new)).is_official is not false',
     '/activity_id', 'activity-not-official', 'R-FIN-04', 'C3.1.d', null),
    ('expense_claims', 'within_the_window',
     'old.id is not null or app.today() <= new.activity_on + app.parameter_int(''claim_window_days'')',
     '/activity_id', 'deadline-passed', 'R-FIN-04', 'C3.1.d',
     'jsonb_build_object(''due_on'', new.activity_on + app.parameter_int(''claim_window_days''))'),
    ('expense_claims', 'line_of_the_category',
     'new.budget_line_id is null or exists (select from dudao.budget_lines l
        where l.id = new.budget_line_id and l.category = new.category)',
     '/budget_line_id', 'line-of-another-category', 'R-FIN-02', 'C3.1.b',
     'jsonb_build_object(''category'', new.category)'),
    ('expense_claims', 'line_of_the_year',
     'new.budget_line_id is null or exists (select from dudao.budget_lines l
        join dudao.budgets b on b.id = l.budget_id
        where l.id = new.budget_line_id and b.year = extract(year from new.activity_on))',
     '/budget_line_id', 'line-of-another-year', 'R-FIN-02', 'C3.1.b',
     'jsonb_build_object(''year'', extract(year from new.activity_on))'),
    ('expense_claims', 'line_from_the_check',
     'new.budget_line_id is not null or new.state not in (''checked'', ''approved'', ''paid'')',
     '/budget_line_id', 'required', 'R-FIN-02', 'C3.1.b', null),
    ('expense_claims', 'voucher_of_the_payment',
     'new.state <> ''paid'' or num_nulls(new.paid_on, new.voucher_no, new.approved_by) = 0',
     '/voucher_no', 'required', 'R-FIN-04', 'C3.1.d', null),
    ('expense_claims', 'total_of_items',
     'old.id is null or new.total_fen = (select coalesce(sum(i.amount_fen), 0)
        from dudao.expense_items i where i.claim_id = new.id)',
     '/total_fen', 'not-editable', 'R-FIN-02', 'C3.1.b', null),
    -- 3.18: nothing is edited once it is submitted
    ('expense_claims', 'content_is_kept',
     'old.id is null or (old.state in (''draft'', ''returned'') and new.state = old.state)
        or (new.code, new.claimant_inspector_id, new.activity_type, new.activity_id, new.note, new.total_fen)
        is not distinct from
           (old.code, old.claimant_inspector_id, old.activity_type, old.activity_id, old.note, old.total_fen)',
     '/state', 'not-editable', 'R-FIN-02', 'C3.1.b', null),
    ('expense_claims', 'line_is_kept',
     'old.id is null or new.budget_line_id is not distinct from old.budget_line_id
        or coalesce(step.action in (''submit'', ''check''), false)
        or (old.state in (''draft'', ''returned'') and new.state = old.state)',
     '/budget_line_id', 'not-editable', 'R-FIN-02', 'C3.1.b', null),
    ('expense_claims', 'steps_are_kept',
     'old.id is null or old.state <> new.state
        or (new.submitted_at, new.checked_by, new.checked_at, new.approved_by,
            new.approved_at, new.paid_by, new.paid_on, new.voucher_no, new.reject_reason)
        is not distinct from
           (old.submitted_at, old.checked_by, old.checked_at, old.approved_by,
            old.approved_at, old.paid_by, old.paid_on, old.voucher_no, old.reject_reason)',
     '/state', 'not-editable', 'R-FIN-02', 'C3.1.b', null),
    ('expense_items', 'claim_is_open',
     '(old.id is not null and old.released <> new.released)
        or exists (select from dudao.expense_claims c
            where c.id = new.claim_id and c.state in (''draft'', ''returned''))',
     '/claim_id', 'not-editable', 'R-FIN-02', 'C3.1.b', null),
    ('expense_items', 'released_with_the_claim',
     'new.released is not distinct from coalesce(old.released, false)
        or (new.released and exists (select from dudao.expense_claims c
            where c.id = new.claim_id and c.state in (''rejected'', ''cancelled'')))',
     '/released', 'read-only-field', 'R-FIN-02', 'C3.1.b', null),
    ('expense_items', 'stays_in_its_claim',
     'old.id is null or new.claim_id = old.claim_id',
     '/claim_id', 'read-only-field', null, null, null),
    ('expense_items', 'not_in_the_future', 'new.occurred_on <= app.today()',
     '/occurred_on', 'date-in-future', 'R-FIN-04', 'C3.1.d', null),
    ('facilities', 'of_the_office',
     'new.organization_id is null or exists (select from dudao.organizations o
        where o.id = new.organization_id and o.kind in (''supervision_office'', ''research_center''))',
     '/organization_id', 'facility-of-another-unit', 'R-FIN-05', 'C3.1.e', null),
    ('facilities', 'area_of_rooms', 'new.area_m2 is null or new.kind = ''office_room''',
     '/area_m2', 'area-of-rooms-only', 'R-FIN-05', 'C3.1.e', null),
    ('facilities', 'acquired_in_the_past', 'new.acquired_on <= app.today()',
     '/acquired_on', 'date-in-future', 'R-FIN-05', 'C3.1.e', null),
    ('facilities', 'disposed_for_good', 'old.status is distinct from ''disposed'' or new.status = ''disposed''',
     '/status', 'not-editable', 'R-FIN-05', 'C3.1.e', null),
    -- C3.2.a: what is not in the plan in force is no item of it
    ('informatization_items', 'plan_in_force',
     'new.plan_document_id is not distinct from old.plan_document_id
        or exists (select from dudao.policy_documents d where d.id = new.plan_document_id
            and d.kind = ''it_plan'' and d.state = ''in_force'' and d.voided_at is null)',
     '/plan_document_id', 'it-plan-required', 'R-ITX-01', 'C3.2.a', null),
    ('informatization_items', 'line_of_informatization',
     'new.budget_line_id is null or exists (select from dudao.budget_lines l
        where l.id = new.budget_line_id and l.category in (''informatization'', ''equipment''))',
     '/budget_line_id', 'line-of-another-category', 'R-FIN-02', 'C3.1.b',
     '''{"category": "informatization"}'''),
    ('informatization_items', 'stage_forward',
     'old.id is null or app.it_stage(new.stage) >= app.it_stage(old.stage)',
     '/stage', 'stage-backwards', 'R-ITX-01', 'C3.2.a',
     'jsonb_build_object(''stage'', old.stage)'),
    ('informatization_items', 'progress_forward',
     'old.id is null or new.progress >= old.progress',
     '/progress', 'progress-backwards', 'R-ITX-01', 'C3.2.a',
     'jsonb_build_object(''min'', old.progress)'),
    ('informatization_items', 'running_is_built',
     'new.stage <> ''running'' or new.progress = 100',
     '/progress', 'running-before-complete', 'R-ITX-01', 'C3.2.a', null),
    ('external_identifiers', 'subject_exists',
     'app.can_read(new.subject_type, new.subject_id)',
     '/subject_id', 'unknown-reference', 'R-ITX-02', 'C3.2.b', null),
    ('external_identifiers', 'not_in_the_future',
     'new.first_seen_at <= app.now() + interval ''5 minutes''',
     '/first_seen_at', 'date-in-future', null, null, null),
    ('external_identifiers', 'identity_is_kept',
     'old.id is null or (new.subject_type, new.subject_id, new.system, new.external_id)
        = (old.subject_type, old.subject_id, old.system, old.external_id)',
     '/external_id', 'read-only-field', 'R-ITX-02', 'C3.2.b', null),
    ('external_identifiers', 'retired_for_good',
     'old.retired_at is null or new.retired_at is not distinct from old.retired_at',
     '/retired_at', 'not-editable', 'R-ITX-02', 'C3.2.b', null),
    ('exchange_messages', 'envelope_is_kept',
     'old.id is null or coalesce(step.action = ''requeue'', false)
        or (new.message_uid, new.direction, new.peer, new.type, new.op, new.subject_type,
            new.subject_id, new.business_key, new.revision, new.idempotency_key, new.payload)
        is not distinct from
           (old.message_uid, old.direction, old.peer, old.type, old.op, old.subject_type,
            old.subject_id, old.business_key, old.revision, old.idempotency_key, old.payload)',
     '/payload', 'not-editable', 'R-ITX-02', 'C3.2.b', null);

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('budgets.funding_source', 'fiscal', '财政', 'Public finance', 1),
    ('budgets.funding_source', 'other', '其他', 'Other', 2),
    ('budget_lines.category', 'inspector_activity', '督学活动', 'Inspectors'' activities', 1),
    ('budget_lines.category', 'training', '培训', 'Training', 2),
    ('budget_lines.category', 'monitoring_purchase', '购买服务', 'Purchased monitoring', 3),
    ('budget_lines.category', 'research', '研究', 'Research', 4),
    ('budget_lines.category', 'equipment', '设施设备', 'Equipment', 5),
    ('budget_lines.category', 'informatization', '信息化', 'Informatization', 6),
    ('budget_lines.category', 'award', '奖励', 'Awards', 7),
    ('budget_lines.category', 'other', '其他', 'Other', 8),
    ('expense_items.category', 'communication', '通信', 'Communication', 1),
    ('expense_items.category', 'transport', '交通', 'Transport', 2),
    ('expense_items.category', 'meals', '餐饮', 'Meals', 3),
    ('expense_items.category', 'lodging', '住宿', 'Lodging', 4),
    ('expense_items.category', 'labor', '劳务', 'Labour', 5),
    ('expense_items.category', 'other', '其他', 'Other', 6),
    ('facilities.kind', 'office_room', '办公用房', 'Office room', 1),
    ('facilities.kind', 'equipment', '设施设备', 'Equipment', 2),
    ('facilities.kind', 'vehicle', '车辆', 'Vehicle', 3),
    ('facilities.kind', 'other', '其他', 'Other', 4),
    ('facilities.status', 'in_use', '在用', 'In use', 1),
    ('facilities.status', 'idle', '闲置', 'Idle', 2),
    ('facilities.status', 'repairing', '维修中', 'Being repaired', 3),
    ('facilities.status', 'disposed', '已处置', 'Disposed of', 4),
    ('informatization_items.stage', 'planned', '已规划', 'Planned', 1),
    ('informatization_items.stage', 'building', '建设中', 'Being built', 2),
    ('informatization_items.stage', 'running', '运行中', 'Running', 3),
    ('informatization_items.stage', 'retired', '已停用', 'Retired', 4),
    ('external_identifiers.system', 'provincial_platform', '省级平台', 'Provincial platform', 1),
    ('external_identifiers.system', 'municipal_platform', '市级平台', 'Municipal platform', 2),
    ('external_identifiers.system', 'national_stats', '国家统计系统', 'National statistics', 3),
    ('exchange_messages.peer', 'municipal_platform', '市级平台', 'Municipal platform', 1),
    ('exchange_messages.peer', 'provincial_platform', '省级平台', 'Provincial platform', 2),
    ('exchange_messages.direction', 'out', '发出', 'Outgoing', 1),
    ('exchange_messages.direction', 'in', '收到', 'Incoming', 2),
    ('exchange_messages.op', 'upsert', '新增或更新', 'Upsert', 1),
    ('exchange_messages.op', 'withdraw', '撤回', 'Withdraw', 2),
    ('exchange_messages.op', 'event', '事件', 'Event', 3),
    ('exchange_messages.priority', 'normal', '普通', 'Normal', 1),
    ('exchange_messages.priority', 'urgent', '紧急', 'Urgent', 2);


-- Activities for which expenses are claimed (C3.1.d) ---------------------------

delete from app.claim_activities;
insert into app.claim_activities(activity_type, category, label_zh, label_en, statement) values
    ('visits', 'inspector_activity', '入校督导', 'Visit', $q$
        select v.visited_on, v.inspector_id = $2 or $2 = any (v.companion_ids),
            v.state not in ('draft', 'returned') and v.voided_at is null
        from dudao.visits v
        where v.id = $1 $q$),
    ('supervision_tasks', 'inspector_activity', '督导任务', 'Task', $q$
        select coalesce(t.completed_on, least(t.onsite_to, app.today()), t.started_on, app.today()),
            t.leader_inspector_id = $2 or exists (select from dudao.team_members m
                where m.task_id = t.id and m.inspector_id = $2),
            t.started_on is not null and t.state <> 'cancelled' and t.voided_at is null
        from dudao.supervision_tasks t
        where t.id = $1 $q$),
    ('meetings', 'inspector_activity', '会议', 'Meeting', $q$
        select coalesce(m.held_on, m.scheduled_on),
            exists (select from dudao.meeting_attendances a
                join dudao.inspectors i on i.person_id = a.person_id
                where a.meeting_id = m.id and i.id = $2 and a.attended is not false),
            m.held_on is not null and m.state not in ('postponed', 'cancelled')
        from dudao.meetings m
        where m.id = $1 $q$),
    ('training_sessions', 'training', '培训', 'Training', $q$
        select (s.starts_at at time zone 'Asia/Shanghai')::date,
            exists (select from dudao.training_records r
                where r.session_id = s.id and r.inspector_id = $2 and r.state <> 'absent'),
            s.state in ('in_progress', 'completed', 'closed')
        from dudao.training_sessions s
        where s.id = $1 $q$);
delete from app.claim_activities a where to_regclass('dudao.' || a.activity_type) is null;
insert into app.enumerations(name, value, label_zh, label_en, sort)
select 'expense_claims.activity_type', a.activity_type, a.label_zh, a.label_en,
    row_number() over (order by a.activity_type desc)
from app.claim_activities a;

drop type if exists app.claimed_activity cascade;
create type app.claimed_activity as (
    held_on     date,
    takes_part  boolean,
    is_official boolean
);

create or replace function app.claim_activity(c dudao.expense_claims)
returns app.claimed_activity
language plpgsql stable security definer
as $$
declare
    source text;
    result app.claimed_activity;
begin
    select a.statement into source
    from app.claim_activities a
    where a.activity_type = c.activity_type;
    if source is not null then
        execute source into result using c.activity_id, c.claimant_inspector_id;
    end if;
    return result;
end
$$;

-- The day and the kind of line follow from the activity.
create or replace function app.stamp_claim() returns trigger
language plpgsql security definer
as $$
begin
    if tg_op = 'INSERT' or (new.activity_type, new.activity_id, new.activity_on, new.category)
            is distinct from (old.activity_type, old.activity_id, old.activity_on, old.category) then
        new.activity_on := (app.claim_activity(new)).held_on;
        new.category := (select a.category from app.claim_activities a
            where a.activity_type = new.activity_type);
    end if;
    return new;
end
$$;
create or replace trigger "0_activity" before insert or update on dudao.expense_claims
    for each row execute function app.stamp_claim();

-- The standard of the funds rule in force (C3.1.c, R-FIN-03).
create or replace function app.expense_limit(category text, quantity integer) returns bigint
language plpgsql stable security definer
as $$
begin
    return (
        select min((s ->> 'limit_fen')::bigint) * $2
        from dudao.policy_documents d, jsonb_array_elements(d.expense_standards) as s
        where d.kind = 'funds_rule' and d.state = 'in_force' and d.voided_at is null
            and s ->> 'category' = $1);
end
$$;

create or replace function app.stamp_expense_item() returns trigger
language plpgsql security definer
as $$
begin
    if tg_op = 'INSERT' or (new.category, new.quantity, new.standard_limit_fen)
            is distinct from (old.category, old.quantity, old.standard_limit_fen) then
        new.standard_limit_fen := app.expense_limit(new.category, new.quantity);
    end if;
    return new;
end
$$;
create or replace trigger "0_limit" before insert or update on dudao.expense_items
    for each row execute function app.stamp_expense_item();

-- The total is the sum of the items, whoever writes them.
create or replace function app.total_claims() returns trigger
language plpgsql security definer
as $$
begin
    update dudao.expense_claims c
    set total_fen = s.total
    from (
        select x.id, coalesce((select sum(i.amount_fen) from dudao.expense_items i
            where i.claim_id = x.id), 0) as total
        from dudao.expense_claims x
        where x.id in (select t.claim_id from touched t)
    ) as s
    where c.id = s.id and c.total_fen <> s.total;
    return null;
end
$$;
create or replace trigger d_total_insert after insert on dudao.expense_items
    referencing new table as touched for each statement execute function app.total_claims();
create or replace trigger d_total_update after update on dudao.expense_items
    referencing new table as touched for each statement execute function app.total_claims();
create or replace trigger d_total_delete after delete on dudao.expense_items
    referencing old table as touched for each statement execute function app.total_claims();

create or replace function app.refuse_item_removal() returns trigger
language plpgsql security definer
as $$
declare
    claim dudao.expense_claims;
begin
    select * into claim from dudao.expense_claims c where c.id = old.claim_id;
    if claim.state not in ('draft', 'returned') then
        perform app.refuse(409, 'not-editable', extra => jsonb_build_object(
            'state', claim.state, 'allowed_actions', '[]'::jsonb,
            'rule_id', 'R-FIN-02', 'clause_id', 'C3.1.b'));
    end if;
    return old;
end
$$;
create or replace trigger a_removal before delete on dudao.expense_items
    for each row execute function app.refuse_item_removal();


-- Budgets (R-FIN-01, R-FIN-02) -------------------------------------------------

create or replace function app.lines_total(budget_id uuid) returns bigint
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(sum(l.amount_fen), 0)::bigint
        from dudao.budget_lines l
        where l.budget_id = $1);
end
$$;

-- Lines are written with a draft; later only by the step that approves it or
-- adjusts it, that is in the same transaction.
create or replace function app.budget_is_open(budget_id uuid) returns boolean
language plpgsql stable security definer
as $$
begin
    return exists (
            select from dudao.budgets b
            where b.id = $1 and b.state = 'draft')
        or exists (
            select from dudao.transitions t
            where t.subject_type = 'budgets' and t.subject_id = $1
                and t.action in ('approve', 'adjust') and t.at = app.now());
end
$$;

-- What the other lines leave; whoever asks writes a line, one after another.
create or replace function app.room_in_budget(budget_id uuid, line_id uuid) returns bigint
language plpgsql security definer
as $$
declare
    b dudao.budgets;
begin
    select * into b from dudao.budgets x where x.id = budget_id for no key update;
    return coalesce(b.approved_fen, b.requested_fen) - (
        select coalesce(sum(l.amount_fen), 0)
        from dudao.budget_lines l
        where l.budget_id = room_in_budget.budget_id and l.id <> line_id);
end
$$;

create or replace function app.refuse_line_removal() returns trigger
language plpgsql security definer
as $$
declare
    budget dudao.budgets;
begin
    select * into budget from dudao.budgets b where b.id = old.budget_id;
    if budget.state <> 'draft' then
        perform app.refuse(409, 'not-editable', extra => jsonb_build_object(
            'state', budget.state, 'allowed_actions', '[]'::jsonb,
            'rule_id', 'R-FIN-02', 'clause_id', 'C3.1.b'));
    end if;
    return old;
end
$$;
create or replace trigger a_removal before delete on dudao.budget_lines
    for each row execute function app.refuse_line_removal();

-- The lines as they will be: those that there are, with what the list says of
-- them (by id, or by category and name), and those that it adds.
create or replace function app.planned_lines(budget_id uuid, lines jsonb)
returns table (place bigint, line_id uuid, category text, name text,
    amount_fen bigint, spent_fen bigint, locked boolean, is_changed boolean, is_unknown boolean)
language sql stable security definer
as $$
    with given as (
        select g.place - 1 as place, (g.line ->> 'amount_fen')::bigint as amount_fen,
            g.line ->> 'category' as category, coalesce(g.line ->> 'name', '') as name,
            g.line ? 'id' as by_id,
            (select l.id from dudao.budget_lines l
             where l.budget_id = $1 and case when g.line ? 'id'
                then l.id = (g.line ->> 'id')::uuid
                else (l.category, l.name) = (g.line ->> 'category', coalesce(g.line ->> 'name', '')) end) as id
        from jsonb_array_elements(coalesce(lines, '[]')) with ordinality as g(line, place)
    )
    select g.place, l.id, l.category, l.name, coalesce(g.amount_fen, l.amount_fen),
        l.reserved_fen + l.paid_fen, l.locked,
        g.amount_fen is distinct from l.amount_fen and g.id is not null, false
    from dudao.budget_lines l
    left join given g on g.id = l.id
    where l.budget_id = $1
    union all
    select g.place, null, g.category, g.name, g.amount_fen, 0, false, false, g.by_id or g.category is null
    from given g
    where g.id is null
$$;

create or replace function app.line_faults(budget_id uuid, lines jsonb, available bigint)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    l record;
    total bigint := 0;
    faults app.fault[] := '{}';
begin
    for l in select * from app.planned_lines(budget_id, lines) order by place loop
        if l.is_unknown then
            faults := faults || app.fault('unknown-reference', format('/lines/%s/id', l.place));
            continue;
        end if;
        total := total + l.amount_fen;
        if l.amount_fen < l.spent_fen then
            faults := faults || app.fault('line-overdrawn', format('/lines/%s/amount_fen', l.place),
                jsonb_build_object('available', l.spent_fen), 'R-FIN-02', 'C3.1.b');
        end if;
        if l.locked and l.is_changed then
            faults := faults || app.fault('line-locked', format('/lines/%s', l.place), null, 'R-FIN-02', 'C3.1.b');
        end if;
    end loop;
    if exists (select from app.planned_lines(budget_id, lines) p
            where p.place is not null group by p.category, p.name having count(*) > 1) then
        faults := faults || app.fault('duplicate', '/lines');
    end if;
    if total > available then
        faults := faults || app.fault('lines-exceed-budget', '/lines',
            jsonb_build_object('total', total, 'limit', available), 'R-FIN-02', 'C3.1.b');
    end if;
    return faults;
end
$$;

-- Lowers first, so that no moment shows more than the budget has.
create or replace function app.set_lines(budget_id uuid, lines jsonb) returns void
language plpgsql security definer
as $$
declare
    l record;
begin
    for l in
        select p.*
        from app.planned_lines(budget_id, lines) p
        left join dudao.budget_lines o on o.id = p.line_id
        where p.place is not null
        order by p.amount_fen - coalesce(o.amount_fen, 0), p.place
    loop
        if l.line_id is null then
            insert into dudao.budget_lines(budget_id, category, name, amount_fen)
            values (set_lines.budget_id, l.category, l.name, l.amount_fen);
        else
            update dudao.budget_lines x set amount_fen = l.amount_fen
            where x.id = l.line_id and x.amount_fen <> l.amount_fen;
        end if;
    end loop;
end
$$;

create or replace function app.before_create_budgets(r dudao.budgets, body jsonb)
returns dudao.budgets
language plpgsql
as $$
declare
    faults app.fault[] := app.line_faults(null, body -> 'lines', r.requested_fen);
begin
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    return r;
end
$$;

create or replace function app.after_create_budgets(r dudao.budgets, body jsonb) returns void
language plpgsql
as $$
begin
    perform app.set_lines(r.id, body -> 'lines');
end
$$;

-- `lines` of a draft are the whole list.
create or replace function app.before_patch_budgets(r dudao.budgets, patch jsonb)
returns dudao.budgets
language plpgsql
as $$
declare
    faults app.fault[];
begin
    if patch ? 'lines' then
        delete from dudao.budget_lines l
        where l.budget_id = r.id and not exists (
            select from app.planned_lines(r.id, patch -> 'lines') p
            where p.line_id = l.id and p.place is not null);
        faults := app.line_faults(r.id, patch -> 'lines', r.requested_fen);
        if cardinality(faults) > 0 then
            perform app.refuse(422, 'validation-failed', faults);
        end if;
        r.revision := r.revision + 1;
        -- less money: the lines first
        if r.requested_fen < (select b.requested_fen from dudao.budgets b where b.id = r.id) then
            perform app.set_lines(r.id, patch -> 'lines');
        end if;
    end if;
    return r;
end
$$;

create or replace function app.after_patch_budgets(r dudao.budgets, patch jsonb) returns void
language plpgsql
as $$
begin
    perform app.set_lines(r.id, patch -> 'lines');
end
$$;

create or replace function app.before_budgets(action text, r dudao.budgets, data jsonb)
returns dudao.budgets
language plpgsql
as $$
begin
    if action in ('approve', 'adjust') then
        r.approved_fen := coalesce((data ->> 'approved_fen')::bigint, r.approved_fen);
        r.approved_doc_no := coalesce(data ->> 'approved_doc_no', r.approved_doc_no);
        r.approved_on := coalesce((data ->> 'approved_on')::date, r.approved_on);
    end if;
    return r;
end
$$;

create or replace function app.guard_budgets(
    action text, old dudao.budgets, new dudao.budgets, data jsonb)
returns app.fault[]
language plpgsql security definer
as $$
declare
    faults app.fault[] := '{}';
begin
    case action
    when 'submit' then
        if app.lines_total(new.id) = 0 then
            faults := faults || app.fault('budget-lines-missing', '/lines', null, 'R-FIN-01', 'C3.1.a');
        end if;
    when 'approve', 'adjust' then
        if num_nulls(new.approved_fen, new.approved_doc_no, new.approved_on) > 0 then
            faults := faults || app.fault('approval-document-required', '/approved_doc_no', null, 'R-FIN-01', 'C3.1.a');
        end if;
        -- another sum is another decision of the finance department
        if old.approved_fen <> new.approved_fen and new.approved_doc_no = old.approved_doc_no then
            faults := faults || app.fault('approval-document-required', '/approved_doc_no', null, 'R-FIN-01', 'C3.1.a');
        end if;
        if action = 'approve' and app.last_actor('budgets', new.id, 'submit') = app.user_id() then
            faults := faults || app.fault('separation-of-duties', null, null, 'R-FIN-01', 'C3.1.a');
        end if;
        -- no claim reserves while the lines are counted
        perform from dudao.budget_lines l where l.budget_id = new.id order by l.id for no key update;
        faults := faults || app.line_faults(new.id, data -> 'lines', new.approved_fen);
    when 'close' then
        if exists (select from dudao.budget_lines l where l.budget_id = new.id and l.reserved_fen > 0) then
            faults := faults || app.fault('budget-has-open-claims', null, null, 'R-FIN-02', 'C3.1.b');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.effect_budgets(
    action text, old dudao.budgets, new dudao.budgets, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    case action
    when 'submit' then
        perform app.notify('budgets', new.id, 'budget_submitted', '预算待批复',
            new.year || '年教育督导经费预算', app.users_with_role('committee_deputy', 'chief_inspector'));
    when 'approve', 'adjust' then
        perform app.set_lines(new.id, data -> 'lines');
        perform app.notify('budgets', new.id, 'budget_' || action,
            case action when 'approve' then '预算已批复' else '预算已调整' end,
            new.year || '年教育督导经费预算', app.users_with_role('finance_officer'));
    else
        null;
    end case;
end
$$;


-- Expense claims (3.18, C3.1.b, C3.1.d) ----------------------------------------

create or replace function app.put_expense_items(claim_id uuid, items jsonb) returns void
language sql
as $$
    insert into dudao.expense_items(claim_id, seq, category, occurred_on, amount_fen,
        quantity, over_limit_reason, invoice_no, attachment_id, note)
    select $1, i.seq, i.item ->> 'category', (i.item ->> 'occurred_on')::date,
        (i.item ->> 'amount_fen')::bigint, coalesce((i.item ->> 'quantity')::integer, 1),
        i.item ->> 'over_limit_reason', i.item ->> 'invoice_no',
        (i.item ->> 'attachment_id')::uuid, i.item ->> 'note'
    from jsonb_array_elements(coalesce(items, '[]')) with ordinality as i(item, seq)
$$;

-- What can be said of the items before they are written, each at its place.
-- Reads as owner: another's claim may hold the invoice.
create or replace function app.item_faults(claim_id uuid, items jsonb) returns app.fault[]
language plpgsql stable security definer
as $$
declare
    i record;
    faults app.fault[] := '{}';
begin
    for i in
        select x.seq - 1 as place, x.item ->> 'invoice_no' as invoice_no,
            (x.item ->> 'occurred_on')::date as occurred_on,
            (x.item ->> 'attachment_id')::uuid as attachment_id,
            count(*) over (partition by x.item ->> 'invoice_no') as n
        from jsonb_array_elements(coalesce(items, '[]')) with ordinality as x(item, seq)
        order by 1
    loop
        if i.occurred_on > app.today() then
            faults := faults || app.fault('date-in-future', format('/items/%s/occurred_on', i.place), null, 'R-FIN-04', 'C3.1.d');
        end if;
        if i.attachment_id is not null and not exists (
                select from dudao.attachments a where a.id = i.attachment_id) then
            faults := faults || app.fault('unknown-reference', format('/items/%s/attachment_id', i.place));
        end if;
        if i.invoice_no is not null and (i.n > 1 or exists (
                select from dudao.expense_items o
                where o.invoice_no = i.invoice_no and not o.released
                    and o.claim_id is distinct from item_faults.claim_id)) then
            faults := faults || app.fault('invoice-used', format('/items/%s/invoice_no', i.place), null, 'R-FIN-02', 'C3.1.b');
        end if;
    end loop;
    return faults;
end
$$;

create or replace function app.before_create_expense_claims(r dudao.expense_claims, body jsonb)
returns dudao.expense_claims
language plpgsql
as $$
declare
    faults app.fault[] := app.item_faults(r.id, body -> 'items');
begin
    r.claimant_inspector_id := coalesce(r.claimant_inspector_id, app.inspector_id());
    if r.claimant_inspector_id is distinct from app.inspector_id() then
        perform app.refuse(403, 'out-of-scope', extra => '{"rule_id": "R-FIN-04", "clause_id": "C3.1.d"}');
    end if;
    if cardinality(faults) > 0 then
        perform app.refuse(422, 'validation-failed', faults);
    end if;
    r.code := app.next_code('BX');
    r.total_fen := (select coalesce(sum((i ->> 'amount_fen')::bigint), 0)
        from jsonb_array_elements(coalesce(body -> 'items', '[]')) as i);
    return r;
end
$$;

create or replace function app.after_create_expense_claims(r dudao.expense_claims, body jsonb)
returns void
language plpgsql
as $$
begin
    perform app.put_expense_items(r.id, body -> 'items');
end
$$;

-- `items` are the whole list.
create or replace function app.after_patch_expense_claims(r dudao.expense_claims, patch jsonb)
returns void
language plpgsql
as $$
declare
    faults app.fault[];
begin
    if patch ? 'items' then
        faults := app.item_faults(r.id, patch -> 'items');
        if cardinality(faults) > 0 then
            perform app.refuse(422, 'validation-failed', faults);
        end if;
        delete from dudao.expense_items i where i.claim_id = r.id;
        perform app.put_expense_items(r.id, patch -> 'items');
    end if;
end
$$;

create or replace function app.before_expense_claims(
    action text, r dudao.expense_claims, data jsonb)
returns dudao.expense_claims
language plpgsql security definer
as $$
begin
    case action
    when 'submit' then
        r.submitted_at := coalesce(r.submitted_at, app.now());
        r.reject_reason := null;
    when 'check' then
        -- the line of the category and year, where there is one
        r.budget_line_id := coalesce((data ->> 'budget_line_id')::uuid, r.budget_line_id, (
            select case when count(*) = 1 then min(l.id::text)::uuid end
            from dudao.budget_lines l
            join dudao.budgets b on b.id = l.budget_id
            where b.year = extract(year from r.activity_on) and l.category = r.category));
        r.checked_by := app.user_id();
        r.checked_at := app.now();
    when 'return', 'reject' then
        r.reject_reason := data ->> 'reason';
        r.checked_by := null;
        r.checked_at := null;
    when 'approve' then
        r.approved_by := app.user_id();
        r.approved_at := app.now();
    when 'pay' then
        r.paid_by := app.user_id();
        r.paid_on := (data ->> 'paid_on')::date;
        r.voucher_no := data ->> 'voucher_no';
    else
        null;
    end case;
    return r;
end
$$;

-- 3.18: invoices, but for allowances; the standard, or a reason.
create or replace function app.claim_item_faults(claim_id uuid) returns app.fault[]
language plpgsql stable security definer
as $$
declare
    i dudao.expense_items;
    faults app.fault[] := '{}';
begin
    for i in select * from dudao.expense_items x where x.claim_id = $1 order by x.seq loop
        if i.invoice_no is null and i.category not in ('communication', 'meals', 'labor') then
            faults := faults || app.fault('invoice-missing', format('/items/%s/invoice_no', i.seq - 1),
                null, 'R-FIN-04', 'C3.1.d');
        end if;
        if i.amount_fen > i.standard_limit_fen and btrim(coalesce(i.over_limit_reason, '')) = '' then
            faults := faults || app.fault('over-limit-reason-missing', format('/items/%s/over_limit_reason', i.seq - 1),
                jsonb_build_object('limit', i.standard_limit_fen), 'R-FIN-03', 'C3.1.c');
        end if;
    end loop;
    return faults;
end
$$;

-- The line is locked until the transaction ends: of two claims that are
-- checked at one moment the second sees what the first has reserved.
create or replace function app.claim_line_faults(c dudao.expense_claims) returns app.fault[]
language plpgsql security definer
as $$
declare
    l dudao.budget_lines;
    b dudao.budgets;
    faults app.fault[] := '{}';
begin
    select * into l from dudao.budget_lines x where x.id = c.budget_line_id for no key update;
    if l.id is null then
        return array[app.fault(case when c.budget_line_id is null then 'required' else 'unknown-reference' end,
            '/budget_line_id', null, 'R-FIN-02', 'C3.1.b')];
    end if;
    select * into b from dudao.budgets x where x.id = l.budget_id;
    if l.category <> c.category then
        faults := faults || app.fault('line-of-another-category', '/budget_line_id',
            jsonb_build_object('category', c.category), 'R-FIN-02', 'C3.1.b');
    end if;
    if b.year <> extract(year from c.activity_on) then
        faults := faults || app.fault('line-of-another-year', '/budget_line_id',
            jsonb_build_object('year', extract(year from c.activity_on)), 'R-FIN-02', 'C3.1.b');
    end if;
    if b.state not in ('approved', 'adjusted') then
        faults := faults || app.fault('budget-not-approved', '/budget_line_id', null, 'R-FIN-01', 'C3.1.a');
    end if;
    if l.locked then
        faults := faults || app.fault('line-locked', '/budget_line_id', null, 'R-FIN-02', 'C3.1.b');
    end if;
    if l.amount_fen - l.reserved_fen - l.paid_fen < c.total_fen then
        faults := faults || app.fault('line-overdrawn', '/budget_line_id',
            jsonb_build_object('available', l.amount_fen - l.reserved_fen - l.paid_fen), 'R-FIN-02', 'C3.1.b');
    end if;
    return faults;
end
$$;

create or replace function app.guard_expense_claims(
    action text, old dudao.expense_claims, new dudao.expense_claims, data jsonb)
returns app.fault[]
language plpgsql security definer
as $$
declare
    faults app.fault[] := '{}';
    activity constant app.claimed_activity := app.claim_activity(new);
    is_own constant boolean := new.claimant_inspector_id is not distinct from app.inspector_id();
    due_on constant date := new.activity_on + app.parameter_int('claim_window_days');
begin
    case action
    when 'submit', 'cancel' then
        if not is_own then
            return array[app.fault('out-of-scope', null, null, 'R-FIN-04', 'C3.1.d')];
        end if;
        if action = 'submit' then
            if not exists (select from dudao.expense_items i where i.claim_id = new.id) then
                faults := faults || app.fault('expense-items-missing', '/items', null, 'R-FIN-04', 'C3.1.d');
            end if;
            -- the activity may have been taken back since the draft was made
            if activity.takes_part is not true then
                faults := faults || app.fault('activity-of-another', '/activity_id', null, 'R-FIN-04', 'C3.1.d');
            end if;
            if activity.is_official is not true then
                faults := faults || app.fault('activity-not-official', '/activity_id', null, 'R-FIN-04', 'C3.1.d');
            end if;
            if (new.submitted_at at time zone 'Asia/Shanghai')::date > due_on then
                faults := faults || app.fault('deadline-passed', '/activity_id',
                    jsonb_build_object('due_on', due_on), 'R-FIN-04', 'C3.1.d');
            end if;
            if not exists (select from dudao.policy_documents d where d.kind = 'funds_rule'
                    and d.state = 'in_force' and d.voided_at is null) then
                faults := faults || app.fault('funds-rule-missing', null, null, 'R-FIN-03', 'C3.1.c');
            end if;
            faults := faults || app.claim_item_faults(new.id);
        end if;
    when 'check' then
        if is_own or new.checked_by is distinct from app.user_id() then
            faults := faults || app.fault('separation-of-duties', null, null, 'R-FIN-02', 'C3.1.b');
        end if;
        faults := faults || app.claim_item_faults(new.id) || app.claim_line_faults(new);
    when 'approve' then
        if is_own or new.approved_by is distinct from app.user_id()
                or new.checked_by is not distinct from app.user_id() then
            faults := faults || app.fault('separation-of-duties', null, null, 'R-FIN-02', 'C3.1.b');
        end if;
        -- the chief inspector's own goes to the deputy director, as does much
        -- money; a delegation from the chief does not help
        if not app.has_role('committee_deputy') and (
                new.total_fen > app.parameter_int('claim_dep_threshold_fen')
                or exists (
                    select from dudao.inspectors i
                    join dudao.users u on u.person_id = i.person_id
                    join dudao.role_grants g on g.user_id = u.id
                    where i.id = new.claimant_inspector_id and g.role = 'chief_inspector'
                        and g.state = 'active' and g.delegated_by is null)) then
            faults := faults || app.fault('needs-deputy-director', null,
                jsonb_build_object('threshold', app.parameter_int('claim_dep_threshold_fen')), 'R-FIN-02', 'C3.1.b');
        end if;
    when 'pay' then
        if is_own or new.approved_by is not distinct from app.user_id()
                or new.paid_by is distinct from app.user_id() then
            faults := faults || app.fault('separation-of-duties', null, null, 'R-FIN-02', 'C3.1.b');
        end if;
        if new.voucher_no is null then
            faults := faults || app.fault('required', '/voucher_no', null, 'R-FIN-04', 'C3.1.d');
        end if;
        if new.paid_on is null then
            faults := faults || app.fault('required', '/paid_on', null, 'R-FIN-04', 'C3.1.d');
        elsif new.paid_on > app.today() then
            faults := faults || app.fault('date-in-future', '/paid_on', null, 'R-FIN-04', 'C3.1.d');
        elsif new.paid_on < (new.approved_at at time zone 'Asia/Shanghai')::date then
            faults := faults || app.fault('date-before-start', '/paid_on',
                jsonb_build_object('min', (new.approved_at at time zone 'Asia/Shanghai')::date), 'R-FIN-04', 'C3.1.d');
        end if;
        -- the line was locked while it was reserved; now it is spent
        perform from dudao.budget_lines l where l.id = new.budget_line_id for no key update;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.effect_expense_claims(
    action text, old dudao.expense_claims, new dudao.expense_claims, data jsonb)
returns void
language plpgsql security definer
as $$
declare
    claimant constant uuid[] := array(select u.id from dudao.users u
        join dudao.inspectors i on i.person_id = u.person_id
        where i.id = new.claimant_inspector_id);
begin
    case action
    when 'submit' then
        perform app.notify('expense_claims', new.id, 'claim_submitted', '报销待审核', new.code,
            app.users_with_role('finance_officer'));
    when 'check' then
        update dudao.budget_lines l set reserved_fen = l.reserved_fen + new.total_fen
        where l.id = new.budget_line_id;
        perform app.notify('expense_claims', new.id, 'claim_to_approve', '报销待批准', new.code,
            app.users_with_role(case when new.total_fen > app.parameter_int('claim_dep_threshold_fen')
                then 'committee_deputy' else 'chief_inspector' end));
    when 'return', 'reject' then
        if old.state = 'checked' then
            update dudao.budget_lines l set reserved_fen = l.reserved_fen - new.total_fen
            where l.id = new.budget_line_id;
        end if;
        perform app.notify('expense_claims', new.id, 'claim_' || action,
            case action when 'return' then '报销已退回' else '报销未通过' end, new.code, claimant);
    when 'approve' then
        perform app.deadline('expense_claims', new.id, 'pay',
            (new.approved_at at time zone 'Asia/Shanghai')::date + app.parameter_int('claim_pay_days'));
        perform app.notify('expense_claims', new.id, 'claim_to_pay', '报销待支付', new.code,
            app.users_with_role('finance_officer'),
            (new.approved_at + app.parameter_int('claim_pay_days') * interval '1 day'));
    when 'pay' then
        update dudao.budget_lines l
        set reserved_fen = l.reserved_fen - new.total_fen, paid_fen = l.paid_fen + new.total_fen
        where l.id = new.budget_line_id;
        perform app.meet_deadline('expense_claims', new.id, 'pay');
        perform app.notify('expense_claims', new.id, 'claim_paid', '报销已支付', new.code, claimant);
    else
        null;
    end case;
    if new.state in ('rejected', 'cancelled') then
        update dudao.expense_items i set released = true where i.claim_id = new.id;
    end if;
end
$$;


-- Informatization and exchange (R-ITX-01, R-ITX-02) ----------------------------

create or replace function app.it_stage(stage text) returns integer
language sql immutable
as $$
    select array_position('{planned,building,running,retired}'::text[], stage)
$$;

create or replace function app.before_exchange_messages(
    action text, r dudao.exchange_messages, data jsonb)
returns dudao.exchange_messages
language plpgsql security definer
as $$
begin
    case action
    when 'begin_send' then
        r.attempts := r.attempts + 1;
    when 'send' then
        r.attempts := r.attempts + case when r.state = 'sending' then 0 else 1 end;
        r.sent_at := app.now();
        r.next_attempt_at := null;
        r.error_code := null;
        r.error_text := null;
    when 'ack' then
        r.acked_at := app.now();
        r.peer_receipt_no := data ->> 'peer_receipt_no';
    when 'reject', 'refuse' then
        r.error_code := coalesce(data ->> 'error_code', r.error_code);
        r.error_text := coalesce(data ->> 'error_text', data ->> 'reason');
    when 'error' then
        r.error_code := data ->> 'error_code';
        r.error_text := data ->> 'error_text';
        -- 1, 5, 15, 60 minutes, then hourly
        r.next_attempt_at := app.now() + interval '1 minute'
            * coalesce(('{1,5,15}'::integer[])[r.attempts], 60);
    when 'requeue' then
        -- goes as the next revision of its key (8.1-4)
        r.revision := 1 + (select max(m.revision) from dudao.exchange_messages m
            where (m.direction, m.peer, m.type, m.business_key)
                = (r.direction, r.peer, r.type, r.business_key));
        r.idempotency_key := 'sha256:' || encode(sha256(convert_to(concat_ws('|', '430626:edusup',
            r.peer, r.type, r.op, r.business_key, r.revision), 'UTF8')), 'hex');
        r.attempts := 0;
        r.next_attempt_at := app.now();
        r.sent_at := null;
        r.error_code := null;
        r.error_text := null;
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_exchange_messages(
    action text, old dudao.exchange_messages, new dudao.exchange_messages, data jsonb)
returns app.fault[]
language plpgsql stable security definer
as $$
declare
    faults app.fault[] := '{}';
begin
    case action
    when 'ack' then
        if btrim(coalesce(new.peer_receipt_no, '')) = '' then
            faults := faults || app.fault('required', '/peer_receipt_no', null, 'R-ITX-02', 'C3.2.b');
        end if;
    when 'reject' then
        if btrim(coalesce(new.error_code, '')) = '' then
            faults := faults || app.fault('required', '/error_code', null, 'R-ITX-02', 'C3.2.b');
        end if;
        if btrim(coalesce(new.error_text, '')) = '' then
            faults := faults || app.fault('required', '/error_text', null, 'R-ITX-02', 'C3.2.b');
        end if;
    when 'give_up' then
        if new.attempts < 24 then
            faults := faults || app.fault('attempts-left', null,
                jsonb_build_object('attempts', new.attempts), 'R-ITX-02', 'C3.2.b');
        end if;
    when 'requeue' then
        -- what came after it says more
        if exists (select from dudao.exchange_messages m
                where (m.direction, m.peer, m.type, m.business_key)
                    = (new.direction, new.peer, new.type, new.business_key)
                    and m.revision > old.revision and m.id <> new.id) then
            faults := faults || app.fault('newer-revision', null, null, 'R-ITX-02', 'C3.2.b');
        end if;
    else
        null;
    end case;
    return faults;
end
$$;

create or replace function app.effect_exchange_messages(
    action text, old dudao.exchange_messages, new dudao.exchange_messages, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    case action
    when 'reject' then
        perform app.notify('exchange_messages', new.id, 'message_rejected', '上级平台退回报文',
            new.type || ' ' || new.business_key, app.users_with_role('office_staff', 'deputy_chief_inspector'));
    when 'give_up' then
        perform app.notify('exchange_messages', new.id, 'message_dead', '报文多次发送失败',
            new.type || ' ' || new.business_key, app.users_with_role('sys_admin'));
    else
        null;
    end case;
end
$$;

create or replace function app.before_create_external_identifiers(
    r dudao.external_identifiers, body jsonb)
returns dudao.external_identifiers
language plpgsql
as $$
begin
    r.first_seen_at := coalesce(r.first_seen_at, app.now());
    return r;
end
$$;


-- Views ------------------------------------------------------------------------

drop view if exists app.public_budgets_json, app.facility_coverage,
    app.expense_claims_json, app.expense_items_json, app.budgets_json,
    app.budget_lines_json, app.facilities_json, app.informatization_items_json,
    app.external_identifiers_json, app.exchange_messages_json;

create view app.budget_lines_json with (security_invoker = true) as
select l.*, b.year, b.state as budget_state,
    json_build_object(
        'id', l.id, 'version', l.version, 'budget_id', l.budget_id, 'year', b.year,
        'category', l.category, 'name', l.name, 'currency', 'CNY',
        'amount_fen', l.amount_fen, 'reserved_fen', l.reserved_fen,
        'paid_fen', l.paid_fen, 'used_fen', l.paid_fen,
        'available_fen', l.amount_fen - l.reserved_fen - l.paid_fen,
        'locked', l.locked,
        'created_at', app.ts(l.created_at), 'updated_at', app.ts(l.updated_at),
        'is_demo', l.is_demo) as body
from dudao.budget_lines l
join dudao.budgets b on b.id = l.budget_id;

create view app.budgets_json with (security_invoker = true) as
select b.*,
    json_build_object(
        'id', b.id, 'version', b.version, 'year', b.year,
        'funding_source', b.funding_source, 'currency', 'CNY',
        'requested_fen', b.requested_fen, 'approved_fen', b.approved_fen,
        'approved_doc_no', b.approved_doc_no, 'approved_on', b.approved_on,
        'note', b.note,
        'lines_fen', s.amount_fen, 'reserved_fen', s.reserved_fen,
        'paid_fen', s.paid_fen, 'lines', s.lines,
        'state', b.state, 'allowed_actions', app.allowed_actions('budgets', b.state),
        'created_at', app.ts(b.created_at), 'updated_at', app.ts(b.updated_at),
        'is_demo', b.is_demo) as body
from dudao.budgets b
cross join lateral (
    select coalesce(sum(l.amount_fen), 0) as amount_fen,
        coalesce(sum(l.reserved_fen), 0) as reserved_fen,
        coalesce(sum(l.paid_fen), 0) as paid_fen,
        coalesce(json_agg(l.body order by l.category, l.name), '[]') as lines
    from app.budget_lines_json l
    where l.budget_id = b.id) as s;

-- What everybody may know: the total (4.3).
create view app.public_budgets_json with (security_invoker = true) as
select b.id, b.version, b.year,
    json_build_object(
        'id', b.id, 'year', b.year, 'funding_source', b.funding_source, 'currency', 'CNY',
        'approved_fen', b.approved_fen, 'approved_doc_no', b.approved_doc_no,
        'approved_on', b.approved_on) as body
from dudao.budgets b
where b.state in ('approved', 'adjusted', 'closed');

create view app.expense_items_json with (security_invoker = true) as
select i.*, c.claimant_inspector_id, c.state as claim_state,
    json_build_object(
        'id', i.id, 'version', i.version, 'claim_id', i.claim_id, 'seq', i.seq,
        'category', i.category, 'occurred_on', i.occurred_on, 'currency', 'CNY',
        'amount_fen', i.amount_fen, 'quantity', i.quantity,
        'standard_limit_fen', i.standard_limit_fen,
        'is_over_limit', coalesce(i.amount_fen > i.standard_limit_fen, false),
        'over_limit_reason', i.over_limit_reason, 'invoice_no', i.invoice_no,
        'attachment_id', i.attachment_id, 'note', i.note,
        'created_at', app.ts(i.created_at), 'updated_at', app.ts(i.updated_at),
        'is_demo', i.is_demo) as body
from dudao.expense_items i
join dudao.expense_claims c on c.id = i.claim_id;

create view app.expense_claims_json with (security_invoker = true) as
select c.*,
    json_build_object(
        'id', c.id, 'version', c.version, 'code', c.code,
        'claimant_inspector_id', c.claimant_inspector_id,
        'activity_type', c.activity_type, 'activity_id', c.activity_id,
        'activity_on', c.activity_on, 'category', c.category,
        'budget_line_id', c.budget_line_id, 'currency', 'CNY',
        'total_fen', c.total_fen, 'note', c.note,
        'submitted_at', app.ts(c.submitted_at),
        'checked_by', c.checked_by, 'checked_at', app.ts(c.checked_at),
        'approved_by', c.approved_by, 'approved_at', app.ts(c.approved_at),
        'pay_due_on', (c.approved_at at time zone 'Asia/Shanghai')::date
            + (select app.parameter_int('claim_pay_days')),
        'paid_by', c.paid_by, 'paid_on', c.paid_on, 'voucher_no', c.voucher_no,
        'reject_reason', c.reject_reason,
        'items', coalesce((select json_agg(i.body order by i.seq)
            from app.expense_items_json i where i.claim_id = c.id), '[]'),
        'state', c.state, 'allowed_actions', app.allowed_actions('expense_claims', c.state),
        'created_at', app.ts(c.created_at), 'updated_at', app.ts(c.updated_at),
        'is_demo', c.is_demo) as body
from dudao.expense_claims c;

create view app.facilities_json with (security_invoker = true) as
select f.*,
    json_build_object(
        'id', f.id, 'version', f.version, 'kind', f.kind,
        'organization_id', f.organization_id, 'zone_id', f.zone_id,
        'name', f.name, 'area_m2', f.area_m2, 'quantity', f.quantity,
        'asset_no', f.asset_no, 'acquired_on', f.acquired_on, 'status', f.status,
        'currency', 'CNY', 'value_fen', f.value_fen,
        'created_at', app.ts(f.created_at), 'updated_at', app.ts(f.updated_at),
        'is_demo', f.is_demo) as body
from dudao.facilities f;

-- R-FIN-05: rooms and equipment of the office and of each zone.
create view app.facility_coverage with (security_invoker = true) as
select p.owner_type, p.owner_id, p.name,
    count(f.id) filter (where f.kind = 'office_room') as office_rooms,
    count(f.id) filter (where f.kind = 'equipment') as equipment,
    count(f.id) filter (where f.kind = 'office_room') > 0
        and count(f.id) filter (where f.kind = 'equipment') > 0 as is_complete
from (
    select 'office' as owner_type, o.id as owner_id, o.name
    from dudao.organizations o
    where o.kind = 'supervision_office' and o.status = 'operating'
    union all
    select 'zone', z.id, z.name from dudao.zones z
    where (select app.today()) between z.active_from and coalesce(z.active_to, 'infinity')) as p
left join dudao.facilities f on f.status <> 'disposed'
    and p.owner_id = coalesce(f.organization_id, f.zone_id)
group by p.owner_type, p.owner_id, p.name;

create view app.informatization_items_json with (security_invoker = true) as
select i.*,
    json_build_object(
        'id', i.id, 'version', i.version, 'plan_document_id', i.plan_document_id,
        'title', i.title, 'stage', i.stage, 'year', i.year,
        'budget_line_id', i.budget_line_id, 'progress', i.progress,
        'created_at', app.ts(i.created_at), 'updated_at', app.ts(i.updated_at),
        'is_demo', i.is_demo) as body
from dudao.informatization_items i;

create view app.external_identifiers_json with (security_invoker = true) as
select e.*,
    json_build_object(
        'id', e.id, 'version', e.version, 'subject_type', e.subject_type,
        'subject_id', e.subject_id, 'system', e.system, 'external_id', e.external_id,
        'first_seen_at', app.ts(e.first_seen_at), 'retired_at', app.ts(e.retired_at),
        'created_at', app.ts(e.created_at), 'updated_at', app.ts(e.updated_at),
        'is_demo', e.is_demo) as body
from dudao.external_identifiers e;

create view app.exchange_messages_json with (security_invoker = true) as
select m.*,
    json_build_object(
        'id', m.id, 'version', m.version, 'message_uid', m.message_uid,
        'direction', m.direction, 'peer', m.peer, 'type', m.type, 'op', m.op,
        'subject_type', m.subject_type, 'subject_id', m.subject_id,
        'business_key', m.business_key, 'revision', m.revision,
        'idempotency_key', m.idempotency_key, 'payload_sha256', m.payload_sha256,
        'schema_version', m.schema_version, 'correlation_uid', m.correlation_uid,
        'priority', m.priority, 'attempts', m.attempts,
        'next_attempt_at', app.ts(m.next_attempt_at), 'sent_at', app.ts(m.sent_at),
        'acked_at', app.ts(m.acked_at), 'peer_receipt_no', m.peer_receipt_no,
        'error_code', m.error_code, 'error_text', m.error_text,
        'state', m.state, 'allowed_actions', app.allowed_actions('exchange_messages', m.state),
        'created_at', app.ts(m.created_at), 'updated_at', app.ts(m.updated_at),
        'is_demo', m.is_demo) as body
from dudao.exchange_messages m;
