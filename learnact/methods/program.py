"""The agents that do what a learner wrote: run a given program, open-loop, or make given calls, one a turn.

Learners use them to try what they wrote; they ask no model.
"""

from __future__ import annotations

from learnact.domains.base import Example
from learnact.methods.base import Agent, MethodOptions
from learnact.methods.episode import EpisodeRun
from learnact.methods.prompt_sections import example_as_program, example_as_turns


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


class FixedCalls(Agent[MethodOptions]):
    """Makes the calls that the episode carries (`AgentSpec.program`, one a line), each in a turn of its own.

    So a usage example shows what an agent would see.
    """

    name = "fixed_calls"

    async def play(self, run: EpisodeRun, options: MethodOptions) -> None:  # noqa: ARG002
        """Make the calls until the task is solved or one could not be carried out."""
        for call in run.episode.agent.program.splitlines():
            if run.over:
                break
            turn = await run.take(call, thoughts=False)
            if not turn.ok:
                break

    def show_example(self, example: Example) -> str:
        """As turns."""
        return example_as_turns(example, thoughts=False)


PROGRAM = Program()
FIXED_CALLS = FixedCalls()
