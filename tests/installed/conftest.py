"""An installed copy: the wheel, built from this checkout, in a virtual environment of its own, used from an
empty folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class InstalledCopy:
    """The commands of the environment, and the empty folder in which they run."""

    bin: Path
    folder: Path

    def __call__(self, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """`learnact ARGUMENTS` in the folder."""
        return self.run("learnact", *arguments, stdin=stdin)

    def run(self, command: str, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A command of the environment in the folder."""
        return subprocess.run(
            [str(self.bin / command), *map(str, arguments)],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=900,
            env={**os.environ, "PYTHONPATH": "", "COLUMNS": "160", "NO_COLOR": "1"},
        )


def dependencies() -> list[str]:
    """Folders of installed packages: the environment that runs the tests, and those that it takes packages
    from.
    """
    return [sysconfig.get_path("purelib"), *(path for path in sys.path if path.endswith("site-packages"))]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(folder))
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True)
    (built,) = folder.glob("learnact-*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> InstalledCopy:
    """The wheel, installed; its dependencies are those of the environment that runs the tests."""
    folder = tmp_path_factory.mktemp("installed")
    place = folder / "environment"
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    (site,) = (place / "lib").glob("python*/site-packages")
    options = ("--python", str(python), "install", "--no-deps", "--no-index", "--quiet")
    subprocess.run([sys.executable, "-m", "pip", *options, str(wheel)], check=True)
    (site / "dependencies.pth").write_text("\n".join(dict.fromkeys(dependencies())) + "\n")
    (folder / "empty").mkdir()
    return InstalledCopy(place / "bin", folder / "empty")
