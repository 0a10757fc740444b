"""Replies that are the next step as a short program: a learned action, or the first calls of a plan, in a
function of their own where they are worth one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from learnact.simulated import text
from learnact.simulated.action_replies import NOTHING
from learnact.simulated.decision import decide
from learnact.simulated.function_replies import name_of, read_again
from learnact.simulated.functions import lift
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import ParsedPrompt

Keywords: TypeAlias = Mapping[str, tuple[tuple[str, ...], frozenset[str]]]
"""All parameters of actions, and those that must be given by keyword."""
MOST_CALLS = 4
"""Calls of one program; after them the state is looked at again."""


def step_program(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """The next step of the task."""
    decision = decide(prompt, reader)
    if decision.step is None:
        return NOTHING
    learned = {rule.name for rule in prompt.learned}
    if decision.step.call.name in learned:
        return fenced(decision.call)
    ahead = [decision.step.call]
    for step in decision.after[: MOST_CALLS - 1]:
        if step.call.name in learned:
            break
        ahead.append(step.call)
    return calls_ahead(prompt, reader, ahead)


def calls_ahead(
    prompt: ParsedPrompt,
    reader: NoisyReader,
    ahead: Sequence[text.ActionCall],
    keywords: Keywords | None = None,
    write: Callable[[text.ActionCall], str] = str,
) -> str:
    """A program of the calls as they are read once more; half of those of several calls define a function.

    `keywords`: for actions some of whose parameters must be given by keyword (`Function.keywords`); `write`:
    how a call is written.
    """
    steps = [call for _, call in read_again(ahead, range(len(ahead)), reader)] or ahead[:1]
    if len(steps) > 1 and reader.draw("define", 2):
        return fenced(_as_function(prompt, steps, keywords or {}))
    return fenced("\n".join(map(write, steps)))


def fenced(code: str) -> str:
    """Code as a reply shows it."""
    return f"```python\n{code}\n```"


def _as_function(prompt: ParsedPrompt, steps: Sequence[text.ActionCall], keywords: Keywords) -> str:
    """A function that makes the calls, with a docstring, and a call of it."""
    words: Mapping[str, Sequence[str]] = {rule.name: rule.parameters for rule in prompt.rules}
    taken = {rule.name for rule in (*prompt.rules, *prompt.learned)}
    lifted, names = lift(name_of(steps, taken), steps, words)
    function = replace(lifted, keywords=keywords)
    does = "; ".join(step.bare for step in function.steps)
    example = text.ActionCall(function.name, names)
    head, _, body = function.code.partition("\n")
    return f'{head}\n    """Does: {does}. Example: {example}"""\n{body}\n\n\n{example}'
