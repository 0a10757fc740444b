"""A domain as a class for reinforcement learning, in the form of TRL's `environment_factory`: `reset`, one
method for each action, `get_reward`. No trainer is needed to use it.

    Gripper = environment("gripper", reward="progress")
    trainer = GRPOTrainer(..., environment_factory=Gripper)

Learned actions run in the sandbox; environments whose engine may block live in a process of their own.
"""

from __future__ import annotations

import copyreg
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

from learnact.errors import BadInput
from learnact.library.parameters import Parameter, as_call, of_learned, of_primitive
from learnact.records import DomainSpec, Library, Plain, canonical
from learnact.training.playing import Playable, Playing, RewardKind, Split, playable, run

_TYPES: Mapping[str, type] = {"text": str, "number": float, "flag": bool, "list": list, "object": dict}


class EnvironmentType(type):
    """The type of the classes that `environment` makes; they are pickled as the call that made them."""


class TaskEnvironment(metaclass=EnvironmentType):
    """A task being played through methods; one instance plays one task after another.

    Public methods are `reset`, `get_reward`, and one for each action, which returns the observation: trainers
    offer every other public method to the model. As a context manager it frees the task at the end.
    """

    made_by: tuple[Any, ...] = ()
    """The arguments of `environment`."""
    _what: Playable
    _split: Split = "train"

    def __init__(self) -> None:
        self._playing = Playing(self._what)

    def reset(self, index: int | None = None, seed: int = 0, **_: Any) -> str:
        """Begin a task and return what is known at its start: instruction, goal and first observation.

        Args:
            index: The task's place in the split; none: chosen by the seed.
            seed: Chooses the task where no index is given.
        """
        tasks, name = self._what.domain.tasks(self._split), self._what.spec.name
        if not tasks:
            raise BadInput(f"{name} has no {self._split} tasks with these options")
        place = seed % len(tasks) if index is None else index
        if not 0 <= place < len(tasks):
            raise BadInput(f"{name} has {len(tasks)} {self._split} tasks, and no task {index}")
        return run(self._playing.begin(tasks[place]))

    def get_reward(self) -> float:
        """The reward of what was done since `reset`, in 0 .. 1."""
        return self._playing.reward

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Free what the task holds, which the next `reset` does too. A method `close` would be offered to the
        model as a tool.
        """
        run(self._playing.close())


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
    what = playable(DomainSpec(domain, canonical(dict(options or {}))), library, reward)
    methods: dict[str, Any] = {
        p.name: _method(p.name, p.description, of_primitive(p)) for p in what.domain.primitives
    }
    for action in what.library.offered:
        methods[action.name] = _method(action.name, action.description, of_learned(action))
    taken = sorted({"reset", "get_reward", "made_by"} & methods.keys())
    renamed = {f"{name}_" if name in taken else name: method for name, method in methods.items()}
    inside = {
        "__doc__": f"{what.domain.title}. {what.domain.instruction}",
        "__module__": __name__,
        "made_by": (domain, dict(options or {}), what.library, split, reward),
        "_what": what,
        "_split": split,
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


def _method(name: str, description: str, parameters: Sequence[Parameter]) -> Any:
    """A method with typed parameters and a docstring, as trainers read tools from."""

    def call(self: TaskEnvironment, *args: Plain, **kwargs: Plain) -> str:
        bound = signature.bind(self, *args, **kwargs)
        given = {key: value for key, value in bound.arguments.items() if key != "self"}
        call = as_call(name, given, parameters)
        return run(self._playing.call(name, call.args, call.kwargs)).observation

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
