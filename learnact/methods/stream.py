"""`protocol: stream`: training tasks come one after another, and the agent learns after each.

A task is played before anything is learned from it, with what was learned from those before. Then the learner
learns from all tasks so far, and these are played again: what it has learned of the new one, and forgotten of
the others (ContinualSkillBench and SkillEvolBench, 2026, ask so). These episodes have the phase `stream`;
their `replicate` is the number of tasks that were learned from. They are played with the budget of a test and
cost nothing of learning. A learner sees the tasks so far as it sees the training tasks of a batch: what it
did for fewer tasks is found again by its content, so that only what is new is asked and played.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from learnact.methods.base import Learner
from learnact.methods.training import Blocked, Learned, Training
from learnact.records import Budget, Episode, Library, Task, seed_from


async def learn_in_order(training: Training, learner: Learner[Any], options: Any, budget: Budget) -> Learned:
    """What the learner ends with after the last task. `budget`: that of a test episode.

    Raises:
        Blocked: a unit that a decision depends on, or an episode of the stream, has no result.
    """
    learned = Learned(Library())
    for number, task in enumerate(training.tasks):
        await _play(training, learned, number, [task], budget)
        learned = await learner.learn(replace(training, tasks=training.tasks[: number + 1]), options)
        training.journal.library(training.trial.id, learned.library)
        await _play(training, learned, number + 1, training.tasks[: number + 1], budget)
    return learned


async def _play(
    training: Training, learned: Learned, number: int, tasks: Sequence[Task], budget: Budget
) -> None:
    """Play tasks with what was learned from `number` tasks."""
    trial = training.trial
    units: list[Episode] = []
    for task in tasks:
        library = learned.library
        if learned.choose is not None:
            library = await learned.choose(training.domain, task, trial.domain)
            training.journal.library(trial.id, library)
        episode = replace(
            training.episode(task, library),
            phase="stream",
            budget=trial.test_budget.over(budget, task.reference),
            # the same seed whatever was learned, so that only the library differs
            seed=seed_from(trial.job_seed, trial.domain.name, task.hash, trial.learn_repeat, "stream"),
            replicate=number,
        )
        units.append(episode)
    async for outcome in training.runner.run(units):
        if outcome.result is None:
            last = outcome.attempts[-1] if outcome.attempts else None
            why = f"{last.boundary}: {last.error}" if last else "no result"
            raise Blocked(f"an episode of the stream has no result ({why})")
