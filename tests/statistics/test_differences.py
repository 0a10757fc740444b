"""Differences and their tests: known answers, second computations by other means, and laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from learnact.statistics.components import crossed_terms, terms_of_cells
from learnact.statistics.differences import difference, paired_difference
from learnact.statistics.intervals import cells_of
from tests import coverage_simulation as simulation


def played(seed, tasks, libraries, mean=0.5, spread=0.25, repeats=1):
    """(task, library, repeat, value) of a method; repeats are numbered over all libraries."""
    random = np.random.default_rng(seed)
    skill = np.clip(mean + spread * random.standard_normal(libraries), 0.02, 0.98)
    return [
        (task, f"{seed}-{library}", library * repeats + r, float(random.random() < skill[library]))
        for task in range(tasks)
        for library in range(libraries)
        for r in range(repeats)
    ]


def without(values):
    """The same of a method that learns nothing."""
    return [(task, "", repeat, value) for task, _, repeat, value in values]


outcomes = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 2), st.sampled_from([0.0, 1.0])),
    min_size=1,
    max_size=40,
    unique_by=lambda v: v[:3],
)


@given(outcomes)
def test_the_same_episodes_differ_by_nothing(values):
    for scope in ("tasks", "method"):
        found = paired_difference(values, list(reversed(values)), scope)
        assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0)
        found = paired_difference([(t, g, v) for t, g, _, v in values], [(t, g, v) for t, g, _, v in values])
        assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0)
    assert difference(values, values).p_value("method") == 1.0


@given(outcomes, outcomes)
def test_a_difference_turned_round_is_the_same_with_the_other_sign(first, second):
    one, two = difference(first, second), difference(second, first)
    assert one.known == two.known
    if one.known and one.by_repeat:
        assert one.mean == pytest.approx(-two.mean)
        assert one.tasks.low == pytest.approx(-two.tasks.high)
    for found in (one, two):
        if found.known:
            assert -1.0 <= found.tasks.low <= found.mean + 1e-9
            assert found.mean <= found.tasks.high + 1e-9 <= 1.0 + 1e-9


def test_all_pairs_tied_is_narrow_and_no_certainty():
    """A variant that ties in all 24 pairs: 14 tasks, and another library than the other side's."""
    first = [(n % 14, "a", n, float(n % 3 > 0)) for n in range(24)]
    second = [(task, "b", n, value) for task, _, n, value in first]
    found = paired_difference(first, second)
    assert found.mean == 0.0
    assert 0.05 < found.high < 0.10
    assert found.low == -found.high


def test_pairs_of_equal_seed_are_more_certain_than_pairs_of_tasks():
    random = np.random.default_rng(1)
    luck = random.random((20, 10))
    first = [(t, f"a{r // 2}", r, float(luck[t, r] < 0.5)) for t in range(20) for r in range(10)]
    second = [(t, f"b{r // 2}", r, float(luck[t, r] < 0.45)) for t in range(20) for r in range(10)]
    paired = difference(first, second)
    other_seeds = difference(first, [(t, b, r + 100, v) for t, b, r, v in second])
    assert paired.by_repeat
    assert not other_seeds.by_repeat
    assert paired.mean == pytest.approx(other_seeds.mean)
    assert paired.method.high - paired.method.low < 0.75 * (other_seeds.method.high - other_seeds.method.low)


def test_one_library_and_no_learning_is_the_paired_t_test():
    first, second = played(1, 30, 1), without(played(2, 30, 1))
    found = difference(first, second)
    expected = stats.ttest_rel([v[-1] for v in first], [v[-1] for v in second])
    assert found.p_value("tasks") == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (found.tasks.low, found.tasks.high) == pytest.approx((interval.low, interval.high))
    assert math.isnan(found.method.low)
    assert not found.method.trusted


def test_the_second_sides_libraries_count():
    steady = [(t, f"a{i}", i, float(t % 2)) for t in range(30) for i in range(5)]
    varied = [(t, f"b{i}", i, float(t % 5 <= i)) for t in range(30) for i in range(5)]
    assert paired_difference(steady, varied, "method").high > paired_difference(steady, varied).high + 0.15
    assert paired_difference(varied, steady, "method").libraries == 5


