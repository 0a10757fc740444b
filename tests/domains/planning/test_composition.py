"""`composition: true`: training tasks with goals of one kind each, and test tasks that combine kinds."""

from __future__ import annotations

import pytest

from learnact.domains.planning.composition import GoalKinds
from learnact.domains.planning.pddl import parse_problem
from learnact.errors import BadInput, TaskError

from . import referee
from .conftest import build

KINDS = {"barman": ("ingredient", "cocktail"), "tyreworld": ("on", "inflated", "in")}


def kind(name: str, atom: tuple[str, ...]) -> str:
    """A second account of the kinds, by the names of things."""
    return atom[2].rstrip("0123456789") if name == "barman" else atom[0]


@pytest.mark.parametrize("level", ["easy", "published"])
@pytest.mark.parametrize("name", KINDS)
def test_training_asks_for_kinds_apart_and_the_test_combines_them(name: str, level: str) -> None:
    domain = build(name, level=level, composition=True, train=4, test=8, seed=3)
    for number, task in enumerate(domain.tasks("train")):
        problem = parse_problem(task.content, domain.rules)
        assert {kind(name, atom) for atom in problem.goal} == {KINDS[name][number % len(KINDS[name])]}
    for task in domain.tasks("test"):
        problem = parse_problem(task.content, domain.rules)
        to_do = {kind(name, atom) for atom in problem.goal if atom not in problem.init}
        assert len(to_do) >= 2
        assert task.labels["kinds"] == "+".join(k for k in KINDS[name] if k in to_do)
        plan = domain.plan(task.content)
        read = referee.read(domain.family.file(".pddl"), task.content)
        assert plan is not None and referee.accepts(read, plan.calls)


def test_a_test_asks_only_for_kinds_that_were_trained() -> None:
    domain = build("tyreworld", level="easy", composition=True, train=2, test=8)
    for task in domain.tasks("test"):
        assert {atom[0] for atom in parse_problem(task.content, domain.rules).goal} == {"on", "inflated"}


def test_the_same_seed_gives_the_same_tasks_and_other_tasks_than_without() -> None:
    tasks = [
        build("barman", level="easy", composition=given, test=5).tasks("test")
        for given in (True, True, False)
    ]
    assert tasks[0] == tasks[1]
    assert {task.name for task in tasks[0]}.isdisjoint(task.name for task in tasks[2])


def test_kinds_that_are_met_at_the_start_do_not_count() -> None:
    domain = build("tyreworld", level="easy")
    kinds = GoalKinds(("on", "inflated"))
    problem = parse_problem(
        "(define (problem p) (:domain tyreworld) "
        "(:objects the-hub1 - hub nuts1 - nut boot - container r1 - wheel) "
        "(:init (inflated r1) (in r1 boot)) "
        "(:goal (and (on r1 the-hub1) (inflated r1))))",
        domain.rules,
    )
    assert kinds.left_to_do(problem) == ("on",)
    assert kinds.task(problem, "test", 2) is None
    trained = kinds.task(problem, "train", 1)
    assert trained is not None and trained.goal == (("inflated", "r1"),)


def test_what_cannot_be_combined_is_refused_with_the_reason() -> None:
    with pytest.raises(BadInput, match="gripper: composition: all goals are of one kind"):
        build("gripper", composition=True)
    with pytest.raises(BadInput, match="barman: composition: train must be at least 2"):
        build("barman", composition=True, train=1)
    with pytest.raises(TaskError, match=r"with goals of ingredient, cocktail .* take another level"):
        build("barman", composition=True, level="hard").tasks("train")
    with pytest.raises(BadInput, match="composition is of generated tasks"):
        build("barman", composition=True, source="somewhere")
