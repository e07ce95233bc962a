-- The demo county: divisions, calendar, documents, organizations, schools,
-- persons. Township names and codes are real; every school, person and number
-- below is invented, says nothing about the real place, and has is_demo =
-- true. Generated from a few tables, the same each time.

set local jit = off;
select set_config('dudao.is_demo', 'on', true);


-- Calendar ------------------------------------------------------------------

-- Holidays and make-up days: 2024 and 2025 as published; 2026 by the notice
-- of the General Office of the State Council of November 2025; for 2027 only
-- the statutory days, since its notice does not exist yet.
create temporary table exceptions on commit drop as
select d::date as day, e.is_workday, e.note
from (values
    ('2024-01-01'::date, '2024-01-01'::date, false, '元旦'),
    ('2024-02-04', '2024-02-04', true, '春节调休上班'),
    ('2024-02-10', '2024-02-17', false, '春节'),
    ('2024-02-18', '2024-02-18', true, '春节调休上班'),
    ('2024-04-04', '2024-04-06', false, '清明节'),
    ('2024-04-07', '2024-04-07', true, '清明节调休上班'),
    ('2024-04-28', '2024-04-28', true, '劳动节调休上班'),
    ('2024-05-01', '2024-05-05', false, '劳动节'),
    ('2024-05-11', '2024-05-11', true, '劳动节调休上班'),
    ('2024-06-10', '2024-06-10', false, '端午节'),
    ('2024-09-14', '2024-09-14', true, '中秋节调休上班'),
    ('2024-09-15', '2024-09-17', false, '中秋节'),
    ('2024-09-29', '2024-09-29', true, '国庆节调休上班'),
    ('2024-10-01', '2024-10-07', false, '国庆节'),
    ('2024-10-12', '2024-10-12', true, '国庆节调休上班'),
    ('2025-01-01', '2025-01-01', false, '元旦'),
    ('2025-01-26', '2025-01-26', true, '春节调休上班'),
    ('2025-01-28', '2025-02-04', false, '春节'),
    ('2025-02-08', '2025-02-08', true, '春节调休上班'),
    ('2025-04-04', '2025-04-06', false, '清明节'),
    ('2025-04-27', '2025-04-27', true, '劳动节调休上班'),
    ('2025-05-01', '2025-05-05', false, '劳动节'),
    ('2025-05-31', '2025-06-02', false, '端午节'),
    ('2025-09-28', '2025-09-28', true, '国庆节调休上班'),
    ('2025-10-01', '2025-10-08', false, '国庆节、中秋节'),
    ('2025-10-11', '2025-10-11', true, '国庆节调休上班'),
    ('2026-01-01', '2026-01-03', false, '元旦（请核对通知原文）'),
    ('2026-01-04', '2026-01-04', true, '元旦调休上班（请核对通知原文）'),
    ('2026-02-14', '2026-02-14', true, '春节调休上班（请核对通知原文）'),
    ('2026-02-15', '2026-02-23', false, '春节（请核对通知原文）'),
    ('2026-02-28', '2026-02-28', true, '春节调休上班（请核对通知原文）'),
    ('2026-04-04', '2026-04-06', false, '清明节（请核对通知原文）'),
    ('2026-05-01', '2026-05-05', false, '劳动节（请核对通知原文）'),
    ('2026-05-09', '2026-05-09', true, '劳动节调休上班（请核对通知原文）'),
    ('2026-06-19', '2026-06-21', false, '端午节（请核对通知原文）'),
    ('2026-09-20', '2026-09-20', true, '国庆节调休上班（请核对通知原文）'),
    ('2026-09-25', '2026-09-27', false, '中秋节（请核对通知原文）'),
    ('2026-10-01', '2026-10-07', false, '国庆节（请核对通知原文）'),
    ('2026-10-10', '2026-10-10', true, '国庆节调休上班（请核对通知原文）'),
    ('2027-01-01', '2027-01-01', false, '元旦（未公布，仅法定日）'),
    ('2027-02-05', '2027-02-08', false, '春节（未公布，仅法定日）'),
    ('2027-04-05', '2027-04-05', false, '清明节（未公布，仅法定日）'),
    ('2027-05-01', '2027-05-02', false, '劳动节（未公布，仅法定日）'),
    ('2027-06-09', '2027-06-09', false, '端午节（未公布，仅法定日）'),
    ('2027-09-15', '2027-09-15', false, '中秋节（未公布，仅法定日）'),
    ('2027-10-01', '2027-10-03', false, '国庆节（未公布，仅法定日）')
) as e(first_day, last_day, is_workday, note),
    generate_series(e.first_day, e.last_day, interval '1 day') as d;

insert into calendar_days(day, is_workday, note)
select d::date, coalesce(e.is_workday, extract(isodow from d) < 6), e.note
from generate_series('2024-01-01'::date, '2027-12-31', interval '1 day') as d
left join exceptions e on e.day = d::date;

insert into semesters(code, term, starts_on, ends_on, teaching_months)
select code, case right(code, 1) when '1' then 'first' else 'second' end,
    starts_on, ends_on, app.teaching_months(starts_on, ends_on)
from (values
    ('2023-2024-2', '2024-02-26'::date, '2024-07-05'::date),
    ('2024-2025-1', '2024-09-01', '2025-01-17'),
    ('2024-2025-2', '2025-02-17', '2025-07-04'),
    ('2025-2026-1', '2025-09-01', '2026-01-30'),
    ('2025-2026-2', '2026-03-02', '2026-07-10'),
    ('2026-2027-1', '2026-09-01', '2027-01-22'),
    ('2026-2027-2', '2027-02-22', '2027-07-09'),
    ('2027-2028-1', '2027-09-01', '2028-01-14')
) as s(code, starts_on, ends_on);


