"""Why an episode failed: each failed episode has one cause, from where its turns went (failed.sql)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from learnact.records import EpisodeResult, Turn
from learnact.records.text import printable
from learnact.results.reader import Connection, dictionaries

CAUSES = {
    "unreadable replies": "more turns than of any other kind had no readable action",
    "failed calls of learned actions": "most wrong turns called a learned action that failed on the way",
    "invalid actions": "most wrong turns were actions that were not possible then, or do not exist",
    "ended early": "nothing was wrong in most turns, and the episode ended before its turns were used up",
    "repeated moves": "most turns repeated an action of the same episode",
    "turns used up": "valid actions that had not reached the goal when the turns were used up",
}
"""What each cause means."""
TESTED = "e.phase = 'test'"
_ONE_EPISODE = """SELECT $run AS run, $trial AS trial, $key AS key, $setup AS setup, false AS success,
    $played::INT AS turns"""
_ITS_TURNS = """SELECT $run AS run, $trial AS trial, $key AS episode, unnest($turns::STRUCT(
    turn INT, kind TEXT, learned BOOLEAN, ok BOOLEAN, call TEXT, callee TEXT, said TEXT,
    error STRUCT(type TEXT), steps STRUCT(ok BOOLEAN, command TEXT)[])[], max_depth := 2)"""


@dataclass(frozen=True)
class FailedEpisode:
    """Why one episode failed. The counts are of its turns; `budget`: the turns that it had, None where that
    is not known.
    """

    episode: str
    cause: str
    wrong: str
    """What went wrong most often in it; empty where nothing did."""
    times: int
    """How often that was."""
    turns: int
    budget: int | None
    unreadable: int
    failed_calls: int
    invalid: int
    actions: int
    distinct_moves: int

    @property
    def brief(self) -> str:
        """The cause, and what went wrong most often."""
        return f"{self.cause} ({self.often})" if self.wrong else self.cause

    @property
    def often(self) -> str:
        """What went wrong most often, and how often."""
        times = f"{self.times} times" if self.times > 1 else "once"
        return f"{printable(self.wrong)}, {times}" if self.wrong else ""

    @property
    def text(self) -> str:
        """The cause with the figures that it comes from."""
        return f"{self.cause}: {self._counted}" + (f"; most often: {self.often}" if self.wrong else "")

    @property
    def _counted(self) -> str:
        return {
            "unreadable replies": f"{self.unreadable} of {self.turns} replies held no readable action",
            "failed calls of learned actions": (
                f"{self.failed_calls} of {self.actions} actions called a learned one that failed on the way"
            ),
            "invalid actions": (
                f"{self.invalid} of {self.actions} actions were not possible then, or do not exist"
            ),
            "ended early": f"it ended after {self.turns} of {self.budget} turns, and most of them were valid",
            "repeated moves": f"only {self.distinct_moves} of its {self.actions} actions were different ones",
            "turns used up": (
                f"{self.actions} actions, most of them valid, had not reached the goal when no turn was left"
            ),
        }[self.cause]


def failed_query(which: str = TESTED, episodes: str = "episodes", turns: str = "turns") -> str:
    """The query that gives failed episodes their causes. `which`: a condition on `episodes e`; then tables,
    or queries in brackets, to read episodes and turns from.
    """
    text = files("learnact.report").joinpath("failed.sql").read_text(encoding="utf-8")
    return text.format(which=which, episodes=episodes, turns=turns)


def why_failed(connection: Connection, row: Mapping[str, Any], result: EpisodeResult) -> FailedEpisode | None:
    """Why an episode failed, from its row in `episodes` and its turns; None where it solved its task."""
    if result.success:
        return None
    query = failed_query("true", f"({_ONE_EPISODE})", f"({_ITS_TURNS})")
    about = {"run": row["run"], "trial": row["trial"], "key": row["key"], "setup": row["setup"]}
    (found,) = dictionaries(
        connection, query, {**about, "played": len(result.turns), "turns": [_cells(t) for t in result.turns]}
    )
    return FailedEpisode(**found)


def _cells(turn: Turn) -> dict[str, Any]:
    """What the query reads of a turn."""
    return {
        "turn": turn.index,
        "kind": turn.kind,
        "learned": turn.learned,
        "ok": turn.ok,
        "call": turn.call,
        "callee": turn.callee,
        "said": turn.said,
        "error": {"type": turn.error.type} if turn.error else None,
        "steps": [{"ok": step.ok, "command": step.command} for step in turn.steps],
    }


def why_all_failed(connection: Connection, keys: Sequence[str]) -> dict[str, FailedEpisode]:
    """Why those of these episodes failed that did, by key."""
    query = failed_query("e.key IN (SELECT unnest($1::TEXT[]))")
    return {row["episode"]: FailedEpisode(**row) for row in dictionaries(connection, query, [list(keys)])}
