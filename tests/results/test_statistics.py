"""Statistics: known answers, laws, and that intervals cover what they claim to."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.results.statistics import (
    bounds,
    clustered_mean,
    paired_difference,
    pooled_share,
    rank_correlation,
    regret,
)

values = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from([0, 1]) | st.floats(0, 1)), min_size=1, max_size=40
)


@given(values)
def test_a_mean_lies_in_its_interval_and_no_interval_is_a_point(pairs):
    found = clustered_mean(pairs)
    assert 0.0 <= found.low <= found.mean <= found.high <= 1.0
    assert found.low < found.high
    assert found.episodes == len(pairs)
    assert found.clusters == len({task for task, _ in pairs})


def test_twenty_of_twenty_is_no_certainty_and_repeats_add_none():
    once = clustered_mean((task, 1) for task in range(20))
    thrice = clustered_mean((task, 1) for task in range(20) for _ in range(3))
    assert (once.mean, once.high) == (1.0, 1.0)
    assert once.low == pytest.approx(0.8316, abs=1e-4)  # Clopper-Pearson, 20 of 20
    assert thrice.low == once.low


def test_independent_episodes_come_to_clopper_pearson():
    one_each = clustered_mean((task, task < 9) for task in range(30))
    assert one_each.low == pytest.approx(0.1473, abs=0.01)  # Clopper-Pearson, 9 of 30: 0.147 to 0.494
    assert one_each.high == pytest.approx(0.4940, abs=0.01)


def test_tasks_weigh_the_same_whatever_is_finished():
    assert clustered_mean([("a", 1), ("a", 1), ("a", 1), ("b", 0)]).mean == 0.5


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize(("tasks", "likeness"), [(6, 0.9), (20, 0.5), (20, 0.99)])
def test_coverage_is_what_it_claims(rate, tasks, likeness):
    """Tasks of different difficulty (beta), three repeats each: the interval covers the mean difficulty in
    about 95 % of runs.
    """
    random, hits, runs = np.random.default_rng(7), 0, 400
    spread = 1 / likeness - 1
    for _ in range(runs):
        difficulty = random.beta(rate * spread, (1 - rate) * spread, tasks)
        played = random.random((tasks, 3)) < difficulty[:, None]
        found = clustered_mean((task, float(x)) for task in range(tasks) for x in played[task])
        hits += found.low <= rate <= found.high
    assert hits / runs >= 0.92


def test_nothing_gives_nothing():
    assert not clustered_mean([]).known
    assert not paired_difference([("a", 0, 1)], [("b", 0, 1)]).known
    assert math.isnan(bounds(0, 0, 0)[0])


def test_paired_differences_use_the_tasks_both_played_and_are_narrower_than_unpaired_ones():
    hard = [(task, 0, 0.1 * task) for task in range(9)]
    easier = [(task, 0, 0.1 * task + (0.05 if task % 2 else 0.15)) for task in range(9)] + [(99, 0, 1.0)]
    found = paired_difference(easier, hard)
    assert found.mean == pytest.approx(0.1055, abs=0.01)
    assert 0.05 < found.low < found.high < 0.16
    assert found.clusters == 9


def test_several_libraries_make_a_difference_less_certain():
    base = [(task, 0, 0.5) for task in range(30)]
    steady = [(task, library, 0.7 + 0.01 * (task % 3)) for task in range(30) for library in range(3)]
    varied = [
        (task, library, 0.5 + 0.2 * library + 0.01 * (task % 3)) for task in range(30) for library in range(3)
    ]
    assert paired_difference(steady, base).low > 0.1
    assert paired_difference(varied, base).mean == pytest.approx(paired_difference(steady, base).mean)
    assert paired_difference(varied, base).low < 0.0


def test_a_difference_is_what_was_won_minus_what_was_lost_even_where_episodes_are_missing():
    """Five tasks, two episodes of each of two libraries, two of them missing; three more of the second
    library.
    """
    pairs = [(task, library, 1.0, 0.0) for task in range(5) for library in (0, 1) for _ in range(2)]
    pairs += [(task, 1, 0.0, 1.0) for task in range(3)]
    del pairs[0], pairs[4]
    won = clustered_mean((task, float(one > two)) for task, _, one, two in pairs).mean
    lost = clustered_mean((task, float(one < two)) for task, _, one, two in pairs).mean
    found = paired_difference(
        [(t, g, one) for t, g, one, _ in pairs], [(t, g, two) for t, g, _, two in pairs]
    )
    assert found.mean == pytest.approx(won - lost, abs=1e-12)
    assert found.low < found.mean < found.high
    assert found.episodes == len(pairs)


def test_equal_results_are_no_proof_of_no_difference():
    found = paired_difference([(t, 0, 1) for t in range(10)], [(t, 0, 1) for t in range(10)])
    assert found.mean == 0.0
    assert found.low == pytest.approx(-0.308, abs=0.001)
    assert found.high == -found.low


def test_ranks_regret_and_bounds():
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1.0)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1.0)
    assert rank_correlation([1, 1, 1], [3, 2, 1]) is None
    assert rank_correlation([1, 2], [3, 2]) is None
    assert regret(0.4, [0.7, 0.2]) == pytest.approx(0.3)
    assert regret(0.9, [0.7]) == 0.0
    assert bounds(6, 8, 2) == (0.6, 0.8)


def test_a_pooled_share_counts_every_answer_and_trusts_trials_that_agree_more():
    alike = [(trial, answer < 9) for trial in range(6) for answer in range(10)]
    apart = [(trial, trial > 0 or answer < 4) for trial in range(6) for answer in range(10)]
    assert pooled_share(alike).mean == pytest.approx(0.9)
    assert pooled_share(apart).mean == pytest.approx(0.9)
    assert pooled_share(alike).low > pooled_share(apart).low
    uneven = pooled_share([("a", 1)] * 9 + [("b", 0)])
    assert (uneven.mean, uneven.episodes, uneven.clusters) == (0.9, 10, 2)
    assert not pooled_share([]).known
