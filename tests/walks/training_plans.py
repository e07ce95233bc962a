from support.walks import Recipe


class TrainingPlans(Recipe):
    resource = "training_plans"

    def make(self, state):
        year = self.value("select min(y) from generate_series(2040, 2100) y"
                          " where y not in (select year"
                          "     from dudao.training_plans)")
        staff = self.api.login("office_staff")
        plan = staff.create("training-plans", {
            "year": year, "title": f"{year}年督学培训计划",
            "hours_target": 40})
        for kind in ("pre_service", "capacity_building"):
            staff.create("training-sessions", {
                "plan_id": plan["id"], "kind": kind, "title": "培训班",
                "mode": "concentrated", "hours": 20,
                "starts_at": f"{year}-03-01T01:00:00.000000Z",
                "ends_at": f"{year}-03-03T09:00:00.000000Z"})
        return plan

    def ready(self, action, row, from_state):
        if action == "close":
            chief = self.api.login("chief_inspector")
            for session in chief.list("training-sessions",
                                      plan_id=row["id"], state="planned"):
                chief.act("training-sessions", session, "cancel",
                          {"reason": "本年度不再举办"})

    def body(self, action, row, from_state):
        return {"approve": {"included_in_cadre_teacher_plan": True,
                            "inclusion_doc_no": "平教通〔2040〕1号"},
                "return": {"reason": "请补充专题培训"}}.get(action, {})
