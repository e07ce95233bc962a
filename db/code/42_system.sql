-- Notifications, dispatches, audit trail, machines and labels as resources.

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('dispatches.purpose', 'deliver_report', '报送', 'Deliver the report', 1),
    ('dispatches.purpose', 'report', '上报', 'Report upward', 2),
    ('dispatches.purpose', 'circulate', '通报成员单位', 'Circulate to member units', 3),
    ('dispatches.purpose', 'filing', '备案', 'File for the record', 4),
    ('dispatches.purpose', 'feedback', '反馈', 'Feed back', 5),
    ('dispatches.purpose', 'serve', '送达', 'Serve', 6),
    ('dispatches.purpose', 'circular', '通报', 'Circular', 7),
    ('dispatches.purpose', 'inform', '抄送', 'Inform', 8),
    ('dispatches.purpose', 'recommend', '建议', 'Recommend', 9),
    ('dispatches.recipient_role', 'party_committee', '党委', 'Party committee', 1),
    ('dispatches.recipient_role', 'government', '政府', 'Government', 2),
    ('dispatches.recipient_role', 'superior_supervision', '上级督导机构', 'Superior supervision body', 3),
    ('dispatches.recipient_role', 'superior_department', '上级部门', 'Superior department', 4),
    ('dispatches.recipient_role', 'member_unit', '成员单位', 'Member unit', 5),
    ('dispatches.recipient_role', 'supervised_unit', '被督导单位', 'Supervised unit', 6),
    ('dispatches.recipient_role', 'org_personnel', '组织人事部门', 'Organisation and personnel', 7),
    ('dispatches.recipient_role', 'performance_body', '绩效考核机构', 'Performance body', 8),
    ('dispatches.recipient_role', 'person', '当事人', 'Person', 9),
    ('dispatches.channel', 'system', '本系统', 'This system', 1),
    ('dispatches.channel', 'official_document_exchange', '公文交换', 'Official document exchange', 2),
    ('dispatches.channel', 'platform_exchange', '平台交换', 'Platform exchange', 3),
    ('dispatches.channel', 'mail', '邮寄', 'Mail', 4),
    ('dispatches.channel', 'in_person', '当面', 'In person', 5),
    ('dispatches.channel', 'sms', '短信', 'SMS', 6),
    ('notifications.channel', 'in_app', '站内', 'In the application', 1),
    ('notifications.channel', 'sms', '短信', 'SMS', 2),
    ('notifications.channel', 'wechat', '微信', 'WeChat', 3);

drop view if exists app.notifications_json, app.dispatches_json,
    app.audit_logs_json, app.workflows_json, app.enumerations_json;

create view app.notifications_json with (security_invoker = true) as
select n.id, n.version, n.recipient_user_id, n.kind, n.read_at, n.created_at,
    json_build_object(
        'id', n.id, 'version', n.version, 'kind', n.kind, 'title', n.title,
        'body', n.body, 'subject_type', n.subject_type, 'subject_id', n.subject_id,
        'due_at', app.ts(n.due_at), 'read_at', app.ts(n.read_at),
        'channel', n.channel, 'created_at', app.ts(n.created_at),
        'updated_at', app.ts(n.updated_at), 'is_demo', n.is_demo) as body
from dudao.notifications n;

create view app.dispatches_json with (security_invoker = true) as
select d.*,
    json_build_object(
        'id', d.id, 'version', d.version,
        'subject_type', d.subject_type, 'subject_id', d.subject_id,
        'purpose', d.purpose,
        'recipient_organization_id', d.recipient_organization_id,
        'recipient_person_id', d.recipient_person_id,
        'recipient_role', d.recipient_role, 'channel', d.channel,
        'doc_no', d.doc_no, 'attachment_id', d.attachment_id,
        'due_on', d.due_on, 'sent_at', app.ts(d.sent_at),
        'received_at', app.ts(d.received_at), 'receipt_by', d.receipt_by,
        'receipt_note', d.receipt_note, 'state', d.state,
        'allowed_actions', app.allowed_actions('dispatches', d.state),
        'created_at', app.ts(d.created_at), 'updated_at', app.ts(d.updated_at),
        'is_demo', d.is_demo) as body
from dudao.dispatches d;

