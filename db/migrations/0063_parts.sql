-- Records that lie where another does: the items of a visit.
alter table app.resources
    add part_of     text references app.resources on delete cascade,
    add part_key    text,
    add check ((part_of is null) = (part_key is null));
comment on column app.resources.part_of is 'the whole, whose scopes hold for its parts';
comment on column app.resources.part_key is 'the column that holds the whole''s id';
