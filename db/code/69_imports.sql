-- Imports: every row goes through the same create and patch as over HTTP, in
-- the name of who sent the file, so that the same permissions, rules and
-- constraints hold. Every fault of every row is collected; a single one, or
-- a dry run, undoes all of it.

select app.register('imports', permission_group => 'imports', machine => true);

insert into app.enumerations(name, value, label_zh, label_en, sort) values
    ('imports.kind', 'organizations', '机构', 'Organizations', 1),
    ('imports.kind', 'schools', '学校', 'Schools', 2),
    ('imports.kind', 'persons', '人员', 'Persons', 3),
    ('imports.kind', 'inspectors', '督学', 'Inspectors', 4),
    ('imports.charset', 'utf-8', 'UTF-8 编码', 'UTF-8', 1),
    ('imports.charset', 'gb18030', 'GB18030 编码', 'GB18030', 2),
    ('imports.mode', 'upsert', '新增或更新', 'Create or update', 1),
    ('imports.mode', 'create_only', '只新增', 'Create only', 2),
    ('imports.mode', 'update_only', '只更新', 'Update only', 3),
    ('import_columns.type', 'text', '文本', 'Text', 1),
    ('import_columns.type', 'integer', '整数', 'Whole number', 2),
    ('import_columns.type', 'number', '小数', 'Number', 3),
    ('import_columns.type', 'boolean', '是或否', 'Yes or no', 4),
    ('import_columns.type', 'date', '日期', 'Date', 5),
    ('import_columns.type', 'enum', '一个选项', 'One of a list', 6),
    ('import_columns.type', 'enums', '若干选项', 'Some of a list', 7),
    ('import_columns.type', 'code', '国家标准代码', 'Code of a standard', 8),
    ('import_columns.type', 'reference', '已有记录', 'Another record', 9),
    ('import_columns.type', 'list', '若干文本', 'List of texts', 10),
    ('import_columns.type', 'secret', '敏感信息', 'Secret', 11);

