"""What a run asks of the place where it lies. Local folders: local.py; object stores: objects.py."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class StoredFile:
    """A file in a folder: bytes, and when it was written, in seconds since 1970 by the storage's clock. On an
    object store `tag` (ETag) stands for its content."""

    size: int
    changed: float
    tag: str = ""


@dataclass(frozen=True)
class Listing:
    """The files of a folder by name, at a time by the storage's clock (seconds since 1970)."""

    files: Mapping[str, StoredFile]
    now: float


class AppendLog(Protocol):
    """A text that grows. What `append` returned for is on stable storage."""

    def read(self) -> str:
        """All of it; empty where there is none. What cannot be decoded gets replacement characters."""
        ...

    def hand_over(self, content: bytes) -> bool:
        """Add to its end without waiting for storage, so that it outlives this process. False where that is
        not possible: then `append` has to take it; a piece of it may stand there."""
        ...

    def append(self, content: bytes) -> None:
        """Add to its end; what was handed over is on stable storage then, too."""
        ...

    def close(self) -> None:
        """Let go of what is open; the next use opens it again."""
        ...

    def replace(self, content: bytes) -> None:
        """Put this in the place of all that was there; without content nothing stays."""
        ...

    @property
    def large(self) -> bool:
        """Whether it is worth replacing by what is still needed."""
        ...


class RunLock(Protocol):
    """One driver per run."""

    @property
    def held(self) -> bool:
        """Whether the run is still ours."""
        ...

    @property
    def lost_to(self) -> str:
        """Who has taken the run over, in words; empty while nobody has."""
        ...

    def release(self) -> None:
        """Let the next driver in. Idempotent."""
        ...


class Storage(Protocol):
    """One folder. Names are those of files in it. A missing file is `FileNotFoundError`; storage that does
    not answer is an `OSError`, as it is for a disk.
    """

    @property
    def shared(self) -> bool:
        """Whether a driver that has lost its lock can still write: then numbers of parts are claimed
        (parts.py)."""
        ...

    def make(self) -> None:
        """Make the folder where it is not there."""
        ...

    def names(self) -> list[str]:
        """The names of what lies in the folder."""
        ...

    def listing(self) -> Listing:
        """Its files."""
        ...

    def folders(self) -> list[str]:
        """The names of the folders in it."""
        ...

    def inside(self, name: str) -> dict[str, bytes | OSError]:
        """The contents of the files of one name in the folder itself (under "") and in the folders in it."""
        ...

    def exists(self, name: str) -> bool:
        """Whether a file is there."""
        ...

    def read(self, name: str) -> bytes:
        """A file's content, as it is stored now."""
        ...

    def checksum_of(self, name: str) -> str:
        """The checksum of a file, as it is stored now."""
        ...

    def read_matching(self, pattern: re.Pattern[str]) -> dict[str, bytes]:
        """The contents of the files whose names match, in the order of the names. They are not changed once
        they are written; those that have been removed since the folder was listed are left out."""
        ...

    def write(self, files: Mapping[str, bytes]) -> dict[str, str]:
        """Write new files, each whole or not at all; returns their checksums."""
        ...

    def scratch(self, name: str) -> Path:
        """A path for a program to write what will be the file `name`; `take` then stores it."""
        ...

    def take(self, temporary: Path, name: str) -> str:
        """Store what was written to a path of `scratch`; returns its checksum."""
        ...

    def seal(self, name: str, content: bytes) -> None:
        """Write a new file that makes others count: when this returns, they and it are on stable storage.

        Raises `RunTakenOver` where another driver has written that file.
        """
        ...

    def paths(self, files: Mapping[str, str]) -> list[Path]:
        """Paths at which DuckDB and Arrow read files, given by name with their checksums ("" for none)."""
        ...

    def begin_reading(self) -> Callable[[], None]:
        """Say that the folder's files are read, until what is returned is called."""
        ...

    def unread(self) -> AbstractContextManager[bool]:
        """Whether surely nobody reads the folder's files, and nobody begins to while the context lasts."""
        ...

    def remove(self, names: list[str]) -> int:
        """Remove files; returns their bytes. One that is gone already counts nothing."""
        ...

    def set_aside(self, names: list[str], folder: str) -> None:
        """Move files into a folder in this one."""
        ...

    def lock(self) -> RunLock:
        """Take the run. Raises `ResultsError` naming the driver that holds it."""
        ...

    def log(self, name: str) -> AppendLog:
        """A text that grows."""
        ...


def checksum(content: bytes) -> str:
    """Checksum of a file, as manifests hold it."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def file_checksum(path: Path) -> str:
    """`checksum` of a file's content, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
