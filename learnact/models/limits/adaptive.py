"""How many requests may be in flight at an endpoint: found out by asking.

CUBIC (RFC 9438), as for the window of a connection, with requests in the place of packets: the bound falls
once for each generation of refused requests, grows by time and not by replies (so slow models recover as fast
as quick ones), stays a while below where it was refused, then looks further. Each time that the same bound is
refused again it stays twice as long. Pure: the clock is passed in.
"""

from __future__ import annotations

FIRST = 64
FALL = 0.7
GROWTH = 0.4
"""Requests a second cubed."""
DOUBLINGS = 3
"""How often the time below a refused bound can double: to about half a minute for 64 requests."""
SETTLING = 0.5
"""Seconds until all workers have heard that the bound fell."""
LONGEST_STEP = 1.0
"""Seconds between two good replies that count as growth at most."""


class AdaptiveBound:
    """A bound between 1 and `ceiling`."""

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self._bound = self._peak = float(min(FIRST, ceiling))
        self._confirmed = 0
        self._grown = 0.0
        """Seconds of good replies since the bound fell."""
        self._grew = False
        self._fell = float("-inf")
        self._last = float("-inf")

    @property
    def bound(self) -> int:
        """Requests that may be in flight now."""
        return max(1, min(self.ceiling, int(self._bound)))

    def good(self, now: float, in_use: bool) -> None:
        """Good replies have come. `in_use`: there was work for as many requests as the bound allows; a bound
        that nothing tries out does not grow."""
        step = min(LONGEST_STEP, max(0.0, now - max(self._last, self._fell)))
        self._last = now
        if in_use:
            self._grown += step
            growth = GROWTH / 8**self._confirmed
            plateau = (self._peak * (1 - FALL) / growth) ** (1 / 3)
            grown = self._peak + growth * (self._grown - plateau) ** 3
            if grown > self._bound:
                self._bound, self._grew = min(float(self.ceiling), grown), True

    def refused(self, sent: float, now: float) -> None:
        """A request that was sent at `sent` was refused, or not answered in time. One that was sent before
        all knew that the bound fell says nothing new."""
        if sent < self._fell + SETTLING:
            return
        near = self._grew and 0.8 <= self._bound / self._peak <= 1.2
        self._confirmed = min(DOUBLINGS, self._confirmed + 1) if near else 0
        self._peak = self._bound
        self._bound = max(1.0, FALL * self._bound)
        self._fell, self._grown, self._grew = now, 0.0, False
