"""What servers say of their limits in headers, as OpenAI does: `x-ratelimit-limit-tokens: 60000`,
`x-ratelimit-remaining-tokens: 59873`, `x-ratelimit-reset-tokens: 6m0s`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from learnact.models.limits.messages import ServerQuota

PREFIX = "x-ratelimit-"
LONGEST_RESET = 86_400.0
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
_SECONDS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class RateHeaders:
    """What is left of the server's requests and tokens; None where it does not say."""

    requests: ServerQuota | None = None
    tokens: ServerQuota | None = None


SAID_NOTHING = RateHeaders()


def rate_headers(headers: Mapping[str, str]) -> RateHeaders:
    """What the headers of a response say. Whatever cannot be read says nothing."""
    return RateHeaders(_quota(headers, "requests"), _quota(headers, "tokens"))


def _quota(headers: Mapping[str, str], kind: str) -> ServerQuota | None:
    limit = _number(headers.get(f"{PREFIX}limit-{kind}"))
    remaining = _number(headers.get(f"{PREFIX}remaining-{kind}"))
    reset = reset_seconds(headers.get(f"{PREFIX}reset-{kind}"))
    if limit is None or remaining is None or reset is None or limit <= 0 or reset <= 0:
        return None
    return ServerQuota(limit, min(remaining, limit), min(reset, LONGEST_RESET))


def reset_seconds(text: str | None) -> float | None:
    """Seconds of a duration as servers write it; None for what is none.

    >>> reset_seconds("6m0s"), reset_seconds("1h2m3.5s"), reset_seconds("20ms"), reset_seconds("7.66")
    (360.0, 3723.5, 0.02, 7.66)
    """
    text = (text or "").strip().lower()[:40]
    if (plain := _number(text)) is not None:
        return plain
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
