"""A reply to chat messages: finds which kind of reply the prompt's words ask for, and writes it.

A pure function of model, messages and seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from learnact.simulated import (
    action_replies,
    description_replies,
    function_replies,
    improvement_replies,
    judgement_replies,
    rule_replies,
    step_replies,
    unfamiliar,
)
from learnact.simulated.household import replies
from learnact.simulated.household.belief import is_house
from learnact.simulated.household.forms import FORMS
from learnact.simulated.models import DRAWS, MODELS
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.plays import play_replies, script_replies
from learnact.simulated.prompt import ParsedPrompt, parse_prompt
from learnact.simulated.unfamiliar import is_unfamiliar
from learnact.simulated.unread import unread_in

NOT_UNDERSTOOD = "I do not understand."

Writer = Callable[[ParsedPrompt, NoisyReader], str]

REPLY_KINDS: tuple[tuple[str, str, Writer], ...] = (
    ("call", "write the next action: one call", action_replies.call),
    ("command", "write the next action: one command", action_replies.call),
    ("thought or call", "either a thought", action_replies.thought_or_call),
    ("functions", "general python functions that will be useful", function_replies.functions),
    ("program", "write one python program", function_replies.program),
    (
        "program of functions",
        "write a python program that reaches the goal",
        function_replies.program_of_functions,
    ),
    ("description", "write a description of the function", description_replies.description),
    ("usage example", "a short usage example", description_replies.usage_example),
    ("improvement", "find out why the call", improvement_replies.improvement),
    ("step program", "write the next step as one short python program", step_replies.step_program),
    ("induction", "do what was done in these steps", function_replies.induction),
    ("workflows", "workflows: parts of what was done", rule_replies.workflows),
    ("rules", "change the list of rules", rule_replies.rules),
    ("merged rules", "merge rules that say the same", rule_replies.merged),
    ("manual", "write the rules above as a manual", rule_replies.manual),
    ("lesson", "one short, general lesson", judgement_replies.lesson),
    ("verdict", "judge whether the goal", judgement_replies.verdict),
    ("script", "write the script of a world", script_replies.script),
    ("play", "write the turns of the", play_replies.play),
)
"""Each kind of reply: its name, the words at the end of a prompt that ask for it, and its function.

The first kind whose words are found is used.
"""


HOUSEHOLD_WRITERS: dict[str, Writer] = {
    "call": replies.call,
    "command": replies.call,
    "thought or call": replies.thought_or_call,
    "functions": replies.functions,
    "program of functions": replies.program_of_functions,
    "usage example": replies.usage_example,
    "improvement": replies.improvement,
    "step program": replies.step_program,
    "induction": replies.induction,
    "rules": replies.rules,
    "lesson": replies.lesson,
    "verdict": replies.verdict,
}
"""The functions that are used instead for household tasks."""

UNFAMILIAR_WRITERS: dict[str, Writer] = {
    "call": unfamiliar.call,
    "thought or call": unfamiliar.thought_or_call,
    "functions": unfamiliar.functions,
}
"""The functions that are used instead where nothing of the task can be read."""


@dataclass(frozen=True)
class SimulatedReply:
    """A reply's text, its kind ("" when the request was not understood), and the lines of the prompt that
    could not be read."""

    text: str
    kind: str
    unread: tuple[str, ...] = ()


def reply_to(model: str, messages: Sequence[tuple[str, str]], seed: int) -> SimulatedReply:
    """The reply of a model to messages (role, content)."""
    settings = MODELS[model]
    user_content = "\n\n".join(content for role, content in messages if role != "system")
    reader = NoisyReader.of(settings, DRAWS, "\0".join(f"{r}\0{c}" for r, c in messages), seed)
    prompt = parse_prompt(user_content)
    asked = prompt.answer.lower()
    household = is_house(prompt)
    unread = unread_in(prompt, FORMS if household else ())
    writers = HOUSEHOLD_WRITERS if household else UNFAMILIAR_WRITERS if is_unfamiliar(prompt) else {}
    for kind, words, write in REPLY_KINDS:
        if words in asked:
            text = writers.get(kind, write)(prompt, reader)
            if text:
                return SimulatedReply(text, kind, unread)
    return SimulatedReply(NOT_UNDERSTOOD, "", unread)
