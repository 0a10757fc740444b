"""The agent that goes on from a recorded turn: the turns before it are taken over, then another agent plays.

No job names it; `learnact fork` does (docs/forks.md).
"""

from __future__ import annotations

from learnact.domains.base import Example
from learnact.methods.base import Agent, MethodOptions
from learnact.methods.episode import EpisodeRun
from learnact.methods.prompt_sections import example_as_turns
from learnact.records import AgentSpec, Turn


class ForkedOptions(MethodOptions):
    """What is taken over, and who goes on."""

    agent: str
    """The agent that plays on."""
    agent_options: str = "{}"
    """Its own options, as canonical JSON."""
    episode: str
    """The key of the recorded episode."""
    turns: tuple[Turn, ...]
    """The turns before the fork, as they were recorded."""


class Forked(Agent[ForkedOptions]):
    """Does the primitive actions of the recorded turns again, asks no model for them, and hands over."""

    name = "forked"
    options = ForkedOptions

    async def play(self, run: EpisodeRun, options: ForkedOptions) -> None:
        """Take over the turns, then play on."""
        # The registry holds this agent, too.
        from learnact.methods.registry import find_agent

        for turn in options.turns:
            await run.take_over(turn)
        agent = find_agent(options.agent)
        await agent.play(run, agent.options_of(AgentSpec(options.agent, options.agent_options)))

    def show_example(self, example: Example) -> str:
        """As turns; the agent that plays on shows it in its own way."""
        return example_as_turns(example, thoughts=False)


FORKED = Forked()
