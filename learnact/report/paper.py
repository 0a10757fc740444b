"""The tables of the LearnAct paper from the results: 2 to 5 here, and all tables by name. Each is a list of sheets; numbers first, form later.

Tables 6 and 7 are ablation.py, figure 3 figures.py; selector, cost, robustness, transfer and causes have modules of their names.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from learnact.domains import registry
from learnact.errors import LearnactError
from learnact.records import DomainSpec
from learnact.report.ablation import table6, table7
from learnact.report.causes import cause_sheets
from learnact.report.cost import cost_sheets
from learnact.report.played import (
    ALL,
    Group,
    Score,
    Trial,
    order_of_methods,
    scores,
    simulated_models,
    trials,
)
from learnact.report.robustness import robustness_sheets
from learnact.report.selector import selector_sheets
from learnact.report.sheet import Cell, Column, Sheet, mark
from learnact.report.tables import INTERVALS, NOTHING_PLAYED, Beside, Models, score_sheet
from learnact.report.transfer import transfer_sheets
from learnact.results.reader import Connection, dictionaries
from learnact.results.statistics import LEVEL, Interval, mean_of, pooled_share

# Table 2 --------------------------------------------------------------------------------------------------------------


def table2(connection: Connection) -> list[Sheet]:
    """Success of each method on each domain, one row a method and pair of models; then every rate with all that stands beside it."""
    return _by_method(connection, "Table 2: success by method and domain")


def table3(connection: Connection) -> list[Sheet]:
    """The same for household tasks: success of each method on each type of task."""
    return _by_method(connection, "Table 3: success by method and type of household task")


def _by_method(connection: Connection, title: str) -> list[Sheet]:
    found = scores(connection)
    return [wide(found, title), score_sheet(found, f"{title}, in full")]


def wide(found: Sequence[Score], title: str) -> Sheet:
    """One row a method and pair of models, one column a domain."""
    domains = list(dict.fromkeys(s.group.domain for s in found))
    places: dict[Group, dict[str, Score]] = defaultdict(dict)
    for s in found:
        places[s.group._replace(domain=ALL)][s.group.domain] = s
    totals = [row.get(ALL) or next(iter(row.values())) for row in places.values()]
    models, beside = Models(places), Beside(totals)
    rows = []
    for (group, row), total in zip(places.items(), totals, strict=True):
        cells: list[Cell] = [row[d].success if d in row else None for d in domains]
        rows.append(
            (*models.cells(group), group.method, *cells, total.success.episodes, *beside.cells(total))
        )
    columns = (
        *models.columns,
        Column("method"),
        *(Column(domain, "share", counted=True) for domain in domains),
        Column("episodes", "count", aside=True),
        *beside.columns,
    )
    notes = (
        INTERVALS,
        "n: number of episodes. Unfinished and unreadable are over all domains; by domain in the table in full.",
        *models.notes,
        *beside.notes,
        *(() if rows else (NOTHING_PLAYED,)),
    )
    return mark(Sheet(title, columns, tuple(rows), notes), [total.simulated for total in totals])


# Table 4 --------------------------------------------------------------------------------------------------------------


def table4(connection: Connection) -> list[Sheet]:
    """How the learner improved libraries: updates against notes, and which were selected."""
    rows = dictionaries(
        connection,
        "SELECT trial, iteration, candidate, origin, uncreated, selected FROM candidates WHERE origin IN ('update', 'note') "
        "QUALIFY row_number() OVER (PARTITION BY trial, iteration, candidate ORDER BY run) = 1 ORDER BY ALL",
    )
    known = trials(connection)
    found: dict[Group, list[dict[str, object]]] = defaultdict(list)
    for row in rows:
        if row["trial"] in known:
            found[known[row["trial"]].group].append(row)
    _add_overall(found)
    models, simulated = Models(found), simulated_models(connection)
    table, marks = [], []
    for group in _in_order(connection, found):
        table.append((group.domain, group.method, *models.cells(group), *_improvements(found[group])))
        marks.append(bool({group.agent_model, group.learner_model} & simulated))
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
        "Not created: share of all answers from which no library came, because none could be read or because an update's code failed in every "
        "try. An unreadable answer is neither update nor note, so these are in no other column.",
        *models.notes,
        *(() if table else ("No learner has improved a library in these runs.",)),
    )
    return [mark(Sheet("Table 4: updates and notes", columns, tuple(table), notes), marks)]


def _improvements(rows: Sequence[dict[str, object]]) -> tuple[Cell, ...]:
    created = [row for row in rows if not row["uncreated"]]
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


def _add_overall(found: dict[Group, list[dict[str, object]]]) -> None:
    """Add what all domains of a method give together, where there are several."""
    overall: dict[Group, list[Group]] = defaultdict(list)
    for group in found:
        overall[group._replace(domain=ALL)].append(group)
    for group, parts in overall.items():
        if len(parts) > 1:
            found[group] = [item for part in parts for item in found[part]]


def _in_order(connection: Connection, groups: Iterable[Group]) -> list[Group]:
    """Domains by name, all of them last; methods in the order of the job."""
    place = order_of_methods(connection)
    return sorted(
        groups, key=lambda g: (g.domain == ALL, g.domain, g.agent_model, place.get(g.method, 99), g)
    )


# Table 5 --------------------------------------------------------------------------------------------------------------


def table5(connection: Connection) -> list[Sheet]:
    """How many actions an agent has before and after learning: primitive, learned at first, learned in the end."""
    sizes = {
        (trial, library): number
        for trial, library, number in connection.execute(
            "SELECT trial, library, len(actions) FROM libraries"
        ).fetchall()
    }
    first = {
        trial: sizes.get((trial, library), 0)
        for trial, library in connection.execute(
            "SELECT trial, library FROM candidates WHERE iteration = 0 AND selected AND origin = 'create'"
        ).fetchall()
    }
    found: dict[Group, list[Trial]] = defaultdict(list)
    for trial in trials(connection).values():
        if trial.trial in first and trial.library:
            found[trial.group].append(trial)
    models, simulated = Models(found), simulated_models(connection)
    rows, marks = [], []
    for group in _in_order(connection, found):
        members = found[group]
        before = [float(first[t.trial]) for t in members]
        after = [float(sizes.get((t.trial, t.library), 0)) for t in members]
        primitives = primitive_actions(members[0])
        total = None if primitives is None else _mean([primitives + n for n in after], primitives)
        learned = (_mean(before), _mean(after))
        rows.append(
            (group.domain, group.method, *models.cells(group), primitives, *learned, total, len(members))
        )
        marks.append(bool({group.agent_model, group.learner_model} & simulated))
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
    return [mark(Sheet("Table 5: actions before and after learning", columns, tuple(rows), notes), marks)]


def _mean(values: Sequence[float], least: float = 0.0) -> Interval:
    """Over trials; none can be below `least`. Where all agree, or there is one, nothing is known of how they vary: no bounds."""
    if len(set(values)) < 2:
        return Interval(values[0], math.nan, math.nan, len(values), len(values))
    return mean_of(values, least, math.inf)


def primitive_actions(trial: Trial) -> int | None:
    """Number of primitive actions of a trial's domain; None where the domain is not installed here."""
    try:
        return len(registry.build(DomainSpec(trial.domain, trial.domain_options)).primitives)
    except (LearnactError, ValueError, OSError):
        return None


TABLES: dict[str, Callable[[Connection], list[Sheet]]] = {
    "2": table2,
    "3": table3,
    "4": table4,
    "5": table5,
    "6": table6,
    "7": table7,
    "robustness": robustness_sheets,
    "selector": selector_sheets,
    "transfer": transfer_sheets,
    "cost": cost_sheets,
    "causes": cause_sheets,
}
"""The tables by name, each from a connection over one run or more."""
