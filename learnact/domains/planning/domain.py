"""A STRIPS domain: rules, words, a generator of tasks, and published problems, as
`learnact.domains.base.Domain`.

`Family` is what an entry point names: called with options it gives the domain. A domain in another package
consists of a PDDL file, a table of sentences, a generator and a `Family` (docs/adding-a-domain.md).
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import yaml
from pydantic import ValidationError

from learnact.domains.base import Example, FunctionExample, PlannedCall, Profile
from learnact.domains.levels import spread
from learnact.domains.option_errors import option_fault
from learnact.domains.planning import published
from learnact.domains.planning.composition import GoalKinds
from learnact.domains.planning.drawing import Draw, Stratum
from learnact.domains.planning.engine import Grounding
from learnact.domains.planning.environment import DescribedProblem, PlanningEnvironment, primitives
from learnact.domains.planning.names import python_name
from learnact.domains.planning.options import CLEAR, GENERATED, LevelOptions, PlanningOptions
from learnact.domains.planning.pddl import PddlDomain, PddlProblem, parse_domain, parse_problem, write_problem
from learnact.domains.planning.plans import Planner, ReferencePlan, find_plan
from learnact.domains.planning.wording import NAME, Wording
from learnact.domains.text_file import read_text
from learnact.errors import JobError, TaskError
from learnact.records import Plain, Task, digest, seed_from

ENGINE_VERSION = 1
"""Goes up whenever a change of the engine or of the text of a state changes what a model reads."""

LIBRARY = ".library.txt"
"""The ending of the file with a domain's curated library."""
_MOST_TRIES = 400
_TRIES_OF_A_KIND = 80


Options = TypeVar("Options", bound=PlanningOptions)


@dataclass(frozen=True)
class Family(Generic[Options]):
    """A planning domain without its options: the callable that an entry point of `learnact.domains` names.

    `files` holds `NAME.pddl` and `NAME.yaml`; `generate` draws a problem as PDDL text; `plan` is a
    constructive planner (None: search); `indices` are the published training indices; `levels` are the kinds
    of tasks of each level (a level that is not named is the generator's own affair); `goal_kinds` are the
    kinds of facts of its goals where it has several (`composition`).
    """

    name: str
    options_model: type[Options]
    generate: Callable[[Draw, Options], str]
    plan: Planner | None = None
    indices: tuple[int, ...] = ()
    files: Traversable | None = None
    levels: Mapping[str, Sequence[Stratum]] = field(default_factory=dict)
    goal_kinds: GoalKinds | None = None

    def __call__(self, options: dict[str, Any]) -> PlanningDomain[Options]:
        """The domain with these options; raises `JobError` for options that it does not have."""
        try:
            return PlanningDomain(self, self.options_model.model_validate(options))
        except ValidationError as error:
            raise JobError(f"domain {self.name}: {option_fault(error, self.options_model)}") from None

    def file(self, suffix: str) -> str:
        """The text of one of the domain's own files."""
        return read_text(self._path(suffix), f"{self.name}{suffix}")

    def has_file(self, suffix: str) -> bool:
        """Whether the domain has that file."""
        return self._path(suffix).is_file()

    def _path(self, suffix: str) -> Traversable:
        folder = self.files or resources.files("learnact.domains.planning") / "data"
        return folder / f"{self.name}{suffix}"


