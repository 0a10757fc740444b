"""Libraries that a job gives instead of learning them: a file, one library of a run, or all that a run has
learned.

Reads and checks them before anything starts. Does not cover which trial of a run goes with which
(matching.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from learnact.domains import registry
from learnact.errors import ResultsError
from learnact.job import Job
from learnact.job.matching import LEARN, kind_of, named_by
from learnact.library.check import check
from learnact.library.files import read_library
from learnact.methods import registry as methods
from learnact.records import DomainSpec, Library, canonical
from learnact.records.trials import TrainedTrial, TrialSpec
from learnact.results.location import Location
from learnact.results.reader import connect, dictionaries, find_run, load_library


def trained_trials(job: Job, results: Location) -> dict[str, tuple[TrainedTrial, ...]]:
    """The trials of the runs whose libraries a job names, by the name that the job gives the run.

    Raises:
        JobError: there is no such run, or it has learned nothing; names place and key.
    """
    named: dict[str, tuple[str | int, ...]] = {named_by(job).library: ("library",)}
    named |= {entry.library: ("methods", i, "library") for i, entry in enumerate(job.methods)}
    return {
        name: _run(job, name, place, results)
        for name, place in named.items()
        if name and kind_of(name) == "run"
    }


def _run(job: Job, name: str, place: tuple[str | int, ...], results: Location) -> tuple[TrainedTrial, ...]:
    if name in (job.name, "latest"):
        raise job.error(
            place,
            f"{name!r} would be this job's own run when it continues; give the job another name, or name "
            "the run by its id",
        )
    try:
        found = find_run(results, name)
        with connect(results, found.run) as connection:
            rows = dictionaries(connection, "SELECT * FROM trials ORDER BY trial")
    except ResultsError as error:
        near = f" or {LEARN!r}" if place == ("library",) else ""
        raise job.error(
            place, f"{name!r} is no library file, no RUN:LIBRARY{near}, and as a run: {error}"
        ) from None
    learned = tuple(_trained(found.run, row) for row in rows)
    learned = tuple(t for t in learned if methods.learns(t.learner))
    if not learned:
        raise job.error(place, f"run {name} has learned nothing: none of its methods has a learner")
    return learned


def _trained(run: str, row: Mapping[str, Any]) -> TrainedTrial:
    options: dict[str, Any] = json.loads(row["options"] or "{}")
    domain = options.get("domain") or {"name": row["domain"]}
    return TrainedTrial(
        run=run,
        trial=row["trial"],
        status=row["status"] or "",
        method=options.get("method") or row["method"],
        label=row["method"],
        learner=options.get("learner") or "",
        options=canonical(options.get("settings") or {}),
        rules=canonical(options.get("rules") or {}),
        domain=DomainSpec(domain["name"], domain.get("options", "{}")),
        agent_model=row["agent_model"] or "",
        learner_model=row["learner_model"] or "",
        seed=row["seed"] or 0,
        learn_repeat=row["learn_repeat"] or 0,
        library=row["library"] or "",
    )


def read(
    job: Job, trials: Iterable[TrialSpec], results: Location
) -> tuple[tuple[TrialSpec, ...], dict[str, Library]]:
    """The trials, each with the address of the library that it is given, and these libraries by the trial's
    id.

    Raises:
        JobError: a library cannot be found, or its functions call primitives that a domain does not have
        where it is to be tested.
        LibraryError: a library file cannot be used; names file and line.
    """
    addressed, libraries = [], {}
    for trial in trials:
        if trial.library:
            library = _library(job, trial, results)
            if not trial.library_hash:
                trial = replace(trial, library_hash=library.id)
            libraries[trial.id] = library
        addressed.append(trial)
    return tuple(addressed), libraries


def named_library(
    job: Job, place: tuple[str | int, ...], name: str, spec: DomainSpec, results: Location
) -> Library:
    """The library that a file or RUN:LIBRARY names, for a domain. Raises as `read` does."""
    if kind_of(name) == "file":
        return read_library(Path(name), _primitives(spec))
    run, _, wanted = name.rpartition(":")
    if not run:
        raise job.error(place, f"{name!r} is no library file and no RUN:LIBRARY")
    return _of_run(job, place, name, run, wanted, results=results)


def _of_run(
    job: Job, place: tuple[str | int, ...], name: str, run: str, wanted: str, *, results: Location
) -> Library:
    try:
        with connect(results, run) as connection:
            return load_library(connection, wanted)
    except ResultsError as error:
        raise job.error(place, f"{name}: {error}") from None


def _library(job: Job, trial: TrialSpec, results: Location) -> Library:
    place = _place(job, trial)
    if trial.trained is not None:
        run, wanted = trial.trained.run, trial.trained.library
        library = _of_run(job, place, trial.library, run, wanted, results=results)
    else:
        library = named_library(job, place, trial.library, trial.test_domains[0], results)
    for spec in trial.test_domains:
        if library.actions and (problems := check(library.source, _primitives(spec))):
            told = "; ".join(problem.message for problem in problems)
            raise job.error(
                place,
                f"the library of {trial.label} ({library.id[:12]}, from {trial.library}) cannot be "
                f"played on {spec.name} {spec.options}: {told}; "
                "test it on domains that have the primitive actions that it calls",
            )
    return library


def _place(job: Job, trial: TrialSpec) -> tuple[str | int, ...]:
    """Where the job names the library of a trial."""
    for index, entry in enumerate(job.methods):
        if entry.library == trial.library and entry.name == trial.method:
            return ("methods", index, "library")
    return ("library",)


def _primitives(spec: DomainSpec) -> list[str]:
    return [primitive.name for primitive in registry.build(spec).primitives]


def origin(trial: TrialSpec) -> dict[str, str]:
    """Where a trial's given library came from, for the results; {} where it learned its own."""
    if trial.trained is not None:
        return {"from": trial.trained.run, "trial": trial.trained.trial, "library": trial.trained.library}
    return {"from": trial.library, "library": trial.library_hash} if trial.library else {}
