-- Inspectors (7.2): the chief and the deputy chief inspector and 64 more, as
-- candidates. Their appointments, zones and plaques follow once there are
-- accounts that can decide them (35_appointments.sql).

set local jit = off;
select set_config('dudao.is_demo', 'on', true);

create temporary table new_inspectors on commit drop as
select n, app.uuid_v7() as person_id,
    case n when 0 then '演示·副总督学' when -1 then '演示·总督学'
        else '演示督学' || lpad(n::text, 2, '0') end as name,
    case when n <= 0 then 'ORG-OFF' when n <= 16 then 'ORG-OFF'
        when n % 4 = 0 then 'ORG-RES' else 'MU07' end as organization_code,
    case n when -1 then '总督学、督导办主任' when 0 then '副总督学'
        else case when n <= 16 then '专职督学' else '兼职督学' end
        end as position_title
from generate_series(-1, 64) as n;

insert into persons(id, code, name, gender, birth_year, is_party_member,
    organization_id, position_title, phone, email)
select i.person_id, 'RY-8' || lpad((i.n + 1)::text, 5, '0'), i.name,
    case when i.n % 3 = 0 then 'female' else 'male' end,
    1964 + (i.n + 1) % 24, i.n % 5 <> 4, o.id, i.position_title,
    '137' || lpad((i.n + 1)::text, 8, '0'),
    'dx' || lpad((i.n + 1)::text, 4, '0') || '@demo.example'
from new_inspectors i
join organizations o on o.code = i.organization_code
order by i.n;

insert into inspectors(person_id, code, degree, work_years, title_rank,
    background, expertise_stages, expertise_matters, is_researcher,
    public_phone)
select i.person_id, 'DX-430626-' || lpad((i.n + 2)::text, 4, '0'),
    case i.n % 6 when 0 then 'master' else 'bachelor' end,
    12 + (i.n + 1) * 7 % 24,
    case i.n % 4 when 0 then '正高级教师' when 1 then '高级教师'
        else '一级教师' end,
    case when i.n <= 16 then 'official'
        when i.organization_code = 'ORG-RES' then 'researcher'
        when i.n % 3 = 0 then 'retired_principal' else 'teacher' end,
    case i.n % 4 when 0 then '{kindergarten,primary}'
        when 1 then '{primary,junior}' when 2 then '{junior,senior}'
        else '{kindergarten,primary,junior}' end::text[],
    array['M1', 'M' || 2 + (i.n + 1) % 3],
    i.organization_code = 'ORG-RES',
    '0730-6201' || lpad((i.n + 2)::text, 3, '0')
from new_inspectors i
order by i.n;
select setval('inspector_numbers', 66);
