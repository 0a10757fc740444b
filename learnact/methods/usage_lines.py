"""The line of a learner's reply that tries its functions: behind "Usage:", perhaps over several lines, never
in a docstring or a comment of the code."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from learnact.library.calls import UnreadableCall, find_calls, parse_call, plain_text
from learnact.library.check import LibraryProblem, read_code
from learnact.methods.reply_code import without_code, without_comments
from learnact.methods.reply_text import OTHER_LABEL, Block, bare_line, blocks, label, outside

USAGE_LINES = 24
"""Lines that a usage line may take."""
USAGE_CHARS = 4000
"""Characters that a usage line may take."""
USAGE_LABELS = 8
"""Labels "Usage:" that are looked at."""
_USAGE = label(r"(?:example[ \t]+)?usage(?:[ \t]+(?:line|example|call))?")


def usage_of(reply: str) -> str:
    """What stands behind "Usage:" outside of the code, else the last call there, else the labelled line in
    the code."""
    found = blocks(reply)
    prose = outside(reply, found)
    line = _labelled_usage(prose if found else without_code(prose), reply, found)
    if line is None and found:
        calls = [call.text for row in prose.split("\n") for _, call in find_calls(plain_text(row))]
        line = calls[-1] if calls else _labelled_usage(without_comments(reply), reply, ())
    return line or ""


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
        rows = [same_line, *_until_label(below.split("\n")[:USAGE_LINES], bool(bare_line(same_line)))]
        if not bare_line(same_line):
            rows = _block_below(reply, found, number) or rows
        said = _runnable(rows)
        if said is not None:
            return said
        plain = next((bare_line(row) for row in rows if bare_line(row)), "")
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
        if OTHER_LABEL.match(row) or row.lstrip().startswith(("```", "~~~")):
            break
        if begun and not row.strip():
            break
        begun = begun or bool(row.strip())
        kept.append(row)
    return kept


def _runnable(rows: Sequence[str]) -> str | None:
    """The longest beginning of some rows that is code which calls something; None where none is."""
    filled = [row for row in rows if row.strip()]
    for clean in (bare_line, str.rstrip):
        cleaned = [clean(row) for row in filled]
        for count in range(len(cleaned), 0, -1):
            code = "\n".join(cleaned[:count]).strip("`* \n")
            if len(code) <= USAGE_CHARS and _calls_something(code):
                return code
            try:
                return parse_call(code).text
            except UnreadableCall:
                continue
    called = [call.text for row in filled[:1] for _, call in find_calls(plain_text(row))]
    return called[-1] if called else None


def _calls_something(code: str) -> bool:
    read = read_code(code)
    if isinstance(read, LibraryProblem):
        return False
    body = read[0].body
    loose = [node for node in body if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call)]
    labelled = [node for node in body if isinstance(node, ast.AnnAssign) and node.value is None]
    calls = any(isinstance(node, ast.Call) for statement in body for node in ast.walk(statement))
    return calls and not loose and not labelled
