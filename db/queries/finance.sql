-- Budgets, expense claims, facilities (2.10, 3.18, 3.24).

-- name: listBudgets :list
-- sort: year = b.year :: integer
-- sort: id = b.id :: uuid
-- default: -year
select b.body /*keys*/
from app.budgets_json b
where true
  and b.year = any (:year::integer[])
  and b.state = any (:state::text[])
  and b.funding_source = :funding_source

-- name: getBudget :one
select v.body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.budgets_json v
where v.id = :budget_id::uuid

-- name: createBudget :one
select * from app.create('budgets', :body::jsonb)

-- name: updateBudget :one
select * from app.patch('budgets', :budget_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: submitBudget :one
select * from app.act('budgets', :budget_id::uuid, 'submit', :ctx.if_match::integer, :body::jsonb)

-- name: approveBudget :one
select * from app.act('budgets', :budget_id::uuid, 'approve', :ctx.if_match::integer, :body::jsonb)

-- name: adjustBudget :one
select * from app.act('budgets', :budget_id::uuid, 'adjust', :ctx.if_match::integer, :body::jsonb)

-- name: closeBudget :one
select * from app.act('budgets', :budget_id::uuid, 'close', :ctx.if_match::integer, :body::jsonb)

-- name: listBudgetTransitions :many
select app.transitions_of('budgets', v.id) as body
from app.budgets_json v
where v.id = :budget_id::uuid

-- name: listPublicBudgets :list
-- sort: year = b.year :: integer
-- sort: id = b.id :: uuid
-- default: -year
select b.body /*keys*/
from app.public_budgets_json b
where true
  and b.year = any (:year::integer[])

-- name: listBudgetLines :list
-- sort: category = l.category :: text
-- sort: amount_fen = l.amount_fen :: bigint
-- sort: created_at = l.created_at :: timestamptz
-- sort: id = l.id :: uuid
-- default: category
select l.body /*keys*/
from app.budget_lines_json l
where true
  and l.budget_id = any (:budget_id::uuid[])
  and l.year = any (:year::integer[])
  and l.category = any (:category::text[])
  and l.locked = :locked::boolean

-- name: getBudgetLine :one
select v.body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.budget_lines_json v
where v.id = :line_id::uuid

-- name: updateBudgetLine :one
select * from app.patch('budget_lines', :line_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: listExpenseClaims :list
-- sort: created_at = c.created_at :: timestamptz
-- sort: submitted_at = coalesce(c.submitted_at, 'infinity') :: timestamptz
-- sort: activity_on = c.activity_on :: date
-- sort: code = c.code :: text
-- sort: id = c.id :: uuid
-- default: -created_at
select c.body /*keys*/
from app.expense_claims_json c
where true
  and c.state = any (:state::text[])
  and c.claimant_inspector_id = any (:claimant_inspector_id::uuid[])
  and c.budget_line_id = any (:budget_line_id::uuid[])
  and c.category = any (:category::text[])
  and c.activity_type = :activity_type
  and c.activity_id = :activity_id::uuid
  and c.activity_on >= :activity_on.gte::date
  and c.activity_on <= :activity_on.lte::date
  and c.submitted_at >= :submitted_at.gte::timestamptz
  and c.submitted_at < :submitted_at.lt::timestamptz
  and c.search @> (select app.bigrams(:q))

-- name: getExpenseClaim :one
select app.with_members(v.body
    , 'budget_line', (select l.body from app.budget_lines_json l where l.id = v.budget_line_id)  --? expand.budget_line
    , 'claimant', (select i.body from app.inspectors_json i where i.id = v.claimant_inspector_id)  --? expand.claimant
    ) as body, v.version || '-' || left(md5(v.body::text), 12) as etag
from app.expense_claims_json v
where v.id = :claim_id::uuid

-- name: createExpenseClaim :one
select * from app.create('expense_claims', :body::jsonb)

-- name: updateExpenseClaim :one
select * from app.patch('expense_claims', :claim_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: submitExpenseClaim :one
select * from app.act('expense_claims', :claim_id::uuid, 'submit', :ctx.if_match::integer, :body::jsonb)

-- name: checkExpenseClaim :one
select * from app.act('expense_claims', :claim_id::uuid, 'check', :ctx.if_match::integer, :body::jsonb)

-- name: returnExpenseClaim :one
select * from app.act('expense_claims', :claim_id::uuid, 'return', :ctx.if_match::integer, :body::jsonb)

-- name: rejectExpenseClaim :one
select * from app.act('expense_claims', :claim_id::uuid, 'reject', :ctx.if_match::integer, :body::jsonb)

-- name: approveExpenseClaim :one
select * from app.act('expense_claims', :claim_id::uuid, 'approve', :ctx.if_match::integer, :body::jsonb)

-- name: payExpenseClaim :one
select * from app.act('expense_claims', :claim_id::uuid, 'pay', :ctx.if_match::integer, :body::jsonb)

-- name: cancelExpenseClaim :one
select * from app.act('expense_claims', :claim_id::uuid, 'cancel', :ctx.if_match::integer, :body::jsonb)

-- name: listExpenseClaimTransitions :many
select app.transitions_of('expense_claims', v.id) as body
from app.expense_claims_json v
where v.id = :claim_id::uuid

-- name: listExpenseItems :list
-- sort: occurred_on = i.occurred_on :: date
-- sort: amount_fen = i.amount_fen :: bigint
-- sort: id = i.id :: uuid
-- default: -occurred_on
select i.body /*keys*/
from app.expense_items_json i
where true
  and i.claim_id = any (:claim_id::uuid[])
  and i.claimant_inspector_id = any (:claimant_inspector_id::uuid[])
  and i.claim_state = any (:claim_state::text[])
  and i.category = any (:category::text[])
  and i.occurred_on >= :occurred_on.gte::date
  and i.occurred_on <= :occurred_on.lte::date
  and coalesce(i.amount_fen > i.standard_limit_fen, false) = :over_limit::boolean
  and i.invoice_no = :invoice_no

-- name: getExpenseItem :one
select v.body, v.version as etag
from app.expense_items_json v
where v.id = :item_id::uuid

-- name: listFacilities :list
-- sort: name = f.name :: text
-- sort: acquired_on = coalesce(f.acquired_on, 'infinity') :: date
-- sort: created_at = f.created_at :: timestamptz
-- sort: id = f.id :: uuid
-- default: name
select f.body /*keys*/
from app.facilities_json f
where true
  and f.kind = any (:kind::text[])
  and f.status = any (:status::text[])
  and f.organization_id = any (:organization_id::uuid[])
  and f.zone_id = any (:zone_id::uuid[])
  and f.search @> (select app.bigrams(:q))

-- name: getFacility :one
select v.body, v.version as etag
from app.facilities_json v
where v.id = :facility_id::uuid

-- name: createFacility :one
select * from app.create('facilities', :body::jsonb)

-- name: updateFacility :one
select * from app.patch('facilities', :facility_id::uuid, :ctx.if_match::integer, :body::jsonb)
