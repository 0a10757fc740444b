"""Learners by name. Another package adds one through the entry-point group `learnact.learners` (name -> coroutine function)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from learnact.learners.best_of import best_of
from learnact.learners.learnact import learnact
from learnact.learners.none import none
from learnact.learners.reflexion import reflexion
from learnact.learners.training import Learned, Training
from learnact.learners.voyager import voyager
from learnact.registered import Registered

Learner: TypeAlias = Callable[[Training], Awaitable[Learned]]

LEARNERS: Registered[Learner] = Registered(
    "learner",
    "learnact.learners",
    {"none": none, "learnact": learnact, "reflexion": reflexion, "voyager": voyager, "best_of": best_of},
)
