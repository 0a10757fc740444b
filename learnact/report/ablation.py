"""Tables 6 and 7 of the LearnAct paper: LearnAct in full, and with parts switched off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from learnact.report.played import ALL, Played, Score, Trial, order_of_methods, played, scores, trials
from learnact.report.sheet import Cell, Column, Sheet, mark
from learnact.report.tables import INTERVALS, Beside, Models
from learnact.results.reader import Connection
from learnact.results.statistics import Interval, paired_difference

SWITCHES: dict[str, tuple[str, str]] = {
    "show_descriptions": ("descriptions off", "6"),
    "show_usage_example": ("usage example off", "6"),
    "updates": ("updates off", "7"),
    "notes": ("notes off", "7"),
    "sampling": ("sampling off", "7"),
    "learning": ("learning off", "7"),
}
"""Switches that an ablation turns off, what a table calls that, and which table it belongs to."""

DIFFERENCE = (
    "Difference: variant minus LearnAct in full on the same tasks; with several learning repeats its interval is clustered by task and by "
    "repeat, so that it speaks of other libraries too."
)
REFERENCE = "no learning, for reference"
MISSING = "No trial of LearnAct is in these runs."
ONE = "Nothing to compare: these runs hold no variant of this table; jobs/paper/table{table}.yaml has them."
NO_BASE = "No difference: these runs hold no trial of LearnAct in full."


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
    """LearnAct in full, then each variant with its difference, paired by task (and by learning repeat, where there are several); before them, for
    reference, the methods of the runs that learn nothing (their difference: table causes)."""
    known = trials(connection).values()
    variants = _variants(connection, known, table)
    names = {method: ", ".join(SWITCHES[n][0] for n in off) or "in full" for method, off in variants.items()}
    if variants:
        names = {**dict.fromkeys((t.method for t in known if t.learner == "none"), REFERENCE), **names}
    episodes = played(connection)
    order = list(names)
    found = [s for s in scores(connection) if s.group.method in names]
    found.sort(
        key=lambda s: (s.group.domain == ALL, s.group.domain, s.group[2:], order.index(s.group.method))
    )
    models, beside = Models(s.group for s in found), Beside(found)
    rows = tuple(
        (
            s.group.domain,
            *models.cells(s.group),
            s.group.method,
            names[s.group.method],
            s.success,
            _change(episodes, s, variants),
            s.progress,
            s.success.episodes,
            *beside.cells(s),
        )
        for s in found
    )
    columns = (
        Column("domain"),
        *models.columns,
        Column("method"),
        Column("variant"),
        Column("success", "share"),
        Column("difference", "difference"),
        Column("progress", "share"),
        Column("episodes", "count"),
        *beside.columns,
    )
    notes = (INTERVALS, DIFFERENCE, *models.notes, *beside.notes, *_lacking(table, variants))
    return mark(Sheet(title, columns, rows, notes), [s.simulated for s in found])


def _variants(connection: Connection, known: Iterable[Trial], table: str) -> dict[str, tuple[str, ...]]:
    """What each method of the table goes without: in full first, then in the order of the job."""
    found: dict[str, tuple[str, ...]] = {}
    for trial in known:
        off = switched_off(trial)
        if trial.learner == "learnact" and all(SWITCHES[name][1] == table for name in off):
            found.setdefault(trial.method, off)
    order = order_of_methods(connection)
    return dict(sorted(found.items(), key=lambda item: (len(item[1]), order.get(item[0], 99), item[0])))


def _lacking(table: str, variants: dict[str, tuple[str, ...]]) -> Sequence[str]:
    """What the runs do not hold, in words."""
    if not variants:
        return (MISSING, ONE.format(table=table))
    if not any(variants.values()):
        return (ONE.format(table=table),)
    return () if not all(variants.values()) else (NO_BASE,)


def _change(episodes: Iterable[Played], of: Score, variants: dict[str, tuple[str, ...]]) -> Interval | Cell:
    """Success of a variant minus that of LearnAct in full, with the same models on the same tasks."""
    method = of.group.method
    base = next((m for m, off in variants.items() if not off), None)
    if base is None or not variants.get(method):
        return None
    sides: dict[str, list[tuple[str, str, float]]] = {method: [], base: []}
    for e in episodes:
        same = e.group[2:] == of.group[2:] and of.group.domain in (e.domain, ALL)
        if same and e.method in sides:
            sides[e.method].append((e.task, e.trial, float(e.success)))
    return paired_difference(sides[method], sides[base])
