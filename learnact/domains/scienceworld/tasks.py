"""The thirty kinds of tasks, and what a task holds: its kind, its variation, and what makes it simpler."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from learnact.errors import TaskError

Simplification = Literal[
    "teleportAction", "selfWateringFlowerPots", "openContainers", "openDoors", "noElectricalAction"
]
AGENTBOARD: tuple[Simplification, ...] = (
    "selfWateringFlowerPots",
    "openContainers",
    "openDoors",
    "noElectricalAction",
)
"""AgentBoard's simplifications."""


@dataclass(frozen=True)
class TaskKind:
    """One of the thirty kinds. Variations below `train` train, those below `dev` are for development, and the
    rest, below `count`, test: the simulator's own split. `electrical` kinds need electrical actions."""

    title: str
    train: int
    dev: int
    count: int
    electrical: bool = False

    def variations(self, split: str) -> range:
        """The variations of a split."""
        ends = {"train": (0, self.train), "dev": (self.train, self.dev), "test": (self.dev, self.count)}
        return range(*ends[split])


KINDS: dict[str, TaskKind] = {
    "boil": TaskKind("boil a substance", 14, 21, 30),
    "change-the-state-of-matter-of": TaskKind("change a substance's state of matter", 14, 21, 30),
    "chemistry-mix": TaskKind("make a substance by mixing others", 16, 24, 32),
    "chemistry-mix-paint-secondary-color": TaskKind("mix paints to a secondary colour", 18, 27, 36),
    "chemistry-mix-paint-tertiary-color": TaskKind("mix paints to a tertiary colour", 18, 27, 36),
    "find-animal": TaskKind("find an animal", 150, 225, 300),
    "find-living-thing": TaskKind("find a living thing", 150, 225, 300),
    "find-non-living-thing": TaskKind("find a thing that does not live", 150, 225, 300),
    "find-plant": TaskKind("find a plant", 150, 225, 300),
    "freeze": TaskKind("freeze a substance", 14, 21, 30),
    "grow-fruit": TaskKind("grow a fruit from seeds", 62, 93, 126),
    "grow-plant": TaskKind("grow a plant from seeds", 62, 93, 126),
    "identify-life-stages-1": TaskKind("show a plant's life stages in order", 6, 9, 14),
    "identify-life-stages-2": TaskKind("show an animal's life stages in order", 4, 6, 10),
    "inclined-plane-determine-angle": TaskKind("which of two planes is steeper", 84, 126, 168),
    "inclined-plane-friction-named-surfaces": TaskKind(
        "which of two known surfaces has more friction", 692, 1038, 1386
    ),
    "inclined-plane-friction-unnamed-surfaces": TaskKind(
        "which of two unknown surfaces has more friction", 80, 120, 162
    ),
    "lifespan-longest-lived": TaskKind("find the animal that lives longest", 62, 93, 125),
    "lifespan-longest-lived-then-shortest-lived": TaskKind(
        "find the animals that live longest and shortest", 62, 93, 125
    ),
    "lifespan-shortest-lived": TaskKind("find the animal that lives shortest", 62, 93, 125),
    "measure-melting-point-known-substance": TaskKind("measure a substance's melting point", 218, 327, 436),
    "measure-melting-point-unknown-substance": TaskKind(
        "measure an unknown substance's melting point", 150, 225, 300
    ),
    "melt": TaskKind("melt a substance", 14, 21, 30),
    "mendelian-genetics-known-plant": TaskKind("which trait of a pea plant is dominant", 60, 90, 120),
    "mendelian-genetics-unknown-plant": TaskKind(
        "which trait of an unknown plant is dominant", 240, 360, 480
    ),
    "power-component": TaskKind("make an electrical circuit", 10, 15, 20, electrical=True),
    "power-component-renewable-vs-nonrenewable-energy": TaskKind(
        "power a component from a kind of source", 10, 15, 20, electrical=True
    ),
    "test-conductivity": TaskKind("does a thing conduct electricity", 450, 675, 900, electrical=True),
    "test-conductivity-of-unknown-substances": TaskKind(
        "does an unknown substance conduct electricity", 300, 450, 600, electrical=True
    ),
    "use-thermometer": TaskKind("measure a temperature", 270, 405, 540),
}


class Variation(BaseModel):
    """Everything that decides an episode."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    number: int
    simplifications: str = ""
    """Names with commas between, as the simulator takes them."""
    version: str
    """Of the package `scienceworld`: another version may answer otherwise."""
    goal: str = ""
    """The goal as a label file has it; empty: the simulator's words."""
    labels: tuple[str, ...] = ()
    """AgentBoard's sub-goals (patterns), where the user has them."""

    def pack(self) -> str:
        """As a task's content: canonical JSON."""
        return json.dumps(self.model_dump(exclude_defaults=True), sort_keys=True)


def unpack(content: str, where: str, installed: str) -> Variation:
    """The variation of a task's content. Raises `TaskError` naming `where`."""
    try:
        variation = Variation.model_validate_json(content)
    except ValidationError as error:
        raise TaskError(f"{where}: not a variation of ScienceWorld: {error.errors()[0]['msg']}") from None
    kind = KINDS.get(variation.task)
    if kind is None or not 0 <= variation.number < kind.count:
        raise TaskError(f"{where}: ScienceWorld has no variation {variation.number} of {variation.task}")
    if variation.version != installed:
        raise TaskError(
            f"{where}: a task of scienceworld {variation.version}, and {installed} is installed; "
            f"pip install 'scienceworld=={variation.version}'"
        )
    return variation


def simplified(kind: TaskKind, wanted: tuple[Simplification, ...]) -> str:
    """The simplifications of a kind as the simulator takes them: an electrical kind keeps its actions."""
    return ",".join(name for name in wanted if not (kind.electrical and name == "noElectricalAction"))


def shuffled(kind: TaskKind, split: str, seed: int) -> list[int]:
    """The variations of a split in the order in which they are played."""
    numbers = list(kind.variations(split))
    random.Random(f"scienceworld {split} {seed}").shuffle(numbers)
    return numbers
