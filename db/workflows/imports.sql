-- Imports: the system makes every step. A crash leaves an import running; it
-- is resumed, and given up after three times.

select app.begin_machine('imports', '批量导入', 'Imports', '7');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('imports', 'queued', '排队中', 'Queued', true, false, 1),
    ('imports', 'running', '处理中', 'Running', false, false, 2),
    ('imports', 'done', '已完成', 'Done', false, true, 3),
    ('imports', 'refused', '有误未导入', 'Refused', false, true, 4),
    ('imports', 'failed', '处理失败', 'Failed', false, true, 5);

insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en,
    rule_id, clause_id, needs_reason, is_system, sort) values
    ('imports', 'begin', 'queued', 'running', '{system}', '开始', 'Begin', null, null, false, true, 1),
    ('imports', 'resume', 'running', 'running', '{system}', '继续', 'Resume', null, null, false, true, 2),
    ('imports', 'complete', 'running', 'done', '{system}', '完成', 'Complete', null, null, false, true, 3),
    ('imports', 'refuse', 'running', 'refused', '{system}', '退回', 'Refuse', null, null, false, true, 4),
    ('imports', 'fail', 'running', 'failed', '{system}', '放弃', 'Give up', null, null, false, true, 5);
