from support import merit
from support.walks import Recipe


class InspectorAssessments(Recipe):
    resource = "inspector_assessments"

    def make(self, state):
        inspector, year, _ = merit.unassessed(self.db)
        return self.api.login("office_staff").create(
            "inspector-assessments", {"inspector_id": inspector, "year": year})

    def body(self, action, row, from_state):
        return {"self_review": {"self_review": "全年入校督导 62 次。"},
                "assess": {"dimensions": merit.DIMENSIONS},
                "void": {"void_reason": "年内调离"}}.get(action, {})

    def actor(self, action, row, roles):
        if action == "self_review":
            return self.value(
                "select u.login from dudao.users u join dudao.inspectors i"
                " on i.person_id = u.person_id where i.id = %s",
                row["inspector_id"])
        return "office_staff" if action == "assess" else roles[0]
