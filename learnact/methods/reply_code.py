"""The Python code of a reply: a program, or the functions of a library with what was left out of them.

All functions take time that is linear in the length of the text, whatever it holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from learnact.library.check import LibraryProblem, read_code
from learnact.methods.reply_text import Block, blocks, bounded

CODE_START = re.compile(
    r"(?:import |from \S+ import |def |class |@\w|for \w+(?:, ?\w+)* in |while |if "
    r".*:|[A-Za-z_]\w*+[ \t]*+(?:=|\())"
)
_PROSE_LABEL = re.compile(
    r"[*_]{0,2}(?:Usage|Note|Reason|Description|Critique|Verdict|Explanation)[*_]{0,2}:"
)
_DEFINES = re.compile(r"^def[ \t]+(\w+)", re.MULTILINE)
_MAIN = re.compile(r"if __name__ *== *['\"]__main__['\"] *:")
_DOCSTRING = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*+"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*+\'\'\'', re.DOTALL)


@dataclass(frozen=True)
class ReplyCode:
    """The code of a reply, and for each block that was left out a sentence that says why."""

    text: str
    left_out: tuple[str, ...] = ()


def functions_of(reply: str) -> ReplyCode:
    """The functions of a reply, with the imports and constants beside them.

    Of several blocks, those that parse and define functions count. Left out are those of another language,
    that do not parse, that hold calls only (a trace, an example), and whose functions a later block defines
    anew (a quotation). Where no block parses and defines a function, all code stays, so that the learner is
    told what is wrong with it."""
    found = blocks(bounded(reply))
    if len(found) < 2:
        return _without_main(code_of(reply), ())
    read = [_read(number, block) for number, block in enumerate(found, 1)]
    if not any(block.names for block in read):
        return ReplyCode(code_of(reply))
    later: set[str] = set()
    kept: list[str] = []
    left_out: list[str] = []
    for block in reversed(read):
        why = block.why
        if block.names and block.names <= later:
            why = f"a later block defines {' and '.join(sorted(block.names)[:4])} anew"
        if why:
            left_out.append(f"Block {block.number} of the answer was left out: {why}.")
        else:
            kept.append(block.text)
            later |= block.names
    return _without_main("\n\n".join(kept[::-1]), left_out[::-1])


def _without_main(code: str, left_out: Sequence[str]) -> ReplyCode:
    """The code without what stands under `if __name__ == ...:`, which a library does not run."""
    if "if __name__" not in code:
        return ReplyCode(code, tuple(left_out))
    kept: list[str] = []
    inside = False
    for line in code.split("\n"):
        inside = bool(_MAIN.match(line)) or (inside and line[:1] in ("", " ", "\t", "#"))
        kept += [] if inside else [line]
    text = "\n".join(kept).rstrip()
    why = () if text == code else ("What stands under `if __name__ == ...` was left out.",)
    return ReplyCode(text, (*left_out, *why))


@dataclass(frozen=True)
class _ReadBlock:
    """A fenced block: its functions, and why it cannot be part of a library."""

    number: int
    text: str
    names: frozenset[str]
    why: str


def _read(number: int, block: Block) -> _ReadBlock:
    if block.label and not block.is_python:
        return _ReadBlock(number, block.text, frozenset(), f"it is labelled {block.label[:20]}, not Python")
    code = read_code(block.text)
    if isinstance(code, LibraryProblem):
        return _ReadBlock(number, block.text, frozenset(), f"{code}")
    tree = code[0]
    names = frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    defines = names or (tree.body and not any(map(_does_something, tree.body)))
    return _ReadBlock(number, block.text, names, "" if defines else "it defines no function")


def _does_something(node: ast.stmt) -> bool:
    """Whether a statement is neither a definition nor an import nor a constant."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        return any(isinstance(part, ast.Call) for part in ast.walk(node.value))
    return not isinstance(node, ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)


def code_of(reply: str) -> str:
    """The Python code of a reply: its code blocks, joined; without a fence, from the first line of code on,
    up to a label such as "Usage:"."""
    reply = bounded(reply)
    found = blocks(reply)
    if found:
        return "\n\n".join(block.text for block in _code_blocks(found))
    lines = reply.split("\n")
    first = next((n for n, line in enumerate(lines) if CODE_START.match(line)), None)
    if first is None:
        return ""
    ends = (n for n in range(first + 1, len(lines)) if _PROSE_LABEL.match(lines[n]))
    lines = lines[first : next(ends, len(lines))]
    code = "\n".join(lines).rstrip()
    if isinstance(read_code(code), LibraryProblem):
        prose = next(
            (n for n, line in enumerate(lines) if line[:1].isalpha() and not CODE_START.match(line)), 0
        )
        shorter = "\n".join(lines[:prose]).rstrip()
        if prose and not isinstance(read_code(shorter), LibraryProblem):
            return shorter
    return code


def _code_blocks(found: Sequence[Block]) -> list[Block]:
    """Those fenced blocks that are code of a program.

    Blocks with another language's label are not, if others have Python's label or none. A block without a
    label is, unless it does not parse and defines nothing (an observation, pseudo-code). A block that does
    not parse is not, if a later one defines the same functions (a quotation of the code that failed)."""
    code = [block for block in found if block.is_python or not block.label] or list(found)
    if len(code) == 1:
        return code
    kept: list[Block] = []
    defined_later: set[str] = set()
    for block in reversed(code):
        names = set(_DEFINES.findall(block.text))
        if not isinstance(read_code(block.text), LibraryProblem):
            kept.append(block)
            defined_later |= names
        elif not names <= defined_later or (block.is_python and not names):
            kept.append(block)
    return kept[::-1] or code


def without_comments(code: str) -> str:
    """Code with its docstrings and comment lines emptied; the lines keep their numbers."""
    emptied = _DOCSTRING.sub(lambda found: "\n" * found[0].count("\n"), code)
    return "\n".join("" if line.lstrip().startswith("#") else line for line in emptied.split("\n"))


def without_code(reply: str) -> str:
    """A reply without fences, where docstrings and comments of its code hold no labels."""
    lines = reply.split("\n")
    first = next((n for n, line in enumerate(lines) if CODE_START.match(line)), len(lines))
    return "\n".join([*lines[:first], without_comments("\n".join(lines[first:]))])


def same_functions(code: str, old: str) -> bool:
    """Whether all functions of some code stand in other code just so, layout and comments aside."""
    new, known = _functions(code), _functions(old)
    return bool(new) and all(known.get(name) == text for name, text in new.items())


def _functions(code: str) -> dict[str, str]:
    read = read_code(code)
    if isinstance(read, LibraryProblem):
        return {}
    return {node.name: ast.dump(node) for node in read[0].body if isinstance(node, ast.FunctionDef)}
