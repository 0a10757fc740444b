"""Tool calls that a model writes as text: JSON objects (`{"name": "pick", "arguments": {...}}` and its
variants), tags with a function's name, and LangChain's `Action:` with `Action Input:`.

Arguments are plain values, as in `library.calls`; nothing is evaluated. Time is linear in the length of the
text."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from learnact.library.calls import MAX_CALL_CHARS, CallExpression, UnreadableCall, parse_call
from learnact.library.check import READING_ERRORS
from learnact.methods.reply_text import label

MAX_SCANNED_CHARS = 200_000
"""Characters that are looked at behind opening braces in one text."""
NAMES = ("name", "tool", "tool_name", "function", "function_name", "action", "call", "command")
ARGUMENTS = (
    "arguments",
    "args",
    "parameters",
    "params",
    "input",
    "action_input",
    "tool_input",
    "kwargs",
    "action_args",
)
THOUGHTS = ("thought", "thoughts", "think", "reasoning", "reason", "thinking")
_CONTENT = ("type", "id", "index", "observation", *THOUGHTS)
"""Keys of a tool call that are no arguments of it."""
_TAG = re.compile(r"<(?:function=|invoke name=|tool_call name=)[\"']?(\w{1,100})[\"']?>")
_TAG_END = re.compile(r"</(?:function|invoke|tool_call)>")
_PARAMETER = re.compile(r"<parameter(?:=| name=)[\"']?(\w{1,100})[\"']?>\s*+([^<]{0,2000})</parameter>")
_NAMED = label("action|tool|function")
_INPUT = label(r"(?:action|tool|function)?[ _]?(?:input|arguments|args|parameters)")
_IDENTIFIER = re.compile(r"[`'\"*]*+(\w{1,100}+)[`'\"*]*+[ \t]*+\n?")


@dataclass(frozen=True)
class ToolText:
    """A tool call in a text: its offsets, the call, and the thought that stands beside it in the object."""

    start: int
    end: int
    call: CallExpression
    thought: str = ""


def tool_texts(text: str) -> list[ToolText]:
    """The tool calls of a text, in order of appearance, none inside another."""
    found = sorted((*_tags(text), *_inputs(text), *_objects(text)), key=lambda tool: (tool.start, -tool.end))
    kept: list[ToolText] = []
    for tool in found:
        if not kept or tool.start >= kept[-1].end:
            kept.append(tool)
    return kept


def _objects(text: str) -> Iterator[ToolText]:
    """JSON objects (or Python dictionaries) that are tool calls."""
    at = scanned = 0
    while scanned < MAX_SCANNED_CHARS and (start := text.find("{", at)) >= 0:
        end = _closing(text, start)
        scanned += (end or min(len(text), start + MAX_CALL_CHARS)) - start
        if not end:
            at = start + 1
            continue
        value = _value(text[start:end])
        calls = list(_calls(value)) if isinstance(value, Mapping) else []
        for call in calls:
            yield ToolText(start, end, call, _thought(value))
            break
        at = end if calls else start + 1


def _closing(text: str, start: int) -> int:
    """The offset behind the brace that closes the one at `start`; 0 where there is none nearby."""
    depth, at, limit = 0, start, min(len(text), start + MAX_CALL_CHARS)
    while found := _STRUCTURE.search(text, at, limit):
        at = found.end()
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
            if not depth:
                return at
    return 0


_STRUCTURE = re.compile(r'[{}]|"(?:[^"\\\n]|\\.)*+"?')


def _value(source: str) -> Any:
    """The value of JSON, or of a Python literal; None for neither."""
    try:
        return json.loads(source, strict=False, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(source)
    except (*READING_ERRORS, TypeError):
        return None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no plain value")


def _calls(value: Any) -> Iterator[CallExpression]:
    """The calls of an object, the outermost first."""
    if not isinstance(value, Mapping):
        return
    listed = value.get("tool_calls") or value.get("actions")
    if isinstance(listed, list):
        for item in listed[:20]:
            yield from _calls(item)
        return
    inner = next((value[key] for key in ("function", "tool_call", "action") if key in value), None)
    if isinstance(inner, Mapping):
        yield from _calls(inner)
        return
    key = next((key for key in NAMES if isinstance(value.get(key), str)), None)
    if key is None or (key == "name" and not any(key in value for key in ARGUMENTS)):
        return
    name = value[key]
    try:
        if not name.isidentifier():
            yield parse_call(name)
            return
        given = [value[key] for key in ARGUMENTS if key in value]
        rest = {k: v for k, v in value.items() if k not in (*ARGUMENTS, *_CONTENT, key)}
        yield _call(name, given[0] if given else rest)
    except UnreadableCall:
        return


def _call(name: str, given: Any) -> CallExpression:
    """A call with the arguments that an object gives: a mapping, a list, or JSON of either as text."""
    if isinstance(given, str):
        text = given.strip()
        read = _value(text) if text[:1] in ("{", "[") else None
        if read is None:
            return parse_call(f"{name}{text}" if text.startswith("(") else f"{name}({text})")
        given = read
    if isinstance(given, Mapping):
        call = CallExpression(name, (), {str(key): value for key, value in given.items()})
    elif isinstance(given, list | tuple):
        call = CallExpression(name, tuple(given))
    else:
        call = CallExpression(name, () if given is None else (given,))
    try:
        again = parse_call(call.text)
    except (RecursionError, ValueError) as error:
        raise UnreadableCall(str(error)) from None
    if again.text != call.text:
        raise UnreadableCall("an argument is not a plain value")
    return again


def _thought(value: Mapping[str, Any]) -> str:
    return next((value[key] for key in THOUGHTS if isinstance(value.get(key), str)), "")


def _tags(text: str) -> Iterator[ToolText]:
    """`<function=pick>{...}</function>`, `<invoke name="pick"><parameter name="ball">...`."""
    at = 0
    while opened := _TAG.search(text, at):
        limit = min(len(text), opened.end() + MAX_CALL_CHARS)
        closed = _TAG_END.search(text, opened.end(), limit)
        at = closed.end() if closed else limit
        body = text[opened.end() : closed.start() if closed else limit].strip()
        values = {found[1]: found[2].strip() for found in _PARAMETER.finditer(body)}
        try:
            call = _call(opened[1], {k: _plain(v) for k, v in values.items()} if values else body or {})
        except UnreadableCall:
            continue
        yield ToolText(opened.start(), at, call)


def _plain(text: str) -> Any:
    """A value as it was meant: a list, an object, a number or a truth value of JSON, else the text."""
    if re.match(r"[\[{]|-?\d+(?:\.\d+)?\Z|(?:true|false|null)\Z", text):
        value = _value(text)
        return text if value is None and text != "null" else value
    return text


def _inputs(text: str) -> Iterator[ToolText]:
    """`Action: pick` above `Action Input: ...`."""
    at = 0
    while named := _NAMED.search(text, at):
        at = named.end()
        name = _IDENTIFIER.match(text, at)
        given = _INPUT.match(text, name.end()) if name else None
        if name is None or given is None or not name[1].isidentifier():
            continue
        limit = min(len(text), given.end() + MAX_CALL_CHARS)
        at = text.find("\n", given.end(), limit)
        at = limit if at < 0 else at
        if text[given.end() : given.end() + 1] == "{":
            at = _closing(text, given.end()) or limit
        try:
            call = _call(name[1], text[given.end() : at].strip().strip("`"))
        except UnreadableCall:
            continue
        yield ToolText(name.start(), at, call)
