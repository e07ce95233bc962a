-- The caller about itself.

-- name: getMe :one
select m.body, left(md5(m.body::text), 16) as etag
from (select app.me() as body) as m
where m.body is not null

-- name: changeMyPassword :one
select * from app.change_my_password(:body::jsonb, :ctx.session_id::uuid)