-- Policy documents (P.1): state, province, city, county ---------------------

-- Registered as documents of others. Where our sources do not give the
-- number of a document the text says 文号待核.
create temporary table chain on commit drop as
select * from (values
    (1, null::integer, '教育督导条例', '国务院令第624号', '国务院',
        '2012-09-09'::date, '2012-10-01'::date, 'national_law', 'national'),
    (2, 1, '督学管理暂行办法', '教督〔2016〕2号', '教育部',
        '2016-07-29', '2016-07-29', 'national_law', 'national'),
    (3, 1, '关于加强督学责任区建设的意见', '教督〔2012〕7号',
        '国务院教育督导委员会办公室', '2012-11-02', '2012-11-02',
        'superior_directive', 'national'),
    (4, 1, '中小学校责任督学挂牌督导办法', '文号待核（2013年挂牌督导办法）',
        '国务院教育督导委员会办公室', '2013-09-17', '2013-09-17',
        'superior_directive', 'national'),
    (5, 1, '关于深化新时代教育督导体制机制改革的意见', '厅字〔2020〕1号（待核）',
        '中共中央办公厅、国务院办公厅', '2020-02-19', '2020-02-19',
        'superior_directive', 'national'),
    (6, 5, '教育督导问责办法', '国教督〔2021〕2号',
        '国务院教育督导委员会', '2021-07-20', '2021-09-01',
        'national_law', 'national'),
    (7, 5, '关于深化新时代教育督导体制机制改革的实施意见', '湘办〔2020〕25号',
        '中共湖南省委办公厅、湖南省人民政府办公厅', '2020-12-31',
        '2020-12-31', 'provincial_policy', 'provincial'),
    (8, 7, '岳阳市深化新时代教育督导体制机制改革实施办法',
        '文号待核（岳阳市实施办法）',
        '中共岳阳市委办公室、岳阳市人民政府办公室', '2021-12-31',
        '2021-12-31', 'municipal_policy', 'municipal'),
    (9, 8, '平江县深化新时代教育督导体制机制改革实施办法',
        '平办发〔2022〕30号', '中共平江县委办公室、平江县人民政府办公室',
        '2022-08-01', '2022-08-01', 'local_scheme', 'county')
) as c(n, parent, title, doc_no, issuer, issued_on, effective_from, kind,
    level);

-- The clauses of the county's own scheme, with the ids by which rules, tests
-- and refusals name them (H.6).
\set scheme `cat demo/scheme.json`
create temporary table scheme on commit drop as
select :'scheme'::jsonb as clauses;

do $$
declare
    item record;
begin
    for item in select * from chain order by n loop
        insert into policy_documents(title, doc_no, issuer, issued_on,
            effective_from, kind, level, clauses, parent_document_id,
            is_external, state)
        values (item.title, item.doc_no, item.issuer, item.issued_on,
            item.effective_from, item.kind, item.level,
            case when item.kind = 'local_scheme'
                then (select s.clauses from scheme s) else '[]' end,
            (select d.id from policy_documents d
             join chain c on c.doc_no = d.doc_no
             where c.n = item.parent), true, 'in_force');
    end loop;
end
$$;

