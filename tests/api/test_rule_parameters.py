"""Parameters under the two-person rule: 3.25, 4.1, 4.3."""

import pytest


def codes(problem):
    return {e["code"] for e in problem["errors"]}


@pytest.mark.clause("C2.4.1.a", "C2.4.1.b")
def test_parameters_name_their_basis(api):
    rows = {row["key"]: row for row in
            api.login("school_account").list("rule-parameters")}
    assert rows["inspector_school_ratio"]["value"] == 5
    assert rows["inspector_school_ratio"]["basis_clause"] == "C2.4.1.a"
    assert rows["fulltime_ratio_mode"]["value"] == "max"
    assert rows["rectification_days"]["value"]["danger"] == 1


def test_one_proposes_another_approves(api, db):
    admin, chief = api.login("sys_admin"), api.login("chief_inspector")
    row = admin.one("rule-parameters", key="consultation_reply_workdays")
    body = {"rule_parameter_id": row["id"], "value": row["value"] + 1,
            "reason": "结合本县实际调整"}
    chief_says = admin.create("rule-parameter-changes", body)
    assert chief_says["previous_value"] == row["value"]
    assert admin.create("rule-parameter-changes", body,
                        status=409)["code"] == "duplicate"
    admin.act("rule-parameter-changes", chief_says, "approve", {},
              status=403)
    done = chief.act("rule-parameter-changes", chief_says, "approve",
                     {"comment": "同意"})
    assert done["state"] == "approved" and done["allowed_actions"] == []
    changed = admin.read("rule-parameters", row["id"])
    assert changed["value"] == row["value"] + 1
    with db.cursor() as cursor:
        cursor.execute("select app.parameter_int(%s)", (row["key"],))
        assert cursor.fetchone()[0] == row["value"] + 1
    values = admin.get(f"/v1/rule-parameters/{row['id']}/values",
                       status=200).json()["data"]
    assert row["value"] in [value["value"] for value in values]
    history = admin.get(f"/v1/rule-parameter-changes/{chief_says['id']}"
                        "/transitions", status=200).json()["data"]
    assert [step["action"] for step in history] == ["approve"]


def test_wrong_proposals(api):
    admin = api.login("sys_admin")
    row = admin.one("rule-parameters", key="defense_workdays")
    body = {"rule_parameter_id": row["id"], "reason": "示例"}
    assert codes(admin.create("rule-parameter-changes", body
                              | {"value": "five"}, status=422)) == {
        "parameter-type"}
    assert codes(admin.create("rule-parameter-changes", body
                              | {"value": row["value"]}, status=422)) == {
        "parameter-unchanged"}
    api.login("office_staff").create("rule-parameter-changes", body
                                     | {"value": 9}, status=403)
    made = admin.create("rule-parameter-changes", body | {"value": 9})
    chief = api.login("chief_inspector")
    chief.act("rule-parameter-changes", made, "reject", {}, status=422)
    assert chief.act("rule-parameter-changes", made, "reject",
                     {"reason": "不必"})["state"] == "rejected"
    assert admin.read("rule-parameters", row["id"])["value"] == row["value"]
