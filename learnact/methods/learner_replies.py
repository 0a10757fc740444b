"""What a learner model's reply says: functions, a usage line, a description, an update or a note, a lesson, a
verdict.

Labels may be bold, quoted, numbered, or missing where the form alone makes the meaning clear. Code is in
fenced blocks (`reply_text.code_blocks`); labels inside them do not count."""

from __future__ import annotations

import re
from dataclasses import dataclass

from learnact.library.calls import UnreadableCall, find_calls, parse_call, plain_text
from learnact.library.check import LibraryProblem, read_code
from learnact.methods.reply_text import (
    Block,
    blocks,
    bounded,
    code_of,
    label,
    outside,
)

MAX_TEXT = 1200
"""Characters of a description, note, lesson or reason that are kept: they stand in every later prompt."""
MAX_TRAJECTORY = 12_000
"""Characters of a usage example that are kept."""
_USAGE = label("usage")
_STEP = label("action|observation")
_DESCRIPTION = label("description")
_OTHER_LABEL = re.compile(r"[ \t>*_#-]*+[A-Z][a-z]+[*_]*+:")
_DEFINITION = re.compile(r"[ \t]*+def ")


@dataclass(frozen=True)
class Proposal:
    """Functions and the line that tries them. `code` or `usage` may be empty: the learner is then asked
    again."""

    code: str
    usage: str


@dataclass(frozen=True)
class Update:
    """New code for one or more functions, with a call that tests it."""

    reason: str
    proposal: Proposal


@dataclass(frozen=True)
class Note:
    """A sentence on when and how to use a function."""

    reason: str
    text: str


def proposal(reply: str) -> Proposal:
    """Functions with their usage line: the text behind "Usage:", else the last call outside of the code."""
    return Proposal(code_of(reply), _usage(reply))


def improvement(reply: str) -> Update | Note | None:
    """An update where there is code, else a note where there is text for one, else None."""
    reply = bounded(reply)
    reason = _labelled(reply, "reason")
    has_code = "```" in reply or any(_DEFINITION.match(line) for line in reply.split("\n"))
    found = proposal(reply) if has_code else None
    if found and "def " in found.code:
        return Update(reason, found)
    text = _labelled(reply, "note")
    return Note(reason, text) if text else None


def description(reply: str) -> str:
    """A description on one line."""
    reply = bounded(reply)
    text = outside(reply, blocks(reply))
    text = (text if text.strip() else reply.replace("```", "")).strip()
    named = _DESCRIPTION.match(text)
    return _folded(text[named.end() :] if named else text)


def lesson(reply: str) -> str:
    """A lesson on one line; an unlabelled reply is taken whole."""
    reply = bounded(reply)
    return _labelled(reply, "lesson") or _folded(reply)


def verdict(reply: str) -> tuple[bool, str]:
    """Whether the critic says yes, and what it criticises. No clear yes is a no."""
    reply = bounded(reply)
    return _labelled(reply, "verdict").lower().startswith("yes"), _labelled(reply, "critique")


def trajectory(reply: str) -> str:
    """The Action/Observation lines of a usage example."""
    steps: list[list[str]] = []
    for line in bounded(reply).replace("```", "").split("\n"):
        found = _STEP.match(line)
        if found:
            name = "Observation" if "observation" in found[0].lower() else "Action"
            steps.append([f"{name}:", line[found.end() :].strip().strip("`")])
        elif steps and line.strip() and steps[-1][0] == "Observation:":
            steps[-1].append(line.strip())
    return "\n".join(map(" ".join, steps))[:MAX_TRAJECTORY]


def _usage(reply: str) -> str:
    reply = bounded(reply)
    found = blocks(reply)
    prose = outside(reply, found)
    line = _labelled_line(prose, reply, found)
    if line is None and found:
        calls = [call.text for row in prose.split("\n") for _, call in find_calls(plain_text(row))]
        line = calls[-1] if calls else _labelled_line(reply, reply, found)
    return _runnable(line or "")


def _labelled_line(text: str, reply: str, found: list[Block]) -> str | None:
    """The text behind "Usage:" in its line, or else the first line below it; None without a label."""
    label_at = _USAGE.search(text)
    if label_at is None:
        return None
    same_line, _, below = text[label_at.end() :].partition("\n")
    if same_line.strip().strip("`*").strip():
        return same_line.strip().strip("`*").strip()
    following = _lines_below(below, reply, found)
    return next((line.strip().strip("`").strip() for line in following if line.strip()), "")


def _lines_below(below: str, reply: str, found: list[Block]) -> list[str]:
    """The lines below a label: those of the last block where the label stands right above it, else the
    prose."""
    rows = reply.split("\n")
    for block in found:
        above = block.first - 1
        while above > 0 and not rows[above].strip():
            above -= 1
        if above >= 0 and _USAGE.match(rows[above]):
            return block.text.split("\n")
    return [row for row in below.split("\n") if "```" not in row]


def _runnable(line: str) -> str:
    """A usage line with look-alike characters replaced, where it is one call."""
    if not isinstance(read_code(line), LibraryProblem):
        return line
    try:
        return parse_call(line).text
    except UnreadableCall:
        return plain_text(line)


def _labelled(reply: str, name: str) -> str:
    """The text behind `name:`: to the end of its paragraph, before the next label or fence; "" without the
    label."""
    reply, pattern = bounded(reply), label(name)
    text = outside(reply, blocks(reply))
    found = pattern.search(text)
    if not found:
        text, found = reply, pattern.search(reply)
    if not found:
        return ""
    lines: list[str] = []
    for line in text[found.end() :].split("\n"):
        ends = line.lstrip().startswith("```") or _OTHER_LABEL.match(line)
        if lines and (ends or not line.strip()):
            break
        if line.strip():
            lines.append(line.strip().strip("*").strip())
    return " ".join(lines)[:MAX_TEXT]


def _folded(text: str) -> str:
    return " ".join(text.split())[:MAX_TEXT]