def test_more_tasks_do_not_make_up_for_few_libraries():
    few, many = (played(3, tasks, 5) for tasks in (20, 400))
    base = {len(values): without(played(9, len(values) // 5, 5)) for values in (few, many)}
    narrow = [difference(values, base[len(values)]) for values in (few, many)]
    assert narrow[1].tasks.high - narrow[1].tasks.low < 0.4 * (narrow[0].tasks.high - narrow[0].tasks.low)
    assert narrow[1].method.high - narrow[1].method.low > 0.3


def test_won_minus_lost_also_where_episodes_are_missing():
    first = played(4, 12, 5, repeats=2)
    second = [v for n, v in enumerate(without(played(5, 12, 5, repeats=2))) if n % 11]
    found = difference(first, second)
    assert found.by_repeat
    assert len(found.pairs) == len(second)
    by_task = {}
    table = {(v[0], v[2]): v[-1] for v in second}
    for task, _, repeat, value in first:
        if (task, repeat) in table:
            by_task.setdefault(task, []).append(value - table[task, repeat])
    assert found.mean == pytest.approx(np.mean([np.mean(values) for values in by_task.values()]))
    assert found.method.low < found.mean < found.method.high


def test_libraries_that_meet_several_are_not_paired_one_to_one():
    """Five libraries with two repeats each against ten with one: the seeds are shared, the libraries not."""
    five = played(6, 10, 5, repeats=2)
    ten = played(7, 10, 10)
    assert not difference(five, ten).by_repeat
    assert difference(five, ten).method.libraries == 5


# Second computations ----------------------------------------------------------------------------------------


def test_variance_terms_agree_with_least_squares_and_with_the_general_form():
    random = np.random.default_rng(2)
    values = random.standard_normal((7, 1)) + random.standard_normal((1, 4)) + random.standard_normal((7, 4))
    terms = {term.kind: float(term.variance) for term in crossed_terms(values)}
    rows, columns = np.indices(values.shape).reshape(2, -1)
    flat = values.ravel()

    def squares(*designs):
        x = np.column_stack([np.ones(28), *designs])
        return float(((flat - x @ np.linalg.lstsq(x, flat, rcond=None)[0]) ** 2).sum())

    task, library = np.eye(7)[rows], np.eye(4)[columns]
    both = squares(task, library)
    assert terms["both"] == pytest.approx(both / 18 / 28)
    assert terms["tasks"] == pytest.approx((squares(library) - both) / 6 / 28)
    assert terms["libraries"] == pytest.approx((squares(task) - both) / 3 / 28)
    general = terms_of_cells(cells_of(zip(rows, columns, flat, strict=True)))
    assert {t.kind: float(t.variance) for t in general} == pytest.approx(terms)
    assert {t.kind: t.freedom for t in general} == {"tasks": 6, "libraries": 3, "both": 18}


@pytest.mark.parametrize("paired", [True, False])
def test_the_simulated_formulas_are_those_of_the_tables(paired):
    random = np.random.default_rng(3)
    first, second = (random.random((1, 8, 5)) < 0.5, random.random((1, 8, 5)) < 0.7)
    low, high = simulation.difference_interval(first.astype(float), second.astype(float), paired)
    sides = [
        [(t, f"{name}{i}", i + shift, float(values[0, t, i])) for t in range(8) for i in range(5)]
        for name, values, shift in (("a", first, 0), ("b", second, 0 if paired else 9))
    ]
    found = difference(*sides)
    assert found.by_repeat == paired
    assert (found.method.low, found.method.high) == pytest.approx((low[0], high[0]))


# Coverage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", simulation.KINDS)
@pytest.mark.parametrize("sd", [0.0, 1.0])
def test_intervals_cover_what_they_claim(kind, sd):
    """A small version of `make coverage-simulation`, whose table stands in docs/statistics.md."""
    for tasks, libraries in ((20, 5), (20, 10), (60, 5)):
        effects = (0.0,) if kind == "rate" else (0.0, 1.0)
        for effect in effects:
            found = simulation.simulate(simulation.Design(kind, tasks, libraries, sd, 0.5, effect), 1500)
            assert 0.93 <= found.covered <= 0.987, found
            if not effect and kind != "rate":
                assert found.found <= 0.065, found
