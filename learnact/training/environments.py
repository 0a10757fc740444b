"""A domain as a class for reinforcement learning, in the form of TRL's `environment_factory`: `reset`, one
method for each action, `get_reward`. No trainer is needed to use it.

    Gripper = environment("gripper", reward="progress")
    trainer = GRPOTrainer(..., environment_factory=Gripper)

Learned actions run in the sandbox; environments whose engine may block live in a process of their own.
"""

from __future__ import annotations

import asyncio
import copyreg
import inspect
import threading
from collections.abc import Coroutine, Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypeVar, cast

from learnact.domains import registry
from learnact.domains.base import Domain
from learnact.domains.environments import AsyncEnvironment, open_environment
from learnact.errors import BadInput
from learnact.library.check import check
from learnact.library.parameters import Parameter, as_call, of_learned, of_primitive
from learnact.methods.observations import build_observation, output_lines
from learnact.records import DomainSpec, Library, Plain, PrimitiveStep, Rules, canonical
from learnact.sandbox.bounds import Bounds, PrimitiveResult
from learnact.sandbox.sandbox import Sandbox

RewardKind = Literal["success", "progress", "steps"]
"""success: 1 when the task is solved, else 0. progress: in 0 .. 1. steps: solved, 1 less `STEP_COST` for each
primitive action; not solved, half the progress."""
Split = Literal["train", "test"]
STEP_COST = 0.01
"""What a primitive action takes from the reward `steps`."""
SOLVED = "The task is solved; nothing is left to do."
T = TypeVar("T")
_TYPES: Mapping[str, type] = {"text": str, "number": float, "flag": bool, "list": list}


class EnvironmentType(type):
    """The type of the classes that `environment` makes; they are pickled as the call that made them."""


class TaskEnvironment(metaclass=EnvironmentType):
    """A task being played through methods; one instance plays one task after another.

    Public methods are `reset`, `get_reward`, `close`, and one for each action, which returns the observation.
    """

    made_by: tuple[Any, ...] = ()
    """The arguments of `environment`."""
    _domain: Domain
    _spec: DomainSpec
    _split: Split = "train"
    _reward: RewardKind = "success"
    _library: Library = Library()

    def __init__(self) -> None:
        self._playing: AsyncEnvironment | None = None
        self._steps = 0

    def reset(self, index: int | None = None, seed: int = 0, **_: Any) -> str:
        """Begin a task and return what is known at its start: instruction, goal and first observation.

        Args:
            index: The task's place in the split; none: chosen by the seed.
            seed: Chooses the task where no index is given.
        """
        tasks = self._domain.tasks(self._split)
        place = seed % len(tasks) if index is None else index
        if not 0 <= place < len(tasks):
            raise BadInput(f"{self._domain.name} has {len(tasks)} {self._split} tasks, and no task {index}")
        self.close()
        self._playing = _run(open_environment(self._domain, self._spec, tasks[place], None))
        self._steps = 0
        playing = self._playing
        return f"{self._domain.instruction}\n\nGoal: {playing.goal}\nObservation: {playing.first_observation}"

    def get_reward(self) -> float:
        """The reward of what was done since `reset`, in 0 .. 1."""
        playing = self._open()
        if self._reward == "success":
            return float(playing.success)
        if self._reward == "progress":
            return playing.progress
        return max(0.0, 1 - STEP_COST * self._steps) if playing.success else 0.5 * playing.progress

    def close(self) -> None:
        """Free what the task holds. Idempotent."""
        if self._playing is not None:
            _run(self._playing.close())
            self._playing = None

    def _open(self) -> AsyncEnvironment:
        if self._playing is None:
            raise BadInput("no task has begun; call reset first")
        return self._playing

    def _primitive(self, name: str, given: Mapping[str, Plain]) -> str:
        playing = self._open()
        if playing.success:
            return SOLVED
        self._steps += 1
        return _run(playing.call(name, (), given)).observation

    def _learned(self, code: str) -> str:
        if self._open().success:
            return SOLVED
        return _run(self._call_learned(code))

    async def _call_learned(self, code: str) -> str:
        playing, steps = self._open(), list[PrimitiveStep]()

        async def do(name: str, args: Sequence[Plain], kwargs: Mapping[str, Plain]) -> PrimitiveResult:
            step = await playing.call(name, args, kwargs)
            steps.append(PrimitiveStep(step.command, step.valid, step.observation))
            return PrimitiveResult(step.observation, end=step.success)

        names = tuple(p.name for p in self._domain.primitives)
        async with Sandbox(Bounds()) as sandbox, sandbox.session(self._library.source, names, 0) as session:
            result = await session.call(code, do)
        self._steps += len(steps)
        mode = self._domain.profile.call_observation
        shown = [step.observation for step in steps if step.ok]
        said = output_lines(result.value, result.printed, shown)
        return build_observation(mode, Rules(), steps, result.error, said)


