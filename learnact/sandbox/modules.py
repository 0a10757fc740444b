"""What learned code may import: loaded before it runs, found by each call as it was, and with chance that comes from a seed.

For the same behaviour everywhere and for good messages; no wall. Standard library only: the confined process loads this.
"""

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
"""Namespaces of modules and what they held before any learned code ran. Taken in the warmed parent, so that sessions share the memory."""
touched = {"builtins"}
"""Modules that learned code of this session imported: those a later call finds as they were."""


def take_originals() -> None:
    """Load what learned code may import and remember its contents. Once, in the warmed parent."""
    for name in (*PRELOADED, "builtins"):
        space = vars(importlib.import_module(name))
        ORIGINALS[name] = (space, dict(space))


def restore() -> None:
    """Undo what an earlier call did to the modules that learned code imported and to builtins."""
    for name in touched:
        current, original = ORIGINALS[name]
        if current != original:
            current.clear()
            current.update(original)


def seed_random(seed_of_none: Callable[[], int]) -> None:
    """Let `random.Random()` and `random.SystemRandom()` draw from the episode's seed, where CPython would ask the machine."""
    original = random.Random.seed

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        original(self, seed_of_none() if a is None else a, version)

    random.Random.seed = seed  # type: ignore[method-assign]
    random.seed = random._inst.seed
    vars(random)["_urandom"] = lambda count: random._inst.randbytes(count)
