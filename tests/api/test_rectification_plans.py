"""Rectification plans: 3.24, C2.3.2.c."""

import pytest

from support import ledger


@pytest.mark.clause("C2.3.2.c")
def test_accepting_a_plan_moves_its_problem(api, db):
    problem = ledger.assigned(api, db)
    plan = api.login("school_account").post(
        f"/v1/problems/{problem['id']}/plans", status=201,
        json={"measures": "配备专用留样冰箱"}).json()
    staff = api.login("office_staff")
    returned = staff.act("rectification-plans", plan, "return",
                         {"reason": "缺少完成时间"})
    assert returned["state"] == "returned"
    answer = staff.act("problems", problem, "accept-plan", {}, status=422)
    assert answer["errors"][0]["code"] == "plan-required"
    plan = api.login("school_account").post(
        f"/v1/problems/{problem['id']}/plans", status=201, json={
            "measures": "配备专用留样冰箱",
            "steps": [{"text": "购置", "due_on": str(ledger.today(db))}],
        }).json()
    plan = staff.act("rectification-plans", plan, "accept", {})
    assert plan["state"] == "accepted"
    assert staff.read("problems", problem["id"])["state"] == "rectifying"
    rows = staff.get(f"/v1/problems/{problem['id']}/plans",
                     status=200).json()["data"]
    assert [r["state"] for r in rows] == ["returned", "accepted"]


@pytest.mark.clause("C2.3.2.c")
def test_only_the_unit_plans(api, db):
    problem = ledger.assigned(api, db)
    body = {"measures": "代拟方案"}
    path = f"/v1/problems/{problem['id']}/plans"
    api.login("office_staff").post(path, status=403, json=body)
    api.login("department_account").post(path, status=404, json=body)


@pytest.mark.clause("C2.3.2.c", "R-PRB-01")
def test_major_problems_need_steps(api, db):
    problem = ledger.assigned(api, db, "major")
    api.login("school_account").post(
        f"/v1/problems/{problem['id']}/plans", status=201,
        json={"measures": "配备专用留样冰箱"})
    answer = api.login("office_staff").act("problems", problem,
                                           "accept-plan", {}, status=422)
    assert answer["errors"][0]["code"] == "plan-steps-required"
