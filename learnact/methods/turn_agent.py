"""The loop of agents that answer turn by turn: ask, do what the reply says, again.

Shared by Act and ReAct.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from learnact.domains.base import Example
from learnact.methods.base import Agent, MethodOptions
from learnact.methods.constrained import allowed_replies
from learnact.methods.episode import EpisodeRun
from learnact.methods.prompt_sections import (
    TEMPLATES,
    example_as_turns,
    tools_prompt,
    turn_prompt,
    with_turns,
)


class TurnAgent(Agent[MethodOptions]):
    """Each turn is one reply: an action, or, where `thoughts` is set, a thought."""

    thoughts: ClassVar[bool]
    action_formats = frozenset({"call", "text", "tools", "constrained"})

    async def play(self, run: EpisodeRun, options: MethodOptions) -> None:  # noqa: ARG002
        """Play until the task is solved or the turns are used up."""
        rules = run.episode.rules
        form = rules.action_format
        asked = f"{self.name}_{form}" if form in ("text", "tools") else self.name
        if self.thoughts and rules.reply == "first_line" and form != "tools":
            asked += "_first_line"
        asked = TEMPLATES.fill(asked)
        episode = run.episode
        grammar = ""
        if form == "constrained":
            grammar = allowed_replies(run.domain, episode.library, episode.task, self.thoughts)
        while not run.over:
            if form == "tools":
                prompt = tools_prompt(run, asked, self.show_example)
            else:
                prompt = turn_prompt(run, with_turns(run, asked), self.show_example)
                prompt = replace(prompt, grammar=grammar)
            reply = await run.ask(prompt)
            await run.take(reply.text, self.thoughts, reply.finish, reply.called)

    def show_example(self, example: Example) -> str:
        """As the history would show it, with or without its thoughts."""
        return example_as_turns(example, thoughts=self.thoughts)
