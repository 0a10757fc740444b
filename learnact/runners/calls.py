"""Calls of models on their way to the run's journal, and the limits of money, tokens, calls and time that
they use up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from learnact.errors import Failure, HarnessFailure
from learnact.protocols import CallLog
from learnact.records import Call


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
    """What calls of models have used: US dollars (of those with a price), tokens of prompts and replies,
    their number."""

    dollars: float = 0.0
    tokens: int = 0
    calls: int = 0


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
        self._limits = limits
        self._dollars, self._tokens, self._calls = spent.dollars, spent.tokens, spent.calls
        self._on_limit = on_limit
        self._timer: asyncio.TimerHandle | None = None
        self.failure: HarnessFailure | None = None

    def begin(self) -> None:
        """The session begins: what is used up already ends it, and its wall-clock time runs."""
        self._check()
        if self._limits.hours is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._limits.hours * 3600, self._time_is_up)

    def close(self) -> None:
        """The session has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def record(self, call: Call) -> None:
        """Take a call that has just been answered."""
        self._log.record(call)
        self._dollars += call.reply.cost or 0.0
        self._tokens += call.reply.tokens.prompt + call.reply.tokens.completion
        self._calls += 1
        self._check()

    def replay(self, unit: str) -> tuple[Call, ...]:
        """The stored calls of an interrupted unit in order.

        They were counted by the session that made them.
        """
        return self._log.replay(unit)

    def _check(self) -> None:
        limits = self._limits
        if limits.dollars is not None and self._dollars >= limits.dollars:
            self._end("dollars", f"${limits.dollars:g}", f"${self._dollars:.4g} spent")
        elif limits.tokens is not None and self._tokens >= limits.tokens:
            self._end("tokens", f"{limits.tokens:,} tokens", f"{self._tokens:,} used")
        elif limits.calls is not None and self._calls >= limits.calls:
            self._end("calls", f"{limits.calls:,} calls", f"{self._calls:,} made")

    def _time_is_up(self) -> None:
        self._end("hours", f"{self._limits.hours:g} hours", "of wall-clock time")

    def _end(self, key: str, limit: str, used: str) -> None:
        if self.failure is None:
            way_out = "run the same command again to go on" if key == "hours" else "raise it to go on"
            self.failure = HarnessFailure(
                f"the job's limit of {limit} is used up ({used}; limits.{key}): {way_out}", False
            )
            self._on_limit(self.failure)


def spending(calls: Iterable[Call]) -> Spending:
    """What some calls have used."""
    found = list(calls)
    tokens = sum(call.reply.tokens.prompt + call.reply.tokens.completion for call in found)
    return Spending(sum(call.reply.cost or 0.0 for call in found), tokens, len(found))
