from support.walks import Recipe


class PolicyRecommendations(Recipe):
    resource = "policy_recommendations"

    def make(self, state):
        return self.api.login("research_center").create(
            "policy-recommendations", {
                "title": "关于健全乡镇教育督导机制的建议",
                "text": "建议按季通报乡镇履行教育职责情况。",
                "addressed_to_org_id": self.value(
                    "select id::text from dudao.organizations"
                    " where code = 'MU07'")})

    def body(self, action, row, from_state):
        return {"adopt": {"adopted_doc_no": "平教发〔2026〕31号"},
                "decline": {"reason": "与省级规定不一致"}}.get(action, {})
