from support.walks import Recipe


class Plaques(Recipe):
    resource = "plaques"

    def make(self, state):
        """A school whose plaque has just been taken down."""
        plaque, inspector = self.sql(
            "select p.id, p.inspector_id from dudao.plaques p"
            " join dudao.inspectors i on i.id = p.inspector_id"
            " join dudao.persons n on n.id = i.person_id"
            " where p.state = 'posted' and app.employment_of(i.id) is not null"
            " and n.name not in ('演示督学02', '演示督学17')"
            " and not exists (select from dudao.plaques q"
            "     where q.school_id = p.school_id and q.state = 'planned')"
            " order by random() limit 1")[0]
        staff = self.api.login("office_staff")
        old = staff.act("plaques", str(plaque), "flag",
                        {"reason": "牌面损坏"})
        staff.act("plaques", str(plaque), "remove", {})
        return staff.create("plaques", {
            "school_id": old["school_id"], "inspector_id": str(inspector),
            "hotline": "0730-6200100"})

    def actor(self, action, row, roles):
        return "office_staff"

    def body(self, action, row, from_state):
        if action == "flag":
            return {"reason": "督学轮换"}
        if action == "post":
            return {"photo_attachment_id": str(self.value(
                "select photo_attachment_id from dudao.plaques"
                " where photo_attachment_id is not null limit 1")),
                "location": "校门左侧"}
        return {}
