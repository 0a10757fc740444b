"""Generated and published tasks: solvable, not solved, apart from each other, and judged by a referee that
is not ours."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.domains.base import Domain
from learnact.domains.disjoint import check_disjoint
from learnact.domains.planning.domain import PlanningDomain
from learnact.domains.planning.names import python_name
from learnact.errors import BadInput, TaskError

from . import referee
from .conftest import NAMES, build


def judge(domain: PlanningDomain, seed: int, count: int) -> None:
    """Every task's reference plan is valid for the referee, one step less is not, and our environment
    agrees on both."""
    built = build(domain.name, seed=seed, test=count)
    for task in built.tasks("test"):
        plan = built.plan(task.content)
        problem = referee.read(built.family.file(".pddl"), task.content)
        assert len(plan.calls) == task.reference
        assert referee.accepts(problem, plan.calls)
        assert not referee.accepts(problem, plan.calls[:-1])
        environment = built.open(task)
        assert not environment.success
        for name, arguments in plan.calls:
            assert not environment.success
            assert environment.call(python_name(name), arguments, {}).valid
        assert environment.success
        assert environment.progress == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_the_referee_agrees_on_every_reference_plan(name):
    judge(build(name), seed=11, count=8)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_referee_agrees_on_hundreds_of_tasks(name):
    judge(build(name), seed=12, count=75)


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**31 - 1))
@settings(max_examples=3)
def test_any_seed_gives_tasks_that_are_apart(name, seed):
    domain = build(name, seed=seed, test=12)
    again = type(domain)(domain.family, domain.options)
    assert domain.tasks("test") == again.tasks("test")
    assert domain.tasks("train") == again.tasks("train")
    check = check_disjoint(domain.tasks("train"), domain.tasks("test"), domain.example_task)
    assert check.ok
    assert (check.train, check.test) == (3, 12)
    for task in (*domain.tasks("train"), *domain.tasks("test")):
        assert task.reference is not None
        assert task.reference > 0
        assert task.labels["reference"] == "constructed"


def test_asking_for_more_tasks_keeps_the_first():
    few, many = build("tyreworld", test=5, seed=3), build("tyreworld", test=15, seed=3)
    assert many.tasks("test")[:5] == few.tasks("test")


EASY = {
    "gripper": "6cc5d9d3cd3e18948865b296",
    "blockworld": "a3ec1593fba06e3d05d60d0a",
    "barman": "051206ed594752ca5cdb7bd0",
    "tyreworld": "528f4429a964763c6696f913",
}


def test_easy_tasks_have_the_sizes_of_the_time_before_levels():
    balls = {task.labels["goals"] for task in build("gripper", level="easy", test=18).tasks("test")}
    assert balls == set(range(4, 13))
    rooms = {"(at-robby rooma)" in t.content for t in build("gripper", level="easy").tasks("test")}
    assert rooms == {True, False}
    blocks = {task.labels["objects"] for task in build("blockworld", level="easy", test=10).tasks("test")}
    assert blocks == set(range(3, 8))
    bar = build("barman", level="easy", test=60).tasks("test")
    assert {task.labels["goals"] for task in bar} == {1, 2, 3}
    shots = {task.content.count(" - shot") for task in bar}
    assert (min(shots), max(shots)) == (4, 9)
    cocktails = {task.content.count("(cocktail-part1") for task in bar}
    assert (min(cocktails), max(cocktails)) == (3, 7)
    assert any("contains shot1 ingredient" in task.content for task in bar)
    cars = build("tyreworld", level="easy", test=40).tasks("test")
    assert {task.content.count(" - hub") for task in cars} == {1, 2, 3, 4}
    assert any("(have " in task.content for task in cars), "some start in the middle of the work"
    # the first training task of each domain, as it was made before there were levels
    first = {name: build(name, level="easy").tasks("train")[0] for name in NAMES}
    assert {name: (task.name, task.hash) for name, task in first.items()} == {
        name: (f"{name}-train-0-0", EASY[name]) for name in NAMES
    }


def test_sizes_that_are_given_stand_in_for_those_of_the_level():
    assert {t.labels["objects"] for t in build("blockworld", blocks=12, test=3).tasks("test")} == {12}
    assert {t.content.count(" - hub") for t in build("tyreworld", hubs=9, test=3).tasks("test")} == {9}
    assert {t.labels["goals"] for t in build("gripper", balls=[2, 3], test=4).tasks("test")} == {2, 3}
    assert {t.labels["goals"] for t in build("barman", drinks=2, test=4).tasks("test")} == {2}
    assert {t.labels["level"] for t in build("barman", drinks=2, test=4).tasks("test")} == {"published"}


def test_a_range_out_of_bounds_or_too_narrow_for_the_number_is_refused():
    with pytest.raises(BadInput, match=r"option blocks: .*within 2 .. 20, not \[3, 21\]"):
        build("blockworld", blocks=[3, 21])
    with pytest.raises(TaskError, match=r"domain blockworld: only .* different test tasks with these sizes"):
        build("blockworld", blocks=2, test=50).tasks("test")


def test_the_check_names_what_is_shared_repeated_or_given_away():
    domain = build("gripper", test=4)
    train, test, example = list(domain.tasks("train")), list(domain.tasks("test")), domain.example_task
    assert check_disjoint(train, [*test, train[1]], example).shared == ((train[1].name, train[1].name),)
    assert check_disjoint(train, [*test, test[0]], example).repeated == ((test[0].name, test[0].name),)
    found = check_disjoint(train, [*test, example], example)
    assert found.example == ("example",)
    assert not found.ok
    assert found.plain()["example"] == ["example"]


# Published problems
# ---------------------------------------------------------------------------------------------------

PUBLISHED = {
    "gripper": (20, ["prob08", "prob10", "prob15"]),
    "blockworld": (10, ["problem4", "problem6", "problem8"]),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_all_published_problems_load_and_have_a_plan_that_the_referee_accepts(name, published):
    count, training = PUBLISHED[name]
    domain = build(name, source=published)
    tasks = domain.tasks("test")
    assert [task.labels["index"] for task in tasks] == list(range(count))
    assert [task.name for task in tasks] == sorted(task.name for task in tasks)
    assert [task.name for task in domain.tasks("train")] == training
    assert len({task.hash for task in tasks}) == count
    for task in tasks:
        environment = domain.open(task)
        assert not environment.success
        plan = domain.plan(task.content)
        original = domain.read(f"{published}/{name}/{task.labels['file']}")
        assert original.hash == task.hash
        problem = referee.read(domain.family.file(".pddl"), task.content)
        assert referee.accepts(problem, plan.calls)


def planned(name: str, published: str, wanted: slice, folder: Path) -> None:
    """Plans of an independent planner, made from the published files alone, succeed under `learnact play`."""
    rules = Path(published, f"{name}.pddl").read_text()
    for file in sorted(Path(published, name).glob("*.pddl"))[wanted]:
        plan = referee.solve(referee.read(rules, file.read_text()))
        commands = folder / f"{file.stem}.txt"
        commands.write_text("".join(f"{python_name(action)}{arguments!r}\n" for action, arguments in plan))
        play = [
            sys.executable,
            "-c",
            "from learnact.cli import main; main()",
            "play",
            name,
            "--problem",
            str(file),
        ]
        done = subprocess.run(
            [*play, "--commands", str(commands), "--json"],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(lines) == len(plan)
        assert all(line["valid"] for line in lines)
        assert [line["success"] for line in lines] == [False] * (len(plan) - 1) + [True]


@pytest.mark.parametrize("name", PUBLISHED)
def test_plans_of_an_independent_planner_succeed(name, published, tmp_path):
    planned(name, published, slice(0, None, 9), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_plans_of_an_independent_planner_succeed_on_all_published_problems(name, published, tmp_path):
    planned(name, published, slice(None), tmp_path)


def layout(folder, name: str, count: int) -> None:
    """A folder in AgentBoard's layout with problems of our own."""
    domain = build(name, seed=5, test=count)
    (folder / name).mkdir()
    (folder / f"{name}.pddl").write_text(domain.family.file(".pddl"))
    for i, task in enumerate(domain.tasks("test"), 1):
        (folder / name / f"p{i:02}.pddl").write_text(task.content)


