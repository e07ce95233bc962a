"""No update is lost, and what carries a key takes effect once, whatever dies."""

import os
import signal
import subprocess
import threading
import uuid

import pytest
import requests

from support.client import Client, unique
from support.locks import in_thread, row_locked
from support.service import HOME, environment, wait_for

ZONE = {"name": "测试督学责任区", "active_from": "2026-01-01"}


def create_zone(client, **members):
    return client.create("zones", {**ZONE, "code": unique("D").upper(),
                                   **members})


def person(name=None):
    return {"name": name or unique("幂等")}


# --- lost updates -------------------------------------------------------------


def test_a_race_of_patches_loses_none(api):
    """Two clients count one number up, 500 times each."""
    client = api.login("office_staff")
    zone = create_zone(client, office_address="0")
    path = f"/v1/zones/{zone['id']}"
    stale = [0, 0]

    def count_up(i):
        mine = client.with_token(client.token)
        seen, done = zone, 0
        while done < 500:
            answer = mine.patch(
                path, if_match=seen, status=(200, 412),
                json={"office_address": str(int(seen["office_address"]) + 1)})
            if answer.status_code == 200:
                seen = answer.json()
                done += 1
            else:
                stale[i] += 1
                seen = mine.get(path, status=200).json()

    for result in [in_thread(count_up, i) for i in range(2)]:
        result(120)
    last = client.get(path, status=200).json()
    assert last["office_address"] == "1000"
    assert last["version"] == zone["version"] + 1000
    assert sum(stale) > 0, "it was no race"


def test_stale_patch_tells_the_version(api):
    client = api.login("office_staff")
    zone = create_zone(client)
    newer = client.change("zones", zone, {"name": "甲"})
    answer = client.patch(f"/v1/zones/{zone['id']}", if_match=zone,
                          json={"name": "乙"}, status=412)
    assert answer.json()["code"] == "version-conflict"
    assert answer.headers["ETag"] == f'"{newer["version"]}"'
    assert client.read("zones", zone["id"])["name"] == "甲"


# --- keys ---------------------------------------------------------------------


