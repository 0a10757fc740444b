"""Ratings of players from who beat whom: the Bradley-Terry model by maximum likelihood, on the scale of Elo.

A player wins against another one with probability 1 / (1 + 10 ** ((theirs - own) / 400)). A draw is half a
win for each. Every player also has one draw with a player of the mean rating: without it the likelihood has
no maximum where somebody wins, or loses, every game. Intervals are the 2.5 and 97.5 % points of a bootstrap
that draws whole clusters, since games on one task are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MEAN = 1500.0
"""The mean of all ratings."""
_SCALE = 400 / math.log(10)
RESAMPLES = 500
_SEED = 14


@dataclass(frozen=True)
class RatedGame:
    """A game of two players by number. `score`: of the first one, 1 a win, 0.5 a draw, 0 a loss. `cluster`:
    games of the same cluster are drawn together."""

    first: int
    second: int
    score: float
    cluster: Hashable


@dataclass(frozen=True)
class Rating:
    """A player's rating with its 95 % interval. `points`: wins, and half of the draws, of `games`."""

    rating: float
    low: float
    high: float
    points: float
    games: int
    clusters: int


def ratings(players: int, games: Sequence[RatedGame], resamples: int = RESAMPLES) -> list[Rating]:
    """The ratings of players 0 .. `players` - 1. The same games give the same ratings."""
    by_cluster = _wins_by_cluster(players, games)
    total = np.asarray(sum(by_cluster.values(), np.zeros((players, players))))
    found = _fitted(total)
    low, high = _bounds(list(by_cluster.values()), players, resamples)
    clusters = [{g.cluster for g in games if p in (g.first, g.second)} for p in range(players)]
    return [
        Rating(
            float(found[p]),
            float(low[p]),
            float(high[p]),
            float(total[p].sum()),
            round(float(total[p].sum() + total[:, p].sum())),
            len(clusters[p]),
        )
        for p in range(players)
    ]


def _wins_by_cluster(players: int, games: Sequence[RatedGame]) -> Mapping[Hashable, NDArray[np.float64]]:
    """For each cluster the points of each player (row) against each (column)."""
    found: dict[Hashable, NDArray[np.float64]] = {}
    for game in games:
        wins = found.setdefault(game.cluster, np.zeros((players, players)))
        wins[game.first, game.second] += game.score
        wins[game.second, game.first] += 1 - game.score
    return found


def _bounds(
    wins: Sequence[NDArray[np.float64]], players: int, resamples: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The interval of each player; NaN with fewer than two clusters."""
    if len(wins) < 2 or not resamples:
        return np.full(players, math.nan), np.full(players, math.nan)
    rng, stacked = np.random.default_rng(_SEED), np.stack(wins)
    drawn = []
    for _ in range(resamples):
        counts = np.bincount(rng.integers(len(wins), size=len(wins)), minlength=len(wins))
        drawn.append(_fitted(np.tensordot(counts, stacked, axes=1)))
    low, high = np.percentile(np.stack(drawn), [2.5, 97.5], axis=0)
    return low, high


def _fitted(wins: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ratings with the largest likelihood; `wins` as `_wins_by_cluster` counts them."""
    from scipy import optimize, special

    games = wins + wins.T

    def loss(strength: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        apart = strength[:, None] - strength[None, :]
        value = -(wins * special.log_expit(apart)).sum()
        value -= 0.5 * (special.log_expit(strength) + special.log_expit(-strength)).sum()
        slope = (games * special.expit(apart)).sum(axis=1) - wins.sum(axis=1)
        return float(value), slope + special.expit(strength) - 0.5

    found = optimize.minimize(loss, np.zeros(len(wins)), jac=True, method="L-BFGS-B")
    centred = found.x - found.x.mean()
    return np.asarray(MEAN + _SCALE * centred, dtype=np.float64)
