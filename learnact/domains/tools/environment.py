"""A conversation being played: methods of APIs, and answers to the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from learnact.domains.base import Primitive
from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer
from learnact.domains.tools.apis import all_methods
from learnact.domains.tools.content import Conversation, UserTurn
from learnact.domains.tools.engine import Apis
from learnact.domains.tools.plans import SAY
from learnact.records import Plain

Check = Literal["state", "published"]
"""When a turn is right (`ToolsOptions.check`)."""

GOAL = "Do what the user asks for, one message after the other, and answer each message with say(text)."
OVER = "The conversation is over."


class ToolsEnvironment(FamilyEnvironment):
    """A conversation (`learnact.domains.base.Environment`). A second set of APIs, on which the reference's
    calls are made, says what is right after each turn."""

    goal = GOAL

    def __init__(self, conversation: Conversation, primitives: Sequence[Primitive], check: Check) -> None:
        super().__init__(primitives)
        self._conversation = conversation
        self._check = check
        self._apis, self._reference = Apis(conversation), Apis(conversation)
        self._known = frozenset(all_methods(conversation.apis))
        later = {name for turn in conversation.turns for name in turn.new}
        self._missing = later | set(conversation.without)
        self._turn = self._right = 0
        self._begun = self._apis.snapshot()
        self._answers: Counter[str] = Counter()
        self.first_observation = self._opening()

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """What a method answers, or what the user says next."""
        if self._turn == len(self._conversation.turns):
            return PrimitiveAnswer(OVER, valid=False)
        if name == SAY:
            return self._say(str(values[0]))
        if name not in self._known:
            return PrimitiveAnswer(f"{name} is no method of the tools of this task.", valid=False)
        if name in self._missing:
            return PrimitiveAnswer(f"{name} is not available.", valid=False)
        answered = self._apis.call(name, values)
        if answered.error:
            return PrimitiveAnswer(answered.error, valid=False)
        self._answers[answered.text] += 1
        return PrimitiveAnswer(answered.text)

    def _say(self, text: str) -> PrimitiveAnswer:
        if not text.strip():
            return PrimitiveAnswer("Say something to the user.", valid=False)
        turns = self._conversation.turns
        self._right += self._is_right(turns[self._turn])
        self._turn += 1
        self._begun = self._apis.snapshot()
        progress = self._right / len(turns)
        if self._turn == len(turns):
            success = self._right == len(turns)
            return PrimitiveAnswer("The user has nothing more to ask.", True, progress, success, OVER)
        new = turns[self._turn].new
        self._missing -= set(new)
        return PrimitiveAnswer(f"The user says: {turns[self._turn].says}", progress=progress)

    def _is_right(self, turn: UserTurn) -> bool:
        """Whether the state is that of the reference. An agent that changed nothing must have received the
        answers of the reference's calls, else doing nothing would be right where nothing is to be changed."""
        made = [self._reference.call(call.name, call.arguments).text for call in turn.reference]
        if not self._apis.equals(self._reference):
            return False
        if self._check == "state" and not self._apis.equals(self._begun):
            return True
        return not Counter(made) - self._answers

    def _opening(self) -> str:
        conversation = self._conversation
        lines = [f"Your tools are {', '.join(conversation.apis)}."]
        if self._missing:
            lines.append(f"Not available: {', '.join(sorted(self._missing))}.")
        return "\n".join([*lines, f"The user says: {conversation.turns[0].says}"])
