"""The order of the test files, and settings of property tests that hold on a busy machine."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

LONG = (
    "cluster/test_tables",
    "cli/test_interrupted",
    "results/test_kill",
    "simulated/test_honesty",
    "cluster/test_runner",
    "models/test_whole_run",
    "integration/test_run",
    "integration/test_transfer",
    "sandbox/test_hostile",
    "methods/test_whole_job",
    "sandbox/test_protocol",
    "results/test_equal",
)
"""Files that take longest. They go first, so that no core waits for the other at the end of `make test`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; all else keeps its order."""
    places = {f"tests/{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.nodeid.split("::")[0], len(LONG)))
