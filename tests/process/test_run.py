"""Starting and stopping: conf/run, conf/stop, db/migrate."""

import contextlib
import os
import re
import shutil
import signal
import subprocess

import psycopg2
import pytest
import requests

from support.service import (HOME, Service, ServiceError, environment,
                             free_port, is_alive, wait_for)


def run(*command, cwd=HOME, **settings):
    """Runs to its end; the output as one text."""
    return subprocess.run(
        command, cwd=cwd, env=environment(settings), text=True, timeout=120,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)


def scalar(service, query, role="dudao_owner"):
    with contextlib.closing(service.connect(role)) as connection, \
            connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


# --- an ordinary life -----------------------------------------------------------


@pytest.mark.slow
def test_first_start_makes_everything_and_the_second_keeps_it(
        workspace, make_service):
    service = make_service(workspace.empty())
    service.start()
    text = service.log()
    assert f"dudao listens on {service.url}" in text
    assert "password dudao-demo" in text and "office_staff" in text
    assert text.count("curl -s") == 3
    assert scalar(service, "show data_checksums") == "on"
    assert scalar(service, "select datcollate from pg_database"
                           " where datname = 'dudao'") == "C.UTF-8"
    assert scalar(service, "show listen_addresses") == ""
    assert scalar(service, "select count(*) from dudao.users") > 20
    (cluster,) = scalar(service, "select array[system_identifier::text]"
                                 " from pg_control_system()")
    keys = sorted((service.state / "keys").iterdir())
    assert len(keys) == 2
    texts = [key.read_bytes() for key in keys]
    assert service.stop() == 0

    service.start()
    assert [key.read_bytes() for key in keys] == texts
    assert scalar(service, "select system_identifier::text"
                           " from pg_control_system()") == cluster
    second = service.log()[len(text):]
    assert "migration 0001" not in second and "demo " not in second
    assert service.stop() == 0


def test_the_demo_county_loads_on_new_years_day(workspace):
    """Its days are counted from the day on which it is loaded."""
    done = run("faketime", "-f", "@2026-12-31 16:30:00", "conf/migrate",
               "--demo", DUDAO_STATE=workspace.empty(), TZ="UTC")
    assert done.returncode == 0, done.stdout


def test_secrets_are_closed_to_others(server):
    paths = [server.state / "secret", server.state / "kore.conf",
             *(server.state / "keys").iterdir()]
    for path in paths:
        assert path.stat().st_mode & 0o077 == 0, path
    assert server.state.stat().st_mode & 0o777 == 0o700


def test_workers_are_not_root(server):
    workers = server.worker_pids()
    assert len(workers) == 2
    for pid in workers:
        status = open(f"/proc/{pid}/status").read()
        assert re.search(r"^Uid:\s+(\d+)", status, re.M)[1] != "0"
        assert re.search(r"^Seccomp:\s+2", status, re.M)
        assert re.search(r"^NoNewPrivs:\s+1", status, re.M)


def test_the_owner_url_is_not_given_to_the_service(server):
    with open(f"/proc/{server.kore_pid()}/environ", "rb") as file:
        assert b"DUDAO_OWNER_URL" not in file.read()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_of_it(make_service, sig):
    service = make_service().start()
    kore = service.kore_pid()
    assert service.stop(sig) == 0
    assert not is_alive(kore)
    assert not (service.state / "pg/postmaster.pid").exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(service.url + "/livez", timeout=2)


def test_stop_from_another_shell(make_service):
    service = make_service().start()
    done = run("conf/stop", **service.settings)
    assert done.returncode == 0 and "Stopped" in done.stdout
    assert service.process.wait(5) == 0
    done = run("conf/stop", **service.settings)
    assert done.returncode == 0 and "Nothing runs" in done.stdout


def test_two_run_side_by_side(server, make_service):
    service = make_service(DUDAO_WORKERS=1).start()
    for each in (server, service):
        assert requests.get(each.url + "/livez", timeout=5).ok
    assert len(service.worker_pids()) == 1


# --- after a kill -----------------------------------------------------------------


def test_start_after_the_script_was_killed(make_service):
    service = make_service().start()
    kore = service.kore_pid()
    service.process.kill()
    service.process.wait()
    # Kore hears of the script's death and ends; PostgreSQL stays.
    wait_for(lambda: not is_alive(kore), 20, "Kore's end")
    service.start()
    assert service.stop() == 0


