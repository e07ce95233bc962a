-- A generated column is computed anew at each update of a table with BEFORE
-- triggers. The pairs of a text, which cost more than most updates, are now
-- written by the table's own trigger, where the text changes.

alter table app.resources add searched text[] not null default '{}';
comment on column app.resources.searched is 'columns whose text the column search holds as pairs';

drop function if exists app.register(text, text, boolean, boolean, boolean, boolean,
    text[], text[], text[]);
drop function if exists app.register(text, text, boolean, boolean, boolean, boolean,
    text[], text[], text[], text, text);

alter table dudao.annual_targets alter search drop expression;
alter table dudao.awards alter search drop expression;
alter table dudao.center_engagements alter search drop expression;
alter table dudao.divisions alter search drop expression;
alter table dudao.evaluation_campaigns alter search drop expression;
alter table dudao.exchange_activities alter search drop expression;
alter table dudao.expense_claims alter search drop expression;
alter table dudao.facilities alter search drop expression;
alter table dudao.indicator_frameworks alter search drop expression;
alter table dudao.informatization_items alter search drop expression;
alter table dudao.major_matters alter search drop expression;
alter table dudao.meeting_resolutions alter search drop expression;
alter table dudao.meetings alter search drop expression;
alter table dudao.member_units alter search drop expression;
alter table dudao.organizations alter search drop expression;
alter table dudao.persons alter search drop expression;
alter table dudao.policy_documents alter search drop expression;
alter table dudao.policy_recommendations alter search drop expression;
alter table dudao.problems alter search drop expression;
alter table dudao.publications alter search drop expression;
alter table dudao.research_projects alter search drop expression;
alter table dudao.supervision_reports alter search drop expression;
alter table dudao.supervision_tasks alter search drop expression;
alter table dudao.training_plans alter search drop expression;
alter table dudao.training_sessions alter search drop expression;
alter table dudao.visits alter search drop expression;
alter table dudao.zones alter search drop expression;
