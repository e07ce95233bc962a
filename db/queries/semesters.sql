-- Semesters.

-- name: listSemesters :list
-- sort: starts_on = t.starts_on :: date
-- sort: code = t.code :: text
-- sort: id = t.id :: uuid
-- default: -starts_on
select t.body /*keys*/
from app.semesters_json t
where true
  and t.code = any (:code::text[])
  and t.academic_year = any (:academic_year::text[])
  and t.term = any (:term::text[])
  and t.starts_on >= :starts_on.gte::date
  and t.starts_on <= :starts_on.lte::date
  and t.ends_on >= :ends_on.gte::date
  and t.ends_on <= :ends_on.lte::date

-- name: getSemester :one
select v.body, v.version as etag
from app.semesters_json v
where v.id = :semester_id::uuid

-- name: createSemester :one
select * from app.create('semesters', :body::jsonb)

-- name: updateSemester :one
select * from app.patch('semesters', :semester_id::uuid, :ctx.if_match::integer,
    :body::jsonb)
