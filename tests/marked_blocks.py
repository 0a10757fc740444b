"""Figures in documents stand between `<!-- figures: NAME -->` and `<!-- end of figures -->`; scripts write
them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

BLOCK = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def put(page: Path, name: str, text: str) -> None:
    """Write a block of a page anew. Raises KeyError where the page has no block of the name."""
    before = page.read_text(encoding="utf-8")
    if name not in {found[2] for found in BLOCK.finditer(before)}:
        raise KeyError(f"{page}: there is no block <!-- figures: {name} -->")

    def written(found: re.Match[str]) -> str:
        return f"{found[1]}{text}\n{found[3]}" if found[2] == name else found[0]

    page.write_text(BLOCK.sub(written, before), encoding="utf-8")


def print_or_write(about: str | None, page: Path, name: str, table: Callable[[int], str], runs: int) -> None:
    """The command line of a simulation: print its table of so many runs a row, or write it into its page."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--write", action="store_true", help=f"put the table into {page.name}")
    parser.add_argument("--runs", type=int, default=runs)
    given = parser.parse_args()
    text = table(given.runs)
    print(text)
    if given.write:
        put(page, name, text)
