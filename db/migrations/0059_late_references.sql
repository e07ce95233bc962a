-- Foreign keys between tables of different subjects.

-- C2.1.1.f: the resolution by which the committee engages an inspector.
alter table dudao.inspector_appointments
    add foreign key (decision_resolution_id)
        references dudao.meeting_resolutions;
