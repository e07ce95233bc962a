-- What happens by itself once its day has come. The service calls
-- app.run_due() every minute; of several services and workers one does the
-- work at a time. Each part stands alone: what fails is logged and does not
-- keep the others from their turn.

-- 3.23: an approved item whose time has come.
create or replace function app.publish_scheduled() returns void
language plpgsql security definer
as $$
declare
    item record;
begin
    for item in
        select p.id from dudao.publications p
        where p.state = 'scheduled' and p.scheduled_at <= app.now() and p.voided_at is null
        order by p.scheduled_at
        limit 100
    loop
        -- one whose subject is no longer publishable does not keep the others
        begin
            perform app.system_step('publications', item.id, 'publish');
        exception when sqlstate 'DD422' then
            raise warning 'app.publish_scheduled: %: %', item.id, sqlerrm;
        end;
    end loop;
end
$$;

-- 3.4: a school that said nothing in five working days has confirmed.
create or replace function app.confirm_silent_visits() returns void
language plpgsql security definer
as $$
declare
    item record;
begin
    for item in
        select v.id
        from dudao.visits v
        join dudao.deadlines d on d.subject_type = 'visits' and d.subject_id = v.id
            and d.kind = 'confirm' and d.met_on is null
        where v.state = 'submitted' and d.due_on < app.today()
        limit 100
    loop
        perform app.system_step('visits', item.id, 'confirm');
    end loop;
end
$$;

-- 3.9: on the first day past due the unit and the office are told, once.
create or replace function app.tell_overdue() returns void
language sql security definer
as $$
    select app.notify('problems', p.id, 'problem_overdue', '整改逾期', p.title,
        app.users_of_organization(p.organization_id)
            || app.users_with_role('office_staff', 'deputy_chief_inspector'),
        (p.effective_due_on + 1)::timestamp at time zone 'Asia/Shanghai')
    from dudao.problems p
    where app.problem_overdue(p, app.today())
        and p.effective_due_on >= app.today() - 7
$$;

create or replace function app.run_due() returns void
language plpgsql security definer
as $$
declare
    part text;
begin
    if not pg_try_advisory_xact_lock(hashtext('dudao.run_due')) then
        return;
    end if;
    foreach part in array '{run_appointments,publish_scheduled,deliver_reports,confirm_silent_visits,tell_overdue,
        tell_meetings,tell_urgent_reports,tell_targets,
        follow_campaigns,
        keep_compliance,sweep}'::text[] loop
        begin
            execute format('select app.%I()', part);
        exception when others then
            raise warning 'app.run_due: %: % %', part, sqlstate, sqlerrm;
        end;
    end loop;
end
$$;
