"""How much of its success a method keeps when the interface changes: success for each perturbation, their mean and standard deviation.

AgentRefine (arXiv 2501.01702): the interface is an option of the domain (`perturb`); all domains of a run count together in a column.
"""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict

from learnact.report.played import (
    Played,
    Trial,
    learner_is_simulated,
    order_of_methods,
    played,
    score,
    trials,
    unfinished,
)
from learnact.report.sheet import Cell, Column, Sheet
from learnact.report.tables import INTERVALS
from learnact.results.reader import Connection

ORIGINAL = "original"
ALL_FOUR = "all four"


def interface(trial: Trial) -> str:
    """What a trial's test tasks are played in: `original`, the perturbations joined by +, or `all four`."""
    _, own, tested, _ = json.loads(trial.tests)
    spec = tested[0] if tested else own or {}
    perturbed = json.loads(spec.get("options") or "{}").get("perturb") or []
    return ALL_FOUR if len(perturbed) == 4 else "+".join(perturbed) or ORIGINAL


def robustness_sheets(connection: Connection) -> list[Sheet]:
    """One row a method and agent model, one column an interface."""
    known, episodes = trials(connection), played(connection)
    places: dict[tuple[str, str], dict[str, list[Played]]] = defaultdict(lambda: defaultdict(list))
    for episode in episodes:
        if episode.trial in known:
            where = interface(known[episode.trial])
            places[episode.agent_model, episode.method][where].append(episode)
    seen = {face for row in places.values() for face in row}
    faces = sorted(seen, key=lambda face: (face != ORIGINAL, face == ALL_FOUR, face.count("+"), face))
    learner, order = learner_is_simulated(connection), order_of_methods(connection)
    missing: dict[tuple[str, str], int] = defaultdict(int)
    for group, number in unfinished(connection, episodes).items():
        missing[group.agent_model, group.method] += number
    rows, simulated = [], False
    for (model, method), row in sorted(places.items(), key=lambda i: (i[0][0], order.get(i[0][1], 99))):
        found = {face: score(row[face][0].group, row[face], 0, learner) for face in row}
        simulated = simulated or any(s.simulated for s in found.values())
        means = [s.success.mean for s in found.values()]
        spread = statistics.stdev(means) if len(means) > 1 else math.nan
        cells: list[Cell] = [found[f].success if f in found else None for f in faces]
        total = sum(len(part) for part in row.values())
        rows.append((model, method, *cells, statistics.fmean(means), spread, total, missing[model, method]))
    columns = [Column("agent model"), Column("method"), *(Column(face, "share") for face in faces)]
    columns += [Column("mean", "share"), Column("standard deviation", "share")]
    columns += [Column("episodes", "count"), Column("unfinished", "count")]
    notes = (
        INTERVALS,
        "Mean and standard deviation are over the interfaces; all domains of an interface count together.",
    )
    return [Sheet("Robustness: success by interface", tuple(columns), tuple(rows), notes, simulated)]
