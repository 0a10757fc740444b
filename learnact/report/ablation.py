"""Tables 6 and 7 of the LearnAct paper: LearnAct in full, and with parts switched off."""

from __future__ import annotations

from collections.abc import Sequence

from learnact.methods.learnact import LEARNACT
from learnact.report.data import ALL, EpisodeSample, ReportData, RowKey, TrialRow, join_samples
from learnact.report.difference_columns import DifferenceColumns
from learnact.report.result_table import Column, ResultTable
from learnact.report.score_table import INTERVALS, OF_METHOD, ModelColumns, RateColumns
from learnact.statistics.differences import Difference, difference

SWITCHES: dict[str, tuple[str, str]] = {
    "show_descriptions": ("descriptions off", "6"),
    "show_usage_example": ("usage example off", "6"),
    "updates": ("updates off", "7"),
    "notes": ("notes off", "7"),
    "sampling": ("sampling off", "7"),
    "learning": ("learning off", "7"),
}
"""Switches that an ablation turns off, what a table calls that, and which table it belongs to."""

DIFFERENCE = "Differences: variant minus LearnAct in full, on the same tasks with the same models."
REFERENCE = "no learning, for reference"
NO_LEARNACT = "No trial of LearnAct is in these runs."
NO_VARIANT = (
    "Nothing to compare: these runs hold no variant of this table; jobs/paper/table{table}.yaml has them."
)
NO_BASE = "No difference: these runs hold no trial of LearnAct in full."


def table6(data: ReportData) -> list[ResultTable]:
    """LearnAct without descriptions, without the usage example."""
    return [ablation_table(data, "6", "Table 6: what the agent is shown of the library")]


def table7(data: ReportData) -> list[ResultTable]:
    """LearnAct without updates, notes, sampling, learning."""
    return [ablation_table(data, "7", "Table 7: what the learner does")]


def switched_off(trial: TrialRow) -> tuple[str, ...]:
    """What a trial of LearnAct goes without, by name of switch."""
    values = {**trial.settings, **trial.rules}
    return tuple(name for name in SWITCHES if values.get(name) is False)


def ablation_table(data: ReportData, table: str, title: str) -> ResultTable:
    """LearnAct in full, then each variant with its difference, paired by task (and by learning repeat).

    The methods of the runs that learn nothing come first, for reference (their difference: table causes).
    """
    variants = _variants(data, table)
    names = {method: ", ".join(SWITCHES[n][0] for n in off) or "in full" for method, off in variants.items()}
    if variants:
        without = (trial.method for trial in data.trials.values() if not trial.learns)
        names = {**dict.fromkeys(without, REFERENCE), **names}
    order = list(names)
    scores = sorted(
        (score for score in data.scores if score.key.method in names),
        key=lambda s: (s.key.domain == ALL, s.key.domain, s.key[2:], order.index(s.key.method)),
    )
    by_trial = _by_models(data)
    models, rates = ModelColumns(score.key for score in scores), RateColumns(scores)
    differences = DifferenceColumns([_difference(by_trial, score.key, variants) for score in scores])
    rows = tuple(
        (
            score.key.domain,
            *models.cells(score.key),
            score.key.method,
            names[score.key.method],
            score.success,
            score.success_of_method,
            *differences.cells(place),
            score.progress,
            score.success.episodes,
            *rates.cells(score),
        )
        for place, score in enumerate(scores)
    )
    columns = (
        Column("domain"),
        *models.columns,
        Column("method"),
        Column("variant"),
        Column("success", "share"),
        Column("of the method", "share", over="libraries"),
        *differences.columns,
        Column("progress", "share"),
        Column("episodes", "count"),
        *rates.columns,
    )
    notes = (
        INTERVALS,
        OF_METHOD,
        *((DIFFERENCE, *differences.notes) if differences.notes else ()),
        *models.notes,
        *rates.notes,
        *_missing(table, variants),
    )
    return ResultTable(title, columns, rows, notes).mark_simulated([score.simulated for score in scores])


def _variants(data: ReportData, table: str) -> dict[str, tuple[str, ...]]:
    """What each method of the table goes without: in full first, then in the order of the job."""
    found: dict[str, tuple[str, ...]] = {}
    for trial in data.trials.values():
        off = switched_off(trial)
        if trial.learner == LEARNACT.name and all(SWITCHES[name][1] == table for name in off):
            found.setdefault(trial.method, off)
    return dict(sorted(found.items(), key=lambda item: (len(item[1]), data.place_of(item[0]), item[0])))


def _missing(table: str, variants: dict[str, tuple[str, ...]]) -> Sequence[str]:
    """What the runs do not hold, in words."""
    if not variants:
        return (NO_LEARNACT, NO_VARIANT.format(table=table))
    if not any(variants.values()):
        return (NO_VARIANT.format(table=table),)
    return () if not all(variants.values()) else (NO_BASE,)


def _by_models(data: ReportData) -> dict[RowKey, EpisodeSample]:
    """The test episodes by domain, method and models, and over all domains."""
    found = dict(data.test_samples)
    for key in {key._replace(domain=ALL) for key in data.test_samples}:
        parts = [sample for part, sample in data.test_samples.items() if part._replace(domain=ALL) == key]
        found[key] = join_samples(parts)
    return found


def _difference(
    samples: dict[RowKey, EpisodeSample], key: RowKey, variants: dict[str, tuple[str, ...]]
) -> Difference | None:
    """Success of a variant minus that of LearnAct in full, with the same models on the same tasks."""
    base = next((method for method, off in variants.items() if not off), None)
    if base is None or not variants.get(key.method):
        return None
    one, two = (samples.get(k, EpisodeSample()) for k in (key, key._replace(method=base)))
    return difference(one.outcomes(one.success), two.outcomes(two.success))
