-- Expense claims (3.18): claimed, checked, approved and paid by different hands.

select app.begin_machine('expense_claims', '费用报销', 'Expense claims', '3.18');

insert into app.workflow_states(resource, state, label_zh, label_en, is_initial, is_final, sort) values
    ('expense_claims', 'draft', '草稿', 'Draft', true, false, 1),
    ('expense_claims', 'submitted', '已提交', 'Submitted', false, false, 2),
    ('expense_claims', 'checked', '财务已审核', 'Checked', false, false, 3),
    ('expense_claims', 'approved', '已批准', 'Approved', false, false, 4),
    ('expense_claims', 'paid', '已支付', 'Paid', false, true, 5),
    ('expense_claims', 'returned', '已退回', 'Returned', false, false, 6),
    ('expense_claims', 'rejected', '未通过', 'Rejected', false, true, 7),
    ('expense_claims', 'cancelled', '已取消', 'Cancelled', false, true, 8);

with who(who, roles) as (values
    ('claimant', '{inspector_ft,inspector_pt}'::text[]),
    ('finance', '{finance_officer}'),
    ('reviewers', '{finance_officer,chief_inspector}'),
    ('approvers', '{chief_inspector,committee_deputy}')
), step(action, from_state, to_state, who, label_zh, label_en, rule_id, clause_id, needs_reason, sort) as (values
    ('submit', 'draft', 'submitted', 'claimant', '提交', 'Submit', 'R-FIN-04', 'C3.1.d', false, 1),
    ('submit', 'returned', 'submitted', 'claimant', '重新提交', 'Submit again', 'R-FIN-04', 'C3.1.d', false, 2),
    ('check', 'submitted', 'checked', 'finance', '财务审核', 'Check', 'R-FIN-02', 'C3.1.b', false, 3),
    ('return', 'submitted', 'returned', 'reviewers', '退回', 'Return', 'R-FIN-02', 'C3.1.b', true, 4),
    ('return', 'checked', 'returned', 'reviewers', '退回', 'Return', 'R-FIN-02', 'C3.1.b', true, 5),
    ('reject', 'submitted', 'rejected', 'reviewers', '不予报销', 'Reject', 'R-FIN-02', 'C3.1.b', true, 6),
    ('reject', 'checked', 'rejected', 'reviewers', '不予报销', 'Reject', 'R-FIN-02', 'C3.1.b', true, 7),
    ('approve', 'checked', 'approved', 'approvers', '批准', 'Approve', 'R-FIN-02', 'C3.1.b', false, 8),
    ('pay', 'approved', 'paid', 'finance', '支付', 'Pay', 'R-FIN-04', 'C3.1.d', false, 9),
    ('cancel', 'draft', 'cancelled', 'claimant', '取消', 'Cancel', 'R-FIN-04', 'C3.1.d', false, 10)
)
insert into app.workflow_actions(resource, action, from_state, to_state, roles, label_zh, label_en, rule_id, clause_id, needs_reason, sort)
select 'expense_claims', s.action, s.from_state, s.to_state, w.roles, s.label_zh, s.label_en, s.rule_id, s.clause_id, s.needs_reason, s.sort
from step s
join who w using (who);
