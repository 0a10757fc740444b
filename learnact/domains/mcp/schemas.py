"""A server's tools as primitive actions: names that Python can take, and types from JSON Schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from learnact.domains.base import Primitive
from learnact.domains.checks import function_name_fault, parameter_name_fault
from learnact.errors import BadInput

ANY = "any"
"""The kind of a parameter whose schema says nothing that Python has a word for; the server checks it."""
_KINDS = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "object": "dict",
    "array": "list",
    "null": "None",
}
_DEEPEST_TOLD = 3
"""How deep the keys of objects inside objects are told."""
_DEEPEST = 8
"""How often a `$ref` is followed inside another one; what lies deeper may be anything."""


@dataclass(frozen=True)
class ServerTool:
    """A tool as the server lists it."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class ToolPrimitive:
    """A tool as a primitive action. `names`: the server's names of its parameters, in the primitive's
    order; `left_out`: those which are not sent when they are None."""

    tool: str
    primitive: Primitive
    names: tuple[str, ...]
    left_out: frozenset[str]

    def arguments(self, values: Sequence[Any]) -> dict[str, Any]:
        """The arguments that the server is sent."""
        given = zip(self.names, values, strict=True)
        return {name: value for name, value in given if not (value is None and name in self.left_out)}


def primitives_of(tools: Sequence[ServerTool], only: Sequence[str], where: str) -> dict[str, ToolPrimitive]:
    """Tools by the names of their primitives. Raises `BadInput`, naming `where` and the tool, for what cannot
    be played."""
    known = {tool.name: tool for tool in tools}
    if missing := [name for name in only if name not in known]:
        raise BadInput(f"{where}: the server has no tool {missing[0]}; it has: {', '.join(sorted(known))}")
    chosen = [known[name] for name in only] if only else list(tools)
    if not chosen:
        raise BadInput(f"{where}: the server has no tools")
    names: dict[str, str] = {}
    for tool in chosen:
        name = python_name(tool.name, function_name_fault)
        if name in names:
            raise BadInput(
                f"{where}: the tools {names[name]} and {tool.name} are both called {name} in Python; "
                "name one of them in `tools`"
            )
        names[name] = tool.name
    return {name: _primitive(known[tool], name, frozenset(names), where) for name, tool in names.items()}


def python_name(name: str, fault: Any) -> str:
    """A name that Python can take: other characters become `_`, and what Python keeps for itself gets one
    more."""
    made = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_") or "tool"
    made = f"_{made}" if made[0].isdigit() else made
    return f"{made}_" if fault(made) else made


def _primitive(tool: ServerTool, name: str, actions: frozenset[str], where: str) -> ToolPrimitive:
    schema = tool.schema
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if schema.get("type", "object") != "object" or not isinstance(properties, Mapping):
        raise BadInput(
            f"{where}: the tool {tool.name} takes no object of parameters, so that it cannot be a function; "
            "leave it out: name the others in `tools`"
        )
    definitions = {**schema.get("definitions", {}), **schema.get("$defs", {})}
    order = [*(p for p in properties if p in required), *(p for p in properties if p not in required)]
    inline = {p: inlined(properties[p], definitions) for p in order}
    named = {p: python_name(p, lambda n: n in actions or parameter_name_fault(n)) for p in order}
    if len(set(named.values())) < len(named):
        raise BadInput(f"{where}: two parameters of the tool {tool.name} have the same name in Python")
    optional = [p for p in order if p not in required]
    told = [f"{named[p]}: {words}" for p in order if (words := _about(inline[p]))]
    kinds = {p: kind_of(inline[p]) for p in order}
    left_out = {p for p in optional if inline[p].get("default") is None}
    for p in left_out:
        kinds[p] = kinds[p] if kinds[p] == ANY or "None" in kinds[p] else f"{kinds[p]} | None"
    primitive = Primitive(
        name,
        tuple(named[p] for p in order),
        " ".join([_sentence(tool.description), *told]).strip(),
        kinds=tuple(kinds[p] for p in order),
        defaults=tuple((named[p], inline[p].get("default")) for p in optional),
        schemas=tuple(json.dumps(inline[p]) for p in order),
    )
    return ToolPrimitive(tool.name, primitive, tuple(order), frozenset(left_out))


