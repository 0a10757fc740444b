"""The APIs of one conversation, being used: calls, what they answer, and whether two states are equal.

They run in this process: they are plain Python on values in memory (no file, no network, no clock that
matters), and a call takes microseconds. What could take long is refused before it runs (`too_large`), and
what would fill the memory is taken back (`_is_overgrown`), as everything is that a refused call did.
"""

from __future__ import annotations

import copy
import decimal
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from learnact.domains.family_environment import shortened
from learnact.domains.tools.apis import Api, ApiMethod, all_methods, load
from learnact.domains.tools.content import Conversation
from learnact.records import Plain

MOST_NUMBER = 1e15
"""The largest number that a method is given."""
_MOST = {"precision": 1000, "exponent": 1000, "decimal_places": 300}
"""Smaller bounds of parameters whose value decides how long a calculation takes."""
MOST_ENTRIES = 10_000
"""Files and folders that a file system may come to; the published ones have fewer than 100."""
MOST_DEPTH = 30
"""Folders inside one another."""
LONGEST_REASON = 400
"""Characters of a tool's own words that a reason repeats."""
FULL = "The file system is full."
DONE = "Done."
"""What a method answers that returns nothing."""


@dataclass(frozen=True)
class Answered:
    """What a method answered, as text; `error` where it refused or failed."""

    text: str
    error: str = ""


class Apis:
    """The APIs of a conversation in one state."""

    def __init__(self, conversation: Conversation) -> None:
        self._methods: dict[str, ApiMethod] = all_methods(conversation.apis)
        self._instances: dict[Api, Any] = {}
        for api in conversation.apis:
            instance = load(api)()
            if hasattr(instance, "_load_scenario"):
                config = copy.deepcopy(conversation.config.get(api, {}))
                instance._load_scenario(config, long_context=conversation.long_context)
            self._instances[api] = instance

    def call(self, name: str, values: Sequence[Plain]) -> Answered:
        """Call a method with a value for each of its parameters. Never raises."""
        method = self._methods[name]
        given = dict(zip(method.primitive.parameters, values, strict=True))
        if fault := too_large(given):
            return Answered("", fault)
        instance = self._instances[method.api]
        before = copy.deepcopy(instance)
        try:
            with decimal.localcontext():  # one method changes the precision of the whole thread
                answered = _answered(getattr(instance, name)(**copy.deepcopy(given)))
        except Exception as error:  # noqa: BLE001 the package's code, given what an agent made up
            said = shortened(f"{name} failed: {type(error).__name__}: {error}", LONGEST_REASON)
            answered = Answered("", said)
        if method.api == "files" and _is_overgrown(instance.root):
            answered = Answered("", FULL)
        if answered.error:
            self._instances[method.api] = before
        return answered

    def equals(self, other: Apis) -> bool:
        """Whether both are in the same state: all public attributes of all APIs are equal, as the package's
        own checker compares them."""
        return all(
            _state(instance) == _state(other._instances[api]) for api, instance in self._instances.items()
        )

    def snapshot(self) -> Apis:
        """The same state, on its own."""
        return copy.deepcopy(self)


def too_large(given: Mapping[str, Plain]) -> str:
    """Why arguments are refused that could make a calculation endless; "" when they are not."""
    for name, value in given.items():
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, int | float) and not isinstance(number, bool):
                most = _MOST.get(name, MOST_NUMBER)
                if not math.isfinite(number) or abs(number) > most:
                    return f"{name} must be a number from {-most:g} to {most:g}."
    return ""


def _is_overgrown(root: Any) -> bool:
    """Whether a folder holds more than `MOST_ENTRIES` or lies deeper than `MOST_DEPTH`; one that came to be
    inside itself does both."""
    waiting, seen = [(root, 0)], 0
    while waiting:
        entry, depth = waiting.pop()
        inside = getattr(entry, "contents", {})
        waiting.extend((item, depth + 1) for item in inside.values())
        seen += len(inside)
        if seen > MOST_ENTRIES or depth > MOST_DEPTH:
            return True
    return False


def _state(instance: Any) -> dict[str, Any]:
    return {key: value for key, value in vars(instance).items() if not key.startswith("_")}


def _answered(result: Any) -> Answered:
    """An answer as JSON. A method says that it refused by the key `error`."""
    refused = result[0] if isinstance(result, list) and len(result) == 1 else result
    if isinstance(refused, dict) and "error" in refused:
        said = shortened(str(refused["error"]), LONGEST_REASON)
        return Answered("", said if " " in said else f"The tool answers with the error {said or 'unknown'}.")
    if result is None:
        return Answered(DONE)
    return Answered(
        result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)
    )
