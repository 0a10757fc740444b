"""The controls: raw trajectories, curated and random libraries, repair only, the best of n libraries; and
LearnAct with verification by replay."""

from __future__ import annotations

import ast

import pytest

from learnact.domains import registry
from learnact.errors import JobError
from learnact.job import load
from learnact.methods.curated_library import curated
from learnact.methods.registry import find_learner
from learnact.methods.replay_check import shown_to_work
from learnact.records import DomainSpec, LearnedAction, Library
from tests.methods.following import FETCH, SCENE, follow, reviewed
from tests.methods.test_rivals import BOTH, DESCRIBED, IDLE, SOLVE, USAGE, acts

PLANNING = ("gripper", "blockworld", "barman", "tyreworld")
EXPLAINED = [("usage", USAGE), ("describe", DESCRIBED)]
FETCHES = ["fetch('ball1', 'roomb', 'rooma', 'left')", "move('rooma', 'roomb')"]
FETCHES += ["fetch('ball2', 'roomb', 'rooma', 'left')"]


async def test_raw_trajectories_shows_the_shortest_success() -> None:
    followed = await follow(
        "raw_trajectories",
        [*acts(["move('rooma', 'roomb')", "move('roomb', 'rooma')", *SOLVE]), *acts(SOLVE), *acts(BOTH)],
        "learner.trajectory_rounds=2",
        "budget.test.turns=5",
    )
    (example,) = followed.library.examples
    assert example.count("Action:") == 3
    assert [row.origin for row in followed.notes.candidates.values()] == ["attempt", "attempt"]
    assert followed.test.success
    reviewed("raw_trajectories", followed)


async def test_raw_trajectories_has_no_example_where_nothing_was_solved() -> None:
    followed = await follow(
        "raw_trajectories",
        [*acts(IDLE), *acts(BOTH)],
        "learner.trajectory_rounds=1",
        "budget.learn.turns=2",
        "budget.test.turns=5",
    )
    assert followed.library == Library()


async def test_a_curated_library_is_given_as_it_is() -> None:
    followed = await follow(
        "curated_library", acts(["carry_two('ball1', 'ball2', 'roomb', 'rooma', 'left', 'right')"])
    )
    assert followed.test.success
    assert [(t.learned, len(t.steps)) for t in followed.test.turns] == [(True, 5)]
    assert followed.played("learn") == []
    reviewed("curated_library", followed)


@pytest.mark.parametrize("name", PLANNING)
def test_every_shipped_library_is_acceptable_and_its_examples_are_calls_of_it(name: str) -> None:
    library = curated(registry.build(DomainSpec(name)))
    for action in library.offered:
        example = action.description.rpartition("Example: ")[2]
        call = ast.parse(example).body[0].value
        assert isinstance(call, ast.Call)
        assert isinstance(call.func, ast.Name)
        assert call.func.id == action.name
        assert len(call.args) == len(ast.parse(action.source).body[0].args.args)


