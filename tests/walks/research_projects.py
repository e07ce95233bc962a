from support.walks import Recipe


class ResearchProjects(Recipe):
    resource = "research_projects"

    def make(self, state):
        return self.api.login("inspector_20").create("research-projects", {
            "kind": "policy_study", "title": "乡镇教育督导机制研究",
            "leader_person_id": self.value(
                "select id::text from dudao.persons"
                " where name = '演示督学20'"),
            "starts_on": "2026-01-01", "ends_on": "2030-12-31"})

    def actor(self, action, row, roles):
        return "inspector_20" if action in ("start", "conclude") \
            else roles[0]

    def body(self, action, row, from_state):
        return {"conclude": {"outcome": "研究报告一份"},
                "reject": {"reason": "与已立项课题重复"},
                "terminate": {"reason": "主持人工作调动"}}.get(action, {})
