-- Annual targets (3.24).

-- name: listAnnualTargets :list
-- sort: due_on = t.due_on :: date
-- sort: year = t.year :: integer
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: due_on
select t.body /*keys*/
from app.annual_targets_json t
where true
  and t.state = any (:state::text[])
  and t.year = :year::integer
  and t.organization_id = any (:organization_id::uuid[])
  and t.source = any (:source::text[])
  and t.due_on >= :due_on.gte::date
  and t.due_on <= :due_on.lte::date
  and (t.state = 'issued' and t.due_on < app.today()) = :overdue::boolean
  and t.search @> (select app.bigrams(:q))

-- name: getAnnualTarget :one
select t.body, t.version || '-' || to_char(app.today(), 'YYYYMMDD') as etag
from app.annual_targets_json t
where t.id = :target_id::uuid

-- name: createAnnualTarget :one
select * from app.create('annual_targets', :body::jsonb)

-- name: createAnnualTargetsOfOrganization :one
select * from app.create_annual_targets(:organization_id::uuid, :body::jsonb)

-- name: updateAnnualTarget :one
select * from app.patch('annual_targets', :target_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: issueAnnualTarget :one
select * from app.act('annual_targets', :target_id::uuid, 'issue', :ctx.if_match::integer, :body::jsonb)

-- name: reportAnnualTarget :one
select * from app.act('annual_targets', :target_id::uuid, 'report', :ctx.if_match::integer, :body::jsonb)

-- name: adjustAnnualTarget :one
select * from app.act('annual_targets', :target_id::uuid, 'adjust', :ctx.if_match::integer, :body::jsonb)

-- name: verifyAnnualTargetMet :one
select * from app.act('annual_targets', :target_id::uuid, 'verify_met', :ctx.if_match::integer, :body::jsonb)

-- name: verifyAnnualTargetNotMet :one
select * from app.act('annual_targets', :target_id::uuid, 'verify_not_met', :ctx.if_match::integer, :body::jsonb)

-- name: voidAnnualTarget :one
select * from app.act('annual_targets', :target_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)

-- name: listAnnualTargetTransitions :many
select app.transitions_of('annual_targets', t.id) as body
from app.annual_targets_json t
where t.id = :target_id::uuid
