"""Do learned actions carry over? For each kind of test tasks: success with the learned library, without (Act), the difference paired by task, and how
far calls of learned actions still worked there.

For runs with `learn_on` and `test_on`; a library that was learned elsewhere and given (`library: RUN`) counts as learned, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from learnact.report.played import Group, Played, Score, played, scores
from learnact.report.sheet import Cell, Column, Sheet, mark
from learnact.report.tables import INTERVALS, Beside, Models, score_sheet
from learnact.results.reader import Connection
from learnact.results.statistics import NOTHING, Interval, clustered_mean, paired_difference

BASE = "act"
TITLE = "Transfer: learned libraries against Act"
NOTES = (
    "Difference: learned minus Act on the same tasks with the same agent model; where several libraries were learned its interval is clustered by "
    "task and by library, so that it speaks of other libraries too.",
    "Learned calls: share of turns that called a learned action, and share of these calls that succeeded; means over episodes (of the latter over "
    "those with a call).",
)
MISSING = "No method with a learned library has a test here."
NO_BASE = "No difference: no trial of the method named act with the same agent model is in these runs."


@dataclass(frozen=True)
class Carried:
    """A method with learned libraries on one kind of test tasks. `act` None where Act did not play them."""

    learned: Score
    act: Score | None
    difference: Interval
    frequency: Interval
    correctness: Interval


def transfer(connection: Connection) -> list[Carried]:
    """One for each kind of test tasks, method and pair of models; kinds as the tables call them."""
    episodes = played(connection)
    found = {s.group: s for s in scores(connection, overall=False)}
    by_group: dict[Group, list[Played]] = defaultdict(list)
    for episode in episodes:
        by_group[episode.group].append(episode)
    places = {group: {e.place for e in members} for group, members in by_group.items()}
    using = [g for g in found if any(e.library for e in by_group.get(g, ())) or g.learner_model]
    bases = [g for g in found if g.method == BASE]
    carried = []
    for group in using:
        same = (b for b in bases if b.agent_model == group.agent_model and places.get(b) == places.get(group))
        base = next(same, None)
        carried.append(
            _carried(
                found[group], by_group[group], found[base] if base else None, by_group.get(base or group, [])
            )
        )
    return carried


def _carried(learned: Score, one: Sequence[Played], act: Score | None, two: Sequence[Played]) -> Carried:
    return Carried(
        learned,
        act,
        paired_difference(_values(one), _values(two)) if act else NOTHING,
        clustered_mean((e.task, e.learned_calls / e.action_turns) for e in one if e.action_turns),
        clustered_mean((e.task, e.learned_calls_ok / e.learned_calls) for e in one if e.learned_calls),
    )


def _values(episodes: Sequence[Played]) -> list[tuple[str, str, float]]:
    return [(e.task, e.library, float(e.success)) for e in episodes]


def transfer_sheets(connection: Connection) -> list[Sheet]:
    """What a method gained over Act (beside it: the learned side's episodes); then both sides in full."""
    found = transfer(connection)
    models = Models(c.learned.group for c in found)
    rates = [rate for c in found for rate in (c.learned, c.act) if rate]
    beside = Beside(rates)
    rows: list[tuple[Cell, ...]] = []
    for c in found:
        group = c.learned.group
        numbers = (
            c.learned.success,
            c.act.success if c.act else None,
            c.difference,
            c.frequency,
            c.correctness,
        )
        rows.append((group.domain, group.method, *models.cells(group), *numbers, *beside.cells(c.learned)))
    columns = (
        Column("tested on"),
        Column("method"),
        *models.columns,
        Column("learned", "share", counted=True),
        Column("act", "share", counted=True),
        Column("difference", "difference"),
        Column("learned calls", "share"),
        Column("succeeded", "share"),
        *beside.columns,
    )
    lacking = (MISSING,) if not rows else ((NO_BASE,) if any(c.act is None for c in found) else ())
    notes = (INTERVALS, *NOTES, *models.notes, *beside.notes, *lacking)
    sheet = Sheet(TITLE, columns, tuple(rows), notes)
    marks = [c.learned.simulated or bool(c.act and c.act.simulated) for c in found]
    return [mark(sheet, marks), score_sheet(list(dict.fromkeys(rates)), f"{TITLE}, in full")]
