"""No error leaves its trial: a learner, a reply or a domain that fails blocks its own trial, with the
reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import learnact
from learnact.methods.learnact import LearnAct
from learnact.methods.reflexion import Reflexion
from learnact.methods.voyager import Voyager
from learnact.trial import TrialResult

JOB: dict[str, Any] = {
    "name": "t",
    "domains": {"name": "gripper", "train": 1, "test": 1, "balls": 2},
    "models": {"agent": "sim-weak", "learner": "sim-strong"},
    "learner": {"candidates": 1, "iterations": 0},
    "repeats": {"learn": 1},
}


def by_method(results: Path, *methods: str) -> dict[str, TrialResult]:
    summary = learnact.run({**JOB, "methods": list(methods)}, results=results, address="local")
    return {result.trial.label: result for result in summary.trials}


@pytest.mark.parametrize(
    ("learner", "label"),
    [(LearnAct, "learnact"), (Reflexion, "act+reflexion"), (Voyager, "voyager")],
)
@pytest.mark.parametrize("error", [KeyError("k"), RecursionError("deep")])
def test_a_learner_that_fails_blocks_its_trial_alone(
    learner: type[Any], label: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(learner, "learn", fail)
    ended = by_method(tmp_path, "act", label)
    assert ended.pop(label).status == "blocked"
    assert [result.status for result in ended.values()] == ["done"]


@pytest.mark.parametrize(
    "place", ["learnact.methods.learner_replies.proposal", "learnact.methods.proposals.merge"]
)
def test_a_reply_that_breaks_the_reader_blocks_its_trial_alone(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("what a reader may raise")

    monkeypatch.setattr(place, fail)
    ended = by_method(tmp_path, "act", "act+reflexion", "learnact")
    assert ended["learnact"].status == "blocked"
    assert "RuntimeError: what a reader may raise" in ended["learnact"].reason
    assert ended["act"].status == ended["act+reflexion"].status == "done"
