"""A run in a bucket of an object store: the same files as in a folder, each an object.

An object appears whole or not at all, and is never replaced but for the lock. DuckDB and Arrow read copies on
the local disk (cache.py), which are compared with their checksums as they come. A text that grows is a series
of objects: `calls.journal` is `calls.0000001.journal`, `calls.0000002.journal` and so on.
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from learnact.errors import RunTakenOver
from learnact.results.location import BucketLocation, damaged
from learnact.results.storage.bucket import Bucket, ObjectConflict
from learnact.results.storage.cache import ObjectCache, cache_folder
from learnact.results.storage.object_lock import ObjectLock
from learnact.results.storage.protocol import Listing, RunLock, StoredFile, checksum, file_checksum

LOCK = "driver.json"
AT_ONCE = 16
"""Requests that are under way at a time."""
LARGE_LOG_BYTES = 16 * 1024 * 1024
LARGE_LOG_OBJECTS = 60
A = TypeVar("A")
B = TypeVar("B")


@cache
def _cache() -> ObjectCache:
    return ObjectCache(cache_folder())


def _at_once(work: Callable[[A], B], given: Iterable[A]) -> list[B]:
    """The work on each, some at a time, in order. The first failure is raised when all have ended."""
    todo = list(given)
    if len(todo) < 2:
        return [work(one) for one in todo]
    with ThreadPoolExecutor(min(AT_ONCE, len(todo)), thread_name_prefix="objects") as pool:
        return list(pool.map(work, todo))


@dataclass(frozen=True)
class ObjectStorage:
    """Implements `Storage` for a place in a bucket."""

    place: BucketLocation
    bucket: Bucket

    @property
    def shared(self) -> bool:
        """A driver that was taken for dead may still write."""
        return True

    def make(self) -> None:
        """Nothing: a store has no folders."""

    def names(self) -> list[str]:
        """The names of what lies in the folder."""
        return list(self.listing().files)

    def listing(self) -> Listing:
        """Its files."""
        found = self.bucket.under(self._prefix)
        return Listing(found.files, found.now)

    def folders(self) -> list[str]:
        """The names of the folders in it."""
        return list(self.bucket.under(self._prefix).folders)

    def inside(self, name: str) -> dict[str, bytes | OSError]:
        """The contents of the files of one name in the folder itself and in the folders in it."""
        found = self.bucket.under(self._prefix)
        if not found.files and not found.folders:
            raise FileNotFoundError(errno.ENOENT, "there is nothing", str(self.place))
        places = [*([""] if name in found.files else []), *found.folders]
        contents = _at_once(lambda folder: self._get_or_none(f"{folder}/{name}".lstrip("/")), places)
        return {
            folder: content for folder, content in zip(places, contents, strict=True) if content is not None
        }

    def exists(self, name: str) -> bool:
        """Whether a file is there."""
        return self._get_or_none(name) is not None

    def read(self, name: str) -> bytes:
        """A file's content."""
        return self.bucket.get(self._key(name)).content

    def checksum_of(self, name: str) -> str:
        """The checksum of a file, fetched anew."""
        temporary = self._fetch(name)
        try:
            return file_checksum(temporary)
        finally:
            temporary.unlink()

    def read_matching(self, pattern: re.Pattern[str]) -> dict[str, bytes]:
        """The contents of the files whose names match; each is fetched once."""
        found = self.listing().files
        names = sorted(filter(pattern.fullmatch, found))
        contents = _at_once(lambda name: self._content(name, found[name]), names)
        return {name: content for name, content in zip(names, contents, strict=True) if content is not None}

    def write(self, files: Mapping[str, bytes]) -> dict[str, str]:
        """Write new files, and keep copies of them."""
        _at_once(lambda name: self._create(name, files[name]), files)
        sums = {name: checksum(content) for name, content in files.items()}
        for name, content in files.items():
            _cache().add(sums[name], content)
        return sums

    def scratch(self, name: str) -> Path:  # noqa: ARG002 - the copy is found by its checksum
        """A path on the local disk."""
        return _cache().scratch()

    def take(self, temporary: Path, name: str) -> str:
        """Store a file, and keep it as the copy."""
        found = file_checksum(temporary)
        self._create(name, temporary)
        _cache().adopt(temporary, found)
        return found

    def seal(self, name: str, content: bytes) -> None:
        """Write a file after those that it makes count."""
        self._create(name, content)

    def paths(self, files: Mapping[str, str]) -> list[Path]:
        """Copies on the local disk; those that are not there yet are fetched."""
        return _at_once(lambda name: self._copy(name, files[name]), files)

    def read_those(self, names: list[str]) -> list[bytes]:
        """The contents of files that are there, as they are stored now."""
        return [content for content in _at_once(self._get_or_none, names) if content is not None]

    def begin_reading(self) -> Callable[[], None]:
        """Nothing: copies are read."""
        return lambda: None

    def unread(self) -> contextlib.AbstractContextManager[bool]:
        """Unknown: somebody may be about to fetch what was listed before."""
        return contextlib.nullcontext(False)

    def remove(self, names: list[str]) -> int:
        """Remove files; returns their bytes."""
        if not names:
            return 0
        there = self.listing().files
        self.bucket.delete([self._key(name) for name in names])
        return sum(there[name].size for name in names if name in there)

    def set_aside(self, names: list[str], folder: str) -> None:
        """Move files into a folder in this one."""
        for name in names:
            self.bucket.copy(self._key(name), self._key(f"{folder}/{name}"))
        self.bucket.delete([self._key(name) for name in names])

    def lock(self) -> RunLock:
        """Take the run."""
        return ObjectLock(self.bucket, self.place / LOCK)

    def log(self, name: str) -> ObjectLog:
        """A text in a series of objects."""
        return ObjectLog(self, name)

    @property
    def _prefix(self) -> str:
        return f"{self.place.key}/" if self.place.key else ""

    def _key(self, name: str) -> str:
        return self._prefix + name

    def _get_or_none(self, name: str) -> bytes | None:
        try:
            return self.read(name)
        except FileNotFoundError:
            return None

    def _create(self, name: str, content: bytes | Path) -> None:
        while True:
            try:
                self.bucket.put(self._key(name), content, new=True)
                return
            except ObjectConflict:
                ours = checksum(content) if isinstance(content, bytes) else file_checksum(content)
            with contextlib.suppress(FileNotFoundError):
                if self.checksum_of(name) == ours:
                    return  # written by a try whose answer was lost
                raise RunTakenOver(f"{self.place / name} was written by another driver")

    def _content(self, name: str, file: StoredFile) -> bytes | None:
        """An object's content, from the copy of the object with this tag where there is one."""
        known = checksum(f"{self.place / name} {file.tag} {file.changed}".encode())
        if file.tag and (copy := _cache().find(known)):
            return copy.read_bytes()
        content = self._get_or_none(name)
        if file.tag and content is not None:
            _cache().add(known, content)
        return content

    def _copy(self, name: str, expected: str) -> Path:
        known = _cache().find(expected) if expected else None
        if known is not None:
            return known
        temporary = self._fetch(name)
        found = file_checksum(temporary)
        if expected and found != expected:
            temporary.unlink()
            raise damaged(self.place / name, "its content is not what was written: the checksum differs")
        return _cache().adopt(temporary, found)

    def _fetch(self, name: str) -> Path:
        """An object in a file of its own."""
        temporary = _cache().scratch()
        try:
            self.bucket.download(self._key(name), temporary)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return temporary


