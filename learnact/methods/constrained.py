"""What a reply may be under `action_format: constrained`: the calls of the actions on offer, with the objects
of the task where the domain lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from learnact.domains.base import Domain, ListsObjects
from learnact.library.parameters import Parameter
from learnact.methods.tool_calls import parameters_of
from learnact.records import Library, Task
from learnact.records.allowed import AllowedCall, AllowedReplies, AllowedValue

FUNCTIONS = AllowedReplies(functions=True).as_text()
"""The replies of a learner that is asked for functions."""


def allowed_replies(domain: Domain, library: Library, task: Task, thoughts: bool) -> str:
    """As a prompt keeps it. `thoughts`: a thought may stand before the call.

    A primitive's parameter of a known kind takes the objects of this kind, any other parameter all objects;
    a default value of its own is allowed too.
    """
    objects = domain.objects(task) if isinstance(domain, ListsObjects) else {}
    offered = parameters_of(domain, library)
    calls = (AllowedCall(name, _values(parameters, objects)) for name, parameters in offered.items())
    return AllowedReplies(tuple(calls), thoughts).as_text()


def _values(
    parameters: Sequence[Parameter], objects: Mapping[str, tuple[str, ...]]
) -> tuple[AllowedValue, ...]:
    every = tuple(dict.fromkeys(name for names in objects.values() for name in names))
    return tuple(
        AllowedValue(p.name, p.kind, p.required, p.keyword_only, _choices(p, objects, every))
        for p in parameters
        if not p.variadic
    )


def _choices(
    parameter: Parameter, objects: Mapping[str, tuple[str, ...]], every: tuple[str, ...]
) -> tuple[str, ...]:
    known = objects.get(parameter.about, every) if parameter.about else every
    default = parameter.default
    own = (default,) if known and isinstance(default, str) and default not in known else ()
    return (*known, *own)
