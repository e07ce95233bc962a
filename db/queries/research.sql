-- Research: engagements of the centre, projects, recommendations, exchanges.

-- name: listCenterEngagements :list
-- sort: due_on = t.due_on :: date
-- sort: assigned_on = t.assigned_on :: date
-- sort: id = t.id :: uuid
-- default: -due_on
select t.body /*keys*/
from app.center_engagements_json t
where true
  and t.state = any (:state::text[])
  and t.kind = any (:kind::text[])
  and t.subject_organization_ids && :subject_organization_id::uuid[]
  and t.due_on >= :due_on.gte::date
  and t.due_on <= :due_on.lte::date
  and t.accepted_on between make_date(:accepted_year::integer, 1, 1) and make_date(:accepted_year::integer, 12, 31)
  and t.search @> (select app.bigrams(:q))

-- name: getCenterEngagement :one
select v.body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.center_engagements_json v
where v.id = :engagement_id::uuid

-- name: createCenterEngagement :one
select * from app.create('center_engagements', :body::jsonb)

-- name: updateCenterEngagement :one
select * from app.patch('center_engagements', :engagement_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: startCenterEngagement :one
select * from app.act('center_engagements', :engagement_id::uuid, 'start', :ctx.if_match::integer, :body::jsonb)

-- name: submitCenterEngagement :one
select * from app.act('center_engagements', :engagement_id::uuid, 'submit', :ctx.if_match::integer, :body::jsonb)

-- name: acceptCenterEngagement :one
select * from app.act('center_engagements', :engagement_id::uuid, 'accept', :ctx.if_match::integer, :body::jsonb)

-- name: returnCenterEngagement :one
select * from app.act('center_engagements', :engagement_id::uuid, 'return', :ctx.if_match::integer, :body::jsonb)

-- name: listCenterEngagementTransitions :one
select app.transitions_of('center_engagements', v.id) as body, v.version as etag
from app.center_engagements_json v
where v.id = :engagement_id::uuid

-- name: listResearchProjects :list
-- sort: starts_on = t.starts_on :: date
-- sort: code = t.code :: text
-- sort: id = t.id :: uuid
-- default: -starts_on
select t.body /*keys*/
from app.research_projects_json t
where true
  and t.state = any (:state::text[])
  and t.kind = any (:kind::text[])
  and (t.leader_person_id = any (:person_id::uuid[]) or t.member_person_ids && :person_id::uuid[])
  and t.starts_on between make_date(:year::integer, 1, 1) and make_date(:year::integer, 12, 31)
  and t.search @> (select app.bigrams(:q))

-- name: getResearchProject :one
select app.with_members(v.body
    , 'recommendations', (select coalesce(json_agg(x.body order by x.id), '[]') from app.policy_recommendations_json x where x.project_id = v.id)   --? expand.recommendations
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.research_projects_json v
where v.id = :project_id::uuid

-- name: createResearchProject :one
select * from app.create('research_projects', :body::jsonb)

-- name: updateResearchProject :one
select * from app.patch('research_projects', :project_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: approveResearchProject :one
select * from app.act('research_projects', :project_id::uuid, 'approve', :ctx.if_match::integer, :body::jsonb)

-- name: rejectResearchProject :one
select * from app.act('research_projects', :project_id::uuid, 'reject', :ctx.if_match::integer, :body::jsonb)

-- name: startResearchProject :one
select * from app.act('research_projects', :project_id::uuid, 'start', :ctx.if_match::integer, :body::jsonb)

-- name: concludeResearchProject :one
select * from app.act('research_projects', :project_id::uuid, 'conclude', :ctx.if_match::integer, :body::jsonb)

-- name: acceptResearchProject :one
select * from app.act('research_projects', :project_id::uuid, 'accept', :ctx.if_match::integer, :body::jsonb)

-- name: terminateResearchProject :one
select * from app.act('research_projects', :project_id::uuid, 'terminate', :ctx.if_match::integer, :body::jsonb)

-- name: listResearchProjectTransitions :one
select app.transitions_of('research_projects', v.id) as body, v.version as etag
from app.research_projects_json v
where v.id = :project_id::uuid

-- name: listPolicyRecommendations :list
-- sort: submitted_on = coalesce(t.submitted_on, 'infinity') :: date
-- sort: code = t.code :: text
-- sort: id = t.id :: uuid
-- default: -submitted_on
select t.body /*keys*/
from app.policy_recommendations_json t
where true
  and t.state = any (:state::text[])
  and t.adoption = any (:adoption::text[])
  and t.project_id = any (:project_id::uuid[])
  and t.addressed_to_org_id = any (:addressed_to_org_id::uuid[])
  and t.submitted_on between make_date(:year::integer, 1, 1) and make_date(:year::integer, 12, 31)
  and t.search @> (select app.bigrams(:q))

-- name: getPolicyRecommendation :one
select app.with_members(v.body
    , 'project', (select x.body from app.research_projects_json x where x.id = v.project_id)   --? expand.project
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.policy_recommendations_json v
where v.id = :recommendation_id::uuid

-- name: createPolicyRecommendation :one
select * from app.create('policy_recommendations', :body::jsonb)

-- name: updatePolicyRecommendation :one
select * from app.patch('policy_recommendations', :recommendation_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: submitPolicyRecommendation :one
select * from app.act('policy_recommendations', :recommendation_id::uuid, 'submit', :ctx.if_match::integer, :body::jsonb)

-- name: adoptPolicyRecommendation :one
select * from app.act('policy_recommendations', :recommendation_id::uuid, 'adopt', :ctx.if_match::integer, :body::jsonb)

-- name: storePolicyRecommendation :one
select * from app.act('policy_recommendations', :recommendation_id::uuid, 'store', :ctx.if_match::integer, :body::jsonb)

-- name: declinePolicyRecommendation :one
select * from app.act('policy_recommendations', :recommendation_id::uuid, 'decline', :ctx.if_match::integer, :body::jsonb)

-- name: listPolicyRecommendationTransitions :one
select app.transitions_of('policy_recommendations', v.id) as body, v.version as etag
from app.policy_recommendations_json v
where v.id = :recommendation_id::uuid

-- name: listExchangeActivities :list
-- sort: held_on = t.held_on :: date
-- sort: id = t.id :: uuid
-- default: -held_on
select t.body /*keys*/
from app.exchange_activities_json t
where true
  and t.kind = any (:kind::text[])
  and t.participant_inspector_ids && :inspector_id::uuid[]
  and t.held_on >= :held_on.gte::date
  and t.held_on <= :held_on.lte::date
  and t.search @> (select app.bigrams(:q))

-- name: getExchangeActivity :one
select v.body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.exchange_activities_json v
where v.id = :activity_id::uuid

-- name: createExchangeActivity :one
select * from app.create('exchange_activities', :body::jsonb)

-- name: updateExchangeActivity :one
select * from app.patch('exchange_activities', :activity_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: getResearchStrength :many
select app.research_strength(app.today()
    , from_year => :from_year::integer
    , to_year => :to_year::integer
    ) as body
