"""Calls of models on their way to the run's journal, and the limits of money, tokens, calls and time that
they use up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from learnact.errors import Failure, HarnessFailure
from learnact.protocols import CallLog
from learnact.records import Call
from learnact.results.bounded import finite
from learnact.results.location import Location
from learnact.results.pending import unfinished_calls
from learnact.results.reader import used_so_far


class NoCallLog:
    """A call log that keeps nothing. Implements `protocols.CallLog`."""

    def record(self, call: Call) -> None:
        """Nothing."""

    def replay(self, _unit: str) -> tuple[Call, ...]:
        """Nothing."""
        return ()


@dataclass(frozen=True)
class SpendingLimits:
    """What a run may use, all its sessions together; None: no limit.

    `hours` of wall-clock time are of one session.
    """

    dollars: float | None = None
    tokens: int | None = None
    calls: int | None = None
    hours: float | None = None

    @property
    def counted(self) -> bool:
        """Whether there is a limit that calls use up."""
        return (self.dollars, self.tokens, self.calls) != (None, None, None)


@dataclass(frozen=True)
class Spending:
    """What calls of models have used: their number, tokens of prompts and replies, US dollars of those with a
    price; `unpriced` counts the others."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dollars: float = 0.0
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        """Of prompts and replies."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.dollars + other.dollars,
            self.unpriced + other.unpriced,
        )


class MeteredCallLog:
    """Passes calls on to a call log, counts what they use, and says once when a limit is used up.

    Implements `protocols.CallLog`. `spent`: what earlier sessions have used. `on_limit` is
    called once, with the failure by which units are to end; `failure` is None until then. A call is counted
    when it is answered, so a limit is overrun by at most the calls that are in flight."""

    def __init__(
        self,
        log: CallLog,
        limits: SpendingLimits,
        spent: Spending = Spending(),
        on_limit: Callable[[Failure], None] = lambda _: None,
    ) -> None:
        self._log = log
        self.limits = limits
        self.spent = spent
        self._on_limit = on_limit
        self._timer: asyncio.TimerHandle | None = None
        self.failure: HarnessFailure | None = None

    def begin(self) -> None:
        """The session begins: what is used up already ends it, and its wall-clock time runs."""
        self._check()
        if self.limits.hours is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.limits.hours * 3600, self._time_is_up)

    def close(self) -> None:
        """The session has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def record(self, call: Call) -> None:
        """Take a call that has just been answered."""
        self._log.record(call)
        self.spent += spending([call])
        self._check()

    def replay(self, unit: str) -> tuple[Call, ...]:
        """The stored calls of an interrupted unit in order.

        They were counted by the session that made them.
        """
        return self._log.replay(unit)

    def _check(self) -> None:
        limits, spent = self.limits, self.spent
        if limits.dollars is not None and spent.dollars >= limits.dollars:
            self._end("dollars", f"${limits.dollars:g}", f"${spent.dollars:.4g} spent")
        elif limits.tokens is not None and spent.tokens >= limits.tokens:
            self._end("tokens", f"{limits.tokens:,} tokens", f"{spent.tokens:,} used")
        elif limits.calls is not None and spent.calls >= limits.calls:
            self._end("calls", f"{limits.calls:,} calls", f"{spent.calls:,} made")

    def _time_is_up(self) -> None:
        self._end("hours", f"{self.limits.hours:g} hours", "of wall-clock time")

    def _end(self, key: str, limit: str, used: str) -> None:
        if self.failure is None:
            way_out = "run the same command again to go on" if key == "hours" else "raise it to go on"
            self.failure = HarnessFailure(
                f"the job's limit of {limit} is used up ({used}; limits.{key}): {way_out}", False
            )
            self._on_limit(self.failure)


def spending(calls: Iterable[Call]) -> Spending:
    """What some calls have used."""
    replies = [call.reply for call in calls]
    costs = [finite(reply.cost) for reply in replies]
    return Spending(
        calls=len(replies),
        prompt_tokens=sum(reply.tokens.prompt for reply in replies),
        completion_tokens=sum(reply.tokens.completion for reply in replies),
        dollars=sum(cost for cost in costs if cost is not None),
        unpriced=costs.count(None),
    )


def spent_so_far(folder: Location) -> Spending:
    """What all sessions of a run have used: for what is committed, and for what was interrupted."""
    return Spending(*used_so_far(folder)) + spending(unfinished_calls(folder))
