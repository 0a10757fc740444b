"""Where the difference between two methods comes from: its whole account by what was learned, and by what was done with it.

Episodes are compared in pairs (pairs.py). A pair is won if the method alone solved its task, lost if the other alone did; the difference in
success is the share of won pairs minus that of lost pairs. Each sheet accounts for all of it: by the step of learning at which the
two libraries came apart (lineage.py), and by what used up the turns of the one that lost (divergence.py).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from itertools import product
from statistics import median_low

from learnact.report.comparisons import shown_less
from learnact.report.divergence import CAUSES, Cause, moved
from learnact.report.lineage import Parted, Shelf, shelf
from learnact.report.pairs import Episodes, Outcome, Pair, Paired
from learnact.report.played import Trial, simulated_models
from learnact.report.sheet import Cell, Column, Sheet, mark
from learnact.report.tables import INTERVALS, Models
from learnact.results.reader import Connection

OUTCOMES: tuple[Outcome, ...] = ("won", "lost")
COMPARED = (
    "Each variant of LearnAct minus LearnAct in full, then LearnAct in full minus each other method, in pairs of the same task and repeat. "
    "Won: the method alone solved the task; lost: the other alone did. Shares are of all pairs, every task weighing the same."
)
ACCOUNT = "The rows of a comparison and domain add up to its difference: won minus lost."
TURNS = (
    "Won and lost by where the turns of the one that lost went, which the winner did not need (the kind of turn that it had most more of): "
    + "; ".join(f"{name}: {means}" for name, means in CAUSES.items())
    + ". It says where the turns went, not what would have happened otherwise."
)
EXAMPLE = "Example: two episodes (the method's, the other's); open both with `learnact show RUN KEY KEY`."


MISSING = (
    "Nothing to compare: these runs hold no two methods with finished episodes of the same task and repeat."
)


class Table:
    """A sheet in the making: what every row is about stands first, and each row knows whether it stands on simulated models."""

    def __init__(self, rows: Sequence[Paired], simulated: Container[str]) -> None:
        self._models = Models(row.group for row in rows)
        self._simulated = simulated
        self._rows: list[tuple[Cell, ...]] = []
        self._marks: list[bool] = []

    def add(self, about: Paired, *cells: Cell) -> None:
        """One more row."""
        group = about.group
        self._rows.append((*about.comparison, group.domain, *self._models.cells(group), *cells))
        played = any(p.first.simulated or p.second.simulated for p in about.pairs)
        self._marks.append(played or group.learner_model in self._simulated)

    def sheet(self, title: str, columns: Iterable[Column], notes: Iterable[str]) -> Sheet:
        """The finished sheet."""
        head = (Column("method"), Column("minus"), Column("domain"), *self._models.columns)
        told = (*notes, *self._models.notes, *(() if self._rows else (MISSING,)))
        return mark(Sheet(title, (*head, *columns), tuple(self._rows), told), self._marks)


def cause_sheets(connection: Connection) -> list[Sheet]:
    """The account by libraries, the account by turns, and every item of the latter with interval and example."""
    episodes, simulated = Episodes(connection), simulated_models(connection)
    rows = [row for c in episodes.comparisons for row in episodes.paired(c) if row.pairs]
    known = shelf(connection)
    return [
        _libraries(rows, Table(rows, simulated), episodes.trials, known),
        _turns(rows, Table(rows, simulated)),
        _items(rows, Table(rows, simulated), known),
    ]


# By what was learned --------------------------------------------------------------------------------------------------


def _libraries(rows: Sequence[Paired], table: Table, trials: dict[str, Trial], known: Shelf) -> Sheet:
    """One row a step at which libraries parted: how many pairs of trials, and what they add to the difference."""
    for row in rows:
        groups: dict[tuple[Parted, str], list[Pair]] = defaultdict(list)
        for pair in row.pairs:
            groups[_learned(pair, trials, known)].append(pair)
        for (parted, in_the_end), members in sorted(groups.items()):
            won, lost = (row.share(p for p in members if p.outcome == outcome).mean for outcome in OUTCOMES)
            equal = sum(p.parting is None for p in members) / len(members)
            number = len({(p.first.trial, p.second.trial) for p in members})
            cells = (*parted, in_the_end, number, len(members), equal, won, lost, won - lost)
            table.add(row, *cells)
    columns = (
        Column("parted at"),
        Column("method's step"),
        Column("other's step"),
        Column("libraries in the end"),
        Column("pairs of trials", "count"),
        Column("pairs", "count"),
        Column("same play", "share"),
        Column("won", "share"),
        Column("lost", "share"),
        Column("difference", "difference"),
    )
    notes = (
        COMPARED,
        ACCOUNT,
        "Parted at: the first step of learning after which the two trials held different libraries, and what won there on either side: a "
        "proposal, an update, a note, or the library that was there (kept, or stopped where there was nothing more to learn from).",
        "In the end: the same library, the same functions with other words (descriptions, notes, usage example), or other functions. "
        "Same play: share of these pairs in which both episodes are the same, turn by turn.",
    )
    return table.sheet("Causes 1: where the libraries parted", columns, notes)


def _learned(pair: Pair, trials: dict[str, Trial], known: Shelf) -> tuple[Parted, str]:
    one, two = trials[pair.first.trial], trials[pair.second.trial]
    alike = shown_less(one) == shown_less(two)
    end = known.compared(pair.first.library, pair.second.library, alike)
    return known.parted(one.trial, two.trial), end


# By what was done -----------------------------------------------------------------------------------------------------


def _turns(rows: Sequence[Paired], table: Table) -> Sheet:
    """One row a comparison and domain: the difference, and its items."""
    seen = {(p.outcome, p.cause) for row in rows for p in row.pairs}
    items = [(outcome, cause) for outcome in OUTCOMES for cause in CAUSES if (outcome, cause) in seen]
    for row in rows:
        equal = row.share(p for p in row.pairs if p.parting is None).mean
        shares = [row.share(_of(row, *item)).mean for item in items]
        cells = (len(row.pairs), row.alone, equal, row.chance.mean, row.difference())
        table.add(row, *cells, *shares)
    columns = (
        Column("pairs", "count"),
        Column("unpaired", "count"),
        Column("same play", "share"),
        Column("repeats differ", "share"),
        Column("difference", "difference"),
        *(Column(f"{outcome}: {cause}", "share") for outcome, cause in items),
    )
    notes = (
        COMPARED,
        "Difference: the sum of all that is won minus the sum of all that is lost; its interval is clustered by task and, with several "
        "learning repeats, by repeat. Unpaired: finished episodes whose partner has no result.",
        "Repeats differ: of two repeats of the other method on the same task, how often was one solved and one not? As much of won plus lost "
        "comes by chance (and, where that method learns, from its several libraries).",
        TURNS,
    )
    return table.sheet("Causes 2: where the loser's turns went", columns, notes)


def _items(rows: Sequence[Paired], table: Table, known: Shelf) -> Sheet:
    """One row an item of the account: its pairs, where these parted, what failed most often, an example."""
    for row, outcome, cause in product(rows, OUTCOMES, CAUSES):
        members = _of(row, outcome, cause)
        if members:
            calling = sum(_calls_what_differs(p, known) for p in members)
            cells = (outcome, cause, len(members), calling, row.share(members))
            table.add(row, *cells, *_seen(members))
    columns = (
        Column("outcome"),
        Column("cause"),
        Column("pairs", "count"),
        Column("calling what differs", "count"),
        Column("share", "share"),
        Column("parted in turn", "count"),
        Column("most often there"),
        Column("loser's failures"),
        Column("example"),
    )
    notes = (
        INTERVALS,
        "Calling what differs: pairs in which either side called a learned action that differs between the two libraries, in code, description or "
        "notes. In the others the difference between the libraries can have acted through the prompt alone.",
        "Parted in turn: the median of the first turn (from 1) in which the two episodes differ, and what most often stood there: the "
        "method's move | the other's.",
        "Loser's failures: what failed most often in the loser's episodes and why, of all its failed calls and invalid actions.",
        EXAMPLE,
    )
    return table.sheet("Causes 3: every item with an example", columns, notes)


def _of(row: Paired, outcome: Outcome, cause: Cause) -> list[Pair]:
    return [p for p in row.pairs if (p.outcome, p.cause) == (outcome, cause)]


def _calls_what_differs(pair: Pair, known: Shelf) -> bool:
    changed = known.changed(pair.first.library, pair.second.library)
    return any(m.callee in changed for made in pair.moves for m in made)


def _seen(members: Sequence[Pair]) -> tuple[Cell, ...]:
    """Where the pairs of an item parted, what failed in them, and the pair that is quickest to read."""
    turns = [(p, p.parting) for p in members]
    there = Counter(f"{moved(p.moves[0], t)} | {moved(p.moves[1], t)}" for p, t in turns if t is not None)
    failed = Counter(
        f"{m.callee}: {m.why}" if m.why else m.callee for p in members for m in p.loser if _failed(m.kind)
    )
    shortest = min(members, key=lambda p: (len(p.moves[0]) + len(p.moves[1]), p.keys))
    first = median_low(t + 1 for _, t in turns if t is not None) if there else None
    return first, _most(there), _most(failed), " ".join(key[:8] for key in shortest.keys)


def _failed(kind: str) -> bool:
    return kind in ("failed call", "invalid action")


def _most(counted: Counter[str]) -> str | None:
    """The most frequent entry with its count and that of all."""
    if not counted:
        return None
    name, number = min(counted.items(), key=lambda item: (-item[1], item[0]))
    return f"{name} ({number} of {counted.total()})"
