"""What a learner model's reply says: functions, a usage line, a description, an update or a note, a lesson, a
verdict (docs/methods.md, Reading replies).

Labels may be bold, quoted, numbered, or missing where the form alone makes the meaning clear. Code is in
fenced blocks (reply_code.py); labels inside them do not count."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from learnact.library.calls import UnreadableCall, find_calls, parse_call, plain_text
from learnact.library.check import LibraryProblem, read_code
from learnact.methods.reply_code import CODE_START, functions_of, same_functions, without_comments
from learnact.methods.reply_text import Block, blocks, bounded, label, outside, without_reasoning

MAX_TEXT = 1200
"""Characters of a description, note, lesson or reason that are kept: they stand in every later prompt. A
longer description or note is refused, the others are shortened to whole sentences."""
MAX_TRAJECTORY = 12_000
"""Characters of a usage example that are kept, in whole steps."""
USAGE_LINES = 24
"""Lines that a usage line may take."""
USAGE_CHARS = 4000
"""Characters that a usage line may take."""
USAGE_LABELS = 8
"""Labels "Usage:" that are looked at."""
_USAGE_LABEL = label(r"(?:example[ \t]+)?usage(?:[ \t]+(?:line|example|call))?")
_USAGE = re.compile(
    rf"{_USAGE_LABEL.pattern}|^[ \t]*+(?:#{{1,6}}[ \t]++|\*\*)usage(?:\*\*)?[ \t]*+$", _USAGE_LABEL.flags
)
_UPDATE = label("update")
_STEP = label("action|observation")
_DESCRIPTION = label("description")
_OTHER_LABEL = re.compile(r"[ \t>*_#-]*+(?:\d{1,3}[.)] )?[*_]*+[A-Z][a-z]+[*_]*+:")
_DEFINITION = re.compile(r"[ \t]*+def ")
_BOLD = re.compile(r"(?<![\w*])(\*\*|__|\*)(?=[A-Za-z])([^*_\n]{1,60}?:?)\1(?![\w*(])")
_LABEL_MARKS = re.compile(r"(?<![\w*])(?:\*\*|__)([A-Z][a-z]{1,20})(?:\*\*|__)?:(?:\*\*|__)?")
_ITEM = re.compile(r"\A[ \t]*+(?:[-*•]|\(?\d{1,3}[.)])[ \t]++")
_NUMBERED = re.compile(r"[ \t>*_-]*+\(?\d{1,3}[.)][ \t]*+[`*]*+(\w++\(.*\))[`*]*+[ \t]*+\Z")
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
    return Proposal(code.text, _usage(reply), code.left_out)


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
    text = (text if text.strip() else _without_fences(reply)).strip()
    named = _DESCRIPTION.match(text)
    return unmarked(_folded(text[named.end() :] if named else text))


def lesson(reply: str) -> str:
    """A lesson on one line; an unlabelled reply is taken whole."""
    reply = _read(reply)
    return shortened(_labelled(reply, "lesson") or unmarked(_folded(reply)), MAX_TEXT)


def verdict(reply: str) -> tuple[bool, str]:
    """Whether the critic says yes, and what it criticises. No clear yes is a no."""
    reply = _read(reply)
    said = _labelled(reply, "verdict").lower().lstrip("`'\"*_ ")
    return said.startswith("yes"), shortened(_labelled(reply, "critique"), MAX_TEXT)


def trajectory(reply: str) -> str:
    """The Action/Observation lines of a usage example, in whole steps. A numbered call without a label is an
    action."""
    steps: list[list[str]] = []
    for line in _without_fences(_read(reply)).split("\n"):
        found = _STEP.match(line)
        numbered = None if found else _NUMBERED.match(line)
        if found:
            name = "Observation" if "observation" in found[0].lower() else "Action"
            steps.append([f"{name}:", unmarked(line[found.end() :].strip().strip("`*"))])
        elif numbered:
            steps.append(["Action:", numbered[1]])
        elif steps and line.strip() and steps[-1][0] == "Observation:":
            steps[-1].append(line.strip())
    kept: list[str] = []
    length = 0
    for step in map(" ".join, steps):
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


# Usage lines ------------------------------------------------------------------------------------------------


def _usage(reply: str) -> str:
    found = blocks(reply)
    prose = outside(reply, found)
    line = _labelled_usage(prose if found else _without_code(prose), reply, found)
    if line is None and found:
        calls = [call.text for row in prose.split("\n") for _, call in find_calls(plain_text(row))]
        line = calls[-1] if calls else _labelled_usage(without_comments(reply), reply, ())
    return line or ""


def _without_code(reply: str) -> str:
    """A reply without fences, where docstrings and comments of its code hold no labels."""
    lines = reply.split("\n")
    first = next((n for n, line in enumerate(lines) if CODE_START.match(line)), len(lines))
    return "\n".join([*lines[:first], without_comments("\n".join(lines[first:]))])


def _labelled_usage(text: str, reply: str, found: Sequence[Block]) -> str | None:
    """What stands behind "Usage:", on its line, below it, or in the block below it: the first that is code;
    else the first text; None without a label."""
    first: str | None = None
    for number, label_at in enumerate(_USAGE.finditer(text)):
        if number == USAGE_LABELS:
            break
        end = text.find("\n", label_at.end())
        same_line = text[label_at.end() : end if end >= 0 else len(text)]
        below = text[end + 1 : end + 1 + USAGE_CHARS] if end >= 0 else ""
        rows = [same_line, *_until_label(below.split("\n")[:USAGE_LINES], bool(_bare(same_line)))]
        if not _bare(same_line):
            rows = _block_below(reply, found, number) or rows
        said = _runnable(rows)
        if said is not None:
            return said
        plain = next((_bare(row) for row in rows if _bare(row)), "")
        first = first or plain_text(plain)
    return first


def _block_below(reply: str, found: Sequence[Block], number: int) -> list[str]:
    """The lines of the block that stands right below a label "Usage:" (the one with this number outside of
    blocks)."""
    rows = reply.split("\n")
    inside = {n for block in found for n in range(block.first, block.last)}
    labels = [n for n, row in enumerate(rows) if n not in inside and _USAGE.match(row)]
    for block in found if number < len(labels) else ():
        above = block.first - 1
        while above > 0 and not rows[above].strip():
            above -= 1
        if above == labels[number]:
            return block.text.split("\n")[:USAGE_LINES]
    return []


def _until_label(rows: Sequence[str], begun: bool) -> list[str]:
    """The rows of a paragraph: up to the next label or fence, or to an empty row behind the first text."""
    kept: list[str] = []
    for row in rows:
        if _OTHER_LABEL.match(row) or row.lstrip().startswith(("```", "~~~")):
            break
        if begun and not row.strip():
            break
        begun = begun or bool(row.strip())
        kept.append(row)
    return kept


def _runnable(rows: Sequence[str]) -> str | None:
    """The longest beginning of some rows that is code which calls something; None where none is."""
    filled = [row for row in rows if row.strip()]
    for clean in (_bare, str.rstrip):
        cleaned = [clean(row) for row in filled]
        for count in range(len(cleaned), 0, -1):
            code = "\n".join(cleaned[:count]).strip("`* \n")
            if len(code) <= USAGE_CHARS and _calls_something(code):
                return code
            try:
                return parse_call(code).text
            except UnreadableCall:
                continue
    return None


def _calls_something(code: str) -> bool:
    read = read_code(code)
    if isinstance(read, LibraryProblem):
        return False
    body = read[0].body
    loose = [node for node in body if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call)]
    labelled = [node for node in body if isinstance(node, ast.AnnAssign) and node.value is None]
    calls = any(isinstance(node, ast.Call) for statement in body for node in ast.walk(statement))
    return calls and not loose and not labelled


def _bare(row: str) -> str:
    """A row without list item, backticks and emphasis around it."""
    return _ITEM.sub("", row).strip().strip("`*").strip()


# Labelled text ----------------------------------------------------------------------------------------------


def _labelled(reply: str, name: str) -> str:
    """The text behind `name:`: to the end of its paragraph, before the next label or fence; "" without the
    label. Labels inside blocks of code do not count."""
    pattern = label(name)
    found = blocks(reply)
    text = outside(reply, found)
    named = pattern.search(text if found else _without_code(text))
    if not named and found:
        text = "\n".join(block.text for block in found if not _DEFINITION.match(block.text))
        text = without_comments(text)
        named = pattern.search(text)
    elif named and not found:
        text = _without_code(text)
    if not named:
        return ""
    lines: list[str] = []
    for line in text[named.end() :].split("\n"):
        ends = line.lstrip().startswith("```") or _OTHER_LABEL.match(line)
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
