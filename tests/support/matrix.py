"""The permission matrix (4.3) and the scopes (4.2), apart from the service.

Matrix reads tests/api/matrix.yaml. Scopes says which rows of a table lie
within a role's reach, in plain SQL that the owner of all tables runs: neither
the policies nor the functions behind them take part.
"""

import pathlib

import yaml

FILE = pathlib.Path(__file__).resolve().parents[1] / "api" / "matrix.yaml"
LETTERS = {"read": "R", "write": "W", "transition": "T"}


class Matrix:
    def __init__(self):
        with open(FILE, encoding="utf-8") as text:
            tree = yaml.safe_load(text)
        self.roles = [role for roles in tree["columns"].values()
                      for role in roles]
        self.tables = {}            # table -> group
        self._cells = {}            # (group, role) -> {(letter, scope)}
        for group, row in tree["rows"].items():
            for table in row["tables"]:
                self.tables[table] = group
            self._add(tree, group, row["cells"])
        for row in tree["more"]:
            self._add(tree, row["group"], row["cells"])
        self.tables["audit_logs"] = "audit_logs"
        self.groups = set(tree["rows"])

    def _add(self, tree, group, cells):
        for column, cell in cells.items():
            rights = {(letter, word[-1]) for word in cell.split()
                      for letter in word[:-1]}
            for role in tree["columns"][column]:
                self._cells.setdefault((group, role), set()).update(rights)

    def rights(self, group, role):
        """{(letter, scope)}: empty where the role has no cell."""
        return self._cells.get((group, role), set())

    def scopes(self, group, role, letters):
        return {scope for letter, scope in self.rights(group, role)
                if letter in letters}

    def allows(self, role, operation):
        """Whether the operation's declared scopes are the role's."""
        if not operation["security"] or {} in operation["security"]:
            return True
        if role == "public":
            return False
        return all(
            self.scopes(group.replace("-", "_"), role, LETTERS[word])
            for group, word in (
                scope.split(":") for scope in operation["security"][0]
                ["bearer"]))


# --- 4.2 ----------------------------------------------------------------------

# What the predicates refer to, each a list, for %(me)s and %(org)s.
FACTS = {
    "person": "select person_id from users where id = %(me)s",
    "inspector": "select i.id from inspectors i join users u"
                 " on u.person_id = i.person_id where u.id = %(me)s",
    "zones": """
        select g.scope_zone_id from role_grants g
        where g.user_id = %(me)s and g.role = 'zone_lead'
            and g.state = 'active' and g.scope_zone_id is not null
        union
        select z.id from zones z
        where z.lead_inspector_id = any (%(inspector)s::uuid[])""",
    "zone_units": "select organization_id from schools"
                  " where zone_id = any (%(zones)s::uuid[])",
    "zone_inspectors": "select inspector_id from zone_memberships"
                       " where zone_id = any (%(zones)s::uuid[])"
                       "     and ended_on is null",
    "my_zone": "select zone_id from zone_memberships"
               " where inspector_id = any (%(inspector)s::uuid[])"
               "     and ended_on is null",
    "recused_units": """
        select organization_id from recusals
        where inspector_id = any (%(inspector)s::uuid[])
            and decision = 'granted' and organization_id is not null""",
    "recused_targets": """
        select target_id from recusals
        where inspector_id = any (%(inspector)s::uuid[])
            and decision = 'granted' and target_id is not null""",
    "recused_visits": """
        select visit_id from recusals
        where inspector_id = any (%(inspector)s::uuid[])
            and decision = 'granted' and visit_id is not null""",
    "tasks": """
        select task_id from team_members
        where inspector_id = any (%(inspector)s::uuid[])
        union
        select id from supervision_tasks
        where leader_inspector_id = any (%(inspector)s::uuid[])""",
    # on whose gate my name hangs, and what my teams look at
    "assigned": """
        select s.organization_id from plaques p
        join schools s on s.id = p.school_id
        where p.inspector_id = any (%(inspector)s::uuid[])
            and p.state = 'posted'
            and s.organization_id <> all (%(recused_units)s::uuid[])
        union
        select t.organization_id from team_members m
        join supervision_targets t on t.task_id = m.task_id
        where m.inspector_id = any (%(inspector)s::uuid[])
            and (m.target_ids = '{}' or t.id = any (m.target_ids))
            and t.id <> all (%(recused_targets)s::uuid[])
            and t.organization_id <> all (%(recused_units)s::uuid[])""",
    "jurisdiction": """
        select o.id from organizations o
        where o.division_id in (select m.division_id from organizations m
            where m.id = %(org)s)""",
    "managed": "select id from organizations"
               " where parent_organization_id = %(org)s"
               "     or managed_by_id = %(org)s",
    "circulated": """
        select subject_id from dispatches
        where recipient_organization_id = %(org)s
            and state in ('sent', 'received')""",
}

