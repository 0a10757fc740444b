"""Who does better: players of a run rated by the games that they played against each other or, where none
were, by their results on the same tasks.

A player is a method with its models and, where it learned, one learned library. The one with the higher
result (progress, which is 1 for a success) wins, and equal results are a draw. Without games between players
two of them meet wherever both were tested on the same task with the same seed: in games each against the same
seeded opponent, from the same position.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from learnact.report.data import ReportData
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import NOTHING_PLAYED
from learnact.results.reader import dictionaries
from learnact.statistics.intervals import Interval
from learnact.statistics.ratings import MEAN, RESAMPLES, RatedGame, Rating, ratings

LIBRARY_CHARS = 8
"""Characters of a library's id that name it in a table."""
RATING = (
    f"rating: Bradley-Terry by maximum likelihood on the scale of Elo (mean {MEAN:g}; 400 points more are "
    "ten wins to one), a draw half a win, and one draw of each player with a mean one."
)
BOOTSTRAP = f"Intervals: 95 %, bootstrap of tasks ({RESAMPLES} draws)."
APART = (
    "Two players meet where both were tested on the same task with the same seed; the higher progress wins. "
    "They do not play against each other."
)
TOGETHER = (
    "Two players meet in each game that one played against the other; the higher progress wins. Other "
    "episodes do not count."
)
DIRECT = """
SELECT method, agent_model AS model, coalesce(learner_model, '') AS learner_model,
       coalesce(library, '') AS library, opponent AS opponent_method, opponent_model, opponent_learner_model,
       opponent_library, task_hash, progress, opponent_progress, simulated
FROM report_episodes WHERE phase = 'test' AND opponent IS NOT NULL AND opponent_progress IS NOT NULL
ORDER BY trial, key
"""
"""Test episodes against a second player."""


class RatedPlayer(NamedTuple):
    """Who is rated. `library`: the beginning of the id of a learned library; "" where nothing is learned."""

    method: str
    agent_model: str
    learner_model: str
    library: str


Results = Mapping[tuple[str, int], float]
"""A player's progress by task and seed; the mean where it played one several times."""


class Tournament(NamedTuple):
    """Who played, the games by the players' numbers, who is simulated, and how players meet."""

    players: list[RatedPlayer]
    games: list[RatedGame]
    simulated: list[bool]
    note: str


def tournament_tables(data: ReportData) -> list[ResultTable]:
    """The ratings, then what each player achieved against each."""
    found = direct_games(data) or _apart(data)
    rated = ratings(len(found.players), found.games)
    order = sorted(range(len(found.players)), key=lambda n: -rated[n].rating)
    marks = [found.simulated[n] for n in order]
    return [
        _ratings(found, rated, order).mark_simulated(marks),
        _pairs(found.players, found.games, order).mark_simulated(marks),
    ]


def direct_games(data: ReportData) -> Tournament | None:
    """The games that players played against each other; None where there are none."""
    rows = dictionaries(data.connection, DIRECT)
    if not rows:
        return None
    pairs: list[tuple[RatedPlayer, RatedPlayer]] = []
    simulated: dict[RatedPlayer, bool] = {}
    for row in rows:
        own, other = (
            RatedPlayer(
                row[f"{seat}method"],
                row[f"{seat}model"] or "",
                row[f"{seat}learner_model"],
                row[f"{seat}library"][:LIBRARY_CHARS],
            )
            for seat in ("", "opponent_")
        )
        pairs.append((own, other))
        simulated[own] = simulated.get(own, False) or row["simulated"]
        simulated[other] = simulated.get(other, False) or other.agent_model in data.simulated_models
    players = sorted(simulated, key=lambda p: (data.place_of(p.method), p))
    number = {player: n for n, player in enumerate(players)}
    games = [
        RatedGame(
            number[own], number[other], _points(row["progress"], row["opponent_progress"]), row["task_hash"]
        )
        for (own, other), row in zip(pairs, rows, strict=True)
        if own != other
    ]
    return Tournament(players, games, [simulated[player] for player in players], TOGETHER)


def _points(own: float, other: float) -> float:
    return 0.5 if own == other else float(own > other)


def _apart(data: ReportData) -> Tournament:
    results, simulated = player_results(data)
    players = sorted(results, key=lambda p: (data.place_of(p.method), p))
    games = list(meetings([results[player] for player in players]))
    return Tournament(players, games, [simulated[player] for player in players], APART)


def player_results(data: ReportData) -> tuple[dict[RatedPlayer, Results], dict[RatedPlayer, bool]]:
    """The results of each player on test tasks, and whether they come from a simulated model."""
    found: dict[RatedPlayer, dict[tuple[str, int], list[float]]] = defaultdict(lambda: defaultdict(list))
    simulated: dict[RatedPlayer, bool] = {}
    for key, sample in data.test_samples.items():
        rows = zip(sample.libraries, sample.learned, sample.tasks, sample.seeds, sample.progress, strict=True)
        for library, learned, task, seed, progress in rows:
            named = library[:LIBRARY_CHARS] if learned else ""
            player = RatedPlayer(key.method, key.agent_model, key.learner_model, named)
            found[player][task, seed].append(progress)
            simulated[player] = simulated.get(player, False) or sample.simulated
    means: dict[RatedPlayer, Results] = {
        player: {place: sum(values) / len(values) for place, values in results.items()}
        for player, results in found.items()
    }
    return means, simulated


def meetings(results: Sequence[Results]) -> list[RatedGame]:
    """The games of players by number: one for each task and seed that two of them share."""
    games = []
    for (first, one), (second, other) in itertools.combinations(enumerate(results), 2):
        for place in sorted(one.keys() & other.keys()):
            games.append(RatedGame(first, second, _points(one[place], other[place]), place[0]))
    return games


def _about(player: RatedPlayer) -> tuple[Cell, ...]:
    return (player.method, player.library or None, player.agent_model, player.learner_model or None)


_ABOUT = (Column("method"), Column("library"), Column("agent"), Column("learner"))


def _ratings(found: Tournament, rated: Sequence[Rating], order: Sequence[int]) -> ResultTable:
    rows = []
    for n in order:
        one = rated[n]
        rating = Interval(one.rating, one.low, one.high, one.games, one.clusters)
        share = one.points / one.games if one.games else None
        rows.append(
            (*_about(found.players[n]), rating if one.games else None, share, one.games, one.clusters)
        )
    columns = (
        *_ABOUT,
        Column("rating", "number"),
        Column("points", "share"),
        Column("meetings", "count"),
        Column("tasks", "count"),
    )
    notes = (RATING, f"{BOOTSTRAP} {found.note}", *(() if rows else (NOTHING_PLAYED,)))
    return ResultTable("Tournament: ratings", columns, tuple(rows), notes)


def _pairs(players: Sequence[RatedPlayer], games: Sequence[RatedGame], order: Sequence[int]) -> ResultTable:
    """Points of the row's player against each, as a share of their meetings."""
    points: dict[tuple[int, int], list[float]] = defaultdict(list)
    for game in games:
        points[game.first, game.second].append(game.score)
        points[game.second, game.first].append(1 - game.score)
    rows = []
    for n in order:
        shares = [sum(p) / len(p) if (p := points.get((n, other))) else None for other in order]
        rows.append((*_about(players[n]), *shares))
    names = [f"{place}: {players[n].method}" for place, n in enumerate(order, 1)]
    columns = (*_ABOUT, *(Column(name, "share") for name in names))
    note = "Share of the points of the row's player against the column's: 50 % where they are even."
    return ResultTable("Tournament: who against whom", columns, tuple(rows), (note,))
