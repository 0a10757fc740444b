"""One episode as pages show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from learnact.records import EpisodeResult
from learnact.report.trajectory import episode_row
from learnact.results.reader import Connection, load_episode


@dataclass(frozen=True)
class EpisodeView:
    """An episode's row in `episodes` and its result with its turns."""

    row: Mapping[str, Any]
    result: EpisodeResult

    @property
    def first_failure(self) -> int | None:
        """The first turn that went wrong (from 0): not valid, or without a readable action."""
        wrong = (turn.index for turn in self.result.turns if not turn.ok and turn.kind != "thought")
        return next(wrong, None)


def episode_view(connection: Connection, key: str) -> EpisodeView:
    """An episode by key or the beginning of it. Raises `ResultsError` if there is none."""
    result = load_episode(connection, key)
    return EpisodeView(episode_row(connection, key), result)
