from support.walks import Recipe


class Recusals(Recipe):
    resource = "recusals"

    def make(self, state):
        """A school asks that some inspector whose plaque is not there keep
        off."""
        inspector, unit = self.sql(
            "select i.id, o.id from dudao.inspectors i"
            " join dudao.persons p on p.id = i.person_id,"
            " dudao.organizations o where o.kind = 'school'"
            " and app.employment_of(i.id) is not null and not exists ("
            "     select from dudao.recusals r where r.inspector_id = i.id"
            "     and r.organization_id = o.id)"
            " and not app.has_plaque_at(i.id, o.id)"
            " and p.name > '演示督学50' order by random() limit 1")[0]
        return self.api.login("office_staff").create("recusals", {
            "inspector_id": str(inspector), "organization_id": str(unit),
            "reason": "former_post", "note": "三年内曾任该校副校长"})

    def body(self, action, row, from_state):
        return {"reason": "已满三年"} if action == "reject" else {}
