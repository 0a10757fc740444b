"""ReAct (Yao et al., 2023): a turn is an action or a thought ("Think: ...", answered "Ok."; it costs the turn)."""

from __future__ import annotations

from learnact.agents.act import by_turns
from learnact.agents.stage import Stage


async def react(stage: Stage) -> None:
    """Play until the task is solved or the turns are used up."""
    await by_turns(stage, "react", thoughts=True)
