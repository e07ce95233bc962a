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
