"""Folders of ours under the system's temporary one: removed at the end, or by the next run when a process was
killed.

Whoever uses a folder holds a lock in it, which the kernel frees however the process ends. `remove_dead`
removes folders whose lock nobody holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

PREFIXES = ("lact-ray-", "learnact-run-", "learnact-model-")
"""Beginnings of the names of our folders: of a Ray of our own, of a run's workers on a node, of a server."""
LOCK = ".in-use"
UNLOCKED_SECONDS = 3600.0
"""A folder without a lock file is removed when it is older: its maker died before it made one."""


class TemporaryFolder:
    """A folder that is in use as long as this object is open. `path` may be shared with other processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        while True:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.suppress(FileNotFoundError):  # another process removed it in between
                self._lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._lock, fcntl.LOCK_SH)
                if os.path.samestat(os.fstat(self._lock), (path / LOCK).stat()):
                    return
                os.close(self._lock)

    @classmethod
    def new(cls, prefix: str, parent: Path | None = None) -> TemporaryFolder:
        """A new folder, for this process alone."""
        return cls(Path(tempfile.mkdtemp(prefix=prefix, dir=parent)))

    def remove(self) -> None:
        """Remove the folder, whoever else uses it. Idempotent."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
            shutil.rmtree(self.path, ignore_errors=True)


def remove_dead(*parents: Path) -> list[Path]:
    """Remove our folders that no process uses any more, of this user, in the system's temporary folder and in
    `parents`; returns what was removed."""
    removed = []
    for parent in dict.fromkeys((Path(tempfile.gettempdir()), *parents)):
        for prefix in PREFIXES:
            for path in parent.glob(f"{prefix}*"):
                with contextlib.suppress(OSError):  # it went by itself, or is not for us to look at
                    if _is_dead(path):
                        shutil.rmtree(path, ignore_errors=True)
                        removed.append(path)
    return removed


def _is_dead(path: Path) -> bool:
    facts = path.lstat()
    if not path.is_dir() or path.is_symlink() or facts.st_uid != os.getuid():
        return False
    try:
        lock = os.open(path / LOCK, os.O_RDWR)
    except FileNotFoundError:
        return time.time() - facts.st_mtime > UNLOCKED_SECONDS
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
