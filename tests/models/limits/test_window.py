"""An amount a minute is held to in each minute, whatever happens, and is nearly all used where there is
work."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.models.limits.window import MARGIN, MINUTE, Counted, Window

STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.01, 0.3, 1.0, 7.0, 40.0]),  # seconds until the next step
        st.floats(0.001, 1.0),  # the amount, as a share of the largest one
        st.sampled_from(["use", "use", "use", "hold", "give back", "less", "restart"]),
    ),
    max_size=60,
)


def of(limit: int, now: float) -> Window:
    return Window.of_tokens(limit, now) if limit >= 1000 else Window.of_requests(limit, now)


def most_in_a_minute(used: list[tuple[float, float]]) -> float:
    """The largest sum within any minute."""
    return max((sum(a for t, a in used if end - MINUTE < t <= end) for end, _ in used), default=0.0)


@given(limit=st.sampled_from([1, 3, 60, 600, 60_000]), steps=STEPS)
@settings(max_examples=150, deadline=None)
def test_no_minute_has_more_than_the_limit_also_across_restarts(
    limit: int, steps: list[tuple[float, float, str]]
) -> None:
    """Whenever something fits it is taken: the greediest user there can be."""
    now, largest = 1000.0, 1.0 if limit < 1000 else 0.05 * limit
    window = of(limit, now)
    used: list[tuple[float, float]] = []
    held: list[tuple[Counted, float]] = []
    for seconds, share, what in steps:
        now += seconds
        if what == "restart":
            window, held = of(limit, now), []
            continue
        for taken, amount in held:
            window.use(taken, now)
            used.append((now, amount))
        held = []
        amount = max(1.0, share * largest) if limit >= 1000 else 1.0
        while window.wait(amount, now) == 0:
            taken = window.take(amount, now)
            if what == "give back":
                window.give_back(taken, now)
                break
            if what == "hold":
                held.append((taken, amount))
                continue
            window.use(taken, now)
            used.append((now, amount))
    assert most_in_a_minute(used) <= limit + 1e-6


@given(limit=st.sampled_from([60, 600, 60_000]), share=st.floats(0.0005, 0.03))
@settings(max_examples=30, deadline=None)
def test_nearly_all_of_it_is_used_where_there_is_work(limit: int, share: float) -> None:
    amount = max(1.0, share * limit) if limit > 1000 else 1.0
    now = 0.0
    window = of(limit, now)
    used: list[tuple[float, float]] = []
    while now < 600.0:
        if wait := window.wait(amount, now):
            now += wait
            continue
        window.use(window.take(amount, now), now)
        used.append((now, amount))
    lost = MARGIN / MINUTE + 0.005 + amount / limit
    assert sum(a for t, a in used if t >= 120.0) / 8 >= limit * (1 - lost)


def test_estimates_that_are_far_off_are_corrected_by_what_came_of_earlier_ones() -> None:
    for truth in (10.0, 900.0):
        now, window, used = 0.0, Window.of_tokens(6000, 0.0), 0.0
        while now < 300.0:
            if wait := window.wait(300.0, now):
                now += wait
                continue
            taken = window.take(300.0, now)
            window.use(taken, now)
            window.correct(taken, truth, now)
            used += truth * (now >= 120.0)
        assert 0.85 * 6000 <= used / 3 <= 1.05 * 6000


def test_a_refusal_takes_away_a_little_for_a_while() -> None:
    window = Window.of_requests(600, 0.0)
    before = window.usable(0.0)
    window.refused(10.0)
    window.refused(10.1)
    assert 0.96 * before < window.usable(10.2) < before
    assert window.usable(200.0) == before


def test_a_refusal_while_little_is_used_says_nothing_of_this_limit() -> None:
    window = Window.of_requests(600, 0.0)
    window.refused(100.0)
    assert window.usable(100.0) == 600
