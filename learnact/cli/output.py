"""What commands print and write: text through Rich on a terminal, plain in pipes, errors as one message on
standard error."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from learnact.errors import BadInput
from learnact.records.text import json_text, printable
from learnact.records.text_files import read_text

PIPE_WIDTH = 200
"""Columns of a table where no terminal says otherwise."""
READ_BYTES = 16 << 20
"""Bytes of a file that a person names, at most: devices such as /dev/zero never end."""


def console(stderr: bool = False) -> Console:
    """A console that respects NO_COLOR, COLUMNS and pipes."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def say(text: str = "") -> None:
    """A line for a person, as it is (no markup)."""
    console().print(text, markup=False, soft_wrap=True)


def say_json(value: Any) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(json_text(value) + "\n")
    sys.stdout.flush()


def print_error(error: BaseException | str) -> None:
    """One clear message on standard error."""
    console(stderr=True).print(
        "error: " + printable(str(error), keep="\n"), markup=False, soft_wrap=True, style="red"
    )


def table(title: str, *columns: str) -> Table:
    """An empty table; a column whose name begins with `#` holds numbers, which are aligned to the right."""
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        number = column.startswith("#")
        made.add_column(column.lstrip("#"), justify="right" if number else "left", overflow="fold")
    return made


def write_file(path: Path, text: str, force: bool = False) -> None:
    """Write a new file; `force` replaces one that is there. Raises `BadInput` naming the file and the way
    out."""
    if path.exists() and not force:
        raise BadInput(f"{path}: is there already and was not touched; name another file, or use --force")
    if not path.parent.is_dir():
        raise BadInput(f"{path}: there is no folder {path.parent}")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}; name another file") from None


def say_next(job: Path, *, makes_data: bool = False) -> None:
    """What to type after a job file has been written; one of a synthesis has a command of its own."""
    name = shlex.quote(str(job))
    if makes_data:
        say(
            f"wrote {job}\nnext: learnact synthesize {name} --dry-run    # what it would do; calls nobody\n"
            f"      learnact synthesize {name}"
        )
        return
    say(
        f"wrote {job}\nnext: learnact plan {name}    # what it would do; calls nobody\n      learnact "
        f"run {name}"
    )


def read_file(path: Path, what: str) -> str:
    """The text of a file that a person named; `what` is the option that named it. Raises `BadInput`."""
    try:
        return read_text(path, BadInput, name=f"{what} {path}", most=READ_BYTES)
    except FileNotFoundError as error:
        raise BadInput(f"{what} {path}: cannot be read: {error.strerror}") from None
