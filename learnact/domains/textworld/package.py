"""The package that this family needs, and where its games are kept."""

from __future__ import annotations

import os
from pathlib import Path

from learnact.domains.extra_packages import ExtraPackages

PACKAGES = ExtraPackages(
    "textworld",
    ("textworld", "jericho"),
    ("textworld", "jericho"),
    note="its interpreter of games is compiled, which needs a C compiler and make",
)


def cache_folder() -> Path:
    """Where made games are kept: `LEARNACT_CACHE`, else `~/.cache/learnact`; below it `textworld`."""
    root = os.environ.get("LEARNACT_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "learnact")
    return Path(root) / "textworld"
