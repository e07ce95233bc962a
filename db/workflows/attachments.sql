-- Attachments: kept, until one is voided with a reason (3.0: void by CHI).

select app.begin_machine('attachments', '附件', 'Attachments', '3.0');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('attachments', 'kept', '已存', 'Kept', true, false, 1),
    ('attachments', 'voided', '已作废', 'Voided', false, true, 2);

insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, needs_reason, sort) values
    ('attachments', 'void', 'kept', 'voided', '{chief_inspector}', '作废', 'Void', true, 1);
