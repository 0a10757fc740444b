"""Success and progress by method and domain, and the columns that follow every success rate in any table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from learnact.report.data import ReportData, RowKey, Score
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.statistics.intervals import ENOUGH_LIBRARIES

INTERVALS = (
    "Intervals: 95 %, clustered by task (success: Korn-Graubard; progress: t over task means). They speak of "
    "these libraries on other tasks."
)
OF_METHOD = (
    f"Of the method: the interval for other libraries and other tasks; ? below {ENOUGH_LIBRARIES} libraries, "
    "where it is not to be trusted (docs/statistics.md)."
)
NOTHING_PLAYED = "No test episode has a result yet."
UNFINISHED = "Worst and best: success if all unfinished episodes had failed, or succeeded."


class RateColumns:
    """What follows a success rate: unfinished episodes, worst and best possible rate, unreadable replies.

    People see worst and best where any row of the table has unfinished episodes.
    """

    def __init__(self, scores: Iterable[Score]) -> None:
        self.any_unfinished = any(score.unfinished for score in scores)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in the order of `cells`."""
        return (
            Column("unfinished", "count"),
            Column("worst", "share", only_data=not self.any_unfinished),
            Column("best", "share", only_data=not self.any_unfinished),
            Column("unreadable", "share"),
        )

    def cells(self, score: Score | None) -> tuple[Cell, ...]:
        """The cells of a row; empty ones without a score."""
        if score is None:
            return (None,) * len(self.columns)
        return score.unfinished, score.worst, score.best, score.unreadable

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes of the table."""
        return (UNFINISHED,) if self.any_unfinished else ()


class ModelColumns:
    """The models of a table: people see columns where models differ, else a note."""

    def __init__(self, keys: Iterable[RowKey]) -> None:
        known = list(keys)
        self._agents = sorted({key.agent_model for key in known if key.agent_model})
        self._learners = sorted({key.learner_model for key in known if key.learner_model})

    @property
    def columns(self) -> tuple[Column, ...]:
        """Agent model and learner model."""
        return (
            Column("agent model", only_data=len(self._agents) < 2),
            Column("learner model", only_data=len(self._learners) < 2),
        )

    def cells(self, key: RowKey | None) -> tuple[Cell, ...]:
        """The cells of a row; empty ones for a row over all models."""
        return (key.agent_model or None, key.learner_model or None) if key else (None, None)

    @property
    def notes(self) -> tuple[str, ...]:
        """Names the models that have no column."""
        kinds = (("Agent model", self._agents), ("Learner model", self._learners))
        names = [f"{kind}: {models[0]}." for kind, models in kinds if len(models) == 1]
        return (" ".join(names),) if names else ()


def score_table(data: ReportData) -> ResultTable:
    """The main table of a run, or of several."""
    return score_rows(data.scores, "Success and progress by domain and method")


def score_rows(scores: Sequence[Score], title: str, turns: bool = False) -> ResultTable:
    """Scores as a table. `turns`: people see turns and primitive steps too, for want of a table of
    efficiency beside it.
    """
    models = ModelColumns(score.key for score in scores)
    rates = RateColumns(scores)
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("success", "share"),
        Column("of the method", "share", over="libraries"),
        Column("progress", "share"),
        Column("episodes", "count"),
        Column("tasks", "count"),
        *rates.columns,
        Column("turns", "number", only_data=not turns),
        Column("primitive steps", "number", only_data=not turns),
    )
    rows = tuple(
        (
            score.key.domain,
            score.key.method,
            *models.cells(score.key),
            score.success,
            score.success_of_method,
            score.progress,
            score.success.episodes,
            score.success.clusters,
            *rates.cells(score),
            score.turns,
            score.primitive_steps,
        )
        for score in scores
    )
    notes = (INTERVALS, OF_METHOD, *models.notes, *rates.notes, *(() if rows else (NOTHING_PLAYED,)))
    return ResultTable(title, columns, rows, notes).mark_simulated([score.simulated for score in scores])
