"""The tables of the LearnAct paper: 2 to 5 here, and all tables by name.

Tables 6 and 7 are in ablation.py, figure 3 in figure3.py; selector, cost, robustness, transfer and causes
have modules of their names.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from learnact.domains import registry
from learnact.errors import LearnactError
from learnact.records import DomainSpec
from learnact.report.ablation import table6, table7
from learnact.report.causes import cause_tables
from learnact.report.cost import cost_tables
from learnact.report.credit import credit_tables
from learnact.report.data import ALL, ReportData, RowKey, Score, TrialRow, over_all_domains
from learnact.report.efficiency import efficiency_tables
from learnact.report.findings import findings
from learnact.report.overview_table import overview_tables
from learnact.report.pass_at_k import pass_tables
from learnact.report.racing import racing_tables
from learnact.report.replies import reply_tables
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.robustness import robustness_tables
from learnact.report.score_table import INTERVALS, NOTHING_PLAYED, ModelColumns, RateColumns, score_rows
from learnact.report.selector import selector_tables
from learnact.report.stream import stream_tables
from learnact.report.tournament import tournament_tables
from learnact.report.transfer import transfer_tables
from learnact.results.reader import dictionaries
from learnact.statistics.intervals import LEVEL, Interval, mean_of, pooled_share

# Tables 2 and 3 ---------------------------------------------------------------------------------------------


def table2(data: ReportData) -> list[ResultTable]:
    """Success of each method on each domain; then every rate in full, and efficiency."""
    return _by_method(data, "Table 2: success by method and domain")


def table3(data: ReportData) -> list[ResultTable]:
    """The same for household tasks: success of each method on each type of task."""
    return _by_method(data, "Table 3: success by method and type of household task")


def _by_method(data: ReportData, title: str) -> list[ResultTable]:
    full = score_rows(data.scores, f"{title}, in full")
    return [_domains_in_columns(data.scores, title), full, *efficiency_tables(data)]


def _domains_in_columns(scores: Sequence[Score], title: str) -> ResultTable:
    """One row for each method and pair of models, one column for each domain."""
    domains = list(dict.fromkeys(score.key.domain for score in scores))
    found: dict[RowKey, dict[str, Score]] = defaultdict(dict)
    for score in scores:
        found[score.key._replace(domain=ALL)][score.key.domain] = score
    totals = [row.get(ALL) or next(iter(row.values())) for row in found.values()]
    models, rates = ModelColumns(found), RateColumns(totals)
    rows = []
    for (key, row), total in zip(found.items(), totals, strict=True):
        cells: list[Cell] = [row[domain].success if domain in row else None for domain in domains]
        rows.append((*models.cells(key), key.method, *cells, total.success.episodes, *rates.cells(total)))
    columns = (
        *models.columns,
        Column("method"),
        *(Column(domain, "share", counted=True) for domain in domains),
        Column("episodes", "count", only_data=True),
        *rates.columns,
    )
    notes = (
        INTERVALS,
        "n: number of episodes. Unfinished and unreadable are over all domains; by domain in the table in "
        "full.",
        *models.notes,
        *rates.notes,
        *(() if rows else (NOTHING_PLAYED,)),
    )
    table = ResultTable(title, columns, tuple(rows), notes)
    return table.mark_simulated([total.simulated for total in totals])


# Table 4 ----------------------------------------------------------------------------------------------------

IMPROVEMENTS = """
SELECT trial, origin, coalesce(uncreated, '') = '' AS created, selected
FROM candidates WHERE origin IN ('update', 'note')
QUALIFY row_number() OVER (PARTITION BY trial, iteration, candidate ORDER BY run) = 1
ORDER BY trial, iteration, candidate
"""


def table4(data: ReportData) -> list[ResultTable]:
    """How the learner improved libraries: updates against notes, and which were selected."""
    answers: dict[RowKey, list[dict[str, object]]] = defaultdict(list)
    for row in dictionaries(data.connection, IMPROVEMENTS):
        if row["trial"] in data.trials:
            answers[data.trials[row["trial"]].row_key].append(row)
    for key, parts in over_all_domains(answers).items():
        answers[key] = [row for part in parts for row in answers[part]]
    models, keys = ModelColumns(answers), data.ordered(answers)
    rows = tuple((key.domain, key.method, *models.cells(key), *_improvements(answers[key])) for key in keys)
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("updates", "count"),
        Column("notes", "count"),
        Column("share of updates", "share"),
        Column("trials", "count"),
        Column("updates selected", "count"),
        Column("notes selected", "count"),
        Column("not created", "share"),
    )
    notes = (
        "Updates and notes that gave a library; the interval (95 %) of their share is clustered by trial.",
        "Not created: share of all answers from which no library came, because none could be read or "
        "because an update's code failed in every try. An unreadable answer is neither update nor note, so "
        "these are in no other column.",
        *models.notes,
        *(() if rows else ("No learner has improved a library in these runs.",)),
    )
    table = ResultTable("Table 4: updates and notes", columns, rows, notes)
    return [table.mark_simulated([data.is_simulated(key) for key in keys])]


def _improvements(rows: Sequence[dict[str, object]]) -> tuple[Cell, ...]:
    created = [row for row in rows if row["created"]]
    updates = [row for row in created if row["origin"] == "update"]
    selected = sum(bool(row["selected"]) for row in updates)
    return (
        len(updates),
        len(created) - len(updates),
        pooled_share((row["trial"], row["origin"] == "update") for row in created),
        len({row["trial"] for row in rows}),
        selected,
        sum(bool(row["selected"]) for row in created) - selected,
        1 - len(created) / len(rows),
    )


# Table 5 ----------------------------------------------------------------------------------------------------

SIZES = """
WITH sizes AS (SELECT DISTINCT library, len(actions) AS actions FROM libraries)
SELECT trial, any_value(f.actions) AS first, any_value(l.actions) AS final
FROM (SELECT trial, library FROM candidates WHERE iteration = 0 AND selected AND origin = 'create'
      QUALIFY row_number() OVER (PARTITION BY trial ORDER BY run DESC) = 1) c
