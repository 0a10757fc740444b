"""The bound of requests in flight finds what a server bears, and never freezes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.models.limits.adaptive import AdaptiveBound


def serve(bound: AdaptiveBound, capacity: int, seconds: float, now: float, latency: float = 0.5) -> float:
    """A server that refuses what is beyond its capacity, asked with as much as the bound allows; returns the
    time."""
    end = now + seconds
    while now < end:
        sent = now
        now += latency
        if bound.bound > capacity:
            bound.refused(sent, now)
        if capacity:
            bound.good(now, in_use=True)
    return now


@given(
    ceiling=st.integers(1, 500),
    capacities=st.lists(st.integers(0, 500), max_size=6),
    latency=st.sampled_from([0.05, 0.5, 3.0, 20.0]),
)
@settings(max_examples=100, deadline=None)
def test_whatever_happened_it_is_at_the_ceiling_again_within_two_minutes_of_good_replies(
    ceiling: int, capacities: list[int], latency: float
) -> None:
    bound, now = AdaptiveBound(ceiling), 0.0
    for capacity in capacities:
        now = serve(bound, capacity, 60.0, now, latency)
        assert 1 <= bound.bound <= ceiling
    serve(bound, 10_000, 120.0 * max(1.0, latency), now, latency)
    assert bound.bound == ceiling


def test_it_stays_near_what_the_server_bears() -> None:
    bound = AdaptiveBound(200)
    now = serve(bound, 20, 120.0, 0.0)
    seen = []
    for _ in range(200):
        now = serve(bound, 20, 0.5, now)
        seen.append(bound.bound)
    assert 15 <= sum(seen) / len(seen) <= 20.5
    assert sum(value > 20 for value in seen) <= 8


def test_a_bound_that_nothing_tries_out_does_not_grow() -> None:
    bound = AdaptiveBound(200)
    bound.refused(0.0, 1.0)
    before = bound.bound
    for second in range(100):
        bound.good(2.0 + second, in_use=False)
    assert bound.bound == before


def test_requests_that_were_sent_before_it_fell_lower_it_once() -> None:
    bound = AdaptiveBound(64)
    for _ in range(30):
        bound.refused(1.0, 2.0)
    assert bound.bound == 44
