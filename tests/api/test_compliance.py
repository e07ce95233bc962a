"""Compliance: section 5, C1.b, C1.e.

Each rule is shown data that is in order, then data that is not: the steps of
CASES change a county of one unit inside a transaction that is rolled back.
"""

import datetime
import time

import psycopg2
import pytest

from support import merit, reports
from support.own import anonymous, api, server  # noqa: F401

TABLES = """organizations schools supervision_tasks supervision_targets
    team_members supervision_notices visits visit_items problems
    problem_reviews rectification_reports plaques inspectors
    inspector_appointments zones zone_memberships recusals publications
    publication_placements policy_documents exchange_messages dispatches
    rule_parameters committee_members member_units liaisons office_staff
    meetings meeting_attendances meeting_resolutions major_matters
    evaluation_campaigns inspector_assessments inspector_ranks award_decisions budgets budget_lines
    expense_claims facilities informatization_items persons deadlines
    publication_channels supervision_reports training_plans training_sessions
    training_records center_engagements research_projects""".split()

# What is left of the county; triggers are off, so states are set as such.
SCHOOLS = """update organizations set status = 'closed'
    where kind = 'school' and id not in (select s.id from schools s
        join plaques p on p.school_id = s.id order by s.id limit {n})"""
ONE = {
    "task": """update supervision_tasks set voided_at = now(),
        void_reason = 'x' where id <> (select id from supervision_tasks
            where kind = 'comprehensive' limit 1)""",
    "problem": """update problems set voided_at = now(), void_reason = 'x'
        where id <> (select id from problems where code = 'WT-2024-000001')""",
    "visits": "update visits set voided_at = now(), void_reason = 'x'",
    "appointment": """update inspector_appointments set voided_at = now(),
        void_reason = 'x' where id not in (select id
            from inspector_appointments where state = 'active'
            order by employment desc, id limit {n})""",
    "zone": "update zones set active_to = active_from where code <> 'Z1'",
    "plaques": """delete from plaques where id not in (select id from plaques
        where state = 'posted' order by id limit {n})""",
}
REPORT = """update supervision_reports set voided_at = now(), void_reason = 'x'
    where id <> (select id from supervision_reports
        where state = 'published' order by id limit 1);
    update supervision_reports set issued_on = app.today() - {issued}
    where voided_at is null"""
STEP = """insert into transitions(subject_type, subject_id, action, from_state,
        to_state, role, at)
    select 'supervision_reports', id, '{action}', 'x', 'y', '{role}', now()
    from supervision_reports where voided_at is null"""
VISITS = """insert into visits(client_uid, kind, school_id, organization_id,
        inspector_id, visited_on, state, left_at, submitted_at)
    select gen_random_uuid(), 'regular', o.id, o.id,
        (select id from inspectors limit 1), d::date, 'reviewed',
        d::date + time '12:00', d::date + time '13:00'
    from organizations o, unnest({days}::text[]) as d
    where o.kind = 'school' and o.status = 'operating'"""
LATE = """update visits set submitted_at = left_at + interval '3 days'
    where id in (select id from visits where voided_at is null order by id
        limit {n})"""
REVIEW = """delete from problem_reviews; insert into problem_reviews(
        problem_id, kind, reviewed_on, reviewer_inspector_ids, method, result)
    select p.id, '{kind}', p.{since} + {n},
        array[(select id from inspectors limit 1)], 'onsite', '{result}'
    from problems p where p.voided_at is null"""
P = "update problems set {set} where voided_at is null"
A = "update inspector_appointments set {set} where voided_at is null"
SEMESTER = "2026-11-20"     # in 2026-2027-1; 2025-2026-2 has finished


def problem(**columns):
    return P.format(set=", ".join(f"{k} = {v}" for k, v in columns.items()))


def appointment(**columns):
    return A.format(set=", ".join(f"{k} = {v}" for k, v in columns.items()))


def many_problems(n):
    """n copies of the one problem."""
    return f"""insert into problems(code, organization_id, target_id, visit_id,
            category, severity, title, description, requirement, listed_on,
            due_on, reported_on, struck_off_on, looked_back_on, state)
        select 'C' || i, organization_id, target_id, visit_id, category,
            severity, title, description, requirement, listed_on, due_on,
            reported_on, struck_off_on, looked_back_on, state
        from problems, generate_series(1, {n}) as i
        where voided_at is null"""


def meetings(kind, *days):
    """Those days' meetings, and no others of that kind."""
    return f"""update meetings set kind = 'office_meeting'
            where kind = '{kind}';
        insert into meetings(code, kind, title, topic, scheduled_on, held_on,
            created_at)
        select 'C' || d, '{kind}', 'x', 'x', d::date, d::date, d::date
        from unnest(array[{str(days)[1:-1]}]) as d"""


def case(rule, clauses, setup, *steps):
    return pytest.param(rule, setup, steps, id=rule, marks=[
        pytest.mark.clause(rule, *clauses.split())])


