"""The limiter of a whole run: who may send which request when. Pure: the clock is passed in.

Workers report (`messages.Report`) and are answered. At each endpoint:

- **Places** (requests in flight) are shared out among the workers by what they need, under a bound that
  adapts to what the server bears. A place that one worker gives up goes to another only when it is free.
- **Permits** (requests and tokens a minute) are given to calls in the order in which they came, each for what
  it is expected to use, and are leased: one that is not used comes back, one that a lost worker may have used
  counts as used. A large call is not overtaken for ever by small ones.
- **Holds**: what one worker was asked to wait holds for all. Where a server refuses everything without saying
  how long, the limiter waits longer and longer, and asks with few requests.

A limiter that takes the place of a lost one begins empty (`window.Window`).
"""

from __future__ import annotations

import bisect
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from learnact.models.limits.adaptive import AdaptiveBound
from learnact.models.limits.messages import (
    NO_LIMITS,
    EndpointAnswer,
    EndpointReport,
    LimiterAnswer,
    Report,
    ServerQuota,
    Ticket,
)
from learnact.models.limits.window import Counted, Window
from learnact.records import EndpointLimits, EndpointName, EndpointState

LEASE = 5.0
"""Seconds after which a worker that is not heard of counts as lost."""
HEARTBEAT = 0.25
SOONEST = 0.02
MESSAGE_SECONDS = 0.002
"""Seconds between two reports, for each worker: a limiter hears at most 500 a second."""
TURN = 2.0
"""Seconds after which what cannot be shared out evenly goes to others."""
CEILING = 1000
"""Requests in flight where nothing is said of them."""
STORM = 3
"""Refused requests in a row, without a good reply between them, from which on all wait."""
FIRST_HOLD = 0.5
LONGEST_HOLD = 8.0
LOW_SHARE = 0.05
"""A server's own count of what is left is heeded below this share of its limit."""


class Limiter:
    """The limits of all endpoints. `epoch` tells this limiter from those before it."""

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch
        self._endpoints: dict[EndpointName, _Endpoint] = {}
        self._heard: dict[str, float] = {}
        self._sessions: dict[str, int] = {}
        self._count = 0

    def exchange(self, report: Report, now: float) -> LimiterAnswer:
        """Take a worker's report; what it may do now. The same report may come twice."""
        for worker in [w for w, heard in self._heard.items() if now - heard > self._lease]:
            self._forget(worker, now)
        if report.worker not in self._heard:
            self._count += 1
            self._sessions[report.worker] = self._count
        self._heard[report.worker] = now
        epoch = f"{self._epoch}-{self._sessions[report.worker]}"
        answers, wait = [], HEARTBEAT
        for part in report.endpoints:
            endpoint = self._endpoint(part, now)
            endpoint.hear(report.worker, part, now)
            endpoint.share(report.worker, now)
            endpoint.grant(now)
            answers.append(endpoint.answer(report.worker, now))
            wait = min(wait, endpoint.wait(report.worker, now))
        if report.leaves:
            self._forget(report.worker, now)
        pause = max(SOONEST, MESSAGE_SECONDS * len(self._heard))
        return LimiterAnswer(epoch, tuple(answers), self._lease, max(wait, pause), pause)

    def states(self, now: float) -> tuple[EndpointState, ...]:
        """How it stands at each endpoint."""
        return tuple(endpoint.state(now) for endpoint in self._endpoints.values())

    @property
    def _lease(self) -> float:
        return max(LEASE, 8 * MESSAGE_SECONDS * len(self._heard))

    def _forget(self, worker: str, now: float) -> None:
        self._heard.pop(worker, None)
        self._sessions.pop(worker, None)
        for endpoint in self._endpoints.values():
            endpoint.forget(worker, now)

    def _endpoint(self, report: EndpointReport, now: float) -> _Endpoint:
        if report.name not in self._endpoints:
            self._endpoints[report.name] = _Endpoint(report.name, now)
        return self._endpoints[report.name]


