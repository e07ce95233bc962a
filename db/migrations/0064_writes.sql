-- What makes a write cheaper.

alter table app.row_rules add when_changed text[];
comment on column app.row_rules.when_changed is
    'looked at where a write changes one of these; null: at each write';

-- Where the calendar departs from the week, for app.add_workdays().
create index calendar_days_exceptions on dudao.calendar_days (day)
    where is_workday <> (extract(isodow from day) < 6);

-- There were two of each.
alter table dudao.notifications
    drop constraint notifications_recipient_user_id_fkey1;
alter table dudao.recusals
    drop constraint recusals_target_id_fkey1,
    drop constraint recusals_visit_id_fkey1;
