"""One trial: learn from the training tasks, then test on the others.

The method's story, readable top to bottom.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from learnact.domains import registry
from learnact.domains.base import Domain
from learnact.errors import ResultsError
from learnact.methods.prompt_sections import TEMPLATES as AGENT_TEMPLATES
from learnact.methods.registry import find_learner
from learnact.methods.stream import learn_in_order
from learnact.methods.training import Blocked, Learned, LearningCost, Training, test_budget
from learnact.protocols import Journal, Runner
from learnact.records import DomainSpec, Episode, EpisodeResult, Library, Phase, Task, seed_from
from learnact.records.trials import TrialSpec

Status = Literal["done", "unfinished", "blocked"]
_log = logging.getLogger("learnact.trial")
Notice = Callable[[TrialSpec, str], None]
"""Called when a trial begins something ("learning", "testing"); for displays only."""


@dataclass(frozen=True)
class TrialResult:
    """How a trial ended.

    "unfinished": some test episodes have no result. "blocked": the trial could not go on; `reason` says why.
    """

    trial: TrialSpec
    status: Status
    library: str = ""
    episodes: int = 0
    successes: int = 0
    missing: int = 0
    reason: str = ""
    found: bool = False
    """Whether an earlier session had finished it: nothing of it was looked at again."""


@dataclass(frozen=True)
class PlannedTest:
    """A test to be played: a task of a test domain with the library that its agent is given."""

    spec: DomainSpec
    domain: Domain
    task: Task
    library: Library
    phase: Phase


class LearningCosts:
    """What learning cost each trial, for those that are given the same budget (`match_budget`)."""

    def __init__(self) -> None:
        self._reported: dict[tuple[object, ...], asyncio.Future[LearningCost]] = {}

    def report(self, trial: TrialSpec, spent: LearningCost | Blocked) -> None:
        """A trial has learned, or is blocked; then trials that wait for it are blocked too."""
        future = self._future(trial, trial.base_label)
        if future.done():
            return
        if isinstance(spent, Blocked):
            future.set_exception(Blocked(f"the budget of {trial.base_label} cannot be matched: {spent}"))
            future.exception()  # marked as retrieved: nobody may be waiting
        else:
            future.set_result(spent)

    async def matched(self, trial: TrialSpec) -> int | None:
        """What the trial may spend on learning; None without a match.

        Waits until the method that it is matched to has learned.
        """
        if trial.match_budget is None:
            return None
        spent = await self._future(trial, trial.match_budget.to)
        return int(getattr(spent, trial.match_budget.unit))

    def _future(self, trial: TrialSpec, label: str) -> asyncio.Future[LearningCost]:
        key = budget_key(trial, label)
        if key not in self._reported:
            self._reported[key] = asyncio.get_running_loop().create_future()
        return self._reported[key]


def budget_key(trial: TrialSpec, label: str) -> tuple[object, ...]:
    """What trials have in common whose budgets are matched: domain, models, budgets, seed, repeat; with a
    label.

    Stop strings and the bound of a reply are left out: they differ where an agent writes whole programs.
    """
    agent = replace(trial.agent_model, stop=(), max_tokens=None)
    models = (agent.fingerprint, trial.learner_model.fingerprint)
    budgets = (trial.learn_budget, trial.test_budget, trial.test)
    return (label, trial.domain, *models, *budgets, trial.job_seed, trial.learn_repeat)


async def run_trial(
    trial: TrialSpec,
    runner: Runner,
    journal: Journal,
    notice: Notice,
    library: Library | None = None,
    costs: LearningCosts | None = None,
) -> TrialResult:
    """Learn (unless a library is passed), then test. Resumes by itself: what is committed is not done again.

    No error of a learner or a domain leaves the trial: it is blocked, with the reason.
    """
    costs = costs or LearningCosts()
    try:
        if library is None:
            learned = await _learn(trial, runner, journal, notice, costs)
        else:
            learned = _made_elsewhere(trial, library, runner, journal)
        journal.library(trial.id, learned.library)
        notice(trial, "testing")
        tests = await _planned_tests(trial, learned, journal)
        return await _test(trial, learned, tests, runner)
    except Exception as error:  # noqa: BLE001 - the boundary of a trial: others go on
        blocked = _blocked(trial, error)
        costs.report(trial, blocked)
        return TrialResult(trial, "blocked", reason=str(blocked))


async def _test(
    trial: TrialSpec, learned: Learned, tests: Iterable[PlannedTest], runner: Runner
) -> TrialResult:
    done = successes = missing = 0
    async for outcome in runner.run(test_episodes(trial, tests)):
        assert isinstance(outcome.unit, Episode)
        if not isinstance(outcome.result, EpisodeResult):
            missing += 1
        elif outcome.unit.phase == "test":
            done += 1
            successes += outcome.result.success
    status: Status = "unfinished" if missing else "done"
    return TrialResult(trial, status, learned.library.id, done, successes, missing)


def _blocked(trial: TrialSpec, error: Exception) -> Blocked:
    """Why a trial cannot go on. Raises what concerns the whole run: results that cannot be written."""
    first: BaseException = error
    while isinstance(first, BaseExceptionGroup):
        first = next((e for e in first.exceptions if isinstance(e, ResultsError)), first.exceptions[0])
    if isinstance(first, ResultsError):
        raise first
    if isinstance(first, Blocked):
        return first
    _log.error("%s on %s is blocked", trial.label, trial.domain.name, exc_info=first)
    return Blocked(f"{trial.learner.name} failed: {_described(first)}")


def _described(error: BaseException) -> str:
    """An unexpected error in one line, with the place where it was raised."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(where.filename).name}, {where.name}, line {where.lineno})"


