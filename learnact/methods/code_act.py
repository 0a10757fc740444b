"""Code as the action of every step: each turn is a short Python program, which may define functions for later
steps (CodeAct, Wang et al., 2024; the agent of DynaSaur and of AutoManual's planner).

A function is kept for later steps when the program that defines it ran without an error (DynaSaur).
"""

from __future__ import annotations

import ast

from learnact.domains.base import Example
from learnact.errors import LibraryError
from learnact.library.check import read_code
from learnact.library.merge import check_merged, merge
from learnact.methods.base import Agent, Method, MethodOptions
from learnact.methods.code_as_policies import with_room_for_code
from learnact.methods.episode import EpisodeRun
from learnact.methods.no_learning import NO_LEARNING
from learnact.methods.prompt_sections import (
    TEMPLATES,
    code_rules,
    example_as_programs,
    turn_prompt,
    with_turns,
)
from learnact.methods.reply_code import code_of
from learnact.records import ActionError, Library, ModelSpec, Turn


class CodeAct(Agent[MethodOptions]):
    """Each turn is one program. Prompt: `prompts/agent/code_act.txt`."""

    name = "code_act"
    writes_code = True

    async def play(self, run: EpisodeRun, options: MethodOptions) -> None:  # noqa: ARG002
        """Play until the task is solved or the turns are used up."""
        episode = run.episode
        primitives = [p.name for p in run.domain.primitives]
        asked = TEMPLATES.fill(
            "code_act", rules=code_rules(run.domain, episode.rules, episode.budget.primitives_per_call)
        )
        defined = Library()
        while not run.over:
            prompt = turn_prompt(run, with_turns(run, asked), self.show_example, system="code_act_system")
            reply = await run.ask(prompt)
            code = code_of(reply.text)
            if code:
                turn = await run.run_program(reply.text, code, defined.source)
                defined = with_functions_of(defined, turn, primitives)
            else:
                error = ActionError("Unreadable", "The reply holds no Python code.")
                run.fail(reply.text, "", error, "cut" if reply.finish == "length" else "no_code")

    def show_example(self, example: Example) -> str:
        """As programs of one call each, thoughts as comments."""
        return example_as_programs(example)

    def model(self, model: ModelSpec) -> ModelSpec:
        """Without stop strings, and with room for a program."""
        return with_room_for_code(model)


def with_functions_of(library: Library, turn: Turn, primitives: list[str]) -> Library:
    """The library with the functions that a turn's program defines; unchanged where the program ended with an
    error, or where they cannot be a library's.
    """
    if not turn.is_program or turn.error is not None:
        return library
    code = _definitions(turn.said)
    try:
        grown = merge(library, code) if code else library
    except LibraryError:
        return library
    return library if grown is not library and check_merged(grown, code, primitives) else grown


def _definitions(program: str) -> str:
    """The functions of a program with its imports; "" where it defines none."""
    read = read_code(program)
    if not isinstance(read, tuple):
        return ""
    nodes = [n for n in read[0].body if isinstance(n, ast.FunctionDef | ast.Import | ast.ImportFrom)]
    if not any(isinstance(node, ast.FunctionDef) for node in nodes):
        return ""
    return "\n\n".join(ast.unparse(node) for node in nodes)


CODE_ACT = CodeAct()
METHOD = Method("code_act", CODE_ACT, NO_LEARNING, "each turn one short program")