CASES = [
    case("R-GEN-01", "H.2 C2.2.1.b", [ONE["task"], """
            update supervision_tasks set approved_on = app.today(),
                basis_document_id = (select id from policy_documents
                    where kind = 'local_scheme')"""],
         ("green", ""),
         ("red", "update supervision_tasks set kind = 'decision_inspection'"),
         ("red", """update supervision_tasks set basis_document_id = null,
             kind = 'special'""")),
    case("R-GEN-02", "H.5", [],
         ("green", ""),
         ("red", """update organizations set is_supervisable = false
             where id = (select id from organizations
                 where kind = 'township_government' limit 1)""")),
    case("R-MTG-03", "C2.1.3.a C2.1.3.c C2.1.3.e C3.1.c", [],
         ("green", ""),
         ("amber", """update policy_documents set state = 'repealed',
             effective_to = app.today() where kind = 'work_procedure'"""),
         ("red", """update policy_documents set state = 'repealed',
             effective_to = app.today() where kind = 'reporting_rule'""")),
    case("R-ORG-01", "C2.1.1.g C2.1.1.h", [],
         ("green", ""),
         ("amber", "update committee_members set left_on = app.today() - 60"
                   " where role = 'director'"),
         ("red", "update committee_members set left_on = app.today() - 61"
                 " where role = 'director'")),
    case("R-ORG-02", "C2.1.1.i", [],
         ("green", ""),
         ("amber", """update committee_members set left_on = app.today() - 10
             where organization_id in (select organization_id
                 from member_units where seq in (1, 2))"""),
         ("red", """update committee_members set left_on = app.today() - 10
             where organization_id = (select organization_id
                 from member_units where seq = 3)"""),
         ("red", """update committee_members set left_on = null
             where left_on = app.today() - 10;
             update member_units set left_on = app.today()
             where seq = 4""")),
    case("R-ORG-03", "C2.1.1.j C2.1.1.k C2.1.3.b", [],
         ("green", ""),
         ("amber", "update member_units set duties = '[]' where seq in (1, 2)"),
         ("red", "update liaisons set ended_on = app.today()"
                 " where member_unit_id = (select id from member_units"
                 " where seq = 3)")),
    case("R-ORG-04", "C2.1.2.a C2.1.2.i", ["""
            update office_staff set ended_on = null"""],
         ("green", ""),
         ("amber", """update office_staff set employment = 'seconded';
             update organizations set shortfall_reason = '编制正在核定'
             where kind = 'supervision_office'"""),
         ("red", "update organizations set shortfall_reason = null")),
    case("R-ORG-05", "C2.1.2.c C2.1.2.d C2.1.2.e C2.1.2.f C2.1.2.g", [],
         ("green", ""),
         ("amber", "update office_staff set ended_on = app.today() - 90"
                   " where post = 'deputy_chief_inspector'"),
         ("red", "update office_staff set ended_on = app.today() - 91"
                 " where post = 'deputy_chief_inspector'"),
         ("red", "update office_staff set ended_on = null;"
                 " update office_staff set is_bureau_leadership = false")),
    case("R-ORG-06", "C2.1.1.b", [
            meetings("committee_plenary", "2026-03-10", "2026-03-11")],
         ("green", "", "2026-09-30"),
         ("amber", "update meetings set kind = 'office_meeting' where id = ("
          "select id from meetings where kind = 'committee_plenary' limit 1)",
          "2026-09-30"),
         ("red", "", "2026-12-31"),
         ("red", "update meetings set kind = 'office_meeting'", "2026-07-01"),
         ("amber", "", "2026-06-30")),
    case("R-ORG-07", "C2.1.1.c", [],
         ("green", ""),
         ("red", "update major_matters set resolution_id = null"
                 " where resolved_on is not null")),
    case("R-ORG-08", "C2.1.1.l", ["""
            update meetings set held_on = app.today() - 30,
                notified_on = null, minutes_issued_on = null
            where id in (select id from meetings order by id limit 5);
            delete from meeting_attendances where organization_id <> (
                select organization_id from member_units where seq = 1)
                or meeting_id not in (select id from meetings
                    where held_on > app.today() - 360 limit 5);
            insert into meeting_attendances(meeting_id, organization_id)
            select m.id, u.organization_id from (select id from meetings
                where held_on > app.today() - 360 order by id limit 5) m,
                member_units u where u.seq = 1 on conflict do nothing;
            delete from meeting_attendances where meeting_id not in (
                select id from meetings where held_on > app.today() - 360
                order by id limit 5);
            update meeting_attendances set invited = true, attended = true,
                absence_reason = null"""],
         *((colour, """update meeting_attendances set attended = false
             where id = (select id from meeting_attendances
                 where attended limit 1)""")
           for colour in ("green", "amber", "red"))),
    case("R-ORG-09", "C1.c", [],
         ("green", ""),
         *((colour, f"""update organizations set edu_leader_person_id = null
             where id in (select id from organizations
                 where kind = 'township_government' order by id limit {n})""")
           for colour, n in (("amber", 4), ("red", 5)))),
    case("R-MTG-01", "C2.1.3.d", [
            meetings("joint_meeting", "2025-11-28", "2026-05-22",
                     "2026-10-21")],
         ("green", "", "2026-11-20"),
         ("green", "update meetings set kind = 'office_meeting'"
                   " where held_on > '2026-07-01'", "2026-11-15"),
         ("amber", "", "2026-11-20"), ("red", "", "2027-01-02"),
         ("red", """update meetings set kind = 'joint_meeting',
             state = 'postponed', held_on = null, scheduled_on = '2026-12-20',
             minutes_issued_on = null, created_at = '2026-09-01'
             where id = (select id from meetings
                 where kind = 'office_meeting' limit 1)""", "2026-11-15")),
    case("R-MTG-02", "C2.1.3.c", ["""
            update meetings set kind = 'communication_session',
                held_on = d, notified_on = null, minutes_issued_on = null,
                state = 'planned'
            from (select id as meeting, ('{2026-08-06,2026-11-06}'::date[])[
                row_number() over (order by id)] as d from meetings limit 2) x
            where id = meeting;
            update meetings set kind = 'office_meeting'
            where held_on not in ('2026-08-06', '2026-11-06')"""],
         ("green", "", "2026-11-20"),
         ("amber", "", "2026-11-05"),
         ("red", "update meetings set kind = 'office_meeting'"
                 " where held_on = '2026-08-06'", "2026-11-20")),
    case("R-MTG-04", "C2.1.1.d", ["""
            insert into meeting_resolutions(code, meeting_id, seq,
                agenda_item_id, text, owner_organization_id, due_on)
            select 'C' || i, meeting_id, 90 + i, agenda_item_id, text,
                owner_organization_id, due_on
            from (select * from meeting_resolutions limit 1) r,
                generate_series(1, 3) i;
            update meeting_resolutions set state = 'open', drop_reason = null,
                done_on = null, issued_on = app.today() - 30,
                due_on = app.today()"""],
         ("green", ""),
         *((colour, f"""update meeting_resolutions
             set due_on = app.today() - 1 where id in (select id
                 from meeting_resolutions order by id limit {n})""")
           for colour, n in (("amber", 2), ("red", 3)))),
    case("R-RPT-01", "C2.3.1.a L-TL-23", [REPORT.format(issued=10), """
            update dispatches set state = 'sent', received_at = null,
                sent_at = now() - interval '9 days'"""],
         ("green", ""),
         # within the ten working days, missed, then late
         ("amber", """update dispatches set state = 'planned', sent_at = null
             where recipient_role = 'government'"""),
         ("red", REPORT.format(issued=40)),
         ("amber", """update dispatches set state = 'sent', sent_at = now()
             where recipient_role = 'government'"""),
         ("red", """update dispatches set state = 'returned'
             where recipient_role = 'superior_supervision'""")),
    # so long ago that no holidays keep the term open
    case("R-RPT-02", "C2.1.3.f", [REPORT.format(issued=30), """
            update dispatches set state = 'sent', received_at = null,
                sent_at = now() - interval '30 days'
            where subject_type = 'supervision_reports';
            update dispatches d set state = 'sent', received_at = null,
                sent_at = c.finalized_on + interval '12 hours'
            from evaluation_campaigns c
            where c.id = d.subject_id"""],
         ("green", ""),
         ("amber", """update dispatches set sent_at = now() where id = (
             select d.id from dispatches d join supervision_reports r
                 on r.id = d.subject_id and r.voided_at is null
             where d.purpose = 'report')"""),
         ("red", """delete from dispatches where id = (select d.id
             from dispatches d join supervision_reports r
                 on r.id = d.subject_id and r.voided_at is null
             where d.purpose = 'circulate' limit 1)"""),
         ("green", "update supervision_reports set voided_at = now(),"
                   " void_reason = 'x'"),
         # an annual evaluation, and none that was made as needed
         ("red", "delete from dispatches where id = (select id from"
                 " dispatches where subject_type = 'evaluation_campaigns'"
                 " and purpose = 'circulate' limit 1)"),
         ("green", "update evaluation_campaigns set periodicity = 'ad_hoc',"
                   " reason = 'x'"),
         ("amber", "update dispatches set sent_at = now(), received_at = null"
                   " where id = (select id from dispatches where subject_type"
                   " = 'major_matters' and purpose = 'circulate' limit 1)"),
         ("red", "delete from dispatches where id = (select id from"
                 " dispatches where subject_type = 'major_matters'"
                 " and purpose = 'circulate' limit 1)")),
    case("R-RPT-05", "C2.1.1.e", [REPORT.format(issued=10)],
         ("not_applicable", ""),
         # by the chief inspector, whatever the resolution
         ("red", """update supervision_reports set is_major = true,
             resolution_id = (select id from meeting_resolutions limit 1)
             where voided_at is null"""),
         ("green", STEP.format(action="issue", role="committee_deputy")),
         ("red", "update supervision_reports set resolution_id = null")),
    case("R-PUB-01", "C2.3.1.b L-TL-23", [REPORT.format(issued=20), """
            update publication_placements set placed_at = now()"""],
         ("green", ""),
         ("amber", "update publications set state = 'withdrawn'"
                   " where kind = 'supervision_report'"),
         ("red", REPORT.format(issued=60)),
         # too late, and exempted by somebody else
         ("red", "update publications set state = 'published'"
                 " where kind = 'supervision_report'; "
          + "update supervision_reports set disclosure = 'exempt'; "
          + STEP.format(action="exempt", role="chief_inspector")),
         ("amber", STEP.format(action="exempt", role="committee_director"))),
    case("R-INS-07", "C2.4.3.e L-TL-8", [],
         ("green", "", "@1-11-20"),
         ("red", """update inspector_assessments set confirmed_on = null,
             state = 'assessed' where id = (select id
                 from inspector_assessments where year = @0 limit 1)""",
          "@1-04-01"),
         ("amber", "", "@1-03-31")),
    case("R-INS-08", "C2.4.3.h", [],
         ("green", ""),
         ("red", "update inspector_assessments set grade = 'competent'"
                 " where grade is not null")),
    # the year before: three campaigns and a decision
    case("R-EVA-05", "C2.1.3.i", [],
         ("green", "", "@1-11-20"),
         ("amber", "update evaluation_campaigns set finalized_on = null"
                   " where target_kind = 'zone'", "@1-11-20"),
         ("red", "update evaluation_campaigns set cancelled_on = '@1-01-01'"
                 " where target_kind = 'zone'", "@1-11-20"),
         ("amber", "", "@1-03-31"),
         ("green", "update evaluation_campaigns set cancelled_on = null,"
                   " finalized_on = '@1-01-08'"
                   " where target_kind = 'zone' and year = @0",
          "@1-11-20"),
         ("red", "update award_decisions set voided_at = now(),"
                 " void_reason = 'x'", "@1-04-01"),
         ("amber", "", "@1-03-31")),
    case("R-TRN-01", "C2.4.3.a C2.4.3.b", [],
         ("green", "", "2026-11-20"),
         ("amber", """update training_plans set inclusion_doc_no = null,
             included_in_cadre_teacher_plan = false where year = 2026""",
          "2026-11-20"),
         ("red", """update training_plans set approved_on = null,
             state = 'reviewing' where year = 2026""", "2026-04-01"),
         ("amber", "", "2026-03-31")),
    case("R-TRN-02", "C2.4.3.c L-DX-05", [
            ONE["appointment"].format(n=1), SCHOOLS.format(n=1),
            ONE["visits"], VISITS.format(days="'{2026-10-12}'"),
            appointment(term_no=1, starts_on="'2026-09-01'",
                        ends_on="'2029-08-31'",
                        pre_service_passed_on="'2026-10-12'"), """
            update visits set inspector_id = (select inspector_id
                from inspector_appointments where voided_at is null);
            update supervision_targets set onsite_started_on = null,
                onsite_ended_on = null"""],
         ("green", "", SEMESTER),
         ("red", appointment(pre_service_passed_on="'2026-10-13'"), SEMESTER),
         ("red", appointment(pre_service_passed_on="null"), SEMESTER),
         # trained before an earlier term
         ("not_applicable", appointment(term_no=2), SEMESTER),
         # on site with a team
         ("red", appointment(term_no=1,
                             pre_service_passed_on="'2026-10-12'") + """;
             update team_members set target_ids = '{}', inspector_id = (
                 select inspector_id from inspector_appointments
                 where voided_at is null)
             where id = (select m.id from team_members m
                 join supervision_targets t on t.task_id = m.task_id
                 where m.inspector_id is not null and m.task_id not in (
                     select n.task_id from team_members n
                     join inspector_appointments a
                         on a.inspector_id = n.inspector_id
                     where a.voided_at is null) limit 1);
             update supervision_targets
             set onsite_started_on = '2026-09-20'""", SEMESTER)),
    case("R-TRN-03", "C2.4.3.c L-DX-05", [],
         ("green", "", "2026-11-20"),
         ("amber", """delete from training_records where inspector_id in (
             select distinct inspector_id from training_records
             order by inspector_id limit 6)""", "2026-11-20"),
         ("red", """delete from training_records where inspector_id in (
             select distinct inspector_id from training_records
             order by inspector_id limit 8)""", "2026-12-31")),
    case("R-TRN-05", "C2.4.3.f C2.4.3.g", ["""
            update rule_parameters set value = 'false'
            where key = 'rank_sequence_enabled';
            update policy_documents set kind = 'other'
            where kind = 'promotion_rule'; """ + """
            update policy_documents set kind = 'promotion_rule'
            where kind = 'funds_rule'"""],
         ("green", ""),
         ("red", """update rule_parameters set value = 'true'
             where key = 'rank_sequence_enabled';
             update inspector_ranks set enabled = false"""),
         ("green", "update inspector_ranks set enabled = true where id = ("
                   "select id from inspector_ranks limit 1)"),
         ("amber", "update policy_documents set state = 'reviewing'"
                   " where kind = 'promotion_rule'"),
         ("red", "update policy_documents set kind = 'other'")),
    case("R-FIN-01", "C3.1.a", [],
         ("green", "", "2026-11-20"),
         ("amber", "update budgets set state = 'submitted'", "2026-11-20"),
         ("red", "update budgets set state = 'draft'", "2026-04-01"),
         ("amber", "", "2026-03-31")),
    case("R-FIN-02", "C3.1.b", ["""
            alter table budget_lines drop constraint
                budget_lines_balance_check;
            update budget_lines set paid_fen = 0, amount_fen = 1000"""],
         ("green", "", "2026-09-30"),
         ("amber", "update budget_lines set paid_fen = 900", "2026-09-30"),
         ("green", "", "2026-10-01"),
         ("red", "update budget_lines set paid_fen = 1001", "2026-10-01"),
         ("red", """update budget_lines set paid_fen = 0;
             update expense_claims set category = 'none',
                 paid_on = '2026-09-01' where budget_line_id is not null""",
          "2026-10-01")),
    case("R-FIN-04", "C3.1.d", ["""
            update expense_claims set approved_at = null;
            insert into expense_claims(code, claimant_inspector_id,
                activity_type, activity_id, activity_on, category,
                approved_at, paid_on)
            select 'F' || i, (select id from inspectors limit 1), 'visits',
                gen_random_uuid(), app.today() - 90, 'training',
                now() - interval '60 days', app.today() - 40
            from generate_series(1, 20) as i"""],
         *((colour, f"""update expense_claims set paid_on = app.today()
             where id in (select id from expense_claims
                 where approved_at is not null order by id limit {n})""")
           for colour, n in (("green", 1), ("amber", 4), ("red", 5))),
         # one item without an activity, and all paid in time
         ("green", "update expense_claims set paid_on = app.today() - 40"
                   " where approved_at is not null"),
         ("red", """update expense_claims set state = 'paid',
             submitted_at = now() - interval '70 days' where code = 'F1'"""),
         ("green", """update expense_claims set activity_id = v.id
             from (select id from visits where state = 'reviewed' limit 1) v
             where code = 'F1'"""),
         ("red", "update visits set voided_at = now(), void_reason = 'x'")),
    case("R-FIN-05", "C3.1.e", [],
         ("green", ""),
         ("amber", "update facilities set status = 'disposed'"
                   " where zone_id is not null"),
         ("red", "update facilities set status = 'disposed'")),
    case("R-ITX-01", "C3.2.a", [],
         ("green", ""),
         ("red", "update informatization_items set stage = 'retired'")),
    case("R-TSK-02", "L-TL-16", [ONE["task"], """
            update supervision_tasks set approved_on = app.today(),
                state = 'issued'"""],
         ("green", ""),
         ("red", """delete from team_members where id not in (
             select id from team_members m where task_id = (select id
                 from supervision_tasks where voided_at is null) limit 2)""")),
    case("R-TSK-03", "L-TL-17", ["""
            update supervision_targets set state = 'excused' where id <> (
                select id from supervision_targets
                where notice_id is not null limit 1)"""],
         *((colour, f"""update supervision_targets g
                set onsite_started_on = app.add_workdays(n.issued_on, {days}),
                    onsite_ended_on = null
                from supervision_notices n where n.id = g.notice_id""")
           for colour, days in (("green", 5), ("amber", 4), ("amber", 1),
                                ("red", 0))),
         ("red", "update supervision_targets set notice_id = null")),
    case("R-CMP-03", "L-TL-11", [ONE["task"], """
            update supervision_tasks set approved_on = app.today(),
                state = 'issued', matters = '{M1,M2,M3,M4}'"""],
         ("green", ""),
         ("red", "update supervision_tasks set matters = '{M1,M2}'"),
         ("green", "update supervision_tasks set kind = 'special'")),
    case("R-VIS-01", "C2.2.2.b L-TL-14", [SCHOOLS.format(n=1), ONE["visits"]],
         ("green", VISITS.format(days="'{2026-04-01,2026-05-08}'"), SEMESTER),
         ("amber", "", "2027-01-10"),
         ("green", VISITS.format(days="'{2026-09-09,2026-10-09}'"),
          "2027-01-10"),
         ("red", "delete from visits where visited_on = '2026-05-08'",
          SEMESTER)),
    case("R-VIS-02", "L-GP-06", [SCHOOLS.format(n=5), ONE["visits"]],
         ("green", VISITS.format(
             days="'{2026-03-10,2026-04-10,2026-05-11,2026-06-10}'"),
          "2026-07-01"),
         *((colour, """delete from visits where id in (select id from visits
             where voided_at is null order by id limit 1)""", "2026-07-01")
           for colour in ("amber", "amber", "red"))),
    case("R-VIS-03", "C3.2.c", [SCHOOLS.format(n=20), ONE["visits"],
                                VISITS.format(days="'{2026-10-12}'")],
         ("green", LATE.format(n=1), SEMESTER),
         ("amber", LATE.format(n=3), SEMESTER),
         ("red", LATE.format(n=4), SEMESTER)),
    case("R-VIS-04", "C2.2.2.g", [SCHOOLS.format(n=1), ONE["visits"], """
            update schools set ownership = 'private_non_profit'""",
            VISITS.format(days="'{2026-10-12}'"), """
            insert into visit_items(visit_id, seq, area, conclusion)
            select v.id, i, 'A' || i, 'normal'
            from visits v, generate_series(1, 8) as i
            where v.voided_at is null"""],
         ("green", "", SEMESTER),
         ("amber", "update visit_items set conclusion = 'not_checked'"
                   " where area in ('A7', 'A8')", SEMESTER),
         ("red", "update visit_items set conclusion = 'not_checked'"
                 " where area = 'A6'", SEMESTER)),
    case("R-VIS-05", "L-TL-15 L-GP-05", [ONE["problem"], problem(
            severity="'danger'", listed_on="app.today() - 20",
            due_on="app.today() - 19", assigned_on="app.today() - 20")],
         *((colour, REVIEW.format(kind="verification", since="listed_on",
                                  result="in_place", n=days))
           for colour, days in (("green", 3), ("amber", 7), ("red", 8))),
         ("red", problem(assigned_on="listed_on + 1")
          + "; update problem_reviews set reviewed_on = reviewed_on - 7")),
    case("R-PLQ-01", "C2.2.2.f", [SCHOOLS.format(n=20)],
         ("green", ""),
         *((colour, """update plaques set state = 'removed',
             removed_on = app.today() where id = (select p.id from plaques p
                 join organizations o on o.id = p.school_id
                 where o.status = 'operating' and p.state = 'posted' limit 1)
             """) for colour in ("amber", "red"))),
    case("R-PLQ-02", "L-GP-01", [ONE["plaques"].format(n=20)],
         ("green", ""),
         *((colour, """update plaques set hotline = null where id = (
             select id from plaques where hotline is not null limit 1)""")
           for colour in ("amber", "red"))),
    case("R-PLQ-03", "L-GP-01", ["""update plaques set inspector_id = (
            select inspector_id from inspector_appointments
            where state = 'active' limit 1)"""],
         ("green", ONE["plaques"].format(n=5)),
         *((colour, f"""insert into plaques(school_id, inspector_id, state,
             posted_on) select s.id, (select inspector_id from plaques
                 limit 1), 'posted', app.today() from schools s
             where s.id not in (select school_id from plaques) limit {n}""")
           for colour, n in (("amber", 2), ("red", 1)))),
    case("R-INS-01", "C2.4.1.a", [ONE["appointment"].format(n=2),
                                  "update schools set counts_in_ratio = true"],
         ("green", SCHOOLS.format(n=10)),
         ("amber", "update organizations set status = 'operating' where id = ("
          "select id from organizations where status = 'closed' limit 1)"),
         ("red", "update organizations set status = 'operating' where id = ("
          "select id from organizations where status = 'closed' limit 1)")),
    case("R-INS-02", "C2.4.1.b", [ONE["appointment"].format(n=18),
            appointment(employment="'part_time'"), """
            update inspector_appointments set employment = 'full_time'
            where id in (select id from inspector_appointments
                where voided_at is null limit 6)"""],
         ("green", ""),
         *((colour, f"""update inspector_appointments set voided_at = now(),
             void_reason = 'x' where id in (select id
                 from inspector_appointments where voided_at is null
                     and employment = 'part_time' limit {n})""")
           for colour, n in (("amber", 1), ("red", 5))),
         ("green", """update rule_parameters set value = '"min"'
             where key = 'fulltime_ratio_mode'"""),
         ("red", """update inspector_appointments set employment = 'part_time'
             where voided_at is null"""),
         ("amber", """update inspector_appointments set voided_at = null,
             void_reason = null, employment = case when id in (select id
                 from inspector_appointments where state = 'active'
                 order by id limit 21) then 'full_time' else 'part_time' end
             where state = 'active'""")),
    case("R-INS-03", "L-TL-6", [ONE["appointment"].format(n=1), appointment(
            starts_on="app.today() - 400", employment="'part_time'")],
         ("green", appointment(ends_on="app.today() + 31")),
         ("amber", appointment(ends_on="app.today() + 30")),
         ("red", appointment(ends_on="app.today() - 1")),
         ("red", appointment(ends_on="app.today() + 900"))),
    case("R-INS-04", "L-TL-6", [ONE["appointment"].format(n=1)],
         ("green", appointment(term_no=3)), ("red", appointment(term_no=4))),
    case("R-INS-05", "L-TL-7", [ONE["appointment"].format(n=1)],
         ("green", ""),
         ("red", "update inspectors set work_years = 9"),
         ("red", "update inspectors set work_years = 12,"
                 " degree = 'below_bachelor'")),
    case("R-INS-06", "L-DX-02", [ONE["appointment"].format(n=1)],
         ("green", ""),
         ("amber", "delete from dispatches; "
          + appointment(starts_on="app.today()", ends_on="app.today() + 300")),
         ("red", appointment(starts_on="app.today() - 60")),
         ("red", appointment(publicity_to="publicity_from + 2"))),
    case("R-INS-09", "L-TL-10", [SCHOOLS.format(n=1), ONE["visits"],
            VISITS.format(days="'{2026-10-12}'"), """
            update supervision_targets set onsite_started_on = null,
                onsite_ended_on = null"""],
         ("green", "", SEMESTER),
         ("red", """update persons p set organization_id = v.organization_id
             from visits v join inspectors i on i.id = v.inspector_id
             where p.id = i.person_id and v.voided_at is null""", SEMESTER),
         ("green", """insert into recusals(inspector_id, organization_id,
                 reason, declared_on)
             select inspector_id, organization_id, 'former_post', '2026-09-01'
             from visits where voided_at is null""", SEMESTER),
         # of the visit alone, of a target alone
         ("red", "delete from recusals", SEMESTER),
         ("green", """insert into recusals(inspector_id, visit_id, reason,
                 declared_on)
             select inspector_id, id, 'other', '2026-09-01'
             from visits where voided_at is null""", SEMESTER),
         ("red", ONE["visits"] + """; delete from recusals;
             update supervision_targets set onsite_started_on = '2026-10-12'
             where id = (select g.id from supervision_targets g
                 join team_members m on m.task_id = g.task_id
                 where m.inspector_id is not null and m.target_ids = '{}'
                     and g.organization_id is not null limit 1);
             update persons p set organization_id = g.organization_id
             from supervision_targets g
             join team_members m on m.task_id = g.task_id
             join inspectors i on i.id = m.inspector_id
             where g.onsite_started_on is not null
                 and p.id = i.person_id""", SEMESTER),
         ("green", """insert into recusals(inspector_id, target_id, reason,
                 declared_on)
             select m.inspector_id, g.id, 'other', '2026-09-01'
             from supervision_targets g
             join team_members m on m.task_id = g.task_id
             where g.onsite_started_on is not null
                 and m.inspector_id is not null""", SEMESTER)),
    case("R-INS-10", "C2.1.1.f", [ONE["appointment"].format(n=1)],
         ("green", ""), ("red", appointment(decision_doc_no="null"))),
    case("R-ZON-01", "C2.2.2.e", [SCHOOLS.format(n=2)],
         ("green", ""),
         ("red", "update schools set zone_id = null where id = (select id"
                 " from organizations where kind = 'school'"
                 " and status = 'operating' limit 1)")),
    case("R-ZON-02", "C2.4.1.a", [ONE["zone"], SCHOOLS.format(n=12), """
            update schools set counts_in_ratio = true, zone_id = (
                select id from zones where code = 'Z1')""", """
            delete from zone_memberships where id not in (select m.id
                from zone_memberships m join inspector_appointments a
                    using (inspector_id)
                where m.zone_id = (select id from zones where code = 'Z1')
                    and m.ended_on is null and a.state = 'active' limit 2)"""],
         ("red", ""), ("amber", SCHOOLS.format(n=11)),
         ("green", SCHOOLS.format(n=10))),
    case("R-ZON-03", "C2.4.1.c", [],
         ("green", ""),
         ("red", "update inspector_appointments"
                 " set employment = 'part_time'")),
    case("R-ZON-04", "L-ZR-01", [ONE["zone"], """
            update schools set counts_in_ratio = true, zone_id = (
                select id from zones where code = 'Z1')"""],
         ("amber", ""), ("amber", SCHOOLS.format(n=21)),
         ("green", SCHOOLS.format(n=20))),
    case("R-ZON-05", "C2.1.3.h", [ONE["zone"], """
            update supervision_tasks set kind = 'special'
            where kind = 'work_inspection'""", """
            update organizations set status = 'closed'
            where kind in ('township_government', 'subdistrict_office')"""],
         ("amber", "", "2026-11-30"), ("red", "", "2026-12-01"),
         ("green", """update supervision_tasks set kind = 'work_inspection',
                 started_on = '2026-10-10', state = 'in_progress'
             where id = (select task_id from supervision_targets limit 1);
             update supervision_targets set state = 'onsite_done',
                 organization_id = null, onsite_started_on = '2026-10-10',
                 onsite_ended_on = '2026-10-10',
                 zone_id = (select id from zones where code = 'Z1')
             where id = (select g.id from supervision_targets g
                 join supervision_tasks t on t.id = g.task_id
                 where t.kind = 'work_inspection'
                     and t.state = 'in_progress' limit 1)""",
          "2026-12-01")),
    case("R-FBK-02", "C2.3.1.e L-TL-21", [ONE["problem"], problem(
            visit_id="null", review_id="null", target_id="(select id"
            " from supervision_targets limit 1)")],
         ("green", ""), ("red", problem(requirement="null"))),
    case("R-PRB-01", "C2.3.2.c", [ONE["problem"], problem(
            state="'assigned'", listed_on="app.today() - 30",
            due_on="app.today()", reported_on="null", struck_off_on="null",
            looked_back_on="null", severity="'minor'"), many_problems(39)],
         ("green", ""),
         ("amber", problem(due_on="app.today() - 1") + " and code = 'C1'"),
         ("red", problem(due_on="app.today() - 1") + " and code = 'C2'"),
         ("red", problem(due_on="app.today()") + "; "
          + problem(severity="'danger'", due_on="app.today() - 1")
          + " and code = 'C3'")),
    case("R-PRB-02", "C2.3.2.b", [ONE["problem"]],
         ("green", ""),
         ("red", "update problem_reviews set evidence = '{}'")),
    case("R-PRB-03", "C2.3.2.d", [ONE["problem"], many_problems(19), """
            delete from problem_reviews; delete from rectification_reports;
            insert into rectification_reports(problem_id, result, text,
                submitted_at)
            select id, 'completed', 'x', now() - interval '60 days'
            from problems where voided_at is null;
            insert into problem_reviews(problem_id, kind, report_id,
                reviewed_on, reviewer_inspector_ids, method, result)
            select problem_id, 'verification', id, app.today() - 58,
                array[problem_id], 'onsite', 'in_place'
            from rectification_reports"""],
         *((colour, f"""update problem_reviews set reviewed_on = app.today()
             where id in (select id from problem_reviews order by id
                 limit {n})""")
           for colour, n in (("green", 1), ("amber", 3), ("red", 4)))),
    case("R-PRB-04", "C2.3.2.d", [ONE["problem"], problem(
            severity="'major'", listed_on="app.today() - 400",
            due_on="app.today() - 300", reported_on="app.today() - 300",
            struck_off_on="app.today() - 180",
            looked_back_on="app.today() - 10")],
         ("green", ""),
         ("amber", problem(looked_back_on="null")),
         ("red", problem(struck_off_on="app.today() - 181")),
         ("green", problem(severity="'minor'") + "; " + many_problems(4)
          + ";" + problem(looked_back_on="app.today()") + " and code = 'C1'"),
         ("red", problem(looked_back_on="null"))),
    case("R-PRB-05", "C2.3.2.e", [ONE["problem"], many_problems(49),
            "delete from deadlines where kind = 'accountability_clue'",
            problem(struck_off_on="app.today() - 100", reported_on="null",
                    listed_on="app.today() - 200", due_on="app.today() - 150"),
            REVIEW.format(kind="look_back", since="struck_off_on", n=95,
                          result="in_place")],
         ("green", "update problem_reviews set result = 'rebounded'"
                   " where id = (select id from problem_reviews"
                   " order by id limit 1)"),
         ("amber", "update problem_reviews set result = 'rebounded'"
                   " where id in (select id from problem_reviews"
                   " order by id limit 2)"),
         ("red", "update problem_reviews set result = 'rebounded'"
                 " where id in (select id from problem_reviews"
                 " order by id limit 3)"),
         ("red", "update problem_reviews set result = 'in_place'; update"
                 " problem_reviews set result = 'false_report'"
                 " where id = (select id from problem_reviews limit 1)")),
    case("R-PRB-06", "C2.3.2.g", [ONE["problem"], problem(
            struck_off_on="app.today() - 60", listed_on="app.today() - 90",
            due_on="app.today() - 70", reported_on="app.today() - 70"),
            many_problems(19), """
            update publications set state = 'withdrawn';
            insert into publications(code, kind, subject_type, subject_id,
                publisher_org_id, title, body, published_at, state)
            select 'X' || id, 'rectification_disclosure', 'problems', id,
                organization_id, 'x', 'x', now() - interval '50 days',
                'published'
            from problems where voided_at is null"""],
         *((colour, f"""update publications set published_at = now()
             where id in (select id from publications
                 where state = 'published' order by id limit {n})""")
           for colour, n in (("green", 1), ("amber", 4), ("red", 5)))),
    case("R-PUB-02", "C2.3.1.b", ["""
            update publications set state = 'withdrawn';
            delete from publication_placements;
            update publications set state = 'published' where id = (
                select id from publications limit 1);
            insert into publication_channels(kind, name)
            select 'other_media', 'K' || i from generate_series(1, 20) as i;
            insert into publication_placements(publication_id, channel_id,
                check_at, reachable)
            select p.id, c.id, now(), true
            from publications p, publication_channels c
            where p.state = 'published' and c.name like 'K%'"""],
         ("green", ""),
         *((colour, f"""update publication_placements set reachable = false
             where id in (select id from publication_placements limit {n})""")
           for colour, n in (("amber", 1), ("red", 2)))),
    case("R-PUB-03", "L-XX-01", [],
         ("green", ""),
         ("red", "update publications set secrecy_reviewer_id = created_by"
                 " where id = (select id from publications"
                 " where state = 'published' and created_by is not null"
                 " limit 1)")),
    case("R-RES-01", "C2.4.2.a C2.4.2.b", [],
         ("green", ""),
         ("red", "update organizations set managed_by_id = null"
                 " where kind = 'research_center'"),
         ("red", "update organizations set status = 'closed'"
                 " where kind = 'research_center'")),
    case("R-RES-02", "C2.4.2.c", [],
         ("green", "", "2026-11-20"),
         ("amber", """update center_engagements set accepted_on = null,
             state = 'submitted' where kind = 'quality_monitoring'""",
          "2026-11-20"),
         ("red", "update center_engagements set kind = 'other'"
                 " where kind = 'quality_monitoring'", "2026-11-20")),
    case("R-RES-03", "C3.3.a", [],
         ("green", "", "2026-11-20"),
         # what was accepted in the year counts, of the year before not
         ("green", """update research_projects set state = 'accepted',
             concluded_on = '2025-12-20', accepted_on = '2026-01-10'
             where kind in ('policy_study', 'decision_study')""",
          "2026-11-20"),
         ("red", "update research_projects set accepted_on = '2025-12-30'",
          "2026-11-20"),
         ("amber", """update research_projects set state = 'applied',
             concluded_on = null, accepted_on = null, created_at =
             '2026-02-01' where kind = 'decision_study'""", "2026-11-20"),
         ("red", "update research_projects set state = 'rejected'",
          "2026-11-20")),
    case("R-FIN-03", "C3.1.c", [],
         ("green", ""),
         ("red", "update policy_documents set expense_standards = '[]'"),
         ("red", "update policy_documents set kind = 'other'"
                 " where kind = 'funds_rule'")),
    case("R-ITX-02", "C3.2.b", ["""
            update exchange_messages set acked_at = now(),
                created_at = now() - interval '60 days'"""],
         ("green", ""),
         ("amber", "update exchange_messages"
                   " set acked_at = now() - interval '20 days'"),
         ("red", "update exchange_messages"
                 " set acked_at = now() - interval '40 days'")),
]


