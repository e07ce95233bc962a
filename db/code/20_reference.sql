-- Reference data: divisions, organizations, schools, persons, terms of
-- office, code lists, semesters, calendar, parameters, policy documents.

select app.register('divisions', permission_group => 'reference', searched => '{name}');
select app.register('code_items', permission_group => 'reference');
select app.register('semesters', permission_group => 'reference');
select app.register('organizations', permission_group => 'organizations',
    searched => '{name,short_name}');
select app.register('schools', permission_group => 'organizations',
    read_only => '{organization_id}');
select app.register('persons', permission_group => 'organizations',
    hidden => '{id_number_hash}', searched => '{name}');
select app.register('leadership_terms', permission_group => 'organizations');
select app.register('policy_documents', permission_group => 'policy_documents',
    machine => true, legal => true, editable_in => '{draft,in_force}',
    read_only => '{is_external,superseded_by_id,repeal_reason,submitted_by}',
    searched => '{title,doc_no,issuer}');
select app.register('rule_parameter_changes', permission_group => 'parameters',
    machine => true, editable_in => '{proposed}',
    read_only => '{previous_value,decided_by,decided_at}');


-- Labels --------------------------------------------------------------------

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('divisions.level', 'province', '省', 'Province', 1),
    ('divisions.level', 'prefecture', '市', 'Prefecture', 2),
    ('divisions.level', 'county', '县', 'County', 3),
    ('divisions.level', 'township', '乡镇（街道）', 'Township level', 4),
    ('divisions.kind', 'subdistrict', '街道', 'Subdistrict', 1),
    ('divisions.kind', 'town', '镇', 'Town', 2),
    ('divisions.kind', 'township', '乡', 'Township', 3),
    ('organizations.kind', 'county_party_committee', '县委',
        'County party committee', 1),
    ('organizations.kind', 'county_government', '县政府', 'County government', 2),
    ('organizations.kind', 'party_department', '党委部门', 'Party department', 3),
    ('organizations.kind', 'county_department', '县直部门', 'County department', 4),
    ('organizations.kind', 'mass_organization', '群团组织', 'Mass organization', 5),
    ('organizations.kind', 'township_government', '乡镇政府',
        'Township government', 6),
    ('organizations.kind', 'subdistrict_office', '街道办事处',
        'Subdistrict office', 7),
    ('organizations.kind', 'school', '学校（含幼儿园）', 'School or kindergarten', 8),
    ('organizations.kind', 'supervision_office', '督导办',
        'Supervision office', 9),
    ('organizations.kind', 'supervision_committee', '督导委员会',
        'Supervision committee', 10),
    ('organizations.kind', 'research_center', '研究中心', 'Research centre', 11),
    ('organizations.kind', 'third_party', '第三方机构', 'Third party', 12),
    ('organizations.kind', 'superior_supervision_body', '上级督导机构',
        'Superior supervision body', 13),
    ('organizations.kind', 'media', '媒体', 'Media', 14),
    ('organizations.kind', 'other', '其他', 'Other', 15),
    ('organizations.status', 'operating', '运行', 'Operating', 1),
    ('organizations.status', 'suspended', '停办', 'Suspended', 2),
    ('organizations.status', 'closed', '撤销', 'Closed', 3),
    ('organizations.status', 'merged', '合并', 'Merged', 4),
    ('schools.stages', 'kindergarten', '学前教育', 'Kindergarten', 1),
    ('schools.stages', 'primary', '小学', 'Primary', 2),
    ('schools.stages', 'junior', '初中', 'Junior secondary', 3),
    ('schools.stages', 'senior', '普通高中', 'Senior secondary', 4),
    ('schools.stages', 'vocational', '中等职业', 'Vocational', 5),
    ('schools.stages', 'special', '特殊教育', 'Special', 6),
    ('schools.ownership', 'public', '公办', 'Public', 1),
    ('schools.ownership', 'public_inclusive_kg', '公办性质园',
        'Public-type kindergarten', 2),
    ('schools.ownership', 'private_inclusive', '普惠性民办',
        'Private, inclusive', 3),
    ('schools.ownership', 'private_for_profit', '营利性民办',
        'Private, for profit', 4),
    ('schools.ownership', 'private_non_profit', '非营利民办',
        'Private, non-profit', 5),
    ('schools.licence_status', 'licensed', '有证', 'Licensed', 1),
    ('schools.licence_status', 'unlicensed', '无证', 'Unlicensed', 2),
    ('schools.licence_status', 'expired', '已过期', 'Expired', 3),
    ('persons.gender', 'male', '男', 'Male', 1),
    ('persons.gender', 'female', '女', 'Female', 2),
    ('leadership_terms.position', 'township_party_secretary', '乡镇党委书记',
        'Township party secretary', 1),
    ('leadership_terms.position', 'township_head', '乡镇长、街道主任',
        'Township head', 2),
    ('leadership_terms.position', 'department_head', '部门主要负责人',
        'Department head', 3),
    ('leadership_terms.position', 'principal', '校长', 'Principal', 4),
    ('leadership_terms.position', 'kindergarten_head', '园长',
        'Kindergarten head', 5),
    ('leadership_terms.position', 'school_party_secretary', '学校党组织书记',
        'School party secretary', 6),
    ('leadership_terms.position', 'deputy', '班子副职', 'Deputy', 7),
    ('leadership_terms.position', 'other', '其他', 'Other', 8),
    ('leadership_terms.end_reason', 'term_expired', '届满', 'Term expired', 1),
    ('leadership_terms.end_reason', 'transferred', '调任', 'Transferred', 2),
    ('leadership_terms.end_reason', 'resigned', '辞职', 'Resigned', 3),
    ('leadership_terms.end_reason', 'removed', '免职', 'Removed', 4),
    ('leadership_terms.end_reason', 'retired', '退休', 'Retired', 5),
    ('leadership_terms.end_reason', 'deceased', '去世', 'Deceased', 6),
    ('semesters.term', 'first', '秋季学期', 'Autumn term', 1),
    ('semesters.term', 'second', '春季学期', 'Spring term', 2),
    ('policy_documents.kind', 'national_law', '国家法律法规规章', 'National law', 1),
    ('policy_documents.kind', 'superior_directive', '上级部署',
        'Superior directive', 2),
    ('policy_documents.kind', 'provincial_policy', '省级政策',
        'Provincial policy', 3),
    ('policy_documents.kind', 'municipal_policy', '市级政策',
        'Municipal policy', 4),
    ('policy_documents.kind', 'local_scheme', '本县办法', 'Local scheme', 5),
    ('policy_documents.kind', 'work_procedure', '工作规程', 'Work procedure', 6),
    ('policy_documents.kind', 'joint_meeting_rule', '联席会议制度',
        'Joint meeting rule', 7),
    ('policy_documents.kind', 'communication_rule', '沟通交流制度',
        'Communication rule', 8),
    ('policy_documents.kind', 'reporting_rule', '报告制度', 'Reporting rule', 9),
    ('policy_documents.kind', 'evaluation_scheme', '评价体系',
        'Evaluation scheme', 10),
    ('policy_documents.kind', 'funds_rule', '经费使用制度', 'Funds rule', 11),
    ('policy_documents.kind', 'promotion_rule', '晋升办法', 'Promotion rule', 12),
    ('policy_documents.kind', 'training_rule', '培训制度', 'Training rule', 13),
    ('policy_documents.kind', 'it_plan', '信息化规划', 'IT plan', 14),
    ('policy_documents.kind', 'other', '其他', 'Other', 15),
    ('policy_documents.level', 'national', '国家', 'National', 1),
    ('policy_documents.level', 'provincial', '省', 'Provincial', 2),
    ('policy_documents.level', 'municipal', '市', 'Municipal', 3),
    ('policy_documents.level', 'county', '县', 'County', 4),
    ('policy_documents.expense_standards.category', 'communication', '通信',
        'Communication', 1),
    ('policy_documents.expense_standards.category', 'transport', '交通',
        'Transport', 2),
    ('policy_documents.expense_standards.category', 'meals', '餐饮', 'Meals', 3),
    ('policy_documents.expense_standards.category', 'lodging', '住宿',
        'Lodging', 4),
    ('policy_documents.expense_standards.category', 'labor', '劳务', 'Labour', 5),
    ('policy_documents.expense_standards.category', 'other', '其他', 'Other', 6)
