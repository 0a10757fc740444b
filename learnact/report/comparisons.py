"""Which methods of a run are compared with which, and what the agent of a variant is shown of its library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from learnact.report.ablation import SWITCHES, switched_off
from learnact.report.played import Trial


class Comparison(NamedTuple):
    """One method minus another."""

    method: str
    minus: str


def comparisons(known: Iterable[Trial], order: Mapping[str, int]) -> list[Comparison]:
    """Each variant of LearnAct minus LearnAct in full, and LearnAct in full minus each other method; where a run has no LearnAct in full,
    each method minus the first. `order`: methods in the order of the job."""
    trials = sorted(known, key=lambda trial: (order.get(trial.method, 99), trial.method))
    methods = list(dict.fromkeys(trial.method for trial in trials))
    learned = {t.method: switched_off(t) for t in trials if t.learner == "learnact"}
    full = next((method for method, off in learned.items() if not off), None)
    if full is None:
        return [Comparison(method, methods[0]) for method in methods[1:]]
    variants = [Comparison(method, full) for method, off in learned.items() if off]
    return variants + [Comparison(full, m) for m in methods if m != full and not learned.get(m)]


def shown_less(trial: Trial) -> tuple[str, ...]:
    """What the agent is not shown of its library, by name of switch."""
    return tuple(name for name in switched_off(trial) if SWITCHES[name][1] == "6")
