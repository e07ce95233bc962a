"""Inspectors in the making: people with accounts, and time that has passed."""

import datetime

from support.client import unique

ITEMS = ("political_loyalty", "law_and_policy", "integrity",
         "education_and_experience", "organising_ability", "health",
         "willing_grassroots", "supervision_skills", "time_guaranteed")
FORM = {item: True for item in ITEMS}
DAY = datetime.timedelta(days=1)


def today(db):
    with db.cursor() as cursor:
        cursor.execute("select app.today()")
        return cursor.fetchone()[0]


def person(db, unit="MU07"):
    """(person id, login): somebody new in that unit, with an account."""
    login = unique("dx_").lower().replace("-", "_")
    with db.cursor() as cursor:
        cursor.execute(
            "with p as (insert into dudao.persons(code, name,"
            " organization_id) select %s, %s, o.id from"
            " dudao.organizations o where o.code = %s"
            " returning id, organization_id)"
            " insert into dudao.users(login, display_name, organization_id,"
            " person_id, password_hash, password_changed_at)"
            " select %s, %s, p.organization_id, p.id, u.password_hash, now()"
            " from p, dudao.users u where u.login = 'inspector_pt'"
            " returning person_id",
            (unique("RY-T"), "演示·" + login, unit, login, "演示·" + login))
        return str(cursor.fetchone()[0]), login


def candidate(api, db, employment="part_time", unit="MU07", **members):
    """A recommendation by the office; with the person's login."""
    who, login = person(db, unit)
    made = api.login("office_staff").create("inspector-appointments", {
        "person_id": who, "employment": employment, "degree": "bachelor",
        "work_years": 15, "background": "teacher",
        "recommendation_text": "熟悉教学管理，热爱督导工作", **members})
    return made, login


def set_columns(db, id, **columns):
    """Time passes. The owner's own update, with every rule of the row."""
    with db.cursor() as cursor:
        cursor.execute("update dudao.inspector_appointments set "
                       + ", ".join(f"{name} = %s" for name in columns)
                       + " where id = %s", (*columns.values(), id))


def publicity_is_over(db, id):
    until = today(db) - DAY
    set_columns(db, id, publicity_from=until - 12 * DAY, publicity_to=until)


def approved(api, db, employment="part_time", **members):
    row, login = candidate(api, db, employment, **members)
    api.login("office_staff").act("inspector-appointments", row, "review",
                                  {"qualification": FORM})
    chief = api.login("chief_inspector")
    chief.act("inspector-appointments", row, "publicize", {})
    publicity_is_over(db, row["id"])
    return chief.act("inspector-appointments", row, "approve", {}), login


def in_office(api, db, employment="part_time", **members):
    row, login = approved(api, db, employment, **members)
    row = api.login("committee_director").act(
        "inspector-appointments", row, "appoint", {
            "starts_on": str(today(db)), "decision_doc_no": "示例〔2026〕1号",
            "override_reason": "责任区专职督学不足两名"})
    trained(db, row["id"])
    with db.cursor() as cursor:
        cursor.execute("select app.system_step('inspector_appointments', %s,"
                       " 'activate')", (row["id"],))
    return api.login("office_staff").read("inspector-appointments",
                                          row["id"]), login


def trained(db, id):
    set_columns(db, id, pre_service_passed_on=today(db))
