-- Foreign keys between tables of different subjects.

-- C2.1.1.f: the resolution by which the committee engages an inspector.
alter table dudao.inspector_appointments
    add foreign key (decision_resolution_id)
        references dudao.meeting_resolutions;

-- 3.17: the budget line that pays for a year's training.
alter table dudao.training_plans
    add foreign key (budget_line_id) references dudao.budget_lines;