delete from app.import_columns;
insert into app.import_columns(kind, place, name, label_zh, label_en, aliases, target, type, list,
    is_key, is_required, is_of_organization, example) values
    ('schools', 1, 'ident_code', '学校标识码', 'Identification code', '{标识码}', 'ident_code', 'text', null, true, true, false, '2143990286'),
    ('schools', 2, 'name', '学校名称', 'Name', '{名称}', 'name', 'text', null, false, true, true, '安定镇示例中心小学'),
    ('schools', 3, 'short_name', '简称', 'Short name', '{}', 'short_name', 'text', null, false, false, true, '安定中心小学'),
    ('schools', 4, 'uscc', '统一社会信用代码', 'Unified social credit code', '{}', 'uscc', 'text', null, false, false, true, ''),
    ('schools', 5, 'division', '所属乡镇', 'Township', '{乡镇代码,所在乡镇,乡镇}', 'division_id', 'reference', 'divisions', false, true, true, '安定镇'),
    ('schools', 6, 'status', '办学状态', 'Status', '{}', 'status', 'enum', 'organizations.status', false, false, true, '运行'),
    ('schools', 7, 'school_type', '办学类型', 'School type', '{}', 'school_type', 'code', 'school_type', false, true, false, '211'),
    ('schools', 8, 'stages', '学段', 'Stages', '{}', 'stages', 'enums', 'schools.stages', false, true, false, '小学'),
    ('schools', 9, 'ownership', '办学性质', 'Ownership', '{}', 'ownership', 'enum', 'schools.ownership', false, true, false, '公办'),
    ('schools', 10, 'sponsor', '举办者', 'Sponsor', '{}', 'sponsor', 'text', null, false, false, false, '平江县教育局'),
    ('schools', 11, 'licence_status', '办学许可', 'Licence', '{}', 'licence_status', 'enum', 'schools.licence_status', false, false, false, '有证'),
    ('schools', 12, 'licence_no', '许可证号', 'Licence number', '{}', 'licence_no', 'text', null, false, false, false, ''),
    ('schools', 13, 'licence_valid_to', '许可有效期至', 'Licence valid to', '{}', 'licence_valid_to', 'date', null, false, false, false, ''),
    ('schools', 14, 'zone', '督学责任区', 'Zone', '{责任区}', 'zone_id', 'reference', 'zones', false, false, false, 'Z4'),
    ('schools', 15, 'parent_school', '上级学校标识码', 'Parent school', '{中心校标识码}', 'parent_school_id', 'reference', 'schools', false, false, false, ''),
    ('schools', 16, 'counts_in_ratio', '计入配比', 'Counts in ratio', '{}', 'counts_in_ratio', 'boolean', null, false, false, false, '是'),
    ('schools', 17, 'urban_rural', '城乡分类', 'Urban or rural', '{}', 'urban_rural', 'code', 'urban_rural', false, false, false, ''),
    ('schools', 18, 'student_count', '学生数', 'Students', '{在校生数}', 'student_count', 'integer', null, false, false, false, '864'),
    ('schools', 19, 'boarder_count', '寄宿生数', 'Boarders', '{}', 'boarder_count', 'integer', null, false, false, false, '120'),
    ('schools', 20, 'class_count', '班级数', 'Classes', '{班数}', 'class_count', 'integer', null, false, false, false, '20'),
    ('schools', 21, 'teacher_count', '教师数', 'Teachers', '{专任教师数}', 'teacher_count', 'integer', null, false, false, false, '48'),
    ('schools', 22, 'as_of_year', '数据年度', 'Year of the numbers', '{}', 'as_of_year', 'integer', null, false, false, false, '2025'),
    ('schools', 23, 'established_on', '建校日期', 'Established on', '{}', 'established_on', 'date', null, false, false, false, '1952-09-01'),
    ('schools', 24, 'longitude', '经度', 'Longitude', '{}', 'longitude', 'number', null, false, false, false, '113.593200'),
    ('schools', 25, 'latitude', '纬度', 'Latitude', '{}', 'latitude', 'number', null, false, false, false, '28.701500'),
    ('schools', 26, 'contact_name', '联系人', 'Contact', '{}', 'contact_name', 'text', null, false, false, true, '李示例'),
    ('schools', 27, 'contact_phone', '联系电话', 'Telephone', '{电话}', 'contact_phone', 'text', null, false, false, true, '0730-6200001'),
    ('schools', 28, 'address', '地址', 'Address', '{}', 'address', 'text', null, false, false, true, '安定镇示例路1号'),

    ('organizations', 1, 'code', '机构代码', 'Code', '{代码}', 'code', 'text', null, true, true, false, 'MU07'),
    ('organizations', 2, 'name', '机构名称', 'Name', '{名称}', 'name', 'text', null, false, true, false, '平江县教育局'),
    ('organizations', 3, 'short_name', '简称', 'Short name', '{}', 'short_name', 'text', null, false, false, false, '教育局'),
    ('organizations', 4, 'uscc', '统一社会信用代码', 'Unified social credit code', '{}', 'uscc', 'text', null, false, false, false, ''),
    ('organizations', 5, 'kind', '机构类别', 'Kind', '{类别}', 'kind', 'enum', 'organizations.kind', false, true, false, '县直部门'),
    ('organizations', 6, 'division', '行政区划', 'Division', '{所属乡镇,区划代码}', 'division_id', 'reference', 'divisions', false, true, false, '平江县'),
    ('organizations', 7, 'parent_organization', '上级机构代码', 'Parent', '{}', 'parent_organization_id', 'reference', 'organizations', false, false, false, ''),
    ('organizations', 8, 'managed_by', '主管机构代码', 'Managed by', '{}', 'managed_by_id', 'reference', 'organizations', false, false, false, ''),
    ('organizations', 9, 'host_organization', '挂靠机构代码', 'Host', '{}', 'host_organization_id', 'reference', 'organizations', false, false, false, ''),
    ('organizations', 10, 'edu_leader', '分管教育领导人员编号', 'Leader in charge of education', '{}', 'edu_leader_person_id', 'reference', 'persons', false, false, false, ''),
    ('organizations', 11, 'is_supervisable', '督导对象', 'Supervisable', '{}', 'is_supervisable', 'boolean', null, false, false, false, '是'),
    ('organizations', 12, 'status', '状态', 'Status', '{}', 'status', 'enum', 'organizations.status', false, false, false, '运行'),
    ('organizations', 13, 'contact_name', '联系人', 'Contact', '{}', 'contact_name', 'text', null, false, false, false, '李示例'),
    ('organizations', 14, 'contact_phone', '联系电话', 'Telephone', '{电话}', 'contact_phone', 'text', null, false, false, false, '0730-6200001'),
    ('organizations', 15, 'address', '地址', 'Address', '{}', 'address', 'text', null, false, false, false, '平江县示例路1号'),

    ('persons', 1, 'code', '人员编号', 'Code', '{编号}', 'code', 'text', null, true, true, false, 'RY-2026-000001'),
    ('persons', 2, 'name', '姓名', 'Name', '{}', 'name', 'text', null, false, true, false, '李示例'),
    ('persons', 3, 'gender', '性别', 'Gender', '{}', 'gender', 'enum', 'persons.gender', false, false, false, '女'),
    ('persons', 4, 'birth_year', '出生年份', 'Year of birth', '{}', 'birth_year', 'integer', null, false, false, false, '1985'),
    ('persons', 5, 'id_number', '身份证号', 'Identity number', '{身份证号码}', 'id_number', 'secret', null, false, false, false, ''),
    ('persons', 6, 'is_party_member', '中共党员', 'Party member', '{党员}', 'is_party_member', 'boolean', null, false, false, false, '是'),
    ('persons', 7, 'organization', '所在单位代码', 'Organization', '{单位代码,所在单位}', 'organization_id', 'reference', 'organizations', false, false, false, 'MU07'),
    ('persons', 8, 'position_title', '职务', 'Position', '{}', 'position_title', 'text', null, false, false, false, '教师'),
    ('persons', 9, 'phone', '电话', 'Telephone', '{联系电话,手机}', 'phone', 'text', null, false, false, false, '13900000000'),
    ('persons', 10, 'email', '电子邮箱', 'E-mail', '{邮箱}', 'email', 'text', null, false, false, false, ''),

    ('inspectors', 1, 'person', '人员编号', 'Person', '{}', 'person_id', 'reference', 'persons', true, true, false, 'RY-2026-000001'),
    ('inspectors', 2, 'code', '督学编号', 'Code', '{}', 'code', 'text', null, false, false, false, ''),
    ('inspectors', 3, 'card_no', '督学证号', 'Card number', '{}', 'card_no', 'text', null, false, false, false, ''),
    ('inspectors', 4, 'degree', '学历', 'Degree', '{}', 'degree', 'enum', 'inspectors.degree', false, false, false, ''),
    ('inspectors', 5, 'work_years', '教龄', 'Years of work', '{工作年限}', 'work_years', 'integer', null, false, false, false, '15'),
    ('inspectors', 6, 'title_rank', '职称', 'Title', '{}', 'title_rank', 'text', null, false, false, false, '高级教师'),
    ('inspectors', 7, 'background', '来源', 'Background', '{身份}', 'background', 'enum', 'inspectors.background', false, true, false, ''),
    ('inspectors', 8, 'expertise_stages', '擅长学段', 'Stages of expertise', '{}', 'expertise_stages', 'enums', 'schools.stages', false, false, false, '小学、初中'),
    ('inspectors', 9, 'expertise_matters', '擅长事项', 'Matters of expertise', '{}', 'expertise_matters', 'list', null, false, false, false, 'M1、M2'),
    ('inspectors', 10, 'is_researcher', '教研人员', 'Researcher', '{}', 'is_researcher', 'boolean', null, false, false, false, '否'),
    ('inspectors', 11, 'public_phone', '公示电话', 'Public telephone', '{}', 'public_phone', 'text', null, false, false, false, '');

