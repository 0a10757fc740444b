"""The spread between conditions without sampling noise: known answers, a second computation, simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.statistics.spread import permute_conditions, spread


def outcomes(table, libraries=None):
    """Outcomes of each condition from a table (tasks, conditions, libraries)."""
    tasks, conditions, repeats = table.shape
    return [
        [
            (task, f"{c}-{r}" if libraries else "", r, float(table[task, c, r]))
            for task in range(tasks)
            for r in range(repeats)
        ]
        for c in range(conditions)
    ]


def test_it_is_the_estimate_of_the_analysis_of_variance():
    """Second computation: (MS of conditions - MS of the rest) / tasks, by least squares on dummies."""
    table = np.random.default_rng(1).random((9, 4)) + np.linspace(0, 1, 4)
    rows, columns = np.indices(table.shape).reshape(2, -1)
    flat, task, condition = table.ravel(), np.eye(9)[rows], np.eye(4)[columns]

    def rest(*designs):
        x = np.column_stack([np.ones(36), *designs])
        return float(((flat - x @ np.linalg.lstsq(x, flat, rcond=None)[0]) ** 2).sum())

    both = rest(task, condition)
    expected = ((rest(task) - both) / 3 - both / 24) / 9
    found = spread(outcomes(table[..., None]))
    assert found.variance == pytest.approx(expected)
    assert found.measured == pytest.approx(table.mean(0).std(ddof=1))
    assert found.sd == pytest.approx(math.sqrt(expected))


def test_equal_conditions_do_not_differ_and_nothing_is_known_of_one():
    table = np.random.default_rng(2).integers(0, 2, (10, 1, 1)).repeat(3, 1).astype(float)
    found = spread(outcomes(table))
    assert (found.measured, found.sd, found.p_value) == (0.0, 0.0, 1.0)
    assert math.isnan(spread(outcomes(table)[:1]).sd)
    assert math.isnan(spread([[("a", "", 0, 1.0)], [("b", "", 0, 1.0)]]).sd)


@given(st.integers(0, 2**32 - 1), st.integers(2, 8), st.integers(2, 5))
def test_the_order_of_conditions_and_a_shift_of_tasks_change_nothing(seed, tasks, conditions):
    random = np.random.default_rng(seed)
    table = random.random((tasks, conditions, 1))
    found = spread(outcomes(table))
    moved = spread(outcomes(table[:, ::-1] + random.random((tasks, 1, 1))))
    assert found.variance == pytest.approx(moved.variance, abs=1e-12)
    assert found.variance <= found.measured**2


def simulated(random, effect_sd, library_sd=0.0, tasks=18, conditions=6, repeats=1):
    """Success of 18 tasks in 6 interfaces, as a run of jobs/paper/robustness.yaml has them."""
    ability = 1.5 * random.standard_normal((tasks, 1, 1))
    effect = effect_sd * random.standard_normal((1, conditions, 1))
    library = library_sd * random.standard_normal((1, conditions, repeats))
    chance = 1 / (1 + np.exp(-(ability + effect + library)))
    return (random.random((tasks, conditions, repeats)) < chance).astype(float), chance


def test_without_an_effect_it_is_nothing_on_average_and_p_is_honest():
    random = np.random.default_rng(3)
    found = [spread(outcomes(simulated(random, 0.0)[0])) for _ in range(120)]
    measured = np.mean([one.measured for one in found])
    assert 0.07 < measured < 0.11  # what was reported as a spread of interfaces: 9 points of nothing
    error = np.std([one.variance for one in found]) / math.sqrt(120)
    assert abs(np.mean([one.variance for one in found])) < 3 * error
    tables = [simulated(random, 0.0)[0][..., 0] for _ in range(60)]
    assert np.mean([permute_conditions(table) < 0.05 for table in tables]) <= 0.1


@pytest.mark.parametrize(("library_sd", "repeats"), [(0.0, 1), (1.0, 5)])
def test_with_an_effect_it_is_the_effect(library_sd, repeats):
    """Also where each interface has learned its own libraries: their luck is noise, too."""
    random = np.random.default_rng(4)
    found = [
        spread(outcomes(simulated(random, 1.0, library_sd, repeats=repeats)[0], libraries=library_sd > 0))
        for _ in range(150)
    ]
    assert {one.scope for one in found} == {"method"}
    many = 400 if library_sd else 1
    truths = [
        simulated(random, 1.0, library_sd, repeats=many)[1].mean((0, 2)).var(ddof=1) for _ in range(150)
    ]
    estimates = [one.variance for one in found]
    error = math.hypot(np.std(estimates), np.std(truths)) / math.sqrt(150)
    assert abs(np.mean(estimates) - np.mean(truths)) < 3 * error
