"""Fixtures of a module that counts: a service and a county of its own, which
no other module has changed. Import all of them into the module:

    from support.own import anonymous, api, server  # noqa: F401
"""

import shutil

import pytest

from support.client import Client
from support.service import Service


@pytest.fixture(scope="module")
def server(workspace):
    service = Service(workspace.state("module"))
    try:
        service.start()
        yield service
    finally:
        service.stop()
        if (service.state / "pg").exists():
            service.cluster("stop")
        shutil.rmtree(service.state / "pg", ignore_errors=True)
    service.check()


@pytest.fixture(scope="module")
def anonymous(server, request):
    # one contract for the whole run: it remembers what was called
    client = Client(server, request.config.contract)
    request.config.contract = client.contract
    return client


@pytest.fixture(scope="module")
def api(anonymous):
    return anonymous
