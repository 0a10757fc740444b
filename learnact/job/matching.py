"""Libraries made elsewhere: how a job names them, and which trial of a finished run gives its library to
which trial.

Covers names and matching, on plain data. Does not cover reading files and runs (libraries.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from learnact.errors import JobError
from learnact.job.schema import MATCHES, JobConfig, Match
from learnact.methods import registry
from learnact.records import LearnerSpec, canonical
from learnact.records.trials import TrainedTrial, TrialSpec

SourceKind = Literal["file", "one", "run"]
"""A file; one library of a run (RUN:LIBRARY); or all that a run has learned."""
LEARN = "learn"


class LibrarySource(NamedTuple):
    """A library as a job names it; `library` is "" where libraries are learned."""

    library: str
    match: tuple[Match, ...] = MATCHES


def kind_of(library: str) -> SourceKind:
    """What a job names: a file where there is one, or where the name ends like one."""
    path = Path(library)
    if path.is_file() or path.suffix in (".py", ".json"):
        return "file"
    return "one" if ":" in library else "run"


def named_by(job: JobConfig) -> LibrarySource:
    """The library that a job names for all its learning methods."""
    if isinstance(job.library, str):
        return LibrarySource(job.library)
    source = job.library.source
    return LibrarySource("" if source == LEARN else source, tuple(job.library.match))


def match(run: str, trial: TrialSpec, trained: Sequence[TrainedTrial]) -> TrainedTrial:
    """The trial of a run whose library another trial is to have.

    It has the same method with the same learning options, domain, learner model and learning repeat. Where
    several do, those with the same label, agent model, seed and rules are preferred, in this order.

    Raises:
        JobError: there is none, more than one, or it is not done; names what the run has.
    """
    must: tuple[tuple[str, object, Callable[[TrainedTrial], object]], ...] = (
        ("method", trial.method, lambda t: t.method),
        ("domain", f"{trial.domain.name} {trial.domain.options}", _domain_words),
        ("learner model", trial.learner_model.shown, lambda t: t.learner_model),
        ("learning repeat", trial.learn_repeat, lambda t: t.learn_repeat),
    )
    left = list(trained)
    for what, value, of in must:
        there = sorted({str(of(t)) for t in left})
        left = [t for t in left if of(t) == value]
        if not left:
            raise JobError(f"run {run} learned nothing with {what} {value}; it has {', '.join(there)}")
    left = _with_options(run, trial.learner, left)
    preferred: tuple[Callable[[TrainedTrial], bool], ...] = (
        lambda t: t.label == trial.label,
        lambda t: t.agent_model == trial.agent_model.shown,
        lambda t: t.seed == trial.job_seed,
        lambda t: t.rules == canonical(trial.rules),
    )
    for fits in preferred:
        left = [t for t in left if fits(t)] or left
    if len(left) > 1:
        found = sorted({f"{t.label} (agent {t.agent_model}, seed {t.seed})" for t in left})
        raise JobError(
            f"run {run} has {len(left)} libraries that fit: {', '.join(found)}; "
            "give the method the label of one, or name one library with RUN:LIBRARY"
        )
    if left[0].status != "done":
        raise JobError(
            f"run {run}: {left[0].label} on {left[0].domain.name} is {left[0].status or 'not begun'}, "
            "not done; "
            "run its job again to finish it"
        )
    return left[0]


def _domain_words(trained: TrainedTrial) -> str:
    return f"{trained.domain.name} {trained.domain.options}"


def _with_options(run: str, learner: LearnerSpec, trained: list[TrainedTrial]) -> list[TrainedTrial]:
    """Those that learned with the options of this job's method."""
    differences = [(t, _differences(learner, t)) for t in trained]
    same = [t for t, found in differences if not found]
    if not same:
        found_options = sorted({f"{t.label} learned with {', '.join(found)}" for t, found in differences})
        raise JobError(
            f"run {run} learned with other settings: {'; '.join(found_options)}; set the same here"
        )
    return same


def _differences(learner: LearnerSpec, trained: TrainedTrial) -> list[str]:
    """Options that made another library, in words.

    An empty score stands for the domain's, so it equals any.
    """
    theirs: dict[str, Any] = json.loads(trained.options)
    ours: dict[str, Any] = json.loads(learner.options)
    known = registry.find_learner(learner.name)
    found = []
    for name in sorted((ours.keys() & theirs.keys()) - known.test_only):
        any_score = name == "score" and not (ours[name] and theirs[name])
        if ours[name] != theirs[name] and not any_score:
            found.append(f"{name} {json.dumps(theirs[name])} (here {json.dumps(ours[name])})")
    return found
