"""A bucket in memory with the conditions of S3: to try every order of two drivers' requests, which no server
can be made to do.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from learnact.results.storage.bucket import BucketListing, ObjectConflict, StoredObject
from learnact.results.storage.protocol import StoredFile


class MemoryBucket:
    """Implements `Bucket`. `before` is called with the number of each write, counted from 1, before it is
    done; `clock` is the store's."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, float]] = {}
        self.clock = 1.7e9
        self.writes = 0
        self.before: Callable[[int], None] = lambda number: None
        self.answer_lost: Callable[[int], bool] = lambda number: False
        self._lock = threading.RLock()

    def under(self, prefix: str) -> BucketListing:
        with self._lock:
            names = [key[len(prefix) :] for key in sorted(self.objects) if key.startswith(prefix)]
            files = {}
            for name in names:
                content, changed = self.objects[prefix + name]
                if "/" not in name:
                    files[name] = StoredFile(len(content), changed, tag_of(content))
            folders = dict.fromkeys(name.split("/")[0] for name in names if "/" in name)
            return BucketListing(files, tuple(folders), self.clock)

    def get(self, key: str) -> StoredObject:
        with self._lock:
            if key not in self.objects:
                raise FileNotFoundError(2, "there is no such object", key.rpartition("/")[2])
            content, changed = self.objects[key]
            return StoredObject(content, tag_of(content), changed, self.clock)

    def download(self, key: str, path: Path) -> None:
        path.write_bytes(self.get(key).content)

    def put(self, key: str, content: bytes | Path, *, new: bool = False, tag: str | None = None) -> str:
        with self._lock:
            self.writes += 1
            number = self.writes
        self.before(number)
        with self._lock:
            whole = content if isinstance(content, bytes) else content.read_bytes()
            self._put(key, whole, new, tag)
            if self.answer_lost(number):  # a client asks again, and meets what it has written itself
                self._put(key, whole, new, tag)
            return tag_of(whole)

    def _put(self, key: str, content: bytes, new: bool, tag: str | None) -> None:
        there = self.objects.get(key)
        if (new and there) or (tag is not None and (there is None or tag_of(there[0]) != tag)):
            raise ObjectConflict(key)
        self.objects[key] = (content, self.clock)

    def delete(self, keys: list[str]) -> None:
        with self._lock:
            for key in keys:
                self.objects.pop(key, None)

    def copy(self, old: str, new: str) -> None:
        with self._lock:
            self.objects[new] = (self.get(old).content, self.clock)


def tag_of(content: bytes) -> str:
    """As S3 makes them."""
    return f'"{hashlib.md5(content).hexdigest()}"'
