import datetime

from support.walks import Recipe


class CenterEngagements(Recipe):
    resource = "center_engagements"

    def make(self, state):
        return self.api.login("office_staff").create("center-engagements", {
            "kind": "quality_monitoring", "title": "小学四年级数学质量监测",
            "due_on": str(datetime.date.today()
                          + datetime.timedelta(days=60))})

    def body(self, action, row, from_state):
        if action == "submit":
            return {"result_summary": "监测完成，形成报告一份",
                    "result_attachment_id": self.value(
                        "select id::text from dudao.attachments limit 1")}
        return {"reason": "样本量不足"} if action == "return" else {}
