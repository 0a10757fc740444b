"""Files on local disks: immutable writes, removal, and the lock of a run. Used by storage/local.py."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from learnact.errors import ResultsError

TEMPORARY = ".tmp-"
SPILL = Path(tempfile.gettempdir()) / f"learnact-duckdb-{os.getuid()}"
"""Where large queries spill to disk. DuckDB's own choice is a folder `.tmp` where the command was called,
which stays there when the process is killed."""
_held: set[Path] = set()


def put(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all: temporary file, fsync, rename. `sync_folder` makes its
    name durable.
    """
    temporary = path.with_name(f"{TEMPORARY}{path.name}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def publish(temporary: Path, path: Path) -> None:
    """Give a file that somebody else wrote its final name, durably but for `sync_folder`."""
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.rename(path)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> int:
    """Remove a file; returns its bytes, 0 where it is gone already."""
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    return size


def begin_reading(folder: Path) -> Callable[[], None]:
    """Say that files of runs in a results folder are read, until what is returned is called (or the process
    ends): then no writer removes replaced files at once. Does nothing where a folder cannot be locked.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return lambda: None
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    return partial(os.close, descriptor)


@contextlib.contextmanager
def unread(folder: Path) -> Iterator[bool]:
    """Whether nobody reads files of runs in a results folder; nobody begins to while the context lasts."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        alone = True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            alone = False
        yield alone
    finally:
        os.close(descriptor)


class Lock:
    """One driver per run. A POSIX record lock: the kernel frees it however the driver ends, and children do
    not inherit it.

    Never open the lock file elsewhere in the process that holds it: closing any descriptor of it would free
    the lock.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._holder = folder / "driver.json"
        if self._folder in _held:
            raise ResultsError(self._taken())
        self._file = (folder / "lock").open("a")
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
            raise ResultsError(self._taken()) from error
        _held.add(self._folder)
        me = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        try:
            put(self._holder, json.dumps(me).encode())
        except OSError:
            self.release()
            raise

    def _taken(self) -> str:
        try:
            holder = json.loads(self._holder.read_text())
            since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(float(holder["since"])))
            who = f"process {holder['pid']} on {holder['host']}, since {since}"
        except (OSError, ValueError, KeyError):
            who = "another driver"
        return (
            f"the run in {self._folder} is being driven by {who}; "
            "wait until it has ended (or end it), then run the same command again: it continues"
        )

    @property
    def lost_to(self) -> str:
        """Nobody takes a lock that the kernel keeps."""
        return ""

    @property
    def held(self) -> bool:
        """Whether the run is still ours."""
        return not self._file.closed

    def release(self) -> None:
        """Let the next driver in. Idempotent."""
        if not self._file.closed:
            with contextlib.suppress(OSError):
                remove(self._holder)
            _held.discard(self._folder)
            self._file.close()


def append(path: Path, content: bytes) -> None:
    """Append to a file, durably."""
    with path.open("ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
