-- Demo: three budgets, expense claims of 演示督学02 and 17 in every state, the
-- offices, the informatization plan and the exchange with the platforms, each
-- by real steps with the clock set back (C3.1, C3.2). All of it is fictional.

select set_config('dudao.is_demo', 'on', false);

-- The clock: a day, never after today.
create function pg_temp.on_day(day date, hour integer default 9) returns void language sql as $$
    select set_config('dudao.now', least(now(),
        (day + make_time(hour, 0, 0)) at time zone 'Asia/Shanghai')::text, false)
$$;

create function pg_temp.made(login text, resource text, body jsonb) returns uuid
language plpgsql as $$
declare
    answer app.answer;
begin
    perform app.act_as(login);
    select * into answer from app.create(resource, body);
    return split_part(answer.location, '/', 4)::uuid;
end
$$;

create function pg_temp.step(login text, resource text, id uuid, action text, data jsonb default '{}')
returns void language plpgsql as $$
begin
    perform app.act_as(login);
    perform app.act(resource, id, action, null, data);
    if not found then
        raise exception '% %: %: not found', resource, id, action;
    end if;
end
$$;

-- Budgets: closed, adjusted, approved, drafted (R-FIN-01).
do $$
declare
    this_year constant integer := extract(year from now() at time zone 'Asia/Shanghai');
    y integer;
    budget uuid;
begin
    for y in this_year - 2 .. this_year + 1 loop
        -- the next year's is being drafted
        perform pg_temp.on_day(make_date(y, 1, 8));
        budget := pg_temp.made('finance_officer', 'budgets', jsonb_build_object(
            'year', y, 'funding_source', 'fiscal', 'requested_fen', 150000000,
            'note', '教育督导工作经费（演示）',
            'lines', '[{"category": "inspector_activity", "amount_fen": 48000000},
                {"category": "training", "amount_fen": 20000000},
                {"category": "monitoring_purchase", "amount_fen": 25000000},
                {"category": "research", "amount_fen": 10000000},
                {"category": "equipment", "amount_fen": 12000000},
                {"category": "informatization", "amount_fen": 18000000},
                {"category": "award", "amount_fen": 5000000},
                {"category": "other", "amount_fen": 2000000}]'::jsonb));
        exit when y > this_year;
        perform pg_temp.step('finance_officer', 'budgets', budget, 'submit', '{"comment": "报县财政局"}');
        perform pg_temp.on_day(make_date(y, 2, 10));
        perform pg_temp.step('committee_deputy', 'budgets', budget, 'approve', jsonb_build_object(
            'approved_fen', 140000000, 'approved_doc_no', format('平财教〔%s〕18号', y),
            'approved_on', least(make_date(y, 2, 10), app.today())));
        if y < this_year then
            perform pg_temp.on_day(make_date(y, 9, 5));
            perform pg_temp.step('committee_deputy', 'budgets', budget, 'adjust',
                '{"reason": "增加岗位能力提升培训一期，从购买服务调剂", "lines": [
                    {"category": "training", "amount_fen": 23000000},
                    {"category": "monitoring_purchase", "amount_fen": 22000000}]}');
        end if;
        if y = this_year - 2 then
            perform pg_temp.on_day(make_date(y, 12, 28));
            perform pg_temp.step('finance_officer', 'budgets', budget, 'close');
        end if;
    end loop;
end
$$;

-- Claims: what two inspectors spent on their visits, at every stage (R-FIN-04).
do $$
declare
    claimant record;
    visit record;
    claim uuid;
    goal text;
    n integer := 0;
    m integer;
    day date;
