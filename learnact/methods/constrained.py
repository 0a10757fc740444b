"""What a reply may be under `action_format: constrained`: the calls of the actions on offer, with the objects
of the task where the domain lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from learnact.domains.base import Domain, ListsObjects
from learnact.library.parameters import Parameter
from learnact.methods.tool_calls import parameters_of
from learnact.records import Library, Task
from learnact.records.allowed import AllowedCall, AllowedReplies, AllowedValue

DEEPEST = 3
"""How deep objects inside objects are spelled out: the pattern grows with each."""
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
        replace(_of_schema(p.name, json.loads(p.schema)), required=p.required, by_name=p.keyword_only)
        if p.schema
        else AllowedValue(p.name, p.kind, p.required, p.keyword_only, _choices(p, objects, every))
        for p in parameters
        if not p.variadic
    )


def _of_schema(name: str, schema: Any, depth: int = 0) -> AllowedValue:
    """What a JSON Schema allows, as far as the forms of constraints can say it: of alternatives the first
    that is not null; an object inside more than `DEEPEST` others takes any keys."""
    schema = schema if isinstance(schema, Mapping) else {}
    for key in ("anyOf", "oneOf"):
        options = [o for o in schema.get(key, ()) if isinstance(o, Mapping) and o.get("type") != "null"]
        if options and "type" not in schema:
            return _of_schema(name, options[0], depth)
    said = schema.get("type")
    if isinstance(said, list):
        said = next((one for one in said if one != "null"), "string")
    match said:
        case "integer" | "number":
            return AllowedValue(name, "number")
        case "boolean":
            return AllowedValue(name, "flag")
        case "array":
            items = _of_schema("", schema.get("items"), depth + 1)
            return AllowedValue(name, "list", items=items if items != AllowedValue("") else None)
        case "object":
            return AllowedValue(name, "object", fields=_fields(schema, depth))
    texts = tuple(value for value in schema.get("enum", ()) if isinstance(value, str))
    return AllowedValue(name, choices=texts)


def _fields(schema: Mapping[str, Any], depth: int) -> tuple[AllowedValue, ...]:
    """The keys of an object, those that must be given first."""
    properties, required = schema.get("properties", {}), schema.get("required", ())
    if not isinstance(properties, Mapping) or depth >= DEEPEST:
        return ()
    made = [
        replace(_of_schema(key, inner, depth + 1), required=key in required)
        for key, inner in properties.items()
    ]
    return tuple(sorted(made, key=lambda value: not value.required))


def _choices(
    parameter: Parameter, objects: Mapping[str, tuple[str, ...]], every: tuple[str, ...]
) -> tuple[str, ...]:
    known = objects.get(parameter.about, every) if parameter.about else every
    default = parameter.default
    own = (default,) if known and isinstance(default, str) and default not in known else ()
    return (*known, *own)
