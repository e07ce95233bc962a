-- The steps of one record, oldest first, as the body of
-- GET /v1/{collection}/{id}/transitions. Row security of the subject decides
-- who may read them.

create or replace function app.transitions_of(subject_type text, subject_id uuid) returns text
language sql stable
as $$
    select json_build_object('data', coalesce(json_agg(json_build_object(
            'id', t.id, 'action', t.action,
            'from_state', t.from_state, 'to_state', t.to_state,
            'actor_user_id', t.actor,
            'actor_name', app.display_name(t.actor), 'role', t.role,
            'at', app.ts(t.at), 'comment', t.comment,
            'data', nullif(t.data, 'null'))
            order by t.at, t.id), '[]'::json))::text
    from dudao.transitions t
    where t.subject_type = $1 and t.subject_id = $2
$$;

-- Records whose last change the audit trail does not know: entries cut off the
-- end of a chain leave it whole, and app.verify_audit() content.
create or replace function app.unaudited_records()
returns table (subject_type text, subject_id uuid)
language plpgsql stable
as $$
declare
    r app.resources;
begin
    for r in select * from app.resources x where x.is_audited order by x.resource loop
        return query execute format($f$
            select %1$L::text, t.id
            from dudao.%2$I t
            where t.version::text is distinct from coalesce((
                select l.after ->> 'version'
                from dudao.audit_logs l
                where l.subject_type = %1$L and l.subject_id = t.id
                    and l.after ? 'version'
                order by l.seq desc
                limit 1),
                -- laid down by a migration, and never changed
                case when t.created_by is null then '1' end)$f$, r.resource, r.resource);
    end loop;
end
$$;
