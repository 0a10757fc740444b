"""Transfer as stages: learn in one run, test its libraries in others, without learning again."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import learnact
from learnact.errors import BadInput
from learnact.job import load
from learnact.job.preflight import preflight
from learnact.results.reader import connect
from tests.cli.conftest import learnact as command

SMALL = {"name": "gripper", "level": "easy", "train": 2, "test": 2, "balls": [2, 3]}
LARGE = {"name": "gripper", "level": "easy", "test": 2, "balls": [4, 5]}
METHODS = ["act", "act+reflexion", "voyager", "learnact"]
COMMON: dict[str, Any] = {
    "methods": METHODS,
    "models": {"agent": "sim-weak", "learner": "sim-strong"},
    "repeats": {"learn": 2},
    "learner": {"candidates": 2, "iterations": 1, "voyager_rounds": 2, "voyager_top": 1},
    "budget": {"learn": {"turns": 4}, "test": {"turns": 12}},
}
PLAYED = """
    SELECT method, learner_model, learn_repeat, test_repeat, task_hash, library, success, progress, turns,
        seed
    FROM episodes WHERE phase = 'test' AND run = ? ORDER BY ALL
"""


def run(results: Path, **job: Any) -> learnact.driver.Summary:
    return learnact.run({**COMMON, **job}, results=results, address="local")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with the run `school`: learned on small tasks, tested on large ones."""
    results = tmp_path_factory.mktemp("results")
    assert run(results, name="school", learn_on=SMALL, test_on=LARGE).done
    return results


