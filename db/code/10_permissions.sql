-- The matrix of roles and resource groups (4.3) for the groups that have
-- tables. A cell reads ROLE:operations.scope; R read, W create and edit, T
-- perform the steps that the state machine assigns to the role. A role with
-- two scopes has two cells. STA stands for the deputy chief inspector as well.
--
-- Scopes: a all, z own zone, s assigned, o own unit, j jurisdiction, c
-- circulated, n named (oneself), k contract, m managed persons, p public,
-- u found by own unit, i issued within the jurisdiction, v visible by its
-- subject, x channels.

delete from app.permissions;

with abbreviation(short, role) as (
    values
        ('DIR', 'committee_director'),
        ('DEP', 'committee_deputy'),
        ('MEM', 'committee_member'),
        ('MEM', 'member_liaison'),
        ('CHI', 'chief_inspector'),
        ('STA', 'office_staff'),
        ('STA', 'deputy_chief_inspector'),
        ('FIN', 'finance_officer'),
        ('ZLD', 'zone_lead'),
        ('INS', 'inspector_ft'),
        ('INS', 'inspector_pt'),
        ('SCH', 'school_account'),
        ('TWN', 'township_account'),
        ('DPT', 'department_account'),
        ('LDR', 'leader_reader'),
        ('ORG', 'org_personnel_reader'),
        ('RES', 'research_center'),
        ('TPA', 'third_party'),
        ('PLT', 'platform_service'),
        ('ADM', 'sys_admin'),
        ('AUD', 'auditor'),
        ('PUB', 'public')
), matrix(permission_group, cells) as (
    values
        -- divisions, code-items, semesters, calendar-days
        ('reference', 'DIR:R.a DEP:R.a MEM:R.a CHI:R.a STA:RW.a FIN:R.a ZLD:R.a INS:R.a SCH:R.a TWN:R.a DPT:R.a LDR:R.a ORG:R.a RES:R.a TPA:R.a PLT:R.a ADM:RWT.a AUD:R.a PUB:R.p'),
        -- organizations, schools, leadership-terms, persons
        ('organizations', 'DIR:R.a DEP:R.a MEM:R.a CHI:RT.a STA:RW.a FIN:R.a ZLD:R.z INS:R.s SCH:RW.o TWN:R.j DPT:RW.o LDR:R.a ORG:R.a RES:R.a TPA:R.k PLT:R.a ADM:RW.a AUD:R.a PUB:R.p'),
        ('policy_documents', 'DIR:RT.a DEP:R.a MEM:R.a CHI:RT.a STA:RWT.a FIN:R.a ZLD:R.a INS:R.a SCH:R.a TWN:R.a DPT:R.a LDR:R.a ORG:R.a RES:R.a PLT:R.a ADM:R.a AUD:R.a PUB:R.p'),
        -- zones, zone-memberships, inspectors, plaques
        ('zones', 'DIR:RT.a DEP:R.a MEM:R.a CHI:RT.a STA:RWT.a FIN:R.a ZLD:RW.z INS:R.o SCH:R.p TWN:R.p DPT:R.p LDR:R.a ORG:R.a RES:R.a PLT:R.a ADM:R.a AUD:R.a PUB:R.p'),
        ('appointments', 'DIR:RT.a DEP:RT.a MEM:RW.o CHI:RT.a STA:RWT.a ZLD:RWT.z INS:RT.n SCH:RW.o TWN:RW.o DPT:RW.o LDR:R.a ORG:R.a AUD:R.a PUB:R.p'),
        ('recusals', 'DIR:R.a DEP:R.a CHI:RT.a STA:RW.a ZLD:R.z INS:RW.n SCH:RW.o TWN:RW.o DPT:RW.o RES:RW.n AUD:R.a'),
        -- inspector-assessments, -ranks, rank-applications go with appointments
        ('awards', 'DIR:RT.a DEP:R.a MEM:R.a CHI:RT.a STA:RWT.a FIN:R.a ZLD:R.z INS:R.n SCH:R.o TWN:R.o DPT:R.o LDR:R.a ORG:R.a AUD:R.a PUB:R.p'),
        -- training-plans, training-sessions, training-records
        ('training', 'DIR:R.a DEP:R.a MEM:R.a CHI:RT.a STA:RWT.a FIN:R.a ZLD:R.z INS:RT.n LDR:R.a ORG:R.a RES:RWT.a AUD:R.a'),
        -- committee-members, member-units, liaisons, office-staff; duties and
        -- liaisons are published inside the system (C2.1.3.b)
        ('committee', 'DIR:RT.a DEP:RT.a MEM:RW.o MEM:R.a CHI:RT.a STA:RW.a FIN:R.a ZLD:R.a INS:R.a TWN:R.a DPT:R.a LDR:R.a ORG:R.a ADM:RW.a AUD:R.a PUB:R.p'),
        -- meetings, their agenda, attendances and resolutions; who owns a
        -- resolution reports on it (3.24)
        ('meetings', 'DIR:RT.a DEP:RT.a MEM:R.c MEM:RT.o CHI:RT.a STA:RWT.a ZLD:R.c TWN:RT.o DPT:RT.o LDR:R.a AUD:R.a'),
        ('major_matters', 'DIR:RT.a DEP:RT.a MEM:R.c CHI:RT.a STA:RWT.a ZLD:RW.z INS:RW.s SCH:RW.o TWN:RW.o DPT:RW.o LDR:R.a PLT:R.c AUD:R.a'),
        ('annual_targets', 'DIR:RT.a DEP:R.a MEM:RW.o CHI:RT.a STA:RWT.a SCH:RT.o TWN:RT.o DPT:RT.o LDR:R.a ORG:R.a RES:R.a AUD:R.a'),
        -- supervision-reports; leading inspectors submit theirs (3.8)
        ('supervision_reports', 'DIR:RT.a DEP:RT.a MEM:R.c CHI:RT.a STA:RWT.a ZLD:R.z INS:RWT.s SCH:R.p TWN:R.c DPT:R.p LDR:R.c ORG:R.c RES:R.k TPA:R.k PLT:R.c AUD:R.a PUB:R.p'),
        -- indicator-frameworks, indicators
        ('indicator_frameworks', 'DIR:RT.a DEP:R.a MEM:R.a CHI:RT.a STA:RWT.a ZLD:R.a INS:R.a SCH:R.a TWN:R.a DPT:R.a LDR:R.a ORG:R.a RES:RW.a TPA:R.k PLT:R.a ADM:R.a AUD:R.a PUB:R.p'),
        -- evaluation-campaigns, evaluations, scores, objections: f what is
        -- finalized; the lead of a zone answers for it (3.6), the member units
        -- read what is circulated to them (C2.1.3.f)
        ('evaluations', 'DIR:RT.a DEP:R.a MEM:RW.o MEM:R.c CHI:RT.a STA:RWT.a ZLD:RT.z INS:RW.s SCH:RT.o TWN:RT.o DPT:RT.o LDR:R.f ORG:R.f RES:RT.k TPA:RW.k PLT:R.c AUD:R.a PUB:R.p'),
        -- budgets, budget-lines, expense-claims, expense-items, facilities
        ('finance', 'DIR:R.a DEP:RT.a CHI:RT.a STA:R.a FIN:RWT.a ZLD:R.z INS:RWT.n LDR:R.a AUD:R.a PUB:R.p'),
        -- center-engagements, research-projects, policy-recommendations,
        -- exchange-activities; who is addressed answers (3.24)
        ('research', 'DIR:R.a DEP:R.a MEM:R.c MEM:RT.o CHI:RT.a STA:RWT.a FIN:R.a ZLD:R.a INS:RWT.n LDR:R.a RES:RWT.a AUD:R.a PUB:R.p'),
        -- informatization-items, exchange-messages, external-identifiers; the
        -- platform answers messages, the office sends them again (8.3)
        ('informatization', 'DIR:R.a CHI:RT.a STA:RWT.a PLT:RWT.o ADM:RWT.a AUD:R.a'),
        -- compliance-checks: f finance rules, h headline, y yearly snapshots
        ('compliance', 'DIR:R.a DEP:R.a MEM:R.o CHI:R.a STA:R.a FIN:R.f ZLD:R.z INS:R.n SCH:R.o TWN:R.o TWN:R.j DPT:R.o LDR:R.a ORG:R.a RES:R.a PLT:R.y AUD:R.a PUB:R.h'),
        -- bulk imports
        ('imports', 'STA:RWT.a ADM:RWT.a CHI:R.a AUD:R.a'),
        -- supervision-plans, tasks, notices, team-members
        ('tasks', 'DIR:RT.a DEP:RT.a MEM:R.c CHI:RT.a STA:RWT.a FIN:R.a ZLD:R.z INS:RT.s SCH:R.o TWN:R.o DPT:R.o LDR:R.a RES:R.k TPA:R.k PLT:R.c AUD:R.a'),
        ('targets', 'DIR:R.a DEP:R.a MEM:R.c CHI:RT.a STA:RWT.a ZLD:RT.z INS:RWT.s SCH:RT.o TWN:RT.o TWN:R.i DPT:RT.o LDR:R.c RES:RT.k TPA:R.k AUD:R.a'),
        -- visits, visit-items
        ('visits', 'DIR:R.a DEP:R.a CHI:RT.a STA:RT.a FIN:R.a ZLD:RT.z INS:RWT.s SCH:RT.o TWN:R.j RES:R.k AUD:R.a'),
        -- problems, rectification-plans, rectification-reports, problem-reviews
        ('problems', 'DIR:R.a DEP:R.a MEM:RW.u CHI:RT.a STA:RWT.a ZLD:RT.z INS:RWT.s SCH:RT.o TWN:RT.o TWN:R.i DPT:RT.o LDR:R.a ORG:R.m RES:R.k PLT:R.c AUD:R.a PUB:R.p'),
        -- publications, publication-placements, publication-channels; what is
        -- published is there for the units as for everybody
        ('publications', 'DIR:RT.a DEP:R.a MEM:R.p CHI:RT.a STA:RWT.a ZLD:R.p INS:R.p SCH:RW.o SCH:R.p TWN:RW.o TWN:R.p DPT:RW.o DPT:R.p LDR:R.a ORG:R.p RES:R.p PLT:R.p ADM:RW.x AUD:R.a PUB:R.p'),
        -- users, role-grants, api-tokens: everybody sees the own account
        ('users', 'CHI:RT.a ADM:RWT.a AUD:R.a DIR:R.n DEP:R.n MEM:R.n STA:R.n FIN:R.n ZLD:R.n INS:R.n SCH:R.n TWN:R.n DPT:R.n LDR:R.n ORG:R.n RES:R.n TPA:R.n PLT:R.n'),
        -- everybody is bound by the parameters, and may read them
        ('parameters', 'DIR:R.a DEP:R.a MEM:R.a CHI:RT.a STA:R.a FIN:R.a ZLD:R.a INS:R.a SCH:R.a TWN:R.a DPT:R.a LDR:R.a ORG:R.a RES:R.a TPA:R.a PLT:R.a ADM:RWT.a AUD:R.a'),
        -- CHI: of the own office; ADM: of the technical tables
        ('audit_logs', 'CHI:R.o ADM:R.t AUD:R.a'),
        -- files: who brought one writes it, who sees its subject reads it
        ('attachments', 'DIR:RW.a DEP:RW.a MEM:RWT.o MEM:R.v CHI:RWT.a STA:RWT.a FIN:RWT.o FIN:R.v ZLD:RWT.o ZLD:R.v INS:RWT.o INS:R.v SCH:RWT.o SCH:R.v TWN:RWT.o TWN:R.v DPT:RWT.o DPT:R.v LDR:R.v ORG:RWT.o ORG:R.v RES:RWT.o RES:R.v TPA:RWT.o TPA:R.v PLT:RWT.o PLT:R.v AUD:R.a'),
        -- every account its own
        ('notifications', 'DIR:RT.n DEP:RT.n MEM:RT.n CHI:RT.n STA:RT.n FIN:RT.n ZLD:RT.n INS:RT.n SCH:RT.n TWN:RT.n DPT:RT.n LDR:RT.n ORG:RT.n RES:RT.n TPA:RT.n PLT:RT.n ADM:RT.n AUD:RT.n'),
        -- the office all, every unit and every person what it received
        ('dispatches', 'DIR:R.a DEP:R.a MEM:RT.o CHI:RT.a STA:RWT.a ZLD:RT.n INS:RT.n SCH:RT.o TWN:RT.o DPT:RT.o LDR:RT.o ORG:RT.o RES:RT.o AUD:R.a')
)
insert into app.permissions(permission_group, role, operations, scope)
select m.permission_group, a.role, split_part(cell.rights, '.', 1), split_part(cell.rights, '.', 2)
from matrix m
cross join lateral unnest(string_to_array(m.cells, ' ')) as cells(cell_text)
cross join lateral (select split_part(cells.cell_text, ':', 1) as short,
    split_part(cells.cell_text, ':', 2) as rights) as cell
