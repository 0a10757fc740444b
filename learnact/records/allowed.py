"""What a reply may be where it is constrained (`action_format: constrained`): plain data that a log keeps and
that `learnact.models.constraints` writes in the form that an endpoint takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

ValueKind = Literal["text", "number", "flag", "list"]
"""What an argument is: text, a number, True or False, or a list of texts."""


@dataclass(frozen=True)
class AllowedValue:
    """A parameter of an allowed call. `choices`: the only texts that it takes; empty for any."""

    name: str
    kind: ValueKind = "text"
    required: bool = True
    by_name: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class AllowedCall:
    """A call that a reply may make."""

    name: str
    values: tuple[AllowedValue, ...] = ()


@dataclass(frozen=True)
class AllowedReplies:
    """What a reply may be: one of the calls, with a thought before it where `thoughts` says so; or, where
    there are no calls, `functions`: a block of Python functions with a usage line."""

    calls: tuple[AllowedCall, ...] = ()
    thoughts: bool = False
    functions: bool = False

    def as_text(self) -> str:
        """As a prompt keeps it (`Prompt.grammar`)."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def allowed_from(text: str) -> AllowedReplies:
    """What `as_text` wrote."""
    kept = json.loads(text)
    calls = (AllowedCall(c["name"], _values(c["values"])) for c in kept["calls"])
    return AllowedReplies(tuple(calls), kept["thoughts"], kept["functions"])


def _values(kept: Sequence[dict[str, object]]) -> tuple[AllowedValue, ...]:
    return tuple(AllowedValue(**{**v, "choices": tuple(v["choices"])}) for v in kept)  # type: ignore
