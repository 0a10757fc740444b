"""Levels: `published` is like the published tasks, the others exceed it; every task has a valid plan."""

from __future__ import annotations

import subprocess
import sys

import pytest

from learnact.domains.levels import LEVELS, spread
from learnact.errors import BadInput
from tests.level_figures import PUBLISHED, Spread, distribution, generated

from . import referee
from .conftest import NAMES, build


@pytest.mark.parametrize("name", NAMES)
def test_published_is_like_the_published_tasks(name):
    theirs = PUBLISHED[name]
    for seed in range(4):
        ours = generated(name, "published", (seed,))
        assert isinstance(ours.plan, Spread) and isinstance(theirs.plan, float)
        assert ours.plan.median == pytest.approx(theirs.plan, rel=0.15)
        for mine, published in ((ours.objects, theirs.objects), (ours.facts, theirs.facts)):
            assert mine.median == pytest.approx(published.median, rel=0.15)
            assert published.least <= mine.least and mine.most <= published.most
        assert ours.goals.median == pytest.approx(theirs.goals.median, abs=0.5)
        assert (ours.goals.least, ours.goals.most) == (theirs.goals.least, theirs.goals.most)
        # shares of tasks, to within two of twenty
        for count, published_count in ((ours.long, theirs.long), (ours.short, theirs.short)):
            assert abs(count / ours.tasks - published_count / theirs.tasks) <= 0.1
        assert abs(ours.met / ours.tasks - theirs.met / theirs.tasks) <= 0.1


@pytest.mark.parametrize("name", NAMES)
def test_a_few_tasks_are_like_the_published_ones_too(name):
    """Eight tasks are spread over the level's kinds, whatever the seed."""
    plans = [generated(name, "published", (seed,), 8).plan for seed in range(6)]
    middle = [plan.median for plan in plans if isinstance(plan, Spread)]
    assert PUBLISHED[name].plan == pytest.approx(sum(middle) / len(middle), rel=0.2)


@pytest.mark.parametrize("name", ["gripper", "blockworld"])
def test_the_counted_figures_are_those_of_the_files(name, published):
    domain = build(name, source=published)
    counted, given = distribution(domain, domain.tasks("test")), PUBLISHED[name]
    assert (counted.objects, counted.facts, counted.goals) == (given.objects, given.facts, given.goals)
    assert (counted.long, counted.short, counted.met) == (given.long, given.short, given.met)
    assert isinstance(counted.plan, Spread) and isinstance(given.plan, float)
    assert counted.plan.median == pytest.approx(given.plan, rel=0.2), "plans of two planners differ"


@pytest.mark.parametrize("name", NAMES)
def test_levels_grow_and_the_last_is_beyond_the_turns(name):
    each = {level: generated(name, level, (5,)) for level in LEVELS}
    plans = {level: one.plan for level, one in each.items() if isinstance(one.plan, Spread)}
    assert plans["published"].median < plans["hard"].median < plans["harder"].median
    assert each["published"].objects.median < each["hard"].objects.median < each["harder"].objects.median
    assert 0.2 <= each["hard"].long / each["hard"].tasks <= 0.8
    turns = build(name).profile.test_turns
    assert plans["harder"].least > turns, "primitives alone cannot solve any within the turns"


@pytest.mark.parametrize("level", ["hard", "harder"])
@pytest.mark.parametrize("name", NAMES)
def test_reference_plans_of_longer_tasks_are_valid(name, level):
    domain = build(name, level=level, seed=21, train=1, test=1)
    for task in (*domain.tasks("train"), *domain.tasks("test")):
        plan = domain.plan(task.content)
        assert task.reference == len(plan.calls) and plan.found == "constructed"
        assert referee.accepts(referee.read(domain.family.file(".pddl"), task.content), plan.calls)
        assert task.labels["level"] == level


def test_tasks_are_the_same_in_any_process():
    program = (
        "from learnact.domains import registry; from learnact.records import DomainSpec\n"
        "for n in ('gripper', 'blockworld', 'barman', 'tyreworld'):\n"
        "    for level in ('published', 'harder'):\n"
        '        d = registry.build(DomainSpec(n, \'{"level": "%s", "test": 2, "train": 1}\' % level))\n'
        "        print(*[t.hash for t in (*d.tasks('train'), *d.tasks('test'))])"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] and said[0].count("\n") == 8


def test_an_unknown_level_is_refused_with_the_nearest():
    with pytest.raises(
        BadInput, match=r"domain gripper: option level: there is no level 'hrder'; did you mean 'harder'"
    ):
        build("gripper", level="hrder")
    with pytest.raises(BadInput, match=r"level is of generated tasks"):
        build("gripper", level="hard", source="/somewhere")


def test_many_tasks_of_a_level_are_all_different():
    tasks = build("blockworld", test=150).tasks("test")
    assert len({task.hash for task in tasks}) == 150


def test_a_few_numbers_in_a_row_are_spread_over_a_sequence():
    values = list(range(20))
    for offset in (0.0, 0.3, 0.77):
        assert sorted(spread(values, n, offset) for n in range(40)) == sorted(values * 2)
        for first in range(16):
            five = sorted(spread(values, n, offset) for n in range(first, first + 5))
            assert all(one < other for one, other in zip([0, 2, 5, 9, 13], [*five[1:], 20], strict=True))
