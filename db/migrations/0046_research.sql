-- The research centre's work and the county's research (C2.4.2.c, C2.4.3.d,
-- C3.3.a to C3.3.d, 2.10, 3.24).

create table dudao.center_engagements (
    like app.record including all,
    code text not null unique,
    kind text not null check (kind in ('school_evaluation',
        'quality_monitoring', 'training_support', 'other')),
    title text not null check (length(title) between 1 and 200),
    requirements text check (length(requirements) <= 4000),
    -- whom or what it is about
    subject_organization_ids uuid[] not null default '{}',
    subject_task_id uuid references dudao.supervision_tasks,
    assigned_by uuid references dudao.users,
    assigned_on date not null default (now() at time zone 'Asia/Shanghai')::date,
    due_on date not null,
    result_summary text check (length(result_summary) <= 4000),
    result_attachment_id uuid references dudao.attachments,
    submitted_on date,
    accepted_on date,
    return_reason text check (length(return_reason) <= 2000),
    state text not null default 'assigned',
    search text[] generated always as
        (app.bigrams(title || ' ' || code)) stored,
    constraint center_engagements_due_check check (due_on >= assigned_on)
);
comment on constraint center_engagements_due_check
    on dudao.center_engagements is
    '{"code": "date-before-start", "pointer": "/due_on"}';
create index on dudao.center_engagements (state, due_on);
create index on dudao.center_engagements (kind, due_on);
create index on dudao.center_engagements (due_on, id);
create index on dudao.center_engagements (assigned_on, id);
create index on dudao.center_engagements (accepted_on);
create index on dudao.center_engagements (subject_task_id);
create index on dudao.center_engagements using gin (subject_organization_ids);
create index on dudao.center_engagements using gin (search);

create table dudao.research_projects (
    like app.record including all,
    code text not null unique,
    kind text not null check (kind in (
        'inspector_research', 'policy_study', 'decision_study')),
    title text not null check (length(title) between 1 and 200),
    purpose text check (length(purpose) <= 4000),
    leader_person_id uuid not null references dudao.persons,
    member_person_ids uuid[] not null default '{}',
    fund_fen bigint not null default 0 check (
        fund_fen between 0 and 100000000000),
    starts_on date not null,
    ends_on date not null,
    outcome text check (length(outcome) <= 8000),
    outcome_attachment_id uuid references dudao.attachments,
    approved_on date,
    concluded_on date,
    accepted_on date,
    terminated_on date,
    end_reason text check (length(end_reason) <= 2000),
    state text not null default 'applied',
    search text[] generated always as
        (app.bigrams(title || ' ' || code)) stored,
    constraint research_projects_span_check check (ends_on > starts_on)
);
comment on constraint research_projects_span_check
    on dudao.research_projects is
    '{"code": "ends-before-start", "pointer": "/ends_on"}';
create index on dudao.research_projects (state, starts_on);
create index on dudao.research_projects (kind, starts_on);
create index on dudao.research_projects (starts_on, id);
create index on dudao.research_projects (leader_person_id);
create index on dudao.research_projects using gin (member_person_ids);
create index on dudao.research_projects using gin (search);

create table dudao.policy_recommendations (
    like app.record including all,
    code text not null unique,
    project_id uuid references dudao.research_projects,
    title text not null check (length(title) between 1 and 200),
    text text not null check (length(text) between 1 and 20000),
    addressed_to_org_id uuid not null references dudao.organizations,
    submitted_on date,
    adoption text not null default 'pending' check (adoption in (
        'pending', 'stored', 'adopted', 'partly', 'declined')),
    adopted_doc_no text check (length(adopted_doc_no) between 1 and 100),
    decided_on date,
    decided_by uuid references dudao.users,
    decision_note text check (length(decision_note) <= 2000),
    state text not null default 'draft',
    search text[] generated always as
        (app.bigrams(title || ' ' || text)) stored,
    -- what the state says and what the adoption says is one thing
    constraint policy_recommendations_outcome_check check (case state
        when 'adopted' then adoption in ('adopted', 'partly')
            and adopted_doc_no is not null
        when 'stored' then adoption = 'stored'
        when 'declined' then adoption = 'declined'
        else adoption = 'pending' end)
);
comment on constraint policy_recommendations_outcome_check
    on dudao.policy_recommendations is
    '{"code": "adoption-does-not-fit", "pointer": "/adopted_doc_no", "clause_id": "C3.3.b"}';
create index on dudao.policy_recommendations (state, submitted_on);
create index on dudao.policy_recommendations (adoption, submitted_on);
create index on dudao.policy_recommendations (submitted_on, id);
create index on dudao.policy_recommendations (project_id);
create index on dudao.policy_recommendations (addressed_to_org_id, id);
create index on dudao.policy_recommendations (created_by);
create index on dudao.policy_recommendations using gin (search);

create table dudao.exchange_activities (
    like app.record including all,
    title text not null check (length(title) between 1 and 200),
    kind text not null check (kind in (
        'study_visit', 'forum', 'rotation', 'peer_review')),
    held_on date not null,
    place text check (length(place) between 1 and 200),
    participant_inspector_ids uuid[] not null check (
        cardinality(participant_inspector_ids) between 1 and 200),
    hours numeric(5,1) not null check (hours between 0.5 and 2000),
    report text check (length(report) <= 20000),
    report_attachment_id uuid references dudao.attachments,
    search text[] generated always as
        (app.bigrams(title || ' ' || coalesce(place, ''))) stored
);
create index on dudao.exchange_activities (kind, held_on);
create index on dudao.exchange_activities (held_on, id);
create index on dudao.exchange_activities (created_by);
create index on dudao.exchange_activities
    using gin (participant_inspector_ids);
create index on dudao.exchange_activities using gin (search);
