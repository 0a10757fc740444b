"""Do learned actions carry over to other tasks?

For each kind of test tasks: success with the learned library, success without it (Act), their difference
paired by task, and how often and how well learned actions were called. For runs with `learn_on` and
`test_on`; a library that was learned in another run (`library: RUN`) counts as learned, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from learnact.report.data import EpisodeSample, ReportData, RowKey, Score
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import INTERVALS, ModelColumns, RateColumns, score_rows
from learnact.statistics.differences import paired_difference
from learnact.statistics.intervals import NOTHING, Interval

TITLE = "Transfer: learned libraries against Act"
NOTES = (
    "Difference: learned minus the same agent without learning (act, react), on the same tasks and seeds "
    "with the same agent model; its interval speaks of these libraries on other tasks.",
    "Learned calls: share of turns that called a learned action, and share of these calls that succeeded; "
    "means over episodes (of the latter over those with a call).",
)
NO_LIBRARY = "No method with a learned library has a test here."
NO_BASE = "No difference: no trial of the same agent without learning is in these runs."


@dataclass(frozen=True)
class TransferResult:
    """A method with learned libraries on one kind of test tasks. `act`: None where Act did not play them."""

    learned: Score
    act: Score | None
    difference: Interval
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
                act=data.score(base, other, data.unfinished.get(base, 0)) if base else None,
                difference=_difference(sample, other) if base else NOTHING,
                frequency=sample.call_frequency,
                correctness=sample.call_correctness,
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


def _difference(learned: EpisodeSample, act: EpisodeSample) -> Interval:
    return paired_difference(learned.outcomes(learned.success), act.outcomes(act.success))


def transfer_tables(data: ReportData) -> list[ResultTable]:
    """What a method gained over Act (with the learned side's episodes); then both sides in full."""
    found = transfer_results(data)
    models = ModelColumns(result.learned.key for result in found)
    scores = [score for result in found for score in (result.learned, result.act) if score]
    rates = RateColumns(scores)
    rows: list[tuple[Cell, ...]] = [
        (
            result.learned.key.domain,
            result.learned.key.method,
            *models.cells(result.learned.key),
            result.learned.success,
            result.act.success if result.act else None,
            result.difference,
            result.frequency,
            result.correctness,
            *rates.cells(result.learned),
        )
        for result in found
    ]
    columns = (
        Column("tested on"),
        Column("method"),
        *models.columns,
        Column("learned", "share", counted=True),
        Column("act", "share", counted=True),
        Column("difference", "difference"),
        Column("learned calls", "share"),
        Column("succeeded", "share"),
        *rates.columns,
    )
    missing = (NO_LIBRARY,) if not rows else ((NO_BASE,) if any(r.act is None for r in found) else ())
    notes = (INTERVALS, *NOTES, *models.notes, *rates.notes, *missing)
    marks = [result.learned.simulated or bool(result.act and result.act.simulated) for result in found]
    table = ResultTable(TITLE, columns, tuple(rows), notes).mark_simulated(marks)
    return [table, score_rows(list(dict.fromkeys(scores)), f"{TITLE}, in full", turns=True)]