JOIN (SELECT trial, library FROM trials
      QUALIFY row_number() OVER (PARTITION BY trial ORDER BY status <> 'done', run) = 1) t USING (trial)
LEFT JOIN sizes f ON f.library = c.library LEFT JOIN sizes l ON l.library = t.library
WHERE t.library <> ''
GROUP BY trial ORDER BY trial
"""
"""Learned actions of each trial that has finished learning: as first chosen, and in the end."""


def table5(data: ReportData) -> list[ResultTable]:
    """Number of actions before and after learning: primitive, learned at first, learned in the end."""
    sizes: dict[RowKey, list[tuple[str, float, float]]] = defaultdict(list)
    for trial, first, final in data.connection.execute(SIZES).fetchall():
        sizes[data.trials[trial].row_key].append((trial, float(first or 0), float(final or 0)))
    models, keys, rows = ModelColumns(sizes), data.ordered(sizes), []
    for key in keys:
        trials, first, final = zip(*sizes[key], strict=True)
        primitives = primitive_actions(data.trials[trials[0]])
        total = None if primitives is None else _mean([primitives + n for n in final], primitives)
        cells = (primitives, _mean(first), _mean(final), total, len(trials))
        rows.append((key.domain, key.method, *models.cells(key), *cells))
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("primitive", "count"),
        Column("learned at first", "number", over="trials"),
        Column("learned in the end", "number", over="trials"),
        Column("actions in all", "number", over="trials"),
        Column("trials", "count"),
    )
    notes = (
        f"Means over trials that have finished learning, with t-intervals ({LEVEL:.0%}) where trials differ.",
        *models.notes,
        *(() if rows else ("No trial has created and ended with a library in these runs.",)),
    )
    table = ResultTable("Table 5: actions before and after learning", columns, tuple(rows), notes)
    return [table.mark_simulated([data.is_simulated(key) for key in keys])]


def _mean(values: Sequence[float], least: float = 0.0) -> Interval:
    """Mean over trials, whose values cannot be below `least`.

    No bounds where all agree, or there is one: nothing is known of how trials vary.
    """
    if len(set(values)) < 2:
        return Interval(values[0], math.nan, math.nan, len(values), len(values))
    return mean_of(values, least, math.inf)


def primitive_actions(trial: TrialRow) -> int | None:
    """Number of primitive actions of a trial's domain; None where the domain is not installed here."""
    try:
        return len(registry.build(DomainSpec(trial.domain, trial.domain_options)).primitives)
    except (LearnactError, ValueError, OSError):
        return None


TABLES: dict[str, Callable[[ReportData], list[ResultTable]]] = {
    "1": overview_tables,
    "2": table2,
    "3": table3,
    "4": table4,
    "5": table5,
    "6": table6,
    "7": table7,
    "pass@k": pass_tables,
    "robustness": robustness_tables,
    "selector": selector_tables,
    "transfer": transfer_tables,
    "cost": cost_tables,
    "stream": stream_tables,
    "causes": cause_tables,
    "replies": reply_tables,
    "credit": credit_tables,
    "tournament": tournament_tables,
    "racing": racing_tables,
}
"""The tables by name."""


def make_tables(data: ReportData, which: str) -> list[ResultTable]:
    """A table of the paper; what a reader of its numbers must know stands below its first part."""
    first, *others = TABLES[which](data)
    return [replace(first, notes=(*first.notes, *findings(data))), *others]