IN_ZONE = "organization_id = any (%(zone_units)s::uuid[])"
KEPT_OFF = (" and (target_id is null"
            " or target_id <> all (%(recused_targets)s::uuid[]))")
ASSIGNED = "organization_id = any (%(assigned)s::uuid[])"
OWN = "organization_id = %(org)s"
JURISDICTION = "organization_id = any (%(jurisdiction)s::uuid[])"
CIRCULATED = "id = any (%(circulated)s::uuid[])"
BY_ME = "inspector_id = any (%(inspector)s::uuid[])"
NOTHING = "false"


def published(table):
    return ("id in (select p.subject_id from publications p"
            f" where p.subject_type = '{table}'"
            "     and p.state in ('published', 'corrected')"
            "     and (p.expires_at is null or p.expires_at > now()))")


def of_evaluation(condition, more=""):
    """Rows of an evaluation that the condition names."""
    return (f"evaluation_id in (select id from evaluations where {condition})"
            + more)


# What the office scored is told with the preliminary result.
TOLD = (" and (stage = 'self' or evaluation_id in (select id from evaluations"
        " where state in ('preliminary', 'objected', 'finalized', 'delivered',"
        " 'included')))")
FINAL = "state in ('finalized', 'delivered', 'included')"
EVALUATED_ZONE = IN_ZONE + " or zone_id = any (%(zones)s::uuid[])"

