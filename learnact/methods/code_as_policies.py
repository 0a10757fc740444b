"""Code as Policies (Liang et al., 2023): one reply, a whole program that may define functions, run once.

The program is written before anything is observed, so the method is refused for domains that must be
explored.
"""

from __future__ import annotations

from dataclasses import replace

from learnact.domains.base import Example
from learnact.methods.base import Agent, Method, MethodOptions
from learnact.methods.episode import EpisodeRun
from learnact.methods.no_learning import NO_LEARNING
from learnact.methods.prompt_sections import TEMPLATES, code_rules, example_as_program, turn_prompt
from learnact.methods.reply_code import code_of
from learnact.records import ActionError, Budget, ModelSpec

PROGRAM_TOKENS = 2048
"""A program is longer than a call: the bound of its reply is at least this."""


class CodeAsPolicies(Agent[MethodOptions]):
    """Writes and runs one program. Prompt: `prompts/agent/code_as_policies.txt`."""

    name = "code_as_policies"
    writes_code = True
    accepts_library = False
    open_loop = True

    async def play(self, run: EpisodeRun, options: MethodOptions) -> None:  # noqa: ARG002
        """Ask for the program and run it."""
        rules = code_rules(run.domain, run.episode.rules, run.episode.budget.primitives_per_call)
        request = TEMPLATES.fill("code_as_policies", rules=rules)
        reply = await run.ask(turn_prompt(run, request, self.show_example, system="code_as_policies_system"))
        code = code_of(reply.text)
        if code:
            await run.run_program(reply.text, code)
        else:
            error = ActionError("Unreadable", "The reply holds no Python code.")
            run.fail(reply.text, "", error, "cut" if reply.finish == "length" else "no_code")

    def show_example(self, example: Example) -> str:
        """As one program, its thoughts as comments."""
        return example_as_program(example)

    def turns(self, budget: Budget) -> int:  # noqa: ARG002
        """One reply."""
        return 1

    def model(self, model: ModelSpec) -> ModelSpec:
        """Without stop strings, and with room for a program."""
        return with_room_for_code(model)


def with_room_for_code(model: ModelSpec) -> ModelSpec:
    """The model without stop strings and with room for a program: a bound for one call would cut it
    short.
    """
    tokens = None if model.max_tokens is None else max(model.max_tokens, PROGRAM_TOKENS)
    return replace(model, stop=(), max_tokens=tokens)


METHOD = Method("code_as_policies", CodeAsPolicies(), NO_LEARNING, "one reply, a whole program, run once")
