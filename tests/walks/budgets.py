from support.walks import Recipe


class Budgets(Recipe):
    resource = "budgets"

    def make(self, state):
        return self.api.login("finance_officer").create("budgets", {
            "year": self.value("""
                select min(y) from generate_series(2040, 2100) as y
                where y not in (select year from dudao.budgets)"""),
            "requested_fen": 1000000,
            "lines": [{"category": "inspector_activity", "amount_fen": 600000},
                      {"category": "training", "amount_fen": 400000}]})

    def body(self, action, row, from_state):
        if action == "approve":
            return {"approved_fen": 1000000, "approved_on": str(self.value(
                "select app.today()")),
                "approved_doc_no": f"平财教〔{row['year']}〕1号"}
        if action == "adjust":
            return {"reason": "培训增加", "lines": [
                {"category": "inspector_activity", "amount_fen": 500000},
                {"category": "training", "amount_fen": 500000}]}
        return {}
