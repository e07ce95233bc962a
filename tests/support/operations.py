"""Which operations of the contract the run has called.

A pytest plugin. Fixtures leave the contract that their clients were checked
against in config.contract; each half of a run tells the whole what it saw.
"""

import os

import pytest

from support.halves import is_half


def pytest_configure(config):
    config.contract = None
    config.every, config.called = set(), set()


def pytest_sessionfinish(session):
    config = session.config
    if config.contract is not None:
        config.called |= {operation for operation, _ in config.contract.seen}
        config.every |= {operation["operationId"]
                         for _, _, operation in config.contract.operations()}
    if is_half(config):
        config.workeroutput["operations"] = (sorted(config.every),
                                             sorted(config.called))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """A half is over."""
    every, called = getattr(node, "workeroutput", {}).get("operations",
                                                          ((), ()))
    node.config.every |= set(every)
    node.config.called |= set(called)


def pytest_terminal_summary(terminalreporter, config):
    if not config.every:
        return
    called = config.called & config.every
    terminalreporter.write_line(
        f"operations called: {len(called)} of {len(config.every)}")
    if os.environ.get("DUDAO_TEST_VERBOSE"):
        terminalreporter.write_line(
            "never called: " + " ".join(sorted(config.every - called)))
