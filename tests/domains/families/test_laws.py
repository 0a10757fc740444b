"""What every registered family of environments keeps, whichever it is (docs/environments.md)."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learnact.domains import registry
from learnact.domains.base import PlannedCall
from learnact.domains.disjoint import check_disjoint
from learnact.domains.family import FamilyDomain
from learnact.domains.family_environment import NOTHING
from learnact.domains.levels import LEVELS
from learnact.errors import TaskError
from learnact.library.calls import parse_call
from tests.domains.families.walking import (
    FOREIGN,
    build,
    families,
    some_arguments,
    spec_of,
    why_missing,
    words_of,
)

FEW, MANY = 1, 50
"""Tasks of a level that are solved by their plans in `make test` and in `make test-all`."""


def levels_of(family: str) -> tuple[dict[str, Any], ...]:
    levelled = "level" in families()[family].options_model.model_fields
    return tuple({"level": level} for level in LEVELS) if levelled else ({},)


def test_the_worked_example_is_what_the_environment_answers(at, family):
    domain = build(family)
    assert isinstance(domain, FamilyDomain)
    played = at.open(spec_of(family), domain.example_task)
    assert played.environment.goal == domain.example.goal
    assert played.environment.first_observation == domain.example.first_observation
    assert domain.example.steps
    for _, action, observation in domain.example.steps:
        call = parse_call(action)
        step = played.call(call.name, call.args, call.kwargs)
        assert (step.valid, step.observation) == (True, observation), action
        assert step.command == call.text
    assert played.environment.success and played.environment.progress == 1
    played.close()


def test_train_and_test_tasks_differ_and_follow_from_the_seed(family):
    domain = build(family, train=3, test=5)
    assert isinstance(domain, FamilyDomain)
    train, test = list(domain.tasks("train")), list(domain.tasks("test"))
    assert (len(train), len(test)) == (3, 5)
    assert check_disjoint(train, test, domain.example_task).ok
    registry.forget()
    again = build(family, train=3, test=5)
    assert again.version == domain.version
    assert [t.hash for t in again.tasks("train")] == [t.hash for t in train]
    assert [t.hash for t in again.tasks("test")] == [t.hash for t in test]


def test_another_seed_gives_other_tasks(family):
    if "seed" not in families()[family].options_model.model_fields:
        pytest.skip("this family has no seed")
    first, second = (build(family, train=1, test=4, seed=seed).tasks("test") for seed in (0, 1))
    assert [t.hash for t in first] != [t.hash for t in second]


def most_tasks(family: str, options: dict[str, Any], count: int) -> int:
    """How many test tasks to ask for: fewer where they come from data that hold no more."""
    with contextlib.suppress(TaskError):
        build(family, **options, train=1, test=count).tasks("test")
        return count
    return len(build(family, **options, train=1).tasks("test"))


MAY_LACK_PLANS = "scienceworld-"
"""Plans come from the simulator's own paths, some of which solve nothing: then a task has none, and says so
(tests/domains/scienceworld names kinds). At least half of the tasks of a kind must have one."""


def solve(at, family: str, count: int) -> None:
    """Tasks of each level, played by their reference plan."""
    if not families()[family].plans:
        pytest.skip("nothing is known of how its tasks are solved")
    for options in levels_of(family):
        given_options = {**options, "train": 1, "test": most_tasks(family, options, count)}
        domain, spec = build(family, **given_options), spec_of(family, **given_options)
        assert isinstance(domain, FamilyDomain)
        lacking = 0
        for task in domain.tasks("test"):
            plan = domain.reference_plan(task)
            if plan is None and family.startswith(MAY_LACK_PLANS):
                assert task.reference is None
                lacking += 1
                continue
            assert plan, task.name
            assert task.reference == len(plan), task.name
            played, before = at.open(spec, task), 0.0
            assert not played.environment.success
            for planned in plan:
                step = played.call(planned.name, planned.arguments)
                assert step.valid, (task.name, planned, step.observation)
                assert before <= step.progress <= 1 and (step.progress == 1) == step.success
                before = step.progress
            assert played.environment.success, (task.name, plan)
            played.close()
        assert 2 * lacking <= len(domain.tasks("test")), f"{lacking} tasks without a plan"


def test_a_few_tasks_of_each_level_are_solved_by_their_plans(at, family):
    solve(at, family, FEW)


@pytest.mark.slow
def test_fifty_tasks_of_each_level_are_solved_by_their_plans(at, family):
    solve(at, family, MANY)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_calls_that_do_not_fit_get_reasons_and_change_nothing(at, family, seed):
    """Along a walk every primitive is called with foreign, known, too few and too many arguments."""
    rng = random.Random(seed)
    domain, spec = build(family, train=1, test=2), spec_of(family, train=1, test=2)
    assert isinstance(domain, FamilyDomain)
    task = rng.choice(domain.tasks("test"))
    plan = domain.reference_plan(task) or ()
    played = at.open(spec, task)
    known = [value for call in plan for value in call.arguments]
    known += words_of(played.environment.goal + " " + played.environment.first_observation)
    stops = rng.sample(plan, min(len(plan), 3)) or [PlannedCall(domain.primitives[0].name)]
    for planned in stops:
        for primitive in rng.sample(domain.primitives, min(len(domain.primitives), 12)):
            count = len(primitive.parameters)
            tries = [some_arguments(primitive, known, rng), [rng.choice(FOREIGN) for _ in range(count)]]
            tries += [[*tries[0], rng.choice(known or ["x"])], tries[0][:-1] if count else [1, 2]]
            least = len(primitive.required)
            for arguments in tries:
                refused(played, primitive.name, arguments, fits=least <= len(arguments) <= count)
        refused(played, planned.name, planned.arguments, fits=bool(plan))
    refused(played, "fly_away", [], fits=False)
    refused(played, domain.primitives[0].name, [], fits=False, keywords={"no_such_parameter": 1})
    played.close()


def refused(played, name: str, arguments: Any, fits: bool, keywords: Any = None) -> None:
    """A call is answered by a step; where it is invalid, with a reason, and nothing else has changed."""
    before = (played.environment.progress, played.environment.success)
    step = played.call(name, arguments, keywords)
    assert step.progress >= before[0] and step.success >= before[1]
    if step.valid:
        assert fits, (name, arguments)
        return
    assert (played.environment.progress, played.environment.success) == before or step.over
    assert step.observation.startswith(f"{NOTHING} "), step.observation
    assert 5 < len(step.observation) - len(NOTHING) < 800, step.observation
    assert len(step.command) < 2500 and "\n" not in step.command


def test_after_a_failure_every_call_is_invalid_with_its_reason():
    from learnact.domains.base import Primitive
    from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer

    class Fuse(FamilyEnvironment):
        goal, first_observation = "Light it once.", "A fuse."

        def answer(self, name, values):
            return PrimitiveAnswer("It burns.", progress=0.5, failed="The fuse is burnt.")

    fuse = Fuse([Primitive("light", (), "")])
    first, second = fuse.call("light", [], {}), fuse.call("light", [], {})
    assert (first.valid, first.over, first.progress, first.success) == (True, True, 0.5, False)
    assert (second.valid, second.observation) == (False, f"{NOTHING} The fuse is burnt.")


def test_without_its_extra_a_family_is_listed_with_the_line_that_installs_it():
    needed = {name: made.packages for name, made in families().items() if made.packages is not None}
    if not needed:
        pytest.skip("no registered family needs an extra")
    hidden = sorted({module for packages in needed.values() for module in packages.modules})
    program = (
        f"import sys, json\nfor name in {hidden!r}: sys.modules[name] = None\n"
        "from learnact.domains import registry\n"
        "print(json.dumps({line.name: line.problem for line in registry.listed()}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=True
    )
    said = json.loads(done.stdout.splitlines()[-1])
    for name, packages in needed.items():
        assert packages.command in said[name] and f"the domain {name} needs" in said[name]
    assert said["gripper"] == ""


def test_plans_are_written_as_agents_write_calls():
    assert PlannedCall("put", ("mug 1", 2)).written == "put('mug 1', 2)"


def test_families_are_named_by_the_line_that_installs_them():
    for name, made in families().items():
        if why := why_missing(made):
            assert name in why and "pip install" in why