drop view if exists app.imports_json;
create view app.imports_json with (security_invoker = true) as
select t.*,
    json_build_object(
        'id', t.id, 'version', t.version, 'kind', t.kind, 'mode', t.mode,
        'dry_run', t.dry_run, 'file_name', t.file_name, 'charset', t.charset,
        'sha256', t.sha256, 'size_bytes', t.size_bytes,
        'row_count', t.row_count, 'created_count', t.created_count,
        'updated_count', t.updated_count, 'unchanged_count', t.unchanged_count,
        'fault_count', t.fault_count, 'faults', t.faults,
        'started_at', app.ts(t.started_at), 'finished_at', app.ts(t.finished_at),
        'state', t.state, 'allowed_actions', app.allowed_actions('imports', t.state),
        'created_by', t.created_by,
        'created_at', app.ts(t.created_at), 'updated_at', app.ts(t.updated_at),
        'is_demo', t.is_demo) as body
from dudao.imports t;

create or replace function app.import_template(kind text, out body text, out csv text)
language sql stable
as $$
    select json_build_object('kind', $1, 'columns', json_agg(json_build_object(
            'name', c.name, 'label_zh', c.label_zh, 'label_en', c.label_en,
            'aliases', c.aliases, 'type', c.type, 'list', c.list, 'is_key', c.is_key,
            'is_required', c.is_required, 'example', c.example) order by c.place))::text,
        string_agg(c.label_zh, ',' order by c.place) || E'\r\n'
            || string_agg(c.example, ',' order by c.place) || E'\r\n'
    from app.import_columns c
    where c.kind = $1
    having count(*) > 0
