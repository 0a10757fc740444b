"""What a run has done so far, counted for displays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from learnact.records import Call, Episode, EpisodeResult, Outcome, Reply, Tokens
from learnact.results.bounded import finite
from learnact.results.rows import total


@dataclass(frozen=True)
class Counters:
    """A snapshot. `found` counts units that an earlier session of the run had committed; other counts are
    this session's.

    `cost` is in US dollars over the calls with a price; `unpriced` counts those without. `attempts` are
    failed tries, `failed` units of which every try failed. `trials` counts trials by status.
    """

    episodes: int = 0
    requests: int = 0
    found: int = 0
    calls: int = 0
    tokens: Tokens = field(default=Tokens())
    cost: float = 0.0
    unpriced: int = 0
    attempts: int = 0
    failed: int = 0
    trials: Mapping[str, int] = field(default_factory=dict)


class RunCounter:
    """Keeps the counts of one session."""

    def __init__(self, trials: Mapping[str, str]) -> None:
        self._counters = Counters()
        self._statuses = dict(trials)

    @property
    def counters(self) -> Counters:
        """What has been done so far."""
        return replace(self._counters, trials=dict(sorted(Counter(self._statuses.values()).items())))

    def trial(self, trial: str, status: str) -> None:
        """A trial has a new status."""
        self._statuses[trial] = status

    def found(self, units: int = 1) -> None:
        """Units of an earlier session were found."""
        self._counters = replace(self._counters, found=self._counters.found + units)

    def outcome(self, outcome: Outcome, calls: Sequence[Call]) -> None:
        """An outcome has come with these calls."""
        old, result = self._counters, outcome.result
        tokens = old.tokens + total([call.reply.tokens for call in calls])
        costs = [finite(call.reply.cost) for call in calls]
        if isinstance(result, EpisodeResult) and not calls:
            tokens, costs = tokens + result.tokens, [finite(result.cost)]
        self._counters = replace(
            old,
            episodes=old.episodes + (isinstance(result, EpisodeResult) and not _is_check(outcome)),
            requests=old.requests + isinstance(result, Reply),
            calls=old.calls + len(calls),
            tokens=tokens,
            cost=old.cost + sum(cost for cost in costs if cost is not None),
            unpriced=old.unpriced + sum(cost is None for cost in costs),
            attempts=old.attempts + len(outcome.attempts),
            failed=old.failed + (result is None),
        )


def _is_check(outcome: Outcome) -> bool:
    """Whether a learner's code was run, which no table counts as an episode."""
    return isinstance(outcome.unit, Episode) and outcome.unit.phase == "check"
