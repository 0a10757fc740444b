"""Racing: candidates that can no longer win are stopped before they have played all training tasks.

All candidates of a round play the tasks in blocks, in one random order. After a block, a candidate is stopped
when another is better on all tasks together, by a decision that may be made at any time with an error rate
(statistics/sequences.py). Who is not stopped plays every task, so the winner is scored as without racing.

The winner w of the full design is stopped only where some other candidate is wrongly found better: with R
rivals that has a probability of at most R times the rate of each comparison. So each has rate / (rounds x
R), and learning takes another path than the full design with a probability of at most the rate.

Pure: what is decided follows from the episodes of whole blocks, in the order of tasks, never of completion.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from learnact.methods.selector import MEANS, task_scores
from learnact.methods.training import PlayedEpisode
from learnact.statistics.sequences import is_above


@dataclass(frozen=True)
class RaceRules:
    """How a round is decided.

    `names`: the terms of the score. `error`: error rate of the round. `block`: tasks between two decisions.
    `acting`: whether only a candidate whose actions were seen to act may stop others, as only that one is
    sure to be able to win.
    """

    names: tuple[str, ...]
    error: float
    block: int
    acting: bool = True


@dataclass
class Race:
    """A round: who is in it, in which order the tasks come, who was stopped after how many.

    `known`: all episodes of candidates that play no more (the previous best), by name.
    """

    rules: RaceRules
    order: Sequence[int]
    known: Mapping[str, Sequence[PlayedEpisode]]
    runners: Sequence[str]
    stopped: dict[str, str] = field(default_factory=dict)
    """Why a candidate was stopped, by its name."""
    played: dict[str, dict[int, PlayedEpisode]] = field(default_factory=dict)

    def blocks(self) -> list[list[int]]:
        """The tasks, by number, in the order in which they are played."""
        size = self.rules.block
        return [list(self.order[start : start + size]) for start in range(0, len(self.order), size)]

    @property
    def running(self) -> list[str]:
        """Candidates that play on."""
        return [name for name in self.runners if name not in self.stopped]

    def take(self, name: str, tasks: Sequence[int], episodes: Sequence[PlayedEpisode]) -> None:
        """A candidate has played a block."""
        self.played.setdefault(name, {}).update(zip(tasks, episodes, strict=True))

    def decide(self) -> None:
        """Stop who can no longer win, after a whole block. Only the previous best may stop the last one."""
        rivals = len(self.runners) + len(self.known) - 1
        tasks = len(self.order)
        done = min(len(self.played[name]) for name in self.running)
        if rivals < 1 or done >= tasks:
            return
        for name in self.running:
            for other in (*self.known, *self.running):
                if other != name and self._is_better(other, name, done, self.rules.error / rivals):
                    self.stopped[name] = (
                        f"stopped after {done} of {tasks} training tasks: "
                        f"candidate {other} is better (racing)"
                    )
                    break

    def _is_better(self, one: str, two: str, done: int, error: float) -> bool:
        order = self.order[:done]
        first, second = self._episodes(one, order), self._episodes(two, order)
        if self.rules.acting and not any(
            turn.steps for e in first for turn in e.result.turns if turn.learned
        ):
            return False
        names = self.rules.names
        pairs = zip(task_scores(first, names), task_scores(second, names), strict=True)
        return is_above([a - b for a, b in pairs], len(self.order), float(len(names)), error)

    def _episodes(self, name: str, order: Sequence[int]) -> list[PlayedEpisode]:
        known = self.known.get(name)
        return [known[task] if known is not None else self.played[name][task] for task in order]

    def episodes(self, name: str) -> tuple[PlayedEpisode, ...]:
        """What a candidate played, in order of tasks."""
        return tuple(self.played.get(name, {})[task] for task in sorted(self.played.get(name, {})))


def random_order(tasks: int, seed: int) -> tuple[int, ...]:
    """An order of the tasks that follows from a seed: decisions count on its being random."""
    order = list(range(tasks))
    random.Random(seed).shuffle(order)
    return tuple(order)


def unsuited(names: Sequence[str]) -> list[str]:
    """Terms of a score that are no means over tasks, so that a race cannot be decided by them."""
    return [name for name in names if name not in MEANS]
