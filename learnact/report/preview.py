"""Prompts without a model: real agents and learners are run up to the wanted prompt, and what a model would
have said on the way is a stand-in.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable

from learnact.domains import registry
from learnact.domains.base import Domain
from learnact.errors import LearnactError
from learnact.methods.registry import find_learner
from learnact.methods.training import Blocked, Training
from learnact.records import (
    Candidate,
    Episode,
    Exchange,
    Library,
    ModelSpec,
    Outcome,
    Prompt,
    Purpose,
    Reply,
    Request,
    Task,
    Unit,
)
from learnact.records.trials import TrialSpec
from learnact.runners.local import LocalRunner
from learnact.runners.worker import UnitLimits, Worker
from learnact.trial import PlannedTest, test_episodes

FUNCTION = "stand_in"


async def agent_prompt(trial: TrialSpec, task: Task, library: Library) -> Prompt:
    """The first prompt of a test episode."""
    spec = trial.test_domains[0]
    episode = next(test_episodes(trial, [PlannedTest(spec, registry.build(spec), task, library, "test")]))
    chat = _Chat({})
    async with Worker(chat, UnitLimits(tries=1)) as worker:
        outcome = await worker.execute(episode)
    if not chat.prompts:
        raise LearnactError(
            f"the agent asked nothing: {outcome.attempts[-1].error if outcome.attempts else 'it is done'}"
        )
    return chat.prompts[0]


async def learner_prompt(trial: TrialSpec, purpose: Purpose) -> Prompt | None:
    """The first prompt of a purpose that the learner comes to; None when it does not come to it."""
    domain, learner = registry.build(trial.domain), find_learner(trial.learner.name)
    purposes: dict[str, Purpose] = {}
    chat = _Chat(purposes, _failing_call(domain), writes_code=learner.writes_code)
    async with Worker(chat, UnitLimits(tries=1)) as worker:
        runner = _Until(LocalRunner(worker), purpose, purposes)
        training = Training(trial, domain, tuple(domain.tasks("train")), runner, _NoJournal())
        with contextlib.suppress(*STOPS):
            await learner.learn(training, learner.options_of(trial.learner))
    return runner.found


def _failing_call(domain: Domain) -> str:
    """A primitive call that is not possible: its arguments are names of nothing."""
    primitive = domain.primitives[0]
    arguments = [f"{p}={p!r}" if p in primitive.keyword_only else repr(p) for p in primitive.parameters]
    return f"{primitive.name}({', '.join(arguments)})"


class _Found(LearnactError):
    """The wanted prompt was reached."""


STOPS = (_Found, Blocked, ExceptionGroup)
"""How a learner ends that is stopped: where it asks for several things at once, as a group."""


class _Chat:
    """Says what is needed to go on: functions that fail, a description, a verdict."""

    def __init__(self, purposes: dict[str, Purpose], failing: str = "", writes_code: bool = False) -> None:
        self.prompts: list[Prompt] = []
        self._purposes = purposes
        self._failing = failing
        self._call = f"{FUNCTION}()" if writes_code else failing

    async def complete(
        self,
        model: ModelSpec,  # noqa: ARG002
        prompt: Prompt,
        seed: int,  # noqa: ARG002
        affinity: str,
    ) -> Exchange:
        self.prompts.append(prompt)
        return Exchange(prompt, Reply(self._say(self._purposes.get(affinity, "act"))))

    async def embed(self, model: ModelSpec, texts: tuple[str, ...]) -> Reply:  # noqa: ARG002
        return Reply("", vectors=tuple((1.0,) for _ in texts))

    def _say(self, purpose: Purpose) -> str:
        body = f"    {self._failing}\n    {self._failing}\n"
        code = f"```python\ndef {FUNCTION}():\n{body}```\nUsage: {FUNCTION}()"
        said: dict[Purpose, str] = {
            "act": self._call,
            "create": code,
            "code": code,
            "usage": f"Action: {FUNCTION}()\nObservation: ...",
            "describe": "Description: what the learner model will write.",
            "verify": "Verdict: yes\nCritique: none",
            "induce": code,
            "rules": "ADD: What the learner model will write.",
            "manual": "ADD (special mechanism): What the learner model will write.",
            "workflows": "Workflow: what the learner model will write.",
        }
        return said.get(purpose, "")


class _Until:
    """A runner that keeps the first request of a purpose and goes no further."""

    def __init__(self, inner: LocalRunner, wanted: Purpose, purposes: dict[str, Purpose]) -> None:
        self.found: Prompt | None = None
        self._inner = inner
        self._wanted = wanted
        self._purposes = purposes

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        """As `Runner.run`, until the wanted request comes."""
        given = list(units)
        for unit in given:
            if isinstance(unit, Episode):
                continue
            self._see(unit)
        async for outcome in self._inner.run(given):
            yield outcome

    def _see(self, request: Request) -> None:
        self._purposes[request.key] = request.purpose
        if request.purpose == self._wanted:
            self.found = self.found or request.prompt
            raise _Found(request.purpose)


class _NoJournal:
    def library(self, trial: str, library: Library) -> None:
        """Nothing is kept."""

    def candidate(self, candidate: Candidate) -> None:
        """Nothing is kept."""