-- The clauses of the county's scheme, under the ids that rules and refusals
-- name; in simplified characters.
update policy_documents d
set clauses = (
    select jsonb_agg(jsonb_build_object('clause_id', c.clause_id,
        'text', app.simplified(c.text)) order by c.place)
    from (
        select row_number() over () as place, v.*
        from (values
    ('H.1', '中共平江县委办公室文件'),
    ('H.2', '平办发〔2022〕30号'),
    ('H.3', '中共平江县委办公室平江县人民政府办公室'),
    ('H.4', '关于印发《平江县深化新时代教育督導體制机制改革实施办法》的通知'),
    ('H.5', '各乡镇（街道）、县直各单位'),
    ('H.6', '现将《平江县深化新时代教育督導體制机制改革实施办法》印发给你们，请结合工作实际，认真贯彻落实。'),
    ('P.1', '為認真貫徹落實《中共湖南省委辦公廳湖南省政府辦公廳印發〈關於深化新時代教育督導體制機制改革的實施意見〉的通知》（湘辦〔2020〕25號）和《岳陽市深化新時代教育督導體制機制改革實施辦法》精神'),
    ('P.2', '切實加強和改進教育督導工作，全面優化教育督導體制機制，助推我縣教育高質量發展，結合我縣實際，制訂本實施辦法。'),
    ('C1.a', '新時代教育督導體制機制改革是黨中央、國務院及省委省政府實施的一項重大改革'),
    ('C1.b', '是對各級人民政府履行教育職責評價的一項重要內容'),
    ('C1.c', '各鄉鎮（街道）和相關單位要提高政治站位，充分認識深化新時代教育督導體制機制改革的重要意義，加強組織領導和統籌協調'),
    ('C1.d', '着力破解制約教育督導職能和作用發揮的瓶頸問題，全面提高督導的質量和水平'),
    ('C1.e', '確保到2022年基本建成全面覆蓋、運轉高效、結果權威、問責有力的新時代教育督導體制機制'),
    ('C2.1.1.a', '比照上級教育督導委員會組織架構，和縣級教育督導工作需要，調整充實縣政府教育督導委員會成員單位'),
    ('C2.1.1.b', '委员会定期研究本行政区域教育督导工作'),
    ('C2.1.1.c', '审议教育督导的重大事项'),
    ('C2.1.1.d', '协调解决教育督导的重大问题'),
    ('C2.1.1.e', '发布重大教育督导报告'),
    ('C2.1.1.f', '聘任本级督学'),
    ('C2.1.1.g', '县政府教育督导委员会由分管教育工作的县政府领导同志任主任'),
    ('C2.1.1.h', '县政府办协助分管教育工作的副主任和县教育局局长任副主任'),
    ('C2.1.1.i', '县政府教育督导委员会成员包括县委组织部、县委宣传部、发改局、科技和工业信息化局、农业农村局、住建局、教育局、卫健局、公安局、财政局、编办、人社局、司法局、自然资源局、审计局、应急管理局、市场监督管理局、文旅广体局、民政局、交通局、城管局、交警大队、团县委等单位负责人'),
    ('C2.1.1.j', '委员会成员单位依法履行好各自相关教育工作职责'),
    ('C2.1.1.k', '安排专门人员负责联系教育督导工作'),
    ('C2.1.1.l', '积极参加委员会安排的督导活动'),
    ('C2.1.2.a', '县政府教育督导委员会办公室(以下简称政府教育督导办)设在相应的教育行政部门'),
    ('C2.1.2.b', '承担委员会的日常工作'),
    ('C2.1.2.c', '教育行政部门设立总督学、副总督学'),
    ('C2.1.2.d', '总督学属教育行政部门领导班子成员'),
    ('C2.1.2.e', '是中共党员的属党组(党委)班子成员'),
    ('C2.1.2.f', '并兼任政府教育督导办主任'),
    ('C2.1.2.g', '副总督学在机构编制部门核定的职数内配备'),
    ('C2.1.2.h', '加强教育督导专职人员配置'),
    ('C2.1.2.i', '县政府教育督导办专职工作人员原则上不少于3名'),
    ('C2.1.3.a', '建立健全县教育督导工作规程'),
    ('C2.1.3.b', '明确各成员单位职责和具体联络人'),
    ('C2.1.3.c', '建立教育督导联席会议制度和定期沟通交流制度'),
    ('C2.1.3.d', '每半年召开一次联席会议，专题商讨教育督导工作'),
    ('C2.1.3.e', '形成常态化报告制度'),
    ('C2.1.3.f', '重大事项、督导结果除向上一级教育督导机构报告外，同时向各成员单位进行通报'),
    ('C2.1.3.g', '强化教育督导机构的指导和管理职能'),
    ('C2.1.3.h', '县政府教育督导办定期开展乡镇(街道)及有关部门和督学责任区教育督导工作监督检查'),
    ('C2.1.3.i', '并进行年度评估和奖励'),
    ('C2.2.1.a', '构建对政府履行教育职责的分级评价体系'),
    ('C2.2.1.b', '加强对乡镇(街道)、县直单位落实上级有关重大教育决策部署情况进行监督检查'),
    ('C2.2.1.c', '完善乡镇(街道)和县直单位履行教育职责评价体系'),
    ('C2.2.1.d', '督促乡镇(街道)及相关职能部门切实履行教育职责'),
    ('C2.2.1.e', '县政府教育督导办对乡镇(街道)及其主要负责人履行教育职责进行年度评估考核'),
    ('C2.2.1.f', '县政府教育督导办可根据需要对乡镇(街道)和县直单位履行相关教育职责进行督导评价'),
    ('C2.2.2.a', '落实中央、省、市及县委县政府部署的年度重点专项督导'),
    ('C2.2.2.b', '建立依据国家及省有关标准，分类组织实施的学校经常性督导工作机制'),
    ('C2.2.2.c', '完善各类学校(幼儿园)评价体系，指导全县学校(幼儿园)督导工作'),
    ('C2.2.2.d', '中小学、幼儿园每五年或学校校(园)长在一个任期结束时要接受一次综合督导'),
    ('C2.2.2.e', '完善督学责任区制度，落实常态化督导'),
    ('C2.2.2.f', '实现中小学校、幼儿园责任督学挂牌督导全覆盖'),
    ('C2.2.2.g', '加强对民办学校的全方位督导'),
    ('C2.2.3.a', '充分认识到国家及省级层面开展的基础教育质量监测对改善教育管理、优化教育决策、指导教育工作的科学性和有效性'),
    ('C2.2.3.b', '认真组织年度教育评估监测工作'),
    ('C2.2.3.c', '并针对评估监测过程中发现的问题积极整改落实'),
    ('C2.2.3.d', '积极通过政府购买服务方式、委托第三方评估监测机构和社会组织开展教育评估监测工作'),
    ('C2.3.1.a', '教育督导报告要及时送同级党委、政府和上级教育督导机构'),
    ('C2.3.1.b', '同时以适当方式在政府门户网站、广播电视、官方公众号等媒体公开'),
    ('C2.3.1.c', '接受社会监督'),
    ('C2.3.1.d', '要及时向被督导单位反馈督导结果'),
    ('C2.3.1.e', '提出整改要求'),
    ('C2.3.2.a', '要建立被督导单位的问题清单'),
    ('C2.3.2.b', '对问题实行拉条挂账，销号办理'),
    ('C2.3.2.c', '确保问题必整改，整改必到位'),
    ('C2.3.2.d', '政府教育督导办要适时开展“回头看”，对问题的整改情况及时进行复查'),
    ('C2.3.2.e', '防止问题反弹，杜绝弄虚作假'),
    ('C2.3.2.f', '对整改不及时、不到位的，要发督办函，限期整改'),
    ('C2.3.2.g', '被督导单位要及时报告整改结果并向社会发布整改情况'),
    ('C2.3.2.h', '整改不力要严肃追究相关责任'),
    ('C2.3.3.a', '将乡镇(街道)履行教育职责评价结果纳入对乡镇(街道)年度综合绩效考核的指标体系'),
    ('C2.3.3.b', '组织人事部门在领导干部考核、任免、奖惩中要注意了解教育督导结果及整改情况'),
    ('C2.3.3.c', '对教育督导发现的问题整改不力、推诿扯皮、不作为或没有完成整改落实任务的被督导单位'),
    ('C2.3.3.d', '将通报其所在地党委和政府以及上级部门'),
    ('C2.3.3.e', '建议其领导班子成员不得评优评先、提拔使用或者转任重要职务'),
    ('C2.3.4.a', '对被督导单位的约谈由政府教育督导办会同相关部门联合组织开展'),
    ('C2.3.4.b', '约谈要指出存在的问题，提出相应要求'),
    ('C2.3.4.c', '形成规范的书面记录'),
    ('C2.3.4.d', '并报被督导单位所在地党委和政府以及上级部门备案'),
    ('C2.3.4.e', '作为被约谈对象政绩和绩效考核的重要依据'),
    ('C2.3.4.f', '压实问责制度，对年度目标任务未完成，履行教育职责不合格，阻扰、干扰和不配合教育督导工作的被督导单位'),
    ('C2.3.4.g', '由县政府教育督导委员会按照规定程序对相关负责人进行问责'),
    ('C2.3.4.h', '问责和处理结果应以适当方式及时向社会公布'),
    ('C2.4.1.a', '根据《教育督导条例》等有关规定，县本级和督学责任区按照督学与学校数1:5的比例配备督学'),
    ('C2.4.1.b', '县级专职督学的比例不高于三分之一'),
    ('C2.4.1.c', '每个责任区至少聘用2名专职督学'),
    ('C2.4.1.d', '并根据工作需要，聘用兼职督学'),
    ('C2.4.2.a', '设立县教育督导事务研究中心'),
    ('C2.4.2.b', '归口县政府教育督导办管理'),
    ('C2.4.2.c', '定期开展学校评估、质量监测等专业性较强的工作'),
    ('C2.4.3.a', '完善督学培训机制'),
    ('C2.4.3.b', '将督学培训纳入教育管理干部和教师培训计划'),
    ('C2.4.3.c', '定期开展新任督学岗前培训和督学岗位能力提升培训'),
    ('C2.4.3.d', '支持督学开展教育督导科学研究和交流'),
    ('C2.4.3.e', '提升督学队伍专业水平和工作能力'),
    ('C2.4.3.f', '完善督学专业技术职务晋升办法'),
    ('C2.4.3.g', '探索设立督学专业技术等级序列'),
    ('C2.4.3.h', '对认真履职、成效显著的督学予以适当奖励'),
    ('C2.4.3.i', '激发督学的工作主动性积极性'),
    ('C3.1.a', '将教育督导工作经费纳入财政预算'),
    ('C3.1.b', '并保证专款专用'),
    ('C3.1.c', '制定教育督导活动开展经费使用制度'),
    ('C3.1.d', '妥善解决督学开展公务活动时产生的通信、交通、食宿、劳务等费用'),
    ('C3.1.e', '并在办公用房、设施设备等方面提供必要条件'),
    ('C3.2.a', '将教育督导信息化纳入教育信息化建设规划'),
    ('C3.2.b', '积极运用省市教育督导网络工作平台'),
    ('C3.2.c', '促进教育督导与信息化的深度融合'),
    ('C3.3.a', '支持开展有关教育政策、重大决策专题研究'),
    ('C3.3.b', '提出改进完善建议'),
    ('C3.3.c', '加强政策储备'),
    ('C3.3.d', '培养壮大教育督导研究力量')
        ) as v(clause_id, text)) as c)