join abbreviation a on a.short = cell.short;


-- The core's own tables ------------------------------------------------------

select app.register('calendar_days', permission_group => 'reference', deletable => true);
select app.register('rule_parameters', permission_group => 'parameters');
select app.register('notifications', permission_group => 'notifications', audit => false);
select app.register('dispatches', permission_group => 'dispatches', machine => true);

insert into app.scope_predicates(resource, scope, predicate) values
    ('calendar_days', 'p', 'true'),
    ('notifications', 'n', 'recipient_user_id = (select app.user_id())'),
    ('dispatches', 'o', '(recipient_organization_id = (select app.organization_id()) or recipient_person_id = (select app.person_id())) and state in (''sent'', ''received'', ''returned'')'),
    -- what is sent to the person reaches an inspector; the unit's letters do not
    ('dispatches', 'n', 'recipient_person_id = (select app.person_id()) and state in (''sent'', ''received'', ''returned'')'),
    ('audit_logs', 'o', 'organization_id = (select app.organization_id())'),
    ('audit_logs', 't', 'subject_type in (''users'', ''role_grants'', ''api_tokens'', ''rule_parameters'', ''rule_parameter_changes'', ''code_items'', ''calendar_days'', ''semesters'', ''divisions'', ''publication_channels'')')
on conflict (resource, scope) do update set predicate = excluded.predicate;
