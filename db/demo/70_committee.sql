-- The committee of the demo county (7.3): 23 member units with duties, heads
-- and liaisons, the director and two deputies, the office. Fictional persons.

set local dudao.is_demo = 'on';
select from app.act_as('office_staff', true);

create temporary table duties on commit drop as
select * from (values
    (1, '将督导结果作为教育系统和乡镇领导干部考核任免参考'),
    (2, '督导报告发布和教育舆论引导'),
    (3, '学校建设项目立项和收费政策'),
    (4, '教育网络与信息化基础保障'),
    (5, '乡村学校周边环境与涉农教育培训'),
    (6, '校舍建设质量安全监管、配套幼儿园建设'),
    (7, '教育行政主管，落实督导意见'),
    (8, '学校卫生、传染病防控、近视防控'),
    (9, '校园及周边治安、校车和护学岗'),
    (10, '教育经费与督导经费保障'),
    (11, '教职工编制、督导机构编制和副总督学职数'),
    (12, '教师招聘、职称、待遇'),
    (13, '督导执法合法性审查、法治教育'),
    (14, '教育用地规划与供应'),
    (15, '教育经费审计'),
    (16, '校园安全生产与应急'),
    (17, '学校食堂和校园周边食品安全、收费检查'),
    (18, '文化市场、体育设施、广播电视发布'),
    (19, '留守儿童关爱、民办非企业登记'),
    (20, '学生出行道路与客运'),
    (21, '校园周边市容秩序'),
    (22, '校园周边交通秩序、校车安全'),
    (23, '青少年思想引领和权益')
) as d(seq, text);

-- The office of the county government is part of the government: its deputy
-- head is a deputy director (C2.1.1.h).
update organizations o
set host_organization_id = g.id
from organizations g
where o.code = 'ORG-GOVO' and g.code = 'ORG-GOV';

insert into member_units(organization_id, seq, duties, joined_on,
    basis_document_id)
select o.id, d.seq, jsonb_build_array(jsonb_build_object('no', '1',
    'text', d.text, 'basis', '平办发〔2022〕30号')), '2022-08-01', b.id
from duties d
join organizations o on o.code = 'MU' || lpad(d.seq::text, 2, '0')
join policy_documents b on b.doc_no = '平办发〔2022〕30号'
order by d.seq;

insert into committee_members(person_id, organization_id, role,
    ex_officio_position, joined_on, basis_document_id)
select p.id, o.id, s.role, s.position, '2022-08-01', b.id
from (values
    ('ORG-GOV', '演示·分管副县长', 'director', '分管教育工作的副县长'),
    ('ORG-GOVO', '演示·政府办副主任', 'deputy_director',
        '协助分管教育工作的县政府办副主任'),
    ('MU07', '演示·教育局局长', 'deputy_director', '县教育局局长')
) as s(code, name, role, position)
join organizations o on o.code = s.code
join persons p on p.name = s.name and p.organization_id = o.id
join policy_documents b on b.doc_no = '平办发〔2022〕30号';
insert into committee_members(person_id, organization_id, role,
    ex_officio_position, joined_on, basis_document_id)
select p.id, o.id, 'member', o.short_name || '主要负责人', u.joined_on,
    u.basis_document_id
from member_units u
join organizations o on o.id = u.organization_id
join persons p on p.organization_id = o.id
    and p.name = '演示·' || o.name || '负责人'
order by u.seq;

insert into liaisons(member_unit_id, person_id, is_primary, phone, started_on,
    nominated_by, confirmed_by, confirmed_at)
select u.id, p.id, true, p.phone, u.joined_on,
    (select x.id from users x where x.organization_id = u.organization_id
        and x.login in ('committee_member')),
    s.id, u.joined_on + time '09:00'
from member_units u
join organizations o on o.id = u.organization_id
join persons p on p.organization_id = o.id
    and p.name = '演示·' || o.name || '联络员'
join users s on s.login = 'office_staff'
order by u.seq;

-- The bureau's second liaison, who awaits confirmation.
with person as (
    insert into persons(code, name, organization_id, position_title, phone)
    select 'RY-900010', '演示·教育局联络员二', o.id, '教育督导联络员', '13900900010'
    from organizations o
    where o.code = 'MU07'
    returning id, organization_id, phone
)
insert into liaisons(member_unit_id, person_id, phone, started_on,
    nominated_by)
select u.id, p.id, p.phone, app.today(), x.id
from person p
join member_units u on u.organization_id = p.organization_id
join users x on x.login = 'committee_member';

-- A unit that once belonged to the committee, with head and liaison.
insert into organizations(code, kind, name, short_name, division_id,
    parent_organization_id)
select 'ORG-EX01', 'mass_organization', '县关工委（演示）', '县关工委', g.division_id,
    g.id
