"""What a layer needs from above, as protocols: the layers below import these and never the
implementations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Protocol

from learnact.errors import Failure
from learnact.records import (
    Call,
    Candidate,
    EndpointState,
    Exchange,
    Library,
    ModelSpec,
    Outcome,
    Prompt,
    Reply,
    Unit,
)


class Runner(Protocol):
    """Runs units of work. Lazy input, completion order, each unit once.

    Never raises for a unit; closing the iterator cancels what is under way.
    """

    def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        """Outcomes in the order in which they complete.

        A learner sorts them by key before deciding anything.
        """
        ...


class StoppableRunner(Runner, Protocol):
    """A runner whose units can be ended between two calls of a model."""

    def stop(self, failure: Failure) -> None:
        """No call is begun from now on: units end with this failure when the calls in flight are answered."""
        ...

    async def limits(self) -> Sequence[EndpointState]:
        """How it stands at the limits of each endpoint that was asked."""
        ...


class Ledger(Protocol):
    """What is committed. A unit that is found here is not done again."""

    def __contains__(self, key: str) -> bool:
        """Whether `find` has the outcome of a unit; costs nothing."""
        ...

    def find(self, key: str) -> Outcome | None:
        """The committed outcome of a unit, with its result, or None.

        Failed units are never found: they are tried again.
        """
        ...

    async def commit(self, outcome: Outcome) -> None:
        """Returns once the outcome is on stable storage. The first commit of a key wins; a later one is
        dropped."""
        ...


class Journal(Protocol):
    """Where a trial writes down its learning: libraries and candidates.

    Writing the same row twice changes nothing.
    """

    def library(self, trial: str, library: Library) -> None:
        """Keep a library under its content address."""
        ...

    def candidate(self, candidate: Candidate) -> None:
        """Keep a candidate's row; the last row of (trial, iteration, candidate) counts."""
        ...


class CallLog(Protocol):
    """Takes each call of a model as it is answered, and gives back those of an interrupted unit."""

    def record(self, call: Call) -> None:
        """Take a call; does not wait for it to be stored."""
        ...

    def replay(self, unit: str) -> tuple[Call, ...]:
        """The stored calls of an interrupted unit in order, to be used instead of asking the model again."""
        ...


class Chat(Protocol):
    """Asks models. The production implementation is `models.pool`; tests pass scripted ones."""

    async def complete(self, model: ModelSpec, prompt: Prompt, seed: int, affinity: str) -> Exchange:
        """One reply. `affinity` (an episode's key) keeps an episode on one replica.

        Raises `Failure`, nothing else.
        """
        ...

    async def embed(self, model: ModelSpec, texts: tuple[str, ...]) -> Reply:
        """Embedding vectors of texts, in `Reply.vectors`. Raises `Failure`, nothing else."""
        ...
