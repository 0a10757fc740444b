"""The exact messages of a job, before anything is spent: what an agent or a learner would be asked.

The first prompt of a purpose is caught on its way to the model. What must happen before it (a library must exist before it can be
improved) is played by the embedded simulated model, for nothing; `Preview.simulated` says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import get_args

from learnact.agents.execute import Worker
from learnact.agents.local import LocalRunner
from learnact.errors import BadInput, Failure, JobError
from learnact.models.pool import ModelPool
from learnact.protocols import Chat, Runner
from learnact.records import (
    Candidate,
    Exchange,
    Library,
    ModelSpec,
    Outcome,
    Prompt,
    Purpose,
    Reply,
    Request,
    Unit,
)
from learnact.spec import Job, TrialSpec
from learnact.trial import run_trial, test_tasks

PURPOSES: tuple[str, ...] = tuple(p for p in get_args(Purpose) if p != "embed")
_LEARNERS = {"reflect": "reflexion", "code": "voyager", "verify": "voyager", "act": ""}


@dataclass(frozen=True)
class Preview:
    """A prompt as it would be sent, to which model; `simulated` where a simulated model played what comes before it."""

    trial: TrialSpec
    model: ModelSpec
    prompt: Prompt
    simulated: bool


async def preview(job: Job, domain: str, task: int, purpose: str, method: str = "") -> Preview:
    """The first prompt of a purpose in a job. `task` numbers the test tasks from 0 (purpose "act" only).

    Raises:
        BadInput: no trial of the job has such a prompt, or the number is too large.
    """
    if purpose not in PURPOSES:
        raise BadInput(f"there is no purpose {purpose!r}; purposes: {', '.join(PURPOSES)}")
    trial = _trial(job, domain, purpose, method)
    simulated = replace(
        trial, agent_model=_stand_in(trial.agent_model), learner_model=_stand_in(trial.learner_model)
    )
    name = ""
    if purpose == "act":
        spec = trial.test_domains[0]
        tasks = test_tasks(trial, spec)
        if not 0 <= task < len(tasks):
            raise BadInput(f"{spec.name} has test tasks 0 to {len(tasks) - 1}, not {task}")
        name = tasks[task].name
    async with ModelPool() as pool:
        tap = _Tap(pool, purpose, name)
        async with Worker(tap) as worker:
            with suppress(_Found):
                await run_trial(simulated, _Tapped(LocalRunner(worker), tap), _NoJournal(), lambda *_: None)
    if tap.found is None:
        raise BadInput(f"{trial.label} on {domain} came to its end without a prompt for {purpose!r}")
    model = trial.agent_model if purpose == "act" else trial.learner_model
    return Preview(trial, model, tap.found, simulated=tap.asked)


def _stand_in(model: ModelSpec) -> ModelSpec:
    return model if model.simulated else replace(model, name="sim-strong", base_urls=(), simulated=True)


def _trial(job: Job, domain: str, purpose: str, method: str) -> TrialSpec:
    learner = _LEARNERS.get(purpose, "learnact")
    for trial in job.trials():
        named = trial.domain.name == domain and method in ("", trial.method, trial.label)
        if named and (not learner or trial.learner == learner):
            return trial
    of = f" with method {method!r}" if method else ""
    raise JobError(
        f"no trial of {job.name} on {domain!r}{of} asks for {purpose!r}; the job has "
        + ", ".join(sorted({f"{t.label} on {t.domain.name}" for t in job.trials()}))
    )


class _Found(Failure):
    """The wanted prompt was caught: nothing more is to be tried."""

    def __init__(self) -> None:
        super().__init__("found", False)


class _Tap:
    """A chat model and a runner that catch the first prompt of a purpose and let all others through."""

    def __init__(self, chat: Chat, purpose: str, task: str) -> None:
        self.found: Prompt | None = None
        self.asked = False
        self._chat = chat
        self._purpose = purpose
        self._task = task
        self._wanted: set[str] = set()

    async def complete(self, model: ModelSpec, prompt: Prompt, seed: int, affinity: str) -> Exchange:
        if affinity in self._wanted:
            self.found = self.found or prompt
            raise _Found
        self.asked = True
        return await self._chat.complete(model, prompt, seed, affinity)

    async def embed(self, model: ModelSpec, texts: tuple[str, ...]) -> Reply:
        return await self._chat.embed(model, texts)

    def look(self, units: Iterable[Unit]) -> Iterator[Unit]:
        """Units on their way, the wanted ones marked; tests of other tasks need not be played."""
        for unit in units:
            if isinstance(unit, Request):
                wanted = unit.purpose == self._purpose
            else:
                wanted = self._purpose == "act" and unit.phase == "test" and unit.task.name == self._task
                if unit.phase == "test" and not wanted:
                    continue
            if wanted:
                self._wanted.add(unit.key)
            yield unit


@dataclass(frozen=True)
class _Tapped:
    runner: Runner
    tap: _Tap

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        async for outcome in self.runner.run(self.tap.look(units)):
            if self.tap.found is not None:
                raise _Found
            yield outcome


class _NoJournal:
    def library(self, trial: str, library: Library) -> None:
        """Forgotten."""

    def candidate(self, candidate: Candidate) -> None:
        """Forgotten."""