@dataclass(eq=False)
class _Permit:
    """A call on its way: it waits; or it was granted, and counts; or its request was sent."""

    since: float
    ticket: Ticket
    request: Counted | None = None
    tokens: Counted | None = None
    told: bool = False
    """Whether its worker was told of it and may have used it."""

    @property
    def granted(self) -> bool:
        return self.request is not None or self.tokens is not None


@dataclass(eq=False)
class _WorkerView:
    """What the limiter knows of a worker at an endpoint."""

    in_flight: int = 0
    queued: int = 0
    places: int = 0
    had: int = 0
    """Places that the worker had when it reported: it may have used them before it hears of fewer."""
    waiting: list[_Permit] = field(default_factory=list)
    granted: dict[int, _Permit] = field(default_factory=dict)
    sent: dict[int, _Permit] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    """Numbers of the tickets in `waiting`."""

    @property
    def taken(self) -> int:
        """Places that nobody else can have."""
        return max(self.places, self.had, self.in_flight)

    @property
    def free(self) -> int:
        return self.places - self.in_flight - len(self.granted)

    def queue(self, ticket: Ticket, now: float) -> None:
        """Take a ticket that is new."""
        if not (ticket.id in self.known or ticket.id in self.granted or ticket.id in self.sent):
            self.known.add(ticket.id)
            bisect.insort(self.waiting, _Permit(now - ticket.waited, ticket), key=lambda one: one.since)

    def drop(self, numbers: Collection[int]) -> None:
        """Forget tickets whose calls wait no longer."""
        self.waiting = [one for one in self.waiting if one.ticket.id not in numbers]
        self.known.difference_update(numbers)

    def next(self) -> _Permit:
        """Take the first of those that wait."""
        permit = self.waiting.pop(0)
        self.known.discard(permit.ticket.id)
        return permit


