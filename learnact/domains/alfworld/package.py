"""Where the installed package's data lies (domain, grammar, room layouts), found without importing it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from functools import cache
from pathlib import Path

from learnact.errors import MissingExtra

_NEEDED = ("alfworld", "textworld", "fast_downward")


def require() -> None:
    """Raises `MissingExtra`, saying what to install, unless the packages are there."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"the ALFWorld domains need {', '.join(missing)}, which is not installed: pip install "
            "'learnact[alfworld]' "
            "(compiles a planner for some minutes; needs cmake and a C++ compiler)"
        )


@cache
def folder() -> Path:
    """The folder of the package `alfworld`. Raises `MissingExtra`."""
    require()
    spec = importlib.util.find_spec("alfworld")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@cache
def domain_text() -> str:
    """The PDDL domain that the package ships; all games are played on it."""
    return (folder() / "data" / "alfred.pddl").read_text()


@cache
def grammar_text() -> str:
    """The grammar that the package ships; a game file's own is never evaluated."""
    return (folder() / "data" / "alfred.twl2").read_text()


@cache
def versions() -> str:
    """Versions of the engine's parts: they are part of what a result depends on."""
    require()
    return " ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("alfworld", "textworld", "fast_downward_textworld")
    )


def cache_folder() -> Path:
    """Where translations and generated games are kept: `LEARNACT_CACHE`, else `~/.cache/learnact`; below
    it `alfworld`."""
    root = os.environ.get("LEARNACT_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "learnact")
    return Path(root) / "alfworld"
