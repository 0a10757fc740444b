"""What commands print: text through Rich on a terminal, plain in pipes, errors as one clear message on standard error."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 200
"""Columns of a table when nobody's terminal says otherwise."""


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
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def complain(error: BaseException | str) -> None:
    """One clear message on standard error."""
    console(stderr=True).print(f"error: {error}", markup=False, soft_wrap=True, style="red")


def table(title: str, *columns: str) -> Table:
    """An empty table in the house's form; numbers go right: name such a column with a leading `#`."""
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        number = column.startswith("#")
        made.add_column(column.lstrip("#"), justify="right" if number else "left", overflow="fold")
    return made