# table -> scope -> rows. Units see what has left the desk of who writes it.
SCOPES = {
    "compliance_checks": {
        "f": "scope_type = 'county' and rule_id like 'R-FIN-%%'",
        "z": "scope_type = 'zone' and scope_id = any (%(zones)s::uuid[])"
             " or scope_type = 'organization'"
             "     and scope_id = any (%(zone_units)s::uuid[])",
        "n": "scope_type = 'inspector'"
             " and scope_id = any (%(inspector)s::uuid[])",
        "o": "scope_type = 'organization' and scope_id = %(org)s",
        "j": "scope_type = 'organization'"
             " and scope_id = any (%(jurisdiction)s::uuid[])",
        "y": "scope_type = 'county' and extract(doy from as_of + 1) = 1",
        "h": NOTHING},
    "divisions": {"p": "true"},
    "code_items": {"p": "active"},
    "semesters": {"p": "true"},
    "calendar_days": {"p": "true"},
    "organizations": {
        # with the townships in which the zone's schools lie, and the own desk
        "z": "id = any (%(zone_units)s::uuid[]) or id = %(org)s"
             " or kind in ('township_government', 'subdistrict_office')"
             "     and division_id in (select unnest(z.division_ids)"
             "         from zones z where z.id = any (%(zones)s::uuid[]))",
        "s": "id = any (%(assigned)s::uuid[]) or id = %(org)s",
        "o": "id = %(org)s", "k": "id = %(org)s",
        "j": "id = any (%(jurisdiction)s::uuid[])",
        "p": "status = 'operating'"},
    "schools": {
        "z": IN_ZONE, "s": ASSIGNED, "o": OWN, "j": JURISDICTION,
        "k": NOTHING, "p": "organization_id in (select o.id"
        " from organizations o where o.status = 'operating')"},
    "persons": {
        "z": IN_ZONE + " or id = any (%(person)s::uuid[])"
             " or id in (select i.person_id from inspectors i"
             "     where i.id = any (%(zone_inspectors)s::uuid[]))",
        "s": ASSIGNED + " or id = any (%(person)s::uuid[])",
        "o": OWN, "j": JURISDICTION, "k": "id = any (%(person)s::uuid[])",
        "p": NOTHING},
    "leadership_terms": {
        "z": IN_ZONE,
        "s": ASSIGNED + " or person_id = any (%(person)s::uuid[])",
        "o": OWN, "j": JURISDICTION, "k": NOTHING, "p": NOTHING},
    "policy_documents": {
        "p": "is_public and voided_at is null"
             " and state in ('in_force', 'superseded', 'repealed')"},
    "zones": {
        "z": "id = any (%(zones)s::uuid[])",
        "o": "id = any (%(my_zone)s::uuid[])", "p": "true"},
    "zone_memberships": {
        "z": "zone_id = any (%(zones)s::uuid[])", "o": BY_ME, "p": NOTHING},
    "inspectors": {
        "z": "id = any (%(zone_inspectors)s::uuid[])"
             " or id = any (%(inspector)s::uuid[])",
        "o": "id = any (%(inspector)s::uuid[])",
        "p": "id in (select p.inspector_id from plaques p"
             " where p.state = 'posted')"},
    "plaques": {
        "z": "school_id in (select s.id from schools s"
             " where s.zone_id = any (%(zones)s::uuid[]))",
        "o": BY_ME, "p": "state = 'posted'"},
    "inspector_appointments": {
        "z": "inspector_id = any (%(zone_inspectors)s::uuid[])",
        "o": "recommended_by_org_id = %(org)s", "n": BY_ME,
        "p": "voided_at is null"
             " and state in ('publicizing', 'appointed', 'active')"},
    "inspector_assessments": {
        "z": "inspector_id = any (%(zone_inspectors)s::uuid[])",
        "n": BY_ME, "o": NOTHING, "p": NOTHING},
    "inspector_ranks": {
        "z": NOTHING, "n": "true", "o": NOTHING, "p": NOTHING},
    "rank_applications": {
        "z": "inspector_id = any (%(zone_inspectors)s::uuid[])",
        "n": BY_ME, "o": NOTHING, "p": NOTHING},
    "awards": {
        "z": "state in ('publicized', 'granted', 'revoked')"
             " and (recipient_zone_id = any (%(zones)s::uuid[])"
             "     or recipient_inspector_id"
             "         = any (%(zone_inspectors)s::uuid[])"
             "     or recipient_organization_id"
             "         = any (%(zone_units)s::uuid[]))",
        "n": "state in ('publicized', 'granted', 'revoked')"
             " and recipient_inspector_id = any (%(inspector)s::uuid[])",
        "o": "state in ('publicized', 'granted', 'revoked')"
             " and recipient_organization_id = %(org)s",
        "p": "state in ('publicized', 'granted')"},
    "award_decisions": {
        "z": "state = 'decided'", "n": "state = 'decided'",
        "o": "state = 'decided'", "p": NOTHING},
    "recusals": {
        "z": "inspector_id = any (%(zone_inspectors)s::uuid[])",
        "o": OWN + " or target_id in (select t.id from supervision_targets t"
             " where t.organization_id = %(org)s)"
             " or visit_id in (select v.id from visits v"
             " where v.organization_id = %(org)s)", "n": BY_ME},
    "supervision_tasks": {
        "z": "id = any (%(tasks)s::uuid[]) or id in (select g.task_id"
             " from supervision_targets g"
             " where g.organization_id = any (%(zone_units)s::uuid[])"
             "     or g.zone_id = any (%(zones)s::uuid[]))",
        "s": "id = any (%(tasks)s::uuid[])",
        "o": "state not in ('draft', 'approved') and id in (select g.task_id"
             " from supervision_targets g where g.organization_id = %(org)s"
             "     and g.state <> 'pending')",
        "c": CIRCULATED, "k": NOTHING},
    "supervision_targets": {
        "z": IN_ZONE + " or zone_id = any (%(zones)s::uuid[])"
             " or task_id = any (%(tasks)s::uuid[])",
        "s": "(task_id = any (%(tasks)s::uuid[]) or " + ASSIGNED + ")"
             " and (organization_id is null"
             "     or organization_id <> all (%(recused_units)s::uuid[]))"
             " and id <> all (%(recused_targets)s::uuid[])",
        "o": "state <> 'pending' and " + OWN,
        "i": "state in ('opinion_issued', 'opinion_received', 'rectifying',"
             " 'closed') and " + JURISDICTION,
        "c": CIRCULATED, "k": NOTHING},
    "visits": {
        "z": IN_ZONE + " or " + BY_ME, "s": ASSIGNED + KEPT_OFF
        + " and id <> all (%(recused_visits)s::uuid[]) or " + BY_ME,
        "o": "state <> 'draft' and " + OWN,
        "j": "state = 'reviewed' and " + JURISDICTION, "k": NOTHING},
    "problems": {
        "z": IN_ZONE,
        "s": ASSIGNED + KEPT_OFF
             + " and (visit_id is null"
             "     or visit_id <> all (%(recused_visits)s::uuid[]))"
             " or reviewer_inspector_ids && %(inspector)s::uuid[]"
             " or visit_id in (select v.id from visits v"
             "     where v.inspector_id = any (%(inspector)s::uuid[]))",
        "o": "state <> 'draft' and " + OWN,
        "u": "member_organization_id = %(org)s",
        "i": "state not in ('draft', 'listed', 'voided') and "
             + JURISDICTION,
        "m": "state <> 'draft'"
             " and organization_id = any (%(managed)s::uuid[])",
        "c": CIRCULATED, "k": NOTHING, "p": NOTHING},
    "publications": {
        "o": "publisher_org_id = %(org)s", "x": NOTHING,
        "p": "state in ('published', 'corrected')"
             " and (expires_at is null or expires_at > now())"},
    "publication_channels": {"o": NOTHING, "p": "active", "x": "true"},
    "users": {"n": "id = %(me)s"},
    "role_grants": {"n": "user_id = %(me)s"},
    "api_tokens": {"n": "user_id = %(me)s"},
    "rule_parameters": {},
    "rule_parameter_changes": {},
    "audit_logs": {
        "o": OWN,
        "t": "subject_type in ('users', 'role_grants', 'api_tokens',"
             " 'rule_parameters', 'rule_parameter_changes', 'code_items',"
             " 'calendar_days', 'semesters', 'divisions',"
             " 'publication_channels')"},
    # with the notice; resolutions with the minutes
    "meetings": {"c": CIRCULATED, "o": NOTHING},
    "meeting_resolutions": {
        "c": "issued_on is not null"
             " and meeting_id = any (%(circulated)s::uuid[])",
        "o": "issued_on is not null and owner_organization_id = %(org)s"},
    "major_matters": {
        "z": IN_ZONE, "s": ASSIGNED, "o": OWN, "c": CIRCULATED},
    "annual_targets": {
        "o": OWN + " and (state not in ('draft', 'voided')"
             "     or proposed_by_unit)"},
    "notifications": {"n": "recipient_user_id = %(me)s"},
    "attachments": {
        # a unit's files belong to the unit, an office's to who brought them
        "o": "created_by = %(me)s or organization_id = %(org)s and exists ("
             "select from role_grants g where g.user_id = %(me)s"
             "     and g.role in ('school_account', 'township_account',"
             "         'department_account'))"},
    # with the tasks that the inspector sees
    "supervision_reports": {
        "z": "task_id = any (%(tasks)s::uuid[]) or task_id in ("
             "select g.task_id from supervision_targets g"
             " where g.organization_id = any (%(zone_units)s::uuid[])"
             "     or g.zone_id = any (%(zones)s::uuid[]))",
        "s": "task_id = any (%(tasks)s::uuid[])",
        "c": CIRCULATED, "p": "published_on is not null", "k": NOTHING},
    "committee_members": {"o": OWN, "p": "left_on is null"},
    "member_units": {"o": OWN, "p": "left_on is null"},
    "liaisons": {
        "o": "member_unit_id in (select u.id from member_units u"
             " where u.organization_id = %(org)s)",
        "p": NOTHING},
    "office_staff": {
        "o": NOTHING, "p": "ended_on is null and post <> 'staff'"},
    "indicator_frameworks": {
        "k": NOTHING, "p": "state = 'in_force' and voided_at is null"},
    "indicators": {
        "k": NOTHING, "p": "framework_id in (select id"
        " from indicator_frameworks"
        " where state = 'in_force' and voided_at is null)"},
    "evaluation_campaigns": {
        "z": "id in (select campaign_id from evaluations where "
             + EVALUATED_ZONE + ")",
        "s": f"id in (select campaign_id from evaluations where {ASSIGNED})",
        "o": f"id in (select campaign_id from evaluations where {OWN})",
        "f": "state in ('finalized', 'published', 'closed')",
        "c": CIRCULATED, "k": NOTHING, "p": NOTHING},
    "evaluations": {
        "z": EVALUATED_ZONE, "s": ASSIGNED, "o": OWN, "f": FINAL,
        "c": "campaign_id = any (%(circulated)s::uuid[])",
        "k": NOTHING, "p": NOTHING},
    "evaluation_scores": {
        "z": of_evaluation(EVALUATED_ZONE, TOLD),
        "s": of_evaluation(ASSIGNED, TOLD), "o": of_evaluation(OWN, TOLD),
        "f": of_evaluation(FINAL), "c": NOTHING, "k": NOTHING, "p": NOTHING},
    "evaluation_objections": {
        "z": of_evaluation(EVALUATED_ZONE), "s": of_evaluation(ASSIGNED),
        "o": of_evaluation(OWN), "f": of_evaluation(FINAL),
        "c": NOTHING, "k": NOTHING, "p": NOTHING},
    "budgets": {
        "z": NOTHING, "n": NOTHING,
        "p": "state in ('approved', 'adjusted', 'closed')"},
    "budget_lines": {"z": NOTHING, "n": NOTHING, "p": NOTHING},
    "expense_claims": {
        "z": NOTHING, "p": NOTHING,
        "n": "claimant_inspector_id = any (%(inspector)s::uuid[])"},
    "facilities": {
        "z": "zone_id = any (%(zones)s::uuid[])", "n": NOTHING, "p": NOTHING},
    "informatization_items": {"o": NOTHING},
    "external_identifiers": {"o": "system = 'municipal_platform'"},
    "exchange_messages": {"o": "peer = 'municipal_platform'"},
    "dispatches": {
        "o": "(recipient_organization_id = %(org)s"
             " or recipient_person_id = any (%(person)s::uuid[]))"
             " and state in ('sent', 'received', 'returned')",
        "n": "recipient_person_id = any (%(person)s::uuid[])"
             " and state in ('sent', 'received', 'returned')"},
    "training_plans": {
        "n": "state in ('approved', 'closed')",
        "z": "state in ('approved', 'closed')"},
    "training_sessions": {
        "n": "state = 'open' or trainer_person_id = any (%(person)s::uuid[])"
             " or id in (select r.session_id from training_records r"
             "     where r.inspector_id = any (%(inspector)s::uuid[]))",
        "z": "state = 'open' or id in (select r.session_id"
             " from training_records r"
             "     where r.inspector_id = any (%(zone_inspectors)s::uuid[]))"},
    "training_records": {
        "n": BY_ME + " or session_id in (select s.id"
             " from training_sessions s"
             "     where s.trainer_person_id = any (%(person)s::uuid[]))",
        "z": "inspector_id = any (%(zone_inspectors)s::uuid[])"},
    "center_engagements": {
        "c": CIRCULATED, "n": NOTHING, "o": NOTHING,
        "p": published("center_engagements")},
    "research_projects": {
        "c": CIRCULATED, "o": NOTHING, "p": published("research_projects"),
        "n": "leader_person_id = any (%(person)s::uuid[])"
             " or member_person_ids && %(person)s::uuid[]"
             " or created_by = %(me)s"},
    "policy_recommendations": {
        "c": CIRCULATED, "p": published("policy_recommendations"),
        "o": "addressed_to_org_id = %(org)s and state <> 'draft'",
        "n": "created_by = %(me)s"},
    "exchange_activities": {
        "c": CIRCULATED, "o": NOTHING,
        "p": published("exchange_activities"),
        "n": "participant_inspector_ids && %(inspector)s::uuid[]"
             " or created_by = %(me)s"},
}

