"""Learners by name. Another package adds one through the entry-point group `learnact.learners` (name -> coroutine function)."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.metadata import entry_points
from typing import TypeAlias

from learnact.errors import JobError
from learnact.learners.best_of import best_of
from learnact.learners.learnact import learnact
from learnact.learners.none import none
from learnact.learners.reflexion import reflexion
from learnact.learners.training import Learned, Training
from learnact.learners.voyager import voyager

Learner: TypeAlias = Callable[[Training], Awaitable[Learned]]
_OWN: dict[str, Learner] = {
    "none": none,
    "learnact": learnact,
    "reflexion": reflexion,
    "voyager": voyager,
    "best_of": best_of,
}


@cache
def learner(name: str) -> Learner:
    """The learner of that name.

    Raises:
        JobError: there is none.
    """
    if name in _OWN:
        return _OWN[name]
    others = {e.name: e for e in entry_points(group="learnact.learners")}
    if name in others:
        found: Learner = others[name].load()
        return found
    names = [*_OWN, *others]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise JobError(f"there is no learner {name!r}{hint} Learners: {', '.join(sorted(names))}")
