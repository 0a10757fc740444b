"""The eight APIs: their names here and there, and their methods as primitive actions, typed from the
package's own documents."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from learnact.domains.base import Primitive
from learnact.domains.tools import package

Api = Literal["files", "maths", "messages", "posts", "tickets", "trading", "travel", "vehicle"]

_CODE = "bfcl_eval.eval_checker.multi_turn_eval.func_source_code"
_CLASSES: dict[Api, tuple[str, str]] = {
    "files": ("GorillaFileSystem", "gorilla_file_system"),
    "maths": ("MathAPI", "math_api"),
    "messages": ("MessageAPI", "message_api"),
    "posts": ("TwitterAPI", "posting_api"),
    "tickets": ("TicketAPI", "ticket_api"),
    "trading": ("TradingBot", "trading_bot"),
    "travel": ("TravelAPI", "travel_booking"),
    "vehicle": ("VehicleControlAPI", "vehicle_control"),
}
_TYPES = {
    "string": ("str", "string"),
    "integer": ("int", "integer"),
    "float": ("float", "number"),
    "boolean": ("bool", "boolean"),
    "array": ("list", "array"),
    "dict": ("dict", "object"),
}
"""The package's words for types, as Python and JSON Schema have them."""


@dataclass(frozen=True)
class ApiMethod:
    """A method of an API."""

    api: Api
    primitive: Primitive


def api_of_class(name: str) -> Api:
    """Our name of one of the package's classes."""
    return next(api for api, (class_name, _) in _CLASSES.items() if class_name == name)


@cache
def load(api: Api) -> type[Any]:
    """The class of an API. Imports it (0.2 s for all)."""
    class_name, module = _CLASSES[api]
    found: type[Any] = getattr(importlib.import_module(f"{_CODE}.{module}"), class_name)
    return found


@cache
def methods(api: Api) -> Mapping[str, ApiMethod]:
    """The methods of an API by name, in the order of the package's document."""
    _, file = _CLASSES[api]
    lines = package.data("multi_turn_func_doc", f"{file}.json").read_text(encoding="utf-8").splitlines()
    documents = [json.loads(line) for line in lines if line.strip()]
    return {d["name"]: ApiMethod(api, _primitive(d)) for d in documents}


def all_methods(apis: Iterable[Api]) -> dict[str, ApiMethod]:
    """The methods of several APIs by name; no two APIs share one."""
    return {name: method for api in apis for name, method in methods(api).items()}


def _primitive(document: Mapping[str, Any]) -> Primitive:
    """A method as a primitive, from its document; its class is not imported for it."""
    described, required = document["parameters"]["properties"], document["parameters"]["required"]
    order = [*required, *(name for name in described if name not in required)]
    schemas = {name: _schema(name, described[name]) for name in order}
    defaults = {name: _default(described[name]) for name in order if name not in required}
    return Primitive(
        document["name"],
        tuple(order),
        _description(document, {name: str(described[name].get("description", "")) for name in order}),
        kinds=tuple(_kind(schemas[name], name in defaults and defaults[name] is None) for name in order),
        defaults=tuple(defaults.items()),
        schemas=tuple(json.dumps(schemas[name]) for name in order),
    )


def _default(document: Mapping[str, Any]) -> Any:
    """The default of a parameter; the package's documents write None as text."""
    value = document.get("default")
    return None if value == "None" else value


def _description(document: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    """What it does, what its parameters are, and the keys of what it answers."""
    said = document["description"].rpartition("Tool description: ")[2].strip().rstrip(".")
    told = [f"{name}: {_sentence(text)}" for name, text in parameters.items() if text.strip()]
    keys = ", ".join(document.get("response", {}).get("properties", {}))
    return " ".join([f"{_sentence(said)}", *told, *([f"Answers {keys}."] if keys else [])])


def _sentence(text: str) -> str:
    return " ".join(text.split()).rstrip(".") + "."


def _schema(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a parameter. A ticket's number may be text: in one of the package's conversations
    it is."""
    said = document["type"]
    schema: dict[str, Any] = {"type": _TYPES[said][1]}
    if name == "ticket_id":
        schema["type"] = ["integer", "string"]
    if said == "array":
        schema["items"] = {"type": _TYPES[document["items"]["type"]][1]}
    if said == "dict" and document.get("properties"):
        schema["properties"] = {
            key: {"type": _TYPES[value["type"]][1], "description": value.get("description", "")}
            for key, value in document["properties"].items()
        }
    return {**schema, "description": " ".join(str(document.get("description", "")).split())}


def _kind(schema: Mapping[str, Any], optional: bool) -> str:
    """The type as Python writes it."""
    names = {json_name: python for python, json_name in _TYPES.values()}
    said = schema["type"]
    kind = " | ".join(names[name] for name in ([said] if isinstance(said, str) else said))
    if said == "array":
        kind = f"list[{names[schema['items']['type']]}]"
    return f"{kind} | None" if optional else kind
