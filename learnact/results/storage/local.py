"""A run in a local folder (or one that is mounted): files and a lock of the operating system."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from learnact.results import files
from learnact.results.storage.protocol import Listing, RunLock, StoredFile, checksum, file_checksum

LARGE_LOG = 64 * 1024 * 1024


@dataclass(frozen=True)
class LocalStorage:
    """Implements `Storage` for a path."""

    folder: Path

    @property
    def shared(self) -> bool:
        """The kernel keeps two drivers apart."""
        return False

    def make(self) -> None:
        """Make the folder where it is not there."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """The names of what lies in the folder."""
        return os.listdir(self.folder)

    def listing(self) -> Listing:
        """Its files."""
        found = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                try:
                    if entry.is_file():
                        about = entry.stat()
                        found[entry.name] = StoredFile(about.st_size, about.st_mtime)
                except FileNotFoundError:
                    continue
        return Listing(found, time.time())

    def folders(self) -> list[str]:
        """The names of the folders in it."""
        with os.scandir(self.folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())

    def inside(self, name: str) -> dict[str, bytes | OSError]:
        """The contents of the files of one name in the folder itself and in the folders in it."""
        found: dict[str, bytes | OSError] = {}
        for folder in ["", *sorted(os.listdir(self.folder))]:
            path = self.folder / folder / name
            if path.exists():
                try:
                    found[folder] = path.read_bytes()
                except OSError as error:
                    found[folder] = error
        return found

    def exists(self, name: str) -> bool:
        """Whether a file is there."""
        return (self.folder / name).exists()

    def read(self, name: str) -> bytes:
        """A file's content."""
        return (self.folder / name).read_bytes()

    def checksum_of(self, name: str) -> str:
        """The checksum of a file."""
        return file_checksum(self.folder / name)

    def read_matching(self, pattern: re.Pattern[str]) -> dict[str, bytes]:
        """The contents of the files whose names match, in the order of the names."""
        found = {}
        for name in sorted(filter(pattern.fullmatch, self.names())):
            try:
                found[name] = self.read(name)
            except FileNotFoundError:
                continue
        return found

    def write(self, files_: Mapping[str, bytes]) -> dict[str, str]:
        """Write new files, each whole or not at all; `seal` makes their names durable."""
        for name, content in files_.items():
            files.put(self.folder / name, content)
        return {name: checksum(content) for name, content in files_.items()}

    def scratch(self, name: str) -> Path:
        """A path for a program to write what will be the file `name`."""
        return self.folder / f"{files.TEMPORARY}{name}"

    def take(self, temporary: Path, name: str) -> str:
        """Give what was written there its name, durably but for `seal`."""
        found = file_checksum(temporary)
        files.publish(temporary, self.folder / name)
        return found

    def seal(self, name: str, content: bytes) -> None:
        """Write a file, and make all names durable."""
        files.put(self.folder / name, content)
        files.sync_folder(self.folder)

    def paths(self, files_: Mapping[str, str]) -> list[Path]:
        """Where the files are."""
        return [self.folder / name for name in files_]

    def begin_reading(self) -> Callable[[], None]:
        """Said of the folder above: one lock for all runs of a results folder."""
        return files.begin_reading(self.folder.resolve().parent)

    def unread(self) -> AbstractContextManager[bool]:
        """Where readers of a run of the same results folder have ended."""
        return files.unread(self.folder.resolve().parent)

    def remove(self, names: list[str]) -> int:
        """Remove files; returns their bytes."""
        return sum(files.remove(self.folder / name) for name in names)

    def set_aside(self, names: list[str], folder: str) -> None:
        """Move files into a folder in this one."""
        for name in names:
            place = self.folder / folder
            place.mkdir(exist_ok=True)
            (self.folder / name).rename(place / name)

    def lock(self) -> RunLock:
        """Take the run."""
        return files.Lock(self.folder)

    def log(self, name: str) -> FileLog:
        """A file that grows."""
        return FileLog(self.folder / name)


class FileLog:
    """Implements `AppendLog` with one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = 0
        self._file: FileIO | None = None

    def read(self) -> str:
        """All of it."""
        try:
            return self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def hand_over(self, content: bytes) -> bool:
        """Give it to the kernel."""
        try:
            self._file = self._file or FileIO(self._path, "ab")
            whole = self._file.write(content) == len(content)
        except OSError:
            return False
        self._bytes += len(content) if whole else 0
        return whole

    def append(self, content: bytes) -> None:
        """Add to its end, durably."""
        if self._file is not None:
            os.fsync(self._file.fileno())
        if content:
            files.append(self._path, content)
            self._bytes += len(content)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def replace(self, content: bytes) -> None:
        """Write it anew; without content, remove it."""
        self.close()
        if content:
            files.put(self._path, content)
        else:
            files.remove(self._path)
        self._bytes = len(content)

    @property
    def large(self) -> bool:
        """Whether it has grown beyond what is read quickly."""
        return self._bytes > LARGE_LOG