where d.doc_no = '平办发〔2022〕30号';


-- Divisions -----------------------------------------------------------------

insert into divisions(code, name, short_name, level, active_from)
values ('430000000000', '湖南省', '湖南', 'province', '1949-10-01');
insert into divisions(code, stat_code, name, short_name, level, parent_id,
    active_from)
select '430600', '430600', '岳阳市', '岳阳', 'prefecture', d.id, '1986-01-01'
from divisions d where d.code = '430000000000';
insert into divisions(code, stat_code, name, short_name, level, parent_id,
    population, population_year, active_from)
select '430626', '430626', '平江县', '平江', 'county', d.id,
    933600, 2023, '1949-10-01'
from divisions d where d.code = '430600';

-- Counts of schools by township: kindergartens, primary schools, teaching
-- points, junior, nine-year, complete, senior, vocational, special.
create temporary table townships (
    name text, code text, stat_code text, zone text, population integer,
    population_year integer, kg integer, pri integer, tp integer,
    jun integer, nine integer, com integer, sen integer, voc integer,
    spe integer) on commit drop;
insert into townships values
    ('汉昌街道', '430626001', '430626001', 'Z1', 128000, 2015, 22, 7, 0, 4, 1, 0, 2, 1, 1),
    ('天岳街道', '430626002', '430626002', 'Z1', null, null, 14, 5, 1, 2, 2, 1, 1, 1, 0),
    ('安定镇', '430626101', '430626101', 'Z4', 73240, 2017, 9, 6, 6, 2, 1, 0, 1, 0, 0),
    ('三市镇', '430626102', '430626102', 'Z4', 58153, 2017, 7, 5, 5, 1, 1, 0, 0, 0, 0),
    ('加义镇', '430626103', '430626103', 'Z2', 61890, 2017, 8, 6, 6, 2, 1, 0, 0, 0, 0),
    ('长寿镇', '430626104', '430626104', 'Z2', null, null, 8, 5, 5, 1, 1, 0, 1, 0, 0),
    ('龙门镇', '430626105', '430626105', 'Z2', null, null, 5, 4, 4, 1, 1, 0, 0, 0, 0),
    ('虹桥镇', '430626106', '430626106', 'Z3', null, null, 5, 4, 4, 1, 1, 0, 0, 0, 0),
    ('南江镇', '430626107', '430626107', 'Z3', null, null, 8, 5, 5, 1, 1, 0, 1, 0, 0),
    ('梅仙镇', '430626108', '430626108', 'Z3', null, null, 7, 5, 5, 1, 1, 0, 0, 0, 0),
    ('浯口镇', '430626109', '430626109', 'Z4', null, null, 5, 4, 4, 1, 0, 0, 0, 0, 0),
    ('瓮江镇', '430626110', '430626110', 'Z4', null, null, 6, 4, 5, 1, 1, 0, 0, 0, 0),
    ('伍市镇', '430626111', '430626111', 'Z4', null, null, 8, 5, 4, 1, 1, 0, 0, 0, 0),
    ('向家镇', '430626112', '430626112', 'Z4', null, null, 4, 3, 3, 1, 0, 0, 0, 0, 0),
    ('童市镇', '430626113', '430626113', 'Z4', null, null, 3, 3, 3, 1, 0, 0, 0, 0, 0),
    ('岑川镇', '430626114', '430626114', 'Z3', null, null, 3, 3, 3, 1, 0, 0, 0, 0, 0),
    ('福寿山镇', '430626115', '430626115', 'Z4', 18206, 2017, 2, 2, 3, 0, 1, 0, 0, 0, 0),
    ('上塔市镇', '430626116', '430626118', 'Z3', null, null, 3, 3, 3, 1, 0, 0, 0, 0, 0),
    ('石牛寨镇', '430626117', '430626117', 'Z2', null, null, 3, 3, 3, 0, 1, 0, 0, 0, 0),
    ('余坪镇', '430626118', '430626116', 'Z3', null, null, 4, 3, 3, 1, 0, 0, 0, 0, 0),
    ('三阳乡', '430626200', '430626200', 'Z1', 58416, 2015, 8, 5, 4, 1, 1, 0, 0, 0, 0),
    ('木金乡', '430626205', '430626205', 'Z2', 27416, 2017, 3, 2, 3, 0, 1, 0, 0, 0, 0),
    ('板江乡', '430626208', '430626208', 'Z3', 13680, 2017, 2, 1, 2, 0, 1, 0, 0, 0, 0),
    ('大洲乡', '430626209', '430626209', 'Z3', 18588, 2017, 2, 2, 2, 1, 0, 0, 0, 0, 0),
    ('三墩乡', '430626211', '430626210', 'Z3', 30712, 2017, 3, 2, 3, 1, 0, 0, 0, 0, 0);

