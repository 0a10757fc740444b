"""The agent that runs a given program, open-loop.

Learners use it to try what they wrote; it asks no model.
"""

from __future__ import annotations

from learnact.domains.base import Example
from learnact.methods.base import Agent, MethodOptions
from learnact.methods.episode import EpisodeRun
from learnact.methods.prompt_sections import example_as_program


class Program(Agent[MethodOptions]):
    """Runs the program that the episode carries (`AgentSpec.program`)."""

    name = "program"
    writes_code = True
    open_loop = True

    async def play(self, run: EpisodeRun, options: MethodOptions) -> None:  # noqa: ARG002
        """Run the program once."""
        await run.run_program(run.episode.agent.program, run.episode.agent.program)

    def show_example(self, example: Example) -> str:
        """As one program."""
        return example_as_program(example)


PROGRAM = Program()
