"""What a reply may be where it is constrained (`action_format: constrained`): plain data that a log keeps and
that `learnact.models.constraints` writes in the form that an endpoint takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

ValueKind = Literal["text", "number", "flag", "list", "object"]
"""What an argument is: text, a number, True or False, a list, or an object (a dict)."""


@dataclass(frozen=True)
class AllowedValue:
    """A parameter of an allowed call, or a part of one. `choices`: the only texts that it takes; empty for
    any. `fields`: the keys of an object, empty for any. `items`: what a list holds, None for texts.
    """

    name: str
    kind: ValueKind = "text"
    required: bool = True
    by_name: bool = False
    choices: tuple[str, ...] = ()
    fields: tuple[AllowedValue, ...] = ()
    items: AllowedValue | None = None

    def plain(self) -> dict[str, Any]:
        """As a prompt keeps it: what is empty is left out but for `choices`."""
        kept: dict[str, Any] = {
            "name": self.name, "kind": self.kind, "required": self.required, "by_name": self.by_name,
            "choices": self.choices,
        }  # fmt: skip
        if self.fields:
            kept["fields"] = [value.plain() for value in self.fields]
        if self.items is not None:
            kept["items"] = self.items.plain()
        return kept


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
        kept = {
            "calls": [{"name": c.name, "values": [v.plain() for v in c.values]} for c in self.calls],
            "thoughts": self.thoughts,
            "functions": self.functions,
        }
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def allowed_from(text: str) -> AllowedReplies:
    """What `as_text` wrote."""
    kept = json.loads(text)
    calls = (AllowedCall(c["name"], _values(c["values"])) for c in kept["calls"])
    return AllowedReplies(tuple(calls), kept["thoughts"], kept["functions"])


def _values(kept: Sequence[dict[str, Any]]) -> tuple[AllowedValue, ...]:
    return tuple(_value(v) for v in kept)


def _value(kept: dict[str, Any]) -> AllowedValue:
    items = _value(kept["items"]) if "items" in kept else None
    more = {"choices": tuple(kept["choices"]), "fields": _values(kept.get("fields", ())), "items": items}
    return AllowedValue(**{**kept, **more})