on conflict (name, value) do update set label_zh = excluded.label_zh,
    label_en = excluded.label_en, sort = excluded.sort;


-- Scopes (4.2) --------------------------------------------------------------

-- Third parties have a scope once there are contracts (k).
insert into app.scope_predicates(resource, scope, predicate) values
    ('divisions', 'p', 'true'),
    ('code_items', 'p', 'active'),
    ('semesters', 'p', 'true'),
    -- The zone's schools, and the townships in which they lie.
    ('organizations', 'z', $p$
        id = any ((select app.my_zone_organizations())::uuid[])
        or id = (select app.organization_id())
        or (kind in ('township_government', 'subdistrict_office')
            and division_id = any (
                (select app.my_zone_divisions())::uuid[]))$p$),
    ('organizations', 's', $p$
        id = any ((select app.my_assigned_organizations())::uuid[])
        or id = (select app.organization_id())$p$),
    ('organizations', 'o', 'id = (select app.organization_id())'),
    ('organizations', 'j', $p$
        id = any ((select app.my_jurisdiction_organizations())::uuid[])$p$),
    ('organizations', 'k', 'id = (select app.organization_id())'),
    ('organizations', 'p', 'status = ''operating'''),
    ('schools', 'z', 'zone_id = any ((select app.my_zone_ids())::uuid[])'),
    ('schools', 's', $p$
        organization_id = any (
            (select app.my_assigned_organizations())::uuid[])$p$),
    ('schools', 'o', 'organization_id = (select app.organization_id())'),
    ('schools', 'j', $p$
        organization_id = any (
            (select app.my_jurisdiction_organizations())::uuid[])$p$),
    ('schools', 'k', 'false'),
    ('schools', 'p', $p$exists (
        select from dudao.organizations o
        where o.id = organization_id and o.status = 'operating')$p$),
    ('persons', 'z', $p$
        organization_id = any ((select app.my_zone_organizations())::uuid[])
        or id = (select app.person_id())
        or id = any ((select app.my_zone_inspector_persons())::uuid[])$p$),
    ('persons', 's', $p$
        organization_id = any (
            (select app.my_assigned_organizations())::uuid[])
        or id = (select app.person_id())$p$),
    ('persons', 'o', 'organization_id = (select app.organization_id())'),
    ('persons', 'j', $p$
        organization_id = any (
            (select app.my_jurisdiction_organizations())::uuid[])$p$),
    ('persons', 'k', 'id = (select app.person_id())'),
    -- the names on the plaques come through app.plaques_json
    ('persons', 'p', 'false'),
    ('leadership_terms', 'z', $p$
        organization_id = any (
            (select app.my_zone_organizations())::uuid[])$p$),
    ('leadership_terms', 's', $p$
        organization_id = any (
            (select app.my_assigned_organizations())::uuid[])
        or person_id = (select app.person_id())$p$),
    ('leadership_terms', 'o', $p$
        organization_id = (select app.organization_id())$p$),
    ('leadership_terms', 'j', $p$
        organization_id = any (
            (select app.my_jurisdiction_organizations())::uuid[])$p$),
    ('leadership_terms', 'k', 'false'),
    ('leadership_terms', 'p', 'false'),
    ('policy_documents', 'p', $p$
        is_public and voided_at is null
        and state in ('in_force', 'superseded', 'repealed')$p$)
on conflict (resource, scope) do update set predicate = excluded.predicate;

create or replace function app.my_zone_divisions() returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(distinct d), '{}')
        from dudao.zones z, unnest(z.division_ids) as d
        where z.id = any ((select app.my_zone_ids())::uuid[]));
end
$$;

create or replace function app.my_zone_inspector_persons() returns uuid[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(i.person_id), '{}')
        from dudao.zone_memberships m
        join dudao.inspectors i on i.id = m.inspector_id
        where m.ended_on is null
            and m.zone_id = any ((select app.my_zone_ids())::uuid[]));
end
$$;

-- A name that stands beside an id, also where the person's own row is hidden.
create or replace function app.person_name(person_id uuid) returns text
language plpgsql stable security definer
as $$
begin
    return (
        select p.name from dudao.persons p where p.id = $1);
end
$$;

create or replace function app.organization_name(organization_id uuid)
returns text
language plpgsql stable security definer
as $$
begin
    return (
        select o.name from dudao.organizations o where o.id = $1);
end
$$;

create or replace function app.organization_of(code text) returns uuid
language plpgsql stable security definer
as $$
begin
    return (
        select o.id from dudao.organizations o where o.code = $1);
end
$$;

-- The accounts of units edit what the unit knows best; the rest is the
-- office's.
create or replace function app.is_unit_writer() returns boolean
language sql stable parallel safe
as $$
    select app.roles()
            && '{school_account,township_account,department_account}'
        and not app.roles() && '{office_staff,deputy_chief_inspector,chief_inspector,sys_admin,system}'
$$;

-- The office or its administrator, for what units may not do.
create or replace function app.is_code(list text, code text) returns boolean
language plpgsql stable security definer
as $$
begin
    return exists (
        select from dudao.code_items c
        where c.list = $1 and c.code = $2 and c.active);
end
$$;


-- Codes with a check digit --------------------------------------------------

-- GB 32100-2015: the sum of the first 17 values times 3^(i-1), modulo 31.
create or replace function app.is_uscc(code text) returns boolean
language sql immutable parallel safe
as $$
    select code ~ '^[0-9A-HJ-NPQRTUWXY]{18}$' and (
        select (31 - sum(
                (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY',
                    substr(code, place, 1)) - 1)
                * (array[1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24,
                    10, 30, 28])[place]) % 31) % 31
        from generate_series(1, 17) as place)
        = strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(code, 18, 1)) - 1
