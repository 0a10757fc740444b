"""A BabyAI task being played through AgentBoard's actions and words (`surface: agentboard`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from learnact.domains.babyai.content import BabyaiContent
from learnact.domains.babyai.environment import FAILED
from learnact.domains.babyai.labels import LabelProgress
from learnact.domains.babyai.progress import MissionProgress
from learnact.domains.babyai.published_view import CHECK, PublishedView
from learnact.domains.babyai.view import Seen
from learnact.domains.babyai.world import World
from learnact.domains.base import Primitive
from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer, shortened
from learnact.records import Plain, Step

UNCHANGED = "No change in state."
UNKNOWN = "The action is not recognized. Please check valid actions."
COMPLETED = "\n The task is completed."

COMMANDS = {
    "turn_left": "turn left",
    "turn_right": "turn right",
    "move_forward": "move forward",
    "go_to": "go to {0}",
    "pick_up": "pickup {0}",
    "drop": "drop",
    "toggle": "toggle",
    "go_through": "go through {0}",
    "toggle_and_go_through": "toggle and go through {0}",
    "check_available_actions": CHECK,
}
"""The wrapper's command of each primitive action."""


class AgentboardEnvironment(FamilyEnvironment):
    """`learnact.domains.base.Environment` as the published wrapper has it; `faults`: with its faults."""

    def __init__(
        self, content: BabyaiContent, primitives: Sequence[Primitive], where: str, faults: bool
    ) -> None:
        super().__init__(primitives)
        self._faults = faults
        self._world = World(content, where)
        self._measure = MissionProgress(self._world)
        self._labels = LabelProgress(content.labels, one_each=faults) if content.labels else None
        self._image = self._picture()
        self._show()
        self.goal = content.goal
        if faults:  # the order of the parts is lost
            self.goal = self.goal.replace("then", "and").replace("after you", "and")
        self.first_observation = self._view.text()
        if self._labels is None:
            self.reached(self._measure.value, success=False)

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """What the wrapper answers to the command of a primitive action."""
        return self._command(COMMANDS[name].format(*(str(value).strip().lower() for value in values)))

    def text(self, command: str) -> Step:
        """Do an action given as the wrapper's text."""
        said = command.lower().strip()  # the wrapper takes two blanks within an action for another one
        if not self._faults:
            said = " ".join(said.split())
            said = said.replace("pick up ", "pickup ", 1) if said.startswith("pick up ") else said
            said = CHECK if said == "check valid actions" else said
        if self._failed:
            return self.invalid(shortened(command), self._failed)
        return self._as_step(shortened(command), self._command(said))

    def invalid(self, command: str, reason: str) -> Step:
        """The step of an action that was not possible, in the wrapper's words alone."""
        return self._step(command, False, reason)

    def _command(self, said: str) -> PrimitiveAnswer:
        if said == CHECK or (self._faults and "check" in said):
            return PrimitiveAnswer("You can take the following actions: " + ", ".join(self._view.actions))
        steps = self._view.actions.get(said)
        if steps is None:
            known = said and self._view.errors.get(said)
            return PrimitiveAnswer(known or (UNKNOWN if said else UNCHANGED), valid=False)
        if not steps:
            return PrimitiveAnswer(UNCHANGED)
        done = self._play(steps)
        self._show()
        return self._published(done) if self._faults else self._ours()

    def _play(self, steps: list[int]) -> bool:
        """Do the steps of an action until one changes nothing that is seen; whether the engine called the
        last one done. Without the faults the mission's end ends them too."""
        done = False
        for step in steps:
            done = self._world.act(step) != "continue"
            before, self._image = self._image, self._picture()
            if np.array_equal(before, self._image) or (done and not self._faults):
                break
        return done

    def _ours(self) -> PrimitiveAnswer:
        success, failed = (self._world.status == end for end in ("success", "failure"))
        observation = self._view.text() + (COMPLETED if success else f" {FAILED}" if failed else "")
        if self._labels is not None:
            self._labels.update(observation)
        progress = self._measure.value if self._labels is None else self._labels.value
        return PrimitiveAnswer(observation, True, progress, success, FAILED if failed else "")

    def _published(self, done: bool) -> PrimitiveAnswer:
        """As the wrapper decides: the labels of the observation, and the engine's end only above one half."""
        observation = self._view.text() + (COMPLETED if done else "")
        if self._labels is None:
            return PrimitiveAnswer(observation, True, self._measure.value, done)
        self._labels.update(observation)
        reward = self._labels.value
        success = done and reward > 0.5
        if reward == 1 and not success:
            success = True
            observation += COMPLETED
        return PrimitiveAnswer(observation, True, reward, success)

    def _show(self) -> None:
        self._view = PublishedView(self._world, self._faults)
        self._measure.update(Seen(self._world))
        self._image = self._picture()

    def _picture(self) -> np.ndarray:
        """The engine's image of what is seen, by which the wrapper tells whether a step changed anything."""
        grid, mask = self._world.gen_obs_grid()
        image: np.ndarray = grid.encode(mask)
        return image
