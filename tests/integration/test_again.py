"""A finished run done again from its recorded calls: identity, or the first difference; on from a turn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import learnact
from learnact import prompts
from learnact.again.fork import ForkChange, _model, fork, without_action
from learnact.again.replay import ReplayReport, replay
from learnact.cli.app import app
from learnact.errors import BadInput, ResultsError
from learnact.models.pool import ModelPool
from learnact.records import Episode, EpisodeResult, LearnedAction, Library, Outcome, PrimitiveStep, Turn
from learnact.results.reader import connect, dictionaries, find_run
from learnact.results.recorded import RecordedRun
from learnact.runners.recorded import different_result

JOB = {
    "name": "again",
    "domains": [{"name": "gripper", "test": 2}],
    "methods": [
        "act",
        "react",
        "learnact",
        "act+reflexion",
        "code_as_policies",
        {"name": "act", "label": "given", "library": "carry.py"},
    ],
    "models": {"agent": "sim-strong", "learner": "sim-strong"},
    "repeats": {"learn": 1, "test": 1},
    "learner": {"candidates": 2, "iterations": 1},
}


CARRY = '''
def carry(obj, start, end, hand):
    """Requires: obj is a ball. start is a room. end is a room. hand is a gripper. obj is in start. \
you are in start. hand is free. Then: obj is in end. you are in end. obj is no longer in start. \
you are no longer in start. Does: pick(obj, start, hand); move(start, end); drop(obj, end, hand)."""
    pick(obj, start, hand)
    move(start, end)
    drop(obj, end, hand)
'''


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "carry.py").write_text(CARRY)
    methods = [*JOB["methods"][:-1], {**JOB["methods"][-1], "library": str(folder / "carry.py")}]
    assert learnact.run({**JOB, "methods": methods}, results=folder, address="local").done
    return folder


@pytest.fixture
def no_model(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model can be asked while a run is done again."""
    request.getfixturevalue("results")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a model was asked")

    monkeypatch.setattr(ModelPool, "complete", refuse)


def first(report: ReplayReport) -> tuple[str, str, int | None, str]:
    assert report.first is not None
    found = report.first
    return found.trial, found.unit, found.difference.turn, found.difference.what


@pytest.mark.usefixtures("no_model")
def test_a_run_done_again_is_identical(results: Path) -> None:
    report = replay("again", results=results)
    assert report.identical
    (folder,) = results.glob("again-*")
    record = RecordedRun(folder)
    units = [outcome.unit for trial in record.trials() for outcome in record.outcomes(trial.id)]
    assert report.episodes + report.requests == len(units)
    assert report.episodes >= 10


