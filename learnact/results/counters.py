"""What a run has done so far, counted for displays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from learnact.records import Tokens


@dataclass(frozen=True)
class Counters:
    """A snapshot. `found` are units that an earlier session had committed already; the other counts are this session's.

    `cost` is in US dollars over the calls with a price; `unpriced` counts those without. `attempts` are failed tries, `failed` units of which
    every try failed. `trials` counts trials by status.
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