$$;

-- GB 11643-1999, resident identity number.
create or replace function app.is_id_number(number text) returns boolean
language sql immutable parallel safe
as $$
    select number ~ '^[1-9][0-9]{16}[0-9X]$'
        and substr('10X98765432', 1 + (
            select sum(substr(number, place, 1)::integer
                * (array[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4,
                    2])[place])::integer % 11
            from generate_series(1, 17) as place), 1)
        = substr(number, 18, 1)
$$;

create or replace function app.id_number_hash(number text) returns bytea
language plpgsql stable security definer
as $$
begin
    return (
        select ext.hmac(convert_to(upper(number), 'UTF8'), k.key, 'sha256')
        from dudao.person_hash_key k);
end
$$;


-- Rules of rows -------------------------------------------------------------

insert into app.row_rules(resource, name, expression, pointer, code,
    rule_id, clause_id, params) values
    ('divisions', 'code_of_level', $e$
        (new.level = 'township') = (length(new.code) = 9)$e$,
        '/code', 'division-code-level', null, null, null),
    ('divisions', 'parent_code', $e$
        new.parent_id is null or new.level <> 'township' or exists (
            select from dudao.divisions p
            where p.id = new.parent_id
                and left(p.code, 6) = left(new.code, 6))$e$,
        '/parent_id', 'division-parent-code', null, null, null),
    ('divisions', 'parent_is_other', 'new.parent_id <> new.id',
        '/parent_id', 'self-reference', null, null, null),
    ('divisions', 'active_to', 'new.active_to >= new.active_from',
        '/active_to', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.active_from)'),

    ('organizations', 'uscc', 'new.uscc is null or app.is_uscc(new.uscc)',
        '/uscc', 'uscc-check-digit', null, null, null),
    ('organizations', 'parent_is_other',
        'new.parent_organization_id <> new.id',
        '/parent_organization_id', 'self-reference', null, null, null),
    ('organizations', 'host_is_other', 'new.host_organization_id <> new.id',
        '/host_organization_id', 'self-reference', null, null, null),
    -- C2.1.2.a: the office is hosted by the education bureau
    ('organizations', 'office_has_host', $e$
        new.kind <> 'supervision_office'
        or new.host_organization_id is not null$e$,
        '/host_organization_id', 'host-required',
        'R-ORG-04', 'C2.1.2.a', null),
    -- C2.4.2.b: the research centre belongs to the office
    ('organizations', 'centre_is_managed', $e$
        new.kind <> 'research_center' or exists (
            select from dudao.organizations o
            where o.id = new.managed_by_id
                and o.kind = 'supervision_office')$e$,
        '/managed_by_id', 'managed-by-office', 'R-RES-01', 'C2.4.2.b', null),
    ('organizations', 'school_has_zone', $e$
        new.kind <> 'school' or new.status <> 'operating'
        or old.id is null or exists (
            select from dudao.schools s
            where s.id = new.id and s.zone_id is not null)$e$,
        '/status', 'zone-required', 'R-ZON-01', 'C2.2.2.e', null),
    ('organizations', 'kind_fixed', $e$
        old.id is null or (old.kind = 'school') = (new.kind = 'school')$e$,
        '/kind', 'kind-fixed', null, null, null),

    ('schools', 'school_type', $e$
        app.is_code('school_type', new.school_type)$e$,
        '/school_type', 'unknown-code', null, null,
        'jsonb_build_object(''list'', ''school_type'')'),
    ('schools', 'urban_rural', $e$
        new.urban_rural is null
        or app.is_code('urban_rural', new.urban_rural)$e$,
        '/urban_rural', 'unknown-code', null, null,
        'jsonb_build_object(''list'', ''urban_rural'')'),
    ('schools', 'ident_code_category', $e$
        left(new.ident_code, 2) = left(new.school_type, 2)$e$,
        '/ident_code', 'ident-code-category', null, null,
        'jsonb_build_object(''category'', left(new.school_type, 2))'),
    ('schools', 'ident_code_fixed',
        'old.id is null or new.ident_code = old.ident_code',
        '/ident_code', 'ident-code-fixed', null, null, null),
    -- every operating school lies in exactly one zone, and an active one
    ('schools', 'zone_required', $e$
        new.zone_id is not null or not exists (
            select from dudao.organizations o
            where o.id = new.organization_id and o.status = 'operating')$e$,
        '/zone_id', 'zone-required', 'R-ZON-01', 'C2.2.2.e', null),
    ('schools', 'zone_active', $e$
        new.zone_id is null or new.zone_id is not distinct from old.zone_id
        or not exists (
            select from dudao.zones z
            where z.id = new.zone_id and z.active_to < app.today())$e$,
        '/zone_id', 'zone-not-active', 'R-ZON-01', 'C2.2.2.e', null),
    ('schools', 'parent_required', $e$
        new.school_type <> '218' or new.parent_school_id is not null$e$,
        '/parent_school_id', 'parent-school-required',
        'R-PLQ-01', 'C2.2.2.f', null),
    ('schools', 'parent_is_school', $e$
        new.parent_school_id is null or not exists (
            select from dudao.schools p
            where p.id = new.parent_school_id
                and (p.id = new.id or p.parent_school_id is not null))$e$,
        '/parent_school_id', 'parent-school-nested', null, null, null),
    ('schools', 'teaching_point_not_counted', $e$
        not new.counts_in_ratio
        or new.school_type not in ('218', '119', '219', '319')$e$,
        '/counts_in_ratio', 'not-counted-in-ratio',
        'R-INS-01', 'C2.4.1.a', null),
    ('schools', 'licence_required', $e$
        new.licence_status is not null
        or (new.ownership not like 'private%'
            and not new.stages @> '{kindergarten}')$e$,
        '/licence_status', 'licence-status-required',
        'R-VIS-04', 'C2.2.2.g', null),
    ('schools', 'licence_number', $e$
        new.licence_status is distinct from 'licensed'
        or new.ownership not like 'private%'
        or (new.licence_no is not null
            and new.licence_valid_to is not null)$e$,
        '/licence_no', 'licence-number-required', null, 'C2.2.2.g', null),
    ('schools', 'kindergarten_ownership', $e$
        new.ownership <> 'public_inclusive_kg'
        or new.stages = '{kindergarten}'$e$,
        '/ownership', 'ownership-not-of-stage', null, null, null),
    ('schools', 'boarders', 'new.boarder_count <= new.student_count',
        '/boarder_count', 'too-large', null, null,
        'jsonb_build_object(''max'', new.student_count)'),
    ('schools', 'year_of_numbers', $e$
        new.as_of_year is not null or num_nonnulls(new.student_count,
            new.boarder_count, new.class_count, new.teacher_count) = 0$e$,
        '/as_of_year', 'required', null, null, null),
    ('schools', 'established_past', 'new.established_on <= app.today()',
        '/established_on', 'date-in-future', null, null, null),
    ('schools', 'place_is_pair', $e$
        (new.longitude is null) = (new.latitude is null)$e$,
        '/latitude', 'coordinates-incomplete', null, null, null),

    ('persons', 'birth_year', $e$
        new.birth_year <= extract(year from app.today())$e$,
        '/birth_year', 'date-in-future', null, null, null),

    ('leadership_terms', 'planned_end', $e$
        new.planned_end_on is not null
        or new.position not in ('principal', 'kindergarten_head')$e$,
        '/planned_end_on', 'planned-end-required',
        'R-CMP-02', 'C2.2.2.d', null),
    ('leadership_terms', 'planned_end_after_start',
        'new.planned_end_on > new.started_on',
        '/planned_end_on', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.started_on)'),
    ('leadership_terms', 'end_after_start',
        'new.ended_on >= new.started_on',
        '/ended_on', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.started_on)'),
    ('leadership_terms', 'not_in_future', 'new.started_on <= app.today()',
        '/started_on', 'date-in-future', null, null, null),
    ('leadership_terms', 'end_not_in_future', 'new.ended_on <= app.today()',
        '/ended_on', 'date-in-future', null, null, null),
    ('leadership_terms', 'end_reason', $e$
        (new.ended_on is null) = (new.end_reason is null)$e$,
        '/end_reason', 'end-reason-with-date', null, null, null),
    ('leadership_terms', 'position_of_unit', $e$
        new.position in ('deputy', 'other') or exists (
            select from dudao.organizations o
            where o.id = new.organization_id and (
                (o.kind = 'school' and new.position in ('principal',
                    'kindergarten_head', 'school_party_secretary'))
                or (o.kind in ('township_government', 'subdistrict_office')
                    and new.position in ('township_party_secretary',
                        'township_head'))
                or (o.kind not in ('school', 'township_government',
                        'subdistrict_office')
                    and new.position = 'department_head')))$e$,
        '/position', 'position-not-of-unit', null, null, null),

    ('semesters', 'term_of_code', $e$
        (new.term = 'first') = (right(new.code, 1) = '1')$e$,
        '/term', 'semester-code-term', null, null, null),
    ('semesters', 'years_of_code', $e$
        substr(new.code, 6, 4)::integer
            = substr(new.code, 1, 4)::integer + 1$e$,
        '/code', 'semester-code-years', null, null, null),
    ('semesters', 'ends_after_start', 'new.ends_on > new.starts_on',
        '/ends_on', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.starts_on)'),

    ('policy_documents', 'parent_is_other',
        'new.parent_document_id <> new.id',
        '/parent_document_id', 'self-reference', null, null, null),
    -- P.1: county on municipal on provincial on national
    ('policy_documents', 'parent_level', $e$
        new.parent_document_id is null or exists (
            select from dudao.policy_documents p
            where p.id = new.parent_document_id
                and array_position('{national,provincial,municipal,county}'
                    ::text[], p.level)
                <= array_position('{national,provincial,municipal,county}'
                    ::text[], new.level))$e$,
        '/parent_document_id', 'parent-document-level', null, 'P.1', null),
    ('policy_documents', 'effective_to',
        'new.effective_to >= new.effective_from',
        '/effective_to', 'date-before-start', null, null,
        'jsonb_build_object(''min'', new.effective_from)'),
    ('policy_documents', 'issued_past', 'new.issued_on <= app.today()',
        '/issued_on', 'date-in-future', null, null, null),
    ('policy_documents', 'external_number', $e$
        not new.is_external or new.doc_no is not null$e$,
        '/doc_no', 'required', null, 'H.2', null),
    ('policy_documents', 'external_date', $e$
        not new.is_external or new.issued_on is not null$e$,
        '/issued_on', 'required', null, 'H.2', null),
    ('policy_documents', 'external_issuer', $e$
        not new.is_external or not exists (
            select from dudao.organizations o
            where o.kind in ('supervision_office', 'supervision_committee')
                and new.issuer in (o.name, o.short_name))$e$,
        '/issuer', 'issuer-is-own-office', null, 'H.1', null),
    -- H.6: a clause can be pointed at
    ('policy_documents', 'clauses_have_text', $e$
        not exists (
            select from jsonb_array_elements(new.clauses) as c
            where jsonb_typeof(c) <> 'object'
                or coalesce(btrim(c ->> 'clause_id'), '') = ''
                or coalesce(btrim(c ->> 'text'), '') = '')$e$,
        '/clauses', 'clause-incomplete', null, 'H.6', null),
    ('policy_documents', 'clauses_once', $e$
        (select count(distinct c ->> 'clause_id')
                = count(c ->> 'clause_id')
         from jsonb_array_elements(new.clauses) as c
         where jsonb_typeof(c) = 'object')$e$,
        '/clauses', 'clause-repeated', null, 'H.6', null),
    -- C3.1.c: category, unit and limit of each standard
    ('policy_documents', 'standards_complete', $e$
        not exists (
            select from jsonb_array_elements(new.expense_standards) as s
            where jsonb_typeof(s) <> 'object'
                or coalesce(btrim(s ->> 'unit'), '') = ''
                or jsonb_typeof(s -> 'limit_fen') is distinct from 'number'
                or (s ->> 'limit_fen')::numeric < 0
                or (s ->> 'limit_fen')::numeric % 1 <> 0
                or not exists (
                    select from app.enumerations e
                    where e.name =
                            'policy_documents.expense_standards.category'
                        and e.value = s ->> 'category'))$e$,
        '/expense_standards', 'expense-standard-incomplete',
        'R-FIN-03', 'C3.1.c', null),
    ('policy_documents', 'funds_rule_has_standards', $e$
        new.kind <> 'funds_rule' or new.state <> 'in_force'
        or jsonb_array_length(new.expense_standards) > 0$e$,
        '/expense_standards', 'expense-standards-required',
        'R-FIN-03', 'C3.1.c', null),
    ('policy_documents', 'level_of_kind', $e$
        case new.kind
            when 'national_law' then new.level = 'national'
            when 'provincial_policy' then new.level = 'provincial'
            when 'municipal_policy' then new.level = 'municipal'
            -- C1.a: what the levels above decide
            when 'superior_directive' then new.level <> 'county'
            else new.level = 'county' or new.kind not in ('local_scheme',
                'work_procedure', 'joint_meeting_rule',
                'communication_rule', 'reporting_rule', 'funds_rule')
        end$e$,
        '/level', 'level-not-of-kind', null, 'C1.a', null),
    -- what was issued keeps its text
    ('policy_documents', 'issued_is_fixed', $e$
        old.state is distinct from 'in_force' or new.state <> 'in_force'
        or old.is_external
        or (new.title, new.doc_no, new.issuer, new.issued_on, new.kind,
            new.level, new.clauses, new.expense_standards,
            new.attachment_id, new.effective_from)
        is not distinct from
           (old.title, old.doc_no, old.issuer, old.issued_on, old.kind,
            old.level, old.clauses, old.expense_standards,
            old.attachment_id, old.effective_from)$e$,
        null, 'issued-document-fixed', null, null, null)
