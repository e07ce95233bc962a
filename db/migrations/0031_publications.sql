-- Publication (2.9, 3.23): where the office publishes, what it publishes, and
-- the proof that it stands there.

create table dudao.publication_channels (
    like app.record including all,
    kind            text not null check (kind in ('gov_portal', 'broadcast_tv',
        'official_account', 'other_media', 'notice_board', 'system_public')),
    name            text not null unique check (name <> ''),
    owner_org_id    uuid references dudao.organizations,
    url             text,
    active          boolean not null default true
);

create table dudao.publications (
    like app.record including all,
    like app.legal including all,
    code                text not null unique,
    kind                text not null check (kind in ('supervision_report',
        'evaluation_result', 'rectification_disclosure', 'accountability_result',
        'appointment_notice', 'plaque_list', 'circular', 'policy',
        'recommendation', 'other')),
    subject_type        text,
    subject_id          uuid,
    publisher_org_id    uuid not null references dudao.organizations,
    title               text not null,
    summary             text,
    body                text not null,
    is_major            boolean not null default false,
    redaction_note      text,
    secrecy_reviewer_id uuid references dudao.users,
    secrecy_reviewed_at timestamptz,
    secrecy_result      text check (secrecy_result in ('pass', 'redact', 'refuse')),
    approved_by         uuid references dudao.users,
    approved_at         timestamptz,
    scheduled_at        timestamptz,
    published_at        timestamptz,
    expires_at          timestamptz,
    correction_of_id    uuid references dudao.publications,
    withdrawn_at        timestamptz,
    withdraw_reason     text,
    state               text not null default 'draft',
    search              text[] generated always as
        (app.bigrams(title || ' ' || coalesce(summary, '') || ' ' || body)) stored,
    constraint publications_subject_check check ((subject_type is null) = (subject_id is null))
);
comment on column dudao.publications.correction_of_id is 'the published item that this one corrects';
create index publications_state on dudao.publications (state, published_at desc, id desc);
create index publications_kind on dudao.publications (kind, published_at desc, id desc);
create index publications_publisher on dudao.publications (publisher_org_id, id desc);
create index publications_subject on dudao.publications (subject_type, subject_id);
create index publications_search on dudao.publications using gin (search);
create index publications_corrections on dudao.publications (correction_of_id)
    where correction_of_id is not null;
create index publications_scheduled on dudao.publications (scheduled_at)
    where state = 'scheduled';
-- One disclosure of a subject at a time, and one correction of an item: a
-- withdrawn one may be followed. An appointment has two notices, before and
-- after it.
create unique index publications_live_subject on dudao.publications (kind, subject_type, subject_id)
    where state not in ('withdrawn', 'rejected', 'voided') and correction_of_id is null
        and subject_id is not null and kind <> 'appointment_notice';
create unique index publications_live_correction on dudao.publications (correction_of_id)
    where state not in ('withdrawn', 'rejected', 'voided') and correction_of_id is not null;

create table dudao.publication_placements (
    like app.record including all,
    publication_id          uuid not null references dudao.publications,
    channel_id              uuid not null references dudao.publication_channels,
    url                     text,
    broadcast_slot          text,
    placed_at               timestamptz not null default now(),
    evidence_attachment_id  uuid references dudao.attachments,
    check_at                timestamptz,
    reachable               boolean,
    unique (publication_id, channel_id)
);
create index publication_placements_channel on dudao.publication_placements (channel_id, id desc);
