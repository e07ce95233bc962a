-- Parameters and the values that they had.

-- name: listRuleParameters :list
-- sort: key = t.key :: text
-- sort: id = t.id :: uuid
-- default: key
select t.body /*keys*/
from app.rule_parameters_json t
where true
  and t.key = any (:key::text[])
  and t.basis_clause = any (:basis_clause::text[])

-- name: getRuleParameter :one
select v.body, v.version as etag
from app.rule_parameters_json v
where v.id = :rule_parameter_id::uuid

-- name: listRuleParameterValues :one
select app.rule_parameter_history(v.key) as body, v.version as etag
from app.rule_parameters_json v
where v.id = :rule_parameter_id::uuid
