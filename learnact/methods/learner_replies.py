"""What a learner model's reply says: functions, a usage line, a description, an update or a note, a lesson, a verdict.

Labels may be bold, quoted or missing where the form alone makes the meaning clear; code is all fenced blocks, whatever their label.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from learnact.library.calls import find_calls
from learnact.methods.action_replies import code_of

MAX_TEXT = 1200
"""Characters of a description, note, lesson or reason that are kept: they stand in every later prompt."""
_FENCED = re.compile(r"```[^\n`]*\n.*?(?:```|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Proposal:
    """Functions and the line that tries them. `code` or `usage` may be empty: the learner is told so."""

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
    """Functions with their usage line (the text behind "Usage:", else the last line outside the code that holds a call)."""
    return Proposal(code_of(reply), _usage(reply))


def improvement(reply: str) -> Update | Note | None:
    """An update where there is code, else a note where there is text for one, else None."""
    reason = _labelled(reply, "Reason")
    found = proposal(reply) if "```" in reply or re.search(r"^\s*def ", reply, re.MULTILINE) else None
    if found and "def " in found.code:
        return Update(reason, found)
    text = _labelled(reply, "Note")
    return Note(reason, text) if text else None


def description(reply: str) -> str:
    """A description on one line."""
    text = _FENCED.sub("", reply) if _FENCED.sub("", reply).strip() else reply.replace("```", "")
    return " ".join(re.sub(r"^\s*Description\s*:", "", text, flags=re.IGNORECASE).split())[:MAX_TEXT]


def lesson(reply: str) -> str:
    """A lesson on one line; an unlabelled reply is taken whole."""
    return _labelled(reply, "Lesson") or " ".join(reply.split())[:MAX_TEXT]


def verdict(reply: str) -> tuple[bool, str]:
    """Whether the critic says yes, and what it criticises. No clear yes is a no."""
    return _labelled(reply, "Verdict").lower().startswith("yes"), _labelled(reply, "Critique")


def trajectory(reply: str) -> str:
    """The Action/Observation lines of a usage example."""
    kept: list[str] = []
    for line in reply.replace("```", "").splitlines():
        match = re.match(r"^[\s>*_-]*(Action|Observation)\s*\d*[*_\s]*:[*_\s]*(.*)$", line, re.IGNORECASE)
        if match:
            kept.append(f"{match[1].capitalize()}: {match[2].strip().strip('`')}")
        elif kept and line.strip() and kept[-1].startswith("Observation"):
            kept[-1] += f" {line.strip()}"
    return "\n".join(kept)


def _usage(reply: str) -> str:
    """The text behind "Usage:" on its line, or else the first line below it that is no fence; without a label, the last line outside the code
    that holds a call."""
    label = re.search(r"^[\s>*_#-]*Usage[*_ \t]*:[*_ \t]*(.*)$", reply, re.IGNORECASE | re.MULTILINE)
    if label:
        below = (line for line in reply[label.end() :].splitlines() if line.strip() and "```" not in line)
        return (label[1].strip().strip("`*").strip() or next(below, "")).strip().strip("`").strip()
    calls = [call.text for line in _FENCED.sub("\n", reply).splitlines() for _, call in find_calls(line)]
    return calls[-1] if calls and "```" in reply else ""


def _labelled(reply: str, label: str) -> str:
    """The text behind `label:`: to the end of its paragraph, before the next label or fence; "" where the label is missing."""
    start = re.search(rf"^[\s>*_#-]*{label}\s*\d*[*_\s]*:[*_ \t]*", reply, re.IGNORECASE | re.MULTILINE)
    if not start:
        return ""
    lines: list[str] = []
    for line in reply[start.end() :].splitlines():
        ends = line.lstrip().startswith("```") or re.match(r"^[\s>*_#-]*[A-Z][a-z]+[*_]*:", line)
        if lines and (ends or not line.strip()):
            break
        if line.strip():
            lines.append(line.strip().strip("*").strip())
    return " ".join(lines)[:MAX_TEXT]