insert into divisions(code, stat_code, name, short_name, level, parent_id,
    population, population_year, active_from)
select t.code, t.stat_code, t.name, regexp_replace(t.name, '(街道|镇|乡)$', ''),
    'township', d.id, t.population, t.population_year, '2015-12-01'
from townships t, divisions d
where d.code = '430626'
order by t.code;


-- Zones (7.2); their leads follow with the appointments ---------------------

insert into zones(code, name, division_ids, office_address, phone,
    active_from)
select z.code, z.name, array_agg(d.id order by d.code), z.office_address,
    z.phone, '2022-09-01'
from (values
    ('Z1', '城区督学责任区', '汉昌街道示例第一小学院内', '0730-6200001'),
    ('Z2', '东部督学责任区', '长寿镇示例高级中学院内', '0730-6200002'),
    ('Z3', '北部督学责任区', '南江镇示例中心小学院内', '0730-6200003'),
    ('Z4', '西南督学责任区', '安定镇示例中心小学院内', '0730-6200004')
) as z(code, name, office_address, phone)
join townships t on t.zone = z.code
join divisions d on d.code = t.code
group by z.code, z.name, z.office_address, z.phone
order by z.code;


-- Organizations -------------------------------------------------------------

insert into organizations(code, kind, name, short_name, division_id,
    is_supervisable, contact_name, contact_phone, address)
select o.code, o.kind, o.name, o.short_name, d.id, o.is_supervisable,
    '演示·' || o.short_name || '联系人', '0730-62000' || o.n,
    '平江县汉昌街道示例路' || o.n || '号'
from (values
    (10, 'ORG-CPC', 'county_party_committee', '中共平江县委员会', '县委', false),
    (11, 'ORG-GOV', 'county_government', '平江县人民政府', '县政府', false),
    (12, 'ORG-GOVO', 'county_department', '平江县人民政府办公室', '县政府办',
        false),
    (13, 'ORG-COM', 'supervision_committee', '平江县人民政府教育督导委员会',
        '督导委员会', false),
    (14, 'ORG-MEDIA', 'media', '平江县融媒体中心', '县融媒体中心', false)
) as o(n, code, kind, name, short_name, is_supervisable), divisions d
where d.code = '430626';

insert into organizations(code, kind, name, short_name, division_id,
    is_supervisable, contact_name, contact_phone)
select 'ORG-SUP', 'superior_supervision_body',
    '岳阳市人民政府教育督导委员会办公室', '岳阳市督导办', d.id, false,
    '演示·市督导办联系人', '0730-8800001'
from divisions d where d.code = '430600';

-- The 23 member units, in the order of the document.
create temporary table units (seq integer, code text, name text, kind text)
    on commit drop;
