"""Statistics: known answers, laws, and that intervals cover what they claim to."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.statistics.intervals import bounds, clustered_mean, method_mean, pooled_share
from learnact.statistics.ranking import pass_at_k, rank_correlation, regret

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
    assert not method_mean([]).known
    assert math.isnan(bounds(0, 0, 0)[0])


def by_library(rates, tasks=20):
    """Tasks by libraries; each library solves its first tasks."""
    return [(t, library, float(t < rate * tasks)) for library, rate in enumerate(rates) for t in range(tasks)]


def test_a_method_is_less_certain_than_its_libraries_are_and_more_where_they_agree():
    alike, apart = by_library([0.5] * 5), by_library([0.1, 0.3, 0.5, 0.7, 0.9])
    assert method_mean(alike).mean == pytest.approx(method_mean(apart).mean)
    width = {
        name: method_mean(values).high - method_mean(values).low
        for name, values in (("alike", alike), ("apart", apart))
    }
    assert width["apart"] > 1.2 * width["alike"]
    more_tasks = method_mean(by_library([0.1, 0.3, 0.5, 0.7, 0.9], tasks=200))
    assert more_tasks.high - more_tasks.low > 0.5  # more tasks tell nothing about other libraries
    assert method_mean(apart).libraries == 5
    assert method_mean(apart).trusted


def test_too_few_libraries_are_marked_and_one_says_nothing_about_others():
    two, one = method_mean(by_library([0.3, 0.5])), method_mean(by_library([0.3]))
    assert not two.trusted
    assert 0.0 <= two.low < two.mean < two.high <= 1.0
    assert not one.trusted
    assert math.isnan(one.low)
    nothing_learned = method_mean((task, "", float(task < 6)) for task in range(20))
    assert nothing_learned.trusted
    assert nothing_learned.low < 0.3 < nothing_learned.high


def test_all_solved_by_all_libraries_is_no_certainty():
    found = method_mean(by_library([1.0] * 10, tasks=60))
    assert (found.mean, found.high) == (1.0, 1.0)
    assert 0.8 < found.low < 0.97


def test_each_domain_has_libraries_of_its_own():
    """Two domains of very different difficulty: the mean is over these domains, not over others."""
    easy = [(("easy", t), ("easy", library), float(t > 0)) for t in range(20) for library in range(5)]
    hard = [(("hard", t), ("hard", library), float(t == 0)) for t in range(20) for library in range(5)]
    found = method_mean(easy + hard)
    assert found.mean == 0.5
    assert found.high - found.low < 0.2
    assert found.libraries == 5
    assert not method_mean(easy + hard[:1]).trusted


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


def test_pass_at_k_is_the_share_of_draws_of_k_with_a_success():
    from itertools import combinations

    attempts = [True, False, False, True, False]
    for k in range(1, 6):
        drawn = [any(draw) for draw in combinations(attempts, k)]
        assert pass_at_k(attempts, k) == pytest.approx(sum(drawn) / len(drawn))
    with pytest.raises(ValueError, match="pass@6 needs 6"):
        pass_at_k(attempts, 6)
