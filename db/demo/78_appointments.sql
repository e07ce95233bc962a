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

-- Recusals that wait for the chief inspector, of each who may ask.
insert into recusals(inspector_id, organization_id, reason, note, declared_by)
select i.id, o.id, d.reason, d.note, u.id
from (values
    ('演示督学02', 'ORG-2143990180', 'near_relative', '配偶在该校任教', 'inspector_ft'),
    ('演示督学17', 'ORG-2143990180', 'former_post', '曾任该校副校长', 'inspector_pt'),
    ('演示督学05', 'ORG-2143990006', 'interest', '与督学本人有经济往来', 'school_account'),
    ('演示督学20', 'ORG-430626101', 'former_post', '两年前曾在本镇任职', 'township_account'),
    ('演示督学33', 'MU07', 'interest', '与本局科室有业务关联', 'department_account')
) as d(person_name, unit, reason, note, login)
join persons p on p.name = d.person_name
join inspectors i on i.person_id = p.id
join organizations o on o.code = d.unit
join users u on u.login = d.login;

-- Recommendations by each who may recommend, one of them under review and one
-- in publicity.
do $$
declare
    item record;
    person uuid;
    appointment uuid;
begin
    for item in
        select * from (values
            (1, 'ORG-2143990006', 'school_account', '演示·候选督学一'),
            (2, 'ORG-430626101', 'township_account', '演示·候选督学二'),
            (3, 'MU07', 'department_account', '演示·候选督学三'),
            (4, 'MU07', 'office_staff', '演示·候选督学四')
        ) as d(n, unit, login, person_name)
    loop
        perform app.act_as('office_staff', true);
        insert into persons(code, name, organization_id, position_title)
        select 'RY-8900' || item.n, item.person_name, o.id, '教师'
        from organizations o
        where o.code = item.unit
        returning id into person;
        perform app.act_as(item.login, true);
        select body::jsonb ->> 'id' into appointment
        from app.create('inspector_appointments', jsonb_build_object(
            'person_id', person, 'employment', 'part_time',
            'degree', 'bachelor', 'work_years', 16, 'background', 'teacher',
            'recommendation_text', '业务过硬，热爱教育督导工作'));
        perform app.act_as('office_staff', true);
        if item.n >= 3 then
            perform app.act('inspector_appointments', appointment, 'review',
                null, jsonb_build_object('qualification', (
                    select jsonb_object_agg(q, true)
                    from unnest(app.qualification_items()) as q)));
        end if;
        if item.n = 4 then
            perform app.act_as('chief_inspector', true);
            perform app.act('inspector_appointments', appointment,
                'publicize', null, '{"publicity_url": "https://demo.example/gongshi/new"}');
        end if;
    end loop;
end
$$;
select app.act_as('', true);