insert into units values
    (1, 'MU01', '县委组织部', 'party_department'),
    (2, 'MU02', '县委宣传部', 'party_department'),
    (3, 'MU03', '发改局', 'county_department'),
    (4, 'MU04', '科技和工业信息化局', 'county_department'),
    (5, 'MU05', '农业农村局', 'county_department'),
    (6, 'MU06', '住建局', 'county_department'),
    (7, 'MU07', '教育局', 'county_department'),
    (8, 'MU08', '卫健局', 'county_department'),
    (9, 'MU09', '公安局', 'county_department'),
    (10, 'MU10', '财政局', 'county_department'),
    (11, 'MU11', '编办', 'party_department'),
    (12, 'MU12', '人社局', 'county_department'),
    (13, 'MU13', '司法局', 'county_department'),
    (14, 'MU14', '自然资源局', 'county_department'),
    (15, 'MU15', '审计局', 'county_department'),
    (16, 'MU16', '应急管理局', 'county_department'),
    (17, 'MU17', '市场监督管理局', 'county_department'),
    (18, 'MU18', '文旅广体局', 'county_department'),
    (19, 'MU19', '民政局', 'county_department'),
    (20, 'MU20', '交通局', 'county_department'),
    (21, 'MU21', '城管局', 'county_department'),
    (22, 'MU22', '交警大队', 'county_department'),
    (23, 'MU23', '团县委', 'mass_organization');

insert into organizations(code, kind, name, short_name, division_id,
    parent_organization_id, is_supervisable, contact_name, contact_phone,
    address)
select u.code, u.kind, u.name, u.name, d.id,
    (select o.id from organizations o where o.code = case
        when u.kind = 'county_department' then 'ORG-GOV' else 'ORG-CPC' end),
    true, '演示·' || u.name || '联络员',
    '0730-62100' || lpad(u.seq::text, 2, '0'),
    '平江县汉昌街道示例大道' || u.seq || '号'
from units u, divisions d
where d.code = '430626'
order by u.seq;

insert into organizations(code, kind, name, short_name, division_id,
    parent_organization_id, host_organization_id, is_supervisable,
    contact_name, contact_phone, address)
select 'ORG-OFF', 'supervision_office',
    '平江县人民政府教育督导委员会办公室', '督导办', c.division_id, c.id, b.id,
    false, '演示·督导办科员甲', '0730-6200100', '平江县教育局三楼'
from organizations c, organizations b
where c.code = 'ORG-COM' and b.code = 'MU07';
insert into organizations(code, kind, name, short_name, division_id,
    parent_organization_id, managed_by_id, is_supervisable, contact_name,
    contact_phone, address)
select 'ORG-RES', 'research_center', '平江县教育督导事务研究中心', '研究中心',
    b.division_id, b.id, f.id, false, '演示·研究中心联系人', '0730-6200101',
    '平江县教育局四楼'
from organizations b, organizations f
where b.code = 'MU07' and f.code = 'ORG-OFF';
update organizations
set parent_organization_id = (
    select g.id from organizations g where g.code = 'ORG-GOV')
where code in ('ORG-GOVO', 'ORG-COM', 'ORG-MEDIA');

-- 25 townships and subdistricts.
insert into organizations(code, kind, name, short_name, division_id,
    parent_organization_id, is_supervisable, contact_name, contact_phone,
    address)
select 'ORG-' || d.code,
    case d.kind when 'subdistrict' then 'subdistrict_office'
        else 'township_government' end,
    d.name || case d.kind when 'subdistrict' then '办事处'
        else '人民政府' end,
    d.name, d.id, g.id, true, '演示·' || d.name || '联系人',
    '0730-6220' || right(d.code, 3), d.name || '示例街1号'
from divisions d, organizations g
where d.level = 'township' and g.code = 'ORG-GOV'
order by d.code;


-- Schools: 304 that count, 89 teaching points -------------------------------

create temporary table new_schools (
    id uuid default app.uuid_v7(), ident_code text, name text,
    school_type text, ownership text, township text, students integer,
    n integer) on commit drop;

-- The named samples (7.4) stand inside the counts.
insert into new_schools(ident_code, name, school_type, ownership, township,
    students) values
    ('1143990001', '汉昌街道示例第一幼儿园', '111', 'public', '汉昌街道', 410),
    ('1143990002', '天岳街道示例阳光幼儿园', '111', 'private_inclusive', '天岳街道', 260),
    ('1143990003', '长寿镇示例幼儿园', '111', 'public_inclusive_kg', '长寿镇', 180),
    ('2143990004', '汉昌街道示例第一小学', '211', 'public', '汉昌街道', 2350),
    ('2143990005', '天岳街道示例实验小学', '211', 'public', '天岳街道', 1980),
    ('2143990006', '安定镇示例中心小学', '211', 'public', '安定镇', 860),
    ('2143990007', '加义镇示例中心小学', '211', 'public', '加义镇', 740),
    ('2143990008', '南江镇示例中心小学', '211', 'public', '南江镇', 690),
    ('2143990009', '伍市镇示例中心小学', '211', 'public', '伍市镇', 920),
    ('2143990010', '梅仙镇示例中心小学', '211', 'public', '梅仙镇', 510),
    ('2143990011', '梅仙镇示例教学点', '218', 'public', '梅仙镇', 38),
    ('3143990012', '三市镇示例初级中学', '311', 'public', '三市镇', 1120),
    ('3143990013', '虹桥镇示例初级中学', '311', 'public', '虹桥镇', 640),
    ('3143990014', '福寿山镇示例九年一贯制学校', '312', 'public', '福寿山镇', 430),
    ('3143990015', '石牛寨镇示例九年一贯制学校', '312', 'public', '石牛寨镇', 520),
    ('3143990016', '天岳街道示例民办学校', '312', 'private_non_profit', '天岳街道', 1650),
    ('3443990017', '天岳街道示例完全中学', '341', 'public', '天岳街道', 2100),
    ('3443990018', '长寿镇示例高级中学', '342', 'public', '长寿镇', 1480),
    ('3643990019', '汉昌街道示例职业中等专业学校', '361', 'public', '汉昌街道', 2600),
    ('5143990020', '汉昌街道示例特殊教育学校', '514', 'public', '汉昌街道', 120);

