from support.client import unique
from support.walks import Recipe


class RoleGrants(Recipe):
    resource = "role_grants"
    initial = ["proposed"]

    def make(self, state):
        admin = self.api.login("sys_admin")
        unit = admin.one("organizations", code="ORG-OFF")
        user = admin.create("users", {
            "login": unique("walk_").lower().replace("-", "_"),
            "display_name": "演示·新账号", "organization_id": unit["id"],
            "initial_password": "Dudao-Walk-2026"})
        return admin.create("role-grants", {
            "user_id": user["id"], "role": "office_staff",
            "reason": "新进工作人员"})

    def body(self, action, row, from_state):
        return {} if action == "approve" else {"reason": "岗位调整"}

    def actor(self, action, row, roles):
        return "chief_inspector" if action in ("approve", "reject") \
            else "sys_admin"
