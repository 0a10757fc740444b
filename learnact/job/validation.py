"""What a job says that contradicts itself, refused before any trial is made."""

from __future__ import annotations

from learnact.errors import JobError, suggestion
from learnact.job.axes import NOT_IDENTITY
from learnact.job.file import JobFile
from learnact.job.matching import kind_of, named_by
from learnact.job.schema import JobConfig, LibraryConfig, ModelConfig
from learnact.records import canonical


def check(job: JobConfig, source: JobFile) -> None:
    """Refuse what contradicts itself. Raises `JobError` naming place, key and the way out."""
    named = named_by(job)
    if named.library and kind_of(named.library) == "run":
        _check_from_run(job, source)
    else:
        _check_domains(job, source)
    if isinstance(job.library, LibraryConfig):
        _check_match(job, job.library, source)
    for index, entry in enumerate(job.test_on or ()):
        if "budget" in entry.model_fields_set:
            raise JobError(
                f"{source.at('test_on', index, 'budget')}: all that a library is tested on has one "
                "budget; give it as budget.test of the job"
            )
    _check_match_budget(job, source)
    _check_models(job, source)


def _given(job: JobConfig, source: JobFile, part: str) -> bool:
    """Whether the job itself names domains under this key, not a preset."""
    return getattr(job, part) is not None and not source.where(part).startswith("preset")


def _check_domains(job: JobConfig, source: JobFile) -> None:
    if job.learn_on is not None and _given(job, source, "domains"):
        raise JobError(f"{source.where('learn_on')}: learn_on: replaces domains; give one of the two")
    given_one = bool(named_by(job).library) and job.test_on is not None
    if job.learn_on is None and job.domains is None and not given_one:
        raise JobError(f"{source.where()}: domains: name at least one domain; `learnact domains` lists them")


def _check_from_run(job: JobConfig, source: JobFile) -> None:
    """Libraries of a run: nothing is learned, and `domains` or `test_on` says where they are tested."""
    if job.learn_on is not None:
        raise JobError(
            f"{source.at('learn_on')}: nothing is learned, the libraries are another run's; leave "
            "learn_on out"
        )
    if job.test_on is not None and _given(job, source, "domains"):
        raise JobError(
            f"{source.at('test_on')}: the same as domains where libraries are another run's; give one of "
            "the two"
        )
    if job.test_on is None and job.domains is None:
        raise JobError(
            f"{source.where('library')}: test_on: name at least one domain to test the libraries on; "
            "`learnact domains` lists them"
        )
    for index, entry in enumerate(job.domains or ()):
        if job.test_on is None and "budget" in entry.model_fields_set:
            raise JobError(
                f"{source.at('domains', index, 'budget')}: all that a library is tested on has one "
                "budget; give it as budget.test of the job"
            )


def _check_match(job: JobConfig, library: LibraryConfig, source: JobFile) -> None:
    missing = {"repeat", "learner"} - set(library.match)
    if missing:
        names = " and ".join(sorted(missing))
        raise JobError(f"{source.where('library.match')}: library.match: {names} always match; add them")
    one = named_by(job).library
    if not one and library != LibraryConfig() and job.test_on is None:
        raise JobError(
            f"{source.where('library')}: library: matching needs test_on, where the libraries are tested"
        )
    if one and kind_of(one) != "run" and "match" in library.model_fields_set:
        raise JobError(
            f"{source.where('library.match')}: library.match: {one} is one library, so there is nothing "
            "to match; leave it out"
        )


def _check_models(job: JobConfig, source: JobFile) -> None:
    """Refuse entries of one list that are the same model: the second would be dropped, or pooled with the
    first.
    """
    for key in ("agent", "learner"):
        entries: tuple[ModelConfig, ...] = getattr(job.models, key)
        for index, entry in enumerate(entries):
            for first, other in enumerate(entries[:index]):
                place = source.at("models", key, index)
                if (entry.label or entry.name) != (other.label or other.name):
                    continue
                if entry.label and other.label:
                    raise JobError(
                        f"{place}: {entry.label!r} is the label of models.{key}.{first} too; change one"
                    )
                if _identity(entry) == _identity(other):
                    raise JobError(
                        f"{place}: the same model as models.{key}.{first}; give replicas of one model as "
                        "a list of "
                        "base_url, or give each a label"
                    )


def _identity(entry: ModelConfig) -> str:
    return canonical(entry.model_dump(mode="json", exclude=set(NOT_IDENTITY)))


def _check_match_budget(job: JobConfig, source: JobFile) -> None:
    if job.match_budget is not None and job.protocol == "stream":
        raise JobError(
            f"{source.at('match_budget')}: budgets are matched for `protocol: batch` only; leave one of the "
            "two out"
        )
    if job.match_budget is None:
        return
    labels = [entry.label or entry.name for entry in job.methods]
    if job.match_budget.to not in labels:
        raise JobError(
            f"{source.at('match_budget', 'to')}: no method is called {job.match_budget.to!r}; "
            f"{suggestion(job.match_budget.to, labels)}"
        )
