-- Appointments and recusals: what their own operations need (3.15, 3.24).

-- C2.1.1.f, 9-A14: the resolution by which the committee engages. L-TL-26: the
-- ground on which somebody is dismissed.
alter table dudao.inspector_appointments
    add column decision_resolution_id uuid,
    add column dismissal_ground text check (dismissal_ground in (
        'dereliction', 'falsification', 'abuse_of_power', 'recusal_omitted',
        'danger_not_urged', 'incompetent_assessment'));
create index on dudao.inspector_appointments (decision_resolution_id);
create index on dudao.inspector_appointments (employment, id);
create index on dudao.inspector_appointments (starts_on, id);
create index on dudao.inspector_appointments (ends_on, id);
create index on dudao.inspector_appointments (created_at, id);
create index on dudao.inspector_appointments (publicity_to);

-- L-TL-6: after a gap of a whole term the count begins anew, so that the same
-- number may come again; two open rows for the same term may not.
drop index dudao.inspector_appointments_term_key;
create unique index inspector_appointments_term_key
    on dudao.inspector_appointments (inspector_id, employment, term_no)
    where voided_at is null and state in ('recommended', 'reviewing',
        'publicizing', 'approved', 'appointed', 'active');

-- L-TL-10: who asks, and the answer's reason.
alter table dudao.recusals
    add column declared_by uuid,
    add column decision_note text check (length(decision_note) <= 2000);
create index on dudao.recusals (replaced_by_inspector_id);
create index on dudao.recusals (declared_on, id);
-- 2.12: one open or granted declaration for one inspector and subject
create unique index recusals_subject_key on dudao.recusals
    (inspector_id, coalesce(target_id, visit_id, organization_id))
    where state in ('declared', 'granted');
