-- Administrative divisions.

-- name: listDivisions :list
-- sort: code = t.code :: text
-- sort: name = t.name :: text
-- sort: id = t.id :: uuid
-- default: code
select t.body /*keys*/
from app.divisions_json t
where true
  and t.level = any (:level::text[])
  and t.kind = any (:kind::text[])
  and t.parent_id = any (:parent_id::uuid[])
  and t.code = any (:code::text[])
  and t.stat_code = any (:stat_code::text[])
  and t.search @> (select app.bigrams(:q))

-- name: getDivision :one
select app.with_members(v.body
    , 'parent', (select x.body from app.divisions_json x where x.id = v.parent_id)   --? expand.parent
    ) as body, v.version as etag
from app.divisions_json v
where v.id = :division_id::uuid

-- name: createDivision :one
select * from app.create('divisions', :body::jsonb)

-- name: updateDivision :one
select * from app.patch('divisions', :division_id::uuid, :ctx.if_match::integer,
    :body::jsonb)
