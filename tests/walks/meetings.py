import datetime

from support.walks import Recipe


class Meetings(Recipe):
    resource = "meetings"

    def make(self, state):
        office = self.api.login("office_staff")
        unit = office.one("organizations", q="财政局")["id"]
        body = {"kind": "communication_session", "title": "部门沟通交流会",
                "topic": "校园周边环境整治",
                "agenda": [{"title": "通报情况", "kind": "report"}],
                "attendances": [{"organization_id": unit}]}
        today = datetime.date.today()
        if state == "held":
            body |= {"held_on": str(today - datetime.timedelta(10)),
                     "notified_on": str(today - datetime.timedelta(25))}
            body["attendances"][0]["attended"] = True
        else:
            body["scheduled_on"] = str(today + datetime.timedelta(30))
        return office.create("meetings", body)

    def ready(self, action, row, from_state):
        if action == "hold":
            # the notice went out long enough ago
            day = datetime.date.today() - datetime.timedelta(1)
            self.alter(row["id"], notified_on=day - datetime.timedelta(30),
                       scheduled_on=day)

    def body(self, action, row, from_state):
        if action == "hold":
            return {"attendances": [
                {"organization_id": str(unit), "attended": True}
                for unit, in self.sql(
                    "select organization_id from dudao.meeting_attendances"
                    " where meeting_id = %s", row["id"])]}
        if action == "draft_minutes":
            return {"minutes": "会议交流了校园周边环境整治情况。"}
        if action == "postpone":
            return {"reason": "与全县会议冲突", "scheduled_on": str(
                datetime.date.today() + datetime.timedelta(45))}
        if action == "cancel":
            return {"reason": "并入下次会议"}
        return {}


class MeetingResolutions(Recipe):
    resource = "meeting_resolutions"

    def make(self, state):
        office = self.api.login("office_staff")
        meeting = Meetings(self.api, self.db, self.superuser).make("held")
        unit = office.one("organizations", q="教育局")["id"]
        office.act("meetings", meeting, "draft-minutes", {
            "minutes": "会议议定一项。",
            "resolutions": [{"agenda_seq": 1, "text": "整治校门口占道经营",
                             "owner_organization_id": unit,
                             "due_on": str(datetime.date.today()
                                           + datetime.timedelta(30))}]})
        self.api.login("committee_director").act(
            "meetings", meeting, "issue-minutes", {})
        return office.list(f"meetings/{meeting['id']}/resolutions")[0]

    def ready(self, action, row, from_state):
        if action == "confirm":
            self.api.login("member_liaison").act(
                "meeting-resolutions", row["id"], "report-done",
                self.body("report_done", row, from_state))

    def body(self, action, row, from_state):
        if action == "report_done":
            file = self.api.login("member_liaison").post(
                "/v1/attachments?file_name=report.png&kind=evidence",
                data=b"\x89PNG\r\n\x1a\n" + row["id"].encode(), status=201,
                headers={"Content-Type": "image/png"}).json()
            return {"text": "已清理占道摊点", "evidence": [file["id"]]}
        return {"reason": "上级另有部署"} if action == "drop" else {}
