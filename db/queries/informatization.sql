-- Informatization, exchange with the superior platforms, external identifiers
-- (C3.2).

-- name: listInformatizationItems :list
-- sort: year = i.year :: integer
-- sort: progress = i.progress :: integer
-- sort: created_at = i.created_at :: timestamptz
-- sort: id = i.id :: uuid
-- default: -year
select i.body /*keys*/
from app.informatization_items_json i
where true
  and i.stage = any (:stage::text[])
  and i.year = any (:year::integer[])
  and i.plan_document_id = any (:plan_document_id::uuid[])
  and i.search @> (select app.bigrams(:q))

-- name: getInformatizationItem :one
select v.body, v.version as etag
from app.informatization_items_json v
where v.id = :item_id::uuid

-- name: createInformatizationItem :one
select * from app.create('informatization_items', :body::jsonb)

-- name: updateInformatizationItem :one
select * from app.patch('informatization_items', :item_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: listExchangeMessages :list
-- sort: created_at = m.created_at :: timestamptz
-- sort: id = m.id :: uuid
-- default: -created_at
select app.with_members(m.body
    , 'payload', m.payload::json  --? expand.payload
    ) as body /*keys*/
from app.exchange_messages_json m
where true
  and m.state = any (:state::text[])
  and m.direction = :direction
  and m.peer = any (:peer::text[])
  and m.type = any (:type::text[])
  and m.priority = :priority
  and m.subject_type = :subject_type
  and m.subject_id = :subject_id::uuid
  and m.business_key = :business_key
  and m.created_at >= :created_at.gte::timestamptz
  and m.created_at < :created_at.lt::timestamptz

-- name: getExchangeMessage :one
select app.with_members(v.body
    , 'payload', v.payload::json  --? expand.payload
    ) as body, v.version as etag
from app.exchange_messages_json v
where v.id = :message_id::uuid

-- name: sendExchangeMessage :one
select * from app.act('exchange_messages', :message_id::uuid, 'send', :ctx.if_match::integer, :body::jsonb)

-- name: ackExchangeMessage :one
select * from app.act('exchange_messages', :message_id::uuid, 'ack', :ctx.if_match::integer, :body::jsonb)

-- name: rejectExchangeMessage :one
select * from app.act('exchange_messages', :message_id::uuid, 'reject', :ctx.if_match::integer, :body::jsonb)

-- name: requeueExchangeMessage :one
select * from app.act('exchange_messages', :message_id::uuid, 'requeue', :ctx.if_match::integer, :body::jsonb)

-- name: refuseExchangeMessage :one
select * from app.act('exchange_messages', :message_id::uuid, 'refuse', :ctx.if_match::integer, :body::jsonb)

-- name: listExchangeMessageTransitions :many
select app.transitions_of('exchange_messages', v.id) as body
from app.exchange_messages_json v
where v.id = :message_id::uuid

-- name: listExternalIdentifiers :list
-- sort: first_seen_at = e.first_seen_at :: timestamptz
-- sort: external_id = e.external_id :: text
-- sort: id = e.id :: uuid
-- default: -first_seen_at
select e.body /*keys*/
from app.external_identifiers_json e
where true
  and e.system = any (:system::text[])
  and e.subject_type = :subject_type
  and e.subject_id = any (:subject_id::uuid[])
  and e.external_id = :external_id
  and (e.retired_at is null) = :active::boolean

-- name: getExternalIdentifier :one
select v.body, v.version as etag
from app.external_identifiers_json v
where v.id = :identifier_id::uuid

-- name: createExternalIdentifier :one
select * from app.create('external_identifiers', :body::jsonb)

-- name: updateExternalIdentifier :one
select * from app.patch('external_identifiers', :identifier_id::uuid, :ctx.if_match::integer, :body::jsonb)

-- name: deleteExternalIdentifier :one
select * from app.remove('external_identifiers', :identifier_id::uuid, :ctx.if_match::integer)

-- Q-STA-10, R-VIS-03: of the visits within the caller's scope, how many were
-- filed by phone, with the place, within 48 hours after the visit.
-- name: getPaperlessShare :one
with visits as (
    select date_trunc('month', v.visited_on)::date as month, v.geo_warning,
        v.latitude is not null as by_phone,
        v.submitted_at <= coalesce(v.left_at,
            (v.visited_on + 1)::timestamp at time zone 'Asia/Shanghai')
            + (select app.parameter_int('visit_upload_hours')) * interval '1 hour' as in_time
    from dudao.visits v
    where v.submitted_at is not null and v.voided_at is null
      and v.visited_on >= :from::date
      and v.visited_on <= :to::date
), sums as (
    select month, count(*) as n, count(*) filter (where by_phone) as by_phone,
        count(*) filter (where by_phone and in_time) as within48,
        count(*) filter (where geo_warning) as geo_warning
    from visits
    group by grouping sets ((month), ())
), answer as (
    select json_build_object(
    'total', (select json_build_object('n', s.n, 'by_phone', s.by_phone, 'within48', s.within48,
            'geo_warning', s.geo_warning, 'share', round(s.within48::numeric / nullif(s.n, 0), 4))
        from sums s where s.month is null),
    'data', coalesce((select json_agg(json_build_object('month', to_char(s.month, 'YYYY-MM'),
            'n', s.n, 'by_phone', s.by_phone, 'within48', s.within48, 'geo_warning', s.geo_warning,
            'share', round(s.within48::numeric / s.n, 4)) order by s.month)
        from sums s where s.month is not null), '[]'))::text as body
)
select a.body, left(md5(a.body), 16) as etag
from answer a
