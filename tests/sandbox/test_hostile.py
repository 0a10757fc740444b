"""Hostile programs end as intended: nothing reached, host alive, siblings undisturbed, stopped in time."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from learnact.sandbox.bounds import User
from learnact.sandbox.confinement import LINUX, NOBODY
from tests.sandbox.hostile import GROUPS, attacks
from tests.sandbox.hostile.play import play

ROOT = Path(__file__).resolve().parents[2]
USERS: tuple[User, ...] = get_args(User) if os.geteuid() == 0 else ("current",)

pytestmark = pytest.mark.skipif(
    not LINUX or platform.machine() != "x86_64", reason="the hostile programs are written for Linux on x86-64"
)


def test_there_are_enough_of_them() -> None:
    everything = attacks()
    assert len(everything) >= 150
    assert {a.group for a in everything} == set(GROUPS) == {a.group for a in everything if a.core}


@pytest.mark.parametrize("user", USERS)
async def test_the_worst_of_each_group(user: User) -> None:
    assert await play([a for a in attacks() if a.core], user) == {}


@pytest.mark.slow
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("group", GROUPS)
async def test_all_of_a_group(group: str, user: User) -> None:
    assert await play([a for a in attacks() if a.group == group], user) == {}


def test_where_nothing_but_seccomp_is_offered_the_filter_holds_alone() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.sandbox.bare",
        "tests.sandbox.hostile.play",
        "files",
        "network",
        "proc",
        "introspection",
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["played"] > 50
    assert report["wrong"] == {}


@pytest.fixture
def for_nobody() -> Iterator[tuple[str, Path]]:
    """An interpreter and a copy of the sandbox that the user nobody can reach."""
    if os.geteuid() != 0:
        pytest.skip("only root can become nobody")
    folder = Path(tempfile.mkdtemp())
    try:
        copy_for_nobody(folder)
        for candidate in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
            if reaches(candidate, folder):
                yield candidate, folder
                return
        pytest.skip("no Python of 3.11 or later that nobody may run")
    finally:
        shutil.rmtree(folder)


def copy_for_nobody(folder: Path) -> None:
    import pyseccomp

    for package in ("sandbox", "records"):
        shutil.copytree(ROOT / "learnact" / package, folder / "learnact" / package)
    for name in ("__init__.py", "errors.py"):
        shutil.copy(ROOT / "learnact" / name, folder / "learnact" / name)
    shutil.copytree(ROOT / "tests" / "sandbox" / "hostile", folder / "tests" / "sandbox" / "hostile")
    for package in ("tests", "tests/sandbox"):
        (folder / package / "__init__.py").touch()
    shutil.copy(str(pyseccomp.__file__), folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)


def reaches(interpreter: str, folder: Path) -> bool:
    try:
        done = as_nobody([interpreter, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], folder, 30)
    except OSError:
        return False
    return done.returncode == 0


def as_nobody(command: list[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command,
        cwd="/",
        env=environment,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@pytest.mark.slow
def test_all_of_them_with_a_host_that_is_nobody(for_nobody: tuple[str, Path]) -> None:
    interpreter, folder = for_nobody
    done = as_nobody([interpreter, "-m", "tests.sandbox.hostile.play"], folder, 290)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["uid"] == NOBODY
    assert report["played"] == len(attacks())
    assert report["wrong"] == {}
