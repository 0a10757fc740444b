"""The loop of agents that answer turn by turn: ask, do what the reply says, again.

Shared by Act and ReAct.
"""

from __future__ import annotations

from typing import ClassVar

from learnact.domains.base import Example
from learnact.methods.base import Agent, MethodOptions
from learnact.methods.episode import EpisodeRun
from learnact.methods.prompt_sections import TEMPLATES, example_as_turns, turn_prompt, with_turns


class TurnAgent(Agent[MethodOptions]):
    """Each turn is one reply: an action, or, where `thoughts` is set, a thought."""

    thoughts: ClassVar[bool]

    async def play(self, run: EpisodeRun, options: MethodOptions) -> None:  # noqa: ARG002
        """Play until the task is solved or the turns are used up."""
        rules = run.episode.rules
        form = self.name if rules.action_format == "call" else f"{self.name}_text"
        if self.thoughts and rules.reply == "first_line":
            form += "_first_line"
        while not run.over:
            request = with_turns(run, TEMPLATES.fill(form))
            reply = await run.ask(turn_prompt(run, request, self.show_example))
            await run.take(reply.text, self.thoughts, reply.finish)

    def show_example(self, example: Example) -> str:
        """As the history would show it, with or without its thoughts."""
        return example_as_turns(example, thoughts=self.thoughts)
