"""Search in the text of all turns, in steps: a page shows what was found in about a second, and goes on from
there. There is no index: ten million turns take some twenty seconds, and are not read when nobody asks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from learnact.errors import ResultsError
from learnact.results.merging import RowSlice, slices
from learnact.results.reader import Connection, dictionaries

SECONDS = 1.0
"""A page looks no further after so long."""
STEP = 100_000
"""Turns that are searched at a time."""
BETWEEN = "~"
"""Stands between trial and key in a place."""


@dataclass(frozen=True)
class FoundText:
    """Keys of episodes with the text, in order of trial and key, and how far the search has come.

    `following` is the place to go on from; "" where all has been searched. `searched` and `turns`: turns up
    to there, and all that are to be searched.
    """

    keys: tuple[str, ...]
    following: str
    searched: int
    turns: int


def search(
    connection: Connection, text: str, condition: tuple[str, list[Any]], after: str, most: int
) -> FoundText:
    """Episodes with the text in a reply or an observation, in any case, among those that fit the condition
    (SQL on `episodes`, with its values), from a place on, at most so many.

    Raises `ResultsError` for a place that is none.
    """
    began, keys = time.monotonic(), list[str]()
    start = _place(after)
    fits, values = condition
    counted = connection.execute(
        f"""SELECT trial, left(key, 3), sum(turns)::BIGINT FROM episodes WHERE {fits} GROUP BY ALL
        ORDER BY ALL""",
        values,
    ).fetchall()
    steps = list(slices(counted, STEP))
    searched, turns, done = 0, sum(step.rows for step in steps), False
    for step in steps:
        if step.end is not None and step.end <= start:
            searched += step.rows
            continue
        if done and time.monotonic() - began > SECONDS:
            return FoundText(tuple(keys), BETWEEN.join(start), searched, turns)
        found = _in_step(connection, text, condition, step, start, most - len(keys))
        keys += (row["episode"] for row in found)
        if len(keys) == most:
            last = found[-1]
            return FoundText(tuple(keys), BETWEEN.join((last["trial"], last["episode"])), searched, turns)
        searched += step.rows
        start, done = step.end or start, True
    return FoundText(tuple(keys), "", searched, turns)


def _in_step(
    connection: Connection,
    text: str,
    condition: tuple[str, list[Any]],
    step: RowSlice,
    start: tuple[str, str],
    most: int,
) -> list[dict[str, Any]]:
    inside, places = step.condition("trial", "episode")
    fits, values = condition
    return dictionaries(
        connection,
        f"""SELECT DISTINCT trial, episode FROM turns
        WHERE {inside} AND (trial > ? OR trial = ? AND episode > ?)
          AND (contains(lower(raw), lower(?)) OR contains(lower(observation), lower(?)))
          AND episode IN (SELECT key FROM episodes WHERE {fits})
        ORDER BY trial, episode LIMIT {most}""",
        [*places, start[0], *start, text, text, *values],
    )


def _place(text: str) -> tuple[str, str]:
    trial, between, key = text.partition(BETWEEN)
    if text and not between:
        raise ResultsError(f"{text[:80]!r} is no place that a search can go on from; search again")
    return trial, key