def test_stop_clears_up_after_a_kill(make_service):
    service = make_service().start()
    kore = service.kore_pid()
    service.process.kill()
    service.process.wait()
    done = run("conf/stop", **service.settings)
    assert done.returncode == 0
    assert not is_alive(kore)
    assert not (service.state / "pg/postmaster.pid").exists()


def test_kore_killed_ends_the_start_with_an_error(make_service):
    service = make_service().start()
    workers = service.worker_pids()
    os.kill(service.kore_pid(), signal.SIGKILL)
    assert service.process.wait(30) != 0
    wait_for(lambda: not any(map(is_alive, workers)), 5, "the workers' end")
    service.start()


# --- what stops a start -------------------------------------------------------------


@pytest.mark.parametrize("name, value", [
    ("DUDAO_PORT", "0"), ("DUDAO_PORT", "65536"), ("DUDAO_PORT", "http"),
    ("DUDAO_WORKERS", "0"), ("DUDAO_WORKERS", "2x"), ("DUDAO_BIND", "me"),
    ("DUDAO_ENV", "prod"), ("DUDAO_DEMO", "yes"),
    ("DUDAO_WORKER_CONNECTIONS", "5"), ("DUDAO_OWNER_URL", "dudao"),
])
def test_a_wrong_script_setting_is_named(workspace, name, value):
    done = run("conf/run", **{
        "DUDAO_STATE": workspace.empty(), "DUDAO_PORT": free_port(),
        name: value})
    assert done.returncode != 0
    assert f"{name}={value}" in done.stdout


def test_wrong_settings_are_named_at_once(make_service):
    wrong = {"DUDAO_POOL_SIZE": "0", "DUDAO_QUEUE_MAX": "4 ",
             "DUDAO_LOG_LEVEL": "loud", "DUDAO_NO_SUCH_THING": "1",
             "DUDAO_BODY_MAX": "-1"}
    with pytest.raises(ServiceError) as error:
        make_service(**wrong).start()
    for name in wrong:
        assert name in str(error.value)


@pytest.mark.parametrize("name", ["DUDAO_KEYS", "DUDAO_SECRET_FILE"])
def test_a_file_that_is_not_there_is_named(make_service, name):
    with pytest.raises(ServiceError) as error:
        make_service(**{name: "/nowhere/at/all"}).start()
    assert name in str(error.value)


def test_wrong_script_settings_are_named_at_once(workspace):
    done = run("conf/run", DUDAO_STATE=workspace.empty(), DUDAO_WORKERS=0,
               DUDAO_PORT="x", DUDAO_BIND="?")
    for name in ("DUDAO_WORKERS", "DUDAO_PORT", "DUDAO_BIND"):
        assert name in done.stdout


def test_the_same_state_twice(server):
    done = run("conf/run", **{**server.settings, "DUDAO_PORT": free_port()})
    assert done.returncode != 0
    assert "already runs there" in done.stdout
    assert str(server.process.pid) in done.stdout
    assert requests.get(server.url + "/readyz", timeout=5).ok


def test_the_port_is_taken(server, workspace):
    done = run("conf/run", DUDAO_STATE=workspace.empty(),
               DUDAO_PORT=server.port)
    assert done.returncode != 0
    assert f"DUDAO_PORT={server.port}" in done.stdout


def test_state_that_cannot_be_made():
    done = run("conf/run", DUDAO_STATE="/proc/dudao", DUDAO_PORT=free_port())
    assert done.returncode != 0
    assert "DUDAO_STATE=/proc/dudao" in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone has another user")
def test_state_that_the_service_user_cannot_reach(workspace):
    closed = workspace.empty("closed")
    closed.mkdir(mode=0o700)
    done = run("conf/run", DUDAO_STATE=closed / "state",
               DUDAO_PORT=free_port())
    assert done.returncode != 0
    assert f"DUDAO_STATE={closed}/state" in done.stdout
    assert not (closed / "state").exists()


def test_production_refuses_demo_accounts(make_service):
    service = make_service(DUDAO_ENV="production")
    with pytest.raises(ServiceError, match="demo accounts"):
        service.start()


def test_production_refuses_to_load_the_demo_county(make_service):
    service = make_service(DUDAO_ENV="production", DUDAO_DEMO=1)
    with pytest.raises(ServiceError, match="DUDAO_DEMO"):
        service.start()