create view app.audit_logs_json with (security_invoker = true) as
select a.*,
    json_build_object(
        'id', a.id, 'at', app.ts(a.at), 'user_id', a.user_id, 'role', a.role,
        'on_behalf_of', a.on_behalf_of, 'organization_id', a.organization_id,
        'ip', a.ip, 'action', a.action, 'subject_type', a.subject_type,
        'subject_id', a.subject_id, 'before', a.before, 'after', a.after,
        'result', a.result, 'request_id', a.request_id,
        'prev_hash', encode(a.prev_hash, 'hex'), 'hash', encode(a.hash, 'hex')) as body
from dudao.audit_logs a;

create view app.workflows_json with (security_invoker = true) as
select m.resource,
    json_build_object(
        'resource', m.resource,
        'label', json_build_object('zh-CN', m.label_zh, 'en', m.label_en),
        'section', m.section,
        'states', (select json_agg(json_build_object(
                'state', s.state,
                'label', json_build_object('zh-CN', s.label_zh, 'en', s.label_en),
                'is_initial', s.is_initial, 'is_final', s.is_final)
                order by s.sort, s.state)
            from app.workflow_states s where s.resource = m.resource),
        'transitions', (select coalesce(json_agg(json_build_object(
                'action', a.action,
                'label', json_build_object('zh-CN', a.label_zh, 'en', a.label_en),
                'from', a.from_state, 'to', a.to_state, 'roles', a.roles,
                'rule_id', a.rule_id, 'clause_id', a.clause_id,
                'needs_reason', a.needs_reason, 'is_system', a.is_system)
                order by a.sort, a.action, a.from_state), '[]'::json)
            from app.workflow_actions a where a.resource = m.resource)) as body
from app.workflow_machines m;

create view app.enumerations_json with (security_invoker = true) as
select e.name,
    json_build_object('name', e.name, 'values', json_agg(json_build_object(
        'value', e.value,
        'label', json_build_object('zh-CN', e.label_zh, 'en', e.label_en))
        order by e.sort, e.value)) as body
from app.enumerations e
group by e.name;

-- Reading is no change of the record's content: only the reader's own mark.
create or replace function app.mark_read(notification_id uuid) returns setof app.answer
language plpgsql
as $$
begin
    update dudao.notifications n
    set read_at = coalesce(n.read_at, app.now())
    where n.id = notification_id and n.recipient_user_id = app.user_id();
    return query
        select 200, null::text, v.version::text, v.body::text
        from app.notifications_json v
        where v.id = notification_id;
end
$$;

-- Service of a document (2.1): sent by the office, received by the unit's own
-- account, which signs with a name. For recipients that are no supervised
-- units the office enters the receipt of what went another way.
create or replace function app.before_dispatches(action text, r dudao.dispatches, data jsonb)
returns dudao.dispatches
language plpgsql
as $$
begin
    case action
    when 'send' then
        r.sent_at := app.now();
        r.channel := coalesce(data ->> 'channel', r.channel);
        r.doc_no := coalesce(data ->> 'doc_no', r.doc_no);
        r.attachment_id := coalesce((data ->> 'attachment_id')::uuid, r.attachment_id);
    when 'receive' then
        r.received_at := app.now();
        r.receipt_by := data ->> 'receipt_by';
        r.receipt_note := data ->> 'receipt_note';
    else
        null;
    end case;
    return r;
end
$$;

create or replace function app.guard_dispatches(
    action text, old dudao.dispatches, new dudao.dispatches, data jsonb)
returns app.fault[]
language plpgsql stable
as $$
declare
    faults app.fault[] := '{}';
begin
    if action = 'receive' then
        if (new.recipient_organization_id = app.organization_id()
                or new.recipient_person_id = app.person_id()) is not true
                and (new.recipient_role = 'supervised_unit' or new.channel = 'system') then
            faults := faults || app.fault('out-of-scope', null, null, 'R-FBK-01', 'C2.3.1.d');
        end if;
        if coalesce(new.receipt_by, '') = '' then
            faults := faults || app.fault('receipt-needs-name', '/receipt_by', null, 'R-FBK-01', 'C2.3.1.d');
        end if;
    end if;
    return faults;
end
$$;