on conflict (resource, name) do update set
    expression = excluded.expression, pointer = excluded.pointer,
    code = excluded.code, rule_id = excluded.rule_id,
    clause_id = excluded.clause_id, params = excluded.params;

-- Fields that a unit's own account may not change.
insert into app.row_rules(resource, name, expression, pointer, code)
select f.resource, 'office_only_' || name,
    format('old.id is null or new.%1$I is not distinct from old.%1$I '
        'or not app.is_unit_writer()', name),
    '/' || name, 'office-only-field'
from (values
    ('organizations', '{code,uscc,kind,name,division_id,parent_organization_id,managed_by_id,host_organization_id,is_supervisable,status}'::text[]),
    ('schools', '{school_type,stages,ownership,licence_status,licence_no,licence_valid_to,zone_id,parent_school_id,counts_in_ratio,urban_rural,established_on}'),
    ('leadership_terms', '{organization_id,person_id,position,is_principal_leader,started_on}')
) as f(resource, names), unnest(f.names) as name
on conflict (resource, name) do update set
    expression = excluded.expression, code = excluded.code;

comment on constraint leadership_terms_no_overlap on dudao.leadership_terms is
    '{"code": "overlapping-period", "pointer": "/started_on", "rule_id": "R-CMP-02", "clause_id": "C2.2.2.d"}';
