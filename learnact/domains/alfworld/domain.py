"""The six domains: options, tasks, prompts' text, and opening a game. Imports neither `alfworld` nor
`textworld` until a game is opened."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from learnact.domains.alfworld import examples, game_files, package
from learnact.domains.alfworld.content import unpack
from learnact.domains.alfworld.generation import generated
from learnact.domains.alfworld.language import ActionSet, InPlace, Language, Perturbation, Surface
from learnact.domains.alfworld.task_types import TASK_TYPES, TaskType
from learnact.domains.base import Environment, Example, FunctionExample, Primitive, Profile
from learnact.domains.levels import Level
from learnact.domains.made_tasks import MadeTasks
from learnact.errors import JobError, TaskError
from learnact.records import Task, digest

TEXT_VERSION = 3
"""Goes up whenever a prompt or an observation of ours could change."""

PROFILE = Profile(
    test_turns=20,
    learn_turns=10,
    history=50,
    call_observation="all",
    failure_context="history",
    explores=True,
    blocking=True,
    score=("success", "call_ratio"),
    invalid="Nothing happens.",
    promise=" and says why",
)


class AlfworldOptions(BaseModel):
    """Options of the ALFWorld domains."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = "generated"
    """`generated`; `env` for the folder that ALFWORLD_DATA names; or the path of such a folder."""
    split: Literal["train", "valid_seen", "valid_unseen"] = "valid_unseen"
    """Which split of a source is played."""
    surface: Surface = "published"
    """`published` (`put X in/on Y`) or `new` (`move X to Y`, as alfworld 0.4 says it)."""
    perturb: tuple[Perturbation, ...] = ()
    """AgentRefine's perturbations of the interface, in any combination."""
    actions: ActionSet = "ours"
    """`ours`, or `published`: as in LearnAct's scripts, with `toggle` beside `use` (the engine does not
    know it, so that it never works) and without `look`."""
    in_place: InPlace = "valid"
    """Going to the place where one is: `valid` says so and shows the place; `invalid` as published."""
    level: Level = "published"
    """Difficulty of generated games: `easy`, `published` (like the published ones), `hard`, `harder`."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Seed of generated games."""
    train: int = Field(default=3, ge=1, le=1000)
    """How many training games: generated, or the first of a source without published training indices."""
    test: int | None = Field(default=None, ge=0, le=100_000)
    """How many test games; default 20 generated ones, or all of a source."""
    train_indices: tuple[int, ...] | None = None
    """Which games of a source train (places in the sorted list); default: the published ones of
    valid_unseen."""
    labels: str | None = None
    """AgentBoard's label file; its sub-goals are then the progress."""

    @model_validator(mode="after")
    def _consistent(self) -> AlfworldOptions:
        if len(set(self.perturb)) != len(self.perturb):
            raise ValueError("perturb: a perturbation is named twice")
        if self.labels is not None and self.surface != "published":
            raise ValueError("labels: AgentBoard's labels are patterns of the surface `published`")
        if self.source != "generated" and "level" in self.model_fields_set:
            raise ValueError("level is of generated games; those of a source are as they are")
        if self.source == "generated" and (self.train_indices is not None or self.labels is not None):
            raise ValueError(
                "train_indices and labels belong to a source; generated games take train and test"
            )
        return self


