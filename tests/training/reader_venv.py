"""Environments of their own for the packages that read what learnact writes: a trainer's pins are not ours.

Each is made once, from `readers/NAME.txt`, in the user's folder of caches, and made again when that file
changes. What the tests run in stands behind its own packages, so learnact itself is there too, with the
reader's versions of what both need.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

READERS = Path(__file__).parent / "readers"
REPOSITORY = Path(__file__).parents[2]
BEHIND = "LEARNACT_TESTS_BEHIND"
HOOK = f"import os, sys; sys.path.extend(filter(None, os.environ.get('{BEHIND}', '').split(os.pathsep)))\n"


@cache
def reader(name: str) -> Path:
    """The interpreter of the environment of `readers/NAME.txt`, made where it is not there."""
    text = (READERS / f"{name}.txt").read_bytes()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "learnact" / "readers"
    folder = home / f"{name}-{version}-{hashlib.sha256(text).hexdigest()[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, name)
    return folder / "bin" / "python"


def _make(folder: Path, name: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    steps = [["install", "-r", READERS / f"{name}.txt"]]
    for line in (READERS / f"{name}.txt").read_text().splitlines():
        if line.startswith("# without: "):  # what its requirements bring and it does not need
            steps.append(["uninstall", "--yes", *line.removeprefix("# without: ").split()])
        if line.startswith("# alone: "):  # without what it asks for
            steps.append(["install", "--no-deps", *line.removeprefix("# alone: ").split()])
    for step in steps:
        done = subprocess.run([*pip, *step], capture_output=True, text=True)
        if done.returncode:
            shutil.rmtree(folder)
            raise AssertionError(f"the reader {name} cannot be installed: {done.stderr[-2000:]}")
    (site,) = (folder / "lib").glob("python*/site-packages")
    (site / "behind.pth").write_text(HOOK)
    (folder / "made").touch()


def behind() -> dict[str, str]:
    """The variables of a reader's process: learnact and what it needs, behind the reader's own packages."""
    paths = [str(REPOSITORY), *(path for path in sys.path if path.endswith("-packages"))]
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TRL_EXPERIMENTAL_SILENCE": "1"}
    return {**kept, **quiet, BEHIND: os.pathsep.join(dict.fromkeys(paths))}


def script(name: str, program: str, *arguments: object, seconds: float = 1800) -> str:
    """What a module prints that runs in a reader's environment: one of `reading`, or a file of this
    repository."""
    module = ["-m", f"tests.training.reading.{program}"] if "/" not in program else [program]
    command = [str(reader(name)), *module, *map(str, arguments)]
    done = subprocess.run(
        command, env=behind(), cwd=REPOSITORY, capture_output=True, text=True, timeout=seconds
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    return done.stdout


def checks(name: str, file: str, *, seconds: float = 1800, **variables: object) -> None:
    """Run a file of checks of `reading` with pytest in a reader's environment, with these variables. All must
    pass."""
    options = ["--noconftest", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "-q"]
    command = [str(reader(name)), "-m", "pytest", *options, f"tests/training/reading/{file}"]
    given = behind() | {key: str(value) for key, value in variables.items()}
    done = subprocess.run(command, env=given, cwd=REPOSITORY, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-3000:]}"
