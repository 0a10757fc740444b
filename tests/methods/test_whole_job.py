"""All methods in one job, through the command and the simulated model: each learns what it should, all
under the same conditions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from learnact.methods.registry import OWN
from learnact.simulated.replies import NOT_UNDERSTOOD
from tests.cli.conftest import learnact, learnact_process

METHODS = {method.name: method for method in OWN}
JOB = f"""\
name: methods
seed: 3
domains: {{name: gripper, level: easy, train: 2, test: 2, balls: [2, 3]}}
methods: [{", ".join(METHODS)}]
models: {{agent: sim-weak, learner: sim-strong}}
repeats: {{learn: 1, test: 2}}
budget: {{learn: {{turns: 6}}, test: {{turns: 12}}}}
learner: {{candidates: 2, iterations: 1}}
cluster: {{runner: local}}
"""
LEARNACT = {"create", "usage", "describe"}
Query = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`learnact run job.yaml`, once for all tests here."""
    folder = tmp_path_factory.mktemp("methods")
    (folder / "job.yaml").write_text(JOB)
    ran = learnact_process("run", folder / "job.yaml", "--results", folder / "results")
    assert ran.code == 0, ran.err
    (folder / "told.txt").write_text(ran.out)
    return folder / "results"


@pytest.fixture
def ask(results: Path) -> Query:
    """A question in SQL, as a user asks it."""
    return lambda query: learnact("sql", query, "--results", results, "--format", "json").json