from organizations g
where g.code = 'ORG-GOV';
insert into persons(code, name, organization_id, position_title, phone)
select p.code, p.name, o.id, p.title, p.phone
from (values
    ('RY-900011', '演示·县关工委负责人', '主要负责人', '13900900011'),
    ('RY-900012', '演示·县关工委联络员', '教育督导联络员', '13900900012')
) as p(code, name, title, phone), organizations o
where o.code = 'ORG-EX01';
update organizations o
set edu_leader_person_id = p.id
from persons p
where o.code = 'ORG-EX01' and p.code = 'RY-900011';
insert into member_units(organization_id, seq, duties, joined_on,
    basis_document_id)
select o.id, 24, '[{"no": "1", "text": "关心下一代与家庭教育指导", "basis": null}]',
    '2022-08-01', b.id
from organizations o, policy_documents b
where o.code = 'ORG-EX01' and b.doc_no = '平办发〔2022〕30号';
insert into committee_members(person_id, organization_id, role,
    ex_officio_position, joined_on, basis_document_id)
select p.id, p.organization_id, 'member', '县关工委主要负责人', '2022-08-01', b.id
from persons p, policy_documents b
where p.code = 'RY-900011' and b.doc_no = '平办发〔2022〕30号';
insert into liaisons(member_unit_id, person_id, is_primary, phone, started_on,
    confirmed_by, confirmed_at)
select u.id, p.id, true, p.phone, u.joined_on, s.id,
    u.joined_on + time '09:00'
from persons p
join member_units u on u.organization_id = p.organization_id
join users s on s.login = 'office_staff'
where p.code = 'RY-900012';
update member_units u
set left_on = '2024-09-01'
from organizations o
where o.id = u.organization_id and o.code = 'ORG-EX01';

-- The office (C2.1.2): chief and deputy chief inspector, four full-time staff,
-- and one who was seconded for a year.
insert into office_staff(person_id, post, employment, is_bureau_leadership,
    is_party_group_member, is_office_director, started_on)
select p.id, s.post, 'full_time', s.leads, s.leads, s.leads, s.started_on::date
from (values
    ('演示·总督学', 'chief_inspector', true, '2022-08-01'),
    ('演示·副总督学', 'deputy_chief_inspector', false, '2022-08-01'),
    ('演示·督导办科员甲', 'staff', false, '2022-08-01'),
    ('演示·督导办科员乙', 'staff', false, '2022-08-01'),
    ('演示·督导办科员丙', 'staff', false, '2023-03-01'),
    ('演示·督导办科员丁', 'staff', false, '2024-09-01')
) as s(name, post, leads, started_on)
join persons p on p.name = s.name;
insert into office_staff(person_id, post, employment, started_on, ended_on)
select p.id, 'staff', 'seconded', '2022-09-01', '2023-09-01'
from persons p
where p.name = '演示·研究中心主任';

-- The county's other rules, by the steps of 3.21: titles and ranks
-- (C2.4.3.f), training (C2.4.3.a), informatization (C3.2.a).
do $$
declare
    item record;
    document uuid;
begin
    for item in
        select * from (values
            ('promotion_rule', '平江县督学专业技术职务晋升办法', '平教督〔2024〕6号',
                '[{"clause_id": "第一条", "text": "督学参加专业技术职务评审，督导工作实绩作为评审的重要依据"}]'),
            ('training_rule', '平江县督学培训办法', '平教督〔2024〕7号',
                '[{"clause_id": "第一条", "text": "督学每年接受集中培训的时间累计不少于四十学时"}]'),
            ('it_plan', '平江县教育信息化建设规划（教育督导部分）', '平教督〔2024〕8号',
                '[{"clause_id": "第一条", "text": "教育督导信息化纳入教育信息化建设规划，运用省市教育督导网络工作平台"}]')
        ) as d(kind, title, doc_no, clauses)
    loop
        perform app.act_as('office_staff', true);
        select (a.body::jsonb ->> 'id')::uuid into document
        from app.create('policy_documents', jsonb_build_object(
            'title', item.title, 'kind', item.kind, 'level', 'county',
            'issuer', '平江县人民政府教育督导委员会办公室',
            'is_public', false, 'clauses', item.clauses::jsonb,
            'parent_document_id', (select p.id from policy_documents p
                where p.doc_no = '平办发〔2022〕30号'))) as a;
        perform app.act('policy_documents', document, 'submit');
        perform app.act_as('chief_inspector', true);
        perform app.act('policy_documents', document, 'issue', null,
            jsonb_build_object('doc_no', item.doc_no,
                'issued_on', '2024-03-18', 'comment', '同意印发'));
    end loop;
end
$$;

set constraints all immediate;
select from app.act_as('', true);
