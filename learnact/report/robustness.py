"""How much of its success a method keeps when the interface changes.

AgentRefine (arXiv 2501.01702): the interface is an option of the domain (`perturb`); all domains of a run
count together in a column.
"""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict

from learnact.report.data import ALL, EpisodeSample, ReportData, RowKey, join_samples
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import INTERVALS, NOTHING_PLAYED, ModelColumns, RateColumns
from learnact.statistics.intervals import clustered_mean

ORIGINAL = "original"
ALL_FOUR = "all four"


def interface(place: str) -> str:
    """The interface of a domain: `original`, the perturbations joined by +, or `all four`.

    `place`: name and options of the domain.
    """
    perturbed = json.loads(place.partition(" ")[2] or "{}").get("perturb") or []
    return ALL_FOUR if len(perturbed) == 4 else "+".join(perturbed) or ORIGINAL


def robustness_tables(data: ReportData) -> list[ResultTable]:
    """One row for each method and pair of models, one column for each interface."""
    played: dict[RowKey, dict[str, EpisodeSample]] = defaultdict(dict)
    for (place, *about), sample in data.samples(("place", *RowKey._fields[1:])).items():
        row, name = played[RowKey(ALL, *about)], interface(place)
        row[name] = row.get(name, EpisodeSample()) + sample
    seen = {name for row in played.values() for name in row}
    interfaces = sorted(seen, key=lambda name: (name != ORIGINAL, name == ALL_FOUR, name.count("+"), name))
    missing: dict[RowKey, int] = defaultdict(int)
    for key, number in data.unfinished.items():
        missing[key._replace(domain=ALL)] += number
    keys = data.ordered(played)
    totals = [data.score(key, join_samples(played[key].values()), missing[key]) for key in keys]
    models, rates = ModelColumns(keys), RateColumns(totals)
    rows = []
    for total in totals:
        samples = played[total.key]
        found = {
            name: clustered_mean(zip(one.tasks, one.success, strict=True)) for name, one in samples.items()
        }
        means = [rate.mean for rate in found.values()]
        spread = statistics.stdev(means) if len(means) > 1 else math.nan
        cells: list[Cell] = [found.get(name) for name in interfaces]
        cells += [statistics.fmean(means), spread, total.success.episodes]
        rows.append((*models.cells(total.key), total.key.method, *cells, *rates.cells(total)))
    columns = (
        *models.columns,
        Column("method"),
        *(Column(name, "share", counted=True) for name in interfaces),
        Column("mean", "share"),
        Column("standard deviation", "share"),
        Column("episodes", "count"),
        *rates.columns,
    )
    notes = (
        INTERVALS,
        "Mean and standard deviation are over the interfaces; all domains of an interface count together. "
        "Episodes and the columns after it: over all interfaces.",
        *models.notes,
        *rates.notes,
        *(() if rows else (NOTHING_PLAYED,)),
    )
    table = ResultTable("Robustness: success by interface", columns, tuple(rows), notes)
    return [table.mark_simulated([total.simulated for total in totals])]
