"""Fixtures of all tests: the service, clients and database connections."""

import shutil
import subprocess

import pytest

from support.client import Client
from support.service import HOME, Service, Workspace

pytest_plugins = ["support.halves", "support.clauses", "support.operations"]


@pytest.fixture(scope="session")
def workspace():
    subprocess.run(["make", "-s", "-C", HOME, "build"], check=True)
    workspace = Workspace(fsync=False)
    yield workspace
    workspace.close()


@pytest.fixture(scope="session")
def server(workspace):
    """The service that tests share; it must not have misbehaved at the end."""
    service = Service(workspace.state("server"))
    try:
        service.start()
        yield service
    finally:
        service.stop()
    service.check()


@pytest.fixture
def make_service(workspace):
    """Services of a test's own: make_service(DUDAO_WORKERS=1, …).start()."""
    made = []

    def make(state=None, **settings):
        service = Service(state or workspace.state("own"), **settings)
        made.append(service)
        return service

    yield make
    for service in made:
        try:
            service.stop()
            if service.log_path.exists():
                service.check()
        finally:
            if (service.state / "pg").exists():
                service.cluster("stop")
            shutil.rmtree(service.state, ignore_errors=True)


@pytest.fixture(scope="session")
def anonymous(server, request):
    client = Client(server, request.config.contract)
    request.config.contract = client.contract
    return client


@pytest.fixture(scope="session")
def api(anonymous):
    """api.login(login) gives a client of that demo account."""
    return anonymous


@pytest.fixture
def db(server):
    """The owner's connection (autocommit), with row-level security open."""
    connection = server.connect()
    yield connection
    connection.close()


@pytest.fixture
def as_login(server):
    """as_login(login): a connection as the API role, acting as that account.

    as_login("public") is what an anonymous request sees.
    """
    made = []

    def connect(login):
        connection = server.connect("dudao_api")
        made.append(connection)
        with connection.cursor() as cursor:
            cursor.execute("select app.act_as(%s)", (login,))
        return connection

    yield connect
    for connection in made:
        connection.close()