async def test_a_file_of_ones_own_is_a_curated_library_too(tmp_path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def go(a, b):\n    '''Goes there and back.'''\n    move(a, b)\n    return move(b, a)\n")
    followed = await follow(
        "curated_library", acts(BOTH), f"learner.curated_file={file}", "budget.test.turns=5"
    )
    assert [a.name for a in followed.library.actions] == ["go"]


async def test_a_random_library_has_the_size_of_the_curated_one_and_differs_by_repeat() -> None:
    followed = await follow("random_library", acts(BOTH), "budget.test.turns=5")
    given = curated(registry.build(DomainSpec("gripper")))
    found = followed.library.offered
    assert [a.signature for a in found] == [a.signature for a in given.offered]
    assert [a.description for a in found] == [a.description for a in given.offered]
    assert [a.source.count("(") for a in found] == [4, 6], "as many calls, and the parameters"
    again = await follow("random_library", acts(BOTH), "budget.test.turns=5")
    assert again.library == followed.library
    other = await follow("random_library", acts(BOTH), "budget.test.turns=5", "seed=9")
    assert other.library != followed.library
    honest = await follow("random_library", acts(BOTH), "budget.test.turns=5", "learner.random_kind=honest")
    assert all(a.description.startswith("Does: ") for a in honest.library.offered)
    foreign = await follow(
        "random_library",
        acts(["serve('a', 'b', 'c', 'd', 'e')"]),
        "learner.random_domain=barman",
        "budget.test.turns=1",
    )
    (turn,) = foreign.test.turns
    assert turn.error is not None
    assert turn.error.type == "NameError"


async def test_repair_only_repairs_one_library() -> None:
    wrong = ["fetch('ball1', 'roomb', 'rooma', 'left')", "fetch('ball1', 'rooma', 'roomb', 'left')"]
    followed = await follow(
        "repair_only",
        [
            ("create", FETCH),
            *EXPLAINED,
            *acts(wrong),
            ("improve", "Reason: it was not there.\nNote: the ball must be in start."),
            ("usage", USAGE),
            *acts([*FETCHES[:1], "fetch('ball1', 'rooma', 'roomb', 'left')"]),
            *acts(FETCHES),
        ],
        "learner.repair_rounds=1",
    )
    assert followed.purposes.count("create") == followed.purposes.count("improve") == 1
    rows = followed.notes.candidates
    assert sorted(row.origin for row in rows.values()) == ["create", "incumbent", "note"]


async def test_best_of_libraries_proposes_until_the_budget_is_spent_and_repairs_nothing() -> None:
    two = FETCH.replace("fetch", "bring")
    three = FETCH.replace("fetch", "carry")
    followed = await follow(
        "best_of_libraries",
        [
            ("create", FETCH),
            *EXPLAINED,
            *acts(["fetch('ball1', 'rooma', 'roomb', 'left')"]),
            ("create", two),
            ("usage", USAGE.replace("fetch", "bring")),
            EXPLAINED[1],
            *acts(["bring('ball1', 'rooma', 'roomb', 'left')"]),
            ("create", three),
            ("usage", USAGE.replace("fetch", "carry")),
            EXPLAINED[1],
            *acts(["carry('ball1', 'rooma', 'roomb', 'left')"]),
            *acts(FETCHES),
        ],
        "learner.library_samples=1",
        calls=9,
    )
    assert [row.origin for row in followed.notes.candidates.values()] == ["create"] * 3
    assert [a.name for a in followed.library.actions] == ["fetch"], "of equal scores the first"


async def test_an_update_that_breaks_what_was_solved_is_not_kept_where_replay_verifies() -> None:
    broken = FETCH.replace("move(start, end)", "move(start, start)")
    lines = [
        ("create", FETCH),
        *EXPLAINED,
        *acts(["fetch('ball1', 'roomb', 'rooma', 'left')", "move('roomb', 'rooma')"]),
        *acts(["fetch('ball1', 'rooma', 'roomb', 'left')"]),
        ("improve", f"Reason: to try.\nUpdate:\n{broken}"),
        *acts(FETCHES),
    ]
    options = [
        "learner.candidates=1",
        "learner.iterations=1",
        "learner.verify=replay",
        "learner.check=exceptions",
    ]
    followed = await follow("learnact", lines, *options, domain=SCENE)
    update = next(row for row in followed.notes.candidates.values() if row.origin == "update")
    assert "do not any more; it stops at fetch('ball1', 'rooma', 'roomb', 'left')" in update.uncreated
    (action,) = followed.library.actions
    assert "move(start, end)" in action.source


def test_functions_that_the_played_example_does_not_call_are_left_out() -> None:
    one = LearnedAction("one", "one(a)", "def one(a):\n    move(a, a)")
    two = LearnedAction("two", "two(a)", "def two(a):\n    one(a)")
    library = Library(
        (one, two), usage_example="Goal: x.\nObservation: y.\nAction: two('rooma')\nObservation: z."
    )
    assert [a.name for a in shown_to_work(library).offered] == ["two"]
    assert "def one" in shown_to_work(library).source
    assert shown_to_work(Library((one,))).offered == ()


def test_a_curated_library_is_tested_as_often_as_those_that_are_learned() -> None:
    method = "curated_library"
    trials = load(
        {"name": "t", "domains": "gripper", "methods": [method, "learnact"], "repeats": {"learn": 3}}
    ).trials()
    assert not find_learner(method).learns
    assert sum(t.test_repeats for t in trials if t.label == method) == 3
    with pytest.raises(JobError, match="trajectory_top"):
        load(
            {
                "name": "t",
                "domains": "gripper",
                "methods": "raw_trajectories",
                "learner": {"trajectory_topp": 1},
            }
        )
