import datetime

from support.walks import Recipe


class AnnualTargets(Recipe):
    resource = "annual_targets"

    def make(self, state):
        office = self.api.login("office_staff")
        due = datetime.date.today() + datetime.timedelta(30)
        return office.create("annual-targets", {
            "organization_id": office.one("organizations",
                                          q="安定镇人民政府")["id"],
            "year": due.year, "title": "改造校门口道路", "measure": "完成条数",
            "target_value": 2, "unit": "条", "due_on": str(due)})

    def ready(self, action, row, from_state):
        if action.startswith("verify") and from_state == "issued":
            # ten working days after it was due, nothing was reported
            due = datetime.date.today() - datetime.timedelta(40)
            self.alter(row["id"], due_on=due, year=due.year, seq=self.value(
                "select min(n) from generate_series(1, 999) as n"
                " where not exists (select from dudao.annual_targets"
                " where organization_id = %s and year = %s and seq = n)",
                row["organization_id"], due.year))

    def actor(self, action, row, roles):
        return "township_account" if action == "report" else roles[0]

    def body(self, action, row, from_state):
        if action == "report":
            file = self.api.login("township_account").post(
                "/v1/attachments?file_name=road.png&kind=evidence",
                data=b"\x89PNG\r\n\x1a\n" + row["id"].encode(), status=201,
                headers={"Content-Type": "image/png"}).json()
            return {"actual_value": 2, "text": "两条道路均已通车",
                    "evidence": [file["id"]]}
        if action == "adjust":
            return {"target_value": 1, "reason": "洪灾影响施工"}
        if action == "verify_met":
            return {"actual_value": 2}
        if action == "verify_not_met":
            return {"actual_value": 1, "reason": "一条道路尚未完工"}
        return {"void_reason": "重复登记"} if action == "void" else {}