@pytest.fixture
def county(db):
    """The owner in a transaction that is rolled back, triggers off."""
    db.autocommit = False
    with db.cursor() as cursor:
        cursor.execute("set local search_path = dudao, app, ext")
        for table in TABLES:
            cursor.execute(f"alter table {table} disable trigger user")
        yield cursor
    db.rollback()


def evaluate(cursor, rule, day=None, scope="county", id=None):
    cursor.execute("""
        select colour, explanation -> 'params', evidence
        from app.evaluate_compliance(coalesce(%s::date, app.today()), %s,
            %s::uuid, array[%s])""", (day, scope, id, rule))
    return cursor.fetchone()


@pytest.mark.clause("C1.e")
@pytest.mark.parametrize("rule, setup, steps", CASES)
def test_colours(county, db, rule, setup, steps):
    """@0 is the last year that the county has assessed, @1 the next."""
    year = merit.assessed_year(db)

    def dated(text):
        return text.replace("@0", str(year)).replace("@1", str(year + 1))

    for statement in setup:
        county.execute(statement)
    seen = []
    for colour, statement, *day in steps:
        if statement:
            county.execute(dated(statement))
        got, params, evidence = evaluate(county, rule, *map(dated, day))
        seen.append((got, colour, params))
        if got == "red" and params["red"]:
            assert evidence[0]["rel"] == "offender"
        assert evidence[-1]["rel"] == "list"
    assert [s[0] for s in seen] == [s[1] for s in seen], seen