create temporary table kinds on commit drop as
select * from (values
    (1, 'kg', '111', '幼儿园', 120, 180),
    (2, 'pri', '211', '小学', 220, 640),
    (3, 'tp', '218', '教学点', 12, 48),
    (4, 'jun', '311', '初级中学', 420, 700),
    (5, 'nine', '312', '九年一贯制学校', 380, 700),
    (6, 'com', '341', '完全中学', 1600, 600),
    (7, 'sen', '342', '高级中学', 1200, 900),
    (8, 'voc', '361', '职业中等专业学校', 900, 800),
    (9, 'spe', '514', '特殊教育学校', 90, 60)
) as k(place, cell, school_type, label, least_students, spread);

insert into new_schools(ident_code, name, school_type, ownership, township,
    students, n)
select left(c.school_type, 2) || '43' || (990020 + row_number() over (
        order by c.place, c.code, c.nn)),
    c.township || '示例' || c.label || lpad(c.nn::text, 2, '0'),
    c.school_type, 'public', c.township,
    c.least_students + (hashtext(c.code || c.place || c.nn) & 65535)
        % c.spread,
    row_number() over (partition by c.school_type order by c.code, c.nn)
from (
    select t.name as township, t.code, k.place, k.school_type, k.label,
        k.least_students, k.spread, nn
    from townships t
    cross join kinds k
    cross join lateral generate_series(1,
        (to_jsonb(t) ->> k.cell)::integer - (
            select count(*)::integer
            from new_schools s
            where s.township = t.name and s.school_type = k.school_type))
        as nn
) as c;

-- 114 of 152 kindergartens are private, 80 % of these inclusive; one named
-- sample is among them. A second nine-year school and one senior secondary
-- school are private.
update new_schools s
set ownership = case
    when s.n * 113 / 149 > (s.n - 1) * 113 / 149 then
        case when (s.n * 113 / 149) * 90 / 113
                > (s.n * 113 / 149 - 1) * 90 / 113
            then 'private_inclusive'
            when s.n % 2 = 0 then 'private_for_profit'
            else 'private_non_profit' end
    when s.n % 8 < 4 then 'public_inclusive_kg'
    else 'public' end
where s.school_type = '111' and s.n is not null;
update new_schools
set ownership = 'private_non_profit'
where name in ('汉昌街道示例九年一贯制学校01', '汉昌街道示例高级中学02');

insert into organizations(id, code, kind, name, short_name, division_id,
    parent_organization_id, is_supervisable, contact_name, contact_phone,
    address)
select s.id, 'ORG-' || s.ident_code, 'school', s.name, s.name, d.id, b.id,
    true, '演示·' || s.name || '办公室',
    '138' || lpad((row_number() over (order by s.ident_code))::text, 8, '0'),
    s.township || '示例路' || right(s.ident_code, 3)::integer || '号'
from new_schools s
join divisions d on d.name = s.township
join organizations b on b.code = 'MU07'
order by s.ident_code;

insert into schools(id, organization_id, ident_code, school_type, stages,
    ownership, sponsor, licence_status, licence_no, licence_valid_to,
    zone_id, parent_school_id, counts_in_ratio, urban_rural, student_count,
    boarder_count, class_count, teacher_count, as_of_year, established_on,
    longitude, latitude)
select s.id, s.id, s.ident_code, s.school_type,
    case s.school_type
        when '111' then '{kindergarten}'
        when '211' then '{primary}'
        when '218' then '{primary}'
        when '311' then '{junior}'
        when '312' then '{primary,junior}'
        when '341' then '{junior,senior}'
        when '342' then '{senior}'
        when '361' then '{vocational}'
        else '{special}' end::text[],
    s.ownership,
    case when s.ownership like 'private%' then '演示·举办者'
        when s.ownership = 'public_inclusive_kg' then s.township || '集体'
        else '平江县人民政府' end,
    case when s.name = '天岳街道示例阳光幼儿园' then 'expired'
        when s.ownership like 'private%' or s.school_type = '111'
            then 'licensed' end,
    case when s.ownership like 'private%' or s.school_type = '111'
        then '教民4306267' || right(s.ident_code, 6) end,
    case when s.name = '天岳街道示例阳光幼儿园' then '2024-07-31'
        when s.ownership like 'private%'
            then date '2028-07-31' + s.h % 365 end,
    z.id,
    case when s.school_type = '218' then (
        select p.id from new_schools p
        where p.township = s.township and p.school_type = '211'
        order by p.ident_code
        limit 1) end,
    s.school_type <> '218',
    case d.kind when 'subdistrict' then
            case when s.h % 3 = 0 then '112' else '111' end
        when 'town' then case when s.school_type = '218' then '220'
            when s.h % 3 = 0 then '122' else '121' end
        else case when s.school_type = '218' or s.h % 2 = 0 then '220'
            else '210' end end,
    s.students,
    case when s.school_type in ('311', '312', '341', '342', '361')
        then s.students * (30 + s.h % 40) / 100 else 0 end,
    greatest(1, s.students / case when s.school_type = '111' then 28
        when s.school_type = '218' then 12 else 45 end),
    greatest(2, s.students / case when s.school_type = '111' then 12
        when s.school_type = '514' then 4 else 16 end),
    2026,
    date '1958-09-01' + (s.h % 60) * 365,
    113.30 + ((right(d.code, 3)::integer * 37) % 80) / 100.0
        + (s.h % 300) / 10000.0,
    28.45 + ((right(d.code, 3)::integer * 53) % 60) / 100.0
        + (s.h / 300 % 300) / 10000.0
