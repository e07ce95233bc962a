"""Assessments, rank applications and awards for tests that need one."""

import datetime

from support.client import unique

DIMENSIONS = {"conduct": 95, "reports": 92, "feedback_urging": 96,
              "training": 90, "satisfaction": 94}


def rows(db, statement, *values):
    with db.cursor() as cursor:
        cursor.execute("set search_path = dudao, app, ext")
        cursor.execute(statement, values)
        return cursor.fetchall()


def unassessed(db, names="演示督学%", zone=None):
    """An inspector and a year for whom there is no assessment yet."""
    return rows(db, """
        select i.id, y.year, u.login
        from inspectors i
        join persons p on p.id = i.person_id
        join users u on u.person_id = p.id
        cross join generate_series(2023,
            extract(year from app.today())::integer) as y(year)
        where p.name like %s and p.name > '演示督学06'
            and app.employment_of(i.id) is not null
            and (%s is null or app.zone_of(i.id)
                = (select z.id from zones z where z.code = %s))
            and not app.no_award_decided(y.year, 'inspector')
            and not exists (select from inspector_assessments a
                where a.inspector_id = i.id and a.year = y.year
                    and a.voided_at is null)
        order by random() limit 1""", names, zone, zone)[0]


def self_reviewed(api, db, **choice):
    inspector, year, login = unassessed(db, **choice)
    made = api.login("office_staff").create("inspector-assessments", {
        "inspector_id": inspector, "year": year})
    return api.login(login).act("inspector-assessments", made, "self-review", {
        "self_review": "全年入校督导 62 次，督促整改问题 18 项。"})


def assessed(api, db, points=None, **choice):
    made = self_reviewed(api, db, **choice)
    return api.login("office_staff").act(
        "inspector-assessments", made, "assess",
        {"dimensions": DIMENSIONS | (points or {}), "comment": "履职认真"})


def confirmed(api, db, points=None, **choice):
    made = assessed(api, db, points, **choice)
    return api.login("chief_inspector").act("inspector-assessments", made,
                                            "confirm", {"comment": "同意"})


def applicant(db):
    """An inspector of no rank and with no application under way."""
    return rows(db, """
        select i.id, u.login
        from inspectors i
        join persons p on p.id = i.person_id
        join users u on u.person_id = p.id
        where p.name like '演示督学%%' and i.rank_id is null
            and app.employment_of(i.id) is not null
            and not exists (select from rank_applications a
                where a.inspector_id = i.id and a.voided_at is null
                    and a.state not in ('approved', 'rejected'))
        order by random() limit 1""")[0]


def first_rank(db):
    return rows(db, 'select id from inspector_ranks where enabled'
                    ' order by "order" limit 1')[0][0]


def panel(db, count=3, besides=None):
    return [{"person_id": person, "score": 80 + n, "opinion": "同意"}
            for n, (person,) in enumerate(rows(
                db, "select p.id from persons p where not exists (select"
                " from inspectors i where i.person_id = p.id and i.id = %s)"
                " order by p.id limit %s", besides, count))]


def award_body(db, **recipient):
    if not recipient:
        recipient = {"recipient_zone_id": rows(
            db, "select id from zones where code = 'Z3'")[0][0]}
    body = {"year": rows(db, "select extract(year from app.today())::integer"
                             " - 1")[0][0],
            "kind": "annual_evaluation", "title": unique("先进督学责任区"),
            "level": "supervision_committee", "citation": "认真履职，成效显著。",
            **recipient}
    if "recipient_inspector_id" in body:
        return body | {"kind": "inspector"}
    return {"basis_grade": "good", "basis_text": "年度评估良好", **body}


def assessed_year(db):
    """The last year whose assessments the demo county has confirmed."""
    return rows(db, "select max(year) from inspector_assessments"
                    " where state = 'confirmed' and is_demo")[0][0]


def visited_year(db):
    """The year of the demo county's last visit: not this one in its first
    days."""
    return rows(db, "select extract(year from max(visited_on))::integer"
                    " from visits where state = 'reviewed' and is_demo")[0][0]


def day(db, days):
    today = rows(db, "select app.today()")[0][0]
    return today + datetime.timedelta(days=days)