def by_method(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The rows of each method, each row's one other value."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.pop("method"), []).extend(row.values())
    return found


def test_every_trial_is_done_and_every_task_played_as_often(ask: Query) -> None:
    assert by_method(ask("SELECT method, status FROM trials")) == {name: ["done"] for name in METHODS}
    played = by_method(ask("SELECT method, count(*) FROM episodes WHERE phase = 'test' GROUP BY method"))
    assert played == {name: [4] for name in METHODS}
    phases = by_method(ask("SELECT DISTINCT method, phase FROM episodes WHERE phase <> 'test'"))
    learners = {name: method.learner for name, method in METHODS.items() if method.learner.learns}
    assert {name for name, found in phases.items() if "learn" in found} == learners.keys() - {
        "voyager",
        "random_library",
    }
    checked = {name for name, learner in learners.items() if learner.writes_code and learner.asks_for}
    found = {name for name, found in phases.items() if "check" in found}
    assert found | {"asi"} == checked - {"automanual"}, "ASI checks what it induced, if it did"


def test_training_episodes_are_those_that_the_agent_played(ask: Query) -> None:
    """Usage lines and Voyager's programs are run by no model: as training episodes they would change
    avg(success), model turns and cost an episode.
    """
    kinds = ask("SELECT DISTINCT phase, model <> '' AS agent_played FROM episodes ORDER BY phase")
    assert [(row["phase"], row["agent_played"]) for row in kinds] == [
        ("check", False),
        ("learn", True),
        ("test", True),
    ]


def test_the_simulated_model_understood_every_request(ask: Query) -> None:
    (replies,) = ask(
        f"SELECT count(*) AS given, count(*) FILTER (reply LIKE '%{NOT_UNDERSTOOD}%') AS puzzled FROM calls"
    )
    assert replies["given"] > 200
    assert replies["puzzled"] == 0


def test_each_learner_asked_for_what_it_learns_from(ask: Query) -> None:
    rows = ask("SELECT DISTINCT t.method, r.purpose FROM requests r JOIN trials t USING (run, trial)")
    asked = {method: set(purposes) for method, purposes in by_method(rows).items()}
    assert asked.keys() == {name for name, method in METHODS.items() if method.learner.asks_for}
    for name, purposes in asked.items():
        assert purposes <= METHODS[name].learner.asks_for, name
    assert asked["act+reflexion"] == asked["react+reflexion"] == {"reflect"}
    assert asked["voyager"] == {"code", "verify", "usage", "describe"}
    assert asked["learnact"] >= LEARNACT <= asked["learnact-react"]
    assert asked["learnact"] | asked["learnact-react"] == {*LEARNACT, "improve"}


def test_what_was_learned_is_kept(ask: Query) -> None:
    rows = ask("SELECT DISTINCT t.method, c.origin FROM candidates c JOIN trials t USING (run, trial)")
    origins = {method: set(found) for method, found in by_method(rows).items()}
    assert origins["act+reflexion"] == origins["react+reflexion"] == {"lesson"}
    assert origins["voyager"] == {"skill"}
    assert "create" in origins["learnact"] & origins["learnact-react"]
    assert "incumbent" in origins["learnact"] | origins["learnact-react"]
    ended = """SELECT DISTINCT t.method, len(l.actions) > 0 AS actions, len(l.lessons) > 0 AS lessons
        FROM trials t JOIN libraries l ON l.run = t.run AND l.trial = t.trial AND l.library = t.library"""
    kept = {row["method"]: (row["actions"], row["lessons"]) for row in ask(ended)}
    for name, method in METHODS.items():
        actions, lessons = kept.get(name, (False, False))
        assert not actions or method.learner.writes_code, name
        assert not lessons or method.learner.name in ("reflexion", "expel", "awm", "automanual"), name
    assert kept["act+reflexion"] == kept["expel"] == (False, True)
    assert kept["curated_library"] == kept["dynasaur"] == kept["voyager"] == (True, False)


def test_lessons_are_shown_and_asked_for_like_libraries(results: Path, ask: Query) -> None:
    query = """SELECT l.library, l.lessons FROM libraries l
        JOIN trials t ON t.run = l.run AND t.trial = l.trial AND t.library = l.library
        WHERE t.method = 'act+reflexion'"""
    ((library, lessons),) = (row.values() for row in ask(query))
    assert lessons
    shown = learnact("show", "methods", "--library", library[:12], "--results", results)
    assert shown.code == 0, shown.err
    assert all(lesson in shown.out for lesson in lessons)
    assert "tested in 4 episodes" in shown.out
    file = Path(__file__).parents[2] / "learnact" / "results" / "queries" / "lessons.sql"
    told = learnact("sql", "--file", file, "--results", results, "--format", "json").json
    assert set(lessons) <= {
        row["text"] for row in told if row["kind"] == "lesson" and row["method"] == "act+reflexion"
    }


def test_the_page_at_the_end_names_lessons_and_how_to_show_them(results: Path) -> None:
    page = results.with_name("told.txt").read_text()
    found = re.search(
        r"Best lessons: (\w+)\n(re)?act\+reflexion on gripper: success .* \(simulated\)\n  - \w+", page
    )
    assert found, page
    (command,) = re.findall(rf"learnact (show \S+ --library {found[1]})", page)
    shown = learnact(*command.split(), "--results", results)
    assert "# Lesson" in shown.out or "Lesson" in shown.out, shown.out


def test_learned_actions_are_called_and_thoughts_are_written_where_the_method_has_them(ask: Query) -> None:
    called = by_method(ask("SELECT method, sum(learned_calls) > 0 FROM episodes GROUP BY method"))
    calling = {name for name, (some,) in called.items() if some}
    assert calling >= {"voyager", "learnact", "learnact-react", "curated_library", "random_library"}
    assert calling <= {name for name, method in METHODS.items() if method.learner.writes_code}
    thought = ask(
        "SELECT DISTINCT e.method FROM turns t JOIN episodes e ON e.run = t.run AND e.key = t.episode "
        "WHERE t.kind = 'thought'"
    )
    assert {row["method"] for row in thought} == {
        n for n, method in METHODS.items() if method.agent.name == "react"
    }


@pytest.mark.parametrize(
    "column", ["task_hash", "seed", "goal", "first_observation", "test_repeat", "model", "domain_options"]
)
def test_all_methods_are_tested_on_the_same(column: str, ask: Query) -> None:
    rows = ask(
        f"SELECT method, {column} FROM episodes WHERE phase = 'test' ORDER BY method, task_hash, test_repeat"
    )
    values = by_method(rows)
    assert values.keys() == METHODS.keys()
    assert all(found == values["act"] for found in values.values())


def test_all_methods_have_the_same_budgets_and_rules(ask: Query) -> None:
    told = {row["method"]: json.loads(row["options"]) for row in ask("SELECT method, options FROM trials")}
    for field in ("test_budget", "rules", "test", "domain"):
        assert len({json.dumps(options[field], sort_keys=True) for options in told.values()}) == 1, field
    learners = [told[name] for name, method in METHODS.items() if method.learner.learns]
    assert [options["learn_budget"]["turns"] for options in learners] == [6] * 14


def test_all_methods_are_shown_the_same_world(ask: Query) -> None:
    """Instruction, primitive actions, the domain's example and the task; a program's example makes the same
    calls.
    """
    rows = ask(
        """SELECT e.method, e.task_hash, p.user AS said FROM prompts p
        JOIN episodes e ON e.run = p.run AND e.key = p.unit
        WHERE e.phase = 'test' AND e.test_repeat = 0 AND p.ordinal = 0"""
    )
    assert len(rows) == 2 * len(METHODS)
    for section in ("Instructions", "Primitive actions", "Your task"):
        shown = {_sections(row["said"], section)[-1].strip() for row in rows}
        assert len(shown) == (2 if section == "Your task" else 1), section
    examples = {_calls(_sections(row["said"], "Example")[0]) for row in rows}
    assert len(examples) == 1
    assert len(examples.pop()) > 3


def _sections(said: str, title: str) -> list[str]:
    parts = re.split(r"^## ", said, flags=re.MULTILINE)
    return [part for part in parts if part.startswith(f"{title}\n")]


def _calls(example: str) -> tuple[str, ...]:
    return tuple(re.findall(r"^(?:Action: )?(\w+\(.*\))$", example, re.MULTILINE))
