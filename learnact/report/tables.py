"""Success and progress by method and domain, as a sheet; and what stands beside every success rate in any table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from learnact.report.played import Group, Score, scores
from learnact.report.sheet import Cell, Column, Sheet, mark
from learnact.results.reader import Connection

INTERVALS = (
    "Intervals: 95 %, clustered by task (success: Korn-Graubard; progress: t over task means). They speak of other tasks, "
    "not of other libraries."
)
NOTHING_PLAYED = "No test episode has a result yet."
UNFINISHED = "Worst and best: success if all unfinished episodes had failed, or succeeded."


class Beside:
    """What stands beside every success rate: unfinished episodes, the rate of unreadable replies, and the worst and the best that the rate could
    be; people see these two where any row of the table has unfinished episodes."""

    def __init__(self, found: Iterable[Score]) -> None:
        self.gaps = any(score.unfinished for score in found)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in the order of `cells`."""
        return (
            Column("unfinished", "count"),
            Column("worst", "share", aside=not self.gaps),
            Column("best", "share", aside=not self.gaps),
            Column("unreadable", "share"),
        )

    def cells(self, score: Score) -> tuple[Cell, ...]:
        """One row's cells."""
        return score.unfinished, score.worst, score.best, score.unreadable

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say under the table."""
        return (UNFINISHED,) if self.gaps else ()


def score_table(connection: Connection, title: str = "Success and progress by domain and method") -> Sheet:
    """The main table of a run, or of several."""
    return score_sheet(scores(connection), title)


def score_sheet(found: Sequence[Score], title: str) -> Sheet:
    """Scores as a sheet. Columns of models only where they differ; bounds only where something is unfinished."""
    models = Models(s.group for s in found)
    beside = Beside(found)
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("success", "share"),
        Column("progress", "share"),
        Column("episodes", "count"),
        Column("tasks", "count"),
        *beside.columns,
        Column("turns", "number"),
        Column("primitive steps", "number"),
    )
    rows = tuple(
        (
            s.group.domain,
            s.group.method,
            *models.cells(s.group),
            s.success,
            s.progress,
            s.success.episodes,
            s.success.clusters,
            *beside.cells(s),
            s.turns,
            s.primitive_steps,
        )
        for s in found
    )
    notes = (INTERVALS, *models.notes, *beside.notes, *(() if rows else (NOTHING_PLAYED,)))
    return mark(Sheet(title, columns, rows, notes), [s.simulated for s in found])


class Models:
    """The models of a table: people see a column each for agent and learner where they differ, else a note."""

    def __init__(self, groups: Iterable[Group]) -> None:
        known = list(groups)
        self._agents = sorted({group.agent_model for group in known if group.agent_model})
        self._learners = sorted({group.learner_model for group in known if group.learner_model})

    @property
    def columns(self) -> tuple[Column, ...]:
        """Agent model and learner model."""
        return (
            Column("agent model", aside=len(self._agents) < 2),
            Column("learner model", aside=len(self._learners) < 2),
        )

    def cells(self, group: Group) -> tuple[Cell, ...]:
        """A row's cells for these columns."""
        return group.agent_model or None, group.learner_model or None

    @property
    def notes(self) -> tuple[str, ...]:
        """Names the models that have no column."""
        named = (("Agent model", self._agents), ("Learner model", self._learners))
        told = [f"{name}: {models[0]}." for name, models in named if len(models) == 1]
        return (" ".join(told),) if told else ()
