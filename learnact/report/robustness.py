"""How much of its success a method keeps when the interface changes.

AgentRefine (arXiv 2501.01702): the interface is an option of the domain (`perturb`); all domains of a run
count together in a column. The standard deviation over interfaces is told without what sampling noise adds to
it, and each changed interface is compared with the original one in pairs of the same task and seed.
"""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from learnact.report.data import ALL, EpisodeSample, ReportData, RowKey, Score, join_samples
from learnact.report.difference_columns import DifferenceColumns
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import INTERVALS, NOTHING_PLAYED, ModelColumns, RateColumns
from learnact.statistics.differences import Difference, difference
from learnact.statistics.intervals import clustered_mean
from learnact.statistics.spread import Spread, spread

ORIGINAL = "original"
ALL_FOUR = "all four"
FORMS = frozenset({"with-using", "move-to", "from-take", "no-space"})
"""The perturbations that change how actions are written."""


def interface(place: str) -> str:
    """The interface of a domain: `original`, the perturbations joined by +, or `all four` (of the forms).

    `place`: name and options of the domain.
    """
    perturbed = json.loads(place.partition(" ")[2] or "{}").get("perturb") or []
    return ALL_FOUR if set(perturbed) == FORMS else "+".join(perturbed) or ORIGINAL


@dataclass(frozen=True)
class InterfaceResult:
    """A method with a pair of models: its episodes in each interface."""

    total: Score
    samples: Mapping[str, EpisodeSample]

    @property
    def spread(self) -> Spread:
        """How much the interfaces differ, over the tasks that were played in all of them."""
        return spread([sample.outcomes(sample.success) for sample in self.samples.values()])

    def change(self, interface: str) -> Difference | None:
        """Success in an interface minus that in the original one; None where that was not played."""
        if ORIGINAL not in self.samples:
            return None
        one, two = self.samples[interface], self.samples[ORIGINAL]
        return difference(one.outcomes(one.success), two.outcomes(two.success))


def robustness_tables(data: ReportData) -> list[ResultTable]:
    """Success by interface; then, where there are others, each changed interface minus the original one."""
    found = interface_results(data)
    seen = {name for one in found for name in one.samples}
    interfaces = sorted(seen, key=lambda name: (name != ORIGINAL, name == ALL_FOUR, name.count("+"), name))
    changed = [name for name in interfaces if name != ORIGINAL]
    return [_by_interface(found, interfaces), *([_changes(found, changed)] if changed else [])]


def interface_results(data: ReportData) -> list[InterfaceResult]:
    """One for each method and pair of models."""
    played: dict[RowKey, dict[str, EpisodeSample]] = defaultdict(dict)
    for (place, *about), sample in data.samples(("place", *RowKey._fields[1:])).items():
        row, name = played[RowKey(ALL, *about)], interface(place)
        row[name] = row.get(name, EpisodeSample()) + sample
    missing: dict[RowKey, int] = defaultdict(int)
    for key, number in data.unfinished.items():
        missing[key._replace(domain=ALL)] += number
    return [
        InterfaceResult(data.score(key, join_samples(played[key].values()), missing[key]), played[key])
        for key in data.ordered(played)
    ]


def _by_interface(found: Sequence[InterfaceResult], interfaces: Sequence[str]) -> ResultTable:
    totals = [one.total for one in found]
    models, rates = ModelColumns(total.key for total in totals), RateColumns(totals)
    rows = []
    for one in found:
        means = {
            name: clustered_mean(zip(sample.tasks, sample.success, strict=True))
            for name, sample in one.samples.items()
        }
        apart = one.spread
        cells: list[Cell] = [means.get(name) for name in interfaces]
        cells += [statistics.fmean(mean.mean for mean in means.values())]
        cells += [apart.sd, apart.measured, apart.p_value, apart.tasks, one.total.success.episodes]
        rows.append((*models.cells(one.total.key), one.total.key.method, *cells, *rates.cells(one.total)))
    columns = (
        *models.columns,
        Column("method"),
        *(Column(name, "share", counted=True) for name in interfaces),
        Column("mean", "share"),
        Column("standard deviation", "share"),
        Column("as measured", "share"),
        Column("p", "p"),
        Column("tasks in all", "count", only_data=True),
        Column("episodes", "count"),
        *rates.columns,
    )
    notes = (
        INTERVALS,
        "Mean and standard deviation are over the interfaces; all domains of an interface count together. "
        "Episodes and the columns after it: over all interfaces.",
        "Standard deviation: without the share that sampling noise adds (as measured: with it), over the "
        "tasks that were played in every interface; 0 where noise alone explains what was measured. p: of no "
        "difference between interfaces, by permutation of interfaces within tasks, for these libraries.",
        *(_LIBRARY_NOISE if any(one.spread.scope == "tasks" and _learns(one) for one in found) else ()),
        *models.notes,
        *rates.notes,
        *(() if rows else (NOTHING_PLAYED,)),
    )
    table = ResultTable("Robustness: success by interface", columns, tuple(rows), notes)
    return table.mark_simulated([total.simulated for total in totals])


_LIBRARY_NOISE = (
    "With one library an interface, the luck of learning cannot be told from the interface: the standard "
    "deviation of a method that learns holds it (repeats.learn: 2 or more takes it away).",
)


def _learns(one: InterfaceResult) -> bool:
    return any(any(sample.learned) for sample in one.samples.values())


def _changes(found: Sequence[InterfaceResult], changed: Sequence[str]) -> ResultTable:
    played = [(one, name) for one in found for name in changed if name in one.samples]
    models = ModelColumns(one.total.key for one, _ in played)
    differences = DifferenceColumns([one.change(name) for one, name in played])
    rows: list[tuple[Cell, ...]] = []
    for place, (one, name) in enumerate(played):
        sides = [one.samples.get(side, EpisodeSample()) for side in (ORIGINAL, name)]
        rates = [clustered_mean(zip(side.tasks, side.success, strict=True)) for side in sides]
        key = one.total.key
        rows.append((*models.cells(key), key.method, name, *rates, *differences.cells(place)))
    columns = (
        *models.columns,
        Column("method"),
        Column("interface"),
        Column(ORIGINAL, "share", counted=True),
        Column("changed", "share", counted=True),
        *differences.columns,
    )
    notes = (
        INTERVALS,
        "Differences: success in the changed interface minus success in the original one, same tasks.",
        *differences.notes,
        *models.notes,
    )
    table = ResultTable("Robustness: changed minus original interface", columns, tuple(rows), notes)
    return table.mark_simulated([one.total.simulated for one, _ in played])
