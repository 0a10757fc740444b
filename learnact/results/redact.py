"""Keeps keys and tokens of providers out of everything that is written down."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from learnact.records import Plain

HIDDEN = "[hidden]"
_NAME = re.compile(
    r"(api_?key|access_key|access_key_id|token|secret|password|passwd|authorization|credential)s?$",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(
    r"(max|prompt|completion|cached|reasoning|per|num|n|context)_?tokens?$|_env$", re.IGNORECASE
)
_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:sk|pk|rk|hf|gsk|xai)[-_][A-Za-z0-9_-]{16,}"
    r"|(?i:bearer)\s+[A-Za-z0-9._~+/-]{8,}=*"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|(?<=[?&]key=)[^&\s]+|(?<=[?&]api_key=)[^&\s]+|(?<=[?&]token=)[^&\s]+"
)
SHORTEST = 8
"""Characters below which the value of a variable is not taken for a secret."""


def secrets(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Values of environment variables whose names say that they are secret, longest first."""
    found = {
        value
        for name, value in (os.environ if environment is None else environment).items()
        if _NAME.search(name) and len(value) >= SHORTEST
    }
    return tuple(sorted(found, key=lambda value: (-len(value), value)))


def hide(text: str, values: tuple[str, ...] = ()) -> str:
    """The text without known secrets and without what looks like one."""
    for value in values:
        text = text.replace(value, HIDDEN)
    return _SHAPES.sub(HIDDEN, text)


def hide_in(value: Plain, values: tuple[str, ...] = ()) -> Plain:
    """Plain data without secrets: by the name of the key, by value and by shape. Names of variables
    (`api_key_env`) stay.
    """
    if isinstance(value, str):
        return hide(value, values)
    if isinstance(value, list):
        return [hide_in(item, values) for item in value]
    if isinstance(value, dict):
        return {
            name: HIDDEN
            if isinstance(item, str) and item and _NAME.search(name) and not _NOT_SECRET.search(name)
            else hide_in(item, values)
            for name, item in value.items()
        }
    return value