def _made_elsewhere(trial: TrialSpec, library: Library, runner: Runner, journal: Journal) -> Learned:
    """A library that is not learned here; one that a run has learned is used as its learner uses it."""
    learner = find_learner(trial.learner.name)
    training = Training(trial, registry.build(trial.domain), (), runner, journal)
    return Learned(library, choose=learner.chooser(training, learner.options_of(trial.learner), library))


async def _learn(
    trial: TrialSpec, runner: Runner, journal: Journal, notice: Notice, costs: LearningCosts
) -> Learned:
    domain = registry.build(trial.domain)
    tasks = tuple(domain.tasks("train"))
    notice(trial, "learning")
    allowance = await costs.matched(trial)
    training = Training(trial, domain, tasks, runner, journal, allowance)
    learner = find_learner(trial.learner.name)
    options = learner.options_of(trial.learner)
    if trial.protocol == "stream":
        learned = await learn_in_order(training, learner, options, test_budget(domain))
    else:
        learned = await learner.learn(training, options)
    costs.report(trial, training.spent)
    return learned


async def _planned_tests(trial: TrialSpec, learned: Learned, journal: Journal) -> list[PlannedTest]:
    """Every test task with the library that the trial ended with, then with the others that are to be
    tested.
    """
    found = []
    others = [library for library in dict.fromkeys(learned.also_test) if library != learned.library]
    for spec in trial.test_domains:
        domain = registry.build(spec)
        for task in test_tasks(trial, spec):
            library = learned.library
            if learned.choose is not None:
                library = await learned.choose(domain, task, spec)
                journal.library(trial.id, library)
            found.append(PlannedTest(spec, domain, task, library, "test"))
            found += (PlannedTest(spec, domain, task, other, "survey") for other in others)
    return found


def test_episodes(trial: TrialSpec, tests: Iterable[PlannedTest]) -> Iterator[Episode]:
    """The episodes of tests, each as often as the job repeats it; made lazily."""
    prompts = AGENT_TEMPLATES.hash
    for planned in tests:
        budget = trial.test_budget.over(test_budget(planned.domain), planned.task.reference)
        against = trial.against(planned.spec)
        for number, opponent in itertools.product(range(trial.test_repeats), against):
            repeat = trial.first_repeat + number
            yield Episode(
                trial=trial.id,
                method=trial.label,
                phase=planned.phase,
                domain=planned.spec,
                task=planned.task,
                agent=trial.agent,
                library=planned.library,
                model=trial.agent_model,
                budget=budget,
                rules=trial.rules,
                seed=seed_from(trial.job_seed, planned.spec.name, planned.task.hash, "test", repeat),
                prompts=prompts,
                versions=planned.domain.version,
                learn_repeat=trial.learn_repeat,
                test_repeat=repeat,
                learner_model=trial.learned_by,
                opponent=opponent.beside(planned.library) if opponent else None,
            )


def planned_episodes(trial: TrialSpec) -> int:
    """How many episodes test the library that the trial ends with."""
    return trial.test_repeats * sum(
        len(test_tasks(trial, spec)) * len(trial.against(spec)) for spec in trial.test_domains
    )


def test_tasks(trial: TrialSpec, spec: DomainSpec) -> Sequence[Task]:
    """The tasks of a test domain: all ("all", published), or without those that equal a training task by
    hash ("rest").
    """
    tasks = registry.build(spec).tasks("test")
    if trial.test == "all":
        return tasks
    seen = {task.hash for task in registry.build(trial.domain).tasks("train")}
    return [task for task in tasks if task.hash not in seen]
