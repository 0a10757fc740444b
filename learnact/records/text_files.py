"""Reading text files that a person named: bounded size, UTF-8, nothing that may never end."""

from __future__ import annotations

import codecs
import os
import stat
from importlib.resources.abc import Traversable
from pathlib import Path

from learnact.errors import BadInput

MAX_BYTES = 1 << 20
"""Bytes of a file at most, where a caller says nothing else."""
_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def read_text(
    file: Path | Traversable, error: type[BadInput], *, name: str | None = None, most: int = MAX_BYTES
) -> str:
    """The text of a file, without a byte-order mark. `name` stands for the file in errors.

    Raises:
        error: the file cannot be read, is no regular file, is longer than `most` bytes or is not UTF-8 text.
        FileNotFoundError: there is none; the caller knows what to suggest.
    """
    where = name or str(file)
    try:
        if isinstance(file, Path) and not _may_be_read(file):
            raise error(f"{where}: cannot be read: it is not a regular file")
        with file.open("rb") as stream:
            body = stream.read(most + 1)
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise error(f"{where}: cannot be read: {problem.strerror or problem}") from None
    except ValueError as problem:
        if isinstance(problem, BadInput):
            raise
        raise error(f"{where!r}: cannot be read: {problem}") from None
    if len(body) > most:
        raise error(f"{where}: is longer than {most:,} bytes, so it is not read")
    return decode(body, where, error)


def _may_be_read(path: Path) -> bool:
    """A regular file, or a pipe that the shell opened (`<(command)`); other pipes may never end."""
    mode = os.stat(path).st_mode
    opened = str(path).startswith(("/dev/fd/", "/dev/stdin", "/proc/self/fd/"))
    return stat.S_ISREG(mode) or (opened and stat.S_ISFIFO(mode))


def decode(body: bytes, where: str, error: type[BadInput]) -> str:
    """Bytes in UTF-8, with or without a byte-order mark, as text; `error` names `where` and the line."""
    for mark, encoding in _OTHER_ENCODINGS:
        if body.startswith(mark):
            raise error(f"{where}:1: is in {encoding}; save it as UTF-8")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = body.count(b"\n", 0, problem.start) + 1
        byte = body[problem.start]
        raise error(f"{where}:{line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise error(f"{where}:{line}: a NUL character; this is not a text file")
    return text
