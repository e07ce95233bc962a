-- Public policy documents (10.2).

-- name: listPublicPolicyDocuments :list
-- sort: issued_on = t.issued_on :: date
-- sort: title = t.title :: text
-- sort: id = t.id :: uuid
-- default: -issued_on
select t.body /*keys*/
from app.public_policy_documents_json t
where true
  and t.state = any (:state::text[])
  and t.kind = any (:kind::text[])
  and t.level = any (:level::text[])
  and t.search @> (select app.bigrams(:q))

-- name: getPublicPolicyDocument :one
select v.body, left(md5(v.body::text), 16) as etag
from app.public_policy_documents_json v
where v.id = :policy_document_id::uuid