def test_replay(api, db):
    """The first answer again, also when the row has changed since."""
    client = api.login("office_staff")
    key, body = str(uuid.uuid4()), person()
    first = client.post("/v1/persons", json=body, key=key, status=201)
    assert "Idempotency-Replayed" not in first.headers
    client.change("persons", first.json(), {"position_title": "校长"})
    again = client.post("/v1/persons", json=body, key=key, status=201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    for name in ("ETag", "Location"):
        assert again.headers[name] == first.headers[name]
    assert count_persons(db, body["name"]) == 1


def count_persons(db, name):
    with db.cursor() as cursor:
        cursor.execute("select count(*) from dudao.persons where name = %s",
                       (name,))
        return cursor.fetchone()[0]


def test_key_of_another_request(api):
    client = api.login("office_staff")
    key = str(uuid.uuid4())
    created = client.post("/v1/persons", json=person(), key=key,
                          status=201).json()
    for answer in (
            client.post("/v1/persons", json=person(), key=key, status=422),
            client.post("/v1/zones", key=key, status=422, json={
                **ZONE, "code": unique("D").upper()}),
            client.patch(f"/v1/persons/{created['id']}", key=key,
                         if_match=created, status=422,
                         json={"position_title": "校长"})):
        assert answer.json()["code"] == "idempotency-key-reused"


def test_key_belongs_to_its_user(api, db):
    key, body = str(uuid.uuid4()), person()
    first = api.login("office_staff").post("/v1/persons", json=body, key=key,
                                           status=201)
    second = api.login("office_staff_2").post("/v1/persons", json=body,
                                              key=key, status=201)
    assert "Idempotency-Replayed" not in second.headers
    assert second.json()["id"] != first.json()["id"]


def test_a_refused_request_leaves_its_key_free(api):
    client = api.login("office_staff")
    key = str(uuid.uuid4())
    taken = create_zone(client)["code"]
    client.post("/v1/zones", json={**ZONE, "code": taken}, key=key,
                status=409)
    good = {**ZONE, "code": unique("D").upper()}
    client.post("/v1/zones", json=good, key=key, status=201)


def test_patch_with_a_key(api):
    """A repeated PATCH is no stale one: it is answered as the first time."""
    client = api.login("office_staff")
    zone = create_zone(client)
    key = str(uuid.uuid4())
    path = f"/v1/zones/{zone['id']}"
    first = client.patch(path, json={"name": "甲"}, if_match=zone, key=key,
                         status=200)
    again = client.patch(path, json={"name": "甲"}, if_match=zone, key=key,
                         status=200)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert client.read("zones", zone["id"])["version"] == zone["version"] + 1


@pytest.mark.parametrize("key", ["short", "x" * 129, "has blank",
                                 "semi;colon"])
def test_malformed_key(api, key):
    client = api.login("office_staff")
    answer = client.post("/v1/persons", json=person(), status=400,
                         headers={"Idempotency-Key": key})
    assert answer.json()["errors"][0]["parameter"] == "Idempotency-Key"


def test_in_flight(server, api):
    """While the first is at work, the second is told to come back."""
    client = api.login("office_staff")
    zone = create_zone(client)
    key = str(uuid.uuid4())

    def change():
        mine = client.with_token(client.token)
        return mine.patch(f"/v1/zones/{zone['id']}", if_match=zone, key=key,
                          json={"name": "甲"}, status=(200, 409))

    with row_locked(server, zone) as wait_until_blocked:
        first = in_thread(change)
        wait_until_blocked()
        second = change()
        assert second.json()["code"] == "idempotency-in-flight"
        assert int(second.headers["Retry-After"]) >= 1
    assert first().status_code == 200
    again = change()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first().json()


# --- death --------------------------------------------------------------------


def kill_backend(service):
    """PostgreSQL restarts all its backends when one dies like this."""
    connection = service.connect()
    with connection.cursor() as cursor:
        cursor.execute("select pid from pg_stat_activity"
                       " where usename = 'dudao_api'"
                       " and application_name = 'dudao'"
                       " order by state_change desc limit 1")
        pid = cursor.fetchone()[0]
    connection.close()
    os.kill(pid, signal.SIGKILL)


def kill_workers(service):
    for pid in service.worker_pids():
        os.kill(pid, signal.SIGKILL)


def kill_kore(service):
    """The whole server, as when its machine falls over; then a new start."""
    service.kill()
    service.start(ready=False)


def restart_database(service):
    """At once, without a checkpoint: commits have to be in the log."""
    with open(service.state / "pg" / "postmaster.pid") as file:
        postmaster = int(file.readline())
    os.kill(postmaster, signal.SIGQUIT)
    wait_for(lambda: not os.path.exists(f"/proc/{postmaster}"),
             what="end of the database")
    subprocess.run([HOME / "conf/cluster", "start"], check=True,
                   env=environment(service.settings))


def test_500_posts_take_effect_once_each(make_service):
    """Through deaths of workers, server, backend and database.

    A person has no key of its own: what is done twice would be there twice.
    """
    service = make_service()
    service.may_crash = True
    service.start()
    client = Client(service).login("office_staff", fresh=True)
    family = unique("一次")
    todo = [f"{family}{n:03}" for n in range(500)]
    lock = threading.Lock()
    answers, faults, retries = {}, [], [0]

    def take():
        with lock:
            return todo.pop() if todo and not faults else None

    def work():
        mine = client.with_token(client.token)
        while (name := take()) is not None:
            key = str(uuid.uuid4())
            while not faults:
                try:
                    answer = mine.post("/v1/persons", json={"name": name},
                                       key=key)
                except requests.ConnectionError:
                    retries[0] += 1
                    continue
                if answer.status_code in (503, 409):
                    assert answer.headers["Retry-After"]
                    retries[0] += 1
                    continue
                assert answer.status_code == 201, answer.text
                answers[name] = answer.json()["id"]
                break

    def run():
        try:
            work()
        except BaseException as error:
            faults.append(repr(error))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        deaths = [kill_workers, kill_backend, kill_kore, restart_database]
        for i, die in enumerate(deaths):
            wait_for(lambda: faults or len(answers) >= 80 * (i + 1),
                     60, f"work before {die.__name__}")
            die(service)
    finally:
        for thread in threads:
            thread.join(60)
    assert not faults, faults[:3]
    assert len(answers) == 500 and not any(t.is_alive() for t in threads)
    assert retries[0] > 0, "nothing was interrupted"
    wait_for(lambda: requests.get(service.url + "/readyz").status_code == 200)
    connection = service.connect()
    with connection.cursor() as cursor:
        cursor.execute("select name, id from dudao.persons"
                       " where name like %s", (family + "%",))
        rows = cursor.fetchall()
    connection.close()
    assert len(rows) == 500
    assert {name: id for name, id in rows} == answers


def test_commit_is_told_after_the_connection_broke(make_service):
    """An outcome that is unknown says so, and the key finds it again."""
    service = make_service(DUDAO_WORKERS=1).start()
    client = Client(service).login("office_staff", fresh=True)
    zone = create_zone(client)
    key = str(uuid.uuid4())

    def change():
        return client.patch(f"/v1/zones/{zone['id']}", if_match=zone, key=key,
                            json={"name": "断线"}, status=(200, 503))

    with row_locked(service, zone) as wait_until_blocked:
        result = in_thread(change)
        wait_until_blocked()
        # Its own end, not that of the service: it did not take effect.
        connection = service.connect("postgres")
        with connection.cursor() as cursor:
            cursor.execute("select pg_terminate_backend(pid)"
                           " from pg_stat_activity"
                           " where cardinality(pg_blocking_pids(pid)) > 0")
        connection.close()
    answer = result()
    if answer.status_code == 503:
        assert answer.headers["Retry-After"]
    wait_for(lambda: change().status_code == 200, what="the same key again")
    assert client.read("zones", zone["id"])["version"] == zone["version"] + 1
