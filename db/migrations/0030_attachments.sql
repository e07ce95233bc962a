-- Attachments. The bytes stand in a table of their own, once for each
-- content, so that one backup of the database holds everything and the same
-- file sent twice costs nothing.

create table dudao.attachment_blobs (
    sha256      text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes  bigint not null check (size_bytes > 0),
    content     bytea not null,
    created_at  timestamptz not null default now()
);
-- uncompressed, so that a range is read without the rest
alter table dudao.attachment_blobs alter column content set storage external;

create table dudao.attachments (
    like app.record including all,
    like app.legal including all,
    sha256          text not null references dudao.attachment_blobs,
    file_name       text not null check (file_name <> '' and length(file_name) <= 255),
    mime            text not null,
    size_bytes      bigint not null check (size_bytes > 0),
    classification  text not null default 'internal'
        check (classification in ('public', 'internal', 'sensitive')),
    kind            text not null
        check (kind in ('evidence', 'photo', 'record', 'official_document', 'audio', 'other')),
    subject_type    text,
    subject_id      uuid,
    captured_at     timestamptz,
    captured_lat    numeric(9, 6) check (captured_lat between -90 and 90),
    captured_lng    numeric(9, 6) check (captured_lng between -180 and 180),
    organization_id uuid references dudao.organizations,
    state           text not null default 'kept',
    constraint attachments_subject_check check ((subject_type is null) = (subject_id is null))
);
comment on column dudao.attachments.organization_id is 'of the account that uploaded it';
create index attachments_created_by on dudao.attachments (created_by, id desc);
create index attachments_organization on dudao.attachments (organization_id, id desc);
create index attachments_subject on dudao.attachments (subject_type, subject_id, id desc);
create index attachments_sha256 on dudao.attachments (sha256);

alter table dudao.dispatches
    add foreign key (attachment_id) references dudao.attachments,
    add foreign key (recipient_organization_id) references dudao.organizations,
    add foreign key (recipient_person_id) references dudao.persons;
alter table dudao.notifications
    add foreign key (recipient_user_id) references dudao.users;