# Rows that are seen with their parent.
CHILDREN = {
    "expense_items": ("expense_claims", "claim_id"),
    "team_members": ("supervision_tasks", "task_id"),
    "supervision_notices": ("supervision_tasks", "task_id"),
    "visit_items": ("visits", "visit_id"),
    "rectification_plans": ("problems", "problem_id"),
    "rectification_reports": ("problems", "problem_id"),
    "problem_reviews": ("problems", "problem_id"),
    "publication_placements": ("publications", "publication_id"),
    "meeting_agenda_items": ("meetings", "meeting_id"),
    "meeting_attendances": ("meetings", "meeting_id"),
}

class Scopes:
    """Rows within reach of an account that acts in one role."""

    def __init__(self, db, matrix, role, login):
        self.db = db
        self.matrix = matrix
        self.role = role
        self.facts = {"me": None, "org": None}
        self._kept = {}
        if login != "public":
            self.facts["me"], self.facts["org"] = self._rows(
                "select id, organization_id from users where login = %(l)s",
                l=login)[0]
        for name, statement in FACTS.items():
            self.facts[name] = [row[0] for row in self._rows(
                statement, **self.facts)]

    def _rows(self, statement, **values):
        with self.db.cursor() as cursor:
            cursor.execute("set search_path = dudao, app, ext")
            cursor.execute(statement, values)
            return cursor.fetchall()

    def ids(self, table, letters="R"):
        """Ids of the rows that one of the operations reaches."""
        key = table, letters
        if key not in self._kept or table == "audit_logs":
            scopes = self.matrix.scopes(self.matrix.tables[table], self.role,
                                        letters)
            self._kept[key] = set().union(*(
                self._in_scope(table, scope) for scope in scopes))
        return self._kept[key]

    def all_ids(self, table):
        return self._where(table, "true")

    def _where(self, table, condition):
        return {row[0] for row in self._rows(
            f"select id::text from {table} where {condition}", **self.facts)}

    def _in_scope(self, table, scope):
        if scope == "a":
            return self.all_ids(table)
        if table in CHILDREN:
            parent, key = CHILDREN[table]
            return {row[0] for row in self._rows(
                f"select id::text from {table} where {key} = any ("
                f"%(parents)s::uuid[])",
                parents=list(self._in_scope(parent, scope)))}
        if scope == "v":
            return self._with_subject()
        return self._where(table, SCOPES[table][scope])

    def _with_subject(self):
        """Files that hang on a record that the role sees."""
        found = set()
        for table in self.matrix.tables:
            if table not in ("attachments", "audit_logs"):
                found |= {row[0] for row in self._rows(
                    "select id::text from attachments where"
                    " subject_type = %(table)s"
                    "     and subject_id = any (%(ids)s::uuid[])",
                    table=table, ids=list(self.ids(table)))}
        return found


MATRIX = Matrix()
