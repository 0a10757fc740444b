"""A reply to chat messages: which kind of answer is asked for, in words, and that answer. A pure function
of model, messages and seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from learnact.simulated import acting, explaining, judging, proposing, repairing
from learnact.simulated.attention import Attention
from learnact.simulated.household import replies
from learnact.simulated.household.house import is_house
from learnact.simulated.scene import Scene, read_scene
from learnact.simulated.skills import SKILLS, VERSION

PUZZLED = "I do not understand."

Writer = Callable[[Scene, Attention], str]

KINDS: tuple[tuple[str, str, Writer], ...] = (
    ("call", "write the next action: one call", acting.call),
    ("command", "write the next action: one command", acting.call),
    ("thought or call", "either a thought", acting.thought_or_call),
    ("functions", "general python functions that will be useful", proposing.functions),
    ("program", "write one python program", proposing.program),
    ("program of functions", "write a python program that reaches the goal", proposing.program_of_functions),
    ("description", "write a description of the function", explaining.description),
    ("usage example", "a short usage example", explaining.usage_example),
    ("improvement", "find out why the call", repairing.improvement),
    ("lesson", "one short, general lesson", judging.lesson),
    ("verdict", "judge whether the goal", judging.verdict),
)
"""Name, the words at the end of a prompt that ask for it, and who writes it; the first whose words are
found answers."""


IN_A_HOUSE: dict[str, Writer] = {
    "call": replies.call,
    "command": replies.call,
    "thought or call": replies.thought_or_call,
    "functions": replies.functions,
    "program of functions": replies.program_of_functions,
    "usage example": replies.usage_example,
    "improvement": replies.improvement,
    "lesson": replies.lesson,
    "verdict": replies.verdict,
}
"""Who writes instead when the task is a household task."""


@dataclass(frozen=True)
class Answer:
    """A reply's text and the kind of answer it is ("" when the request was not understood)."""

    text: str
    kind: str


def answer(model: str, messages: Sequence[tuple[str, str]], seed: int) -> Answer:
    """The reply of a model to messages (role, content)."""
    skill = SKILLS[model]
    prompt = "\n\n".join(content for role, content in messages if role != "system")
    attention = Attention.of(skill, VERSION, "\0".join(f"{r}\0{c}" for r, c in messages), seed)
    scene = read_scene(prompt)
    asked = scene.answer.lower()
    household = is_house(scene)
    for kind, words, write in KINDS:
        if words in asked:
            text = (IN_A_HOUSE.get(kind, write) if household else write)(scene, attention)
            return Answer(text, kind if text else "") if text else Answer(PUZZLED, "")
    return Answer(PUZZLED, "")
