-- What is under way among the inspectors (3.15, 3.24): letters to persons,
-- recommendations in their several states, recusals that wait for a decision.

set local jit = off;
select set_config('dudao.is_demo', 'on', true);
select app.act_as('office_staff', true);

-- The letters of appointment go to the inspectors themselves.
insert into dispatches(subject_type, subject_id, purpose, recipient_person_id,
    recipient_role, channel, doc_no, state, sent_at)
select 'inspector_appointments', a.id, 'inform', i.person_id, 'person',
    'system', a.decision_doc_no, 'sent', now() - interval '2 days'
from inspector_appointments a
join inspectors i on i.id = a.inspector_id
join users u on u.person_id = i.person_id
where a.state = 'active'
    and u.login in ('zone_lead', 'inspector_ft', 'inspector_pt');