@pytest.mark.usefixtures("no_model")
def test_a_changed_word_of_an_agents_prompt_names_the_first_episode_and_turn(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = prompts._load("learnact.methods", "agent")
    monkeypatch.setitem(
        texts, "react", texts["react"].replace("a thought, on one line", "a thought, on a line")
    )
    report = replay("again", results=results)
    trial, unit, turn, what = first(report)
    assert trial.startswith("react on gripper")
    assert unit == "test episode on gripper, task gripper-published-test-0-0, repeat 0"
    assert (turn, what) == (0, "the prompt differs")
    assert report.first is not None
    assert "on one line that begins" in report.first.difference.recorded
    assert "on a line that begins" in report.first.difference.now


@pytest.mark.usefixtures("no_model")
def test_a_change_that_shows_late_names_its_turn(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an observation says of a failed action is seen in the turn in which one fails."""
    from learnact.domains.planning import environment

    said = environment.PlanningEnvironment._invalid

    def otherwise(self, command: str, observation: str):  # type: ignore[no-untyped-def]
        return said(self, command, observation.replace("No effect:", "Nothing changed:"))

    monkeypatch.setattr(environment.PlanningEnvironment, "_invalid", otherwise)
    report = replay("again", results=results)
    _, _, turn, what = first(report)
    assert what in ("the prompt differs", "the turn's steps differs", "the turn's observation differs")
    assert report.first is not None
    assert "No effect:" in report.first.difference.recorded
    assert "Nothing changed:" in report.first.difference.now
    assert turn is not None


@pytest.mark.usefixtures("no_model")
def test_a_changed_word_of_a_learners_prompt_names_the_request(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = prompts._load("learnact.methods", "learner")
    monkeypatch.setitem(texts, "describe", texts["describe"].replace("for the agent", "for an agent"))
    trial, unit, turn, what = first(replay("again", results=results))
    assert trial.startswith("learnact on gripper")
    assert unit.startswith("request to describe, iteration 0")
    assert (turn, what) == (None, "the prompt differs")


@pytest.mark.usefixtures("no_model")
def test_the_command_says_it_with_its_exit_code(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    same = CliRunner().invoke(app, ["replay", "again", "--results", str(results)])
    assert same.exit_code == 0
    assert same.output.startswith("Identical: ")
    texts = prompts._load("learnact.methods", "agent")
    monkeypatch.setitem(texts, "system", texts["system"].replace("text world", "word world"))
    other = CliRunner().invoke(app, ["replay", "again", "--results", str(results)])
    assert other.exit_code == 1
    assert "act on gripper, learning repeat 0: test episode on gripper" in other.output
    assert "turn 0: the prompt differs." in other.output
    with pytest.raises(ResultsError, match="no run 'nothing'"):
        replay("nothing", results=results)


def test_results_are_compared_turn_by_turn() -> None:
    turn = Turn(
        index=0,
        kind="action",
        raw="a()",
        said="a()",
        call="a()",
        callee="a",
        learned=False,
        ok=True,
        observation="Now: x.",
        progress=0.0,
    )
    one = EpisodeResult(True, 1.0, "g", "o", (turn, replace(turn, index=1)))
    assert different_result(one, one) is None
    later = replace(turn, index=1, steps=(PrimitiveStep("a()", True, "Now: y."),))
    found = different_result(one, replace(one, turns=(turn, later)))
    assert found is not None
    assert (found.turn, found.what) == (1, "the turn's steps differs")
    assert "Now: y." in found.now
    shorter = different_result(one, replace(one, turns=(turn,)))
    assert shorter is not None
    assert (shorter.turn, shorter.now) == (1, "1 turns")
    failed = different_result(one, replace(one, success=False))
    assert failed is not None
    assert failed.now == "success False"


@pytest.fixture(scope="module")
def called(results: Path) -> RecordedRun:
    """The run, of which one method plays with an action made by hand."""
    return RecordedRun(find_run(results, "again").folder)


def callers(record: RecordedRun) -> list[Outcome]:
    """Test episodes that call `carry`."""
    return [
        outcome
        for trial in record.trials()
        for outcome in record.outcomes(trial.id)
        if isinstance(outcome.result, EpisodeResult)
        and any(t.callee == "carry" for t in outcome.result.turns)
    ]


def test_a_fork_takes_over_the_turns_before_it_and_pays_from_there(
    results: Path, called: RecordedRun
) -> None:
    recorded = callers(called)[0]
    assert isinstance(recorded.result, EpisodeResult)
    turn = next(t.index for t in recorded.result.turns if t.callee == "carry") + 1
    found = fork("again", recorded.key, turn, ForkChange(library="empty"), results=results, address="local")
    ((one, result),) = found.forks
    assert result is not None
    assert result.turns[:turn] == recorded.result.turns[:turn]
    assert found.calls == len(result.turns) - turn
    assert not any(t.learned for t in result.turns[turn:])
    assert (one.unit.phase, one.unit.library) == ("survey", Library())
    with connect(results, found.folder.name) as connection:
        prompts_sent = dictionaries(connection, "SELECT user FROM prompts ORDER BY ordinal")
        tested = dictionaries(connection, "SELECT count(*) AS n FROM episodes WHERE phase = 'test'")
    assert len(prompts_sent) == found.calls
    assert all("## Learned actions" not in row["user"] for row in prompts_sent)
    assert "Action: carry(" in prompts_sent[0]["user"]
    assert tested[0]["n"] == 0
    again = fork("again", recorded.key, turn, ForkChange(library="empty"), results=results, address="local")
    assert (again.run, again.calls) == (found.run, 0)
    with pytest.raises(BadInput, match="holds forks"):
        replay(found.run, results=results)


def test_the_same_fork_with_nothing_changed_goes_on_as_recorded(results: Path, called: RecordedRun) -> None:
    """The simulated model answers the same prompts alike."""
    recorded = callers(called)[0]
    assert isinstance(recorded.result, EpisodeResult)
    found = fork("again", recorded.key, 1, results=results, address="local")
    ((_, result),) = found.forks
    assert result is not None
    assert different_result(recorded.result, result) is None
    assert found.calls == len(recorded.calls) - 1


def test_all_callers_of_an_action_are_forked_and_the_table_pairs_them(
    results: Path, called: RecordedRun
) -> None:
    result = CliRunner().invoke(
        app, ["fork", "again", "--without", "carry", "--address", "local", "--results", str(results)]
    )
    assert result.exit_code == 0, result.output
    recorded = callers(called)
    assert f"{len(recorded)} forks" in result.output
    (folder,) = [line.split()[-1] for line in result.output.splitlines() if "forks," in line]
    shown = CliRunner().invoke(
        app, ["table", "credit", folder, "--results", str(results), "--format", "json"]
    )
    (table,) = json.loads(shown.output)
    (row,) = table["rows"]
    assert (row["method"], row["change"], row["forks"]) == ("given", "without carry", len(recorded))
    solved = [o.result.success for o in recorded if isinstance(o.result, EpisodeResult)]
    assert row["success as recorded"] == pytest.approx(sum(solved) / len(solved))
    assert row["worth"]["mean"] == pytest.approx(row["success as recorded"] - row["success after the fork"])
    assert table["simulated"]


def test_forks_are_held_to_limits_of_money_and_go_on_when_these_are_raised(
    results: Path, called: RecordedRun
) -> None:
    change = ForkChange(library="empty", without="")
    recorded = callers(called)[1]
    place: dict[str, Any] = {"results": results, "address": "local"}
    limited = fork("again", recorded.key, 0, change, settings=["limits.calls=2"], **place)
    assert limited.calls == 2
    assert [result for _, result in limited.forks] == [None]
    assert all("limits.calls" in text for text in limited.failures.values())
    raised = fork("again", recorded.key, 0, change, settings=["limits.calls=1000"], **place)
    ((_, result),) = raised.forks
    assert result is not None
    assert raised.run == limited.run
    assert raised.calls == len(result.turns)
    with pytest.raises(BadInput, match="limits and cluster only"):
        fork("again", recorded.key, 0, change, settings=["models.agent=sim-weak"], **place)


def test_what_cannot_be_forked_is_refused_with_the_way_out(results: Path, called: RecordedRun) -> None:
    recorded = callers(called)[0]
    with pytest.raises(BadInput, match="no test episode calls 'carri'; did you mean 'carry'"):
        fork("again", change=ForkChange(without="carri"), results=results)
    with pytest.raises(BadInput, match="has the turns 0 to"):
        fork("again", recorded.key, 99, results=results)
    with pytest.raises(BadInput, match="is no episode"):
        fork("again", "ffff", 0, results=results)
    with pytest.raises(BadInput, match="has no model 'gpt'"):
        fork("again", recorded.key, 0, ForkChange(model="gpt"), results=results)
    with pytest.raises(BadInput, match="name an episode"):
        fork("again", results=results)


def test_the_model_that_plays_on_has_the_agents_place_and_parameters(called: RecordedRun) -> None:
    """A learner's model may have the same name."""
    unit = callers(called)[0].unit
    assert isinstance(unit, Episode)
    models = {
        "agent": {"name": "m", "base_url": "http://127.0.0.1:1/v1", "max_tokens": 7},
        "learner": {"name": "m", "base_url": "http://127.0.0.1:2/v1", "max_tokens": 8},
    }
    job = learnact.load({**called.job, "models": models})
    agent = job.trials()[0].agent_model
    placeless = replace(unit, model=replace(agent, base_urls=()))
    assert _model(job, placeless, "") == agent
    assert _model(job, placeless, "m") == agent
    with pytest.raises(BadInput, match="no longer has the model"):
        _model(job, replace(unit, model=replace(agent, max_tokens=9)), "")


def test_an_action_that_another_one_calls_cannot_be_left_out() -> None:
    inner = LearnedAction("go", "go(a, b)", "def go(a, b):\n    move(a, b)")
    outer = LearnedAction("there", "there(a, b)", "def there(a, b):\n    go(a, b)")
    library = Library((inner, outer), usage_example="Action: there('a', 'b')\nObservation: x")
    with pytest.raises(BadInput, match="go cannot be left out: there calls it"):
        without_action(library, "go")
    assert without_action(library, "there") == Library((inner,))