class AlfworldDomain:
    """`learnact.domains.base.Domain` of one task type."""

    def __init__(self, kind: TaskType, options: AlfworldOptions) -> None:
        package.require()
        self._kind = kind
        self._options = options
        self._language = Language(options.surface, options.perturb, options.actions, options.in_place)
        self.name = f"alfworld-{kind.name}"
        self.title = kind.title
        possible, impossible = examples.answers(self._language)
        self.profile = replace(PROFILE, possible=possible, impossible=impossible)
        self.primitives: tuple[Primitive, ...] = self._language.primitives
        self.instruction = examples.instruction(self._language)
        self.example: Example = examples.example(kind.name, self._language)
        self.function_example: FunctionExample = examples.function_example(self._language)
        self.own_function_example: FunctionExample | None = examples.function_example(
            self._language, "own_function"
        )
        self.text_forms = self._language.forms
        self.text_example: Example = examples.example(kind.name, self._language, as_text=True)

    @cached_property
    def version(self) -> str:
        """Address of text and engine."""
        text = [
            TEXT_VERSION,
            self.instruction,
            [vars(p) for p in self.primitives],
            self.example,
            self.function_example,
            self.own_function_example,
            [self.profile.possible, self.profile.impossible],
            self.curated_library,
        ]
        shipped = [package.versions(), digest(package.domain_text(), package.grammar_text())]
        return digest(
            text, self.text_example, shipped, self._language.surface, sorted(self._language.perturb)
        )

    @property
    def curated_library(self) -> str:
        """The functions that people wrote for the published surface; "" where actions have other forms."""
        if self._options.surface != "published" or set(self._options.perturb) - {"reworded"}:
            return ""
        file = resources.files("learnact.domains.alfworld") / "library.txt"
        return file.read_text("utf-8")

    @cached_property
    def example_task(self) -> Task:
        """The game of the worked example."""
        return Task(self.name, "example", examples.game(self._kind.name))

    def tasks(self, split: Literal["train", "test"]) -> Sequence[Task]:
        """Generated training and test games have nothing in common, not even rooms. Of a source, all games
        are test games (the trial takes those that it learned from out again, unless the job says `test:
        all`); with a number of test games, the first that are not trained on."""
        if self._options.source == "generated":
            return self._generated[split]
        train = self._train_indices()
        if split == "train":
            return [self._published[i] for i in train]
        if self._options.test is None:
            return self._published
        rest = [task for i, task in enumerate(self._published) if i not in set(train)]
        return rest[: self._options.test]

    def read(self, path: str) -> Task:
        """One game file (`game.tw-pddl`, or its folder) as a task."""
        task = game_files.read_game(Path(path), self._labels)
        if task.domain != self.name:
            raise TaskError(f"{path}: its goal is of another type; play it with {task.domain}")
        return task

    def open(self, task: Task) -> Environment:
        """A game on the real engine; imports it, so call this in an engine process."""
        from learnact.domains.alfworld.environment import AlfworldEnvironment

        return AlfworldEnvironment(unpack(task.content, task.name), self._language, task.name)

    def ready(self, task: Task) -> bool:
        """Whether the game has been translated on this machine."""
        from learnact.domains.alfworld import translation

        return translation.is_cached(unpack(task.content, task.name).problem)

    def prepare(self, task: Task) -> None:
        """Translate the game (up to 1.5 s of CPU), for all processes of this machine."""
        from learnact.domains.alfworld import translation

        translation.translate(unpack(task.content, task.name).problem)

    @cached_property
    def _generated(self) -> dict[str, MadeTasks]:
        seed, level, test = self._options.seed, self._options.level, self._options.test

        def made(split: str, count: int) -> MadeTasks:
            """Games of a series (seed and level), each made when it is first asked for (about a second), all
            at once when all are.
            """

            def make(numbers: Sequence[int]) -> dict[int, Task]:
                paths = generated(self._kind, split, seed, numbers, level)
                tasks = (game_files.read_game(path, {}) for path in paths)
                labelled = (replace(task, labels={**task.labels, "level": level}) for task in tasks)
                return dict(zip(numbers, labelled, strict=True))

            return MadeTasks(count, make)

        return {
            "train": made("train", self._options.train),
            "test": made("valid_unseen", 20 if test is None else test),
        }

    @cached_property
    def _labels(self) -> game_files.Labels:
        return game_files.read_labels(self._options.labels) if self._options.labels else {}

    @cached_property
    def _published(self) -> list[Task]:
        folder = game_files.split_folder(self._source(), self._options.split)
        many = (
            self._options.split == "train"
            and self._options.test is not None
            and self._options.train_indices is None
        )
        limit = self._options.train + (self._options.test or 0) if many else None
        found = game_files.published_tasks(folder, self._kind, self._labels, limit)
        if not found:
            raise TaskError(
                f"{folder}: there is no solvable game of type {self._kind.name} ({self._kind.folder}-*)"
            )
        return found

    def _source(self) -> Path:
        if self._options.source != "env":
            return Path(self._options.source).expanduser()
        if not os.environ.get("ALFWORLD_DATA"):
            raise TaskError(
                f"{self.name}: source is `env`, but ALFWORLD_DATA is not set; set it, or give source: "
                "PATH or generated"
            )
        return Path(os.environ["ALFWORLD_DATA"]).expanduser()

    def _train_indices(self) -> tuple[int, ...]:
        have, kind = len(self._published), self._kind
        asked = self._options.train_indices
        if asked is None and self._options.split == "valid_unseen" and have == kind.published_count:
            return kind.published
        indices = asked if asked is not None else tuple(range(min(self._options.train, max(1, have - 1))))
        beyond = [i for i in indices if not 0 <= i < have]
        if beyond:
            raise TaskError(
                f"{self.name}: train_indices {beyond} are not among the {have} games of {self._options.split}"
            )
        return tuple(indices)


@dataclass(frozen=True)
class AlfworldFactory:
    """What an entry point names: called with options it gives the domain."""

    kind: str
    options_model: type[AlfworldOptions] = AlfworldOptions

    def __call__(self, options: dict[str, Any]) -> AlfworldDomain:
        """The domain. Raises `MissingExtra` without the extra, `JobError` for bad options."""
        package.require()
        try:
            return AlfworldDomain(TASK_TYPES[self.kind], AlfworldOptions.model_validate(options))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "options"
            known = ", ".join(AlfworldOptions.model_fields)
            said = first["msg"].removeprefix("Value error, ")
            raise JobError(f"alfworld-{self.kind}: {place}: {said} (options: {known})") from error


PUT = AlfworldFactory("put")
CLEAN = AlfworldFactory("clean")
HEAT = AlfworldFactory("heat")
COOL = AlfworldFactory("cool")
EXAMINE = AlfworldFactory("examine")
PUTTWO = AlfworldFactory("puttwo")
