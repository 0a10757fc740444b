"""Constrained decoding: what a reply may be, in the form that an endpoint takes.

Four forms are known. Which one an endpoint heeds cannot be seen from what it accepts, since most servers
ignore fields that they do not know. So it is asked for a reply that it would not give by itself (`PROBE`), in
one form after the other, once for an endpoint and model (`pool.py`); a model's `constraint` says it
beforehand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from learnact.records import Prompt
from learnact.records.allowed import AllowedCall, AllowedReplies, AllowedValue, allowed_from

ConstraintForm = Literal["grammar", "structured_outputs", "guided_regex", "json_schema"]
"""grammar: llama.cpp's GBNF. structured_outputs, guided_regex: a regular expression, as newer and older vLLM
take it. json_schema: a response format with a JSON Schema, as OpenAI and most servers take it."""
FORMS: tuple[ConstraintForm, ...] = get_args(ConstraintForm)
"""In the order in which they are tried: those that give a call as text first, which costs fewest tokens."""

PROBE = Prompt("", (), "Say: hello", grammar=AllowedReplies((AllowedCall("kiwi"),)).as_text())
"""A request whose reply shows whether the constraint was heeded: nobody answers so by himself."""
PROBE_TOKENS = 64

_SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")
PLAIN = "[a-zA-Z0-9_ .:#/-]"
"""The characters of an argument that may be any text: those of names in our domains."""
ONE_LINE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]"
"""The characters of a thought: all but those that end a line or control a terminal."""
THOUGHT_CHARS = 240
TEXT_CHARS = 60
NUMBER_DIGITS = 6
LIST_ITEMS = 12
OBJECT_KEYS = 8


@dataclass(frozen=True)
class ReplyPattern:
    """A set of texts, as GBNF and as a regular expression."""

    gbnf: str
    regex: str


def text_is(text: str) -> ReplyPattern:
    """Exactly this text."""
    return ReplyPattern(
        json.dumps(text, ensure_ascii=False), _SPECIAL.sub(r"\\\g<0>", text).replace("\n", r"\n")
    )


def sequence(*parts: ReplyPattern) -> ReplyPattern:
    """One after the other."""
    return ReplyPattern(" ".join(p.gbnf for p in parts if p.gbnf), "".join(p.regex for p in parts))


def one_of(parts: Sequence[ReplyPattern]) -> ReplyPattern:
    """One of them."""
    if len(parts) == 1:
        return parts[0]
    return ReplyPattern(f"({' | '.join(p.gbnf for p in parts)})", f"(?:{'|'.join(p.regex for p in parts)})")


def repeated(part: ReplyPattern, least: int, most: int | None = None) -> ReplyPattern:
    """`least` to `most` times; at least once where no numbers are given."""
    times = "+" if most is None else f"{{{least},{most}}}"
    return ReplyPattern(f"({part.gbnf}){times}", f"(?:{part.regex}){times}")


def chars(allowed: str, least: int, most: int | None = None) -> ReplyPattern:
    """`least` to `most` characters of a class, which both forms write alike; without `most` one or more."""
    times = "+" if most is None else f"{{{least},{most}}}"
    return ReplyPattern(f"{allowed}{times}", f"{allowed}{times}")


NOTHING = ReplyPattern("", "")


def pattern_of(allowed: AllowedReplies) -> ReplyPattern:
    """The replies that are allowed."""
    if allowed.functions:
        return _functions()
    call = one_of([_call(c) for c in allowed.calls])
    if not allowed.thoughts:
        return call
    thought = sequence(text_is("Think: "), chars(ONE_LINE, 1, THOUGHT_CHARS), text_is("\n"))
    return sequence(repeated(thought, 0, 1), text_is("Action: "), call)


def _call(call: AllowedCall) -> ReplyPattern:
    """Required arguments in order, optional ones nested behind them, then those that are given by name."""
    positional = [v for v in call.values if not v.by_name]
    required = [v for v in positional if v.required]
    written = sequence(*_separated([_value(v) for v in required]))
    tail = _optional([_value(v) for v in positional[len(required) :]], after=bool(required))
    named = [v for v in call.values if v.by_name]
    for index, value in enumerate(named):
        first = not positional and index == 0
        part = sequence(NOTHING if first else text_is(", "), text_is(f"{value.name}="), _value(value))
        tail = sequence(tail, part if value.required else repeated(part, 0, 1))
    return sequence(text_is(f"{call.name}("), written, tail, text_is(")"))


def _optional(parts: Sequence[ReplyPattern], after: bool) -> ReplyPattern:
    """Parts that may be left out from some place on. `after`: something stands before them."""
    tail = NOTHING
    for number, part in reversed(list(enumerate(parts))):
        comma = text_is(", ") if after or number else NOTHING
        tail = repeated(sequence(comma, part, tail), 0, 1)
    return tail


def _separated(parts: Iterable[ReplyPattern]) -> list[ReplyPattern]:
    out: list[ReplyPattern] = []
    for part in parts:
        out += [text_is(", "), part] if out else [part]
    return out


def _value(value: AllowedValue) -> ReplyPattern:
    match value.kind:
        case "number":
            digits = sequence(chars("[1-9]", 1, 1), chars("[0-9]", 0, NUMBER_DIGITS - 1))
            # Python refuses a whole number that begins with 0, but for 0 itself.
            return sequence(repeated(text_is("-"), 0, 1), one_of([text_is("0"), digits]))
        case "flag":
            return one_of([text_is("True"), text_is("False")])
        case "list":
            item = _text(value) if value.items is None else _value(value.items)
            more = repeated(sequence(text_is(", "), item), 0, LIST_ITEMS - 1)
            return sequence(text_is("["), item, more, text_is("]"))
        case "object":
            return _object(value)
    return _text(value)


def _object(value: AllowedValue) -> ReplyPattern:
    """A dict as Python writes it: with the keys that are known, else with any of texts, numbers and flags."""
    if value.fields:
        pairs = [
            (sequence(text_is(f"{field.name!r}: "), _value(field)), field.required) for field in value.fields
        ]
        required = [pair for pair, must in pairs if must]
        optional = _optional([pair for pair, must in pairs if not must], after=bool(required))
        return sequence(text_is("{"), *_separated(required), optional, text_is("}"))
    plain = one_of([_value(AllowedValue("", kind)) for kind in ("text", "number", "flag")])
    pair = sequence(_text(AllowedValue("")), text_is(": "), plain)
    more = repeated(sequence(text_is(", "), pair), 0, OBJECT_KEYS - 1)
    return sequence(text_is("{"), repeated(sequence(pair, more), 0, 1), text_is("}"))


def _text(value: AllowedValue) -> ReplyPattern:
    if value.choices:
        return one_of([text_is(repr(choice)) for choice in value.choices])
    return sequence(text_is("'"), chars(PLAIN, 1, TEXT_CHARS), text_is("'"))


def _functions() -> ReplyPattern:
    """A block of Python functions, then a usage line with one call. Without bounds of its own: servers refuse
    large numbers of nested repetitions, and the limit of a reply ends it."""
    name = sequence(chars("[a-z]", 1, 1), chars("[a-z0-9_]", 1))
    line = sequence(text_is("    "), chars(r"[^`\n]", 1), text_is("\n"))
    given = chars(r"[a-z0-9_, ='\[\]]", 1)
    head = sequence(text_is("def "), name, text_is("("), given, text_is("):\n"))
    function = sequence(head, repeated(line, 1))
    block = sequence(text_is("```python\n"), repeated(function, 1), text_is("```\n"))
    return sequence(block, text_is("Usage: "), name, text_is("("), given, text_is(")"))


def schema_of(allowed: AllowedReplies) -> dict[str, Any]:
    """The JSON Schema of the allowed replies: an object with the action, and the thought before it."""
    properties: dict[str, Any] = {}
    if allowed.thoughts:
        properties["thought"] = {"type": "string", "maxLength": THOUGHT_CHARS}
    properties["action"] = {"anyOf": [_call_schema(c) for c in allowed.calls]}
    return _closed(properties, [*properties])


def _call_schema(call: AllowedCall) -> dict[str, Any]:
    arguments = _closed(
        {v.name: _value_schema(v) for v in call.values}, [v.name for v in call.values if v.required]
    )
    return _closed(
        {"name": {"type": "string", "enum": [call.name]}, "arguments": arguments}, ["name", "arguments"]
    )


def _value_schema(value: AllowedValue) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    text |= {"enum": list(value.choices)} if value.choices else {"maxLength": TEXT_CHARS}
    match value.kind:
        case "number":
            return {"type": "number"}
        case "flag":
            return {"type": "boolean"}
        case "list":
            items = text if value.items is None else _value_schema(value.items)
            return {"type": "array", "items": items, "minItems": 1, "maxItems": LIST_ITEMS}
        case "object" if value.fields:
            known = {v.name: _value_schema(v) for v in value.fields}
            return _closed(known, [v.name for v in value.fields if v.required])
        case "object":
            return {"type": "object"}
    return text


def _is_strict(value: AllowedValue) -> bool:
    """Whether OpenAI's strict form can say it: all keys are known and must be given."""
    parts = [*value.fields, *([value.items] if value.items else [])]
    known = value.kind != "object" or bool(value.fields)
    return known and value.required and all(_is_strict(part) for part in parts)


