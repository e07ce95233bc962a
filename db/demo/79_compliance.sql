-- Demo: results of past days, among them the end of the last year, which the
-- superior platform reads (C1.b).

select set_config('dudao.is_demo', 'on', true);
delete from dudao.compliance_checks;
select app.keep_compliance_of(day)
from unnest(array[app.today() - 30, app.today() - 7, app.today() - 1,
    date_trunc('year', app.today())::date - 1]) as day;
