"""Learners by name. Another package adds one through the entry-point group `learnact.learners` (name -> coroutine function)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from learnact.methods.best_of import best_of
from learnact.methods.learnact import learnact
from learnact.methods.none import none
from learnact.methods.reflexion import reflexion
from learnact.methods.training import Learned, Training
from learnact.methods.voyager import voyager
from learnact.plugins import PluginRegistry

Learner: TypeAlias = Callable[[Training], Awaitable[Learned]]

LEARNERS: PluginRegistry[Learner] = PluginRegistry(
    "learner",
    "learnact.learners",
    {"none": none, "learnact": learnact, "reflexion": reflexion, "voyager": voyager, "best_of": best_of},
)
