"""The one exception tree.

    LearnactError
    ├── BadInput (ValueError)          a job, task, library file, argument or results folder that cannot be
      used: exit code 2
    │   ├── JobError                   a job file: names file, line, key and the way out
    │   ├── TaskError                  a task or problem file
    │   ├── LibraryError               a library of learned actions that was handed in by a person
    │   └── ResultsError               a results folder, a run's name, a query
    │       └── RunTakenOver           another driver writes the run now
    ├── StoreUnavailable (OSError)     the storage of results does not answer
    ├── MissingExtra (ImportError)     an optional part is not installed; says what to install
    └── Failure (RuntimeError)         something outside the agent went wrong; attributed to one boundary,
      tried again, never scored
        ├── ProviderFailure            the model's endpoint
        ├── SandboxFailure             the confined process or its deadline, not the learned code in it
        ├── EnvironmentFailure         the environment's engine
        └── HarnessFailure             ourselves: a lost worker, a wall-clock deadline, a bug

All take positional arguments only, so that they survive pickling between processes.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Literal

Boundary = Literal["provider", "sandbox", "environment", "harness"]


class LearnactError(Exception):
    """Base of everything that learnact raises on purpose."""


class BadInput(LearnactError, ValueError):
    """Input that cannot be used. The message names the thing, the place and the way out."""


class JobError(BadInput):
    """A job file or a setting in it is wrong."""


class TaskError(BadInput):
    """A task or problem file is wrong, or names something that does not exist."""


class LibraryError(BadInput):
    """A library that a person handed in cannot be used."""


class ResultsError(BadInput):
    """A results folder, run or query cannot be used."""


class RunTakenOver(ResultsError):
    """Another driver writes the run that this one was writing. What this one had committed is kept."""


class StoreUnavailable(LearnactError, OSError):
    """The storage of results does not answer, although it was asked again. Arguments as of `OSError`."""

    def __str__(self) -> str:
        return str(self.strerror)


class MissingExtra(LearnactError, ImportError):
    """An optional part is not installed. The message says what to install."""


class Failure(LearnactError, RuntimeError):
    """Something outside the agent went wrong; a try that ends so is recorded, repeated and never scored.

    ``Failure(message, retryable)``: ``retryable`` is False where another try cannot help (a refused key).
    """

    boundary: Boundary = "harness"

    def __init__(self, message: str, retryable: bool = True) -> None:
        super().__init__(message, retryable)
        self.message = message
        self.retryable = retryable

    def __str__(self) -> str:
        return self.message


class ProviderFailure(Failure):
    """The model's endpoint failed after its own retries, or refused the request."""

    boundary: Boundary = "provider"


class SandboxFailure(Failure):
    """The confined process could not be started, or missed its wall-clock deadline."""

    boundary: Boundary = "sandbox"


class EnvironmentFailure(Failure):
    """The environment's engine failed; not an invalid action."""

    boundary: Boundary = "environment"


class HarnessFailure(Failure):
    """Ourselves: a lost worker, a deadline, a bug."""

    boundary: Boundary = "harness"


NEAR = 0.6
"""How alike two names must be for one to be suggested (0 to 1, as `difflib` measures)."""
LISTED = 40
"""Valid names listed at most."""


def near_names(name: object, valid: Iterable[object], near: float = NEAR) -> list[str]:
    """Up to three valid names like the one given, the nearest first."""
    return difflib.get_close_matches(str(name), sorted(map(str, valid)), n=3, cutoff=near)


def suggestion(name: object, valid: Iterable[object], near: float = NEAR) -> str:
    """The end of an error message: the nearest valid names, or all of them when none is near.

    >>> suggestion("lernact", ["act", "learnact"])
    "did you mean 'learnact'?"
    >>> suggestion("xyz", ["act", "learnact"])
    'valid are: act, learnact'
    """
    names = sorted(map(str, valid))
    if close := near_names(name, names, near):
        return f"did you mean {' or '.join(map(repr, close))}?"
    more = ", ..." if len(names) > LISTED else ""
    return f"valid are: {', '.join(names[:LISTED])}{more}" if names else "there are none"
