"""The form of a chat model's reply: lines, labels ("Action:"), fenced blocks.

All functions take time that is linear in the length of the text, whatever it holds; `bounded` limits that
length."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

READ_CHARS = 200_000
"""Characters of a reply that are read: of a longer one half of these from its start, and half from its
end."""

_MARKS = r"[ \t>*_#•-]*+(?:\(?\d{1,3}[.)][ \t>*_#-]*+)?+"
"""Markdown before the text of a line: quote, emphasis, heading, list item."""
_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*+([^`\s]*+)[^`\n]*\Z")
_ONLY_MARKS = re.compile(r"[ \t>*-]*+(?:\d{1,3}[.)][ \t]*+)?+\Z")
_PYTHON = {
    "python",
    "py",
    "python3",
    "py3",
    "python2",
    "code",
    "tool_code",
    "py:code",
    "{python}",
    "{.python}",
}


def bounded(reply: str) -> str:
    """A reply as the rest of this module takes it: of bounded length, with "\\n" as the only end of lines."""
    if len(reply) > READ_CHARS:
        reply = reply[: READ_CHARS // 2] + "\n" + reply[-READ_CHARS // 2 :]
    return reply.replace("\r\n", "\n").replace("\r", "\n")


_OPEN_THOUGHT = re.compile(r"[<\[](?:think|thinking|thought|reasoning)[>\]]", re.IGNORECASE)
_CLOSED_THOUGHT = re.compile(r"[<\[]/(?:think|thinking|thought|reasoning)[>\]]", re.IGNORECASE)


def without_reasoning(text: str, leading: bool = False) -> str:
    """The text without what stands in tags of thinking; to the end, where they are left open. `leading`:
    only where the text begins with it (`[thought]` may stand in code)."""
    opened = _OPEN_THOUGHT.search(text)
    if not opened or (leading and text[: opened.start()].strip()):
        return text
    *_, end = (opened.start(), *(found.end() for found in _CLOSED_THOUGHT.finditer(text, opened.end())))
    return text[: opened.start()] + (text[end:] if end > opened.start() else "")


_COLON = r"[ \t*_]*+[#(\[]?\d*+[)\]]?[ \t*_]*+[:\uff1a][ \t*_]*+"


def label(words: str) -> re.Pattern[str]:
    """A pattern that matches a label at the start of a line: Markdown's marks, one of these words (a regular
    expression), a number if any, and a colon; or a heading that holds these words alone. Possessive, so that
    a search takes linear time."""
    heading = rf"^[ \t]*+(?:#{{1,6}}[ \t]++|\*\*)(?:{words})(?:\*\*)?[ \t]*+$"
    return re.compile(rf"^{_MARKS}(?:{words}){_COLON}|{heading}", re.IGNORECASE | re.MULTILINE)


OTHER_LABEL = re.compile(
    r"[ \t>*_#-]*+(?:\d{1,3}[.)] )?[*_]*+(?:[A-Z][a-z]+|"
    r"(?i:reason|note|update|usage|lesson|verdict|critique))[*_]*+:"
    r"|[ \t]*+#{1,6}[ \t]"
)
"""A label, or a heading, that ends the text of the one before."""
ITEM = re.compile(r"\A[ \t]*+(?:[-*•]|\(?\d{1,3}[.)])[ \t]++")
"""A list item's mark."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its label in lower case, its text, and its lines in the reply (`first` to before
    `last`)."""

    label: str
    text: str
    first: int
    last: int

    @property
    def is_python(self) -> bool:
        """Whether it is labelled as Python."""
        return self.label in _PYTHON


def blocks(reply: str) -> list[Block]:
    """The fenced blocks of a reply, also indented, quoted, or left open at its end."""
    found: list[Block] = []
    if "```" not in reply and "~~~" not in reply:
        return found
    lines = reply.split("\n")
    at = 0
    while at < len(lines):
        opened = _opening(lines[at])
        if opened is None:
            at += 1
            continue
        prefix, fence, name = opened
        end, last, tail = _closing(lines, at + 1, prefix, fence)
        content = [_unprefixed(line, prefix) for line in lines[at + 1 : end]]
        if tail is not None:
            content.append(_unprefixed(tail, prefix))
        found.append(Block(name, _dedented(content), at, last))
        at = last
    return found


def _opening(line: str) -> tuple[str, str, str] | None:
    """Prefix, fence and label, where a line opens a block. Text may stand before the fence ("Code:
    ```python")."""
    if "```" not in line and "~~~" not in line:
        return None
    found = _FENCE.search(line, max(line.rfind("```"), 0) if "```" in line else line.find("~~~"))
    start = found.start() if found else 0
    while start > 0 and found and line[start - 1] == found[1][0]:
        start -= 1
    if not found or line.count("```", 0, start) % 2:
        return None
    prefix, name = line[:start], found[2].lower()
    if not _ONLY_MARKS.match(prefix) and line[found.end(2) :].strip():
        return None
    return (prefix if _ONLY_MARKS.match(prefix) else ""), line[start : found.end(1)], name


def _closing(lines: Sequence[str], at: int, prefix: str, fence: str) -> tuple[int, int, str | None]:
    """Where a block ends: the line after its text, the line after the block, and the part of its last line
    that belongs to it, when the fence stands behind text."""
    first = at
    indent = len(prefix)
    while at < len(lines):
        line = lines[at].strip(" \t>") if ">" in prefix else lines[at].strip()
        if line and set(line) == {fence[0]} and len(line) >= len(fence) and _indent(lines[at]) <= indent + 3:
            return at, at + 1, None
        opened = _opening(lines[at])
        if opened and opened[2] and _ONLY_MARKS.match(opened[0]) and _indent(lines[at]) <= indent + 3:
            break
        at += 1
    for number in range(first, at):
        line = lines[number].rstrip()
        if line.endswith(fence):
            return number, number + 1, line.removesuffix(fence)
    return at, at, None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _unprefixed(line: str, prefix: str) -> str:
    """A line without as much of the fence's quote marks and indentation as it has."""
    if ">" in prefix:
        return re.sub(r"\A[ \t]*+> ?", "", line)
    return line[min(len(prefix), _indent(line)) :]


def _dedented(lines: Sequence[str]) -> str:
    text = "\n".join(lines).strip("\n")
    return textwrap.dedent(text) if text[:1] in (" ", "\t") else text


def outside(reply: str, found: Sequence[Block]) -> str:
    """The reply without its fenced blocks; an empty line stands for each."""
    lines = reply.split("\n")
    kept: list[str] = []
    at = 0
    for block in found:
        kept += [*lines[at : block.first], ""]
        at = block.last
    return "\n".join([*kept, *lines[at:]])


def bare_line(row: str) -> str:
    """A row without list item, prompt of an interpreter, backticks and emphasis around it."""
    return ITEM.sub("", row).strip().removeprefix(">>> ").strip("`*").strip()
