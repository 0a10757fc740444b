"""p-values and power: second computations by other means, and by simulation."""

import math

import numpy as np
import pytest
from scipy import special, stats

from learnact.statistics.differences import difference
from learnact.statistics.power import Variances, assumed_variances, designs_for, variances
from learnact.statistics.significance import holm, mcnemar, permute_libraries, permute_tasks
from tests import coverage_simulation as simulation
from tests.statistics.test_differences import played, without


def test_permutation_of_tasks_agrees_with_scipy():
    first, second = played(10, 12, 3), without(played(11, 12, 3))
    found = difference(first, second)
    values = list(found.by_task.values())
    expected = stats.permutation_test((values,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert permute_tasks(found).p_value == pytest.approx(expected.pvalue)
    many = difference(played(12, 40, 3), without(played(13, 40, 3, mean=0.4)))
    drawn = stats.permutation_test(
        (list(many.by_task.values()),), np.sum, permutation_type="samples", n_resamples=20_000, rng=1
    )
    assert permute_tasks(many).p_value == pytest.approx(drawn.pvalue, abs=0.015)


def test_five_pairs_of_libraries_cannot_be_more_significant_than_they_are():
    better = [(t, f"a{i}", i, 1.0) for t in range(9) for i in range(5)]
    worse = [(t, f"b{i}", i, 0.0) for t in range(9) for i in range(5)]
    found = permute_libraries(difference(better, worse))
    assert (found.p_value, found.least, found.units) == (0.0625, 0.0625, 5)
    assert permute_libraries(difference(without(better), without(worse))) is None


def test_mcnemar_is_the_binomial_test_where_each_task_has_one_pair():
    first, second = played(14, 40, 1, mean=0.7), without(played(15, 40, 1, mean=0.4))
    found = mcnemar(difference(first, second))
    expected = stats.binomtest(found.first_only, found.first_only + found.second_only, 0.5).pvalue
    assert found.p_value == pytest.approx(expected)
    assert mcnemar(difference(played(1, 9, 2), without(played(2, 9, 2)))) is None


def test_holm_adjusts_for_the_number_of_comparisons():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    adjusted = holm([0.9, math.nan, 0.02])
    assert adjusted[0] == pytest.approx(0.9)
    assert adjusted[2] == pytest.approx(0.04)
    assert math.isnan(adjusted[1])


# Power ------------------------------------------------------------------------------------------------------


def test_the_smallest_difference_is_found_in_four_of_five_experiments():
    """Simulated with the assumptions that a plan makes."""
    assumed = assumed_variances(0.5, repeats=1, learners=2)
    effects = np.linspace(0.2, 4.0, 60)
    gains = [simulation.mean_success(e / 2, 1.0) - simulation.mean_success(-e / 2, 1.0) for e in effects]
    effect = float(np.interp(assumed.smallest(40, 10), gains, effects))
    rate = float(special.expit(-effect / 2))
    design = simulation.Design("difference, shared seeds", 40, 10, 1.0, rate, effect)
    assert 0.78 <= simulation.simulate(design, 3000).found <= 0.86


def test_what_was_measured_says_what_more_would_show():
    found = difference(played(20, 30, 5, mean=0.7), played(21, 30, 5, mean=0.5))
    spread = variances(found)
    assert spread.error(30, 5)[0] == pytest.approx(found.error(found.terms)[0], rel=0.25)
    assert spread.smallest(30, 20) < spread.smallest(30, 5)
    needs = designs_for(spread, 0.05, 5)
    assert [need.libraries for need in needs] == [5, 10, 20, 50]
    assert needs[0].tasks is None  # five libraries never show 5 points, however many tasks
    alone = Variances(0.25, 0.0, 0.0)
    assert alone.tasks_for(0.1, 1) == pytest.approx((2.8 * 0.5 / 0.1) ** 2, rel=0.05)
    assert alone.smallest(alone.tasks_for(0.1, 1), 1) <= 0.1 < alone.smallest(alone.tasks_for(0.1, 1) - 1, 1)