def _closed(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def fields_of(prompt: Prompt, form: str) -> dict[str, Any]:
    """The fields of a request that constrain its reply; none where the form cannot say it (functions as a
    JSON Schema)."""
    allowed = allowed_from(prompt.grammar)
    match form:
        case "grammar":
            return {"grammar": f"root ::= {pattern_of(allowed).gbnf}"}
        case "structured_outputs":
            return {"structured_outputs": {"regex": pattern_of(allowed).regex}}
        case "guided_regex":
            return {"guided_regex": pattern_of(allowed).regex}
    if allowed.functions:
        return {}
    strict = all(_is_strict(v) for call in allowed.calls for v in call.values)
    schema = {"name": "action", "strict": strict, "schema": schema_of(allowed)}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def heeded(text: str) -> bool:
    """Whether the reply to `PROBE` shows that the constraint was heeded."""
    return as_text(text).strip() == "kiwi()"


def as_text(reply: str) -> str:
    """A constrained reply as the text that an agent writes: JSON becomes a thought and a call. What has not
    this form stays as it is."""
    if not reply.lstrip().startswith("{"):
        return reply
    try:
        said = json.loads(reply)
    except (ValueError, RecursionError):
        return reply
    action = said.get("action") if isinstance(said, dict) else None
    if not isinstance(action, dict) or not isinstance(action.get("arguments"), dict):
        return reply
    values = ", ".join(f"{name}={value!r}" for name, value in action["arguments"].items())
    thought = said.get("thought")
    before = f"Think: {' '.join(thought.split())}\nAction: " if isinstance(thought, str) and thought else ""
    return f"{before}{action.get('name')}({values})"
