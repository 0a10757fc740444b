"""What a chat model's reply says: a call, a thought, a command or nothing that can be read. One rule for all methods.

Takes fenced or plain replies, `Action:` prefixes, prose around a call, keyword arguments, several lines (the first complete call
counts; the rest is cut). Thinking blocks are removed before (models). Raw text is never sent to an environment as a call.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from learnact.library.calls import CallExpression, find_calls

SAID_CHARS = 300
"""How much of an unreadable reply the history shows."""
_LABEL = re.compile(r"^[\s>*_#-]*(?:next\s+)?action\s*\d*[\s*_]*:[\s*_]*", re.IGNORECASE | re.MULTILINE)
_THOUGHT = re.compile(r"\A[\s>*_#-]*(?:think|thought)\s*\d*[\s*_]*:[\s*_]*", re.IGNORECASE)
_FENCE = re.compile(r"```[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_CODE_START = re.compile(
    r"^(?:import |from |def |class |for |while |if |[A-Za-z_]\w*\s*(?:=|\())", re.MULTILINE
)
_OBSERVATION = re.compile(r"^[\s>*_#-]*observation\s*\d*[\s*_]*:", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class ParsedCall:
    """A call."""

    call: CallExpression


@dataclass(frozen=True)
class ParsedCommand:
    """An engine command (`action_format: text`)."""

    text: str


@dataclass(frozen=True)
class ParsedThought:
    """A thought, for agents that may think."""

    text: str


@dataclass(frozen=True)
class Unparsed:
    """Nothing that can be read; `said` is what the history shows of it."""

    said: str


def read(
    reply: str, known: Container[str], thoughts: bool, commands: bool = False
) -> ParsedCall | ParsedCommand | ParsedThought | Unparsed:
    """What a reply says. `known`: names of the actions on offer; a call of one of them is preferred to any other call.

    Whatever follows a line that begins with "Observation:" was made up by the model and is not read.
    """
    text = _OBSERVATION.split(reply, maxsplit=1)[0]
    thought = _THOUGHT.match(text)
    if thought:
        rest = text[thought.end() :]
        spoken, *actions = _LABEL.split(rest, maxsplit=1)
        if thoughts:
            return (
                ParsedThought(" ".join(spoken.split())[: 4 * SAID_CHARS])
                if spoken.strip()
                else Unparsed(_short(reply))
            )
        text = actions[0] if actions else rest
    if commands:
        return _command(text, reply)
    call = _call(text, known)
    return ParsedCall(call) if call else Unparsed(_short(reply))


def _call(text: str, known: Container[str]) -> CallExpression | None:
    """The first complete call of a known action; else the first call that stands alone on its line (so that a misspelt name is told)."""
    labelled = _LABEL.split(text, maxsplit=1)[1:]
    for part in (*labelled, *_FENCE.findall(text), text):
        for _, call in find_calls(part):
            if call.name in known:
                return call
    for part in (*labelled, *_FENCE.findall(text), text):
        for start, call in find_calls(part):
            if not part[:start].rpartition("\n")[2].strip(" \t`*>"):
                return call
    return None


def _command(text: str, reply: str) -> ParsedCommand | Unparsed:
    labelled = _LABEL.split(text, maxsplit=1)[1:]
    for part in (*labelled, *_FENCE.findall(text), text):
        for line in part.splitlines():
            command = line.strip().strip("`*>\"' ").rstrip(".")
            if command and not command.startswith("```"):
                return ParsedCommand(command[:SAID_CHARS])
    return Unparsed(_short(reply))


def _short(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= SAID_CHARS else folded[: SAID_CHARS - 4] + " ..."


def code_of(reply: str) -> str:
    """The Python code of a reply: all fenced blocks whatever their label, joined; without a fence, from the first line of code on."""
    blocks = [block.strip("\n") for block in _FENCE.findall(reply)]
    if blocks:
        return "\n\n".join(blocks)
    start = _CODE_START.search(reply)
    return reply[start.start() :].rstrip() if start else ""
