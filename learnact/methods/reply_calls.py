"""The calls in a reply, each with where it stands: behind a label, in a fenced block, alone on its line, in
prose, or in a place that says that it is not meant (a program, a remark, "... is not possible").

All of it takes time that is linear in the length of the text."""

from __future__ import annotations

import enum
import functools
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from learnact.library.calls import CallExpression, located_calls
from learnact.methods.call_meaning import CLAUSE_CHARS, Meaning, calls_wrong, goes_on, meaning_of, ruled_out
from learnact.methods.reply_text import blocks, label
from learnact.methods.tool_texts import ToolText, tool_texts

ACTION = label(r"(?:(?:the[ \t]+|my[ \t]+)?(?:next|chosen|final|best)[ \t]+|my[ \t]+)?(?:action|act|command)")
"""A label, or a heading, before an action."""
THOUGHT = label("think|thought|thoughts|reasoning|reflection")
_INLINE_ACTION = re.compile(
    r"(?<=[.!?;,:)\s])[*_]{0,2}(?:next )?Action[*_]{0,2}(?: \d{1,3})?[*_]{0,2}:[*_]{0,2}[ \t]*+"
)
_CALL = re.compile(r"(?<!\w)\w++ ?+\([^()]*+\)")
_WORD = re.compile(r"[^\W\d_]{2,}+")
REMARK_WORDS = 4
"""Words in brackets beside a call that make it part of a remark: `(perhaps I should first pick('a'))`."""
_OPENING, _CLOSING = "([{", ")]}"


class Place(enum.IntEnum):
    """Where a call stands: the smaller, the more surely it is the action."""

    LABELLED = 0
    """On the line of an action label."""
    BELOW_LABEL = 1
    """Below an action label, in a fenced block or alone on its line."""
    FENCED = 2
    ALONE = 3
    INLINE_LABEL = 4
    """Behind a label inside a line of prose."""
    PROSE = 5
    SUPPOSED = 6
    """In prose that says what it would do."""
    NOT_MEANT = 7
    """In prose that rules it out, puts it into the past, or makes something else depend on it."""
    PROGRAM = 8
    """In code that is more than calls with plain arguments."""


@dataclass(frozen=True)
class PlacedCall:
    """A call with its offsets (`start` to before `end`) and its place.

    `direct`: nothing stands before it on its line but marks and a label. `thought`: the text that a tool
    call in JSON carries beside its call."""

    start: int
    end: int
    call: CallExpression
    place: Place
    direct: bool = True
    thought: str = ""


def placed_calls(text: str) -> list[PlacedCall]:
    """All calls of a text, in order of appearance; not those in remarks."""
    return list(_placed(text))


def _placed(text: str) -> Iterator[PlacedCall]:
    tools = tool_texts(text)
    layout = _Layout(text)
    waiting = iter(tools)
    tool = next(waiting, None)
    previous = 0
    last = Place.PROSE
    for start, end, call in located_calls(text):
        while tool is not None and tool.start <= start:
            yield layout.tool(tool)
            previous, tool, last = tool.end, next(waiting, None), Place.PROSE
        if start < previous or layout.in_label(start) or layout.in_remark(start):
            continue
        place, direct = layout.place(start, end, call, previous)
        between = text[previous:start] if start - previous < CLAUSE_CHARS else ""
        if place is Place.PROSE and last in _MEANINGS and goes_on(_MEANINGS[last], between):
            place = last
        yield PlacedCall(start, end, call, place, direct)
        previous, last = end, place
    while tool is not None:
        yield layout.tool(tool)
        tool = next(waiting, None)