$$;

-- The cells are the owner's alone.
create or replace function app.keep_import_rows(import_id uuid, rows json) returns void
language sql security definer
as $$
    insert into dudao.import_files(import_id, rows) values (import_id, rows)
$$;

-- The same content that has been taken in already is not taken again.
create or replace function app.create_import(kind text, mode text, dry_run boolean,
    charset text, sha256 text, size_bytes integer, rows json, file_name text default null)
returns setof app.answer
language plpgsql
as $$
declare
    i dudao.imports;
begin
    if not create_import.dry_run then
        select x.* into i
        from dudao.imports x
        where x.kind = create_import.kind and x.sha256 = create_import.sha256
            and x.mode = create_import.mode and x.state = 'done' and not x.dry_run
        order by x.created_at desc
        limit 1;
    end if;
    if i.id is null then
        insert into dudao.imports(kind, mode, dry_run, file_name, charset, sha256, size_bytes,
            acting_roles, acting_organization_id)
        values (kind, mode, dry_run, file_name, charset, sha256, size_bytes,
            app.roles(), app.organization_id())
        returning * into i;
        perform app.keep_import_rows(i.id, rows);
        return query select 202, '/v1/imports/' || i.id, v.version::text, v.body::text
            from app.imports_json v where v.id = i.id;
    else
        return query select 200, '/v1/imports/' || i.id, v.version::text, v.body::text
            from app.imports_json v where v.id = i.id;
    end if;
end
$$;

-- One that waits; or one that has been running without anybody holding its
-- lock: its worker, or the database, has crashed.
create or replace function app.claim_import() returns uuid
language plpgsql security definer
as $$
declare
    i dudao.imports;
begin
    for i in
        select x.*
        from dudao.imports x
        where exists (select from dudao.import_files f where f.import_id = x.id)
            and (x.state = 'queued'
                or (x.state = 'running' and x.updated_at < now() - interval '1 minute'))
        order by x.created_at
        for update skip locked
    loop
        if i.state = 'queued' then
            perform app.system_step('imports', i.id, 'begin');
            return i.id;
        elsif pg_try_advisory_xact_lock(hashtext('dudao.import'), hashtext(i.id::text)) then
            if i.attempts < 3 then
                perform app.system_step('imports', i.id, 'resume');
                return i.id;
            end if;
            perform app.system_step('imports', i.id, 'fail');
        end if;
    end loop;
    return null;
end
$$;

create or replace function app.before_imports(action text, r dudao.imports, data jsonb)
returns dudao.imports
language plpgsql
as $$
begin
    if action in ('begin', 'resume') then
        r.attempts := r.attempts + 1;
        r.started_at := app.now();
    else
        r.finished_at := app.now();
        r := jsonb_populate_record(r, data);
    end if;
    return r;
end
$$;

create or replace function app.effect_imports(action text, old dudao.imports, new dudao.imports, data jsonb)
returns void
language plpgsql security definer
as $$
begin
    if new.state in ('done', 'refused', 'failed') then
        delete from dudao.import_files f where f.import_id = new.id;
    end if;
end
$$;

create or replace function app.fail_import(import_id uuid) returns void
language plpgsql security definer
as $$
begin
    if exists (select from dudao.imports i where i.id = import_id and i.state = 'running') then
        perform app.system_step('imports', import_id, 'fail');
    end if;