@pytest.mark.clause("C1.e")
def test_every_rule_has_a_case(db):
    with db.cursor() as cursor:
        cursor.execute("select rule_id, clause_ids from app.compliance_rules")
        stored = {rule: set(clauses) for rule, clauses in cursor.fetchall()}
    tried = {c.values[0]: {a for m in c.marks for a in m.args} - {c.values[0]}
             for c in CASES}
    assert tried == stored


# --- one result ----------------------------------------------------------------


@pytest.mark.clause("C1.e", "C2.2.2.f", "R-PLQ-01")
def test_a_change_over_http_is_seen(api):
    """A school without a plaque is the first of the evidence."""
    staff = api.login("office_staff")
    before = staff.one("compliance-checks", rule_id="R-PLQ-01")
    assert before["numerator"] + before["explanation"]["params"]["amber"] \
        == before["denominator"]
    plaque = staff.one("plaques", state="posted")
    staff.act("plaques", plaque, "flag", {"reason": "督学调整"})
    staff.act("plaques", plaque, "remove", {})
    after = staff.one("compliance-checks", rule_id="R-PLQ-01")
    assert after["numerator"] == before["numerator"] - 1
    assert after["value"] < before["value"]
    assert "/v1/schools/" + plaque["school_id"] in {
        e["href"] for e in after["evidence"] if e["rel"] == "pending"}
    one = staff.one("compliance-checks", rule_id="R-PLQ-01",
                    scope="org:" + plaque["school_id"])
    assert (one["scope_type"], one["colour"]) == ("organization", "red")


