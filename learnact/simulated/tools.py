"""Tool calling: a request that offers tools as the prompt in text that the simulated model reads, and the
call that it writes as a call of a tool.

The words are the request's own (descriptions, messages); only their places are those of a prompt in text. So
the model reads, and overlooks, the same sentences in either form.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANSWER = "## Your answer"
CALL = f"{ANSWER}\nWrite the next action: one call of one of the actions above.\nAction:"
THOUGHT_OR_CALL = (
    f"{ANSWER}\nWrite either a thought or the next action: one call of one of the actions above."
)
_LEARNED = re.compile(r"(?ms)^## Learned actions\n(.*?)(?=^## |\Z)")
_LISTED = re.compile(r"(?m)^- (\w+)$")
_KIND = "kind: "


@dataclass(frozen=True)
class OfferedTool:
    """A tool of a request: its name, parameters in order with kinds ("" for none), and description."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    description: str

    @property
    def lines(self) -> str:
        """As a prompt in text shows the action: signature and description, notes below."""
        shown = ", ".join(f"{name}: {kind}" if kind else name for name, kind in self.parameters)
        description, *notes = self.description.split("Note: ")
        first = f"- {self.name}({shown})" + (f": {description.strip()}" if description.strip() else "")
        return "\n".join([first, *(f"  Note: {note.strip()}" for note in notes)])


def offered_tools(body: Mapping[str, Any]) -> tuple[OfferedTool, ...]:
    """The tools of a request; none where it offers none. Raises `ValueError` for what is no tool."""
    found = []
    for tool in body.get("tools") or ():
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise ValueError("a tool must have a function with a name")
        schema = function.get("parameters")
        properties = schema.get("properties") if isinstance(schema, Mapping) else None
        named = properties if isinstance(properties, Mapping) else {}
        parameters = tuple((str(name), _kind(about)) for name, about in named.items())
        found.append(OfferedTool(function["name"], parameters, str(function.get("description") or "")))
    return tuple(found)


def _kind(about: object) -> str:
    text = about.get("description") if isinstance(about, Mapping) else None
    return text.removeprefix(_KIND) if isinstance(text, str) and text.startswith(_KIND) else ""


def allows_thoughts(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the request says that a thought may stand beside the call."""
    asked = next((str(m.get("content")) for m in messages if m.get("role") == "user"), "")
    return "thought" in asked.rpartition(ANSWER)[2].lower()


def as_text(
    messages: Sequence[Mapping[str, Any]], tools: Sequence[OfferedTool], answer: str
) -> list[tuple[str, str]]:
    """The messages of a request as a prompt in text: system and user message. `answer`: what it asks for."""
    system = [("system", _content(m)) for m in messages if m.get("role") == "system"]
    rest = [m for m in messages if m.get("role") != "system"]
    head = _content(rest[0]).rpartition(ANSWER)[0] if rest else ""
    so_far = "\n".join(_entries(rest[1:], {tool.name: tool for tool in tools}))
    shown, paragraph, told = so_far.rpartition("\n\n")
    if paragraph and "\n" not in told:  # what is said of this turn, below the newest observation
        so_far = shown
    else:
        told = ""
    history = f"## So far\n{so_far}\n\n" if so_far else ""
    heading, _, asked = answer.partition("\n")
    answer = f"{heading}\n{told}\n{asked}" if told else answer
    return [*system, ("user", _with_actions(head, tools) + history + answer)]


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""


def _with_actions(head: str, tools: Sequence[OfferedTool]) -> str:
    """The text with a section of the primitive actions after the instructions, and the learned ones in
    theirs."""
    section = _LEARNED.search(head)
    learned = set(_LISTED.findall(section[1])) if section else set()
    shown = {tool.name: tool.lines for tool in tools}
    head = _LISTED.sub(lambda m: shown.get(m[1], m[0]) if m[1] in learned else m[0], head)
    primitive = "\n".join(tool.lines for tool in tools if tool.name not in learned)
    before, heading, after = head.partition("## Instructions")
    end = after.find("\n## ") + 1
    at = end or len(after)
    return f"{before}{heading}{after[:at]}## Primitive actions\n{primitive}\n\n{after[at:]}"


def _entries(messages: Sequence[Mapping[str, Any]], tools: Mapping[str, OfferedTool]) -> Iterator[str]:
    for message in messages:
        content, calls = _content(message), message.get("tool_calls")
        if message.get("role") != "assistant":
            yield f"Observation: {content}"
        elif isinstance(calls, list) and calls:
            if content:
                yield f"Think: {content}\nObservation: Ok."
            yield f"Action: {_written(calls[0], tools)}"
        else:
            yield f"Think: {content.removeprefix('Think:').strip()}"


def _written(call: Any, tools: Mapping[str, OfferedTool]) -> str:
    function = call.get("function") if isinstance(call, Mapping) else None
    function = function if isinstance(function, Mapping) else {}
    name = str(function.get("name") or "")
    try:
        given = json.loads(function.get("arguments") or "{}")
    except (ValueError, TypeError):
        given = {}
    given = given if isinstance(given, dict) else {}
    known = [parameter for parameter, _ in tools[name].parameters] if name in tools else []
    ordered = [*(given[p] for p in known if p in given), *(v for p, v in given.items() if p not in known)]
    return f"{name}({', '.join(map(repr, ordered))})"


def tool_call(text: str, tools: Sequence[OfferedTool]) -> dict[str, str] | None:
    """The call in a reply as the function of a tool call; None where the reply holds none."""
    known = {tool.name: tool for tool in tools}
    for line in text.splitlines():
        call = _parsed(line.removeprefix("Action:").strip())
        if call is None or not isinstance(call.func, ast.Name):
            continue
        name = call.func.id
        parameters = [parameter for parameter, _ in known[name].parameters] if name in known else []
        names = [*parameters, *(f"argument_{n + 1}" for n in range(len(parameters), len(call.args)))]
        values = [ast.literal_eval(argument) for argument in call.args]
        given = dict(zip(names, values, strict=False))
        given.update({k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg})
        return {"name": name, "arguments": json.dumps(given, ensure_ascii=False)}
    return None


def _parsed(line: str) -> ast.Call | None:
    try:
        node = ast.parse(line, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(node, ast.Call):
        return None
    try:
        for value in [*node.args, *(keyword.value for keyword in node.keywords)]:
            ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError):
        return None
    return node
