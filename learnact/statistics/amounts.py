"""Means of amounts (turns, tokens, dollars, seconds), which have no upper bound; when a cost is paid back.

As in intervals.py a task is a cluster: every task weighs the same, and intervals speak of other tasks. They
are t-intervals over tasks, and have no bounds where there is one task, or all agree: nothing is known then
of how tasks vary. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from learnact.statistics.differences import Outcome, difference
from learnact.statistics.intervals import NOTHING, Interval, mean_of

UnknownOutcome: TypeAlias = tuple[Hashable, Hashable, Hashable, float | None]
"""Task, library, repeat (seed), and an amount that may not be known."""
NEVER = math.inf
"""A cost that is never paid back."""


def amount_mean(values: Iterable[tuple[Hashable, float | None]]) -> Interval:
    """Mean over tasks of the tasks' mean amounts. `values`: (task, amount of an episode).

    Nothing is known where the amount of any episode is not.
    """
    return amount_ratio((task, amount, 1.0) for task, amount in values)


def amount_ratio(values: Iterable[tuple[Hashable, float | None, float]]) -> Interval:
    """Amount for each success: the amounts of all episodes, failed ones too, over the successes.

    `values`: (task, amount of an episode, 1 for success, else 0). A ratio of means over tasks; its variance
    is linearised. Nothing is known without a success, or where the amount of any episode is not.
    """
    groups: dict[Hashable, list[tuple[float, float]]] = {}
    for task, amount, success in values:
        if amount is None:
            return NOTHING
        groups.setdefault(task, []).append((amount, float(success)))
    means = [tuple(sum(part) / len(group) for part in zip(*group, strict=True)) for group in groups.values()]
    successes = sum(success for _, success in means) / len(means) if means else 0.0
    if not successes:
        return NOTHING
    ratio = sum(amount for amount, _ in means) / len(means) / successes
    episodes = sum(map(len, groups.values()))
    # Their mean is the ratio, and their variance that of the ratio to first order.
    return _interval([ratio + (amount - ratio * success) / successes for amount, success in means], episodes)


def _interval(means: Sequence[float], episodes: int) -> Interval:
    mean, count = sum(means) / len(means), len(means)
    if count < 2 or max(means) - min(means) <= 1e-12 * max(1.0, abs(mean)):
        return Interval(mean, math.nan, math.nan, episodes, count)
    return replace(mean_of(means, 0.0, math.inf), episodes=episodes)


def amount_difference(first: Iterable[UnknownOutcome], second: Iterable[UnknownOutcome]) -> Interval:
    """First minus second, paired by task, and by repeat where seeds are shared (differences.py); it speaks of
    these libraries and other tasks.

    Nothing is known where the amount of any episode is not, or no task was played by both.
    """
    one, two = _known(first), _known(second)
    if not one or not two:
        return NOTHING
    found = difference(one, two, (-math.inf, math.inf)).tasks
    bounded = math.isfinite(found.low) and math.isfinite(found.high)
    return found if bounded else replace(found, low=math.nan, high=math.nan)


def _known(values: Iterable[UnknownOutcome]) -> list[Outcome] | None:
    """The values, or None where one is not known."""
    found: list[Outcome] = []
    for task, library, repeat, amount in values:
        if amount is None:
            return None
        found.append((task, library, repeat, float(amount)))
    return found


def break_even(cost: float | None, saving: Interval) -> Interval:
    """Number of episodes after which a cost is paid back by what each episode saves; NEVER where none saves.

    Nothing is known where the cost or the saving is not. A cost of nothing is paid back at once.
    """
    if cost is None or not saving.known:
        return NOTHING
    most, least = (_episodes(cost, saved) for saved in (saving.low, saving.high))
    return replace(saving, mean=_episodes(cost, saving.mean), low=least, high=most)


def _episodes(cost: float, saved: float) -> float:
    if math.isnan(saved) or cost <= 0:
        return saved if math.isnan(saved) else 0.0
    return cost / saved if saved > 0 else NEVER
