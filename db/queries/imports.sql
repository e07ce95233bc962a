-- Imports: files of rows, taken in as a whole or not at all.

-- name: listImports :list
-- sort: created_at = t.created_at :: timestamptz
-- sort: id = t.id :: uuid
-- default: -created_at
select t.body /*keys*/
from app.imports_json t
where true
  and t.kind = any (:kind::text[])
  and t.state = any (:state::text[])
  and t.dry_run = :dry_run::boolean
  and t.created_at >= :created_at.gte::timestamptz
  and t.created_at < :created_at.lt::timestamptz

-- name: getImport :one
select v.body, v.version as etag
from app.imports_json v
where v.id = :import_id::uuid

-- name: createImport :one
select * from app.create_import(kind => :kind, mode => :mode, dry_run => :dry_run::boolean
    , charset => :charset, sha256 => :sha256, size_bytes => :size_bytes::integer
    , rows => :rows::json
    , file_name => :file_name
    )

-- name: listImportTransitions :one
select app.transitions_of('imports', v.id) as body, v.version as etag
from app.imports_json v
where v.id = :import_id::uuid

-- name: getImportTemplate :one
select t.body, t.csv
from app.import_template(:kind) as t
where t.body is not null

-- The next one to run: the oldest that waits, or that a crash has left. No
-- row: nothing to do.
-- name: claimImport :one
select c as id from app.claim_import() as c where c is not null

-- name: runImport :exec
select app.run_import(:import_id::uuid)

-- name: failImport :exec
select app.fail_import(:import_id::uuid)
