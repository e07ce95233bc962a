import datetime

from support.walks import Recipe


class MajorMatters(Recipe):
    resource = "major_matters"

    def make(self, state):
        return self.api.login("office_staff").create("major-matters", {
            "kind": "incident", "title": "学校围墙局部倒塌",
            "description": "操场东侧围墙倒塌约3米，无人员伤亡，已封闭现场。",
            "occurred_at": "2026-01-05T08:00:00.000000Z"})

    def body(self, action, row, from_state):
        if action == "submit_to_meeting":
            return {"agenda_item_id": self.item(row)}
        if action == "resolve":
            return {"resolution_id": str(self.value(
                "select id from dudao.meeting_resolutions"
                " where agenda_item_id = %s", row["agenda_item_id"]))}
        return {"void_reason": "重复登记"} if action == "void" else {}

    def item(self, row):
        """Of a joint meeting that was held and resolved about it."""
        office = self.api.login("office_staff")
        today = datetime.date.today()
        units = self.sql("select u.organization_id"
                         " from app.active_member_units(%s) u",
                         today - datetime.timedelta(10))
        meeting = office.create("meetings", {
            "kind": "joint_meeting", "title": "教育督导联席会议",
            "topic": "专题商讨教育督导工作",
            "chair_person_id": str(self.value(
                "select person_id from dudao.committee_members"
                " where role = 'director' and left_on is null")),
            "held_on": str(today - datetime.timedelta(10)),
            "notified_on": str(today - datetime.timedelta(30)),
            "agenda": [{"title": "审议重大事项", "kind": "deliberation",
                        "subject_type": "major_matters",
                        "subject_id": row["id"]}],
            "attendances": [{"organization_id": str(unit), "attended": True}
                            for unit, in units],
            "resolutions": [{"agenda_seq": 1, "text": "限期重建围墙",
                             "owner_organization_id": str(units[0][0]),
                             "due_on": str(today)}]})
        return office.list(f"meetings/{meeting['id']}/agenda")[0]["id"]

    def ready(self, action, row, from_state):
        if action == "mark_circulated":
            self.api.login("office_staff").act(
                "major-matters", row["id"], "send-dispatches", {})
        elif action == "close":
            meeting = self.value(
                "select meeting_id from dudao.meeting_resolutions"
                " where id = %s", row["resolution_id"])
            self.api.login("office_staff").act(
                "meetings", meeting, "draft-minutes",
                {"minutes": "会议议定一项。"})
            self.api.login("committee_director").act(
                "meetings", meeting, "issue-minutes", {})
            self.api.login("committee_director").act(
                "meeting-resolutions", row["resolution_id"], "drop",
                {"reason": "已由属地重建"})
