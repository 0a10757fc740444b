"""Folders of ours under the temporary one: those of the living stay, those of the dead go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from learnact.models.temporary import UNLOCKED_SECONDS, TemporaryFolder, remove_dead

HOLDER = """
import sys, time
from pathlib import Path
from learnact.models.temporary import TemporaryFolder
folder = TemporaryFolder(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(3600)
"""


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    return process


def test_only_folders_of_dead_processes_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shared, other = tmp_path / "learnact-run-a", tmp_path / "somebody-else"
    other.mkdir()
    first, second = holder(shared), holder(shared)
    (shared / "file").touch()
    mine = TemporaryFolder.new("lact-ray-", tmp_path)
    try:
        assert remove_dead() == []
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert shared not in remove_dead()
        second.send_signal(signal.SIGKILL)
        second.wait()
        assert shared in remove_dead()
        assert not shared.exists() and mine.path.exists() and other.exists()
    finally:
        first.kill()
        second.kill()
    mine.remove()
    mine.remove()
    assert sorted(tmp_path.iterdir()) == [other]


def test_a_folder_without_a_lock_is_given_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    young, old = tmp_path / "learnact-model-young", tmp_path / "learnact-model-old"
    for path in (young, old):
        path.mkdir()
    past = time.time() - UNLOCKED_SECONDS - 60
    os.utime(old, (past, past))
    (tmp_path / "learnact-run-link").symlink_to(young)
    assert remove_dead() == [old]
    assert young.exists() and (tmp_path / "learnact-run-link").is_symlink()
