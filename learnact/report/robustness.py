"""How much of its success a method keeps when the interface changes: success for each perturbation, their mean and standard deviation.

AgentRefine (arXiv 2501.01702): the interface is an option of the domain (`perturb`); all domains of a run count together in a column.
"""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict

from learnact.report.played import (
    ALL,
    Group,
    Played,
    order_of_methods,
    played,
    score,
    simulated_models,
    unfinished,
)
from learnact.report.sheet import Cell, Column, Sheet, mark
from learnact.report.tables import INTERVALS, NOTHING_PLAYED, Beside, Models
from learnact.results.reader import Connection
from learnact.results.statistics import clustered_mean

ORIGINAL = "original"
ALL_FOUR = "all four"


def interface(place: str) -> str:
    """What an episode was played in, by name and options of its domain: `original`, the perturbations joined by +, or `all four`."""
    perturbed = json.loads(place.partition(" ")[2] or "{}").get("perturb") or []
    return ALL_FOUR if len(perturbed) == 4 else "+".join(perturbed) or ORIGINAL


def robustness_sheets(connection: Connection) -> list[Sheet]:
    """One row a method and pair of models, one column an interface."""
    episodes = played(connection)
    places: dict[Group, dict[str, list[Played]]] = defaultdict(lambda: defaultdict(list))
    for episode in episodes:
        places[episode.group._replace(domain=ALL)][interface(episode.place)].append(episode)
    seen = {face for row in places.values() for face in row}
    faces = sorted(seen, key=lambda face: (face != ORIGINAL, face == ALL_FOUR, face.count("+"), face))
    simulated, order = simulated_models(connection), order_of_methods(connection)
    missing: dict[Group, int] = defaultdict(int)
    for group, number in unfinished(connection, episodes).items():
        missing[group._replace(domain=ALL)] += number
    groups = sorted(places, key=lambda g: (g.agent_model, order.get(g.method, 99), g))
    totals = [score(g, [e for p in places[g].values() for e in p], missing[g], simulated) for g in groups]
    models, beside = Models(groups), Beside(totals)
    rows = []
    for total in totals:
        row = places[total.group]
        found = {face: clustered_mean((e.task, e.success) for e in row[face]) for face in row}
        means = [rate.mean for rate in found.values()]
        spread = statistics.stdev(means) if len(means) > 1 else math.nan
        cells: list[Cell] = [found.get(face) for face in faces]
        cells += [statistics.fmean(means), spread, total.success.episodes]
        rows.append((*models.cells(total.group), total.group.method, *cells, *beside.cells(total)))
    columns = (
        *models.columns,
        Column("method"),
        *(Column(face, "share", counted=True) for face in faces),
        Column("mean", "share"),
        Column("standard deviation", "share"),
        Column("episodes", "count"),
        *beside.columns,
    )
    notes = (
        INTERVALS,
        "Mean and standard deviation are over the interfaces; all domains of an interface count together. Episodes and what follows: over all "
        "interfaces.",
        *models.notes,
        *beside.notes,
        *(() if rows else (NOTHING_PLAYED,)),
    )
    sheet = Sheet("Robustness: success by interface", columns, tuple(rows), notes)
    return [mark(sheet, [total.simulated for total in totals])]
