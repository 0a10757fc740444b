"""One trial: learn from the training tasks, then test on the others. The method's story, readable top to bottom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from learnact.domains import registry
from learnact.domains.base import Domain
from learnact.methods.learners import LEARNERS
from learnact.methods.prompt_sections import TEXTS as AGENT_TEXTS
from learnact.methods.retrieval import Retrieval
from learnact.methods.training import Blocked, Learned, LearningCost, Training, test_budget
from learnact.protocols import Journal, Runner
from learnact.records import DomainSpec, Episode, EpisodeResult, Library, Phase, Task, seed_from
from learnact.records.trials import TrialSpec

CHOOSERS: dict[str, Callable[[Training, Library], Retrieval]] = {"voyager": Retrieval}
"""Learners whose library is not given whole: how a test task's part of it is chosen."""
Status = Literal["done", "unfinished", "blocked"]
Notice = Callable[[TrialSpec, str], None]
"""Is told what a trial has begun ("learning", "testing"); for displays only."""


@dataclass(frozen=True)
class TrialResult:
    """How a trial ended. "unfinished": some test episodes have no result; "blocked": learning could not go on, `reason` says why."""

    trial: TrialSpec
    status: Status
    library: str = ""
    episodes: int = 0
    successes: int = 0
    missing: int = 0
    reason: str = ""


@dataclass(frozen=True)
class PlannedTest:
    """A test still to be played: a task of a test domain with the library that its agent is given."""

    spec: DomainSpec
    domain: Domain
    task: Task
    library: Library
    phase: Phase


class LearningCosts:
    """What learning cost each trial, for those that are given the same budget (`match_budget`)."""

    def __init__(self) -> None:
        self._told: dict[tuple[object, ...], asyncio.Future[LearningCost]] = {}

    def tell(self, trial: TrialSpec, spent: LearningCost | Blocked) -> None:
        """A trial's learning is over, or blocked; then those that wait for it are blocked too."""
        future = self._future(trial, trial.entry)
        if future.done():
            return
        if isinstance(spent, Blocked):
            future.set_exception(Blocked(f"the budget of {trial.entry} cannot be matched: {spent}"))
            future.exception()  # retrieved: nobody may be waiting
        else:
            future.set_result(spent)

    async def matched(self, trial: TrialSpec) -> int | None:
        """What the trial may spend on learning: waits until the method that it is matched to has learned. None without a match."""
        if trial.match_budget is None:
            return None
        spent = await self._future(trial, trial.match_budget.to)
        return int(getattr(spent, trial.match_budget.unit))

    def _future(self, trial: TrialSpec, label: str) -> asyncio.Future[LearningCost]:
        key = budget_key(trial, label)
        if key not in self._told:
            self._told[key] = asyncio.get_running_loop().create_future()
        return self._told[key]


def budget_key(trial: TrialSpec, label: str) -> tuple[object, ...]:
    """What trials of two methods have in common when their budgets are matched: domain, models, budgets, seed and repeat; with the label that
    the job gives the method."""
    agent = replace(
        trial.agent_model, stop=(), max_tokens=None
    )  # these differ where an agent writes whole programs
    models = (agent.fingerprint, trial.learner_model.fingerprint)
    budgets = (trial.learn_budget, trial.test_budget, trial.test)
    return (label, trial.domain, *models, *budgets, trial.job_seed, trial.learn_repeat)


async def run_trial(
    trial: TrialSpec,
    runner: Runner,
    journal: Journal,
    notice: Notice,
    given: Library | None = None,
    costs: LearningCosts | None = None,
) -> TrialResult:
    """Learn (unless a library is given), then test. Resumes by itself: what is committed is not done again."""
    costs = costs or LearningCosts()
    try:
        if given is None:
            learned = await _learn(trial, runner, journal, notice, costs)
        else:
            learned = _given(trial, given, runner, journal)
        journal.library(trial.id, learned.library)
        notice(trial, "testing")
        stakes = await _stakes(trial, learned, journal)
    except Blocked as blocked:
        costs.tell(trial, blocked)
        return TrialResult(trial, "blocked", reason=str(blocked))
    done = successes = missing = 0
    async for outcome in runner.run(test_episodes(trial, stakes)):
        assert isinstance(outcome.unit, Episode)
        if not isinstance(outcome.result, EpisodeResult):
            missing += 1
        elif outcome.unit.phase == "test":
            done += 1
            successes += outcome.result.success
    status: Status = "unfinished" if missing else "done"
    return TrialResult(trial, status, learned.library.id, done, successes, missing)


