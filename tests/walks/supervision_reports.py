from support import reports
from support.walks import Recipe

REASONS = {"return": "问题清单不完整", "exempt": "涉及未成年人个人信息", "void": "重复起草"}


class SupervisionReports(Recipe):
    resource = "supervision_reports"

    def make(self, state):
        return reports.draft(self.api, self.db)

    def ready(self, action, row, from_state):
        if action == "to_committee" or from_state == "committee_review":
            self.alter(row["id"], is_major=True)
        if action == "mark_delivered":
            for id, in self.sql("select id from dudao.dispatches"
                                " where subject_id = %s and purpose"
                                "     in ('deliver_report', 'report')",
                                row["id"]):
                self.alter(id, table="dispatches", state="sent",
                           sent_at=self.value("select now()"))
        if action == "publish":
            self.published("other", row["id"])

    def body(self, action, row, from_state):
        if action in REASONS:
            return {"reason": REASONS[action]}
        if action == "issue" and from_state == "committee_review":
            return {"resolution_id": reports.resolution(self.db)}
        return {}