comment on constraint semesters_no_overlap on dudao.semesters is
    '{"code": "overlapping-period", "pointer": "/starts_on"}';


-- What a create fills in ----------------------------------------------------

create or replace function app.before_create_organizations(
    r dudao.organizations, body jsonb)
returns dudao.organizations
language plpgsql
as $$
begin
    r.code := coalesce(r.code, r.uscc, app.next_code('ORG'));
    r.short_name := coalesce(r.short_name, left(r.name, 100));
    if not body ? 'is_supervisable' then
        r.is_supervisable := r.kind in ('township_government',
            'subdistrict_office', 'county_department', 'party_department',
            'mass_organization', 'school');
    end if;
    if r.kind = 'school' then
        perform app.refuse(422, 'validation-failed',
            array[app.fault('created-as-school', '/kind')]);
    end if;
    return r;
end
$$;

-- A school comes with its organization, in one body.
create or replace function app.before_create_schools(
    r dudao.schools, body jsonb)
returns dudao.schools
language plpgsql
as $$
begin
    r.organization_id := r.id;
    if not body ? 'counts_in_ratio' then
        r.counts_in_ratio :=
            r.school_type not in ('218', '119', '219', '319');
    end if;
    insert into dudao.organizations(id, is_demo, code, uscc, kind, name,
        short_name, division_id, parent_organization_id, is_supervisable,
        status, contact_name, contact_phone, address)
    values (r.id, r.is_demo,
        coalesce(body ->> 'uscc', 'ORG-' || r.ident_code), body ->> 'uscc',
        'school', body ->> 'name',
        coalesce(body ->> 'short_name', left(body ->> 'name', 100)),
        (body ->> 'division_id')::uuid,
        (body ->> 'parent_organization_id')::uuid, true,
        coalesce(body ->> 'status', 'operating'), body ->> 'contact_name',
        body ->> 'contact_phone', body ->> 'address');
    return r;
exception when insufficient_privilege then
    if sqlerrm like '%row-level security%' then
        perform app.refuse_write('organizations');
    end if;
    raise;
end
$$;

create or replace function app.before_create_persons(
    r dudao.persons, body jsonb)
returns dudao.persons
language plpgsql
as $$
begin
    r.code := coalesce(r.code, app.next_code('RY'));
    return r;
end
$$;

-- The number goes in as its hash, after the row: the API's role can neither
-- read nor write that column.
create or replace function app.keep_id_number(person uuid, number text)
returns void
language plpgsql security definer
as $$
begin
    if not app.is_id_number(upper(number)) then
        perform app.refuse(422, 'validation-failed',
            array[app.fault('id-number-check-digit', '/id_number')]);
    end if;
    if exists (
            select from dudao.persons p
            where p.id_number_hash = app.id_number_hash(number)
                and p.id <> person) then
        perform app.refuse(409, 'duplicate',
            array[app.fault('duplicate', '/id_number')]);
    end if;
    update dudao.persons p
    set id_number_hash = app.id_number_hash(number)
    where p.id = person
        and p.id_number_hash is distinct from app.id_number_hash(number);
end
$$;

create or replace function app.after_create_persons(
    r dudao.persons, body jsonb)
returns void
language plpgsql
as $$
begin
    if body ->> 'id_number' is not null then
        perform app.keep_id_number(r.id, body ->> 'id_number');
    end if;
end
$$;

create or replace function app.after_patch_persons(
    r dudao.persons, patch jsonb)
returns void
language plpgsql
as $$
begin
    if patch ->> 'id_number' is not null then
        perform app.keep_id_number(r.id, patch ->> 'id_number');
    end if;
end
$$;

create or replace function app.before_create_leadership_terms(
    r dudao.leadership_terms, body jsonb)
returns dudao.leadership_terms
language plpgsql
as $$
begin
    if not body ? 'is_principal_leader' then
        r.is_principal_leader := r.position in ('township_party_secretary',
            'township_head', 'department_head', 'principal',
            'kindergarten_head');
    end if;
    return r;
end
$$;

-- Months with enough teaching days, by the calendar.
create or replace function app.teaching_months(starts_on date, ends_on date)
returns text[]
language plpgsql stable security definer
as $$
begin
    return (
        select coalesce(array_agg(m.month order by m.month), '{}')
        from (
            select to_char(d, 'YYYY-MM') as month
            from generate_series(starts_on, ends_on, interval '1 day') as d
            left join dudao.calendar_days c on c.day = d::date
            where app.is_workday(c.is_workday, d::date)
            group by 1
            having count(*) >=
                coalesce(app.parameter_int('teaching_month_min_days'), 15)
        ) as m);
end
$$;

create or replace function app.before_create_semesters(
    r dudao.semesters, body jsonb)
returns dudao.semesters
language plpgsql
as $$
begin
    r.term := coalesce(r.term,
        case right(r.code, 1) when '1' then 'first' else 'second' end);
    if not body ? 'teaching_months' then
        r.teaching_months := app.teaching_months(r.starts_on, r.ends_on);
    end if;
    return r;
end
$$;


-- Policy documents (3.21) ---------------------------------------------------

-- Documents of others enter in force; ours begin as drafts.
create or replace function app.before_create_policy_documents(
    r dudao.policy_documents, body jsonb)
