"""Modules that learned code may import: loaded before it runs, restored before each call, seeded.

The purpose is the same behaviour everywhere and good messages; this module confines nothing. It imports only
the standard library, because the confined process loads it."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable
from typing import Any

ALLOWED_IMPORTS = (
    "re",
    "math",
    "random",
    "itertools",
    "functools",
    "collections",
    "json",
    "copy",
    "typing",
    "dataclasses",
    "string",
    "operator",
    "heapq",
)
PRELOADED = (
    *ALLOWED_IMPORTS,
    "collections.abc",
    "unicodedata",
    "encodings.ascii",
    "encodings.latin_1",
    "encodings.utf_16",
)

ORIGINALS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
"""Namespaces of modules and their contents before any learned code ran. Taken in the fork server, so that
sessions share the memory."""
imported = {"builtins"}
"""Modules that learned code of this session imported. `restore` resets them before the next call."""


def take_originals() -> None:
    """Load what learned code may import and copy its contents. Called once, in the fork server."""
    for name in (*PRELOADED, "builtins"):
        space = vars(importlib.import_module(name))
        ORIGINALS[name] = (space, dict(space))


def restore() -> None:
    """Undo changes of earlier calls in the modules that learned code imported, and in builtins."""
    for name in imported:
        current, original = ORIGINALS[name]
        if current != original:
            current.clear()
            current.update(original)


def seed_random(seed_of_none: Callable[[], int]) -> None:
    """Let `random.Random()` and `random.SystemRandom()` draw from the seed, not from the machine."""
    original = random.Random.seed

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        original(self, seed_of_none() if a is None else a, version)

    random.Random.seed = seed  # type: ignore[method-assign]
    random.seed = random._inst.seed
    vars(random)["_urandom"] = lambda count: random._inst.randbytes(count)
