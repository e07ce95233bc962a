from support import evaluations
from support.client import unique
from support.walks import Recipe


class IndicatorFrameworks(Recipe):
    resource = "indicator_frameworks"

    def make(self, state):
        # last year's and this year's have a framework already
        made = evaluations.framework(self.api)
        self.alter(made["id"], campaign_kind="special")
        return made

    def body(self, action, row, from_state):
        return {"reason": "由修订版代替"} if action in ("retire", "void") \
            else {}


class EvaluationCampaigns(Recipe):
    """Of zones; what the campaign follows is set by hand."""

    resource = "evaluation_campaigns"

    def make(self, state):
        year = self.value("select extract(year from app.today())::integer")
        return evaluations.campaign(self.api, year, "zone")

    def ready(self, action, row, from_state):
        if action == "begin_scoring":
            self.alter(row["id"], self_due_on=self.value(
                "select app.today() - 1"))
        elif action in ("open_objection", "finalize", "close"):
            for id, in self.sql("select id from dudao.evaluations"
                                " where campaign_id = %s", row["id"]):
                state = {"open_objection": "preliminary",
                         "finalize": "finalized", "close": "delivered"}
                self.alter(id, table="evaluations", state=state[action])
        elif action == "publish":
            self.published("evaluation_result", row["id"])

    def actor(self, action, row, roles):
        return "committee_director" if action == "approve" else roles[0]

    def body(self, action, row, from_state):
        return {"reason": "与上级评估合并"} if action == "cancel" else {}


class Evaluations(Recipe):
    resource = "evaluations"

    def make(self, state):
        year = self.value("select extract(year from app.today())::integer")
        made = evaluations.campaign(self.api, year)
        self.api.login("committee_director").act(
            "evaluation-campaigns", made, "approve", {})
        self.campaign = self.api.login("chief_inspector").act(
            "evaluation-campaigns", made, "launch", {})
        return evaluations.of_unit(self.api, self.campaign)

    def ready(self, action, row, from_state):
        if action == "finalize":
            # the time for objections is over
            self.alter(row["id"], objection_due_on=self.value(
                "select app.today() - 1"))
        elif action == "deliver":
            # and so are all others
            self.alter(row["campaign_id"], table="evaluation_campaigns",
                       state="finalized", finalized_on=self.value(
                           "select app.today()"))

    def actor(self, action, row, roles):
        return {"self_score": "township_account",
                "object": "township_account",
                "finalize": "committee_director"}.get(action, roles[0])

    def body(self, action, row, from_state):
        if action == "self_score":
            return evaluations.self_score(self.api, self.db, self.campaign)
        if action == "score":
            return evaluations.office_score(self.api, self.campaign)
        if action == "finalize":
            return evaluations.resolution(self.db)
        return {"verify": {"onsite": True, "note": "核对台账"},
                "object": {"text": "请予复核"},
                "resolve": {"decision": "rejected", "reason": "材料不足"},
                "include": {"ack_doc_no": unique("平绩效")},
                "void": {"reason": "单位已撤并"}}.get(action, {})