def environment(
    domain: str,
    options: Mapping[str, Any] | None = None,
    *,
    library: Library | None = None,
    split: Split = "train",
    reward: RewardKind = "success",
) -> type[TaskEnvironment]:
    """A class whose instances play tasks of a domain.

    `options` are the domain's, as in a job file. `library`: learned actions that become methods beside the
    primitive ones. `split`: training tasks, unless the test tasks are asked for by name.

    Raises:
        JobError: there is no such domain or option.
        BadInput: the library is not acceptable for the domain, or a name is taken.
    """
    spec = DomainSpec(domain, canonical(dict(options or {})))
    built = registry.build(spec)
    given = library or Library()
    primitives = {p.name: of_primitive(p) for p in built.primitives}
    problems = check(given.source, list(primitives)) if given.actions else ()
    if problems:
        raise BadInput(f"the library is not acceptable for {domain}: {problems[0]}")
    methods: dict[str, Any] = {
        p.name: _method(p.name, p.description, primitives[p.name], learned=False) for p in built.primitives
    }
    for action in given.offered:
        methods[action.name] = _method(action.name, action.description, of_learned(action), learned=True)
    taken = sorted({"reset", "get_reward", "close", "made_by"} & methods.keys())
    renamed = {f"{name}_" if name in taken else name: method for name, method in methods.items()}
    inside = {
        "__doc__": f"{built.title}. {built.instruction}",
        "__module__": __name__,
        "made_by": (domain, dict(options or {}), given, split, reward),
        "_domain": built,
        "_spec": spec,
        "_split": split,
        "_reward": reward,
        "_library": given,
    }
    made = EnvironmentType("TaskEnvironment", (TaskEnvironment,), {**renamed, **inside})
    return cast(type[TaskEnvironment], made)


def _made_again(
    domain: str, options: dict[str, Any], library: Library, split: Split, reward: RewardKind
) -> Any:
    return environment(domain, options, library=library, split=split, reward=reward)


def _reduced(made: EnvironmentType) -> str | tuple[Any, ...]:
    arguments = getattr(made, "made_by", ())
    return (_made_again, arguments) if arguments else made.__qualname__


copyreg.pickle(EnvironmentType, _reduced)


def _method(name: str, description: str, parameters: Sequence[Parameter], *, learned: bool) -> Any:
    """A method with typed parameters and a docstring, as trainers read tools from."""

    def call(self: TaskEnvironment, *args: Plain, **kwargs: Plain) -> str:
        bound = signature.bind(self, *args, **kwargs)
        given = {key: value for key, value in bound.arguments.items() if key != "self"}
        if learned:
            return self._learned(as_call(name, given, parameters).text)
        return self._primitive(name, given)

    places = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for one in parameters:
        kinds = inspect.Parameter
        kind = kinds.KEYWORD_ONLY if one.keyword_only else kinds.POSITIONAL_OR_KEYWORD
        default = inspect.Parameter.empty if one.required else one.default
        places.append(inspect.Parameter(one.name, kind, default=default, annotation=_TYPES[one.kind]))
    signature = inspect.Signature(places, return_annotation=str)
    call.__name__ = call.__qualname__ = name
    call.__signature__ = signature  # type: ignore[attr-defined]
    call.__annotations__ = {one.name: _TYPES[one.kind] for one in parameters} | {"return": str}
    told = "\n".join(f"    {one.name}: {one.about or one.name}." for one in parameters)
    call.__doc__ = f"{description or name}\n\nArgs:\n{told}\n" if parameters else description or name
    return call


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """An event loop in a thread of its own: a trainer may call methods from a running loop."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="learnact environments", daemon=True).start()
    return loop


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()
