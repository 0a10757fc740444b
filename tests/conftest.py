"""The order of the test files, settings of property tests that hold on a busy machine, and interrupts."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, so that a commit passes or fails on every machine alike; other ones with
# `pytest --hypothesis-profile=explore`.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("any machine", settings.get_profile("explore"), derandomize=True)
settings.load_profile("any machine")

# A shell script that runs the tests in the background makes them ignore interrupts, and their children too.
signal.signal(signal.SIGINT, signal.default_int_handler)

LONG = (
    "integration/test_limits",
    "browser/test_pages",
    "integration/test_api",
    "integration/test_printed_commands",
    "cli/test_interrupted",
    "integration/test_transfer",
    "cluster/test_tables",
    "integration/test_run",
    "installed/test_wheel",
    "methods/test_domain_prompts",
    "cluster/test_runner",
    "job/test_identity",
    "simulated/test_honesty",
    "integration/test_fidelity",
    "domains/planning/test_tasks",
    "models/test_pool",
    "results/test_kill",
    "domains/alfworld/test_generated",
    "results/test_equal",
    "simulated/test_server",
)
"""Files that take longest. They go first, so that no core waits for the other at the end of `make test`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; all else keeps its order."""
    places = {f"tests/{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.nodeid.split("::")[0], len(LONG)))
