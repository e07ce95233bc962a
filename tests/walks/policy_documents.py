from support.client import unique
from support.walks import Recipe

REASONS = {"return": "请补充依据", "repeal": "已由新制度替代", "void": "重复起草"}


class PolicyDocuments(Recipe):
    resource = "policy_documents"

    def make(self, state):
        staff = self.api.login("office_staff")
        body = {"title": unique("示例制度"), "kind": "other",
                "level": "county", "clauses": [
                    {"clause_id": "第一条", "text": "示例条款"}]}
        if state == "in_force":
            return staff.post("/v1/policy-documents/register-external",
                              status=201, json={
                                  **body, "doc_no": unique("示例〔2026〕"),
                                  "issuer": "演示单位",
                                  "issued_on": "2026-01-05"}).json()
        return staff.create("policy-documents", {
            **body, "issuer": "平江县人民政府教育督导委员会办公室"})

    def body(self, action, row, from_state):
        body = {}
        if action in REASONS:
            body["reason"] = REASONS[action]
        if action == "repeal":
            body["effective_to"] = self.value("select app.today()::text")
        if action == "issue":
            body["doc_no"] = unique("平教督〔2026〕")
        if action == "supersede":
            body = {"superseded_by_id": self.make("draft")["id"],
                    "effective_to": self.value("select app.today()::text")}
        return body

    def actor(self, action, row, roles):
        return "chief_inspector" if "chief_inspector" in roles else roles[0]