returns dudao.policy_documents
language plpgsql
as $$
begin
    if (body ->> 'register_external')::boolean then
        r.is_external := true;
        r.state := 'in_force';
        r.effective_from := coalesce(r.effective_from, r.issued_on);
    end if;
    return r;
end
$$;

-- Kinds of which one is in force at a time.
create or replace function app.is_single_document(kind text) returns boolean
language sql immutable parallel safe
as $$
    select kind in ('work_procedure', 'joint_meeting_rule',
        'communication_rule', 'reporting_rule', 'funds_rule',
        'promotion_rule')
$$;

create or replace function app.issuer_role(kind text) returns text
language sql immutable parallel safe
as $$
    select case when kind in ('work_procedure', 'joint_meeting_rule',
            'evaluation_scheme')
        then 'committee_director' else 'chief_inspector' end
$$;

create or replace function app.before_policy_documents(
    action text, r dudao.policy_documents, data jsonb)
returns dudao.policy_documents
language plpgsql security definer
as $$
declare
    previous uuid;
begin
    if action = 'submit' then
        r.submitted_by := app.user_id();
    elsif action = 'issue' then
        r.doc_no := coalesce(data ->> 'doc_no', r.doc_no);
        r.issued_on := coalesce((data ->> 'issued_on')::date, r.issued_on,
            app.today());
        r.effective_from := coalesce((data ->> 'effective_from')::date,
            r.effective_from, r.issued_on);
        if app.is_single_document(r.kind)
                and app.has_role(app.issuer_role(r.kind)) then
            select d.id into previous
            from dudao.policy_documents d
            where d.kind = r.kind and d.state = 'in_force' and d.id <> r.id;
            if previous is not null then
                perform app.system_step('policy_documents', previous,
                    'supersede', jsonb_build_object('superseded_by_id', r.id,
                        'effective_to', r.effective_from));
            end if;
        end if;
    elsif action = 'supersede' then
        r.superseded_by_id := (data ->> 'superseded_by_id')::uuid;
        r.effective_to := greatest(r.effective_from,
            (data ->> 'effective_to')::date);
    elsif action = 'repeal' then
        r.effective_to := (data ->> 'effective_to')::date;
        r.repeal_reason := data ->> 'reason';
    end if;
    return r;
end
$$;

create or replace function app.guard_policy_documents(
    action text, old dudao.policy_documents, new dudao.policy_documents,
    data jsonb)
returns app.fault[]
language plpgsql stable
as $$
declare
    faults app.fault[] := '{}';
begin
    if action = 'submit' then
        if new.attachment_id is null and new.clauses = '[]' then
            faults := faults || app.fault('text-required', '/clauses',
                clause_id => 'H.6');
        end if;
        -- C1.a: documents of others are registered, not drafted
        if new.kind in ('national_law', 'superior_directive',
                'provincial_policy', 'municipal_policy') then
            faults := faults || app.fault('document-of-others', '/kind',
                clause_id => 'C1.a');
        end if;
        if new.kind = 'funds_rule' and new.expense_standards = '[]' then
            faults := faults || app.fault('expense-standards-required',
                '/expense_standards', null, 'R-FIN-03', 'C3.1.c');
        end if;
    elsif action in ('issue', 'repeal') and not old.is_external
            and not app.has_role(app.issuer_role(old.kind)) then
        perform app.refuse(403, 'role-not-permitted',
            extra => jsonb_build_object('state', old.state,
                'clause_id', 'C2.1.3.a'));
    end if;
    if action = 'issue' then
        if new.doc_no is null then
            faults := faults || app.fault('required', '/doc_no',
                clause_id => 'H.2');
        end if;
        if app.is_single_document(new.kind) and exists (
                select from dudao.policy_documents d
                where d.kind = new.kind and d.state = 'in_force'
                    and d.id <> new.id) then
            faults := faults || app.fault('already-in-force', '/kind',
                rule_id => 'R-MTG-03', clause_id => 'C2.1.3.a');
        end if;
        -- P.1: the chain leads up to the province or the state
        if (new.kind = 'local_scheme' or app.is_single_document(new.kind))
                and not exists (
                with recursive chain as (
                    select d.id, d.level, d.parent_document_id, 1 as depth
                    from dudao.policy_documents d
                    where d.id = new.parent_document_id
                    union all
                    select d.id, d.level, d.parent_document_id, c.depth + 1
                    from chain c
                    join dudao.policy_documents d
                        on d.id = c.parent_document_id
                    where c.depth < 10
                )
                select from chain where level in ('national', 'provincial'))
                then
            faults := faults || app.fault('basis-chain-incomplete',
                '/parent_document_id', clause_id => 'P.1');
        end if;
    elsif action = 'repeal' and new.effective_to is null then
        faults := faults || app.fault('required', '/effective_to');
    end if;
    return faults;
end
$$;

create or replace function app.effect_policy_documents(
    action text, old dudao.policy_documents, new dudao.policy_documents,
    data jsonb)
returns void
language plpgsql security definer
as $$
begin
    if action = 'submit' then
        perform app.notify('policy_documents', new.id, 'policy_submitted',
            '制度文件待审核', new.title, app.users_with_role(
                'chief_inspector', 'committee_director'));
    elsif action = 'return' then
        perform app.notify('policy_documents', new.id, 'policy_returned',
            '制度文件被退回', new.title, array[old.submitted_by]);
    elsif action = 'issue' then
        perform app.notify('policy_documents', new.id, 'policy_issued',
            '制度文件已印发', new.title || '（' || new.doc_no || '）',
            app.users_with_role('office_staff', 'deputy_chief_inspector',
                'inspector_ft', 'inspector_pt', 'zone_lead'));
        -- 3.21: a draft, which then goes its way through 3.23
        if new.is_public then
            insert into dudao.publications(code, kind, subject_type,
                subject_id, publisher_org_id, title, body)
            select app.next_code('GK'), 'policy', 'policy_documents', new.id,
                o.id, new.title,
                new.title || '（' || new.doc_no || '）' || coalesce((
                    select string_agg(E'\n' || (c ->> 'clause_id') || '　'
                        || (c ->> 'text'), '')
                    from jsonb_array_elements(new.clauses) as c), '')
            from dudao.organizations o
            where o.kind = 'supervision_office' and o.status = 'operating'
            on conflict do nothing;
        end if;
    end if;
end
$$;


-- Parameters (3.25) ---------------------------------------------------------

create or replace function app.before_create_rule_parameter_changes(
    r dudao.rule_parameter_changes, body jsonb)
returns dudao.rule_parameter_changes
language plpgsql
as $$
begin
    r.valid_from := coalesce(r.valid_from, app.today());
    select p.value, coalesce(r.basis, p.basis),
        coalesce(r.basis_clause, p.basis_clause)
        into r.previous_value, r.basis, r.basis_clause
    from dudao.rule_parameters p
    where p.id = r.rule_parameter_id;
    return r;