from (
    select n.*, hashtext(n.ident_code) & 65535 as h from new_schools n
) as s
join divisions d on d.name = s.township
join townships t on t.name = s.township
join zones z on z.code = t.zone
order by (s.school_type = '218'), s.ident_code;


-- Persons and terms of office -----------------------------------------------

-- Heads of 304 schools, 25 party secretaries and 25 heads of townships, the
-- heads and liaisons of the member units, who answers for education there,
-- and the office itself. All names are placeholders.
create temporary table new_persons (
    id uuid default app.uuid_v7(), n serial, name text, organization_id uuid,
    position_title text, position text, edu boolean default false)
    on commit drop;

insert into new_persons(name, organization_id, position_title, position)
select '演示·' || o.name || case s.school_type when '111' then '园长'
        else '校长' end, o.id,
    case s.school_type when '111' then '园长' else '校长' end,
    case s.school_type when '111' then 'kindergarten_head'
        else 'principal' end
from schools s
join organizations o on o.id = s.id
where s.counts_in_ratio
order by s.ident_code;
insert into new_persons(name, organization_id, position_title, position)
select '演示·' || o.short_name || p.title, o.id, p.title, p.position
from organizations o
cross join (values
    ('党（工）委书记', 'township_party_secretary'),
    ('乡镇长（主任）', 'township_head')) as p(title, position)
where o.kind in ('township_government', 'subdistrict_office')
order by o.code, p.position desc;
insert into new_persons(name, organization_id, position_title, edu)
select '演示·' || o.short_name || '分管教育负责人', o.id, '分管教育负责人', true
from organizations o
where o.kind in ('township_government', 'subdistrict_office')
order by o.code;
insert into new_persons(name, organization_id, position_title, position, edu)
select case u.code when 'MU07' then '演示·教育局局长'
        else '演示·' || u.name || '负责人' end,
    o.id, '主要负责人', 'department_head', true
from units u
join organizations o on o.code = u.code
order by u.seq;
insert into new_persons(name, organization_id, position_title)
select '演示·' || u.name || '联络员', o.id, '教育督导联络员'
from units u
join organizations o on o.code = u.code
order by u.seq;
insert into new_persons(name, organization_id, position_title)
select p.name, o.id, p.title
from (values
    ('演示·分管副县长', 'ORG-GOV', '副县长'),
    ('演示·政府办副主任', 'ORG-GOVO', '县政府办副主任'),
    ('演示·督导办科员甲', 'ORG-OFF', '督导办工作人员'),
    ('演示·督导办科员乙', 'ORG-OFF', '督导办工作人员'),
    ('演示·督导办科员丙', 'ORG-OFF', '督导办工作人员'),
    ('演示·督导办科员丁', 'ORG-OFF', '督导办工作人员'),
    ('演示·经费管理员', 'MU07', '教育局财务人员'),
    ('演示·研究中心主任', 'ORG-RES', '研究中心主任'),
    ('演示·审计监督员', 'MU15', '审计局工作人员')
) as p(name, code, title)
join organizations o on o.code = p.code;

insert into persons(id, code, name, gender, birth_year, is_party_member,
    organization_id, position_title, phone, email)
select p.id, 'RY-' || lpad(p.n::text, 6, '0'), p.name,
    case when hashtext(p.name) % 2 = 0 then 'male' else 'female' end,
    1966 + (hashtext(p.name) & 65535) % 28,
    p.position is distinct from 'kindergarten_head' or p.n % 3 = 0,
    p.organization_id, p.position_title,
    '139' || lpad(p.n::text, 8, '0'),
    'ry' || lpad(p.n::text, 6, '0') || '@demo.example'
from new_persons p
order by p.n;

update organizations o
set edu_leader_person_id = p.id
from new_persons p
where p.organization_id = o.id and p.edu;

-- Heads of schools serve five years from one of the last four Augusts; the
-- planned ends therefore lie ahead whenever this is loaded.
insert into leadership_terms(organization_id, person_id, position,
    is_principal_leader, in_leadership_team, started_on, planned_end_on)
select p.organization_id, p.id, p.position, true, true, t.started_on,
    case when p.position in ('principal', 'kindergarten_head')
        then (t.started_on + interval '5 years')::date - 1 end
from new_persons p
cross join lateral (
    select make_date(extract(year from app.today())::integer - 1 - p.n % 4,
        8, 1) as started_on) as t
where p.position is not null
order by p.n;

-- 7.2: one head's term ended 100 days ago and nothing covers it yet.
do $$
declare
    term leadership_terms;
    successor uuid;
begin
    select t.* into term
    from leadership_terms t
    join organizations o on o.id = t.organization_id
    where o.name = '浯口镇示例小学01' and t.position = 'principal';
    update leadership_terms
    set ended_on = app.today() - 100, end_reason = 'transferred'
    where id = term.id;
    insert into persons(code, name, is_party_member, organization_id,
        position_title, phone)
    values ('RY-900001', '演示·浯口镇示例小学01新任校长', true,
        term.organization_id, '校长', '13900900001')
    returning id into successor;
    insert into leadership_terms(organization_id, person_id, position,
        is_principal_leader, started_on, planned_end_on)
    values (term.organization_id, successor, 'principal', true,
        app.today() - 99, app.today() - 99 + 1825);
end
$$;