end
$$;

-- The API's role makes no step of the system's; this one it may, on an import
-- that is running.
create or replace function app.finish_import(import_id uuid, data jsonb) returns void
language plpgsql security definer
as $$
begin
    if exists (select from dudao.imports i where i.id = import_id and i.state = 'running') then
        perform app.system_step('imports', import_id,
            case when data -> 'fault_count' = '0' then 'complete' else 'refuse' end, data);
    end if;
end
$$;

-- From here on the transaction is the sender's.
create or replace function app.begin_import(import_id uuid) returns json
language plpgsql security definer
as $$
declare
    i dudao.imports;
begin
    select x.* into i from dudao.imports x where x.id = import_id and x.state = 'running';
    if i.id is not null then
        perform set_config('dudao.user_id', coalesce(i.created_by::text, ''), true),
            set_config('dudao.roles', i.acting_roles::text, true),
            set_config('dudao.organization_id', coalesce(i.acting_organization_id::text, ''), true),
            set_config('dudao.request_id', 'import-' || i.id, true);
    end if;
    return (select f.rows from dudao.import_files f where f.import_id = i.id);
end
$$;

-- 0 is A, 26 is AA: as a spreadsheet shows it.
create or replace function app.column_letter(place integer) returns text
language sql immutable parallel safe
as $$
    select case when place >= 26 then chr(64 + place / 26) else '' end || chr(65 + place % 26)
$$;

-- One fault as the report shows it, in an array.
create or replace function app.import_fault(line jsonb, place integer, header text, code text,
    params jsonb, value text, rule_id text default null, clause_id text default null)
returns jsonb
language sql immutable parallel safe
as $$
    select jsonb_build_array(jsonb_build_object('row', line -> 0,
        'column', app.column_letter(place - 1), 'header', header, 'code', code,
        'params', params, 'value', left(value, 200), 'rule_id', rule_id, 'clause_id', clause_id))
$$;

create or replace function app.import_header(header text) returns text
language sql immutable parallel safe
as $$
    select lower(regexp_replace(header, '[\s*＊_（）()]', '', 'g'))
$$;

-- A record by what people call it; under the caller's row security.
create or replace function app.import_reference(list text, cell text) returns uuid
language plpgsql stable
as $$
begin
    return case list
        when 'divisions' then (
            select min(d.id::text)::uuid from dudao.divisions d
            where d.code = cell or d.name = cell having count(*) = 1)
        when 'zones' then (
            select min(z.id::text)::uuid from dudao.zones z
            where z.code = cell or z.name = cell having count(*) = 1)
        when 'schools' then (select s.id from dudao.schools s where s.ident_code = cell)
        when 'persons' then (select p.id from dudao.persons p where p.code = cell)
        when 'organizations' then coalesce(
            (select o.id from dudao.organizations o where o.code = cell),
            (select o.id from dudao.organizations o where o.uscc = cell),
            (select min(o.id::text)::uuid from dudao.organizations o where o.name = cell
                having count(*) = 1)) end;
end
$$;

-- A cell as JSON. code: why not.
create or replace function app.import_value(c app.import_columns, cell text,
    out value jsonb, out code text)
language plpgsql stable
as $$
declare
    parts text[];
    date_parts text[];