class _Endpoint:
    def __init__(self, name: EndpointName, now: float) -> None:
        self._name = name
        self._limits = NO_LIMITS
        self._requests: Window | None = None
        self._tokens: Window | None = None
        self._bound = AdaptiveBound(CEILING)
        self._workers: dict[str, _WorkerView] = {}
        self._hold = now
        self._pause = FIRST_HOLD
        self._refused_in_a_row = 0
        self._refused = 0
        self._quotas: dict[str, tuple[ServerQuota, float, float]] = {}
        """What the server said of requests and tokens, when, and what was granted since."""

    # What workers report

    def hear(self, worker: str, report: EndpointReport, now: float) -> None:
        self._take_limits(report.limits, now)
        view = self._workers.setdefault(worker, _WorkerView())
        view.had, view.in_flight, view.queued = report.places, report.in_flight, report.queued
        for ticket in report.waiting if self.rated else ():
            view.queue(ticket, now)
        for number, ago in report.used:
            self._sent(view, number, now - ago, now)
        for number in report.dropped:
            if (permit := view.granted.pop(number, None)) is not None:
                self._give_back(permit, now)
        if report.dropped:
            view.drop(report.dropped)
        for number, tokens in report.settled:
            if (permit := view.sent.pop(number, None)) is not None and permit.tokens and self._tokens:
                self._tokens.correct(permit.tokens, tokens, now)
        self._hear_outcomes(report, now)

    def _sent(self, view: _WorkerView, number: int, sent: float, now: float) -> None:
        permit = view.granted.pop(number, None)
        if permit is None:
            return
        view.sent[number] = permit
        self._use(permit, min(now, sent + LEASE))

    def _use(self, permit: _Permit, now: float) -> None:
        if permit.request and self._requests:
            self._requests.use(permit.request, now)
        if permit.tokens and self._tokens:
            self._tokens.use(permit.tokens, now)

    def _give_back(self, permit: _Permit, now: float) -> None:
        if permit.request and self._requests:
            self._requests.give_back(permit.request, now)
        if permit.tokens and self._tokens:
            self._tokens.give_back(permit.tokens, now)

    def _hear_outcomes(self, report: EndpointReport, now: float) -> None:
        if report.good and (self._refused_in_a_row or report.refused):
            self._cut_fuller(now)
        if report.good:
            self._refused_in_a_row, self._pause = 0, FIRST_HOLD
            in_use = sum(v.in_flight + v.queued for v in self._workers.values()) >= self._bound.bound
            self._bound.good(now, in_use)
        for ago in report.refused:
            self._bound.refused(now - ago, now)
        self._refused += len(report.refused)
        self._refused_in_a_row += len(report.refused)
        self._hold = max(self._hold, now + report.hold)
        if report.refused and self._refused_in_a_row >= STORM and self._hold <= now:
            self._hold = now + self._pause
            self._pause = min(LONGEST_HOLD, 2 * self._pause)
        for kind, quota in (("requests", report.requests_left), ("tokens", report.tokens_left)):
            if quota is not None:
                self._quotas[kind] = (quota, now, 0.0)
                if not self.rated and quota.remaining < 1 and quota.limit > 0:
                    self._hold = max(self._hold, now + quota.reset / quota.limit)

    def _cut_fuller(self, now: float) -> None:
        """A refusal among good replies is about the limit that is used up most."""
        windows = [window for window in (self._requests, self._tokens) if window is not None]
        if windows:
            max(windows, key=lambda window: window.used(now) / window.usable(now)).refused(now)

    def _take_limits(self, limits: EndpointLimits, now: float) -> None:
        """Two models of a job may be the same one at the same endpoint: the lower limits hold for both."""
        if limits == self._limits:
            return
        merged = EndpointLimits(
            _least(self._limits.requests_per_minute, limits.requests_per_minute),
            _least(self._limits.tokens_per_minute, limits.tokens_per_minute),
            _least(self._limits.in_flight, limits.in_flight),
        )
        if merged.requests_per_minute != self._limits.requests_per_minute:
            assert merged.requests_per_minute is not None
            self._requests = Window.of_requests(merged.requests_per_minute, now)
        if merged.tokens_per_minute != self._limits.tokens_per_minute:
            assert merged.tokens_per_minute is not None
            self._tokens = Window.of_tokens(merged.tokens_per_minute, now)
        if merged.in_flight is not None and merged.in_flight != self._limits.in_flight:
            self._bound = AdaptiveBound(merged.in_flight)
        self._limits = merged

    # What workers are told

    @property
    def rated(self) -> bool:
        """Whether requests or tokens a minute are limited, so that each request needs a permit."""
        return self._requests is not None or self._tokens is not None

    def grant(self, now: float) -> None:
        """Give permits to the calls that have waited longest, as long as the limits allow."""
        while self._hold <= now:
            able = [view for view in self._workers.values() if view.waiting and view.free > 0]
            if not able:
                return
            view = min(able, key=lambda one: one.waiting[0].since)
            if self._blocked(view.waiting[0].ticket.tokens, now)[1]:
                return
            permit = view.next()
            if self._requests:
                permit.request = self._requests.take(1, now)
            if self._tokens:
                permit.tokens = self._tokens.take(permit.ticket.tokens, now)
            for kind, amount in (("requests", 1.0), ("tokens", float(permit.ticket.tokens))):
                if kind in self._quotas:
                    quota, when, granted = self._quotas[kind]
                    self._quotas[kind] = (quota, when, granted + amount)
            view.granted[permit.ticket.id] = permit

    def _blocked(self, tokens: int, now: float) -> tuple[str, float]:
        """What holds up a call that would be the next, and when to look again."""
        if self._requests and (wait := self._requests.wait(1, now)):
            return "requests_per_minute", wait
        if self._tokens and (wait := self._tokens.wait(tokens, now)):
            return "tokens_per_minute", wait
        for kind, amount in (("requests", 1.0), ("tokens", float(tokens))):
            if kind in self._quotas and (wait := _server_wait(*self._quotas[kind], amount, now)):
                return "x-ratelimit", wait
        return "", 0.0

    def share(self, worker: str, now: float) -> None:
        """The places of the worker that reports: its share, as far as no other one has them."""
        bound = self._bound.bound
        needs = {name: view.in_flight + view.queued for name, view in self._workers.items()}
        share = shares(needs, bound, int(now / TURN))[worker]
        others = sum(view.taken for name, view in self._workers.items() if name != worker)
        self._workers[worker].places = max(0, min(share, bound - others))

    def answer(self, worker: str, now: float) -> EndpointAnswer:
        view = self._workers[worker]
        for permit in view.granted.values():
            permit.told = True
        return EndpointAnswer(self._name, view.places, tuple(view.granted), max(0.0, self._hold - now))

    def wait(self, worker: str, now: float) -> float:
        """When a worker should ask again."""
        view = self._workers[worker]
        if not view.queued:
            return HEARTBEAT
        if self._hold > now:
            return self._hold - now
        if not view.waiting:
            return 2 * SOONEST if view.in_flight >= view.places else HEARTBEAT
        return self._blocked(view.waiting[0].ticket.tokens, now)[1] or SOONEST

    def forget(self, worker: str, now: float) -> None:
        """A worker has left, or is lost: its places come back; a permit that it may have used counts."""
        view = self._workers.pop(worker, None)
        for permit in view.granted.values() if view else ():
            if permit.told:
                self._use(permit, now)
            else:
                self._give_back(permit, now)

    def state(self, now: float) -> EndpointState:
        views = self._workers.values()
        in_flight, waiting = sum(v.in_flight for v in views), sum(v.queued for v in views)
        bound = self._bound.bound
        hold = max(0.0, self._hold - now)
        oldest = min((v.waiting[0] for v in views if v.waiting), key=lambda one: one.since, default=None)
        reason = ""
        if waiting and hold:
            reason = "retry-after"
        elif waiting and in_flight >= bound:
            reason = "in_flight"
        elif oldest is not None:
            reason = self._blocked(oldest.ticket.tokens, now)[0]
        return EndpointState(
            name=self._name,
            in_flight=in_flight,
            waiting=waiting,
            bound=bound,
            hold=hold,
            requests_left=None if self._requests is None else int(self._requests.left(now)),
            tokens_left=None if self._tokens is None else int(self._tokens.left(now)),
            waits_for=reason,
            refused=self._refused,
        )


