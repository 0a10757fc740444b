"""Why an episode failed: each failed episode has one cause, from where its turns went (failed.sql)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

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


def failed_query(which: str = TESTED, turns_too: str = "") -> str:
    """The query that gives failed episodes their causes. `which`: a condition on `episodes e`; `turns_too`:
    one on `turns t` that lets their files be passed over.
    """
    text = files("learnact.report").joinpath("failed.sql").read_text(encoding="utf-8")
    lines = text.format(which=which, turns_too=turns_too).splitlines()
    return "\n".join(line for line in lines if line.strip()) + "\n"


def why_failed(connection: Connection, trial: str, key: str) -> FailedEpisode | None:
    """Why an episode failed; None where it solved its task."""
    query = failed_query("e.trial = $1 AND e.key = $2", "WHERE t.trial = $1 AND t.episode = $2")
    rows = dictionaries(connection, query, [trial, key])
    return FailedEpisode(**rows[0]) if rows else None


def why_all_failed(connection: Connection, keys: Sequence[str]) -> dict[str, FailedEpisode]:
    """Why those of these episodes failed that did, by key."""
    query = failed_query("e.key IN (SELECT unnest($1::TEXT[]))")
    return {row["episode"]: FailedEpisode(**row) for row in dictionaries(connection, query, [list(keys)])}
