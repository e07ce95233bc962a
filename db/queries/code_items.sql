-- Code lists.

-- name: listCodeItems :list
-- sort: list = t.list :: text
-- sort: sort = t.sort :: integer
-- sort: code = t.code :: text
-- sort: id = t.id :: uuid
-- default: list,sort,code
select t.body /*keys*/
from app.code_items_json t
where true
  and t.list = any (:list::text[])
  and t.code = any (:code::text[])
  and t.parent_code = any (:parent_code::text[])
  and t.active = :active::boolean

-- name: getCodeItem :one
select v.body, v.version as etag
from app.code_items_json v
where v.id = :code_item_id::uuid

-- name: createCodeItem :one
select * from app.create('code_items', :body::jsonb)

-- name: updateCodeItem :one
select * from app.patch('code_items', :code_item_id::uuid, :ctx.if_match::integer,
    :body::jsonb)
