"""Following a method from its learning round through a test episode, with scripted replies on a real
environment.

`follow` runs one trial as a job does (learner, sandbox, environment, agent) and keeps each request with its
reply. `reviewed` compares the whole conversation with a text file that a person has read
(tests/prompts/methods); a section that is the same as in the last prompt of its kind is shown by its name.
After a deliberate change: `LEARNACT_WRITE_PROMPTS=1 pytest tests/methods`, then read the difference.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from learnact.job import load
from learnact.methods.training import LearningCost
from learnact.records import (
    Episode,
    EpisodeResult,
    Exchange,
    Library,
    ModelSpec,
    Outcome,
    Prompt,
    Request,
    Unit,
)
from learnact.runners.local import LocalRunner
from learnact.runners.worker import Worker
from learnact.trial import LearningCosts, TrialResult, run_trial
from tests.golden import compare
from tests.methods.test_learning_round import FUNCTIONS
from tests.scripted import Notes, Scripted

SCENE = {"name": "gripper", "level": "easy", "balls": 2, "train": 1, "test": 1}
"""In training ball1 must go from rooma to roomb and ball2 stay in rooma; in the test both go from roomb to
rooma. The robot starts beside both balls.
"""

FETCH = FUNCTIONS.format(ball="ball1", here="rooma", there="roomb")
"""A reply with a function that carries a ball, and a call of it that solves the training task."""


@dataclass(frozen=True)
class Said:
    """A request and the reply to it."""

    purpose: str
    prompt: Prompt
    reply: str


class Script(Scripted):
    """Says its lines, (purpose, reply), in order: the first that is left of the purpose that is asked for."""

    def __init__(self, lines: Sequence[tuple[str, str]]) -> None:
        super().__init__(())
        self.left = list(lines)
        self.said: list[Said] = []
        self.purposes: dict[str, str] = {}

    async def complete(self, model: ModelSpec, prompt: Prompt, seed: int, affinity: str) -> Exchange:
        purpose = self.purposes.get(affinity, "act")
        line = next((line for line in self.left if line[0] == purpose), None)
        assert line is not None, f"nothing is left to say to {purpose}: {prompt.messages()[-1].content}"
        self.left.remove(line)
        self.said.append(Said(purpose, prompt, line[1]))
        self._answer = lambda _: line[1]
        return await super().complete(model, prompt, seed, affinity)


class Watched(LocalRunner):
    """Tells the script what is asked for, and keeps the episodes that a model played."""

    def __init__(self, worker: Worker, script: Script) -> None:
        super().__init__(worker)
        self.played: list[tuple[str, EpisodeResult]] = []
        self._script = script

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        units = list(units)
        self._script.purposes |= {u.key: u.purpose for u in units if isinstance(u, Request)}
        async for outcome in super().run(units):
            if isinstance(outcome.unit, Episode) and outcome.unit.model is not None:
                assert isinstance(outcome.result, EpisodeResult), outcome.attempts
                self.played.append((outcome.unit.phase, outcome.result))
            yield outcome


@dataclass(frozen=True)
class Followed:
    """A trial that was followed to its end: what was said, what the learner wrote down, and the episodes."""

    result: TrialResult
    said: tuple[Said, ...]
    notes: Notes
    episodes: tuple[tuple[str, EpisodeResult], ...]

    def played(self, phase: str) -> list[EpisodeResult]:
        """The episodes of a phase in which a model acted."""
        return [result for of, result in self.episodes if of == phase]

    @property
    def test(self) -> EpisodeResult:
        """The one test episode."""
        (result,) = self.played("test")
        return result

    @property
    def library(self) -> Library:
        """What the trial ended with."""
        return self.notes.libraries[self.result.library]

    @property
    def purposes(self) -> list[str]:
        """What was asked for, in order."""
        return [said.purpose for said in self.said]


async def follow(
    method: str,
    lines: Sequence[tuple[str, str]],
    *changes: str,
    domain: dict[str, object] = SCENE,
    calls: int | None = None,
) -> Followed:
    """Run a method's only trial with a script; every line of it must be said.

    `calls`: what LearnAct's learning cost, where budgets are matched.
    """
    job: dict[str, object] = {"name": "t", "domains": domain, "methods": [method], "repeats": {"learn": 1}}
    if calls is not None:
        job |= {"methods": [method, "learnact"], "match_budget": {"to": "learnact", "unit": "calls"}}
    trial, *matched = load(job, changes).trials()
    script, notes, costs = Script(lines), Notes(), LearningCosts()
    for other in matched:
        costs.report(other, LearningCost(calls=calls or 0))
    async with Worker(script) as worker:
        runner = Watched(worker, script)
        result = await run_trial(trial, runner, notes, lambda *_: None, costs=costs)
    assert result.status == "done", result.reason
    assert script.left == []
    return Followed(result, tuple(script.said), notes, tuple(runner.played))


def reviewed(name: str, followed: Followed) -> None:
    """The conversation is the one that was read."""
    compare(f"methods/{name}", transcript(followed.said))


def transcript(said: Sequence[Said]) -> str:
    """Requests and replies in order; unchanged sections by name."""
    before: dict[str, list[str]] = {}
    parts = []
    for number, one in enumerate(said, 1):
        system, user = one.prompt.messages()
        sections = [f"[system]\n{system.content}\n", *re.split(r"^(?=## )", user.content, flags=re.MULTILINE)]
        sections = [section for section in sections if section.strip()]
        parts.append(f"======== {number}. {one.purpose} ========")
        known, same = before.get(one.purpose, []), list[str]()
        for section in sections:
            if section in known:
                same.append(_name(section))
            else:
                parts += [*_as_before(same), section.strip()]
                same = []
        parts += _as_before(same)
        parts.append(f"-------- reply --------\n{one.reply}\n")
        before[one.purpose] = sections
    return "\n\n".join(parts)


def _as_before(names: Sequence[str]) -> list[str]:
    return [f"({', '.join(names)}: as before)"] if names else []


def _name(section: str) -> str:
    return section.splitlines()[0].strip("# []")