@pytest.mark.clause("R-RPT-01", "R-RPT-05", "C2.1.1.e", "C2.3.1.a")
def test_a_report_over_http_is_seen(api, db):
    """Pending until the three have it; a major one by the committee."""
    staff, chief = api.login("office_staff"), api.login("chief_inspector")
    report = reports.draft(api, db, is_major=True)
    href = "/v1/supervision-reports/" + report["id"]

    def rel(rule):
        found = staff.one("compliance-checks", rule_id=rule)["evidence"]
        return {e["href"]: e["rel"] for e in found}.get(href)

    staff.act("supervision-reports", report, "submit", {})
    chief.act("supervision-reports", report, "to-committee", {})
    assert rel("R-RPT-01") is None
    api.login("committee_deputy").act(
        "supervision-reports", report, "issue",
        {"resolution_id": reports.resolution(db)})
    major = staff.one("compliance-checks", rule_id="R-RPT-05")
    assert major["colour"] == "green" and major["denominator"] >= 1
    before = staff.one("compliance-checks", rule_id="R-RPT-01")
    assert rel("R-RPT-01") == rel("R-PUB-01") == "pending"
    for row in staff.list("dispatches", subject_id=report["id"],
                          subject_type="supervision_reports"):
        staff.act("dispatches", row, "send", {})
    assert rel("R-RPT-01") != "pending"
    after = staff.one("compliance-checks", rule_id="R-RPT-01")
    assert after["numerator"] == before["numerator"] + 1


