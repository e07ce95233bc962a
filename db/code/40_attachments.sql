-- Attachments: who sees which file, and the two functions that touch bytes.

select app.register('attachments', permission_group => 'attachments', machine => true, legal => true,
    read_only => '{sha256,mime,size_bytes,organization_id}');

-- o: what I or my unit sent. v: what hangs on a record that I see; the
-- subject's own row security decides.
insert into app.scope_predicates(resource, scope, predicate) values
    ('attachments', 'o', $$
        created_by = (select app.user_id())
        or (organization_id = (select app.organization_id())
            and (select app.has_role('school_account', 'township_account', 'department_account')))$$),
    ('attachments', 'v', 'app.can_read(subject_type, subject_id)');

-- The public gets what is classified so and belongs to something published.
insert into app.scope_predicates(resource, scope, predicate) values
    ('attachments', 'p', $$
        classification = 'public' and voided_at is null
        and subject_type in ('publications', 'policy_documents')
        and app.can_read(subject_type, subject_id)$$);

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('attachments.classification', 'public', '公开', 'Public', 1),
    ('attachments.classification', 'internal', '内部', 'Internal', 2),
    ('attachments.classification', 'sensitive', '敏感', 'Sensitive', 3),
    ('attachments.kind', 'evidence', '佐证', 'Evidence', 1),
    ('attachments.kind', 'photo', '照片', 'Photo', 2),
    ('attachments.kind', 'record', '记录', 'Record', 3),
    ('attachments.kind', 'official_document', '公文', 'Official document', 4),
    ('attachments.kind', 'audio', '录音', 'Audio', 5),
    ('attachments.kind', 'other', '其他', 'Other', 6);

drop view if exists app.attachments_json;
create view app.attachments_json with (security_invoker = true) as
select a.*,
    json_build_object(
        'id', a.id, 'version', a.version, 'sha256', a.sha256,
        'file_name', a.file_name, 'mime', a.mime, 'size_bytes', a.size_bytes,
        'classification', a.classification, 'kind', a.kind,
        'subject_type', a.subject_type, 'subject_id', a.subject_id,
        'captured_at', app.ts(a.captured_at),
        'captured_lat', a.captured_lat, 'captured_lng', a.captured_lng,
        'uploaded_by', a.created_by,
        'content_url', '/v1/attachments/' || a.id || '/content',
        'state', a.state, 'allowed_actions', app.allowed_actions('attachments', a.state),
        'voided_at', app.ts(a.voided_at), 'void_reason', a.void_reason,
        'created_at', app.ts(a.created_at), 'updated_at', app.ts(a.updated_at),
        'is_demo', a.is_demo) as body
from dudao.attachments a;

-- Files that this office does not keep: programs and scripts that a browser
-- or a desk would run. The type is what the bytes say, not the name.
create or replace function app.is_refused_type(mime text) returns boolean
language sql immutable parallel safe
as $$
    select mime in ('application/x-dosexec', 'application/x-executable',
        'application/x-pie-executable', 'application/x-sharedlib',
        'application/x-mach-binary', 'application/java-archive',
        'text/x-shellscript', 'text/html', 'image/svg+xml', 'application/x-msi')
$$;

-- Stores the bytes unless they are there already. Runs as owner: blobs have
-- no policy of their own and are reached through attachments alone.
create or replace function app.keep_blob(sha256 text, size_bytes bigint, content bytea)
returns void
language sql security definer
as $$
    insert into dudao.attachment_blobs(sha256, size_bytes, content)
    values ($1, $2, $3)
    on conflict do nothing
$$;

create or replace function app.store_attachment(
    sha256 text, size_bytes bigint, mime text, content bytea, body jsonb)
returns setof app.answer
language plpgsql
as $$
declare
    stored uuid;
begin
    if app.is_refused_type(mime) then
        perform app.refuse(415, 'file-type-refused',
            extra => jsonb_build_object('params', jsonb_build_object('mime', mime)));
    end if;
    perform app.keep_blob(sha256, size_bytes, content);
    insert into dudao.attachments(sha256, file_name, mime, size_bytes,
        classification, kind, subject_type, subject_id, captured_at,
        captured_lat, captured_lng, organization_id)
    values (sha256, body ->> 'file_name', mime, size_bytes,
        coalesce(body ->> 'classification', 'internal'), body ->> 'kind',
        body ->> 'subject_type', (body ->> 'subject_id')::uuid,
        (body ->> 'captured_at')::timestamptz,
        (body ->> 'captured_lat')::numeric, (body ->> 'captured_lng')::numeric,
        (select app.organization_id()))
    returning id into stored;
    return query
        select 201, '/v1/attachments/' || v.id, v.version::text, v.body::text
        from app.attachments_json v
        where v.id = stored;
end
$$;

-- The caller has to see the attachment to get its bytes.
create or replace function app.blob_slice(attachment_id uuid, first bigint, count bigint)
returns bytea
language plpgsql stable security definer
as $$
begin
    return (
        select substring(b.content from first::integer + 1 for count::integer)
        from dudao.attachments a
        join dudao.attachment_blobs b on b.sha256 = a.sha256
        where a.id = attachment_id);
end
$$;
