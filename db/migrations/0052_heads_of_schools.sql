-- The heads of a school, as each row of the list of schools asks for them. The
-- exclusion constraint's GiST index would serve, at ten times the price.
create index leadership_terms_heads on dudao.leadership_terms (organization_id)
    include (ended_on, planned_end_on)
    where position in ('principal', 'kindergarten_head');