end
$$;

insert into app.row_rules(resource, name, expression, pointer, code) values
    -- a number stays a number
    ('rule_parameter_changes', 'type_of_value', $e$
        new.previous_value is null
        or jsonb_typeof(new.value) = jsonb_typeof(new.previous_value)$e$,
        '/value', 'parameter-type'),
    ('rule_parameter_changes', 'value_differs', $e$
        new.value is distinct from new.previous_value$e$,
        '/value', 'parameter-unchanged')
on conflict (resource, name) do update set expression = excluded.expression;

create or replace function app.before_rule_parameter_changes(
    action text, r dudao.rule_parameter_changes, data jsonb)
returns dudao.rule_parameter_changes
language plpgsql
as $$
begin
    r.decided_by := app.user_id();
    r.decided_at := app.now();
    return r;
end
$$;

create or replace function app.guard_rule_parameter_changes(
    action text, old dudao.rule_parameter_changes,
    new dudao.rule_parameter_changes, data jsonb)
returns app.fault[]
language plpgsql stable
as $$
begin
    if action = 'approve' and old.created_by = app.user_id() then
        return array[app.fault('separation-of-duties', clause_id => '4.1')];
    end if;
    return '{}';
end
$$;

create or replace function app.effect_rule_parameter_changes(
    action text, old dudao.rule_parameter_changes,
    new dudao.rule_parameter_changes, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    if action = 'approve' then
        update dudao.rule_parameters p
        set value = new.value, valid_from = new.valid_from,
            changed_reason = new.reason, basis = new.basis,
            basis_clause = new.basis_clause
        where p.id = new.rule_parameter_id;
    end if;
end
$$;

create or replace function app.rule_parameter_history(key text) returns json
language plpgsql stable security definer
as $$
begin
    return (
        select json_build_object('data', coalesce(json_agg(json_build_object(
            'id', v.id, 'key', v.key, 'value', v.value, 'unit', v.unit,
            'basis', v.basis, 'basis_clause', v.basis_clause,
            'valid_from', v.valid_from, 'changed_reason', v.changed_reason,
            'changed_by', v.changed_by, 'changed_at', app.ts(v.changed_at))
            order by v.valid_from desc, v.changed_at desc, v.id desc), '[]'))
        from dudao.rule_parameter_values v
        where v.key = $1);
end
$$;


-- Comprehensive supervision of a school (C2.2.2.d, 9-A4) --------------------

-- Whose plaque and comprehensive supervision are the school's: a teaching
-- point (218) goes with its school (R-PLQ-01, R-CMP-01).
create or replace function app.bearer_of(school_type text, parent_school_id uuid, id uuid)
returns uuid
language sql immutable parallel safe
as $$
    select coalesce(case when school_type = '218' then parent_school_id end, id)
$$;

-- Last: the newest on-site end whose opinion was issued; teaching points
-- follow their school. Next: the earlier of last + 5 years and the end of a
-- head's term that no comprehensive covers yet.
-- Of every school, whoever asks: an owner's view, which the planner takes apart
-- where a function would start anew for each row. Nothing else of what it
-- depends on is shown.
drop view if exists app.comprehensive_dates cascade;
create view app.comprehensive_dates as
select s.id as school_id, done.last_on,
    least((coalesce(done.last_on, x.since) + make_interval(years =>
            (select app.parameter_int('comprehensive_cycle_years'))))::date,
        term.day) as next_due_on
from dudao.schools s
cross join lateral (select
    app.bearer_of(s.school_type, s.parent_school_id, s.id) as unit,
    greatest((select (app.parameter('comprehensive_baseline') #>> '{}')::date),
        s.established_on) as since) as x
cross join lateral (
    select max(t.onsite_ended_on) as last_on, array_agg(t.onsite_ended_on) as days
    from dudao.supervision_targets t
    join dudao.supervision_tasks k on k.id = t.task_id and k.kind = 'comprehensive'
    where t.organization_id = x.unit and t.onsite_ended_on is not null
        and t.state in ('opinion_issued', 'opinion_received', 'rectifying', 'closed')) as done
cross join lateral (
    select min(l.day) as day
    from (
        select coalesce(y.ended_on, y.planned_end_on) as day
        from dudao.leadership_terms y
        where y.organization_id = x.unit
            and y.position in ('principal', 'kindergarten_head')) as l
    where l.day >= x.since
        and (done.days is null or not exists (
            select from unnest(done.days) as d
            where d between
                l.day - (select app.parameter_int('term_end_window_before_days'))
                and l.day + (select app.parameter_int('term_end_window_after_days'))))) as term;


-- What the API shows --------------------------------------------------------

drop view if exists app.divisions_json;
create view app.divisions_json with (security_invoker = true) as
select d.*,
    json_build_object(
        'id', d.id,
        'version', d.version,
        'code', d.code,
        'stat_code', d.stat_code,
        'name', d.name,
        'short_name', d.short_name,
        'level', d.level,
        'kind', d.kind,
        'parent_id', d.parent_id,
        'population', d.population,
        'population_year', d.population_year,
        'active_from', d.active_from,
        'active_to', d.active_to,
        'created_at', app.ts(d.created_at),
        'updated_at', app.ts(d.updated_at),
        'is_demo', d.is_demo) as body
from dudao.divisions d;

drop view if exists app.organizations_json;
create view app.organizations_json with (security_invoker = true) as
select o.*,
    json_build_object(
        'id', o.id,
        'version', o.version,
        'code', o.code,
        'uscc', o.uscc,
        'kind', o.kind,
        'name', o.name,
        'short_name', o.short_name,
        'division_id', o.division_id,
        'parent_organization_id', o.parent_organization_id,
        'managed_by_id', o.managed_by_id,
        'host_organization_id', o.host_organization_id,
        'edu_leader_person_id', o.edu_leader_person_id,
        'is_supervisable', o.is_supervisable,
        'status', o.status,
        'shortfall_reason', o.shortfall_reason,
        'contact_name', case when app.has_role('public') then null
            else o.contact_name end,
        'contact_phone', app.mask_phone(o.contact_phone, o.id),
        'address', o.address,
        'created_at', app.ts(o.created_at),
        'updated_at', app.ts(o.updated_at),
        'is_demo', o.is_demo) as body
from dudao.organizations o;

drop view if exists app.schools_json;
create view app.schools_json with (security_invoker = true) as
select s.*, o.name, o.status, o.division_id, o.search,
    -- a subquery, so that it is made of those rows only that a page shows
    (select row_to_json(x)
        from (
            select s.id, s.version, s.organization_id, s.ident_code, o.name,
                o.short_name, o.status, o.division_id, s.school_type,
                s.stages, s.ownership, s.sponsor, s.licence_status,
                s.licence_no, s.licence_valid_to, s.zone_id,
                s.parent_school_id, s.counts_in_ratio, s.urban_rural,
                s.student_count, s.boarder_count, s.class_count,
                s.teacher_count, s.as_of_year, s.established_on,
                s.longitude, s.latitude, c.last_on as last_comprehensive_on,
                c.next_due_on as next_comprehensive_due_on,
                app.ts(s.created_at) as created_at,
                app.ts(s.updated_at) as updated_at, s.is_demo
            from app.comprehensive_dates c
            where c.school_id = s.id) as x) as body
from dudao.schools s
join dudao.organizations o on o.id = s.organization_id;

drop view if exists app.persons_json;
create view app.persons_json with (security_invoker = true) as
select p.id, p.version, p.code, p.name, p.organization_id, p.search,
    p.gender, p.is_party_member, p.created_at, p.updated_at, p.is_demo,
    json_build_object(
        'id', p.id,
        'version', p.version,
        'code', p.code,
        'name', p.name,
        'gender', p.gender,
        'birth_year', p.birth_year,
        'is_party_member', p.is_party_member,
        'organization_id', p.organization_id,
        'position_title', p.position_title,
        'phone', app.mask_phone(p.phone, p.organization_id),
        'email', p.email,
        'created_at', app.ts(p.created_at),
        'updated_at', app.ts(p.updated_at),
        'is_demo', p.is_demo) as body
from dudao.persons p;

drop view if exists app.leadership_terms_json;
create view app.leadership_terms_json with (security_invoker = true) as
select t.*,
    json_build_object(
        'id', t.id,
        'version', t.version,
        'organization_id', t.organization_id,
        'organization_name', app.organization_name(t.organization_id),
        'person_id', t.person_id,
        'person_name', app.person_name(t.person_id),
        'position', t.position,
        'is_principal_leader', t.is_principal_leader,
        'in_leadership_team', t.in_leadership_team,
        'started_on', t.started_on,
        'planned_end_on', t.planned_end_on,
        'ended_on', t.ended_on,
        'end_reason', t.end_reason,
        'created_at', app.ts(t.created_at),
        'updated_at', app.ts(t.updated_at),
        'is_demo', t.is_demo) as body
from dudao.leadership_terms t;

drop view if exists app.code_items_json;
create view app.code_items_json with (security_invoker = true) as
select c.*,
    json_build_object(
        'id', c.id,
        'version', c.version,
        'list', c.list,
        'code', c.code,
        'label_zh', c.label_zh,
        'label_en', c.label_en,
        'parent_code', c.parent_code,
        'sort', c.sort,
        'active', c.active,
        'data', c.data,
        'created_at', app.ts(c.created_at),
        'updated_at', app.ts(c.updated_at),
        'is_demo', c.is_demo) as body
from dudao.code_items c;

drop view if exists app.semesters_json;
create view app.semesters_json with (security_invoker = true) as
select s.*,
    json_build_object(
        'id', s.id,
        'version', s.version,
        'code', s.code,
        'academic_year', s.academic_year,
        'term', s.term,
        'starts_on', s.starts_on,
        'ends_on', s.ends_on,
        'teaching_months', s.teaching_months,
        'created_at', app.ts(s.created_at),
        'updated_at', app.ts(s.updated_at),
        'is_demo', s.is_demo) as body
from dudao.semesters s;

drop view if exists app.calendar_days_json;
create view app.calendar_days_json with (security_invoker = true) as
select d.*,
    json_build_object(
        'id', d.id,
        'version', d.version,
        'day', d.day,
        'is_workday', d.is_workday,
        'note', d.note,
        'created_at', app.ts(d.created_at),
        'updated_at', app.ts(d.updated_at),
        'is_demo', d.is_demo) as body
from dudao.calendar_days d;

drop view if exists app.rule_parameters_json;
create view app.rule_parameters_json with (security_invoker = true) as
select p.*,
    json_build_object(
        'id', p.id,
        'version', p.version,
        'key', p.key,
        'value', p.value,
        'unit', p.unit,
        'basis', p.basis,
        'basis_clause', p.basis_clause,
        'valid_from', p.valid_from,
        'changed_reason', p.changed_reason,
        'created_at', app.ts(p.created_at),
        'updated_at', app.ts(p.updated_at),
        'is_demo', p.is_demo) as body
from dudao.rule_parameters p;

drop view if exists app.rule_parameter_changes_json;
create view app.rule_parameter_changes_json with (security_invoker = true) as
select c.*,
    json_build_object(
        'id', c.id,
        'version', c.version,
        'rule_parameter_id', c.rule_parameter_id,
        'value', c.value,
        'previous_value', c.previous_value,
        'valid_from', c.valid_from,
        'reason', c.reason,
        'basis', c.basis,
        'basis_clause', c.basis_clause,
        'proposed_by', c.created_by,
        'decided_by', c.decided_by,
        'decided_at', app.ts(c.decided_at),
        'state', c.state,
        'allowed_actions',
            app.allowed_actions('rule_parameter_changes', c.state),
        'created_at', app.ts(c.created_at),
        'updated_at', app.ts(c.updated_at),
        'is_demo', c.is_demo) as body
from dudao.rule_parameter_changes c;

drop view if exists app.policy_documents_json;
create view app.policy_documents_json with (security_invoker = true) as
select d.*,
    json_build_object(
        'id', d.id,
        'version', d.version,
        'title', d.title,
        'doc_no', d.doc_no,
        'issuer', d.issuer,
        'issued_on', d.issued_on,
        'kind', d.kind,
        'level', d.level,
        'parent_document_id', d.parent_document_id,
        'is_external', d.is_external,
        'effective_from', d.effective_from,
        'effective_to', d.effective_to,
        'clauses', d.clauses,
        'expense_standards', d.expense_standards,
        'attachment_id', d.attachment_id,
        'is_public', d.is_public,
        'superseded_by_id', d.superseded_by_id,
        'repeal_reason', d.repeal_reason,
        'voided_at', app.ts(d.voided_at),
        'void_reason', d.void_reason,
        'state', d.state,
        'allowed_actions', case when d.voided_at is null
            then app.allowed_actions('policy_documents', d.state)
            else '[]'::json end,
        'created_at', app.ts(d.created_at),
        'updated_at', app.ts(d.updated_at),
        'is_demo', d.is_demo) as body
from dudao.policy_documents d;

-- The same for everybody.
drop view if exists app.public_policy_documents_json;
create view app.public_policy_documents_json with (security_invoker = true) as
select d.id, d.title, d.issued_on, d.kind, d.level, d.state, d.search,
    json_build_object(
        'id', d.id,
        'title', d.title,
        'doc_no', d.doc_no,
        'issuer', d.issuer,
        'issued_on', d.issued_on,
        'kind', d.kind,
        'level', d.level,
        'effective_from', d.effective_from,
        'effective_to', d.effective_to,
        'state', d.state,
        'clauses', d.clauses) as body
from dudao.policy_documents d
where d.is_public and d.voided_at is null
    and d.state in ('in_force', 'superseded', 'repealed');
