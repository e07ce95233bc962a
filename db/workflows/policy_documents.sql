-- Policy documents (3.21). The issuer is the director for some kinds and the
-- chief inspector for the others: app.guard_policy_documents() looks.

select app.begin_machine('policy_documents', '制度文件', 'Policy document',
    '3.21');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('policy_documents', 'draft', '草稿', 'Draft', true, false, 1),
    ('policy_documents', 'reviewing', '审核中', 'Under review',
        false, false, 2),
    -- initial for the documents of others (register_external)
    ('policy_documents', 'in_force', '现行有效', 'In force', true, false, 3),
    ('policy_documents', 'superseded', '已被替代', 'Superseded',
        false, true, 4),
    ('policy_documents', 'repealed', '已废止', 'Repealed', false, true, 5);

insert into app.workflow_actions(resource, action, from_state, to_state,
    roles, label_zh, label_en, clause_id, needs_reason, is_system, sort) values
    ('policy_documents', 'submit', 'draft', 'reviewing',
        '{office_staff,deputy_chief_inspector}', '送审', 'Submit',
        'C2.1.3.a', false, false, 1),
    ('policy_documents', 'return', 'reviewing', 'draft',
        '{chief_inspector}', '退回', 'Return', 'C2.1.3.a', true, false, 2),
    ('policy_documents', 'issue', 'reviewing', 'in_force',
        '{committee_director,chief_inspector}', '印发', 'Issue',
        'C2.1.3.a', false, false, 3),
    ('policy_documents', 'repeal', 'in_force', 'repealed',
        '{committee_director,chief_inspector,office_staff}', '废止', 'Repeal',
        'C2.1.3.a', true, false, 4),
    ('policy_documents', 'supersede', 'in_force', 'superseded',
        '{system}', '替代', 'Supersede', 'C2.1.3.a', false, true, 5),
    ('policy_documents', 'void', 'draft', 'draft',
        '{chief_inspector}', '作废', 'Void', null, true, false, 9),
    ('policy_documents', 'void', 'reviewing', 'reviewing',
        '{chief_inspector}', '作废', 'Void', null, true, false, 9);
