"""Packages that a family of environments needs and that an extra brings: are they here, and in which version?

Nothing is imported to find out, because listing the domains must stay fast.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass

from learnact.errors import MissingExtra


@dataclass(frozen=True)
class ExtraPackages:
    """What one extra brings. `modules`: names that must be importable; `distributions`: names whose versions
    are part of what a result depends on; `install`: the command that brings them, where it is another than
    `pip install 'learnact[EXTRA]'`; `note`: what else one must know before installing."""

    extra: str
    modules: tuple[str, ...]
    distributions: tuple[str, ...]
    install: str = ""
    note: str = ""

    @property
    def command(self) -> str:
        """The command that installs them."""
        return self.install or f"pip install 'learnact[{self.extra}]'"

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules that are not here."""
        return tuple(name for name in self.modules if not _is_here(name))

    def require(self, who: str) -> None:
        """Raises `MissingExtra`, naming `who` needs them and what to install, unless all are here."""
        if missing := self.missing:
            note = f" ({self.note})" if self.note else ""
            raise MissingExtra(
                f"{who} needs {', '.join(missing)}, which is not installed: {self.command}{note}"
            )

    def versions(self) -> str:
        """Names and versions of the distributions, for a domain's version. Raises
        `importlib.metadata.PackageNotFoundError` for one that is not here."""
        return " ".join(f"{name} {importlib.metadata.version(name)}" for name in self.distributions)


def _is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a parent package that is missing; a module hidden from a test
        return False