@pytest.mark.clause("C1.e")
def test_evidence_resolves(api):
    """Every link of a result is a page that the API serves: today and on a
    day before there was anything, of the county and of each kind of scope."""
    staff = api.login("office_staff")
    # what is not declared is no filter
    staff.get("/v1/visits?school=x", status=400)
    plaque = staff.one("plaques", state="posted")
    kept = str(datetime.date.today().year - 1) + "-12-31"
    links = {}
    for scope, day in (
            ("county", None), ("county", "2020-06-30"), ("county", kept),
            ("zone:Z4", None), ("org:MU07", None),
            ("org:" + plaque["school_id"], None),
            ("inspector:" + plaque["inspector_id"], None)):
        rows = staff.list("compliance-checks", scope=scope,
                          **({"as_of": day} if day else {}))
        assert rows
        for row in rows:
            assert len(row["evidence"]) <= 51, row["rule_id"]
            rels = [e["rel"] for e in row["evidence"]]
            assert rels == sorted(rels, key=(
                "offender pending subject list".split()).index)
            assert rels[-1] == "list"
            for link in row["evidence"]:
                assert link["label"], row["rule_id"]
                links.setdefault(link["href"], row["rule_id"])
    refused = {(rule, href) for href, rule in links.items()
               if staff.get(href).status_code != 200}
    assert len(links) > 500 and not refused
    auditor = api.login("auditor")
    for row in auditor.list("compliance-checks"):
        for link in {e["rel"]: e["href"] for e in row["evidence"]}.values():
            auditor.get(link, status=200)


