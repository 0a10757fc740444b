"""The few operations of an object store that runs need. Amazon's protocol: s3.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from learnact.results.storage.protocol import StoredFile


class ObjectConflict(Exception):
    """A conditional write found another object than it expected. Never leaves learnact.results.storage."""


@dataclass(frozen=True)
class StoredObject:
    """An object as it was read. `tag` (ETag) stands for its content in conditional writes; times are in
    seconds since 1970 by the store's clock: when it was written, and when it was read."""

    content: bytes
    tag: str
    changed: float
    now: float


@dataclass(frozen=True)
class BucketListing:
    """What lies directly under a prefix, by the part of the name behind it; `now` by the store's clock."""

    files: Mapping[str, StoredFile]
    folders: tuple[str, ...]
    now: float


class Bucket(Protocol):
    """A bucket with strongly consistent reads, listings in the order of names, and conditional writes.

    Errors: `FileNotFoundError` for a missing object, `StoreUnavailable` where the store does not answer,
    `ResultsError` for what another try cannot help.
    """

    def under(self, prefix: str) -> BucketListing:
        """What lies directly under a prefix (which ends in `/`, or is empty)."""
        ...

    def get(self, key: str) -> StoredObject:
        """An object."""
        ...

    def download(self, key: str, path: Path) -> None:
        """An object's content into a file, some of it at a time."""
        ...

    def put(self, key: str, content: bytes | Path, *, new: bool = False, tag: str | None = None) -> str:
        """Write an object, and return its tag. `new`: only where there is none; `tag`: only in the place of
        the one with this tag. Raises `ObjectConflict` otherwise."""
        ...

    def delete(self, keys: list[str]) -> None:
        """Delete objects, whether they are there or not."""
        ...

    def copy(self, old: str, new: str) -> None:
        """Copy an object."""
        ...
