"""Three workers on Ray against a real server that enforces 600 requests and 60,000 tokens in any minute: what
issue 12 asks for, in real time. Only the server counts; it does not matter how long anything takes."""

from __future__ import annotations

import pytest

from tests.benchmarks.bench_rates import CASES, Case, measure


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_limits_are_used_and_hardly_anything_is_refused_and_a_storm_passes(case: Case) -> None:
    found = measure(case)
    print(case.name, found)
    assert found.used >= 0.95
    assert found.refused <= 0.01
    assert found.back >= 0.9