@pytest.mark.clause("C1.e")
def test_filters_and_order(api):
    reader = api.login("leader_reader")
    every = reader.list("compliance-checks")
    for name in ("dimension", "colour", "rule_id"):
        value = every[-1][name]
        assert reader.list("compliance-checks", **{name: value}) == [
            r for r in every if r[name] == value]
    assert {r["rule_id"] for r in reader.list(
        "compliance-checks", clause_id="C2.3.2.d")} == {
        "R-PRB-03", "R-PRB-04"}
    ids = [r["rule_id"] for r in reader.list("compliance-checks",
                                             sort="-rule_id", limit=7)]
    assert ids == sorted(ids, reverse=True) and len(ids) == len(every)
    english = reader.get("/v1/compliance-checks", lang="en", status=200,
                         params={"rule_id": "R-INS-01"}).json()["data"][0]
    assert english["explanation"]["text"].startswith("The ratio is")


@pytest.mark.clause("C1.e")
def test_the_whole_county_in_time(api):
    reader = api.login("committee_director")
    started = time.monotonic()
    reader.get("/v1/compliance-checks", status=200, params={"limit": 200})
    assert time.monotonic() - started < 1.5


# --- days ------------------------------------------------------------------------


@pytest.mark.clause("C1.e")
def test_as_of(api, db):
    """A day that was kept stays as it was; another is worked out."""
    staff = api.login("office_staff")
    with db.cursor() as cursor:
        cursor.execute("set search_path = dudao, app, ext")
        cursor.execute("select max(as_of)::text from compliance_checks"
                       " where as_of < app.today()")
        kept = cursor.fetchone()[0]
        cursor.execute("select app.today()::text")
        today = cursor.fetchone()[0]
    old = staff.list("compliance-checks", as_of=kept)
    with db.cursor() as cursor:
        cursor.execute("select rule_id, colour, value from"
                       " dudao.compliance_checks where as_of = %s"
                       " and scope_type = 'county'", (kept,))
        assert {(r["rule_id"], r["colour"], r["value"]) for r in old} == {
            (rule, colour, None if value is None else float(value))
            for rule, colour, value in cursor.fetchall()}
    # before the county had zones, inspectors and plaques
    early = staff.one("compliance-checks", as_of="2020-06-30",
                      rule_id="R-ZON-01")
    assert (early["as_of"], early["colour"]) == ("2020-06-30", "red")
    tomorrow = (datetime.date.fromisoformat(today)
                + datetime.timedelta(days=1)).isoformat()
    answer = staff.get("/v1/compliance-checks", status=422,
                       params={"as_of": tomorrow}).json()
    assert answer["errors"][0]["code"] == "date-in-future"
    assert {r["as_of"] for r in staff.list("compliance-checks")} == {today}


