"""The environment lock of a bundle: exact versions of everything that this installation of learnact needs."""

from __future__ import annotations

import platform
import re
from importlib import metadata

from packaging.requirements import Requirement

from learnact import __version__

PACKAGE = __package__.partition(".")[0]


def requirements() -> list[str]:
    """`name==version` of learnact's dependencies that are installed, those of its extras too, and of theirs.

    A dependency that is not installed (an extra that was not asked for) is left out.
    """
    found: dict[str, str] = {}
    waiting = [PACKAGE]
    while waiting:
        name = waiting.pop()
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        found[key] = package.version
        extras = package.metadata.get_all("Provides-Extra") or [] if name == PACKAGE else []
        for text in package.requires or ():
            wanted = Requirement(text)
            if wanted.marker is None or any(
                wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras)
            ):
                waiting.append(wanted.name)
    found.pop(PACKAGE, None)
    return [f"{PACKAGE}=={__version__}", *(f"{name}=={version}" for name, version in sorted(found.items()))]


def interpreter() -> dict[str, str]:
    """The Python and the kind of machine, without its name."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "machine": platform.machine(),
    }
