-- Regular and random visits (3.4).

select app.begin_machine('visits', '督导记录', 'Visit', '3.4');

insert into app.workflow_states(resource, state, label_zh, label_en,
    is_initial, is_final, sort) values
    ('visits', 'draft', '记录中', 'Draft', true, false, 1),
    ('visits', 'submitted', '已提交', 'Submitted', false, false, 2),
    ('visits', 'school_confirmed', '学校已确认', 'Confirmed by the school',
        false, false, 3),
    ('visits', 'reviewed', '已审阅', 'Reviewed', false, true, 4),
    ('visits', 'returned', '退回', 'Returned', false, false, 5);

with who(who, roles) as (values
    ('inspector', array['inspector_ft', 'inspector_pt', 'zone_lead']),
    ('unit', array['school_account', 'township_account',
        'department_account', 'system']),
    ('reviewer', array['zone_lead', 'office_staff',
        'deputy_chief_inspector', 'chief_inspector'])
), step(action, from_state, to_state, who, label_zh, label_en, rule_id,
    clause_id, needs_reason, sort) as (values
    ('submit', 'draft', 'submitted', 'inspector',
        '提交', 'Submit', 'R-VIS-01', 'C2.2.2.b', false, 1),
    ('submit', 'returned', 'submitted', 'inspector',
        '重新提交', 'Submit again', 'R-VIS-01', 'C2.2.2.b', false, 2),
    ('confirm', 'submitted', 'school_confirmed', 'unit',
        '确认', 'Confirm', 'R-VIS-01', 'C2.2.2.b', false, 3),
    ('review', 'submitted', 'reviewed', 'reviewer',
        '审阅', 'Review', 'R-VIS-01', 'C2.2.2.b', false, 4),
    ('review', 'school_confirmed', 'reviewed', 'reviewer',
        '审阅', 'Review', 'R-VIS-01', 'C2.2.2.b', false, 5),
    ('return', 'submitted', 'returned', 'reviewer',
        '退回', 'Return', 'R-VIS-01', 'C2.2.2.b', true, 6),
    ('return', 'school_confirmed', 'returned', 'reviewer',
        '退回', 'Return', 'R-VIS-01', 'C2.2.2.b', true, 7)
)
insert into app.workflow_actions(resource, action, from_state, to_state,
    roles, label_zh, label_en, rule_id, clause_id, needs_reason, is_system,
    sort)
select 'visits', s.action, s.from_state, s.to_state, w.roles, s.label_zh,
    s.label_en, s.rule_id, s.clause_id, s.needs_reason, false, s.sort
from step s
join who w using (who);
