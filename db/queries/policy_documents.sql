-- Policy documents (3.21).

-- name: listPolicyDocuments :list
-- sort: issued_on = coalesce(t.issued_on, 'infinity') :: date
-- sort: title = t.title :: text
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -issued_on
select t.body /*keys*/
from app.policy_documents_json t
where true
  and t.state = any (:state::text[])
  and t.kind = any (:kind::text[])
  and t.level = any (:level::text[])
  and t.parent_document_id = any (:parent_document_id::uuid[])
  and t.doc_no = any (:doc_no::text[])
  and t.issued_on >= :issued_on.gte::date
  and t.issued_on <= :issued_on.lte::date
  and t.search @> (select app.bigrams(:q))

-- name: getPolicyDocument :one
select app.with_members(v.body
    , 'parent_document', (select x.body from app.policy_documents_json x where x.id = v.parent_document_id)   --? expand.parent_document
    ) as body, v.version as etag
from app.policy_documents_json v
where v.id = :policy_document_id::uuid

-- name: createPolicyDocument :one
select * from app.create('policy_documents', :body::jsonb)

-- name: registerExternalPolicyDocument :one
select * from app.create('policy_documents',
    :body::jsonb || '{"register_external": true}')

-- name: updatePolicyDocument :one
select * from app.patch('policy_documents', :policy_document_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: submitPolicyDocument :one
select * from app.act('policy_documents', :policy_document_id::uuid, 'submit',
    :ctx.if_match::integer, :body::jsonb)

-- name: returnPolicyDocument :one
select * from app.act('policy_documents', :policy_document_id::uuid, 'return',
    :ctx.if_match::integer, :body::jsonb)

-- name: issuePolicyDocument :one
select * from app.act('policy_documents', :policy_document_id::uuid, 'issue',
    :ctx.if_match::integer, :body::jsonb)

-- name: repealPolicyDocument :one
select * from app.act('policy_documents', :policy_document_id::uuid, 'repeal',
    :ctx.if_match::integer, :body::jsonb)

-- name: voidPolicyDocument :one
select * from app.act('policy_documents', :policy_document_id::uuid, 'void',
    :ctx.if_match::integer, :body::jsonb)

-- name: listPolicyDocumentTransitions :one
select app.transitions_of('policy_documents', v.id) as body, v.version as etag
from app.policy_documents_json v
where v.id = :policy_document_id::uuid
