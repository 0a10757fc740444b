"""LearnAct's options and analysis switches, each doing what it says: a whole trial with a model that
improves by one note at a time.
"""

import itertools
import re
from collections import Counter

import pytest

from learnact.errors import JobError
from learnact.job import load
from learnact.records import Episode, Library
from learnact.runners.local import LocalRunner
from learnact.runners.worker import Worker
from learnact.trial import run_trial
from tests.methods.test_learning_round import requests, scripted
from tests.scripted import Notes

GRIPPER = {"name": "gripper", "train": 1, "test": 2, "balls": 2}
BASE = (
    *("repeats.learn=1", "learner.candidates=2", "budget.learn.turns=6", "budget.test.turns=1"),
    "learner.check=exceptions",  # a line without effect would be asked for again
)
HOP = (
    '```python\ndef hop(start, end):\n    """Number {}."""\n    move(start, end)\n   '
    " move(end, start)\n```\nUsage: hop('rooma', 'roomb')"
)


class Counting(LocalRunner):
    """Remembers which library was played in which phase."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self.played: list[tuple[str, Library]] = []

    async def run(self, units):
        async for outcome in super().run(units):
            if isinstance(outcome.unit, Episode) and outcome.unit.model is not None:
                self.played.append((outcome.unit.phase, outcome.unit.library))
            yield outcome

    def phase(self, name: str) -> list[Library]:
        return [library for phase, library in self.played if phase == name]


def one_better_with_every_note():
    """Each proposal is another one; each note lets one more call of the six succeed."""
    number = itertools.count(1)

    def act(text: str) -> str:
        before = text.split("## So far")[1].count("Action: ") if "## So far" in text else 0
        here = re.findall(r"you are in (room[ab])\.", text.split("## Your task")[1])[-1]
        other = "roomb" if here == "rooma" else "rooma"
        return f"hop('{here}', '{other}')" if before < text.count("  Note: ") else "hop('attic', 'cellar')"

    return scripted(
        create=lambda text: HOP.format(next(number)),
        improve=lambda text: f"Reason: there is no attic.\nNote: Advice {next(number)}.",
        usage=lambda text: "Action: hop('rooma', 'roomb')\nObservation: Now: you are in rooma.",
        act=act,
    )


async def run(*changes: str):
    job = load({"name": "t", "domains": GRIPPER, "methods": "learnact"}, [*BASE, *changes])
    (trial,) = job.trials()
    notes, chat = Notes(), one_better_with_every_note()
    async with Worker(chat) as worker:
        runner = Counting(worker)
        result = await run_trial(trial, runner, notes, lambda *_: None)
    assert result.status == "done"
    return result, runner, notes, chat


@pytest.mark.parametrize(
    ("switches", "others"),
    [
        ((), 0),
        (("learner.test_each_iteration=true",), 2),
        (("learner.test_every_candidate=true",), 5),
        (("learner.test_each_iteration=true", "learner.test_every_candidate=true"), 5),
    ],
)
async def test_other_libraries_are_surveyed_on_every_test_task(switches, others):
    """Two iterations: three winners, of which the last is the trial's; six candidates."""
    result, runner, notes, _ = await run(*switches)
    assert [library.id for library in runner.phase("test")] == [result.library] * 2
    surveyed = Counter(library.id for library in runner.phase("survey"))
    assert list(surveyed.values()) == [2] * others
    assert result.library not in surveyed
    assert surveyed.keys() <= {row.library for row in notes.candidates.values()}
    assert (result.episodes, result.missing) == (2, 0)


@pytest.mark.parametrize("iterations", [0, 1, 2, 4])
async def test_learning_goes_on_for_as_many_iterations_as_are_asked_for(iterations):
    result, _, notes, chat = await run(f"learner.iterations={iterations}")
    assert max(iteration for iteration, _ in notes.candidates) == iterations
    assert len(requests(chat, "improve")) == 2 * iterations
    assert len(notes.libraries[result.library].actions[0].notes) == iterations


@pytest.mark.parametrize("candidates", [1, 3])
async def test_k_libraries_are_proposed_and_k_improvements(candidates):
    _, _, notes, chat = await run(f"learner.candidates={candidates}", "learner.iterations=1")
    assert len(requests(chat, "create")) == len(requests(chat, "improve")) == candidates
    assert Counter(row.origin for row in notes.candidates.values()) == {
        "create": candidates,
        "incumbent": 1,
        "note": candidates,
    }


async def test_without_learning_the_best_of_the_samples_is_tested():
    result, runner, notes, chat = await run("learner.learning=false")
    assert len(requests(chat, "create")) == 2
    assert requests(chat, "improve") == []
    assert result.library == notes.candidates[0, 0].library
    assert len(runner.phase("learn")) == 2


async def test_without_sampling_there_is_one_proposal_and_one_improvement_each_time():
    _, _, notes, chat = await run("learner.sampling=false")
    assert len(requests(chat, "create")) == 1
    assert len(requests(chat, "improve")) == 2
    assert notes.candidates.keys() == {(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)}


async def test_learning_with_neither_updates_nor_notes_is_refused():
    with pytest.raises(JobError, match="use learning: false"):
        await run("learner.updates=false", "learner.notes=false")


@pytest.mark.parametrize(
    ("terms", "notes_kept"),
    [
        ("success", 0),
        ("call_share", 0),
        ("step_correctness", 2),
        ("call_ratio", 2),
        ("success, call_ratio", 2),
    ],
)
async def test_the_selector_adds_up_the_terms_that_are_asked_for(terms, notes_kept):
    """No task is solved and every turn is a call, so success and the share of calls tie: then the earliest
    stays.
    """
    result, _, notes, _ = await run(f"learner.score=[{terms}]")
    assert len(notes.libraries[result.library].actions[0].notes) == notes_kept
    best = notes.candidates[2, 0 if notes_kept == 0 else 1]
    expected = {"success": 0, "call_share": 1}.get(terms, 2 / 6)
    assert best.score == pytest.approx(expected)
