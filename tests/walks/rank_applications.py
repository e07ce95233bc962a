from support import merit
from support.client import unique
from support.walks import Recipe


class RankApplications(Recipe):
    resource = "rank_applications"

    def make(self, state):
        inspector, _ = merit.applicant(self.db)
        return self.api.login("office_staff").create("rank-applications", {
            "inspector_id": inspector, "to_rank_id": merit.first_rank(self.db),
            "statement": "任督学四年，年度考核优秀。",
            "materials": [{"title": "年度考核表"}]})

    def ready(self, action, row, from_state):
        if action == "approve":
            self.alter(row["id"], publicity_from=merit.day(self.db, -10),
                       publicity_to=merit.day(self.db, -1))

    def body(self, action, row, from_state):
        return {
            "supplement": {"materials": [{"title": "培训证书"}]},
            "evaluate": {"review_panel": merit.panel(
                self.db, besides=row["inspector_id"])},
            "approve": {"decision_doc_no": unique("平教督")},
            "reject": {"reason": "评审得分未达要求"},
            "void": {"void_reason": "重复申报"}}.get(action, {})

    def actor(self, action, row, roles):
        if action == "supplement":
            return self.value(
                "select u.login from dudao.users u join dudao.inspectors i"
                " on i.person_id = u.person_id where i.id = %s",
                row["inspector_id"])
        return roles[0]
