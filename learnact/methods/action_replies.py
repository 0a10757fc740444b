"""What a chat model's reply says: a call, a thought, a command, or nothing readable. One rule for all
methods.

Takes fenced or plain replies, `Action:` prefixes, prose around a call, keyword arguments, several lines (the
first complete call counts; the rest is cut). Calls inside reasoning are never taken: models/reading.py
removes thinking blocks; what is left of them, and long remarks in brackets, is skipped here. Raw text is
never sent to an environment as a call."""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections.abc import Container, Iterator
from dataclasses import dataclass

from learnact.library.calls import CallExpression, find_calls, plain_text
from learnact.methods.reply_text import blocks, bounded, code_of, label

__all__ = ["ParsedCall", "ParsedCommand", "ParsedThought", "Unparsed", "code_of", "read"]

SAID_CHARS = 300
"""How much of an unreadable reply the history shows."""
REMARK_WORDS = 4
"""Words in brackets beside a call that make it part of a remark: `(perhaps I should first pick('a'))`."""
_ACTION = label(r"(?:next[ \t]+)?action")
_THOUGHT = label("think|thought")
_OBSERVATION = label("observation")
_OPEN_THOUGHT = re.compile(r"[<\[](?:think|thinking|thought|reasoning)[>\]]", re.IGNORECASE)
_CLOSED_THOUGHT = re.compile(r"[<\[]/(?:think|thinking|thought|reasoning)[>\]]", re.IGNORECASE)
_CALL = re.compile(r"(?<!\w)\w++ ?+\([^()]*+\)")
_OPENING, _CLOSING = "([{", ")]}"
_AROUND_COMMAND = "`*>\"' \u2018\u2019\u201c\u201d"
_WORD = re.compile(r"[^\W\d_]{2,}+")


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
    """Nothing readable; `said` is what the history shows of it."""

    said: str


def read(
    reply: str, known: Container[str], thoughts: bool, commands: bool = False
) -> ParsedCall | ParsedCommand | ParsedThought | Unparsed:
    """What a reply says. `known`: names of the actions on offer; a call of one of them is preferred to any
    other call.

    What follows a line that begins with "Observation:" is not read: the model invented it.
    """
    text = plain_text(bounded(reply))
    invented = _OBSERVATION.search(text)
    if invented:
        text = text[: invented.start()]
    text = _without_reasoning(text)
    text = text.lstrip()
    thought = _THOUGHT.match(text)
    if thought:
        text = text[thought.end() :]
        action = _ACTION.search(text)
        if thoughts:
            spoken = text[: action.start()] if action else text
            return (
                ParsedThought(_folded(spoken)[: 4 * SAID_CHARS])
                if spoken.strip()
                else Unparsed(_short(reply))
            )
        text = text[action.end() :] if action else text
    if commands:
        return _command(text, reply)
    call = _call(text, known)
    return ParsedCall(call) if call else Unparsed(_short(reply))


def _without_reasoning(text: str) -> str:
    """The text without what stands in tags of thinking; to the end, where they are left open."""
    opened = _OPEN_THOUGHT.search(text)
    if not opened:
        return text
    *_, end = (opened.start(), *(found.end() for found in _CLOSED_THOUGHT.finditer(text, opened.end())))
    return text[: opened.start()] + (text[end:] if end > opened.start() else "")


def _call(text: str, known: Container[str]) -> CallExpression | None:
    """The first complete call of a known action; else the first call that stands alone on its line, so that
    the agent is told about a misspelt name."""
    alone: CallExpression | None = None
    for part in _parts(text):
        for before, call in _calls(part):
            if call.name in known:
                return call
            if alone is None and not before.strip(" \t`*>"):
                alone = call
    return alone


def _parts(text: str) -> Iterator[str]:
    """The parts of a reply where its action is looked for, the likeliest first."""
    action = _ACTION.search(text)
    if action:
        yield text[action.end() :]
    yield from (block.text for block in blocks(text))
    yield text


def _calls(text: str) -> Iterator[tuple[str, CallExpression]]:
    """Calls with the text before them on their line; not those in remarks."""
    remarks = _Remarks(text)
    for start, call in find_calls(text):
        if not remarks.hold(start):
            yield text[text.rfind("\n", 0, start) + 1 : start], call


class _Remarks:
    """The bracketed passages of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words: dict[int, int] = {}

    @functools.cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return _bracketed(self._text)

    def hold(self, start: int) -> bool:
        """Whether a call that begins at `start` stands in a passage with other words than calls."""
        number = bisect_right(self._spans, start, key=lambda span: span[0]) - 1
        if number < 0 or not self._spans[number][0] < start < self._spans[number][1]:
            return False
        if number not in self._words:
            passage = self._text[slice(*self._spans[number])]
            self._words[number] = len(_WORD.findall(_CALL.sub("", passage)))
        return self._words[number] >= REMARK_WORDS


def _bracketed(text: str) -> list[tuple[int, int]]:
    """Outermost passages in brackets that follow no name. One that is opened at the start of a line and never
    closed reaches to the end: the reply was cut."""
    spans: list[tuple[int, int]] = []
    stack: list[tuple[str, int, bool]] = []
    outermost = 0
    for match in re.finditer(r"[()\[\]{}]", text):
        at, char = match.start(), match[0]
        if char in _OPENING:
            before = text[at - 1] if at else "\n"
            passage = not (before.isalnum() or before in "_)]'\"`*")
            stack.append((_CLOSING[_OPENING.index(char)], at, passage))
        elif stack and stack[-1][0] == char:
            _, start, passage = stack.pop()
            if passage and start >= outermost:
                while spans and spans[-1][0] > start:
                    spans.pop()
                spans.append((start, at))
    for _, start, passage in stack:
        if passage and (start == 0 or text[start - 1] == "\n"):
            while spans and spans[-1][0] > start:
                spans.pop()
            spans.append((start, len(text)))
            break
    return spans


def _command(text: str, reply: str) -> ParsedCommand | Unparsed:
    for part in _parts(text):
        for line in part.split("\n"):
            command = line.strip().strip(_AROUND_COMMAND).rstrip(".")
            if command and not command.startswith("```"):
                return ParsedCommand(command[:SAID_CHARS])
    return Unparsed(_short(reply))


def _folded(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    folded = _folded(bounded(text))
    return folded if len(folded) <= SAID_CHARS else folded[: SAID_CHARS - 4] + " ..."