class _Layout:
    """The lines, labels, fences, programs and remarks of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words: dict[int, int] = {}
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        labels = list(ACTION.finditer(text))
        self._labels = [found.end() for found in labels]
        self._label_starts = [found.start() for found in labels]
        self._thoughts = [found.start() for found in THOUGHT.finditer(text)]
        self._inline = [found.end() for found in _INLINE_ACTION.finditer(text)]

    def place(self, start: int, end: int, call: CallExpression, previous: int) -> tuple[Place, bool]:
        """The place of a call, and whether it stands there directly. `previous`: the end of the call before
        it."""
        text = self._text
        number = bisect_right(self._lines, start) - 1
        line_start = self._lines[number]
        below = bisect_right(self._lines, end)
        line_end = self._lines[below] - 1 if below < len(self._lines) else len(text)
        behind = text[end : min(line_end, end + CLAUSE_CHARS)]
        if number in self._program_lines or call.name in self._defined or self._uses_variable(call):
            return Place.PROGRAM, False
        at = bisect_right(self._labels, start) - 1
        label_end = self._labels[at] if at >= 0 else -1
        thought = bisect_right(self._thoughts, start) - 1
        labelled = label_end >= 0 and (thought < 0 or self._thoughts[thought] < label_end)
        direct = self._starts(max(line_start, label_end), start)
        meant = _PLACES[meaning_of(text[max(previous, line_start, start - CLAUSE_CHARS) : start], behind)]
        if labelled and label_end >= line_start:
            return (Place.LABELLED if direct or meant is Place.PROSE else meant), direct
        inline = self._inline[bisect_right(self._inline, start) - 1] if self._inline else -1
        if line_start <= inline <= start and self._starts(inline, start):
            thinking = thought >= 0 and self._thoughts[thought] >= line_start
            return (Place.LABELLED if thinking else Place.INLINE_LABEL), True
        if number in self._wrong_lines:
            return Place.NOT_MEANT, False
        fenced = number in self._fenced_lines
        if fenced and text[line_start:start].lstrip().startswith("#"):
            return Place.NOT_MEANT, False
        if direct and (fenced or _ENDS_LINE.match(behind)) and not ruled_out(behind):
            if labelled:
                return Place.BELOW_LABEL, True
            return (Place.FENCED if fenced else Place.ALONE), True
        return meant, False

    def tool(self, found: ToolText) -> PlacedCall:
        """A tool call in JSON or tags."""
        at = bisect_right(self._labels, found.start) - 1
        line_start = self._lines[bisect_right(self._lines, found.start) - 1]
        if at >= 0:
            place = Place.LABELLED if self._labels[at] >= line_start else Place.BELOW_LABEL
        else:
            number = bisect_right(self._lines, found.start) - 1
            place = Place.FENCED if number in self._fenced_lines else Place.ALONE
        return PlacedCall(found.start, found.end, found.call, place, thought=found.thought)

    def in_remark(self, start: int) -> bool:
        """Whether a call that begins at `start` stands in a passage with other words than calls."""
        number = bisect_right(self._passages, start, key=lambda span: span[0]) - 1
        if number < 0 or not self._passages[number][0] < start < self._passages[number][1]:
            return False
        if number not in self._words:
            passage = self._text[slice(*self._passages[number])]
            self._words[number] = len(_WORD.findall(_CALL.sub("", passage)))
        return self._words[number] >= REMARK_WORDS

    def in_label(self, start: int) -> bool:
        """Whether what begins at `start` is a part of a label: `Action (3):`."""
        number = bisect_right(self._label_starts, start) - 1
        return number >= 0 and start < self._labels[number]

    def _starts(self, begin: int, start: int) -> bool:
        """Whether only marks stand between two offsets."""
        return start - begin <= CLAUSE_CHARS and bool(_MARKS_ONLY.fullmatch(self._text, begin, start))

    def _uses_variable(self, call: CallExpression) -> bool:
        """Whether an argument is a name that the text assigns to."""
        if not self._variables:
            return False
        values = (*call.args, *call.kwargs.values())
        return any(isinstance(value, str) and value in self._variables for value in values)

    @functools.cached_property
    def _passages(self) -> list[tuple[int, int]]:
        return bracketed(self._text)

    @functools.cached_property
    def _rows(self) -> list[str]:
        return self._text.split("\n")

    @functools.cached_property
    def _blocks(self) -> list[tuple[int, int]]:
        return [(block.first, block.last) for block in blocks(self._text)]

    @functools.cached_property
    def _fenced_lines(self) -> set[int]:
        return {number for first, last in self._blocks for number in range(first, last)}

    @functools.cached_property
    def _wrong_lines(self) -> set[int]:
        """Lines of a block, or the first one of a paragraph, that the line above calls wrong or past."""
        wrong: set[int] = set()
        ends = dict(self._blocks)
        introduced = False
        for number, row in enumerate(self._rows):
            if introduced and row.strip():
                wrong.update(range(number, ends.get(number, number + 1)))
                introduced = False
            if row.rstrip().endswith(":"):
                introduced = calls_wrong(row)
        return wrong

    @functools.cached_property
    def _program_lines(self) -> set[int]:
        """Lines of compound statements with what is indented below them."""
        found: set[int] = set()
        indent = -1
        for number, row in enumerate(self._rows):
            bare = row.lstrip(" \t")
            depth = len(row) - len(bare)
            if indent >= 0 and (not bare or depth > indent):
                found.add(number)
                continue
            indent = depth if _COMPOUND.match(bare) else -1
            if indent >= 0:
                found.add(number)
        return found

    @functools.cached_property
    def _variables(self) -> set[str]:
        return {found[1] for found in _ASSIGNMENT.finditer(self._text)}

    @functools.cached_property
    def _defined(self) -> set[str]:
        return {found[1] for found in _DEFINITION.finditer(self._text)}


_COMPOUND = re.compile(
    r"(?:async )?def \w++\(|(?:async )?for [\w, ()]+? in [^:]*+:|"
    r"(?:class \w++.*:|while .*:|if .*:|elif .*:|else ?:|try ?:|except\b.*:|with .*:)\s*(?:#.*)?\Z"
)
_ASSIGNMENT = re.compile(r"^[ \t]*+([A-Za-z_]\w*+)[ \t]*+=[ \t]*+(?=['\"\[{\d])", re.MULTILINE)
_DEFINITION = re.compile(r"^[ \t]*+def[ \t]++(\w++)", re.MULTILINE)
_MARKS_ONLY = re.compile(
    r"(?:[\s>*_#`•\-–—→:+]|\(?\d{1,3}[.):](?= )|[a-zA-Z_]\w{0,40}[ \t]*=(?!=)[ \t]*|await |return |print\(|"
    r"<\|?/?[\w▁|.-]{1,40}\|?>|\[/?[A-Z_]{3,20}\]|['\"“”])*+"
)
"""What may stand before a call that stands alone: Markdown, a number, `x =`, `await`, a tag."""
_ENDS_LINE = re.compile(
    r"[\s`*_.;,!)\"'“”]*+(?:#.*|//.*|<!--.*|(?:[-–—(→]|\bto\b|\bso that\b).{0,200}|"
    r"<\|?/?[\w▁|.-]{1,40}\|?>\s*|\[/?[A-Z_]{3,20}\]\s*|\w++\(.*)?\Z"
)
"""What may stand behind a call that stands alone: marks, a remark, a tag, another call."""


_PLACES = {
    Meaning.MEANT: Place.PROSE,
    Meaning.SUPPOSED: Place.SUPPOSED,
    Meaning.NOT_MEANT: Place.NOT_MEANT,
}
_MEANINGS = {place: meaning for meaning, place in _PLACES.items()}


def bracketed(text: str) -> list[tuple[int, int]]:
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
