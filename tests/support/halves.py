"""The two halves of a run that go side by side (pytest-xdist), each with a
cluster and a service of its own.

A pytest plugin. Which half a test belongs to never changes, and it keeps its
place there: what a test finds in the shared county is the same in every run.
"""

import pytest

# What starts services of its own: about as long as all the others.
OF_SERVICES = ("process/", "api/test_add_operation.py", "api/test_exports.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Halves(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return nodeid.startswith(OF_SERVICES)

    return Halves(config, log)


def is_half(config):
    """Not the process that reports on both."""
    return hasattr(config, "workerinput")
