"""Deciding early, at any time, whether one mean lies above another: betting against its being lower.

Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (JRSS B 86, 2024):
sections 4 (bets that may be stopped at any time) and 6 (sampling without replacement). A design of n tasks
is a fixed list of n differences, met in random order. While the mean of all is at most zero, the money of
one who bets on its being positive is a supermartingale: by Ville's inequality it ever reaches 1/error with a
probability of at most `error`. Reaching it is the decision. Money is spread evenly over constant fractions
of the largest bet ("grid Kelly", appendix B of the paper), so that nothing has to be tuned.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FRACTIONS = np.linspace(0.05, 0.95, 10)
"""Shares of the largest bet that cannot lose everything."""
CLOSE = 1e-9
"""Sums of terms that are equal may differ in their last digits."""


def is_above(differences: Sequence[float], n: int, limit: float, error: float) -> bool:
    """Whether the mean of n differences is positive, from the first of them in random order.

    `differences`: each in -limit .. limit. `error`: with what probability, at most, this ever says so,
    however often it is asked on the way, where it is not so. Says nothing else than that: False decides
    nothing.

    >>> is_above([1.0] * 12, 20, 1.0, 0.05)
    True
    >>> is_above([1.0, -1.0] * 6, 20, 1.0, 0.05)
    False
    """
    return bool(first_above(np.array(differences, dtype=float), n, limit, error) > 0)


def first_above(
    differences: npt.NDArray[np.float64], n: int, limit: float, error: float
) -> npt.NDArray[np.int64]:
    """After how many differences `is_above` says so for the first time; 0: never. Along the last axis."""
    seen = differences.shape[-1]
    if not 0 < error < 1 or limit <= 0 or seen > n:
        raise ValueError("an error rate between 0 and 1, a positive limit, and at most n differences")
    found = np.zeros(differences.shape[:-1], dtype=np.int64)
    money = np.ones((*differences.shape[:-1], len(FRACTIONS)))
    total = np.zeros(differences.shape[:-1])
    for number in range(seen):
        value = np.clip((differences[..., number] / limit + 1) / 2, 0.0, 1.0)
        # What the rest would be on average if the mean of all were zero (a half on this scale).
        mean = (n / 2 - total) / (n - number)
        inside = (mean > 0) & (mean < 1)
        bet = np.where(inside, (value - mean) / np.where(inside, mean, 1.0), 0.0)
        money *= 1 + FRACTIONS * bet[..., None]
        total += value
        # The second: positive whatever the rest is.
        above = (money.mean(-1) >= 1 / error) | (total > n / 2 + CLOSE)
        found[(found == 0) & above] = number + 1
    return found
