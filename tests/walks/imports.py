from support.client import unique
from support.walks import Recipe


class Imports(Recipe):
    """The system makes the steps; a file for the tests alone is never run."""

    resource = "imports"

    def make(self, state):
        # not over HTTP: that would be run at once
        self.sql("""
            select app.act_as('office_staff', true);
            insert into dudao.imports(kind, charset, sha256, size_bytes,
                acting_roles, dry_run)
            values ('persons', 'utf-8',
                encode(sha256(%s), 'hex'), 10, '{office_staff}', true)""",
                 unique().encode())
        return self.api.login("office_staff").one("imports")