@pytest.mark.clause("C1.b")
def test_the_year_goes_to_the_superior_platform(db):
    """X-16: once, in the first months after 31 December."""
    db.autocommit = False
    with db.cursor() as cursor:
        cursor.execute("set local search_path = dudao, app, ext")
        year = merit.day(db, 0).year
        for day in ("05-01", "01-01", "01-20"):
            cursor.execute("set local dudao.now = '%s-%s 08:00+08'"
                           % (year + 1, day))
            cursor.execute("select app.keep_compliance()")
            cursor.execute("select payload, peer, state"
                           " from exchange_messages where type = 'X-16'"
                           " and business_key = 'compliance:%s'", (year,))
            sent = cursor.fetchall()
            assert len(sent) == (day != "05-01")
        payload, peer, state = sent[0]
        assert (peer, state) == ("municipal_platform", "pending")
        cursor.execute("select count(*) from app.compliance_rules")
        assert len(payload["rules"]) == cursor.fetchone()[0]
        kept = f"{year}-12-31"
        assert payload["as_of"] == kept
        assert payload["statistics"]["inspectors"] > 0
        assert [d["dimension"] for d in payload["dimensions"]] == [
            "coverage", "efficiency", "authority", "accountability"]
        # kept, and kept once
        cursor.execute("select count(*), count(distinct (rule_id, scope_id))"
                       " from compliance_checks where as_of = %s", (kept,))
        n, distinct = cursor.fetchone()
        assert n == distinct > len(payload["rules"])
    db.rollback()


@pytest.mark.clause("C1.e")
def test_kept_by_itself(server, db):
    """app.run_due() keeps yesterday; the demo did it when it was loaded."""
    with db.cursor() as cursor:
        cursor.execute("select count(distinct scope_type) from"
                       " dudao.compliance_checks where as_of = ("
                       "select max(as_of) from dudao.compliance_checks)")
        assert cursor.fetchone()[0] == 2


# --- scopes ------------------------------------------------------------------------


@pytest.mark.clause("4.2", "4.3", "C1.e")
def test_scopes_by_role(api):
    seen = {}
    for login in ("committee_director", "zone_lead", "inspector_pt",
                  "school_account", "township_account", "finance_officer",
                  "committee_member"):
        rows = api.login(login).list("compliance-checks")
        kinds = {(r["scope_type"], r["scope_id"]) for r in rows}
        assert len(kinds) == 1, login
        seen[login] = kinds.pop(), {r["rule_id"] for r in rows}
    assert [kind for (kind, _), _ in seen.values()] == [
        "county", "zone", "inspector", "organization", "organization",
        "county", "organization"]
    rules = seen["finance_officer"][1]
    assert rules and all(r.startswith("R-FIN-") for r in rules)
    school = seen["school_account"][0][1]
    # a township sees the schools of its division, a lead those of the zone
    for login, scope, status in (
            ("township_account", "org:" + school, 200),
            ("zone_lead", "org:" + school, 200),
            ("zone_lead", "zone:Z1", 403), ("zone_lead", "county", 403),
            ("school_account", "county", 403),
            ("school_account", "org:MU07", 403),
            ("inspector_pt", "zone:Z1", 403),
            ("finance_officer", "zone:Z1", 403),
            ("office_staff", "zone:Z1", 200),
            ("office_staff", "org:" + school, 200),
            ("office_staff", "org:none", 422),
            ("office_staff", "school:1", 400)):
        answer = api.login(login).get("/v1/compliance-checks", status=status,
                                      params={"scope": scope}).json()
        if status == 403:
            assert answer["code"] == "out-of-scope"
    api.get("/v1/compliance-checks", status=401)


@pytest.mark.clause("C1.b", "4.3")
def test_the_platform_reads_the_year(api):
    platform = api.login("platform_service")
    rows = platform.list("compliance-checks")
    assert rows and {r["as_of"][5:] for r in rows} == {"12-31"}
    platform.get("/v1/compliance-checks", status=403,
                 params={"as_of": rows[0]["as_of"], "scope": "zone:Z1"})
    platform.get("/v1/compliance-checks", status=403,
                 params={"as_of": "2026-11-01"})


@pytest.mark.clause("4.2")
def test_rows_are_kept_from_hand(as_login):
    """Nobody writes a result; the database shows each role its own."""
    staff = as_login("office_staff")
    with staff.cursor() as cursor:
        cursor.execute("select count(*) from dudao.compliance_checks")
        assert cursor.fetchone()[0]
        cursor.execute("update dudao.compliance_checks set colour = 'green'")
        assert cursor.rowcount == 0
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("delete from dudao.compliance_checks")
    for login in ("school_account", "public"):
        with as_login(login).cursor() as cursor:
            cursor.execute("select count(*) from dudao.compliance_checks")
            assert cursor.fetchone()[0] == 0


# --- the four goals ------------------------------------------------------------------


@pytest.mark.clause("C1.e")
def test_roll_up(db):
    """Red: a critical rule or a tenth of the rules; amber: any; else green."""

    def colour(*checks):
        rows = ", ".join(
            f"('R-XXX-{i:02}', 'coverage', {critical}, '{c}')"
            for i, (c, critical) in enumerate(checks))
        with db.cursor() as cursor:
            cursor.execute(f"""
                select d.colour from app.roll_up(array(
                    select jsonb_populate_record(null::dudao.compliance_checks,
                        jsonb_build_object('rule_id', v.r, 'dimension', v.d,
                            'is_critical', v.k, 'colour', v.c))
                    from (values {rows}) as v(r, d, k, c))) d
                where d.dimension = 'coverage'""")
            return cursor.fetchone()[0]

    green, amber, red = ("green", False), ("amber", False), ("red", False)
    off = ("not_applicable", True)
    assert colour(green, green, off) == "green"
    assert colour(off) == "not_applicable"
    assert colour(green, amber) == "amber"
    assert colour(*[green] * 10, red) == "amber"
    assert colour(*[green] * 9, red) == "red"
    # what does not apply does not count
    assert colour(*[green] * 9, *[off] * 5, red) == "red"
    assert colour(*[green] * 30, ("red", True)) == "red"


@pytest.mark.clause("C1.e")
def test_dimensions(api):
    reader = api.login("leader_reader")
    answer = reader.get("/v1/compliance-dimensions", status=200,
                        params={"scope": "zone:Z4"}).json()
    assert answer["scope_type"] == "zone"
    assert [d["dimension"] for d in answer["data"]] == [
        "coverage", "efficiency", "authority", "accountability"]
    rows = reader.list("compliance-checks", scope="zone:Z4")
    for d in answer["data"]:
        mine = [r["colour"] for r in rows if r["dimension"] == d["dimension"]]
        assert [mine.count(c) for c in (
            "green", "amber", "red", "not_applicable")] == [
            d["green"], d["amber"], d["red"], d["not_applicable"]]
    api.login("school_account").get("/v1/compliance-dimensions", status=403,
                                    params={"scope": "county"})


@pytest.mark.clause("C1.e", "4.3")
def test_headline_for_the_public(api):
    answer = api.get("/v1/public/statistics/headline", status=200)
    assert "public" in answer.headers["Cache-Control"]
    body = answer.json()
    assert body["numbers"]["inspectors"] > 0
    assert len(body["dimensions"]) == 4
