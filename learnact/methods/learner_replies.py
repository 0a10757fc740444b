"""What a learner model's reply says: functions, a usage line, a description, an update or a note, a lesson, a
verdict (docs/methods.md, Reading replies).

Labels may be bold, quoted, numbered, or missing where the form alone makes the meaning clear. Code is in
fenced blocks (reply_code.py); labels inside them do not count."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import dropwhile

from learnact.library.calls import plain_text
from learnact.methods.reply_calls import Place, placed_calls
from learnact.methods.reply_code import functions_of, same_functions, without_code, without_comments
from learnact.methods.reply_text import (
    ITEM,
    OTHER_LABEL,
    bare_line,
    blocks,
    bounded,
    label,
    outside,
    without_reasoning,
)
from learnact.methods.usage_lines import usage_of

MAX_TEXT = 1200
"""Characters of a description, note, lesson or reason that are kept: they stand in every later prompt. A
longer description or note is refused, the others are shortened to whole sentences."""
MAX_TRAJECTORY = 12_000
"""Characters of a usage example that are kept, in whole steps."""
_UPDATE = label("update")
_STEP = label("action|observation")
_DESCRIPTION = label("description")
_WORKFLOW = label("workflow")
_PREFACE = re.compile(
    r"\A(?:Here|Sure|Certainly|Of course|The description|The lesson)[^\n]{0,120}[:!.][ \t]*+\n+"
)
_DEFINITION = re.compile(r"[ \t]*+def ")
_BOLD = re.compile(r"(?<![\w*])(\*\*|__|\*)(?=[A-Za-z])([^*_\n]{1,60}?:?)\1(?![\w*(])")
_LABEL_MARKS = re.compile(r"(?:(?<![\w*])(?:\*\*|__))?\b([A-Z][a-z]{1,20})(?:\*\*|__)?:(?:\*\*)?")
_NUMBERED = re.compile(r"[ \t>*_-]*+\(?\d{1,3}[.)][ \t]*+[`*]*+\w++\(.*\)[`*]*+[ \t]*+\Z")
_SENTENCE_END = ".;!?"


@dataclass(frozen=True)
class Proposal:
    """Functions and the line that tries them. `code` or `usage` may be empty: the learner is then asked
    again. `left_out`: what of the reply is no code, and why."""

    code: str
    usage: str
    left_out: tuple[str, ...] = ()


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
    reply = _read(reply)
    code = functions_of(reply)
    return Proposal(code.text, usage_of(reply), code.left_out)


def improvement(reply: str, old: str = "") -> Update | Note | None:
    """An update where there is new code, else a note where there is text for one, else None. `old`: the code
    of the library; functions that are quoted from it beside a note are no update."""
    reply = _read(reply)
    reason = shortened(_labelled(reply, "reason"), MAX_TEXT)
    text = _labelled(reply, "note")
    has_code = "```" in reply or "~~~" in reply or any(map(_DEFINITION.match, reply.split("\n")))
    found = proposal(reply) if has_code else None
    if found and "def " in found.code:
        bare = not found.usage and not _UPDATE.search(outside(reply, blocks(reply)))
        if not text or not (same_functions(found.code, old) or (bare and not old)):
            return Update(reason, found)
    return Note(reason, text) if text else None


def description(reply: str) -> str:
    """A description on one line, of any length."""
    reply = _read(reply)
    text = outside(reply, blocks(reply))
    text = _PREFACE.sub("", (text if text.strip() else _without_fences(reply)).strip())
    named = _DESCRIPTION.search(text)
    rows = (text[named.end() :] if named else text).split("\n")
    return unmarked(_folded("\n".join(ITEM.sub("", row) for row in rows)))


def lesson(reply: str) -> str:
    """A lesson on one line; an unlabelled reply is taken whole."""
    reply = _read(reply)
    return shortened(_labelled(reply, "lesson") or unmarked(_folded(_PREFACE.sub("", reply))), MAX_TEXT)


def workflows(reply: str) -> tuple[str, ...]:
    """The workflows of a reply, each on one line."""
    reply = _read(reply)
    texts = [part.strip().split("\n\n", 1)[0] for part in _WORKFLOW.split(reply)[1:]]
    found = [shortened(unmarked(_folded(text)), MAX_TEXT) for text in texts]
    return tuple(dict.fromkeys(text for text in found if text))


def verdict(reply: str) -> tuple[bool, str]:
    """Whether the critic says yes, and what it criticises. No clear yes is a no."""
    reply = _read(reply)
    said = (_labelled(reply, "verdict") or reply).lower().lstrip("`'\"*_ \n")
    return said.startswith("yes"), shortened(_labelled(reply, "critique"), MAX_TEXT)


def trajectory(reply: str) -> str:
    """The Action/Observation lines of a usage example, in whole steps, from the first action on. Without any
    label, calls that stand alone on their lines are the actions."""
    steps: list[list[str]] = []
    text = _without_fences(_read(reply))
    for line in text.split("\n"):
        found = _STEP.match(line)
        if found:
            name = "Observation" if "observation" in found[0].lower() else "Action"
            steps.append([f"{name}:", unmarked(line[found.end() :].strip().strip("`*"))])
        elif steps and line.strip() and steps[-1][0] == "Observation:":
            if _NUMBERED.match(line):
                steps.append(["Action:", bare_line(line)])
            else:
                steps[-1].append(line.strip())
        elif line.strip() and _NUMBERED.match(line):
            steps.append(["Action:", bare_line(line)])
    if not steps:
        alone = (call.call.text for call in placed_calls(plain_text(text)) if call.place is Place.ALONE)
        steps = [["Action:", call] for call in alone]
    kept: list[str] = []
    length = 0
    for step in map(" ".join, dropwhile(lambda step: step[0] == "Observation:", steps)):
        length += len(step) + 1
        if length > MAX_TRAJECTORY:
            break
        kept.append(step)
    return "\n".join(kept)


def shortened(text: str, limit: int) -> str:
    """The text, or its first whole sentences within the limit; never cut inside brackets. "" where not even
    one fits."""
    if len(text) <= limit:
        return text
    depth, end = 0, 0
    for at in range(limit):
        char = text[at]
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth = max(0, depth - 1)
        elif not depth and char in _SENTENCE_END and text[at + 1] in " \n":
            end = at + 1
    return text[:end].rstrip(";")


def unmarked(text: str) -> str:
    """Text without asterisks and underscores around its labels and words: `**Requires:** x` to `Requires:
    x`."""
    return _BOLD.sub(r"\2", _LABEL_MARKS.sub(r"\1:", text))


# Labelled text ----------------------------------------------------------------------------------------------


def _labelled(reply: str, name: str) -> str:
    """The text behind `name:`: to the end of its paragraph, before the next label or fence; "" without the
    label. Labels inside blocks of code do not count."""
    pattern = label(name)
    found = blocks(reply)
    text = outside(reply, found)
    named = pattern.search(text if found else without_code(text))
    if not named and found:
        text = "\n".join(block.text for block in found if not _DEFINITION.match(block.text))
        text = without_comments(text)
        named = pattern.search(text)
    elif named and not found:
        text = without_code(text)
    if not named:
        return ""
    lines: list[str] = []
    for line in text[named.end() :].split("\n"):
        ends = line.lstrip().startswith("```") or OTHER_LABEL.match(line)
        if lines and (ends or not line.strip()):
            break
        if line.strip():
            lines.append(line.strip().strip("*").strip())
    return unmarked(" ".join(lines))


def _read(reply: str) -> str:
    """A reply of bounded length, without the reasoning that it begins with."""
    return without_reasoning(bounded(reply), leading=True)


def _without_fences(reply: str) -> str:
    return re.sub(r"(?:```|~~~)[\w+{}.:-]*", "", reply)


def _folded(text: str) -> str:
    return " ".join(text.split())
