-- Outbox and inbox (8.3). The connector's steps are the system's; a platform
-- that fetches its messages sends them itself, then answers.

select app.begin_machine('exchange_messages', '平台交换报文', 'Exchange messages', '8.3');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('exchange_messages', 'pending', '待发送', 'Pending', true, false, 1),
    ('exchange_messages', 'sending', '发送中', 'Sending', false, false, 2),
    ('exchange_messages', 'sent', '已发送', 'Sent', false, false, 3),
    ('exchange_messages', 'acknowledged', '已签收', 'Acknowledged', false, true, 4),
    ('exchange_messages', 'rejected', '被退回', 'Rejected', false, false, 5),
    ('exchange_messages', 'failed', '发送失败', 'Failed', false, false, 6),
    ('exchange_messages', 'dead', '停止发送', 'Dead', false, false, 7),
    ('exchange_messages', 'superseded', '已被取代', 'Superseded', false, true, 8),
    ('exchange_messages', 'received', '已收到', 'Received', true, false, 9),
    ('exchange_messages', 'applied', '已处理', 'Applied', false, true, 10),
    ('exchange_messages', 'refused', '拒绝处理', 'Refused', false, true, 11);

with who(who, roles, is_system) as (values
    ('system', '{system}'::text[], true),
    ('sender', '{platform_service,system}', false),
    ('platform', '{platform_service}', false),
    ('repairers', '{office_staff,deputy_chief_inspector,sys_admin}', false),
    ('office', '{office_staff,deputy_chief_inspector}', false)
), step(action, from_state, to_state, who, label_zh, label_en, needs_reason, sort) as (values
    ('begin_send', 'pending', 'sending', 'system', '开始发送', 'Begin to send', false, 1),
    ('begin_send', 'failed', 'sending', 'system', '重新发送', 'Begin to send again', false, 2),
    ('send', 'sending', 'sent', 'system', '发送', 'Send', false, 3),
    ('send', 'pending', 'sent', 'sender', '取走', 'Fetch', false, 4),
    ('send', 'failed', 'sent', 'sender', '取走', 'Fetch', false, 5),
    ('ack', 'sent', 'acknowledged', 'platform', '签收', 'Acknowledge', false, 6),
    ('reject', 'sent', 'rejected', 'platform', '退回', 'Reject', false, 7),
    ('error', 'sending', 'failed', 'system', '发送失败', 'Fail', false, 8),
    ('give_up', 'failed', 'dead', 'system', '停止发送', 'Give up', false, 9),
    ('requeue', 'rejected', 'pending', 'repairers', '重新入列', 'Queue again', false, 10),
    ('requeue', 'dead', 'pending', 'repairers', '重新入列', 'Queue again', false, 11),
    ('supersede', 'pending', 'superseded', 'system', '被新版取代', 'Supersede', false, 12),
    ('supersede', 'failed', 'superseded', 'system', '被新版取代', 'Supersede', false, 13),
    ('apply', 'received', 'applied', 'system', '处理', 'Apply', false, 14),
    ('refuse', 'received', 'refused', 'office', '拒绝处理', 'Refuse', true, 15)
)
insert into app.workflow_actions(resource, action, from_state, to_state, roles, is_system, label_zh, label_en, rule_id, clause_id, needs_reason, sort)
select 'exchange_messages', s.action, s.from_state, s.to_state, w.roles, w.is_system, s.label_zh, s.label_en, 'R-ITX-02', 'C3.2.b', s.needs_reason, s.sort
from step s
join who w using (who);
