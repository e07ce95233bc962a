-- Accounts (4.1): one for each role, its login the role's id, more where rules
-- ask for two different people or two units, and one for each inspector. The
-- password of all is dudao-demo. Grants of inspectors come with their
-- appointments (35_appointments.sql), but for the three named accounts.

select set_config('dudao.is_demo', 'on', true);

insert into organizations(code, kind, name, short_name, division_id)
select 'ORG-TPA', 'third_party', '演示教育评估咨询有限公司', '演示评估公司', o.division_id
from organizations o
where o.code = 'ORG-OFF';

create temporary table new_users (
    login               text primary key,
    display_name        text not null,
    organization_code   text not null,
    person_code         text,
    roles               text[] not null,
    zone_code           text
) on commit drop;

insert into new_users(login, display_name, organization_code, person_code, roles, zone_code) values
    ('committee_director', '演示·委员会主任', 'ORG-GOV', null, '{committee_director}', null),
    ('committee_deputy', '演示·委员会副主任', 'ORG-GOVO', null, '{committee_deputy}', null),
    ('committee_member', '演示·教育局负责人', 'MU07', null, '{committee_member}', null),
    ('member_liaison', '演示·教育局联络人', 'MU07', null, '{member_liaison}', null),
    ('chief_inspector', '演示·总督学', 'ORG-OFF', 'RY-800000', '{chief_inspector}', null),
    ('deputy_chief_inspector', '演示·副总督学', 'ORG-OFF', 'RY-800001', '{deputy_chief_inspector}', null),
    ('office_staff', '演示·督导办工作人员一', 'ORG-OFF', null, '{office_staff}', null),
    ('office_staff_2', '演示·督导办工作人员二', 'ORG-OFF', null, '{office_staff}', null),
    ('office_staff_3', '演示·督导办工作人员三', 'ORG-OFF', null, '{office_staff}', null),
    ('finance_officer', '演示·经费管理员', 'ORG-OFF', null, '{finance_officer}', null),
    ('zone_lead', '演示督学01', 'ORG-OFF', 'RY-800002', '{zone_lead,inspector_ft}', 'Z4'),
    ('inspector_ft', '演示督学02', 'ORG-OFF', 'RY-800003', '{inspector_ft}', null),
    ('inspector_pt', '演示督学17', 'MU07', 'RY-800018', '{inspector_pt}', null),
    ('school_account', '安定镇示例中心小学', 'ORG-2143990006', null, '{school_account}', null),
    ('school_account_2', '安定镇示例小学01', 'ORG-2143990180', null, '{school_account}', null),
    ('school_account_3', '安定镇示例幼儿园01', 'ORG-1143990055', null, '{school_account}', null),
    ('township_account', '安定镇人民政府', 'ORG-430626101', null, '{township_account}', null),
    ('township_account_2', '', '', null, '{township_account}', null),
    ('department_account', '教育局', 'MU07', null, '{department_account}', null),
    ('department_account_2', '卫健局', 'MU08', null, '{department_account}', null),
    ('leader_reader', '演示·县委办公室', 'ORG-CPC', null, '{leader_reader}', null),
    ('org_personnel_reader', '演示·县委组织部', 'MU01', null, '{org_personnel_reader}', null),
    ('research_center', '演示·研究中心', 'ORG-RES', null, '{research_center}', null),
    ('third_party', '演示·第三方机构', 'ORG-TPA', null, '{third_party}', null),
    ('platform_service', '演示·市级平台', 'ORG-SUP', null, '{platform_service}', null),
    ('sys_admin', '演示·系统管理员', 'ORG-OFF', null, '{sys_admin}', null),
    ('auditor', '演示·审计局', 'MU15', null, '{auditor}', null);

-- the other township: the first one that is not 安定镇
update new_users n
set organization_code = o.code, display_name = o.name
from (
    select o.code, o.name from organizations o
    where o.kind = 'township_government' and o.code <> 'ORG-430626101'
    order by o.code
    limit 1
) as o
where n.login = 'township_account_2';

-- inspector_03 … inspector_64 for 演示督学03 … 64
insert into new_users(login, display_name, organization_code, person_code, roles)
select 'inspector_' || right(p.name, 2), p.name, o.code, p.code, '{}'
from inspectors i
join persons p on p.id = i.person_id
join organizations o on o.id = p.organization_id
where p.name ~ '^演示督学[0-9]{2}$'
    and p.code not in (select n.person_code from new_users n where n.person_code is not null);

-- One hash for all: sixty of them would take as many tenths of a second.
insert into users(login, display_name, organization_id, person_id, password_hash,
    password_changed_at)
select n.login, n.display_name, o.id, p.id, secret.hash, now()
from new_users n
join organizations o on o.code = n.organization_code
left join persons p on p.code = n.person_code
cross join (select app.password_hash('dudao-demo') as hash) as secret
order by n.login;

do $$
begin
    if exists (select from new_users n where not exists
            (select from users u where u.login = n.login)) then
        raise exception 'an account has no organization';
    end if;
end
$$;

select app.grant_role(u.id, granted.role, '演示账号',
    scope_zone_id => case when granted.role = 'zone_lead' then z.id end)
from new_users n
join users u on u.login = n.login
cross join unnest(n.roles) as granted(role)
left join zones z on z.code = n.zone_code;
