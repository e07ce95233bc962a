-- Demo: what has become due by the day of loading is done at once, so that
-- the county stands still until somebody acts.

select set_config('dudao.is_demo', 'on', true);
select app.run_due();