begin
    for claimant in
        select u.login, i.id, case u.login
                when 'inspector_ft' then '{paid,paid,approved,checked,submitted,draft}'::text[]
                else '{paid,approved,returned,rejected,cancelled,submitted,draft}' end as goals
        from dudao.users u
        join dudao.inspectors i on i.person_id = u.person_id
        where u.login in ('inspector_ft', 'inspector_pt')
        order by u.login
    loop
        m := 0;
        foreach goal in array claimant.goals loop
            n := n + 1;
            m := m + 1;
            select v.id, v.visited_on, o.short_name into visit
            from (select x.*, row_number() over (order by x.visited_on desc, x.id) as place,
                    count(*) over () as found
                from dudao.visits x
                where x.inspector_id = claimant.id and x.state in ('submitted', 'school_confirmed', 'reviewed')
                    and x.visited_on between (now() at time zone 'Asia/Shanghai')::date - 55
                        and (now() at time zone 'Asia/Shanghai')::date - 7) as v
            join dudao.organizations o on o.id = v.organization_id
            where v.place = 1 + m % v.found;
            continue when not found;
            day := visit.visited_on;
            perform pg_temp.on_day(day + 1, 19);
            claim := pg_temp.made(claimant.login, 'expense_claims', jsonb_build_object(
                'activity_type', 'visits', 'activity_id', visit.id,
                'note', '赴' || visit.short_name || '督导（演示）',
                'items', jsonb_build_array(
                    jsonb_build_object('category', 'transport', 'occurred_on', day, 'amount_fen', 7600,
                        'invoice_no', format('DEMO%s%s', to_char(day, 'YYYYMMDD'), lpad(n::text, 4, '0')),
                        'note', '往返交通'),
                    jsonb_build_object('category', 'meals', 'occurred_on', day,
                        'amount_fen', case when goal = 'checked' then 11500 else 8000 end,
                        'over_limit_reason', case when goal = 'checked' then '连续入校两餐' end),
                    jsonb_build_object('category', 'communication', 'occurred_on', day, 'amount_fen', 5000))));
            continue when goal = 'draft';
            if goal = 'cancelled' then
                perform pg_temp.step(claimant.login, 'expense_claims', claim, 'cancel');
                continue;
            end if;
            perform pg_temp.step(claimant.login, 'expense_claims', claim, 'submit');
            continue when goal = 'submitted';
            perform pg_temp.on_day(day + 3);
            if goal in ('returned', 'rejected') then
                perform pg_temp.step('finance_officer', 'expense_claims', claim,
                    case goal when 'returned' then 'return' else 'reject' end,
                    jsonb_build_object('reason', case goal when 'returned' then '请补充通信费凭据'
                        else '当日已由接待单位安排用餐' end));
                continue;
            end if;
            perform pg_temp.step('finance_officer', 'expense_claims', claim, 'check', '{"comment": "票据齐全"}');
            continue when goal = 'checked';
            perform pg_temp.on_day(day + 4);
            perform pg_temp.step('chief_inspector', 'expense_claims', claim, 'approve', '{"comment": "同意"}');
            continue when goal = 'approved';
            perform pg_temp.on_day(day + 6);
            perform pg_temp.step('finance_officer', 'expense_claims', claim, 'pay', jsonb_build_object(
                'voucher_no', format('记字%s-%s', to_char(day + 6, 'YYYYMM'), lpad(n::text, 4, '0')),
                'paid_on', app.today()));
        end loop;
    end loop;
end
$$;

-- R-FIN-05: rooms and equipment of the office and of each zone.
do $$
declare
    z record;
    office constant uuid := (select o.id from dudao.organizations o where o.kind = 'supervision_office' limit 1);
begin
    perform pg_temp.on_day('2023-03-01');
    perform pg_temp.made('finance_officer', 'facilities', jsonb_build_object('kind', 'office_room',
        'organization_id', office, 'name', '督导办办公室（演示）', 'area_m2', 86.5, 'asset_no', 'ZC-OFF-01', 'acquired_on', '2022-10-08'));
    perform pg_temp.made('finance_officer', 'facilities', jsonb_build_object('kind', 'equipment',
        'organization_id', office, 'name', '办公电脑与打印设备（演示）', 'quantity', 8, 'asset_no', 'ZC-OFF-02', 'acquired_on', '2022-11-15', 'value_fen', 4800000));
    perform pg_temp.made('finance_officer', 'facilities', jsonb_build_object('kind', 'vehicle',
        'organization_id', office, 'name', '督导公务用车（演示）', 'asset_no', 'ZC-OFF-03', 'acquired_on', '2022-12-20', 'value_fen', 15800000));
    for z in select * from dudao.zones order by code loop
        perform pg_temp.made('finance_officer', 'facilities', jsonb_build_object('kind', 'office_room',
            'zone_id', z.id, 'name', z.name || '办公室（演示）', 'area_m2', 42, 'asset_no', 'ZC-' || z.code || '-01', 'acquired_on', '2023-02-20'));
        perform pg_temp.made('finance_officer', 'facilities', jsonb_build_object('kind', 'equipment',
            'zone_id', z.id, 'name', '平板电脑与便携打印机（演示）', 'quantity', 4, 'asset_no', 'ZC-' || z.code || '-02', 'acquired_on', '2023-02-20', 'value_fen', 1200000));
    end loop;
end
$$;

