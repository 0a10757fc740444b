"""An amount a minute, held to at every moment: a sliding window, and a steady pace within it.

Pure: the clock is passed in. The window alone would allow a whole minute's amount at once, after which a run
stands still for a minute, and servers that count by the second refuse it. The pace alone would allow a little
more than the limit in some minutes.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

MINUTE = 60.0
MARGIN = 0.4
"""Seconds that an amount is counted longer than a minute: requests of one worker reach the server sooner
than those of another one."""
PACE = 0.995
"""The pace, as a share of the limit."""
REQUEST_BURST, TOKEN_BURST = 0.5, 2.0
"""What was not used can be made up for, as far as so many seconds of the pace. Calls differ in their tokens:
a large one waits for the window while the pace goes on."""
WEIGHT = 50
"""Calls after which an older one begins to count for less, in what is expected of a call."""
LEAST_RATIO, MOST_RATIO = 0.05, 5.0
DEVIATIONS = 2.0
"""What is left free for calls whose amount is not known yet, in standard deviations of their sum."""
CUT = 0.03
"""The share of the limit that a refusal takes away."""
CUT_SECONDS = 5.0
"""Seconds between two such."""
USED_UP = 0.4
"""A refusal while a smaller share of the limit is used is not about this limit."""
REGAINED = 0.02
"""The share of the limit that comes back in a minute."""
LEAST_SHARE = 0.1
MOST_SPARE = 0.1
"""The share of the limit that is left free at most."""
LOOK_AGAIN, LONGEST_LOOK = 0.1, 0.5
"""Seconds after which to look again where it is not known when something is left, and at most."""
LARGE_SHARE = 0.05
"""The largest single amount, as a share of the limit, for which a limiter that begins takes care."""


@dataclass(eq=False)
class Counted:
    """An amount in the window, and the amount that was asked for. `until`: when it leaves the window; None as
    long as it is held for somebody."""

    amount: float
    asked: float
    until: float | None = None
    open: bool = True
    """Whether it is an estimate still."""


class Window:
    """At most `limit` in each minute. `single`: the largest single amount that is taken care of when it
    begins. `burst`: seconds of the pace that can be made up for.

    It begins empty: as if all of the last minute had been used, and as unevenly as the pace allows. So a
    limiter that takes the place of a lost one, or a run that is continued, never adds to what was used before
    it.

    What is asked for is an estimate: it counts as much as those before it came to in truth, and something is
    left free for the error. Where the server refuses although there should be something left, it counts
    otherwise, or others use the same account: then a share of the limit is left alone for a while.
    """

    def __init__(self, limit: float, now: float, *, single: float, burst: float) -> None:
        self.limit = limit
        self._burst = burst
        self._rate = PACE * limit / MINUTE
        self._began = now
        self._lump = min(limit, self._rate * burst + single)
        self._next = now + burst
        """When all that was taken is paid for at the steady pace."""
        self._ratio, self._corrected = 1.0, 0
        self._variance, self._open = 0.0, 0
        self._share, self._cut = 1.0, now - CUT_SECONDS
        self._entries: deque[Counted] = deque()
        self._sum = 0.0
        """Of all amounts that are held or have not left the window."""

    @classmethod
    def of_requests(cls, limit: int, now: float) -> Window:
        """Requests a minute."""
        return cls(limit, now, single=1, burst=REQUEST_BURST)

    @classmethod
    def of_tokens(cls, limit: int, now: float) -> Window:
        """Tokens a minute."""
        return cls(limit, now, single=LARGE_SHARE * limit, burst=TOKEN_BURST)

    def used(self, now: float) -> float:
        """The amount that counts now."""
        while self._entries and self._left(self._entries[0], now):
            gone = self._entries.popleft()
            self._sum -= gone.amount
            self._close(gone)
        return max(0.0, self._sum) + self._before(now)

    def left(self, now: float) -> float:
        """What can be used now, as far as the window goes."""
        return max(0.0, self.usable(now) - self.used(now))

    def usable(self, now: float) -> float:
        """The part of the limit that the server has not refused of late."""
        return self.limit * min(1.0, self._share + REGAINED * (now - self._cut) / MINUTE)

    def refused(self, now: float) -> None:
        """The server says that the limit is used up. Where little is used it means something else."""
        usable = self.usable(now)
        if now - self._cut >= CUT_SECONDS and self.used(now) >= USED_UP * usable:
            self._share = max(LEAST_SHARE, usable / self.limit - CUT)
            self._cut = now

    def wait(self, amount: float, now: float) -> float:
        """0 where the amount can be taken now; else seconds after which to look again."""
        if (paced := self._next - self._burst - now) > 0:
            return paced
        usable = self.usable(now)
        needed = min(amount * self._ratio, usable)
        spare = DEVIATIONS * math.sqrt(self._variance * (self._open + 1)) if self._open else 0.0
        fits = self.used(now) + needed + min(spare, MOST_SPARE * usable) <= usable + 1e-9
        if fits:
            return 0.0
        first = self._entries[0].until if self._entries else None
        return LOOK_AGAIN if first is None else max(0.01, min(first - now, LONGEST_LOOK))

    def take(self, amount: float, now: float) -> Counted:
        """Take an amount for somebody; it counts, and does not age before it is used."""
        taken = Counted(min(amount * self._ratio, self.usable(now)), amount)
        self._sum += taken.amount
        self._open += 1
        self._next = max(self._next, now) + taken.amount / self._rate
        return taken

    def use(self, taken: Counted, now: float) -> None:
        """The amount is used now: it leaves the window after a minute."""
        if taken.until is None:
            taken.until = now + MINUTE + MARGIN
            self._entries.append(taken)

    def correct(self, taken: Counted, amount: float, now: float) -> None:
        """It was another amount in truth; 0 where the server did not do it."""
        if amount > 0:
            self._corrected = min(WEIGHT, self._corrected + 1)
            ratio = min(MOST_RATIO, max(LEAST_RATIO, amount / taken.asked))
            self._ratio += (ratio - self._ratio) / self._corrected
            self._variance += ((amount - taken.amount) ** 2 - self._variance) / (self._corrected + 1)
        self._close(taken)
        if taken.until is not None and taken.until <= now:
            return
        change = amount - taken.amount
        taken.amount = amount
        self._sum += change
        self._next = max(self._next + change / self._rate, now - self._burst)

    def _close(self, taken: Counted) -> None:
        if taken.open:
            taken.open = False
            self._open -= 1

    def give_back(self, taken: Counted, now: float) -> None:
        """The amount was not used, and will not be."""
        if taken.until is None:
            self.correct(taken, 0.0, now)

    @staticmethod
    def _left(entry: Counted, now: float) -> bool:
        return entry.until is not None and entry.until <= now

    def _before(self, now: float) -> float:
        """What may have been used before this limiter began and is not a minute ago yet."""
        remaining = MINUTE + MARGIN - (now - self._began)
        return min(self.limit, self._lump + self._rate * remaining) if remaining > 0 else 0.0
