"""What the server's log says of the calls that were asked again, kill by kill."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Request:
    """A request: its hash, when it arrived, when its reply was about to be sent (None: never)."""

    digest: str
    asked: float
    answered: float | None = None


def requests_in(log: Path) -> list[Request]:
    """The requests of a log, in the order of their arrival."""
    found: list[Request] = []
    waiting: dict[str, list[Request]] = defaultdict(list)
    for line in log.read_text().splitlines():
        moment, what, digest = line.split()
        if what == "asked":
            found.append(Request(digest, float(moment)))
            waiting[digest].append(found[-1])
        else:
            waiting[digest].pop().answered = float(moment)  # the latest: an earlier one died with its server
    return found


UNITS = 16
"""Units under way at once in all chaos tests: 2 workers with 8 each."""


@dataclass
class KillCount:
    """What a kill cost: requests in flight at that moment, those answered in the second before it, and those
    of both kinds, and of any other, that were asked again."""

    in_flight: int
    last_second: int
    again: int = 0

    @property
    def bound(self) -> int:
        """Calls that may be asked again.

        Each unit under way may lose one call, however long ago it was answered: a busy machine can hold back
        a worker for more than a second before it passes a reply on.
        """
        return max(self.in_flight + self.last_second, UNITS)


def count_repeats(
    requests: Sequence[Request], kills: Sequence[float], expected: Counter[str]
) -> list[KillCount]:
    """For each kill (in order) what was asked again because of it.

    `expected`: how often each request is asked without kills. A request that is asked once more is charged to
    the first kill, before it, that its forerunner was in flight at or had been answered shortly before; else
    to the last kill before it.
    """
    counts = [
        KillCount(
            sum(r.asked <= kill and (r.answered is None or r.answered > kill) and _alive(r, kills, kill)
                for r in requests),
            sum(r.answered is not None and kill - 1 < r.answered <= kill for r in requests),
        )
        for kill in kills
    ]  # fmt: skip
    seen: dict[str, list[Request]] = defaultdict(list)
    for request in requests:
        before = seen[request.digest]
        if len(before) >= expected[request.digest]:
            counts[_charged(request, before[-1] if before else None, kills)].again += 1
        before.append(request)
    return counts


def _alive(request: Request, kills: Sequence[float], kill: float) -> bool:
    """Whether a request without a reply was still waited for: it ended with the first kill after it."""
    return request.answered is not None or not any(request.asked <= k < kill for k in kills)


def _charged(request: Request, before: Request | None, kills: Sequence[float]) -> int:
    past = [n for n, kill in enumerate(kills) if kill < request.asked]
    assert past, f"asked again without a kill: {request}"
    for number in past:
        kill = kills[number]
        if (
            before is not None
            and before.asked <= kill
            and (before.answered is None or before.answered > kill - 1)
        ):
            return number
    return past[-1]