begin
    case c.type
        when 'text', 'secret' then
            value := to_jsonb(cell);
        when 'integer' then
            if cell ~ '^[+-]?[0-9]{1,9}(\.0+)?$' then
                value := to_jsonb(cell::numeric::integer);
            else
                code := 'not-a-number';
            end if;
        when 'number' then
            if cell ~ '^[+-]?[0-9]{1,12}(\.[0-9]{1,12})?$' then
                value := to_jsonb(cell::numeric);
            else
                code := 'not-a-number';
            end if;
        when 'boolean' then
            value := case when lower(cell) in ('是', '有', '√', 'true', 'yes', 'y', '1') then 'true'::jsonb
                when lower(cell) in ('否', '无', '×', 'false', 'no', 'n', '0') then 'false'::jsonb end;
            code := case when value is null then 'not-yes-or-no' end;
        when 'date' then
            date_parts := regexp_match(cell, '^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?$');
            begin
                value := to_jsonb(make_date(date_parts[1]::integer, date_parts[2]::integer, date_parts[3]::integer));
            exception when datetime_field_overflow then
                null;
            end;
            code := case when value is null or value = 'null' then 'not-a-date' end;
        when 'enum' then
            select to_jsonb(e.value) into value
            from app.enumerations e
            where e.name = c.list and (e.value = cell or e.label_zh = cell or lower(e.label_en) = lower(cell));
            code := case when value is null then 'not-in-enum' end;
        when 'enums' then
            parts := regexp_split_to_array(cell, '\s*[、,，;；/]\s*');
            select jsonb_agg(e.value order by e.sort) into value
            from app.enumerations e
            where e.name = c.list and (e.value = any (parts) or e.label_zh = any (parts)
                or lower(e.label_en) = any (array(select lower(p) from unnest(parts) as p)));
            if value is null or jsonb_array_length(value) < cardinality(parts) then
                code := 'not-in-enum';
            end if;
        when 'list' then
            value := to_jsonb(regexp_split_to_array(cell, '\s*[、,，;；/]\s*'));
        when 'code' then
            select to_jsonb(min(k.code)) into value
            from dudao.code_items k
            where k.list = c.list and (k.code = cell or k.label_zh = cell)
            having count(*) = 1;
            code := case when value is null then 'unknown-code' end;
        when 'reference' then
            value := to_jsonb(app.import_reference(c.list, cell));
            code := case when value is null then 'unknown-reference' end;
    end case;
end
$$;

create or replace function app.has_id_number(person uuid, number text) returns boolean
language plpgsql stable security definer
as $$
begin
    return exists (
        select from dudao.persons p
        where p.id = person and p.id_number_hash = app.id_number_hash(number));
end
$$;

-- Writes one row; what it has done.
create or replace function app.import_row(kind text, mode text, id uuid, body jsonb, of_organization text[])
returns text
language plpgsql
as $$
declare
    current jsonb;
    changes jsonb;
    part jsonb;
