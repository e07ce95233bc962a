from support import appointments
from support.walks import Recipe

TERM = "(app.today() + %s::integer + 1 - interval '3 years')::date"


class InspectorAppointments(Recipe):
    resource = "inspector_appointments"

    def make(self, state):
        row, self.login = appointments.candidate(self.api, self.db)
        return row

    def ready(self, action, row, from_state):
        if action == "approve":
            appointments.publicity_is_over(self.db, row["id"])
        elif action == "reject" and from_state == "publicizing":
            staff = self.api.login("office_staff")
            staff.act("inspector-appointments", row["id"],
                      "record-objection", {"text": "反映材料不实"})
            self.api.login("chief_inspector").act(
                "inspector-appointments", row["id"], "decide-objection",
                {"no": 1, "upheld": True, "opinion": "情况属实"})
        elif action == "decide_objection":
            self.api.login("office_staff").act(
                "inspector-appointments", row["id"], "record-objection",
                {"text": "反映时间难以保证"})
        elif action == "activate":
            appointments.trained(self.db, row["id"])
        elif action in ("renew", "end"):
            self.ends_in(row["id"], 30 if action == "renew" else -1)
        elif action == "resign":
            self.api.login(self.login).act(
                "inspector-appointments", row["id"], "request-resignation",
                {"reason": "工作调动"})

    def ends_in(self, id, days):
        starts, = self.sql("select " + TERM, days)[0]
        self.alter(id, starts_on=starts, ends_on=self.value(
            "select (%s::date + interval '3 years')::date - 1", starts))

    def actor(self, action, row, roles):
        return self.login if action == "request_resignation" else roles[0]

    def body(self, action, row, from_state):
        reason = {"reason": "按规定办理"}
        return {
            "review": {"qualification": appointments.FORM},
            "record_objection": {"text": "反映时间难以保证"},
            "decide_objection": {"no": 1, "upheld": False,
                                 "opinion": "经核实不影响任职"},
            "appoint": {"decision_doc_no": "示例〔2026〕1号"},
            "dismiss": {"ground": "dereliction", **reason},
            "reject": reason, "void": reason, "request_resignation": reason,
        }.get(action, {})
