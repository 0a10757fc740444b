"""Success and progress by method and domain, as a sheet."""

from __future__ import annotations

from collections.abc import Sequence

from learnact.report.played import Score, scores
from learnact.report.sheet import Cell, Column, Sheet
from learnact.results.reader import Connection

INTERVALS = (
    "Intervals: 95 %, clustered by task (success: Korn-Graubard; progress: t over task means). They speak of other tasks, "
    "not of other libraries."
)
UNFINISHED = "Worst and best: success if all unfinished episodes had failed, or succeeded."


def score_table(connection: Connection, title: str = "Success and progress by domain and method") -> Sheet:
    """The main table of a run, or of several."""
    return score_sheet(scores(connection), title)


def score_sheet(found: Sequence[Score], title: str) -> Sheet:
    """Scores as a sheet. Columns of models only where they differ; bounds only where something is unfinished."""
    models = len({(s.group.agent_model, s.group.learner_model or None) for s in found}) > 1
    agents = len({s.group.agent_model for s in found}) > 1
    learners = len({s.group.learner_model for s in found if s.group.learner_model}) > 1
    gaps = any(s.unfinished for s in found)
    columns = [Column("domain"), Column("method")]
    columns += [Column("agent model")] if models and agents else []
    columns += [Column("learner model")] if learners else []
    columns += [
        Column("success", "share"),
        Column("progress", "share"),
        Column("episodes", "count"),
        Column("tasks", "count"),
        Column("unfinished", "count"),
    ]
    columns += [Column("worst", "share"), Column("best", "share")] if gaps else []
    columns += [Column("unreadable", "share"), Column("turns", "number"), Column("primitive steps", "number")]
    rows = []
    for s in found:
        row: list[Cell] = [s.group.domain, s.group.method]
        row += [s.group.agent_model] if models and agents else []
        row += [s.group.learner_model or None] if learners else []
        row += [s.success, s.progress, s.success.episodes, s.success.clusters, s.unfinished]
        row += [s.worst, s.best] if gaps else []
        row += [s.unreadable, s.turns, s.primitive_steps]
        rows.append(tuple(row))
    notes = (INTERVALS, *([UNFINISHED] if gaps else []))
    return Sheet(title, tuple(columns), tuple(rows), notes, any(s.simulated for s in found))
