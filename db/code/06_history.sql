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
