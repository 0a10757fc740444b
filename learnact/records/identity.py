"""Identity of plain data: canonical text, content addresses and seeds."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

Plain: TypeAlias = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""What JSON can say: all that crosses to learned code, a prompt or a file."""

DIGEST_CHARS = 24
"""Hex characters of a content address: 96 bits, so that a collision among a billion units is out of reach."""


def canonical(value: Any) -> str:
    """Canonical JSON of plain data and dataclasses: sorted keys, no blanks, NaN refused.

    Equal content gives equal text.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
    )


def digest(*values: Any) -> str:
    """Content address of plain values and dataclasses: the first 24 hex digits of SHA-256 over their
    canonical JSON.
    """
    return hashlib.sha256(canonical(values).encode()).hexdigest()[:DIGEST_CHARS]


def seed_from(*values: Any) -> int:
    """A seed in 0 .. 2**31 - 1 from plain values (the range that every known endpoint accepts)."""
    return int(digest("seed", *values)[:8], 16) & 0x7FFFFFFF


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not plain data")
