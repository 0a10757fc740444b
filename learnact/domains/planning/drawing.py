"""What a generator of tasks draws from, and the kinds of tasks that a level has."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from learnact.domains.planning.options import Range


@dataclass(frozen=True)
class Stratum:
    """One kind of task of a level. A level is a sequence of them: so many tasks in a row have one of each.

    `steps`: least and most primitive steps of the reference plan. `started`: whether some atoms of the goal
    hold at the start (None: as it comes). `sizes`: what the generator makes of each thing.
    """

    steps: tuple[int, int]
    sizes: Mapping[str, int]
    started: bool | None = False

    def accepts(self, steps: int, started: bool) -> bool:
        """Whether a task with so long a reference plan, whose goal is partly met at the start or not, is of
        the kind."""
        return self.steps[0] <= steps <= self.steps[1] and self.started in (None, started)


@dataclass(frozen=True)
class Draw:
    """What a generator draws from: everything about a task follows from domain, seed, split and number."""

    rng: random.Random
    number: int
    cycle: Callable[[int], random.Random] = field(repr=False)
    stratum: Stratum | None = None
    """The kind of task of the level; None where the domain or the level has none."""

    def wanted(self, name: str, given: Range | None = None) -> int:
        """A size: of the range that was given, else of the stratum."""
        if given is not None:
            return self.size(given)
        assert self.stratum is not None
        return self.stratum.sizes[name]

    def size(self, sizes: Range) -> int:
        """A size in the range; a run of consecutive tasks takes every size before it takes one again."""
        every = range(sizes[0], sizes[1] + 1)
        turn, place = divmod(self.number, len(every))
        return self.cycle(turn).sample(every, len(every))[place]

    def some(self, sizes: Range) -> int:
        """Any size in the range."""
        return self.rng.randint(*sizes)
