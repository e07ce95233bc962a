from support import reports
from support.client import unique
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
            self.published(row["id"])

    def published(self, report):
        """A publication with its place, beyond the steps of its own."""
        self.sql(
            "with p as (insert into dudao.publications(code, kind,"
            "     subject_type, subject_id, publisher_org_id, title, body)"
            "     select %s, 'other', 'supervision_reports', %s, o.id, '公开',"
            "         '公开' from dudao.organizations o"
            "     where o.kind = 'supervision_office'"
            "     returning id) select id from p", unique("GK"), report)
        id = self.value("select id from dudao.publications where subject_id ="
                        " %s and kind = 'other'", report)
        self.alter(id, table="publications", state="approved")
        self.sql("insert into dudao.publication_placements(publication_id,"
                 " channel_id, url, placed_at) select %s, c.id,"
                 " 'https://portal.example', now()"
                 " from dudao.publication_channels c where c.active limit 1",
                 id)
        self.alter(id, table="publications", state="published")

    def body(self, action, row, from_state):
        if action in REASONS:
            return {"reason": REASONS[action]}
        if action == "issue" and from_state == "committee_review":
            return {"resolution_id": reports.resolution(self.db)}
        return {}