def _given(trial: TrialSpec, library: Library, runner: Runner, journal: Journal) -> Learned:
    """A library that was handed in; one that a run has learned is used as its learner uses it."""
    chooser = CHOOSERS.get(trial.taught.learner) if trial.taught else None
    if chooser is None:
        return Learned(library)
    training = Training(trial, registry.build(trial.domain), (), runner, journal)
    return Learned(library, choose=chooser(training, library))


async def _learn(
    trial: TrialSpec, runner: Runner, journal: Journal, notice: Notice, costs: LearningCosts
) -> Learned:
    domain = registry.build(trial.domain)
    tasks = tuple(domain.tasks("train"))
    notice(trial, "learning")
    allowance = await costs.matched(trial)
    training = Training(trial, domain, tasks, runner, journal, allowance)
    learned = await LEARNERS.find(trial.learner)(training)
    costs.tell(trial, training.spent)
    return learned


async def _stakes(trial: TrialSpec, learned: Learned, journal: Journal) -> list[PlannedTest]:
    """What is to be tested: every test task with the library that the trial ended with, then, where the job asks for it, with others."""
    found = []
    for spec in trial.test_domains:
        domain = registry.build(spec)
        for task in test_tasks(trial, spec):
            library = learned.library
            if learned.choose is not None:
                library = await learned.choose(domain, task, spec)
                journal.library(trial.id, library)
            found.append(PlannedTest(spec, domain, task, library, "test"))
            found += (PlannedTest(spec, domain, task, other, "survey") for other in _surveyed(trial, learned))
    return found


def _surveyed(trial: TrialSpec, learned: Learned) -> Iterable[Library]:
    """Libraries that are tested beside the final one: the winners of the iterations, or all candidates."""
    others: dict[Library, None] = {}
    if trial.settings.test_each_iteration:
        others |= dict.fromkeys(learned.winners)
    if trial.settings.test_every_candidate:
        others |= dict.fromkeys(learned.tried)
    return [library for library in others if library != learned.library]


def test_episodes(trial: TrialSpec, stakes: Iterable[PlannedTest]) -> Iterator[Episode]:
    """The episodes of a test, each as often as the job repeats it; made as they are asked for."""
    for at_stake in stakes:
        for number in range(trial.test_repeats):
            repeat = trial.first_repeat + number
            yield Episode(
                trial=trial.id,
                method=trial.label,
                phase=at_stake.phase,
                domain=at_stake.spec,
                task=at_stake.task,
                agent=trial.agent,
                library=at_stake.library,
                model=trial.agent_model,
                budget=trial.test_budget.over(test_budget(at_stake.domain)),
                rules=trial.rules,
                seed=seed_from(trial.job_seed, at_stake.spec.name, at_stake.task.hash, "test", repeat),
                prompts=AGENT_TEXTS.hash,
                versions=at_stake.domain.version,
                learn_repeat=trial.learn_repeat,
                test_repeat=repeat,
                learner_model=trial.learned_by,
            )


def planned_episodes(trial: TrialSpec) -> int:
    """How many episodes test the library that the trial ends with."""
    return trial.test_repeats * sum(len(test_tasks(trial, spec)) for spec in trial.test_domains)


def test_tasks(trial: TrialSpec, spec: DomainSpec) -> Sequence[Task]:
    """The tasks of a test domain: all ("all", published), or without those that equal a training task by hash ("rest")."""
    tasks = registry.build(spec).tasks("test")
    if trial.test == "all":
        return tasks
    seen = {task.hash for task in registry.build(trial.domain).tasks("train")}
    return [task for task in tasks if task.hash not in seen]
