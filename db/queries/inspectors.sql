-- Inspectors. Names and employment come from functions that see every row.

-- name: listInspectors :list
-- sort: code = t.code :: text
-- sort: work_years = coalesce(t.work_years, -1) :: integer
-- sort: id = t.id :: uuid
-- default: code
select t.body /*keys*/
from app.inspectors_json t
where true
  and t.code = any (:code::text[])
  and t.status = any (:status::text[])
  and t.id in (select app.inspectors_employed(:current_employment::text[]))
  and t.id in (select app.inspectors_of_zones(:zone_id::uuid[]))
  and t.background = any (:background::text[])
  and t.expertise_stages && :expertise_stages::text[]
  and t.expertise_matters && :expertise_matters::text[]
  and t.is_researcher = :is_researcher::boolean
  and t.person_id = any (:person_id::uuid[])
  and t.id in (select app.inspectors_named(:q))

-- name: getInspector :one
select app.with_members(v.body
    , 'person', (select x.body from app.persons_json x where x.id = v.person_id)   --? expand.person
    , 'zone', (select x.body from app.zones_json x where x.id = app.zone_of(v.id))   --? expand.zone
    , 'appointments', (select coalesce(json_agg(x.body order by x.starts_on desc nulls first, x.id desc), '[]') from app.inspector_appointments_json x where x.inspector_id = v.id)   --? expand.appointments
    , 'plaques', (select coalesce(json_agg(x.body order by x.posted_on, x.id), '[]') from app.plaques_json x where x.inspector_id = v.id and x.state <> 'removed')   --? expand.plaques
    , 'schools', (select coalesce(json_agg(json_build_object('school_id', p.school_id, 'name', app.organization_name(p.school_id), 'plaque_id', p.id, 'plaque_state', p.state, 'posted_on', p.posted_on) order by p.posted_on, p.id), '[]') from dudao.plaques p where p.inspector_id = v.id and p.state in ('posted', 'to_replace'))   --? expand.schools
    , 'trainings', app.trainings_of(v.id)   --? expand.trainings
    , 'assessments', (select coalesce(json_agg(x.body order by x.year desc, x.id), '[]') from app.inspector_assessments_json x where x.inspector_id = v.id)   --? expand.assessments
    , 'awards', (select coalesce(json_agg(x.body order by x.year desc, x.id), '[]') from app.awards_json x where x.recipient_inspector_id = v.id)   --? expand.awards
    , 'workload', app.inspector_workload(v.id, extract(year from app.today())::integer)   --? expand.workload
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.inspectors_json v
where v.id = :inspector_id::uuid

-- name: createInspector :one
select * from app.create('inspectors', :body::jsonb)

-- name: updateInspector :one
select * from app.patch('inspectors', :inspector_id::uuid, :ctx.if_match::integer,
    :body::jsonb)
