import datetime

from support.walks import Recipe


def today():
    return datetime.datetime.now(datetime.timezone(
        datetime.timedelta(hours=8))).date()


def new_session(api, **members):
    """A planned session of today, of this year's approved plan."""
    staff = api.login("office_staff")
    plan = staff.one("training-plans", state="approved", year=today().year)
    return staff.create("training-sessions", {
        "plan_id": plan["id"], "kind": "capacity_building",
        "title": "督学能力提升培训班", "mode": "concentrated", "hours": 8,
        "starts_at": f"{today()}T01:00:00.000000Z",
        "ends_at": f"{today()}T09:00:00.000000Z",
        "place": "县教师进修学校", "trainer": "演示·培训专家", **members})


class TrainingSessions(Recipe):
    resource = "training_sessions"

    def make(self, state):
        return new_session(self.api)

    def ready(self, action, row, from_state):
        if action == "start":
            staff = self.api.login("office_staff")
            staff.create("training-records", {
                "session_id": row["id"],
                "inspector_id": staff.one("inspectors", q="演示督学33")["id"]})

    def body(self, action, row, from_state):
        if action == "complete":
            return {"records": [
                {"inspector_id": inspector, "attended_hours": 8}
                for inspector, in self.sql(
                    "select inspector_id::text from dudao.training_records"
                    " where session_id = %s", row["id"])]}
        return {"reason": "时间冲突"} if action == "cancel" else {}
