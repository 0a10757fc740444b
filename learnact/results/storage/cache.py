"""Copies of immutable objects on the local disk, by checksum: each is fetched once and never stale."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
import uuid
from pathlib import Path

from learnact.results import files

MOST_BYTES = 8 << 30
"""Bytes of copies that are kept; beyond it those that were used longest ago are removed."""
IN_USE = 24 * 3600.0
"""Seconds for which a copy that was used is never removed."""


def cache_folder() -> Path:
    """`learnact/objects` in the user's folder of caches (XDG_CACHE_HOME), or in the temporary folder where
    that cannot be written."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    for base in (Path(home), Path(tempfile.gettempdir()) / f"learnact-cache-{os.getuid()}"):
        folder = base / "learnact" / "objects"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise PermissionError(13, "no folder for copies of objects can be written; set XDG_CACHE_HOME", home)


class ObjectCache:
    """Files by name in one folder, which several processes use at once."""

    def __init__(self, folder: Path, most: int = MOST_BYTES) -> None:
        self._folder = folder
        self._trim(most)

    def find(self, name: str) -> Path | None:
        """The copy, now marked as used."""
        path = self._folder / name
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def add(self, name: str, content: bytes) -> Path:
        """Keep a copy."""
        temporary = self.scratch()
        temporary.write_bytes(content)
        return self.adopt(temporary, name)

    def scratch(self) -> Path:
        """A path for a file that `adopt` then takes."""
        return self._folder / f"{files.TEMPORARY}{uuid.uuid4().hex}"

    def adopt(self, temporary: Path, name: str) -> Path:
        """Take a file of `scratch` as a copy."""
        return temporary.rename(self._folder / name)

    def _trim(self, most: int) -> None:
        found = []
        for entry in os.scandir(self._folder):
            with contextlib.suppress(FileNotFoundError):
                found.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
        total = sum(size for _, size, _ in found)
        for used, size, path in sorted(found):
            abandoned = os.path.basename(path).startswith(files.TEMPORARY)
            if used > time.time() - IN_USE or not (abandoned or total > most):
                continue
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            total -= size