-- R-ITX-01: the informatization plan and what of it is supervision's.
do $$
declare
    plan uuid;
    this_year constant integer := extract(year from now() at time zone 'Asia/Shanghai');
begin
    perform pg_temp.on_day('2023-04-10');
    plan := pg_temp.made('office_staff', 'policy_documents', jsonb_build_object(
        'title', '平江县教育信息化建设规划（演示）', 'issuer', '平江县人民政府教育督导委员会办公室',
        'kind', 'it_plan', 'level', 'county',
        'parent_document_id', (select d.id from dudao.policy_documents d where d.doc_no = '平办发〔2022〕30号'),
        'clauses', '[{"clause_id": "第三条", "text": "将教育督导信息化纳入教育信息化建设规划"}]'::jsonb));
    perform pg_temp.step('office_staff', 'policy_documents', plan, 'submit', '{"comment": "送审"}');
    perform pg_temp.on_day('2023-04-20');
    perform pg_temp.step('chief_inspector', 'policy_documents', plan, 'issue', jsonb_build_object(
        'doc_no', '平教督〔2023〕6号', 'effective_from', '2023-04-20'));
    perform pg_temp.on_day(make_date(this_year, 3, 1));
    perform pg_temp.made('office_staff', 'informatization_items', jsonb_build_object('plan_document_id', plan,
        'title', '督导业务系统（演示）', 'stage', 'running', 'year', this_year - 1, 'progress', 100));
    perform pg_temp.made('office_staff', 'informatization_items', jsonb_build_object('plan_document_id', plan,
        'title', '督学移动终端（演示）', 'stage', 'building', 'year', this_year, 'progress', 60,
        'budget_line_id', (select l.id from dudao.budget_lines l join dudao.budgets b on b.id = l.budget_id
            where b.year = this_year and l.category = 'informatization')));
    perform pg_temp.made('office_staff', 'informatization_items', jsonb_build_object('plan_document_id', plan,
        'title', '省市督导平台对接（演示）', 'stage', 'planned', 'year', this_year + 1));
end
$$;

-- R-ITX-02: how the platforms call our schools, and what went to and fro.
do $$
declare
    s record;
    b record;
begin
    perform pg_temp.on_day('2023-05-10');
    for s in
        select x.id, x.ident_code, row_number() over (order by x.ident_code) as place
        from dudao.schools x
        where x.ident_code between '2143990004' and '2143990010'
    loop
        perform pg_temp.made('office_staff', 'external_identifiers', jsonb_build_object('subject_type', 'schools',
            'subject_id', s.id, 'system', 'municipal_platform', 'external_id', format('YY-XX-%s', lpad(s.place::text, 4, '0'))));
        perform pg_temp.made('office_staff', 'external_identifiers', jsonb_build_object('subject_type', 'schools',
            'subject_id', s.id, 'system', 'national_stats', 'external_id', s.ident_code));
    end loop;
    perform pg_temp.made('office_staff', 'external_identifiers', jsonb_build_object('subject_type', 'organizations',
        'subject_id', (select o.id from dudao.organizations o where o.kind = 'supervision_office' limit 1),
        'system', 'provincial_platform', 'external_id', 'HN-430626-DD'));
    -- the yearly statistics (X-16): acknowledged, refused, and still on the way
    perform set_config('dudao.now', '', false);
    perform app.enqueue('X-16', 'event', 'budgets', x.id, 'budget:' || x.year,
        jsonb_build_object('year', x.year, 'approved_fen', x.approved_fen, 'is_demo', true))
    from dudao.budgets x
    where x.state <> 'draft';
    for b in
        select m.id, row_number() over (order by m.business_key) as place
        from dudao.exchange_messages m
        where m.type = 'X-16'
    loop
        perform pg_temp.step('platform_service', 'exchange_messages', b.id, 'send');
        if b.place = 1 then
            perform pg_temp.step('platform_service', 'exchange_messages', b.id, 'ack', '{"peer_receipt_no": "YY-DEMO-0001"}');
        elsif b.place = 2 then
            perform pg_temp.step('platform_service', 'exchange_messages', b.id, 'reject',
                '{"error_code": "E-1203", "error_text": "年度口径待核对"}');
        end if;
    end loop;
    perform app.enqueue('X-16', 'event', 'budgets', x.id, 'budget:' || x.year,
        jsonb_build_object('year', x.year, 'approved_fen', x.approved_fen, 'is_demo', true), 'provincial_platform')
    from dudao.budgets x
    where x.state = 'adjusted';
end
$$;

select set_config('dudao.now', '', false);
select app.act_as('');