class ObjectLog:
    """Implements `AppendLog` with a series of objects. Each has a number of its own and is only ever created,
    so a driver that has lost the run cannot add to it."""

    def __init__(self, storage: ObjectStorage, name: str) -> None:
        self._storage, self._name = storage, name
        stem, dot, ending = name.rpartition(".")
        self._pattern = re.compile(rf"{re.escape(stem)}\.(\d+)\.{re.escape(ending)}")
        self._form = f"{stem}.{{:07d}}{dot}{ending}"
        self._objects: list[str] = []
        self._last = self._bytes = 0
        self._claimed = False

    def read(self) -> str:
        """All of it."""
        numbered = {}
        plain = []
        for name in self._storage.names():
            if found := self._pattern.fullmatch(name):
                numbered[int(found[1])] = name
            elif name == self._name:  # of a run that was copied from a folder
                plain.append(name)
        self._last = max(numbered, default=0)
        self._objects = [*plain, *(numbered[number] for number in sorted(numbered))]
        return b"".join(self._storage.read_those(self._objects)).decode("utf-8", "replace")

    def hand_over(self, content: bytes) -> bool:  # noqa: ARG002 - waits for `append`
        """Not possible: an object is there when the store has answered."""
        return False

    def close(self) -> None:
        """Nothing is open."""

    def append(self, content: bytes) -> None:
        """Add an object."""
        if content.strip():
            self._add(content)

    def _add(self, content: bytes) -> None:
        name = self._form.format(self._last + 1)
        self._storage.seal(name, content)
        self._last += 1
        self._objects.append(name)
        self._bytes += len(content)

    def replace(self, content: bytes) -> None:
        """Write what stays as one object, which may be empty, and remove those before it."""
        before, self._objects, self._bytes = self._objects, [], 0
        while True:
            try:
                self._add(content)
                break
            except RunTakenOver:
                if self._claimed:
                    raise
                self._last += 1  # the driver before us wrote on: ours comes after it
        self._claimed = True
        self._storage.remove(before)

    @property
    def large(self) -> bool:
        """Whether it has come to many objects or bytes."""
        return len(self._objects) > LARGE_LOG_OBJECTS or self._bytes > LARGE_LOG_BYTES
