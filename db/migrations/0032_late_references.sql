-- Foreign keys of the inspectorate and of policy documents to tables that
-- come after them.
alter table dudao.policy_documents
    add foreign key (attachment_id) references dudao.attachments;
alter table dudao.inspectors
    add foreign key (public_photo_id) references dudao.attachments;
alter table dudao.plaques
    add foreign key (photo_attachment_id) references dudao.attachments;
alter table dudao.recusals
    add foreign key (target_id) references dudao.supervision_targets,
    add foreign key (visit_id) references dudao.visits;
alter table dudao.role_grants
    add foreign key (scope_zone_id) references dudao.zones,
    add foreign key (scope_organization_id) references dudao.organizations;

-- L-DX-02: each appointment is made public twice, before the decision and
-- after it; one notice names all of a day.
alter table dudao.inspector_appointments
    add column publicity_publication_id uuid references dudao.publications,
    add column notice_publication_id uuid references dudao.publications;
create index on dudao.inspector_appointments (publicity_publication_id);
create index on dudao.inspector_appointments (notice_publication_id);
