"""One endpoint as one worker sees it: calls that wait, places and permits, and news for the limiter."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field

from learnact.models.limits.headers import SAID_NOTHING, RateHeaders
from learnact.models.limits.messages import EndpointAnswer, EndpointReport, Ticket
from learnact.records import EndpointLimits, EndpointName

PERMIT_SECONDS = 2.0
"""A permit that could not be used for so long is given back, and asked for again."""


@dataclass(eq=False)
class Waiter:
    """A call that waits."""

    number: int
    tokens: int
    since: float
    go: asyncio.Future[None]
    granted: float | None = None
    """When its permit came."""


@dataclass
class News:
    """What the next report of an endpoint will tell."""

    waiting: list[Waiter] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    used: list[tuple[int, float]] = field(default_factory=list)
    settled: list[tuple[int, int]] = field(default_factory=list)
    good: int = 0
    refused: list[float] = field(default_factory=list)
    headers: RateHeaders = SAID_NOTHING

    @property
    def any(self) -> bool:
        """Whether there is something to tell."""
        lists = self.waiting or self.dropped or self.used or self.settled or self.refused
        return bool(lists or self.good)

    def put_back(self, untold: News) -> None:
        """A report did not arrive: it is told again. Calls that wait are, whenever a limiter is new."""
        self.dropped[:0], self.used[:0] = untold.dropped, untold.used
        self.settled[:0], self.refused[:0] = untold.settled, untold.refused
        self.good += untold.good


@dataclass(eq=False)
class EndpointGate:
    """One endpoint, as one worker sees it."""

    name: EndpointName
    limits: EndpointLimits
    places: int = 0
    until: float = 0.0
    """When places and permits lapse unless they are given anew."""
    hold: float = 0.0
    asked_hold: float = 0.0
    """Until when a reply to this worker asked to wait."""
    in_flight: int = 0
    queue: list[Waiter] = field(default_factory=list)
    news: News = field(default_factory=News)

    @property
    def rated(self) -> bool:
        """Whether a limit by the minute is stated, so that each request needs a permit."""
        return (self.limits.requests_per_minute, self.limits.tokens_per_minute) != (None, None)

    @property
    def idle(self) -> bool:
        """Whether nothing waits, is in flight, or is to be told."""
        return not (self.in_flight or self.queue or self.news.any)

    def advance(self, now: float) -> None:
        """Let through what may go."""
        while self.queue and self.hold <= now < self.until and self.in_flight < self.places:
            waiter = next((w for w in self.queue if w.granted is not None or not self.rated), None)
            if waiter is None:
                return
            self.queue.remove(waiter)
            self.in_flight += 1
            if self.rated:
                self.news.used.append((waiter.number, now))
            if not waiter.go.done():
                waiter.go.set_result(None)

    def report(self, now: float, numbers: itertools.count[int]) -> tuple[EndpointReport, News]:
        """What to tell the limiter, and the news in it, which are told by this."""
        for waiter in self.queue:
            if waiter.granted is not None and now - waiter.granted > PERMIT_SECONDS:
                self.news.dropped.append(waiter.number)
                waiter.number, waiter.granted = next(numbers), None
                self.news.waiting.append(waiter)
        news, self.news = self.news, News()
        report = EndpointReport(
            name=self.name,
            limits=self.limits,
            waiting=tuple(Ticket(w.number, w.tokens, now - w.since) for w in news.waiting),
            dropped=tuple(news.dropped),
            used=tuple((number, now - sent) for number, sent in news.used),
            settled=tuple(news.settled),
            places=self.places,
            in_flight=self.in_flight,
            queued=len(self.queue),
            good=news.good,
            refused=tuple(now - sent for sent in news.refused),
            hold=max(0.0, self.asked_hold - now),
            requests_left=news.headers.requests,
            tokens_left=news.headers.tokens,
        )
        return report, news

    def take(self, answer: EndpointAnswer, now: float, until: float) -> None:
        """What may be done now; it holds until `until`."""
        self.places, self.until, self.hold = answer.places, until, max(self.asked_hold, now + answer.hold)
        granted = set(answer.granted)
        for waiter in self.queue:
            if waiter.granted is None and waiter.number in granted:
                waiter.granted = now

    def introduce(self) -> None:
        """The limiter knows nothing of this worker: tell it of all calls that wait."""
        for waiter in self.queue:
            waiter.granted = None
        self.news.waiting = list(self.queue)
