-- What everybody reads without an account (10.2). Role `public`, its own row
-- security, no phone but that of a plaque.

-- name: listPublicPublications :list
-- sort: published_at = p.published_at :: timestamptz
-- sort: id = p.id :: uuid
-- default: -published_at
select p.body /*keys*/
from app.public_publications_json p
where true
  and p.kind = any (:kind::text[])
  and p.search @> (select app.bigrams(:q))

-- name: getPublicPublication :one
select * from app.read_public_publication(:code)

-- name: listPublicRectifications :list
-- sort: published_at = p.published_at :: timestamptz
-- sort: id = p.id :: uuid
-- default: -published_at
select p.body /*keys*/
from app.public_publications_json p
where p.kind = 'rectification_disclosure'
  and p.publisher_org_id = (select app.organization_of(:unit))

-- name: listPublicAppointmentNotices :list
-- sort: published_at = p.published_at :: timestamptz
-- sort: id = p.id :: uuid
-- default: -published_at
select p.body /*keys*/
from app.public_publications_json p
where p.kind = 'appointment_notice'
  and p.search @> (select app.bigrams(:q))
