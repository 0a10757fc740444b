"""Means of amounts with their intervals, amounts for each success, and when a cost is paid back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.statistics.amounts import NEVER, amount_difference, amount_mean, amount_ratio, break_even
from learnact.statistics.intervals import NOTHING, Interval

amounts = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(0, 1e6), st.booleans()), min_size=1, max_size=9
)


def test_every_task_weighs_the_same():
    found = amount_mean([("a", 10), ("a", 20), ("b", 3), ("c", 6)])
    assert (found.mean, found.episodes, found.clusters) == (8.0, 4, 3)
    assert found.low == 0.0  # an amount is never negative
    assert found.high == pytest.approx(8 + 4.302653 * math.sqrt((49 + 25 + 4) / 2 / 3))


@pytest.mark.parametrize("values", [[("a", 3.0)], [("a", 3.0), ("b", 3.0)], [("a", 2.0), ("a", 4.0)]])
def test_one_task_or_equal_ones_say_nothing_about_other_tasks(values):
    found = amount_mean(values)
    assert found.mean == 3.0
    assert math.isnan(found.low) and math.isnan(found.high)


def test_one_unknown_amount_makes_the_mean_unknown():
    assert amount_mean([("a", 1.0), ("b", None)]) == NOTHING
    assert amount_difference([("a", "", 1, None)], [("a", "", 1, 1.0)]) == NOTHING
    assert amount_mean([]) == NOTHING


def test_a_solved_task_costs_what_all_attempts_cost():
    found = amount_ratio([("a", 100, 1), ("b", 300, 0), ("c", 200, 1)])
    assert found.mean == 300.0
    assert amount_ratio([("a", 100, 0)]) == NOTHING


@given(amounts)
def test_where_all_succeed_an_amount_for_each_success_is_the_mean(values):
    ratio, mean = amount_ratio((t, x, 1.0) for t, x, _ in values), amount_mean((t, x) for t, x, _ in values)
    assert ratio == mean or (ratio.mean == mean.mean and math.isnan(mean.low))


@given(amounts, st.floats(0.01, 100))
def test_intervals_scale_with_the_unit_and_hold_their_mean(values, unit):
    found, scaled = (amount_ratio((t, x * by, s) for t, x, s in values) for by in (1.0, unit))
    if found.known and not math.isnan(found.low):
        assert found.low <= found.mean <= found.high
        assert scaled.mean == pytest.approx(found.mean * unit)
        assert scaled.high == pytest.approx(found.high * unit)


def test_the_intervals_cover_the_truth():
    """Skewed amounts as tokens are, 20 tasks, 3 repeats, a third of the episodes fail: nominal 95 %."""
    random = np.random.default_rng(7)
    rounds, hit, hit_ratio = 400, 0, 0
    for _ in range(rounds):
        sizes = np.repeat(random.lognormal(7.0, 0.5, 20), 3) * random.lognormal(0, 0.2, 60)
        solved = random.random(60) < 2 / 3
        tasks = np.repeat(np.arange(20), 3)
        truth = math.exp(7.0 + 0.5**2 / 2 + 0.2**2 / 2)
        found = amount_mean(zip(tasks, sizes, strict=True))
        ratio = amount_ratio(zip(tasks, sizes, solved, strict=True))
        hit += found.low <= truth <= found.high
        hit_ratio += ratio.low <= truth * 1.5 <= ratio.high
    assert hit / rounds > 0.9
    assert hit_ratio / rounds > 0.9


def test_a_difference_is_paired_by_task():
    """Tasks differ a lot, the methods by 10 on each."""
    act = [(task, "", 7, 100.0 * n) for n, task in enumerate("abcd", 1)]
    own = [(task, "one", 7, value - 10 - n / 10) for n, (task, *_, value) in enumerate(act)]
    found = amount_difference(act, own)
    assert found.mean == pytest.approx(10.15)
    assert 9.5 < found.low < found.high < 10.8
    one = amount_difference(act[:1], own[:1])
    assert one.mean == 10
    assert math.isnan(one.low) and math.isnan(one.high)


@pytest.mark.parametrize(
    ("cost", "saving", "expected"),
    [
        (1000, (10, 5, 20), (100, 50, 200)),
        (1000, (10, -5, 20), (100, 50, NEVER)),
        (1000, (-10, -20, -5), (NEVER, NEVER, NEVER)),
        (1000, (0, -5, 5), (NEVER, 200, NEVER)),
        (0, (10, 5, 20), (0, 0, 0)),
    ],
)
def test_a_cost_is_paid_back_by_what_each_episode_saves(cost, saving, expected):
    found = break_even(cost, Interval(*saving, 8, 4))
    assert (found.mean, found.low, found.high) == expected


def test_without_a_price_it_is_unknown_when_a_cost_is_paid_back():
    assert break_even(None, Interval(10, 5, 20, 8, 4)) == NOTHING
    assert break_even(1000, NOTHING) == NOTHING
