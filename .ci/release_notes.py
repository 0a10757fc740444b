"""Prints the notes of the tag: the changelog of the version. Fails where versions do not agree or the notes
are missing."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notes(root: Path = ROOT) -> str:
    """The section of the version in CHANGELOG.md. Raises `SystemExit` saying what does not agree."""
    version = found(r'^__version__ = "(.+)"', root / "learnact/__init__.py")
    if (cited := found(r"^version: (.+)$", root / "CITATION.cff")) != version:
        raise SystemExit(f"CITATION.cff: version {cited}, but learnact/__init__.py has {version}")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    section = re.search(
        rf"^## {re.escape(version)}\b[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    if section is None or not section[1].strip():
        raise SystemExit(f"CHANGELOG.md: nothing is written under '## {version}'")
    return f"v{version}\n\n{section[1].strip()}\n"


def found(pattern: str, path: Path) -> str:
    """What a pattern finds in a file."""
    match = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise SystemExit(f"{path}: says no version")
    return match[1]


if __name__ == "__main__":
    sys.stdout.write(notes())
