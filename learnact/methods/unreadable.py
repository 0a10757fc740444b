"""Why a reply could not be read as an action, and what the agent is told about it."""

from __future__ import annotations

import re
from collections.abc import Collection

from learnact.errors import near_names
from learnact.library.calls import UnreadableCall, parse_call
from learnact.methods.reply_calls import ACTION, THOUGHT, Place, placed_calls
from learnact.methods.reply_text import label
from learnact.records import UnreadableCause

NAME_CHARS = 60
"""Characters of a name that are compared with the known ones and shown."""
_OBSERVATION = label("observation|result|output")
_NAME = re.compile(r"(?<!\w)([A-Za-z_]\w{0,60}) ?+[(\uff08]")
_TOOL = re.compile(r"[\"'](?:name|tool|function|action)[\"']\s*+:\s*+[\"'](\w{1,60})[\"']")
_WORD = re.compile(r"[^\W\d_]{2,}+")
ARGUMENT_CHARS = 400

REASONS: dict[UnreadableCause, str] = {
    "empty": "the reply is empty",
    "cut": "the reply was cut at its longest length before it held an action; answer in fewer words",
    "tool_call": "the reply is a tool call of the chat API, and here actions are written as text",
    "reasoning": "the reply holds reasoning only; write the action behind it",
    "observation": "the reply holds an observation, and observations are not for you to write",
    "thought": "the reply holds a thought only",
    "program": "the reply is a program; an action is one call with its values written out, without "
    "variables, loops or definitions",
    "not_meant": "the reply speaks of {names} but does not say that it is to be done; write the action on a "
    "line of its own",
    "name": "there is no action {name}{near}",
    "brackets": "the brackets or quotes of {name}(...) are not closed",
    "arguments": "the arguments of {name}(...) cannot be read; each must be one value, text in quotes",
    "json": "the tool call of {name} is no complete JSON object",
    "no_brackets": "{name} is not written as a call; its arguments stand in brackets, {name}(...)",
    "no_call": "the reply holds no call",
    "no_code": "the reply holds no Python code",
}
"""What the agent is told for each cause."""


def cause_of(
    text: str, known: Collection[str], finish: str, *, commands: bool, reasoned: bool
) -> UnreadableCause:
    """Why a text could not be read. `finish`: how the reply ended; `reasoned`: whether reasoning was removed
    from it."""
    if not _WORD.search(text):
        if finish == "tool_calls":
            return "tool_call"
        if finish == "length":
            return "cut"
        return "reasoning" if reasoned else "no_call" if text.strip() else "empty"
    if finish == "length":
        return "cut"
    if _OBSERVATION.match(text):
        return "observation"
    if commands:
        return "no_call"
    calls = placed_calls(text)
    if any(call.place is Place.PROGRAM for call in calls) or re.search(r"^def \w", text, re.MULTILINE):
        return "program"
    if any(call.call.name in known for call in calls):
        return "not_meant"
    tool = _TOOL.search(text)
    if tool and tool[1] in known and not calls:
        return "json"
    opened = _opened(text, known)
    if opened and not calls:
        return "arguments" if opened[1] else "brackets"
    if any(f"{call.call.name}(" in text for call in calls):
        return "name"
    if _first_word(text) in known:
        return "no_brackets"
    return "thought" if THOUGHT.match(text) else "no_call"


def reason_of(cause: UnreadableCause, text: str, known: Collection[str], *, commands: bool) -> str:
    """What is wrong with the reply, in words."""
    name = near = names = ""
    if cause == "no_call" and commands:
        return "the reply holds no command"
    if cause in ("name", "not_meant"):
        calls = [call.call.name for call in placed_calls(text)]
        names = " and ".join(dict.fromkeys(n for n in calls if n in known))
        name = next((n for n in calls if n not in known), "")[:NAME_CHARS]
        found = near_names(name, [n for n in known if len(n) <= NAME_CHARS])
        near = f"; did you mean {' or '.join(found)}?" if found else ""
    elif cause in ("brackets", "arguments"):
        opened = _opened(text, known)
        name = opened[0] if opened else ""
    elif cause == "json":
        tool = _TOOL.search(text)
        name = tool[1] if tool else ""
    elif cause == "no_brackets":
        name = _first_word(text)
    return REASONS[cause].format(name=name, near=near, names=names)


def _opened(text: str, known: Collection[str]) -> tuple[str, bool] | None:
    """The first known name with an opening bracket behind it, and whether that is closed in its line."""
    for found in _NAME.finditer(text):
        if found[1] in known:
            line = text[found.start() : found.end() + ARGUMENT_CHARS].partition("\n")[0]
            end = line.rfind(")")
            if end < 0:
                return found[1], False
            try:
                parse_call(line[: end + 1])
            except UnreadableCall as error:
                return found[1], "never closed" not in str(error) and "unterminated" not in str(error)
            return found[1], True
    return None


def _first_word(text: str) -> str:
    action = ACTION.search(text)
    words = text[action.end() if action else 0 :].split(None, 1)
    return words[0].strip("`*'\"().,:")[:NAME_CHARS] if words else ""
