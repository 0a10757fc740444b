"""Python code on a page: highlighted, and as a difference between two versions."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from learnact.records import Library
from learnact.records.text import printable

CONTEXT_LINES = 3
MOST_CHARS = 200_000
"""Code that is longer is shown without highlighting, which takes its time."""


@dataclass(frozen=True)
class DiffLine:
    """A line of a difference."""

    kind: Literal["same", "added", "removed", "place"]
    text: str


def highlighted(source: str) -> Markup:
    """Code with its words in spans of a class each. The text is escaped."""
    shown = printable(source, keep="\n\t")
    if len(shown) > MOST_CHARS:
        return Markup.escape(shown)
    found: str = highlight(shown, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True, classprefix="c-"))
    return Markup(found)


def library_source(library: Library) -> str:
    """A library as one text: code, then descriptions, notes and the usage example as comments."""
    parts = [library.preamble] if library.preamble else []
    for action in library.actions:
        comments = [f"# {line}" for line in action.description.splitlines()]
        comments += [f"# Note: {line}" for note in action.notes for line in note.splitlines()]
        parts.append("\n".join([*comments, action.source]))
    parts += [f"# Lesson: {line}" for lesson in library.lessons for line in lesson.splitlines()]
    return "\n\n\n".join(parts)


def difference(old: str, new: str) -> list[DiffLine]:
    """What changed between two texts, with a few lines around; empty where nothing did."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=CONTEXT_LINES)
    found: list[DiffLine] = []
    for line in list(lines)[2:]:
        mark, text = line[:1], line[1:]
        if mark == "@":
            found.append(DiffLine("place", line))
        else:
            kinds: dict[str, Literal["added", "removed"]] = {"+": "added", "-": "removed"}
            found.append(DiffLine(kinds.get(mark, "same"), text))
    return found
