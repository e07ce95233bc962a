import json

from support import merit
from support.client import unique
from support.walks import Recipe


class Awards(Recipe):
    resource = "awards"

    def make(self, state):
        return self.api.login("office_staff").create(
            "awards", merit.award_body(self.db))

    def ready(self, action, row, from_state):
        if action == "decide_objection":
            self.alter(row["id"], objections=json.dumps([{
                "no": 1, "raised_by": "群众来信", "text": "建议核实。",
                "received_on": str(merit.day(self.db, 0)), "upheld": None,
                "opinion": None, "decided_on": None}]))
        elif action == "grant":
            self.alter(row["id"], publicity_from=merit.day(self.db, -10),
                       publicity_to=merit.day(self.db, -1))

    def body(self, action, row, from_state):
        return {
            "raise_objection": {"raised_by": "群众来信", "text": "建议核实。"},
            "decide_objection": {"no": 1, "upheld": False,
                                 "opinion": "经核实情况属实"},
            "grant": {"doc_no": unique("平教督委")},
            "revoke": {"reason": "申报事迹不实"},
            "reject": {"reason": "异议成立"},
            "void": {"void_reason": "重复登记"}}.get(action, {})


class AwardDecisions(Recipe):
    resource = "award_decisions"

    def make(self, state):
        # a year of its own: one decision for a year and kind
        year = self.value(
            "select max(y) from generate_series(2012, 2021) as y"
            " where not exists (select from dudao.award_decisions d"
            "     where d.year = y and d.kind = 'inspector'"
            "         and d.voided_at is null)")
        return self.api.login("office_staff").create("award-decisions", {
            "year": year, "kind": "inspector", "decision": "no_award",
            "reason": "当年无督学达到表彰条件"})

    def body(self, action, row, from_state):
        return {"decide": {"doc_no": unique("平教督委")},
                "void": {"void_reason": "类别有误"}}.get(action, {})
