"""Do learned actions carry over to other tasks?

For each kind of test tasks: success with the learned library, success of the same agent without it, their
difference paired by task and seed (for these libraries, and for the method: a trial's episodes share a
library), and how often and how well learned actions were called. For runs with `learn_on` and
`test_on`; a library that was learned in another run (`library: RUN`) counts as learned, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from learnact.report.data import EpisodeSample, ReportData, RowKey, Score
from learnact.report.difference_columns import DifferenceColumns
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import INTERVALS, ModelColumns, RateColumns, score_rows
from learnact.statistics.differences import Difference, difference
from learnact.statistics.intervals import Interval, method_mean

TITLE = "Transfer: learned libraries against the same agent without learning"
COMPARED = (
    "Differences: learned minus the same agent without learning (act, react), on the same tasks and seeds "
    "with the same agent model."
)
CALLS = (
    "Learned calls: share of turns that called a learned action, and share of these calls that succeeded; "
    "means over tasks (of the latter over episodes with a call), intervals for other libraries and tasks."
)
NO_LIBRARY = "No method with a learned library has a test here."
NO_BASE = "No difference: no trial of the same agent without learning is in these runs."


@dataclass(frozen=True)
class TransferResult:
    """A method with learned libraries on one kind of test tasks. `without`, `difference`: None where the same
    agent did not play them without learning."""

    learned: Score
    without: Score | None
    difference: Difference | None
    frequency: Interval
    correctness: Interval


def transfer_results(data: ReportData) -> list[TransferResult]:
    """One for each kind of test tasks, method and pair of models."""
    samples = {key: EpisodeSample() for key in data.unfinished} | data.test_samples
    keys = data.ordered(samples)
    places = _places(data)
    found = []
    for key in keys:
        sample = samples[key]
        if not (any(sample.libraries) or key.learner_model):
            continue
        bases = (k for k in keys if k.agent_model == key.agent_model and _is_base(data, k, key))
        base = next((k for k in bases if places.get(k) == places.get(key)), None)
        other = samples[base] if base else EpisodeSample()
        found.append(
            TransferResult(
                learned=data.score(key, sample, data.unfinished.get(key, 0)),
                without=data.score(base, other, data.unfinished.get(base, 0)) if base else None,
                difference=_difference(sample, other) if base else None,
                frequency=_share(sample, sample.learned_calls, sample.action_turns),
                correctness=_share(sample, sample.learned_calls_ok, sample.learned_calls),
            )
        )
    return found


def _is_base(data: ReportData, base: RowKey, learned: RowKey) -> bool:
    """Whether a row is of the same agent without learning."""
    agents = {trial.agent for trial in data.trials.values() if trial.method == learned.method}
    own = [trial for trial in data.trials.values() if trial.method == base.method]
    return (
        bool(own)
        and all(not trial.learns and not trial.learner_model for trial in own)
        and ({trial.agent for trial in own} <= agents)
    )


def _places(data: ReportData) -> dict[RowKey, frozenset[str]]:
    """The domains with their options that the episodes of a row were played in."""
    found: dict[RowKey, frozenset[str]] = {}
    for *key, place in data.samples((*RowKey._fields, "place")):
        row = RowKey(*key)
        found[row] = found.get(row, frozenset()) | {place}
    return found


def _difference(learned: EpisodeSample, without: EpisodeSample) -> Difference:
    return difference(learned.outcomes(learned.success), without.outcomes(without.success))


def _share(sample: EpisodeSample, parts: Sequence[int], wholes: Sequence[int]) -> Interval:
    """The mean share of each episode's whole, for other libraries and tasks."""
    values = zip(sample.tasks, sample.learned, parts, wholes, strict=True)
    return method_mean((task, learned, part / whole) for task, learned, part, whole in values if whole)


def transfer_tables(data: ReportData) -> list[ResultTable]:
    """What a method gained over the same agent without learning; then both sides in full."""
    found = transfer_results(data)
    models = ModelColumns(result.learned.key for result in found)
    scores = [score for result in found for score in (result.learned, result.without) if score]
    rates, differences = RateColumns(scores), DifferenceColumns([result.difference for result in found])
    rows: list[tuple[Cell, ...]] = [
        (
            result.learned.key.domain,
            result.learned.key.method,
            *models.cells(result.learned.key),
            result.learned.success,
            result.without.success if result.without else None,
            *differences.cells(place),
            result.frequency,
            result.correctness,
            *rates.cells(result.learned),
        )
        for place, result in enumerate(found)
    ]
    columns = (
        Column("tested on"),
        Column("method"),
        *models.columns,
        Column("learned", "share", counted=True),
        Column("without", "share", counted=True),
        *differences.columns,
        Column("learned calls", "share", over="libraries"),
        Column("succeeded", "share", over="libraries"),
        *rates.columns,
    )
    missing = (NO_LIBRARY,) if not rows else ((NO_BASE,) if any(r.without is None for r in found) else ())
    notes = (INTERVALS, COMPARED, *differences.notes, CALLS, *models.notes, *rates.notes, *missing)
    marks = [r.learned.simulated or bool(r.without and r.without.simulated) for r in found]
    table = ResultTable(TITLE, columns, tuple(rows), notes).mark_simulated(marks)
    return [table, score_rows(list(dict.fromkeys(scores)), f"{TITLE}, in full", turns=True)]
