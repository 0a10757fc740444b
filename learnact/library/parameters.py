"""Parameters of actions: of primitives as the domain declares them, of learned functions as their code does.

A learned function rarely has annotations. Whether a parameter takes a list is then seen from its default
value and from what the code does with it (loops over it, takes its length, indexes it)."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from learnact.domains.base import Primitive
from learnact.library.calls import CallExpression
from learnact.library.check import READING_ERRORS
from learnact.records import LearnedAction, Plain

Kind = Literal["text", "number", "flag", "list", "object"]
"""What a parameter takes, as far as it is known; text where it is not."""

_ANNOTATIONS: dict[str, Kind] = {
    "str": "text", "int": "number", "float": "number", "bool": "flag", "list": "list", "List": "list",
    "Sequence": "list", "Iterable": "list", "tuple": "list", "Tuple": "list", "set": "list",
    "dict": "object", "Dict": "object", "Mapping": "object",
}  # fmt: skip
_SCHEMA_TYPES: dict[str, Kind] = {
    "string": "text", "integer": "number", "number": "number", "boolean": "flag", "array": "list",
    "object": "object",
}  # fmt: skip
_OF_LISTS = frozenset({"len", "enumerate", "zip", "sorted", "reversed", "list", "tuple", "set", "sum", "max"})


@dataclass(frozen=True)
class Parameter:
    """A parameter. `about`: what it is, in a word ("" unknown); `default` counts only where it is not
    `required`; `variadic`: all further positional arguments; `schema`: its JSON Schema as text, where the
    domain has one."""

    name: str
    required: bool = True
    keyword_only: bool = False
    kind: Kind = "text"
    about: str = ""
    default: Plain = None
    variadic: bool = False
    schema: str = ""


def of_primitive(primitive: Primitive) -> tuple[Parameter, ...]:
    """Parameters of a primitive action."""
    kinds = primitive.kinds or ("",) * len(primitive.parameters)
    schemas = primitive.schemas or ("",) * len(primitive.parameters)
    defaults = dict(primitive.defaults)
    return tuple(
        Parameter(
            name,
            required=name not in defaults,
            keyword_only=name in primitive.keyword_only,
            kind=_kind_of_schema(schema),
            about="" if schema else about,
            default=defaults.get(name),
            schema=schema,
        )
        for name, about, schema in zip(primitive.parameters, kinds, schemas, strict=True)
    )


def of_learned(action: LearnedAction) -> tuple[Parameter, ...]:
    """Parameters of a learned action, from its code; none where that cannot be read."""
    try:
        module = ast.parse(action.source)
    except READING_ERRORS:
        return ()
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name == action.name:
            return tuple(_parameters(node))
    return ()


def as_call(name: str, given: dict[str, Plain], parameters: Sequence[Parameter]) -> CallExpression:
    """Arguments by name as a call: by position as far as parameters follow one another, else by keyword.

    Names that are no parameters stay, so that the answer to the call says what is wrong.
    """
    left = dict(given)
    args: list[Plain] = []
    for parameter in parameters:
        if parameter.variadic:
            more = left.pop(parameter.name, [])
            args += more if isinstance(more, list) else [more]
            break
        if parameter.keyword_only or parameter.name not in left:
            break
        args.append(left.pop(parameter.name))
    return CallExpression(name, tuple(args), left)


def by_name(call: CallExpression, parameters: Sequence[Parameter]) -> dict[str, Plain]:
    """The arguments of a call by name; those without a parameter as `argument_N`."""
    found: dict[str, Plain] = {}
    positional = [p for p in parameters if not p.keyword_only]
    for number, value in enumerate(call.args):
        fitting = positional[number] if number < len(positional) else None
        if fitting is not None and fitting.variadic:
            found[fitting.name] = list(call.args[number:])
            break
        found[fitting.name if fitting else f"argument_{number + 1}"] = value
    return {**found, **call.kwargs}


def _parameters(node: ast.FunctionDef) -> Iterator[Parameter]:
    given, lists = node.args, set(_used_as_lists(node))
    positional = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(given.defaults))
    for arg, default in zip(positional, [*defaults, *given.defaults], strict=True):
        yield _parameter(arg, default, lists, keyword_only=False)
    if given.vararg:
        yield Parameter(given.vararg.arg, required=False, kind="list", default=[], variadic=True)
    for arg, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _parameter(arg, default, lists, keyword_only=True)


def _parameter(arg: ast.arg, default: ast.expr | None, lists: set[str], keyword_only: bool) -> Parameter:
    value = _literal(default)
    kind = _annotated(arg.annotation) or _kind_of(value) or ("list" if arg.arg in lists else "text")
    return Parameter(arg.arg, default is None, keyword_only, kind, default=value)


def _annotated(annotation: ast.expr | None) -> Kind | None:
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    if isinstance(annotation, ast.Attribute):
        return _ANNOTATIONS.get(annotation.attr)
    return _ANNOTATIONS.get(annotation.id) if isinstance(annotation, ast.Name) else None


def _literal(node: ast.expr | None) -> Plain:
    try:
        value = ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    value = list(value) if isinstance(value, tuple) else value
    return value if isinstance(value, str | bool | int | float | list) else None


def _kind_of(value: Plain) -> Kind | None:
    match value:
        case bool():
            return "flag"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
    return None


def _kind_of_schema(schema: str) -> Kind:
    kind = json.loads(schema).get("type", "") if schema else ""
    return _SCHEMA_TYPES.get(kind, "text") if isinstance(kind, str) else "text"


def _used_as_lists(node: ast.FunctionDef) -> Iterator[str]:
    """Names that the code loops over, indexes, or gives to a function of lists."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.For | ast.comprehension) and isinstance(inner.iter, ast.Name):
            yield inner.iter.id
        elif isinstance(inner, ast.Subscript) and isinstance(inner.value, ast.Name):
            yield inner.value.id
        elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in _OF_LISTS:
            yield from (arg.id for arg in inner.args if isinstance(arg, ast.Name))
