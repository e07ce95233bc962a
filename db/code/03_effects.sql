-- What a step leaves behind in its own transaction: numbers, dispatches,
-- notifications, deadlines, outbox rows. Security definer, so that the effect
-- does not depend on what the actor may write.


-- Numbers --------------------------------------------------------------------

-- 'WT' → 'WT-2026-000124'. A sequence per prefix and year: writers do not wait
-- for each other, a transaction that fails leaves a gap.
create or replace function app.next_code(prefix text) returns text
language plpgsql security definer
as $$
declare
    year constant text := to_char(app.today(), 'YYYY');
    sequence constant text := format('gen.%I', 'code_' || lower(prefix) || '_' || year);
begin
    if to_regclass(sequence) is null then
        begin
            execute format('create sequence %s', sequence);
        exception when duplicate_table or unique_violation then
            null;
        end;
    end if;
    return format('%s-%s-%s', prefix, year, lpad(nextval(sequence::regclass)::text, 6, '0'));
end
$$;

-- '平教督办' → '平教督办〔2026〕5号'. Gap-free: the counter row stays locked until
-- the transaction ends, and falls back with it (0.4-7).
create or replace function app.next_doc_no(prefix text) returns text
language plpgsql security definer
as $$
declare
    this_year constant integer := extract(year from app.today());
    number integer;
begin
    insert into app.doc_counters as c (prefix, year, n)
    values (prefix, this_year, 1)
    on conflict on constraint doc_counters_pkey do update set n = c.n + 1
    returning c.n into number;
    return format('%s〔%s〕%s号', prefix, this_year, number);
end
$$;


-- Recipients -----------------------------------------------------------------

create or replace function app.users_with_role(variadic roles text[]) returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(distinct u.id), '{}')
        from dudao.users u
        join dudao.role_grants g on g.user_id = u.id
        where u.status = 'active' and g.role = any ($1) and g.state = 'active'
            and g.valid_from <= app.today()
            and (g.valid_to is null or g.valid_to >= app.today()));
end
$$;

create or replace function app.users_of_organization(organization_id uuid) returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(u.id), '{}')
        from dudao.users u
        where u.status = 'active' and u.organization_id = $1);
end
$$;

create or replace function app.users_of_person(person_id uuid) returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(u.id), '{}')
        from dudao.users u
        where u.status = 'active' and u.person_id = $1);
end
$$;


-- Dispatches, notifications, deadlines ---------------------------------------

-- One row for each (subject, purpose, recipient, role): a second call returns
-- the first row.
create or replace function app.dispatch(
    subject_type text, subject_id uuid, purpose text,
    recipient_organization_id uuid, recipient_role text,
    due_on date default null, state text default 'planned')
returns uuid
language plpgsql security definer
as $$
declare
    result uuid;
begin
    insert into dudao.dispatches(subject_type, subject_id, purpose,
        recipient_organization_id, recipient_role, due_on, state, sent_at)
    values (subject_type, subject_id, purpose,
        recipient_organization_id, recipient_role, due_on, state,
        case when state = 'sent' then app.now() end)
    on conflict on constraint dispatches_subject_key do nothing
    returning id into result;
    if result is null then
        select d.id into result
        from dudao.dispatches d
        where d.subject_type = dispatch.subject_type
            and d.subject_id = dispatch.subject_id
            and d.purpose = dispatch.purpose
            and d.recipient_organization_id = dispatch.recipient_organization_id
            and d.recipient_role = dispatch.recipient_role;
    end if;
    return result;
end
$$;

-- One notification for each recipient; the same once per transaction, or once
-- per due_at for reminders. Returns how many were written.
create or replace function app.notify(
    subject_type text, subject_id uuid, kind text, title text, body text,
    recipients uuid[], due_at timestamptz default null)
returns integer
language plpgsql security definer
as $$
declare
    n integer;
begin
    insert into dudao.notifications(recipient_user_id, kind, title, body,
        subject_type, subject_id, due_at, dedupe_key)
    select distinct recipient, kind, title, body, subject_type, subject_id, due_at,
        concat_ws(':', subject_type, subject_id, kind, recipient,
            coalesce(extract(epoch from due_at)::text, 'x' || pg_current_xact_id()))
    from unnest(recipients) as recipient
    where recipient is not null
    on conflict (dedupe_key) do nothing;
    get diagnostics n = row_count;
    return n;
end
$$;

-- The open deadline of this kind; a later call moves it.
create or replace function app.deadline(
    subject_type text, subject_id uuid, kind text, due_on date)
returns uuid
language plpgsql security definer
as $$
#variable_conflict use_column
declare
    result uuid;
begin
    insert into dudao.deadlines as d (subject_type, subject_id, kind, due_on)
    values (subject_type, subject_id, kind, due_on)
    on conflict (subject_type, subject_id, kind) where met_on is null
        do update set due_on = excluded.due_on, updated_at = now()
    returning d.id into result;
    return result;
end
$$;

drop function if exists app.meet_deadline(text, uuid, text);
create or replace function app.meet_deadline(
    subject_type text, subject_id uuid, variadic kinds text[])
returns void
language plpgsql security definer
as $$
begin
    update dudao.deadlines d
    set met_on = app.today(), updated_at = now()
    where d.subject_type = $1 and d.subject_id = $2 and d.kind = any ($3)
        and d.met_on is null;
end
$$;


-- Outbox (section 8) ---------------------------------------------------------

-- The next revision of a business key; older ones that have not left are
-- superseded. Payload members follow 8.1-5; the mapping is the caller's.
-- Nobody is told by NOTIFY: its lock would let one such transaction commit at a
-- time. A relay looks for what is due (exchange_messages_due), as for retries.
create or replace function app.enqueue(
    type text, op text, subject_type text, subject_id uuid,
    business_key text, payload jsonb,
    peer text default 'municipal_platform', priority text default 'normal')
returns uuid
language plpgsql security definer
as $$
declare
    next_revision integer;
    waiting uuid[];
    earlier uuid;
    result uuid;
begin
    perform pg_advisory_xact_lock(hashtextextended('dudao.outbox:' || type || business_key, 0));
    select coalesce(max(m.revision), 0) + 1,
        coalesce(array_agg(m.id) filter (where m.state in ('pending', 'failed')), '{}')
        into next_revision, waiting
    from dudao.exchange_messages m
    where m.direction = 'out' and m.peer = enqueue.peer and m.type = enqueue.type
        and m.business_key = enqueue.business_key;
    foreach earlier in array waiting loop
        perform app.system_step('exchange_messages', earlier, 'supersede');
    end loop;
    insert into dudao.exchange_messages as m (direction, peer, type, op,
        subject_type, subject_id, business_key, revision, idempotency_key,
        payload_sha256, payload, priority, next_attempt_at, state)
    values ('out', peer, type, op,
        subject_type, subject_id, business_key, next_revision,
        'sha256:' || encode(sha256(convert_to(
            concat_ws('|', '430626:edusup', peer, type, op, business_key, next_revision), 'UTF8')), 'hex'),
        'sha256:' || encode(sha256(convert_to(payload::text, 'UTF8')), 'hex'),
        payload, priority, app.now(), 'pending')
    returning m.message_uid into result;
    return result;
end
$$;
