"""The package and the Java that this family needs."""

from __future__ import annotations

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from learnact.domains.extra_packages import ExtraPackages
from learnact.errors import MissingExtra

JAVA = "apt-get install --no-install-recommends openjdk-17-jre-headless"


@dataclass(frozen=True)
class PackagesWithJava(ExtraPackages):
    """An extra whose package also needs a Java runtime on the path."""

    def require(self, who: str) -> None:
        """Raises `MissingExtra` unless the package and a `java` are here."""
        super().require(who)
        if java_program() is None:
            raise MissingExtra(f"{who} needs a Java runtime (`java` on the path, or JAVA_HOME): {JAVA}")


PACKAGES = PackagesWithJava(
    "scienceworld",
    ("scienceworld", "py4j"),
    ("scienceworld",),
    note=f"and a Java runtime: {JAVA}",
)


def java_program() -> str | None:
    """The Java to be started: that of JAVA_HOME, else the one on the path; None where there is none."""
    home = os.environ.get("JAVA_HOME")
    if home and (program := Path(home) / "bin" / "java").is_file():
        return str(program)
    return shutil.which("java")


def jar() -> Path:
    """The simulator. Raises `MissingExtra` without the package."""
    PACKAGES.require("ScienceWorld")
    spec = importlib.util.find_spec("scienceworld")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "scienceworld.jar"
