"""The tables of the LearnAct paper from the results: 2 to 7, and robustness. Each is a list of sheets; numbers first, form later.

Figure 3 is figures.py, the selector's analysis selector.py, cost cost.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from learnact.domains import registry
from learnact.errors import LearnactError
from learnact.records import DomainSpec
from learnact.report.cost import cost_sheets
from learnact.report.played import (
    ALL,
    Played,
    Score,
    Trial,
    learner_is_simulated,
    order_of_methods,
    played,
    scores,
    trials,
)
from learnact.report.robustness import robustness_sheets
from learnact.report.selector import selector_sheets
from learnact.report.sheet import Cell, Column, Sheet
from learnact.report.tables import INTERVALS, score_sheet
from learnact.results.reader import Connection, dictionaries
from learnact.results.statistics import Interval, clustered_mean, paired_difference

IMPROVEMENTS = ("update", "note")
SWITCHES: dict[str, tuple[str, str]] = {
    "show_descriptions": ("descriptions off", "6"),
    "show_usage_example": ("usage example off", "6"),
    "updates": ("updates off", "7"),
    "notes": ("notes off", "7"),
    "sampling": ("sampling off", "7"),
    "learning": ("learning off", "7"),
}
"""Switches that an ablation turns off, what a table calls that, and which table it belongs to."""


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
    places: dict[tuple[str, str, str], dict[str, Score]] = defaultdict(dict)
    for s in found:
        places[s.group.agent_model, s.group.learner_model, s.group.method][s.group.domain] = s
    rows = []
    for (agent, learner, method), row in places.items():
        total = row.get(ALL) or next(iter(row.values()))
        cells: list[Cell] = [row[d].success if d in row else None for d in domains]
        rows.append(
            (
                agent,
                learner or None,
                method,
                *cells,
                total.success.episodes,
                total.unfinished,
                total.worst,
                total.best,
                total.unreadable,
            )
        )
    columns = [Column("agent model"), Column("learner model"), Column("method")]
    columns += [Column(domain, "share") for domain in domains]
    columns += [Column("episodes", "count"), Column("unfinished", "count")]
    columns += [Column("worst", "share"), Column("best", "share"), Column("unreadable", "share")]
    notes = (
        INTERVALS,
        "Episodes, unfinished, worst, best and unreadable are over all domains; by domain in the table in full.",
    )
    return Sheet(title, tuple(columns), tuple(rows), notes, any(s.simulated for s in found))


# Table 4 --------------------------------------------------------------------------------------------------------------


def table4(connection: Connection) -> list[Sheet]:
    """How the learner improved libraries: updates against notes, proposed, created and selected."""
    rows = dictionaries(
        connection,
        "SELECT trial, iteration, candidate, origin, uncreated, selected FROM candidates WHERE origin IN ('update', 'note') "
        "QUALIFY row_number() OVER (PARTITION BY trial, iteration, candidate ORDER BY run) = 1 ORDER BY ALL",
    )
    known = trials(connection)
    counts: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        trial = known.get(row["trial"])
        if trial is None:
            continue
        for domain in (trial.domain, ALL):
            count = counts.setdefault((trial.method, domain), [0] * 6)
            at = IMPROVEMENTS.index(row["origin"])
            count[at] += 1
            count[2 + at] += not row["uncreated"]
            count[4 + at] += row["selected"]
    domains = {domain for _, domain in counts} - {ALL}
    counts = {key: c for key, c in counts.items() if key[1] != ALL or len(domains) > 1}
    table: list[tuple[Cell, ...]] = []
    for (method, domain), c in sorted(counts.items(), key=lambda item: (item[0][1] == ALL, item[0])):
        table.append((domain, method, c[0], c[1], c[0] / (c[0] + c[1]), c[2], c[3], c[4], c[5]))
    columns = (
        Column("domain"),
        Column("method"),
        Column("updates", "count"),
        Column("notes", "count"),
        Column("share of updates", "share"),
        Column("updates created", "count"),
        Column("notes created", "count"),
        Column("updates selected", "count"),
        Column("notes selected", "count"),
    )
    notes = ("An answer that could not be read counts as an update that was not created.",)
    return [
        Sheet("Table 4: updates and notes", columns, tuple(table), notes, learner_is_simulated(connection))
    ]


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
    groups: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in trials(connection).values():
        if trial.trial in first:
            groups[trial.domain, trial.method].append(trial)
    rows: list[tuple[Cell, ...]] = []
    for (domain, method), members in sorted(groups.items()):
        before = [first[t.trial] for t in members]
        after = [sizes.get((t.trial, t.library), 0) for t in members]
        primitives = primitive_actions(members[0])
        mean = sum(after) / len(after)
        total = None if primitives is None else primitives + mean
        rows.append((domain, method, primitives, sum(before) / len(before), mean, total, len(members)))
    columns = (
        Column("domain"),
        Column("method"),
        Column("primitive", "count"),
        Column("learned at first", "number"),
        Column("learned in the end", "number"),
        Column("actions in all", "number"),
        Column("trials", "count"),
    )
    return [
        Sheet(
            "Table 5: actions before and after learning",
            columns,
            tuple(rows),
            (),
            learner_is_simulated(connection),
        )
    ]


def primitive_actions(trial: Trial) -> int | None:
    """Number of primitive actions of a trial's domain; None where the domain is not installed here."""
    try:
        return len(registry.build(DomainSpec(trial.domain, trial.domain_options)).primitives)
    except (LearnactError, ValueError, OSError):
        return None