@pytest.mark.parametrize(
    ("name", "count", "training"), [("barman", 20, (8, 7, 13)), ("tyreworld", 10, (8, 4, 0))]
)
def test_barman_and_tyreworld_come_in_the_same_layout(name, count, training, tmp_path):
    layout(tmp_path, name, count)
    domain = build(name, source=str(tmp_path))
    assert len(domain.tasks("test")) == count
    assert [task.labels["index"] for task in domain.tasks("train")] == list(training)
    chosen = build(name, source=str(tmp_path), train_indices=[1, 2])
    assert [task.name for task in chosen.tasks("train")] == ["p02", "p03"]


def test_a_bad_source_says_what_is_missing(tmp_path):
    with pytest.raises(
        TaskError, match=r"there is no folder gripper in it; give the folder that holds gripper.pddl"
    ):
        build("gripper", source=str(tmp_path)).tasks("test")
    (tmp_path / "gripper").mkdir()
    with pytest.raises(TaskError, match=r"there is no \*\.pddl file in it"):
        build("gripper", source=str(tmp_path)).tasks("train")
    with pytest.raises(TaskError, match=r"nowhere.pddl: cannot be read"):
        build("gripper").read(str(tmp_path / "nowhere.pddl"))


def test_an_index_that_is_not_there_is_refused(tmp_path):
    layout(tmp_path, "tyreworld", 3)
    with pytest.raises(TaskError, match="train_indices: there is no problem 8; there are 3, from 0"):
        build("tyreworld", source=str(tmp_path)).tasks("train")


def test_published_rules_that_mean_something_else_are_refused(tmp_path):
    layout(tmp_path, "tyreworld", 1)
    file = tmp_path / "tyreworld.pddl"
    file.write_text(file.read_text().replace("(have jack)\n", "").replace("(not (have jack))", ""))
    with pytest.raises(TaskError, match="differs from our rules in jack-up"):
        build("tyreworld", source=str(tmp_path)).tasks("test")


@pytest.mark.parametrize("name", NAMES)
def test_a_domain_keeps_the_contract(name):
    domain: Domain = build(name)
    assert domain.name == name
    assert domain.instruction.count(".") in range(3, 9)
    assert domain.profile.test_turns == 30
    assert len({p.name for p in domain.primitives}) == len(domain.primitives)
    assert all(p.name.isidentifier() for p in domain.primitives)
    assert domain.function_example.source.startswith("def ")
    assert domain.example.goal
    assert domain.example.steps[-1][2].startswith("Now: ")
