-- Publication: the office's and the units' side.

-- name: listPublicationChannels :list
-- sort: name = c.name :: text
-- sort: id = c.id :: uuid
-- default: name
select c.body /*keys*/
from app.publication_channels_json c
where true
  and c.kind = any (:kind::text[])
  and c.active = :active::boolean

-- name: getPublicationChannel :one
select v.body, v.version as etag
from app.publication_channels_json v
where v.id = :channel_id::uuid

-- name: createPublicationChannel :one
select * from app.create('publication_channels', :body::jsonb)

-- name: updatePublicationChannel :one
select * from app.patch('publication_channels', :channel_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: listPublications :list
-- sort: published_at = coalesce(p.published_at, 'infinity') :: timestamptz
-- sort: created_at = p.created_at :: timestamptz
-- sort: code = p.code :: text
-- sort: id = p.id :: uuid
-- default: -created_at
select p.body /*keys*/
from app.publications_json p
where true
  and p.state = any (:state::text[])
  and p.kind = any (:kind::text[])
  and p.publisher_org_id = any (:publisher_org_id::uuid[])
  and p.subject_type = :subject_type
  and p.subject_id = :subject_id::uuid
  and p.published_at >= :published_at.gte::timestamptz
  and p.published_at < :published_at.lt::timestamptz
  and p.search @> (select app.bigrams(:q))

-- name: getPublication :one
select app.with_members(v.body
    , 'placements', (select coalesce(json_agg(p.body order by p.id), '[]') from app.publication_placements_json p where p.publication_id = v.id)  --? expand.placements
    , 'publisher', (select o.body from app.organizations_json o where o.id = v.publisher_org_id)  --? expand.publisher
    ) as body, v.version as etag
from app.publications_json v
where v.id = :publication_id::uuid

-- name: createPublication :one
select * from app.create('publications', :body::jsonb)

-- name: updatePublication :one
select * from app.patch('publications', :publication_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: submitPublication :one
select * from app.act('publications', :publication_id::uuid, 'submit', :ctx.if_match::integer, :body::jsonb)

-- name: secrecyCheckPublication :one
select * from app.act('publications', :publication_id::uuid, 'secrecy_check', :ctx.if_match::integer, :body::jsonb)

-- name: rejectPublication :one
select * from app.act('publications', :publication_id::uuid, 'reject', :ctx.if_match::integer, :body::jsonb)

-- name: approvePublication :one
select * from app.act('publications', :publication_id::uuid, 'approve', :ctx.if_match::integer, :body::jsonb)

-- name: schedulePublication :one
select * from app.act('publications', :publication_id::uuid, 'schedule', :ctx.if_match::integer, :body::jsonb)

-- name: publishPublication :one
select * from app.act('publications', :publication_id::uuid, 'publish', :ctx.if_match::integer, :body::jsonb)

-- name: correctPublication :one
select * from app.act('publications', :publication_id::uuid, 'correct', :ctx.if_match::integer, :body::jsonb)

-- name: createPublicationCorrection :one
select * from app.create_correction(:publication_id::uuid, :body::jsonb)

-- name: withdrawPublication :one
select * from app.act('publications', :publication_id::uuid, 'withdraw', :ctx.if_match::integer, :body::jsonb)

-- name: voidPublication :one
select * from app.act('publications', :publication_id::uuid, 'void', :ctx.if_match::integer, :body::jsonb)

-- name: listPublicationTransitions :many
select app.transitions_of('publications', v.id) as body
from app.publications_json v
where v.id = :publication_id::uuid

-- name: listPublicationPlacements :list
-- sort: placed_at = p.placed_at :: timestamptz
-- sort: id = p.id :: uuid
-- default: -placed_at
select p.body /*keys*/
from app.publication_placements_json p
where true
  and p.publication_id = :publication_id::uuid
  and p.channel_id = any (:channel_id::uuid[])
  and p.reachable = :reachable::boolean

-- name: getPublicationPlacement :one
select v.body, v.version as etag
from app.publication_placements_json v
where v.id = :placement_id::uuid

-- name: createPublicationPlacement :one
select * from app.create('publication_placements', :body::jsonb)

-- name: updatePublicationPlacement :one
select * from app.patch('publication_placements', :placement_id::uuid, :ctx.if_match::integer, :body::jsonb)
