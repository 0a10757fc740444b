"""Progress from facts: begins at 0, never falls, 1 exactly when won."""

from __future__ import annotations

import pytest

from learnact.domains.alfworld.progress import ProgressMeasure
from learnact.domains.alfworld.task_types import TaskGoal


class GameFacts(dict[str, list[tuple[str, ...]]]):
    """A state by hand."""

    def facts_named(self, predicate: str) -> list[tuple[str, ...]]:
        return self.get(predicate, [])


def played(goal: TaskGoal, *states: dict[str, list[tuple[str, ...]]], won_at: int = -1) -> list[float]:
    facts = GameFacts(states[0])
    measure, seen = ProgressMeasure(facts, goal), []
    for index, state in enumerate(states):
        facts.clear()
        facts.update(state)
        seen.append(round(measure.update("", won_at == index), 3))
    return seen


def test_put():
    start, held, placed = {}, {"holds": [("agent", "book 1")]}, {"inreceptacle": [("book 1", "desk 1")]}
    assert played(TaskGoal("put", "book", "desk"), start, held, start, placed, won_at=3) == [0, 0.5, 0.5, 1]


def test_another_kind_of_thing_does_not_count():
    held = {"holds": [("agent", "pen 1")], "inreceptacle": [("pen 2", "desk 1"), ("book 1", "bed 1")]}
    assert played(TaskGoal("put", "book", "desk"), {}, held) == [0, 0]


def test_heat():
    held = {"holds": [("agent", "mug 1")]}
    hot = held | {"ishot": [("mug 1",)]}
    placed = {"ishot": [("mug 1",)], "inreceptacle": [("mug 1", "desk 1")]}
    assert played(TaskGoal("heat", "mug", "desk"), {}, held, hot, placed, won_at=3) == [0, 0.333, 0.667, 1]


def test_a_hot_mug_and_another_in_place_do_not_add_up():
    state = {"ishot": [("mug 1",)], "inreceptacle": [("mug 2", "desk 1")]}
    assert played(TaskGoal("heat", "mug", "desk"), {}, state) == [0, 0.667]


def test_puttwo_counts_from_what_is_there_at_the_start():
    one = {"inreceptacle": [("cd 1", "safe 1")]}
    held = one | {"holds": [("agent", "cd 2")]}
    both = {"inreceptacle": [("cd 1", "safe 1"), ("cd 2", "safe 1")]}
    assert played(TaskGoal("puttwo", "cd", "safe"), one, held, both, won_at=2) == [0, 0.5, 1]


def test_two_in_different_places_are_not_two_in_one():
    apart = {"inreceptacle": [("cd 1", "safe 1"), ("cd 2", "safe 2")]}
    assert played(TaskGoal("puttwo", "cd", "safe"), {}, apart) == [0, 0.5]


def test_examine():
    where = {"receptacleatlocation": [("desk 1", "loc 1")], "inreceptacle": [("desklamp 1", "desk 1")]}
    held = where | {"holds": [("agent", "cd 1")], "atlocation": [("agent", "loc 2")]}
    there = held | {"atlocation": [("agent", "loc 1")]}
    on = there | {"istoggled": [("desklamp 1",)]}
    assert played(TaskGoal("examine", "cd", "desklamp"), where, held, there, on, won_at=3) == [
        0,
        0.333,
        0.667,
        1,
    ]


def test_never_1_unless_won():
    placed = {"inreceptacle": [("book 1", "desk 1")]}
    assert played(TaskGoal("put", "book", "desk"), {}, placed) == [0, 0.99]


@pytest.mark.parametrize("won", [False, True])
def test_agentboards_labels_are_counted_with_the_success(won):
    measure = ProgressMeasure(
        GameFacts(), TaskGoal("put", "book", "desk"), ("pick up the book", "On the bed")
    )
    assert measure.update("On the bed 1, you see nothing.", False) == pytest.approx(1 / 3)
    assert measure.update("You pick up the book 1 from the bed 1.", won) == (
        1 if won else pytest.approx(2 / 3)
    )
