-- Dispatches: the proof that something was sent and received (2.1).
select app.begin_machine('dispatches', '发送送达', 'Dispatch', '2.1');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('dispatches', 'planned', '待发送', 'Planned', true, false, 1),
    ('dispatches', 'sent', '已发送', 'Sent', true, false, 2),
    ('dispatches', 'received', '已签收', 'Received', false, true, 3),
    ('dispatches', 'returned', '退件', 'Returned', false, false, 4),
    ('dispatches', 'void', '已作废', 'Void', false, true, 5);

insert into app.workflow_actions(resource, action, from_state, to_state, roles,
    label_zh, label_en, needs_reason, is_system, sort) values
    ('dispatches', 'send', 'planned', 'sent', '{office_staff,deputy_chief_inspector,system}',
     '发送', 'Send', false, false, 1),
    ('dispatches', 'send', 'returned', 'sent', '{office_staff,deputy_chief_inspector,system}',
     '重新发送', 'Send again', false, false, 1),
    ('dispatches', 'receive', 'sent', 'received', '{school_account,township_account,department_account,committee_member,member_liaison,leader_reader,org_personnel_reader,research_center,zone_lead,inspector_ft,inspector_pt,office_staff,deputy_chief_inspector,system}',
     '签收', 'Acknowledge receipt', false, false, 2),
    ('dispatches', 'bounce', 'sent', 'returned', '{office_staff,deputy_chief_inspector,system}',
     '退件', 'Mark as returned', true, false, 3),
    ('dispatches', 'void', 'planned', 'void', '{system}',
     '作废', 'Void', true, true, 4);
