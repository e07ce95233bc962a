-- Compliance: computed for a day, or read from the day's snapshot.

-- name: listComplianceChecks :list
-- sort: sort = c.sort :: integer
-- sort: rule_id = c.rule_id :: text
-- sort: id = c.id :: uuid
-- default: sort
select c.body /*keys*/
from app.read_compliance(
    lang => :ctx.lang
    , as_of => :as_of::date
    , scope => :scope
) as c
where true
  and c.dimension = any (:dimension::text[])
  and c.colour = any (:colour::text[])
  and c.rule_id = any (:rule_id::text[])
  and c.clause_ids && :clause_id::text[]

-- name: listComplianceDimensions :many
select app.read_compliance_dimensions(
    lang => :ctx.lang
    , as_of => :as_of::date
    , scope => :scope
) as body

-- name: getPublicHeadline :one
select app.public_headline() as body
