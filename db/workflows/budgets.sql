-- Budgets (3.24). Whoever submits does not record the approval; what is
-- approved changes only by the deputy director's adjustment (C3.1.b).

select app.begin_machine('budgets', '年度预算', 'Budgets', '3.24');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('budgets', 'draft', '草稿', 'Draft', true, false, 1),
    ('budgets', 'submitted', '已提交', 'Submitted', false, false, 2),
    ('budgets', 'approved', '已批复', 'Approved', false, false, 3),
    ('budgets', 'adjusted', '已调整', 'Adjusted', false, false, 4),
    ('budgets', 'closed', '已结账', 'Closed', false, true, 5);

insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort) values
    ('budgets', 'submit', 'draft', 'submitted', '{finance_officer}', '提交', 'Submit', 'R-FIN-01', 'C3.1.a', false, 1),
    ('budgets', 'approve', 'submitted', 'approved', '{committee_deputy,chief_inspector,finance_officer}', '登记批复', 'Record the approval', 'R-FIN-01', 'C3.1.a', false, 2),
    ('budgets', 'adjust', 'approved', 'adjusted', '{committee_deputy}', '调整', 'Adjust', 'R-FIN-02', 'C3.1.b', true, 3),
    ('budgets', 'adjust', 'adjusted', 'adjusted', '{committee_deputy}', '调整', 'Adjust', 'R-FIN-02', 'C3.1.b', true, 4),
    ('budgets', 'close', 'approved', 'closed', '{finance_officer,chief_inspector}', '结账', 'Close', 'R-FIN-02', 'C3.1.b', false, 5),
    ('budgets', 'close', 'adjusted', 'closed', '{finance_officer,chief_inspector}', '结账', 'Close', 'R-FIN-02', 'C3.1.b', false, 6);