def inlined(schema: Any, definitions: Mapping[str, Any], depth: int = 0) -> Any:
    """A schema with its `$ref`s replaced by what they name, as far as that is in the tool's own schema."""
    if isinstance(schema, list):
        return [inlined(item, definitions, depth) for item in schema]
    if not isinstance(schema, Mapping):
        return {} if isinstance(schema, bool) and depth == 0 else schema
    if isinstance(schema.get("$ref"), str):
        target = definitions.get(schema["$ref"].rpartition("/")[2])
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {**inlined(target, definitions, depth + 1), **rest} if target and depth < _DEEPEST else rest
    return {key: inlined(value, definitions, depth + 1) for key, value in schema.items() if key != "$defs"}


def kind_of(schema: Mapping[str, Any]) -> str:
    """A schema as Python's word for the type; `any` where there is none."""
    said = schema.get("type")
    if isinstance(said, list):
        return _union([kind_of({**schema, "type": one}) for one in said])
    for key in ("anyOf", "oneOf"):
        if isinstance(schema.get(key), list) and said is None:
            return _union([kind_of(one) if isinstance(one, Mapping) else ANY for one in schema[key]])
    if said is None and ("enum" in schema or "const" in schema):
        values = schema.get("enum", [schema.get("const")])
        return _union(
            [{str: "str", bool: "bool", int: "int", float: "float"}.get(type(v), ANY) for v in values]
        )
    kind = _KINDS.get(said, ANY) if isinstance(said, str) else ANY
    if kind == "list" and isinstance(schema.get("items"), Mapping):
        inner = kind_of(schema["items"])
        return f"list[{inner}]" if inner != ANY and " | " not in inner else "list"
    return kind


def _union(kinds: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(part for kind in kinds for part in kind.split(" | ")))
    if ANY in distinct or not distinct:
        return ANY
    return " | ".join(
        [*(kind for kind in distinct if kind != "None"), *(["None"] if "None" in distinct else [])]
    )


def _about(schema: Mapping[str, Any]) -> str:
    """What is said of a parameter: its description, its values, and the keys of an object."""
    said = _sentence(schema.get("description", ""))
    shape = _shape(schema)
    return " ".join(part for part in (said, f"{shape[0].upper()}{shape[1:]}." if shape else "") if part)


def _shape(schema: Mapping[str, Any], depth: int = 0) -> str:
    """The values that a schema lists and the keys that it names, in words; "" where it does neither."""
    for key in ("anyOf", "oneOf"):
        options = [o for o in schema.get(key, ()) if isinstance(o, Mapping) and o.get("type") != "null"]
        if options and "type" not in schema:
            return " or ".join(shape for one in options if (shape := _shape(one, depth)))
    if values := schema.get("enum"):
        return f"one of {', '.join(map(repr, values))}"
    if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
        inner = _shape(schema["items"], depth)
        return f"a list, each {inner}" if inner else ""
    properties, required = schema.get("properties"), schema.get("required", ())
    if not isinstance(properties, Mapping) or not properties or depth >= _DEEPEST_TOLD:
        return ""
    keys = []
    for name, one in properties.items():
        inner = (_shape(one, depth + 1) if isinstance(one, Mapping) else "") or kind_of(
            one if isinstance(one, Mapping) else {}
        )
        keys.append(f"{name!r} ({inner}{'' if name in required else ', may be left out'})")
    return f"a dict with the keys {', '.join(keys)}"


def _sentence(text: str) -> str:
    line = " ".join(str(text).split()).rstrip(".")
    return f"{line}." if line else ""
