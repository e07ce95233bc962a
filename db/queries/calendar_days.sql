-- The calendar of working days.

-- name: listCalendarDays :list
-- sort: day = t.day :: date
-- sort: id = t.id :: uuid
-- default: day
select t.body /*keys*/
from app.calendar_days_json t
where true
  and t.day = any (:day::date[])
  and t.day >= :day.gte::date
  and t.day <= :day.lte::date
  and t.is_workday = :is_workday::boolean

-- name: getCalendarDay :one
select v.body, v.version as etag
from app.calendar_days_json v
where v.id = :calendar_day_id::uuid

-- name: createCalendarDay :one
select * from app.create('calendar_days', :body::jsonb)

-- name: updateCalendarDay :one
select * from app.patch('calendar_days', :calendar_day_id::uuid, :ctx.if_match::integer,
    :body::jsonb)

-- name: deleteCalendarDay :one
select * from app.remove('calendar_days', :calendar_day_id::uuid, :ctx.if_match::integer)
