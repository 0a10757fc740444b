"""What an export holds, by source, domain and kind of mistake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from learnact.training.records import TrainingRecord

KINDS = ("format", "parameter", "place", "logic")
"""Kinds of mistakes, in the order in which they are shown."""


@dataclass
class ExportCount:
    """Records of one source and domain: their replies, those that are trained on, mistakes by kind, and how
    many of them the next reply repaired.
    """

    source: str
    domain: str
    simulated: bool = False
    records: int = 0
    replies: int = 0
    good: int = 0
    repaired: int = 0
    mistakes: Counter[str] = field(default_factory=Counter)


class ExportCounts:
    """Counts records on their way."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], ExportCount] = {}

    def watch(self, records: Iterable[TrainingRecord]) -> Iterator[TrainingRecord]:
        """The same records, each counted when it is taken."""
        for record in records:
            key = (record.source, record.domain)
            count = self._found.setdefault(key, ExportCount(*key))
            count.records += 1
            count.replies += len(record.turns)
            count.good += sum(turn.good for turn in record.turns)
            count.repaired += record.refinements
            count.mistakes.update(turn.error for turn in record.turns if turn.error)
            count.simulated = count.simulated or record.simulated
            yield record

    @property
    def counts(self) -> list[ExportCount]:
        """In the order of source and domain."""
        return [self._found[key] for key in sorted(self._found)]

    def plain(self) -> list[dict[str, Any]]:
        """As plain data, with every kind of mistake."""
        return [
            {**asdict(count), "mistakes": {kind: count.mistakes[kind] for kind in KINDS}}
            for count in self.counts
        ]
