from support.walks import Recipe
from walks.training_sessions import new_session


class TrainingRecords(Recipe):
    resource = "training_records"

    def make(self, state):
        session = new_session(self.api)
        staff = self.api.login("office_staff")
        staff.act("training-sessions", session, "open", {})
        return staff.create("training-records", {
            "session_id": session["id"],
            "inspector_id": staff.one("inspectors", q="演示督学33")["id"]})

    def ready(self, action, row, from_state):
        staff = self.api.login("office_staff")
        if action in ("attend", "miss"):
            staff.act("training-sessions", row["session_id"], "start", {})
        if action == "certify":
            staff.act("training-sessions", row["session_id"], "complete", {})

    def body(self, action, row, from_state):
        return {"attended_hours": 7.5} if action == "attend" else {}
