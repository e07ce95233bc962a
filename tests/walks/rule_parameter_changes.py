from support.walks import Recipe


class RuleParameterChanges(Recipe):
    resource = "rule_parameter_changes"

    def make(self, state):
        admin = self.api.login("sys_admin")
        row = admin.one("rule-parameters", key="claim_window_days")
        return admin.create("rule-parameter-changes", {
            "rule_parameter_id": row["id"], "value": row["value"] + 1,
            "reason": "结合本县实际调整"})

    def body(self, action, row, from_state):
        return {"reason": "依据不足"} if action == "reject" else {}
