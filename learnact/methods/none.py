"""No learning: the agent plays with primitive actions only."""

from __future__ import annotations

from learnact.methods.training import Learned, Training
from learnact.records import Library


async def none(_: Training) -> Learned:
    """The empty library."""
    return Learned(Library())