def shares(needs: Mapping[str, int], bound: int, turn: int) -> dict[str, int]:
    """Share out a bound: nobody gets more than is needed as long as another one needs more, and what cannot
    be shared out evenly goes to each in turn. What nobody needs is shared out too, for calls to come."""
    names = sorted(needs)
    start = turn % len(names) if names else 0
    order = sorted(names[start:] + names[:start], key=lambda name: needs[name])
    found: dict[str, int] = {}
    left = bound
    for index, name in enumerate(order):
        found[name] = min(needs[name], left // (len(order) - index))
        left -= found[name]
    return {name: share + left // len(order) for name, share in found.items()}


def _server_wait(quota: ServerQuota, told: float, granted: float, amount: float, now: float) -> float:
    """How long to wait until a server has the amount again, by its own count, while little is left of it."""
    elapsed = now - told
    if elapsed >= quota.reset or quota.remaining > LOW_SHARE * quota.limit:
        return 0.0
    rate = (quota.limit - quota.remaining) / quota.reset
    missing = min(amount, quota.limit) - (quota.remaining + rate * elapsed - granted)
    return max(0.0, min(missing / rate, quota.reset - elapsed)) if rate > 0 else 0.0


def _least(one: int | None, other: int | None) -> int | None:
    known = [limit for limit in (one, other) if limit is not None]
    return min(known) if known else None


def with_in_flight(limits: EndpointLimits, default: int | None) -> EndpointLimits:
    """The limits, with the job's requests in flight where the model states none of its own."""
    return limits if limits.in_flight is not None else replace(limits, in_flight=default)
