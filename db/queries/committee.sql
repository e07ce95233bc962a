-- The committee, its member units and its office.

-- name: listCommitteeMembers :list
-- sort: joined_on = t.joined_on :: date
-- sort: role = t.role :: text
-- sort: id = t.id :: uuid
-- default: joined_on
select app.with_members(t.body
    , 'person', (select x.body from app.persons_json x where x.id = t.person_id)   --? expand.person
    , 'organization', (select x.body from app.organizations_json x where x.id = t.organization_id)   --? expand.organization
    ) as body /*keys*/
from app.committee_members_json t
where true
  and t.role = any (:role::text[])
  and t.organization_id = any (:organization_id::uuid[])
  and t.person_id = any (:person_id::uuid[])
  and daterange(t.joined_on, t.left_on, '[)') @> :as_of::date
  and t.joined_on >= :joined_on.gte::date
  and t.joined_on <= :joined_on.lte::date
  and (t.left_on is null) = :left_on.is_null::boolean
  and t.person_id in (select app.persons_named(:q))

-- name: getCommitteeMember :one
select app.with_members(v.body
    , 'person', (select x.body from app.persons_json x where x.id = v.person_id)   --? expand.person
    , 'organization', (select x.body from app.organizations_json x where x.id = v.organization_id)   --? expand.organization
    ) as body, v.version as etag
from app.committee_members_json v
where v.id = :committee_member_id::uuid

-- name: createCommitteeMember :one
select * from app.create('committee_members', :body::jsonb)

-- name: updateCommitteeMember :one
select * from app.patch('committee_members', :committee_member_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: listMemberUnits :list
-- sort: seq = t.seq :: integer
-- sort: joined_on = t.joined_on :: date
-- sort: id = t.id :: uuid
-- default: seq
select app.with_members(t.body
    , 'organization', (select x.body from app.organizations_json x where x.id = t.organization_id)   --? expand.organization
    , 'liaisons', (select coalesce(json_agg(x.body order by x.is_primary desc, x.started_on, x.id), '[]') from app.liaisons_json x where x.member_unit_id = t.id and x.confirmed_at is not null and x.ended_on is null)   --? expand.liaisons
    , 'head', (select x.body from app.committee_members_json x where x.id = app.head_of_unit(t.organization_id, app.today()))   --? expand.head
    ) as body /*keys*/
from app.member_units_json t
where true
  and t.organization_id = any (:organization_id::uuid[])
  and daterange(t.joined_on, t.left_on, '[)') @> :as_of::date
  and t.joined_on >= :joined_on.gte::date
  and t.joined_on <= :joined_on.lte::date
  and (t.left_on is null) = :left_on.is_null::boolean
  and t.search @> (select app.bigrams(:q))

-- name: getMemberUnit :one
select app.with_members(v.body
    , 'organization', (select x.body from app.organizations_json x where x.id = v.organization_id)   --? expand.organization
    , 'liaisons', (select coalesce(json_agg(x.body order by x.is_primary desc, x.started_on, x.id), '[]') from app.liaisons_json x where x.member_unit_id = v.id and x.confirmed_at is not null and x.ended_on is null)   --? expand.liaisons
    , 'head', (select x.body from app.committee_members_json x where x.id = app.head_of_unit(v.organization_id, app.today()))   --? expand.head
    ) as body, v.version as etag
from app.member_units_json v
where v.id = :member_unit_id::uuid

-- name: createMemberUnit :one
select * from app.create('member_units', :body::jsonb)

-- name: updateMemberUnit :one
select * from app.patch('member_units', :member_unit_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: listLiaisons :list
-- sort: started_on = t.started_on :: date
-- sort: id = t.id :: uuid
-- default: started_on
select app.with_members(t.body
    , 'person', (select x.body from app.persons_json x where x.id = t.person_id)   --? expand.person
    , 'organization', (select x.body from app.organizations_json x where x.id = t.organization_id)   --? expand.organization
    , 'member_unit', (select x.body from app.member_units_json x where x.id = t.member_unit_id)   --? expand.member_unit
    ) as body /*keys*/
from app.liaisons_json t
where true
  and t.member_unit_id = any (:member_unit_id::uuid[])
  and t.organization_id = any (:organization_id::uuid[])
  and t.person_id = any (:person_id::uuid[])
  and t.is_primary = :is_primary::boolean
  and (t.confirmed_at is not null) = :is_confirmed::boolean
  and daterange(t.started_on, t.ended_on, '[)') @> :as_of::date
  and t.started_on >= :started_on.gte::date
  and t.started_on <= :started_on.lte::date
  and (t.ended_on is null) = :ended_on.is_null::boolean
  and t.person_id in (select app.persons_named(:q))

-- name: getLiaison :one
select app.with_members(v.body
    , 'person', (select x.body from app.persons_json x where x.id = v.person_id)   --? expand.person
    , 'organization', (select x.body from app.organizations_json x where x.id = v.organization_id)   --? expand.organization
    , 'member_unit', (select x.body from app.member_units_json x where x.id = v.member_unit_id)   --? expand.member_unit
    ) as body, v.version as etag
from app.liaisons_json v
where v.id = :liaison_id::uuid

-- name: createLiaison :one
select * from app.create('liaisons', :body::jsonb)

-- name: updateLiaison :one
select * from app.patch('liaisons', :liaison_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: confirmLiaison :one
select * from app.confirm_liaison(:liaison_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: listOfficeStaff :list
-- sort: started_on = t.started_on :: date
-- sort: post = t.post :: text
-- sort: id = t.id :: uuid
-- default: started_on
select app.with_members(t.body
    , 'person', (select x.body from app.persons_json x where x.id = t.person_id)   --? expand.person
    ) as body /*keys*/
from app.office_staff_json t
where true
  and t.post = any (:post::text[])
  and t.employment = any (:employment::text[])
  and t.person_id = any (:person_id::uuid[])
  and daterange(t.started_on, t.ended_on, '[)') @> :as_of::date
  and t.started_on >= :started_on.gte::date
  and t.started_on <= :started_on.lte::date
  and (t.ended_on is null) = :ended_on.is_null::boolean
  and t.person_id in (select app.persons_named(:q))

-- name: getOfficeStaff :one
select app.with_members(v.body
    , 'person', (select x.body from app.persons_json x where x.id = v.person_id)   --? expand.person
    ) as body, v.version as etag
from app.office_staff_json v
where v.id = :office_staff_id::uuid

-- name: createOfficeStaff :one
select * from app.create('office_staff', :body::jsonb)

-- name: updateOfficeStaff :one
select * from app.patch('office_staff', :office_staff_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: getPublicCommittee :one
select r.body, left(md5(r.body::text), 16) as etag
from (select app.public_committee() as body) as r
