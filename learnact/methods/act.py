"""Act: each turn the model writes one call of a primitive or learned action. No thoughts."""

from __future__ import annotations

from learnact.methods.episode import EpisodeRun
from learnact.methods.prompt_sections import TEXTS, as_turns, as_turns_with_thoughts, turn_prompt


async def act(stage: EpisodeRun) -> None:
    """Play until the task is solved or the turns are used up."""
    await by_turns(stage, "act", thoughts=False)


async def by_turns(stage: EpisodeRun, answer: str, thoughts: bool) -> None:
    """The loop that Act and ReAct share: ask, do what the reply says, again. `answer` names the prompt file of the last section."""
    text = TEXTS.fill(answer if stage.episode.rules.action_format == "call" else f"{answer}_text")
    while not stage.over:
        prompt = turn_prompt(
            stage.episode,
            stage.domain,
            stage.goal,
            stage.first_observation,
            tuple(stage.turns),
            text,
            as_turns_with_thoughts if thoughts else as_turns,
        )
        reply = await stage.ask(prompt)
        await stage.take(reply.text, thoughts)