# --- a database of one's own ----------------------------------------------------------


def test_given_database_is_used_and_left_alone(server, make_service,
                                               workspace):
    service = make_service(
        workspace.empty(), DUDAO_DATABASE_URL=server.database_url("dudao_api"))
    service.start()
    assert not (service.state / "pg").exists()
    assert service.stop() == 0
    assert scalar(server, "select 1") == 1


def test_given_database_is_not_migrated_without_its_owner(server):
    done = run("db/migrate",
               DUDAO_DATABASE_URL=server.database_url("dudao_api"))
    assert done.returncode != 0
    assert "DUDAO_OWNER_URL" in done.stdout


# --- migrations -------------------------------------------------------------------------


@pytest.fixture
def scratch(workspace):
    """A copy of db/ and conf/ with a prepared cluster; its own directory."""
    home = workspace.empty("scratch")
    home.mkdir()
    for part in ("db", "conf"):
        shutil.copytree(HOME / part, home / part)
    state = workspace.state("migrate")
    subprocess.run([HOME / "conf/cluster", "start"], check=True,
                   env=environment({"DUDAO_STATE": state}))
    service = Service(state)
    yield home, service
    service.cluster("stop")
    shutil.rmtree(state)


def migrate(home, service, *arguments):
    return run("db/migrate", *arguments, cwd=home,
               DUDAO_STATE=service.state)


def test_migrating_again_does_nothing(scratch):
    home, service = scratch
    done = migrate(home, service, "--demo")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_changed_migration_stops(scratch):
    home, service = scratch
    file = sorted((home / "db/migrations").iterdir())[0]
    file.write_text(file.read_text() + "\n-- changed\n")
    done = migrate(home, service)
    assert done.returncode != 0
    assert f"{file.stem} was changed after it had been applied" in done.stdout


def test_a_missing_migration_stops(scratch):
    home, service = scratch
    file = sorted((home / "db/migrations").iterdir())[0]
    file.unlink()
    done = migrate(home, service)
    assert done.returncode != 0
    assert f"do not have: {file.stem}" in done.stdout


def test_a_new_migration_is_applied_once_and_code_follows(scratch):
    home, service = scratch
    (home / "db/migrations/9990_extra.sql").write_text(
        "create table dudao_meta.extra (n integer);\n")
    done = migrate(home, service)
    assert done.returncode == 0, done.stdout
    assert done.stdout.split("\n")[:2] == ["migration 9990_extra", "code"]
    assert scalar(service, "select count(*) from dudao_meta.extra") == 0
    assert migrate(home, service).stdout == ""


def test_a_failing_migration_leaves_nothing(scratch):
    home, service = scratch
    (home / "db/migrations/9991_fails.sql").write_text(
        "create table dudao_meta.half (n integer);\nselect 1 / 0;\n")
    done = migrate(home, service)
    assert done.returncode != 0
    assert "9991_fails.sql:2" in done.stdout
    with pytest.raises(psycopg2.errors.UndefinedTable):
        scalar(service, "select count(*) from dudao_meta.half")


def test_code_changes_as_one_transaction(scratch):
    home, service = scratch
    (home / "db/code/98_new.sql").write_text(
        "create function app.half_new() returns int language sql"
        " as 'select 1';\n")
    (home / "db/code/99_fails.sql").write_text("select 1 / 0;\n")
    assert migrate(home, service).returncode != 0
    with pytest.raises(psycopg2.errors.UndefinedFunction):
        scalar(service, "select app.half_new()")
    (home / "db/code/99_fails.sql").unlink()
    done = migrate(home, service)
    assert (done.returncode, done.stdout) == (0, "code\n")
    assert scalar(service, "select app.half_new()") == 1


def test_two_that_migrate_together_do_it_once(scratch):
    home, service = scratch
    (home / "db/migrations/9992_slow.sql").write_text(
        "create table dudao_meta.slow (n integer);\n"
        "select pg_sleep(0.5);\n")
    command = dict(cwd=home, text=True, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT,
                   env=environment({"DUDAO_STATE": service.state}))
    both = [subprocess.Popen(["db/migrate"], **command) for _ in range(2)]
    texts = [each.communicate(timeout=60)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], texts
    assert sum("9992_slow" in text for text in texts) == 1
