"""Table 1: what each method learns from, what it keeps, and what it costs."""

from __future__ import annotations

from learnact.errors import LearnactError
from learnact.methods.registry import find_learner
from learnact.report.cost import MethodCosts, UnitCosts
from learnact.report.data import ReportData, TrialRow
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import INTERVALS, ModelColumns, RateColumns
from learnact.results.reader import dictionaries

LIBRARIES = """
SELECT t.trial, CAST(len(l.actions) AS BIGINT) AS functions, CAST(len(l.lessons) AS BIGINT) AS sentences
FROM trials t JOIN libraries l ON l.run = t.run AND l.trial = t.trial AND l.library = t.library
QUALIFY row_number() OVER (PARTITION BY t.trial ORDER BY t.run) = 1
"""
"""How many functions and sentences each trial ended with."""
NOTES = (
    "Functions, sentences (lessons, rules, workflows): means over trials, of the whole library, of which "
    "some methods give the agent a part for each task. Learning: per trial. - where nothing was learned.",
    INTERVALS,
)


def overview_tables(data: ReportData) -> list[ResultTable]:
    """One row for each domain and method."""
    costs = MethodCosts(data)
    sizes = {row["trial"]: row for row in dictionaries(data.connection, LIBRARIES)}
    models, rates = ModelColumns(costs.trials), RateColumns(costs.scores)
    rows: list[tuple[Cell, ...]] = []
    for score in costs.scores:
        members = costs.trials[score.key]
        learns_from, keeps = described(members[0])
        learned = costs.learned(score.key)
        spent = sum(learned, UnitCosts())
        test = costs.total(score.key, "test")
        found = [sizes[one.trial] for one in members if one.trial in sizes]
        rows.append(
            (
                score.key.domain,
                score.key.method,
                *models.cells(score.key),
                learns_from,
                keeps,
                _mean([row["functions"] for row in found]),
                _mean([row["sentences"] for row in found]),
                _per(spent.calls, len(learned)),
                _per(spent.known_tokens, len(learned)),
                _per(spent.dollars, len(learned)),
                _per(test.known_tokens, test.units),
                score.success,
                score.success.episodes,
                *rates.cells(score),
            )
        )
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("learns from"),
        Column("keeps"),
        Column("functions", "number"),
        Column("sentences", "number"),
        Column("learning calls", "count"),
        Column("learning tokens", "count"),
        Column("learning cost", "dollars"),
        Column("tokens an episode", "count"),
        Column("success", "share", counted=True),
        Column("episodes", "count", only_data=True),
        *rates.columns,
    )
    title = "Table 1: what methods learn from, keep and cost"
    table = ResultTable(title, columns, tuple(rows), (*NOTES, *models.notes, *rates.notes))
    return [table.mark_simulated([score.simulated for score in costs.scores])]


def described(trial: TrialRow) -> tuple[str, str]:
    """What a trial's learner learns from and keeps, in words; "?" for one that is not installed here."""
    try:
        learner = find_learner(trial.learner or "none")
    except LearnactError:
        return "?", "?"
    return learner.learns_from or "?", learner.keeps or "?"


def _mean(values: list[int]) -> float | None:
    return sum(values) / len(values) if values else None


def _per(value: float | None, number: int) -> float | None:
    return value / number if value is not None and number else None
