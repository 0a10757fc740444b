"""A decision that may be made at any time is wrong no more often than it says, and is certain at the end."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.statistics.sequences import is_above

VALUES = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=5)


def ever_above(values, error):
    return any(is_above(values[:seen], len(values), 1.0, error) for seen in range(1, len(values) + 1))


@given(VALUES, st.sampled_from([0.01, 0.05, 0.2, 0.5]))
def test_over_all_orders_it_errs_at_most_as_often_as_it_says(values, error):
    """Exact, not sampled: every order of a design whose mean is not positive, looked at after each task."""
    if sum(values) > 0:
        values = [-value for value in values]
    orders = list(itertools.permutations(values))
    wrong = sum(ever_above(order, error) for order in orders)
    assert wrong <= error * len(orders)


@given(VALUES)
def test_once_all_is_seen_it_says_what_is_so(values):
    if is_above(values, len(values), 1.0, 1e-12):
        assert sum(values) > 0
    if sum(values) > 1e-6:
        assert is_above(values, len(values), 1.0, 1e-12)


@given(VALUES, st.floats(0.1, 10))
def test_the_scale_does_not_matter(values, scale):
    scaled = [value * scale for value in values]
    assert is_above(scaled, len(values), scale, 0.1) == is_above(values, len(values), 1.0, 0.1)


def test_a_large_difference_is_found_early_and_a_small_one_late_or_never():
    order = random.Random(1)
    large = [1.0] * 80 + [0.0] * 20
    small = [1.0] * 12 + [-1.0] * 10 + [0.0] * 78
    for values in (large, small):
        order.shuffle(values)

    def needed(values):
        return next(n for n in range(1, 101) if is_above(values[:n], 100, 1.0, 0.05))

    assert needed(large) < 15
    assert needed(small) > 60


@pytest.mark.parametrize("wrong", [{"n": 1}, {"limit": 0.0}, {"error": 0.0}, {"error": 1.0}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="error rate"):
        is_above([0.0, 0.0], **{"n": 5, "limit": 1.0, "error": 0.05, **wrong})
