"""Actions as tools of the chat API (`action_format: tools`): the tools on offer, what a reply calls, and the
messages that show a turn afterwards.

Servers differ: arguments as JSON text or as an object, as a list by position, as something that is no JSON; a
call without an id; a name with a prefix; several calls where one was asked for. All of them are read here.
Time is linear in the length of a reply."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from learnact.domains.base import Domain
from learnact.library.calls import CallExpression, UnreadableCall, parse_call
from learnact.library.parameters import Parameter, as_call, by_name, of_learned, of_primitive
from learnact.methods.reply_text import bounded, label
from learnact.records import Library, Message, Plain, Rules, ToolCall, Turn, message_entry

MAX_ARGUMENT_CHARS = 4000
"""Longer arguments are not read, as no longer call in text is."""
SHOWN_CHARS = 300
"""How much of a call that cannot be read the history shows."""
THOUGHT_CHARS = 1200
"""How much of a thought beside a call the history shows."""
_THOUGHT = label("think|thought")
EMPTY = "(an empty reply)"
ONLY_THE_FIRST = "Only the first of your {count} calls was carried out: make one call in each reply."
_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "flag": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object"},
}


def parameters_of(domain: Domain, library: Library) -> dict[str, tuple[Parameter, ...]]:
    """The actions on offer with their parameters: primitives first, then learned ones."""
    return {p.name: of_primitive(p) for p in domain.primitives} | {
        a.name: of_learned(a) for a in library.offered
    }


def tools_of(domain: Domain, library: Library, rules: Rules) -> str:
    """The JSON list of tools: each action with its description and the JSON Schema of its parameters, in
    order."""
    described = {p.name: p.description for p in domain.primitives}
    for action in library.offered:
        description = action.description if rules.show_descriptions else ""
        described[action.name] = " ".join([description, *(f"Note: {n}" for n in action.notes)]).strip()
    offered = parameters_of(domain, library)
    tools = [_tool(name, described[name], parameters) for name, parameters in offered.items()]
    return json.dumps(tools, ensure_ascii=False, separators=(",", ":"))


def _tool(name: str, description: str, parameters: Iterable[Parameter]) -> dict[str, Any]:
    parameters = tuple(parameters)
    schema = {
        "type": "object",
        "properties": {p.name: _schema(p) for p in parameters},
        "required": [p.name for p in parameters if p.required],
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


def _schema(parameter: Parameter) -> dict[str, Any]:
    if parameter.schema:
        return dict(json.loads(parameter.schema))
    about = {"description": f"kind: {parameter.about}"} if parameter.about else {}
    default = {} if parameter.required or parameter.default is None else {"default": parameter.default}
    return {**_TYPES[parameter.kind], **about, **default}


def read_tool_call(tool_call: ToolCall, offered: Mapping[str, Sequence[Parameter]]) -> CallExpression:
    """The call that a model made of a tool. Raises `UnreadableCall`, which says why it is none."""
    name = tool_call.name.strip().removeprefix("functions.").removeprefix("default_api.")
    if len(tool_call.arguments) > MAX_ARGUMENT_CHARS:
        raise UnreadableCall(f"arguments longer than {MAX_ARGUMENT_CHARS} characters")
    if not name.isidentifier():
        return parse_call(name)  # a whole call where the name belongs
    text, parameters = tool_call.arguments.strip(), offered.get(name, ())
    given = _arguments(text)
    try:
        match given:
            case None:
                call = parse_call(f"{name}({text.removeprefix('(').removesuffix(')')})")
                if len(call.args) == 1 and not call.kwargs and isinstance(call.args[0], dict):
                    call = as_call(name, call.args[0], parameters)
            case dict():
                call = as_call(name, given, parameters)
            case list():
                call = CallExpression(name, tuple(given))
            case _:
                call = CallExpression(name, (given,))
        return parse_call(call.text)  # the bounds of calls in text: depth, length, numbers, Unicode
    except RecursionError:
        raise UnreadableCall("arguments are nested too deeply") from None


def _arguments(text: str) -> Plain:
    """Arguments from JSON text, also where the text was quoted twice; None for what is no JSON."""
    value: Plain = "{}" if text in ("", "null") else text
    for _ in range(2):
        if not isinstance(value, str) or not value.lstrip().startswith(("{", "[", '"')):
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            break
    return None if value == text else value


def shown_call(tool_call: ToolCall) -> str:
    """What the history shows of a call that cannot be read."""
    text = _folded(f"{tool_call.name[:SHOWN_CHARS]} {tool_call.arguments[: 2 * SHOWN_CHARS]}")
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 4]} ..."


def thought_of(text: str) -> str:
    """A thought that stands beside a call, as the history shows it."""
    text = bounded(text).lstrip()
    labelled = _THOUGHT.match(text)
    return _folded(text[labelled.end() if labelled else 0 :])[:THOUGHT_CHARS]


def _folded(text: str) -> str:
    return " ".join(text.split())


def turn_entries(turn: Turn, offered: Mapping[str, Sequence[Parameter]]) -> tuple[str, str]:
    """The two entries of a turn in a prompt's history: what the model said, and the answer to it.

    An action is shown as one call of a tool, also where the model wrote it as text: so it sees the form that
    is asked for.
    """
    call = _call_of(turn)
    if call is None:
        said = Message("assistant", turn.said or EMPTY)
        return message_entry([said]), message_entry([Message("user", turn.observation)])
    arguments = json.dumps(by_name(call, offered.get(call.name, ())), ensure_ascii=False)
    made = ToolCall(f"call_{turn.index}", call.name, arguments)
    said = Message("assistant", turn.thought, (made,))
    return message_entry([said]), message_entry([Message("tool", turn.observation, answers=made.id)])


def _call_of(turn: Turn) -> CallExpression | None:
    if turn.kind != "action":
        return None
    try:
        return parse_call(turn.said)
    except UnreadableCall:
        return None
