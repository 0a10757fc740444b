"""Prompt files: text next to the code that fills it.

`$name` marks a place; a missing or unknown name is an error.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from learnact.records import digest


@dataclass(frozen=True)
class PromptTemplates:
    """The `.txt` files of a package's `prompts` folder, or of a folder in it."""

    package: str
    folder: str = ""

    def fill(self, name: str, **values: object) -> str:
        """The text of `name`.txt with its places filled in, without the line break at its end.

        Raises:
            KeyError: a place has no value.
        """
        return string.Template(_load(self.package, self.folder)[name]).substitute(
            {k: str(v) for k, v in values.items()}
        )

    @property
    def hash(self) -> str:
        """Address of all texts of the package: part of an episode's key."""
        return digest(_load(self.package, self.folder))


@cache
def _load(package: str, name: str) -> dict[str, str]:
    folder = files(package) / "prompts"
    folder = folder / name if name else folder
    found = (f for f in folder.iterdir() if f.name.endswith(".txt"))
    return {
        f.name.removesuffix(".txt"): f.read_text("utf-8").removesuffix("\n")
        for f in sorted(found, key=lambda f: f.name)
    }
