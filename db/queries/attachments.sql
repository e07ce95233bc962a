-- Attachments. Upload and download pass through C handlers, which hash and
-- type the bytes and cut ranges.

-- name: listAttachments :list
-- sort: id = a.id :: uuid
-- sort: created_at = a.created_at :: timestamptz
-- default: -created_at
select a.body /*keys*/
from app.attachments_json a
where true
  and a.subject_type = :subject_type
  and a.subject_id = :subject_id::uuid
  and a.kind = any (:kind::text[])

-- name: getAttachment :one
select v.body, v.version as etag
from app.attachments_json v
where v.id = :attachment_id::uuid

-- name: uploadAttachment :one
select *
from app.store_attachment(:sha256, :size_bytes::bigint, :mime, :content::bytea,
    jsonb_build_object('file_name', :file_name::text, 'kind', :kind::text, 'classification', :classification::text)
    || jsonb_build_object('subject_type', :subject_type::text)
    || jsonb_build_object('subject_id', :subject_id::text)
    || jsonb_build_object('captured_at', :captured_at::text)
    || jsonb_build_object('captured_lat', :captured_lat::text)
    || jsonb_build_object('captured_lng', :captured_lng::text)
    )

-- name: downloadAttachment :one
select a.sha256, a.mime, a.file_name, a.size_bytes
from dudao.attachments a
where a.id = :attachment_id::uuid
  and a.voided_at is null

-- name: sliceAttachment :one
select app.blob_slice(a.id, :first::bigint, :count::bigint) as content
from dudao.attachments a
where a.id = :attachment_id::uuid
  and a.voided_at is null

-- name: voidAttachment :one
select * from app.act('attachments', :attachment_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)
