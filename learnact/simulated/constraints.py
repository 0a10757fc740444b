"""Constrained replies: a request with a JSON Schema of allowed actions is answered with an object that fits.

The model's own call is written in the schema's form. Where the schema does not allow it (a name or a value
that is not in its lists), the nearest that it allows is taken, as a constrained decoder would have to."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from learnact.simulated.tools import OfferedTool, tool_call


def schema_of(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of a request's response format; None where it asks for none. Raises `ValueError`."""
    asked = body.get("response_format")
    if not isinstance(asked, Mapping) or asked.get("type") != "json_schema":
        return None
    inner = asked.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, Mapping) else None
    try:
        if isinstance(schema, Mapping) and _arguments_by_name(schema):
            return schema
    except (KeyError, TypeError, IndexError):
        pass
    raise ValueError(
        "the simulated model takes JSON Schemas of an object with an action: anyOf name, arguments"
    )


def _arguments_by_name(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The allowed actions with the schemas of their arguments."""
    branches = [_properties(branch) for branch in _properties(schema)["action"]["anyOf"]]
    return {str(branch["name"]["enum"][0]): branch["arguments"] for branch in branches}


def constrained(text: str, schema: Mapping[str, Any]) -> str:
    """A reply in text as JSON that fits the schema."""
    named = _arguments_by_name(schema)
    known = [OfferedTool(n, tuple((p, "") for p in _properties(a)), "") for n, a in named.items()]
    call = tool_call(text, known) or {"name": "", "arguments": "{}"}
    name = _nearest(call["name"], list(named))
    given = json.loads(call["arguments"])
    arguments = {p: _fitting(given.get(p), s) for p, s in _properties(named[name]).items()}
    said: dict[str, Any] = {"action": {"name": name, "arguments": arguments}}
    if "thought" in _properties(schema):
        thought = text.removeprefix("Think:").strip() if text.startswith("Think:") else ""
        said = {"thought": thought.partition("\n")[0], **said}
    return json.dumps(said, ensure_ascii=False)


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found = schema.get("properties")
    return found if isinstance(found, Mapping) else {}


def _fitting(value: Any, schema: Mapping[str, Any]) -> Any:
    match schema.get("type"):
        case "array":
            items = value if isinstance(value, list) and value else [value]
            return [_fitting(item, schema.get("items", {})) for item in items]
        case "number":
            return value if isinstance(value, int | float) else 0
        case "boolean":
            return bool(value)
        case "object":
            given = value if isinstance(value, Mapping) else {}
            return {key: _fitting(given.get(key), inner) for key, inner in _properties(schema).items()}
    text = "" if value is None else str(value)
    return _nearest(text, schema["enum"]) if "enum" in schema else text


def _nearest(text: str, allowed: list[str]) -> str:
    return text if text in allowed else (difflib.get_close_matches(text, allowed, 1, 0.0) or allowed)[0]