# Tables 6 and 7 -------------------------------------------------------------------------------------------------------


def table6(connection: Connection) -> list[Sheet]:
    """LearnAct without descriptions, without the usage example."""
    return [ablation(connection, "6", "Table 6: what the agent is shown of the library")]


def table7(connection: Connection) -> list[Sheet]:
    """LearnAct without updates, notes, sampling, learning."""
    return [ablation(connection, "7", "Table 7: what the learner does")]


def switched_off(trial: Trial) -> tuple[str, ...]:
    """What a trial of LearnAct goes without, by name of switch."""
    given = {**trial.settings, **trial.rules}
    return tuple(name for name in SWITCHES if given.get(name) is False)


def ablation(connection: Connection, table: str, title: str) -> Sheet:
    """LearnAct in full, then each variant with its difference, paired by task (and by learning repeat, where there are several)."""
    known, episodes = trials(connection), played(connection)
    found = {(s.group.domain, s.group.method, s.group.agent_model): s for s in scores(connection)}
    variants: dict[str, tuple[str, ...]] = {}
    for trial in known.values():
        off = switched_off(trial)
        if trial.learner == "learnact" and all(SWITCHES[name][1] == table for name in off):
            variants.setdefault(trial.method, off)
    order = order_of_methods(connection)
    methods = sorted(variants, key=lambda m: (len(variants[m]), order.get(m, 99), m))
    rows: list[tuple[Cell, ...]] = []
    for domain in [*dict.fromkeys(d for d, _, _ in sorted(found) if d != ALL), ALL]:
        for model in dict.fromkeys(s.group.agent_model for s in found.values()):
            for method in methods:
                s = found.get((domain, method, model))
                if s is None:
                    continue
                name = ", ".join(SWITCHES[n][0] for n in variants[method]) or "in full"
                base = next((m for m in methods if not variants[m] and m != method), None)
                change = _change(episodes, domain, model, method, base) if variants[method] else None
                rows.append(
                    (
                        domain,
                        model,
                        method,
                        name,
                        s.success,
                        change,
                        s.progress,
                        s.success.episodes,
                        s.unfinished,
                        s.worst,
                        s.best,
                        s.unreadable,
                    )
                )
    columns = (
        Column("domain"),
        Column("agent model"),
        Column("method"),
        Column("variant"),
        Column("success", "share"),
        Column("difference", "difference"),
        Column("progress", "share"),
        Column("episodes", "count"),
        Column("unfinished", "count"),
        Column("worst", "share"),
        Column("best", "share"),
        Column("unreadable", "share"),
    )
    notes = (
        INTERVALS,
        "Difference: variant minus LearnAct in full on the same tasks; with several learning repeats its interval is clustered by task "
        "and by repeat, so that it speaks of other libraries too.",
    )
    return Sheet(title, columns, tuple(rows), notes, any(s.simulated for s in found.values()))


def _change(
    episodes: Iterable[Played], domain: str, model: str, method: str, base: str | None
) -> Interval | None:
    """Success of a method minus that of its base."""
    if base is None:
        return None
    sides: dict[str, list[tuple[str, str, float]]] = {method: [], base: []}
    for e in episodes:
        if e.method in sides and e.agent_model == model and domain in (e.domain, ALL):
            sides[e.method].append((e.task, e.trial, float(e.success)))
    return paired_difference(sides[method], sides[base])


TABLES: dict[str, Callable[[Connection], list[Sheet]]] = {
    "2": table2,
    "3": table3,
    "4": table4,
    "5": table5,
    "6": table6,
    "7": table7,
    "robustness": robustness_sheets,
    "selector": selector_sheets,
    "cost": cost_sheets,
}
"""The tables by name, each from a connection over one run or more."""

__all__ = ["TABLES", "clustered_mean", "table2", "table3", "table4", "table5", "table6", "table7", "wide"]
