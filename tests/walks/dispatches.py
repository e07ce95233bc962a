from support.walks import Recipe


class Dispatches(Recipe):
    resource = "dispatches"

    def make(self, state):
        id = self.value(
            "insert into dudao.dispatches(subject_type, subject_id, purpose,"
            " recipient_organization_id, recipient_role, state, sent_at)"
            " select 'problems', app.uuid_v7(), 'inform', u.organization_id,"
            " 'supervised_unit', %s, case when %s = 'sent' then now() end"
            " from dudao.users u where u.login = 'school_account'"
            " returning id", state, state)
        return {"id": str(id)}

    def actor(self, action, row, roles):
        return "school_account" if action == "receive" else roles[0]

    def body(self, action, row, from_state):
        return {"receive": {"receipt_by": "演示·收文员"},
                "bounce": {"reason": "查无此收文单位"},
                "void": {"reason": "重复发文"}}.get(action, {})
