"""A finished run done again from its recorded calls: identity, or the first difference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import learnact
from learnact import prompts
from learnact.again.replay import ReplayReport, replay
from learnact.cli.app import app
from learnact.errors import ResultsError
from learnact.models.pool import ModelPool
from learnact.records import EpisodeResult, PrimitiveStep, Turn
from learnact.results.recorded import RecordedRun
from learnact.runners.recorded import different_result

JOB = {
    "name": "again",
    "domains": [{"name": "gripper", "test": 2}],
    "methods": ["act", "react", "learnact", "act+reflexion", "code_as_policies"],
    "models": {"agent": "sim-weak", "learner": "sim-weak"},
    "repeats": {"learn": 1, "test": 1},
    "learner": {"candidates": 2, "iterations": 1},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("results")
    assert learnact.run(JOB, results=folder, address="local").done
    return folder


@pytest.fixture(autouse=True)
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


def test_a_run_done_again_is_identical(results: Path) -> None:
    report = replay("again", results=results)
    assert report.identical
    (folder,) = results.glob("again-*")
    record = RecordedRun(folder)
    units = [outcome.unit for trial in record.trials() for outcome in record.outcomes(trial.id)]
    assert report.episodes + report.requests == len(units)
    assert report.episodes >= 10


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
    assert unit == "test episode on gripper, task gripper-test-0-0, repeat 0"
    assert (turn, what) == (0, "the prompt differs")
    assert report.first is not None
    assert "on one line that begins" in report.first.difference.recorded
    assert "on a line that begins" in report.first.difference.now


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


def test_a_changed_word_of_a_learners_prompt_names_the_request(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = prompts._load("learnact.methods", "learner")
    monkeypatch.setitem(texts, "describe", texts["describe"].replace("for the agent", "for an agent"))
    trial, unit, turn, what = first(replay("again", results=results))
    assert trial.startswith("learnact on gripper")
    assert unit.startswith("request to describe, iteration 0")
    assert (turn, what) == (None, "the prompt differs")


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