def rows(results: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with connect(results) as db:
        return db.execute(query, list(values)).fetchall()


def school_of(results: Path) -> str:
    """The id of the run `school`."""
    return str(rows(results, "SELECT run FROM runs WHERE name = 'school'")[0][0])


def ended(results: Path, of: str) -> dict[tuple[Any, ...], str]:
    """The library that each trial of a run ended with."""
    query = "SELECT method, learn_repeat, library FROM trials WHERE run = ?"
    return {(method, repeat): library for method, repeat, library in rows(results, query, of)}


def test_libraries_of_a_run_play_elsewhere_as_in_the_run_that_learned_them(learned: Path) -> None:
    school = school_of(learned)
    tested = run(learned, name="elsewhere", test_on=LARGE, library="school")
    assert tested.done
    assert ended(learned, tested.run) == ended(learned, school)
    assert all(library for (method, _), library in ended(learned, school).items() if method != "act")
    assert rows(learned, PLAYED, tested.run) == rows(learned, PLAYED, school)
    for nothing in ("requests WHERE", "candidates WHERE", "episodes WHERE phase <> 'test' AND"):
        assert rows(learned, f"SELECT count(*) FROM {nothing} run = ?", tested.run) == [(0,)]
    again = run(learned, name="elsewhere", test_on=LARGE, library={"from": "school"})
    assert (again.run, again.executed) == (tested.run, 0)
    onward = specs(learned, test_on=LARGE, library=tested.run)
    assert {t.id for t in onward} == {t.id for t in specs(learned, test_on=LARGE, library="school")}


def test_a_voyagers_library_is_given_in_parts_and_lessons_whole(learned: Path) -> None:
    query = """
        SELECT DISTINCT e.method, len(l.actions), len(l.lessons)
        FROM episodes e JOIN libraries l USING (run, trial, library) WHERE run = ?
    """
    tested = run(learned, name="parts", test_on=LARGE, library="school")
    sizes = {method: (actions, lessons) for method, actions, lessons in rows(learned, query, tested.run)}
    assert sizes["voyager"] == (1, 0)
    assert sizes["act+reflexion"][0] == 0
    assert sizes["act+reflexion"][1] > 0
    assert sizes["learnact"][0] > 0


def test_the_results_say_where_a_library_came_from(learned: Path) -> None:
    tested = run(learned, name="origins", test_on=LARGE, library="school", methods=["act", "learnact"])
    school = school_of(learned)
    found = rows(
        learned, "SELECT method, learner_model, options, library FROM trials WHERE run = ?", tested.run
    )
    assert {method for method, *_ in found} == {"act", "learnact"}
    for method, learner_model, options, library in found:
        told = json.loads(options)
        if method == "act":
            assert (learner_model, told["learner"], told.get("library_from")) == ("", "none", None)
        else:
            assert (learner_model, told["learner"]) == ("sim-strong", "learnact")
            assert told["library_from"]["from"] == school
            assert told["library_from"]["library"] == library
            assert (told["library_from"]["trial"],) in rows(
                learned, "SELECT trial FROM trials WHERE run = ?", school
            )


def specs(results: Path, **job: Any) -> tuple[learnact.records.trials.TrialSpec, ...]:
    return preflight(load({"name": "b", **COMMON, **job}), results).trials


def test_identity_is_the_librarys_content_and_not_the_runs_name(learned: Path) -> None:
    by_name = specs(learned, test_on=LARGE, library="school")
    by_id = specs(learned, test_on=LARGE, library=school_of(learned)[:8])
    assert [t.id for t in by_name] == [t.id for t in by_id]
    assert len({t.id for t in by_name}) == len(by_name) == 1 + 3 * 2


def test_one_method_may_take_its_libraries_from_a_run_while_another_learns(learned: Path) -> None:
    methods = ["learnact", {"name": "learnact", "label": "from school", "library": "school"}]
    fresh, *_, trained = specs(learned, domains=LARGE, methods=methods)
    assert (fresh.learner.name, fresh.learns, fresh.trained) == ("learnact", True, None)
    assert (trained.label, trained.learns, trained.learn_repeat) == ("from school", False, 1)
    assert trained.trained is not None
    assert trained.domain.options == load({"name": "x", "domains": SMALL}).trials()[0].domain.options


def test_only_tasks_that_the_run_learned_from_are_left_out_for_every_method(learned: Path) -> None:
    same = {**SMALL, "seed": 0}
    made = preflight(load({"name": "b", **COMMON, "domains": same, "library": "school"}), learned)
    assert {t.domain.options for t in made.trials} == {'{"balls":[2,3],"level":"easy","test":2,"train":2}'}
    assert all(fact["ok"] for fact in made.checks.values() if isinstance(fact, Mapping))


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (
            {"library": "scool"},
            "library: 'scool' is no library file, no RUN:LIBRARY or 'learn', and as a run: .*did you mean"
            " .*school",
        ),
        ({"library": {"from": "larn"}}, "library: 'larn' is no library file"),
        ({"library": "b"}, "'b' would be this job's own run"),
        ({"library": "school:0123"}, "library: school:0123: there is no library '0123'"),
        (
            {"test_on": ["gripper", "barman"]},
            "run school learned nothing on barman, but on gripper; leave these out",
        ),
        (
            {"methods": ["learnact-react"]},
            "learnact-react: run school learned nothing with method learnact-react; it has act",
        ),
        (
            {"models": {"learner": "sim-weak"}},
            "learned nothing with learner model sim-weak; it has sim-strong",
        ),
        ({"repeats": {"learn": 3}}, "learned nothing with learning repeat 2; it has 0, 1"),
        (
            {"learner": {**COMMON["learner"], "candidates": 3}},
            r"learnact learned with candidates 2 \(here 3\); set the same here",
        ),
        (
            {
                "test_on": ["blockworld"],
                "library": {"from": "school", "match": ["repeat", "learner"]},
                "methods": ["learnact"],
            },
            r"library: the library of learnact .* cannot be played on blockworld \{\}: .*pick",
        ),
    ],
)
def test_a_library_that_cannot_be_had_is_refused_before_anything_starts(
    learned: Path, job: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        specs(learned, **{"test_on": LARGE, "library": "school", **job})


def test_a_run_that_is_not_done_gives_no_library(tmp_path: Path) -> None:
    stopped = run(tmp_path, name="stopped", domains=SMALL, methods="learnact", limits={"tokens": 10})
    assert not stopped.done
    with pytest.raises(
        BadInput, match="learnact on gripper is blocked, not done; run its job again to finish it"
    ):
        specs(tmp_path, test_on=LARGE, library="stopped", methods="learnact")


def test_one_library_for_all_is_a_file_or_a_part_of_a_run(learned: Path, tmp_path: Path) -> None:
    library = ended(learned, school_of(learned))["learnact", 0]
    shown = tmp_path / "mine.py"
    shown.write_text("def lift(ball, room):\n    pick(ball, room, 'left')\n")
    for name in (str(shown), f"school:{library[:10]}"):
        made = preflight(
            load({"name": "b", **COMMON, "methods": "learnact", "test_on": LARGE, "library": {"from": name}}),
            learned,
        )
        (trial,) = made.trials
        assert (trial.learner.name, trial.learn_repeat, trial.test_repeats) == ("none", 0, 2)
        assert made.libraries[trial.id].actions
    assert made.libraries[trial.id].id == trial.library_hash == library


def test_a_library_plays_tasks_told_in_other_words(learned: Path, tmp_path: Path) -> None:
    table = resources.files("learnact.domains.planning") / "data" / "gripper.yaml"
    file = tmp_path / "words.yaml"
    file.write_text(
        table.read_text().replace("you are [no longer] in {0}.", "the robot stands [no longer] inside {0}.")
    )
    other = {**LARGE, "text": str(file)}
    tested = run(learned, name="words", test_on=[LARGE, other], library="school", methods=["learnact"])
    assert tested.done
    query = """
        SELECT first_observation LIKE '%stands inside%' AS other, count(*)
        FROM episodes WHERE run = ? GROUP BY ALL ORDER BY 1
    """
    assert rows(learned, query, tested.run) == [(False, 4), (True, 4)]
    assert ended(learned, tested.run) == {
        key: library for key, library in ended(learned, school_of(learned)).items() if key[0] == "learnact"
    }


HOUSES: list[dict[str, Any]] = [
    {"name": "alfworld-put", "test": 1, "perturb": ["with-using"]},
    {"name": "alfworld-put", "test": 1, "perturb": ["from-take", "no-space"]},
    {"name": "alfworld-clean", "test": 1},
]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("alfworld") is None, reason="needs learnact[alfworld]")
def test_household_libraries_go_to_changed_interfaces_and_other_kinds_of_task(tmp_path: Path) -> None:
    anywhere = {"match": ["repeat", "learner"]}
    learning = {"learn_on": {"name": "alfworld-put", "train": 1}, "library": {"from": "learn", **anywhere}}
    settings: dict[str, Any] = {
        "methods": ["act+reflexion", "voyager", "learnact"],
        "repeats": {"learn": 1},
        "test_on": HOUSES,
    }
    school = run(tmp_path, name="school", **settings, **learning)
    tested = run(tmp_path, name="elsewhere", **settings, library={"from": "school", **anywhere})
    assert school.done
    assert tested.done
    assert rows(tmp_path, PLAYED, tested.run) == rows(tmp_path, PLAYED, school.run)
    assert len(rows(tmp_path, PLAYED, tested.run)) == 9
    renamed = {"test_on": {"name": "alfworld-put", "test": 1, "perturb": ["move-to"]}, "methods": "learnact"}
    with pytest.raises(BadInput, match=r"cannot be played on alfworld-put .*goto does not exist"):
        specs(tmp_path, **{**settings, **renamed}, library={"from": "school", **anywhere})


def test_a_preview_shows_the_library_that_is_given(learned: Path, tmp_path: Path) -> None:
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"name": "b", **COMMON, "test_on": LARGE, "library": "school"}))
    shown = command("prompt", job, "--method", "learnact", "--results", learned)
    assert shown.code == 0, shown.err
    assert "## Learned actions" in shown.out
