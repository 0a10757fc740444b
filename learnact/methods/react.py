"""ReAct (Yao et al., 2023): a turn is an action or a thought ("Think: ...", answered "Ok."; it costs the turn)."""

from __future__ import annotations

from learnact.methods.act import by_turns
from learnact.methods.episode import EpisodeRun


async def react(stage: EpisodeRun) -> None:
    """Play until the task is solved or the turns are used up."""
    await by_turns(stage, "react", thoughts=True)