begin
    if id is null then
        if mode = 'update_only' then
            perform app.refuse(422, 'validation-failed', array[app.fault('import-unknown-key')]);
        end if;
        perform app.create(kind, body);
        return 'created';
    elsif mode = 'create_only' then
        perform app.refuse(422, 'validation-failed', array[app.fault('import-known-key')]);
    end if;
    current := case kind
        when 'organizations' then (select to_jsonb(o) from dudao.organizations o where o.id = import_row.id)
        when 'persons' then (
            select to_jsonb(p) from (
                select x.code, x.name, x.gender, x.birth_year, x.is_party_member, x.organization_id,
                    x.position_title, x.phone, x.email
                from dudao.persons x where x.id = import_row.id) as p)
        when 'inspectors' then (select to_jsonb(i) from dudao.inspectors i where i.id = import_row.id)
        when 'schools' then (
            select to_jsonb(o) || to_jsonb(s)
            from dudao.schools s join dudao.organizations o on o.id = s.id
            where s.id = import_row.id) end;
    select coalesce(jsonb_object_agg(key, value), '{}') into changes
    from jsonb_each(body)
    where value is distinct from current -> key
        and not (key = 'id_number' and app.has_id_number(id, value #>> '{}'));
    if changes = '{}' then
        return 'unchanged';
    end if;
    select jsonb_object_agg(key, value) into part
    from jsonb_each(changes) where key = any (of_organization);
    if part is not null then
        perform app.patch('organizations', id, null, part);
    end if;
    select jsonb_object_agg(key, value) into part
    from jsonb_each(changes) where key <> all (of_organization);
    if part is not null then
        perform app.patch(kind, id, null, part);
    end if;
    return 'updated';
end
$$;

create or replace function app.run_import(import_id uuid) returns void
language plpgsql
as $$
declare
    i dudao.imports;
    file json;
    line jsonb;
    columns app.import_columns[];
    c app.import_columns;
    key_place integer;
    of_organization text[];
    pending jsonb[] := '{}';
    waiting jsonb[];
    keys text[] := '{}';
    row_keys text[] := '{}';
    body jsonb;
    cell text;
    place integer;
    id uuid;
    found_value jsonb;
    found_code text;
    faults jsonb := '[]';
    row_faults jsonb;
    must_wait boolean;
    result text;
    counts jsonb := '{"row_count": 0, "created": 0, "updated": 0, "unchanged": 0}';
    detail text;
    violated text;
    violated_table text;
    violated_column text;
    started integer;
begin
    perform pg_advisory_xact_lock(hashtext('dudao.import'), hashtext(import_id::text));
    file := app.begin_import(import_id);
    if file is null then
        return;
    end if;
    select x.* into i from dudao.imports x where x.id = import_id;
    -- one file of a kind at a time: the second sees what the first has written
    perform pg_advisory_xact_lock(hashtext('dudao.import'), hashtext(i.kind));

    -- the header: every column known, none twice, none missing
    pending := array(select r from jsonb_array_elements(file::jsonb) as r);
    if cardinality(pending) > 0 then
        line := pending[1];
        pending := pending[2:];
        for place in 1 .. jsonb_array_length(line) - 1 loop
            cell := trim(line ->> place);
            select x.* into c
            from app.import_columns x
            where x.kind = i.kind and app.import_header(cell) in (
                app.import_header(x.name), app.import_header(x.label_zh), app.import_header(x.label_en))
                or x.kind = i.kind and app.import_header(cell) = any (
                    array(select app.import_header(a) from unnest(x.aliases) as a))
            order by x.place
            limit 1;
            if cell = '' then
                c := null;
            elsif c.name is null then
                faults := faults || app.import_fault(line, place, cell, 'import-unknown-column', null, cell);
            elsif exists (select from unnest(columns) as x where x.name = c.name) then
                faults := faults || app.import_fault(line, place, cell, 'import-repeated-column', null, cell);
                c := null;
            end if;
            columns := columns || c;
            if c.is_key then
                key_place := place;
            end if;
        end loop;
    end if;
    for c in
        select x.* from app.import_columns x
        where x.kind = i.kind and (x.is_key or (x.is_required and i.mode <> 'update_only'))
            and not exists (select from unnest(columns) as h where h.name = x.name)
        order by x.place
    loop
        faults := faults || app.import_fault('[1]', null, c.label_zh, 'import-missing-column', null, null);
    end loop;
    if faults = '[]' and cardinality(pending) = 0 then
        faults := faults || app.import_fault('[2]', null, null, 'import-no-rows', null, null);
    end if;
    counts := counts || jsonb_build_object('row_count', cardinality(pending));
    of_organization := array(select x.target from app.import_columns x
        where x.kind = i.kind and x.is_of_organization);
    if faults = '[]' then
        row_keys := array(select trim(r ->> key_place) from unnest(pending) as r);
    end if;

    begin
        -- a row that refers to a later one waits for the next round
        while faults = '[]' or cardinality(waiting) > 0 loop
            exit when cardinality(pending) = 0;
            started := cardinality(pending);
            waiting := '{}';
            foreach line in array pending loop
                body := '{}';
                row_faults := '[]';
                must_wait := false;
                id := null;
                for place in 1 .. greatest(cardinality(columns), jsonb_array_length(line) - 1) loop
                    cell := trim(both E' \t　' from coalesce(line ->> place, ''));
                    c := columns[place];
                    if place > cardinality(columns) then
                        if cell <> '' then
                            row_faults := row_faults || app.import_fault(line, place, null, 'import-extra-cell', null, cell);
                        end if;
                        continue;
                    elsif c.name is null then
                        continue;
                    elsif cell = '' then
                        if c.is_key or (c.is_required and i.mode <> 'update_only') then
                            row_faults := row_faults || app.import_fault(line, place, c.label_zh, 'required', null, null);
                        end if;
                        continue;
                    end if;
                    select v.value, v.code into found_value, found_code from app.import_value(c, cell) as v;
                    if found_code is null then
                        body := body || jsonb_build_object(c.target, found_value);
                    elsif found_code = 'unknown-reference' and c.list = i.kind and not c.is_key
                            and cell = any (row_keys) and not cell = any (keys)
                            and cell <> trim(coalesce(line ->> key_place, '')) then
                        must_wait := true;
                    else
                        row_faults := row_faults || app.import_fault(line, place, c.label_zh, found_code,
                            case when found_code = 'not-in-enum' then jsonb_build_object('allowed', (
                                    select jsonb_agg(e.label_zh order by e.sort)
                                    from app.enumerations e where e.name = c.list))
                                else jsonb_build_object('list', c.list) end, case when c.type <> 'secret' then cell end);
                    end if;
                end loop;
                if must_wait then
                    waiting := waiting || line;
                    continue;
                end if;
                cell := trim(coalesce(line ->> key_place, ''));
                if cell <> '' and cell = any (keys) then
                    row_faults := row_faults || app.import_fault(line, key_place, columns[key_place].label_zh,
                        'import-repeated-key', null, cell);
                end if;
                keys := keys || cell;
                if row_faults = '[]' then
                    id := case i.kind
                        when 'schools' then (select s.id from dudao.schools s where s.ident_code = cell)
                        when 'organizations' then (select o.id from dudao.organizations o where o.code = cell)
                        when 'persons' then (select p.id from dudao.persons p where p.code = cell)
                        when 'inspectors' then (select n.id from dudao.inspectors n
                            where n.person_id = (body ->> 'person_id')::uuid) end;
                    begin
                        result := app.import_row(i.kind, i.mode, id, body, of_organization);
                        counts := jsonb_set(counts, array[result], to_jsonb((counts ->> result)::integer + 1));
                    exception when others then
                        get stacked diagnostics detail = pg_exception_detail,
                            violated = constraint_name, violated_table = table_name,
                            violated_column = column_name;
                        if sqlstate like '23%' then
                            detail := (select v.body::text from app.describe_violation(
                                sqlstate, violated, violated_table, violated_column) as v);
                        elsif sqlstate in ('22007', '22008', '22P02', '22001', '22003') then
                            detail := '{"code": "import-bad-value"}';
                        elsif sqlstate = '42501' then
                            detail := '{"code": "out-of-scope"}';
                        elsif sqlstate not like 'DD4%' then
                            raise;
                        end if;
                        select coalesce(jsonb_agg(app.import_fault(line, h.ordinality::integer, h.label_zh,
                                f ->> 'code', f -> 'params',
                                case when h.type <> 'secret' then line ->> h.ordinality::integer end,
                                f ->> 'rule_id', f ->> 'clause_id') -> 0), '[]')
                            into row_faults
                        from jsonb_array_elements(coalesce(detail::jsonb -> 'errors', jsonb_build_array(
                            jsonb_build_object('code', coalesce(detail::jsonb ->> 'code', 'import-bad-value'))))) as f
                        left join lateral (
                            select x.ordinality, x.label_zh, x.type
                            from unnest(columns) with ordinality as x
                            where x.target = split_part(f ->> 'pointer', '/', 2)
                            limit 1) as h on true;
                    end;
                end if;
                faults := faults || row_faults;
            end loop;
            -- rows that wait for each other, or for one that was wrong
            if cardinality(waiting) = started then
                foreach line in array waiting loop
                    faults := faults || app.import_fault(line, key_place, columns[key_place].label_zh,
                        'unknown-reference', null, line ->> key_place);
                end loop;
                exit;
            end if;
            pending := waiting;
        end loop;
        if faults <> '[]' or i.dry_run then
            raise exception 'undo' using errcode = 'DD000';
        end if;
    exception when sqlstate 'DD000' then
        null; -- what was counted and found stays, what was written does not
    end;

    if faults <> '[]' then
        counts := counts || '{"created": 0, "updated": 0, "unchanged": 0}';
    end if;
    select jsonb_agg(f order by (f -> 'row')::integer, n) into faults
    from (
        select f, n from jsonb_array_elements(faults) with ordinality as x(f, n)) as sorted;
    faults := coalesce(faults, '[]');
    perform app.finish_import(import_id,
        jsonb_build_object('row_count', counts -> 'row_count', 'created_count', counts -> 'created',
            'updated_count', counts -> 'updated', 'unchanged_count', counts -> 'unchanged',
            'fault_count', jsonb_array_length(faults),
            'faults', coalesce((
                select jsonb_agg(f order by n)
                from jsonb_array_elements(faults) with ordinality as x(f, n)
                where n <= 1000), '[]')));
end
$$;
