from support.client import unique
from support.walks import Recipe


class ExpenseClaims(Recipe):
    resource = "expense_claims"

    def make(self, state):
        visit, visited_on = self.sql("""
            select v.id::text, v.visited_on::text from dudao.visits v
            join dudao.inspectors i on i.id = v.inspector_id
            join dudao.users u on u.person_id = i.person_id
            where u.login = 'inspector_ft' and v.state in
                ('submitted', 'school_confirmed', 'reviewed')
            order by v.visited_on desc limit 1""")[0]
        return self.api.login("inspector_ft").create("expense-claims", {
            "activity_type": "visits", "activity_id": visit, "items": [{
                "category": "transport", "occurred_on": visited_on,
                "amount_fen": 1000, "invoice_no": unique("FP")}]})

    def body(self, action, row, from_state):
        if action in ("return", "reject"):
            return {"reason": "请补充票据"}
        if action == "check":
            return {"budget_line_id": self.value("""
                select l.id::text from dudao.budget_lines l
                join dudao.budgets b on b.id = l.budget_id
                where b.year = extract(year from %s::date) and l.name = ''
                    and l.category = %s""", row["activity_on"], row["category"])}
        if action == "pay":
            return {"voucher_no": unique("记字"),
                    "paid_on": str(self.value("select app.today()"))}
        return {}
