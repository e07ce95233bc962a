-- Posted plaques, for everybody (10.2).

-- name: listPublicPlaques :list
-- sort: posted_on = t.posted_on :: date
-- sort: id = t.id :: uuid
-- default: -posted_on
select t.body /*keys*/
from app.public_plaques_json t
where true
  and t.school_id = any (:school_id::uuid[])
  and t.ident_code = any (:ident_code::text[])
  and t.search @> (select app.bigrams(:q))
