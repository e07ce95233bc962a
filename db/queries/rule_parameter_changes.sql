-- Changes of parameters, by two persons.

-- name: listRuleParameterChanges :list
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -created_at
select t.body /*keys*/
from app.rule_parameter_changes_json t
where true
  and t.state = any (:state::text[])
  and t.rule_parameter_id = any (:rule_parameter_id::uuid[])

-- name: getRuleParameterChange :one
select v.body, v.version as etag
from app.rule_parameter_changes_json v
where v.id = :rule_parameter_change_id::uuid

-- name: createRuleParameterChange :one
select * from app.create('rule_parameter_changes', :body::jsonb)

-- name: approveRuleParameterChange :one
select * from app.act('rule_parameter_changes', :rule_parameter_change_id::uuid, 'approve',
    :ctx.if_match::integer, :body::jsonb)

-- name: rejectRuleParameterChange :one
select * from app.act('rule_parameter_changes', :rule_parameter_change_id::uuid, 'reject',
    :ctx.if_match::integer, :body::jsonb)

-- name: listRuleParameterChangeTransitions :one
select app.transitions_of('rule_parameter_changes', v.id) as body, v.version as etag
from app.rule_parameter_changes_json v
where v.id = :rule_parameter_change_id::uuid