class PlanningDomain(Generic[Options]):
    """A STRIPS domain (`learnact.domains.base.Domain`)."""

    def __init__(self, family: Family[Options], options: Options) -> None:
        self.family = family
        self.options = options
        self.name = family.name
        rules_text = family.file(".pddl")
        where = f"{self.name}.yaml" if options.text == CLEAR else options.text
        words = family.file(".yaml") if options.text == CLEAR else read_text(Path(options.text))
        self.rules: PddlDomain = parse_domain(rules_text, f"{self.name}.pddl")
        self.wording = Wording.parse(words, where)
        self.wording.check(self.rules)
        self.title = self.wording.title
        self._kinds = _goal_kinds(family, options)
        self._equal = options.equal_arguments == "valid"
        differ = "" if self._equal else f" {self.wording.phrases.differ}"
        self.instruction = f"{self.wording.instruction.rstrip()}{differ}"
        self.primitives = primitives(self.rules, self.wording)
        self.function_example = function_example()
        own = self.wording.function
        self.own_function_example = None if own is None else FunctionExample(**own.model_dump())
        self.profile = _profile(self.wording)
        self.version = digest(
            "planning",
            ENGINE_VERSION,
            (rules_text, words, self.curated_library),
            self.function_example,
            (self.instruction, self.profile),
        )
        self._described: OrderedDict[str, DescribedProblem] = OrderedDict()

    # Tasks

    def tasks(self, split: Literal["train", "test"]) -> Sequence[Task]:
        """The tasks of a split: generated (test tasks differ from training tasks and the example), or
        published.

        Of published problems all are test tasks.
        """
        if self.options.source != GENERATED:
            everything = self._published
            if split == "test":
                return everything
            indices = (
                self.family.indices if self.options.train_indices is None else self.options.train_indices
            )
            return tuple(everything[published.checked_index(i, len(everything), self.name)] for i in indices)
        if split == "train":
            return self._training
        return self._testing

    def read(self, path: str) -> Task:
        """A problem file as a task."""
        return self.task(read_text(Path(path)), Path(path).stem, {"file": Path(path).name}, path)

    def open(self, task: Task) -> PlanningEnvironment:
        """A fresh environment."""
        return PlanningEnvironment(self.described(task.content))

    def objects(self, task: Task) -> dict[str, tuple[str, ...]]:
        """The names of a task's objects by kind; all under "" where the rules have no kinds."""
        grounding = self.described(task.content).grounding
        names = sorted(grounding.problem.objects)
        if not self.rules.typed:
            return {"": tuple(names)}
        used = {kind for schema in self.rules.schemas for kind in schema.types}
        return {kind: tuple(n for n in names if kind in grounding.kinds[n]) for kind in sorted(used)}

    def task(self, text: str, name: str, labels: dict[str, Plain], where: str = "problem") -> Task:
        """A problem in PDDL as a task, with a reference plan where one is found."""
        problem = parse_problem(text, self.rules, where)
        self._check_names(problem, where)
        plan = self.plan(text, where)
        found: dict[str, Plain] = {
            "reference": plan.found if plan else "none",
            "objects": len(problem.objects),
        }
        return Task(
            self.name,
            name,
            write_problem(problem, self.rules),
            len(plan.calls) if plan else None,
            {**labels, **found, "goals": len(problem.goal), "met": len({*problem.init} & {*problem.goal})},
        )

    def plan(self, text: str, where: str = "problem") -> ReferencePlan | None:
        """A plan for a problem in PDDL, checked by playing it; None when none was found."""
        return find_plan(self.ground(text, where), self.family.plan)

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...] | None:
        """The plan of a task as calls of primitives; None when none was found."""
        plan = self.plan(task.content, task.name)
        return None if plan is None else tuple(PlannedCall(python_name(n), a) for n, a in plan.calls)

    def calls(self, plan: ReferencePlan) -> tuple[str, ...]:
        """A plan as an agent would write it: one call of a primitive a step."""
        return tuple(
            f"{python_name(name)}({', '.join(map(repr, arguments))})" for name, arguments in plan.calls
        )

    def ground(self, text: str, where: str = "problem") -> Grounding:
        """A problem in PDDL, ready to be played."""
        problem = parse_problem(text, self.rules, where)
        try:
            return Grounding(self.rules, problem, self.wording.order)
        except TaskError as error:
            raise TaskError(f"{where}: {error}") from None

    def described(self, text: str) -> DescribedProblem:
        """A problem with its sentences; the last few are kept, because candidates play the same tasks."""
        described = self._described.get(text)
        if described is None:
            described = self._described[text] = DescribedProblem(self.ground(text), self.wording, self._equal)
            if len(self._described) > 64:
                self._described.popitem(last=False)
        return described

    @cached_property
    def example_task(self) -> Task:
        """The problem of the worked example, so that a run can record that no task equals it."""
        return self.task(
            self.wording.example.problem, "example", {}, self.wording.place("example", "problem")
        )

    @property
    def curated_library(self) -> str:
        """The functions that people wrote for it (`NAME.library.txt`); "" where there is no such file."""
        return self.family.file(LIBRARY) if self.family.has_file(LIBRARY) else ""

    @cached_property
    def example(self) -> Example:
        """The worked example, played on the engine: its observations are what an agent would see.

        Raises `TaskError`, naming the step, for one that is not possible or does not reach its goal.
        """
        environment = self.open(self.example_task)
        steps = []
        for number, written in enumerate(self.wording.example.steps):
            step = environment.call(python_name(written.do[0]), written.do[1:], {})
            if not step.valid:
                raise TaskError(f"{self.wording.place('example', 'steps', number)}: {step.observation}")
            steps.append((written.think, step.command, step.observation))
        if not environment.success:
            raise TaskError(f"{self.wording.place('example', 'steps')}: they do not reach the example's goal")
        return Example(environment.goal, environment.first_observation, tuple(steps))

    @cached_property
    def _testing(self) -> tuple[Task, ...]:
        return tuple(self._generate("test", self.options.test, self._training))

    @cached_property
    def _training(self) -> tuple[Task, ...]:
        return tuple(self._generate("train", self.options.train, ()))

    @cached_property
    def _published(self) -> tuple[Task, ...]:
        files = published.problem_files(Path(self.options.source), self.name, self.rules)
        return tuple(
            self.task(read_text(path), path.stem, {"index": i, "file": path.name}, str(path))
            for i, path in enumerate(files)
        )

    def _generate(
        self, split: Literal["train", "test"], number: int, before: Sequence[Task]
    ) -> Iterator[Task]:
        """Solvable tasks that are not solved at the start, each unlike the others, those before and the
        example."""
        seen = {task.hash for task in before} | {self.example_task.hash}
        for i in range(number):
            for attempt in range(_MOST_TRIES):
                task = self._drawn(split, i, attempt)
                if task is not None and task.hash not in seen:
                    break
            else:
                combining = "" if self._kinds is None else f" with goals of {', '.join(self._kinds.names)}"
                raise TaskError(
                    f"domain {self.name}: only {i} different {split} tasks{combining} with these sizes; ask "
                    f"for fewer, widen the sizes{', or take another level' if combining else ''}"
                )
            seen.add(task.hash)
            yield task

    def _drawn(self, split: Literal["train", "test"], number: int, attempt: int) -> Task | None:
        """A task of the number's kind; None where this attempt gives none."""
        level = self.options.level if isinstance(self.options, LevelOptions) else ""
        strata = self.family.levels.get(level, ())
        # the tasks of `easy` are those of the time before there were levels
        root = (self.name, level) if strata else (self.name,)
        seed = self.options.seed

        def cycle(turn: int) -> random.Random:
            return random.Random(seed_from(*root, seed, split, "sizes", turn))

        # where a kind of few tasks is used up, another one of the level takes its place
        place = number + attempt // (_TRIES_OF_A_KIND if self._kinds is None else 1)
        stratum = spread(strata, place, cycle(number // len(strata)).random()) if strata else None
        rng = random.Random(seed_from(*root, seed, split, number, attempt))
        drawn = number if self._kinds is None else place  # a small task may have too few kinds
        text = self.family.generate(Draw(rng, drawn, cycle, stratum), self.options)
        name = "-".join([*root, split, str(seed), str(number)])
        labels: dict[str, Plain] = {"level": level} if level else {}
        if self._kinds is not None:
            place = number if split == "train" else self.options.train
            problem = self._kinds.task(parse_problem(text, self.rules), split, place)
            if problem is None:
                return None
            labels["kinds"] = "+".join(self._kinds.left_to_do(problem))
            text, name = write_problem(problem, self.rules), f"{name}-composition"
        task = self.task(text, name, {"index": number, "seed": seed, **labels})
        if not task.reference:
            return None
        sized = isinstance(self.options, LevelOptions) and self.options.sized
        if stratum is None or sized or self._kinds is not None:
            return task
        return task if stratum.accepts(task.reference, bool(task.labels["met"])) else None

    def _check_names(self, problem: PddlProblem, where: str) -> None:
        for name in problem.objects:
            if name in self.wording.words:
                raise TaskError(
                    f"{where}: object {name} is a word of the sentences of {self.name}: give it another name"
                )
            if not NAME.fullmatch(name):
                raise TaskError(f"{where}: object {name}: a name is a letter, then letters, digits, - and _")


def _goal_kinds(family: Family[Any], options: PlanningOptions) -> GoalKinds | None:
    """The kinds of goals if tasks of combinations are asked for; raises `JobError` where there are none."""
    if not (isinstance(options, LevelOptions) and options.composition):
        return None
    kinds = family.goal_kinds
    if kinds is None:
        raise JobError(
            f"domain {family.name}: composition: all goals are of one kind here, so nothing can be combined; "
            "barman and tyreworld have goals of several kinds"
        )
    if options.train < 2:
        raise JobError(
            f"domain {family.name}: composition: train must be at least 2, a training task for each kind"
        )
    return kinds


def _profile(wording: Wording) -> Profile:
    """What planning domains have in common, with what their primitives return in this table's words."""
    phrases = wording.phrases
    now, no_effect = phrases.now.partition("{0}")[0].strip(), phrases.requires.partition("{0}")[0].strip()
    return Profile(
        possible=f'It begins with "{now}" and says everything that then holds and can change.',
        impossible=f'text that begins with "{no_effect}" and says why.',
        invalid="No effect.",
    )


@cache
def function_example() -> FunctionExample:
    """The worked example of a learned function, from a domain that is none of those that are played."""
    text = read_text(resources.files("learnact.domains.planning") / "data" / "function.yaml")
    return FunctionExample(**yaml.safe_load(text))
