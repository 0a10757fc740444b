"""Tasks whose reference plans are longer than an episode: the ceiling of an agent without learned actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from learnact.domains import registry
from learnact.methods.training import test_budget
from learnact.records import DomainSpec
from learnact.records.trials import TrialSpec
from learnact.trial import test_tasks


@dataclass(frozen=True)
class Ceiling:
    """Of the test tasks of a domain: how many have a reference plan of more primitive steps than an episode
    has turns (`above`), and how many have no plan (`unplanned`).

    An agent whose turns are primitive actions, one each, cannot follow a plan that is too long. A reference
    plan need not be a shortest one, so a better agent may still solve such a task.
    """

    domain: DomainSpec
    turns: int | str
    tasks: int
    above: int
    unplanned: int

    @property
    def followable(self) -> int:
        """Tasks whose plan fits, or of which none is known."""
        return self.tasks - self.above


def ceilings(trials: Sequence[TrialSpec]) -> tuple[Ceiling, ...]:
    """The ceilings of all tested domains and budgets, in the order of the trials."""
    found: dict[tuple[DomainSpec, int | str, str], Ceiling] = {}
    for trial in trials:
        for spec in trial.test_domains:
            own = test_budget(registry.build(spec))
            turns = trial.test_budget.turns or own.turns
            if (spec, turns, trial.test) not in found:
                tasks = test_tasks(trial, spec)
                plans = [task.reference for task in tasks]
                above = sum(
                    steps is not None and steps > trial.test_budget.over(own, steps).turns for steps in plans
                )
                found[spec, turns, trial.test] = Ceiling(spec, turns, len(tasks), above, plans.count(None))
    return tuple(found.values())
