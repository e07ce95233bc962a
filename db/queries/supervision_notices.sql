-- Notices of supervision (L-TL-17): written by issue_notice of the task.

-- name: listSupervisionNotices :list
-- sort: issued_on = v.issued_on :: date
-- sort: doc_no = v.doc_no :: text
-- sort: id = v.id :: uuid
-- default: -issued_on
select v.body /*keys*/
from app.supervision_notices_json v
where true
  and v.task_id = any (:task_id::uuid[])
  and v.doc_no = :doc_no
  and v.issued_on >= :issued_on.gte::date
  and v.issued_on <= :issued_on.lte::date

-- name: getSupervisionNotice :one
select v.body, v.version as etag
from app.supervision_notices_json v
where v.id = :notice_id::uuid
