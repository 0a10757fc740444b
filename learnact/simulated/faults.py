"""Injected faults of a real endpoint: latency, rate limits, errors, broken replies. For load and fault tests.

Faults are drawn from a sequence of their own, so that a request that is sent again may succeed; they
never change a reply's text.
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Faults:
    """Options of the injected faults.

    Shares are in 0 .. 1; times in seconds; limits per minute for each serving process, 0 for none.
    """

    latency: float = 0.0
    """Seconds before a reply: fixed, or the median where `spread` is given."""
    spread: float = 0.0
    """Sigma of a log-normal latency."""
    rpm: int = 0
    """Requests a minute; more are answered 429 with retry-after."""
    tpm: int = 0
    """Tokens a minute, of prompts and replies."""
    errors: float = 0.0
    """Share of requests answered 500."""
    hangs: float = 0.0
    """Share of requests that are never answered."""
    drops: float = 0.0
    """Share of requests whose connection is closed without an answer."""
    malformed: float = 0.0
    """Share of replies that are broken JSON."""
    empty: float = 0.0
    """Share of replies without choices."""
    html: float = 0.0
    """Share of replies that are a page of HTML with status 200."""
    refuse: tuple[str, ...] = ()
    """Names of request parameters that are refused with 400."""
    canned: str = ""
    """A reply given to every request, without reading it."""
    seed: int = 0

    def fault(self, rng: random.Random) -> str:
        """The fault of the next request, "" for none."""
        draw = rng.random()
        for name in ("errors", "hangs", "drops", "malformed", "empty", "html"):
            draw -= getattr(self, name)
            if draw < 0:
                return name
        return ""

    def seconds(self, rng: random.Random) -> float:
        """The latency of the next reply."""
        if not self.spread:
            return self.latency
        return self.latency * math.exp(rng.gauss(0.0, self.spread))


@dataclass
class TokenBucket:
    """A token bucket for a limit per minute: holds the amount of six seconds and is refilled evenly."""

    per_minute: int
    level: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.level = self.most
        self.at = time.monotonic()

    @property
    def most(self) -> float:
        """What it holds when full."""
        return max(1.0, self.per_minute / 10)

    def wait(self, amount: float) -> float:
        """Takes the amount and gives 0, or takes nothing and gives the seconds until it would be there."""
        if not self.per_minute:
            return 0.0
        now = time.monotonic()
        rate = self.per_minute / 60
        self.level = min(self.most, self.level + (now - self.at) * rate)
        self.at = now
        needed = min(amount, self.most)
        if self.level >= needed:
            self.level -= amount
            return 0.0
        return (needed - self.level) / rate
