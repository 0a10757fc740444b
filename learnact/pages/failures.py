"""Why test episodes failed: each has one cause, from where its turns went; with examples to open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from learnact.report.data import ReportData
from learnact.report.failed import CAUSES, failed_query
from learnact.results.reader import dictionaries

EXAMPLES = 8
"""Episodes linked for each cause and method."""


@dataclass(frozen=True)
class FailureCause:
    """A cause with a method's failed test episodes on a domain."""

    cause: str
    method: str
    domain: str
    episodes: int
    of: int
    """Test episodes of the method on the domain."""
    progress: float
    often: str
    """What went wrong most often in them, and how often."""
    examples: Sequence[str]
    """Keys of episodes, those with the least progress first."""

    @property
    def meaning(self) -> str:
        """The cause in words."""
        return CAUSES[self.cause]


def failures(data: ReportData) -> list[FailureCause]:
    """Causes by domain and method, the most frequent first within each."""
    data.connection.execute(f"CREATE OR REPLACE TEMP TABLE report_failures AS {failed_query()}")
    rows = dictionaries(
        data.connection,
        f"""SELECT f.cause, e.method, e.domain, count(*) AS episodes, avg(e.progress) AS progress,
               list(f.episode ORDER BY e.progress, f.episode)[1:{EXAMPLES}] AS examples,
               list(f.wrong ORDER BY f.wrong) FILTER (f.wrong <> '') AS wrong
        FROM report_failures f JOIN report_episodes e ON e.key = f.episode
        GROUP BY ALL ORDER BY e.domain, e.method, episodes DESC, f.cause""",
    )
    totals = {
        (row["domain"], row["method"]): row["episodes"]
        for row in dictionaries(
            data.connection,
            """SELECT domain, method, count(*) AS episodes FROM report_episodes WHERE phase = 'test'
            GROUP BY ALL""",
        )
    }
    found = [_cause(row, totals[row["domain"], row["method"]]) for row in rows]
    return sorted(found, key=lambda one: (one.domain, data.place_of(one.method)))


def _cause(row: dict[str, Any], of: int) -> FailureCause:
    wrong: list[str] = row.pop("wrong") or []
    most = max(dict.fromkeys(wrong), key=wrong.count, default="")
    often = f"{most} (in {wrong.count(most)} of {row['episodes']})" if most else ""
    return FailureCause(of=of, often=often, **row)
