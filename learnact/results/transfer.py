"""Carries a run's folder from one place to another: into an archive, or file by file."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from learnact.errors import ResultsError, RunTakenOver
from learnact.results.location import Location
from learnact.results.manifests import MANIFEST
from learnact.results.run_file import NAME
from learnact.results.storage import storage_of


def pack(folder: Location, archive: tarfile.TarFile) -> None:
    """Add a run's folder to an archive, under its own name."""
    if isinstance(folder, Path):
        archive.add(folder, arcname=folder.name)
        return
    storage = storage_of(folder)
    # Manifests first: what they name stays for a while after it has been replaced.
    for name in sorted(storage.listing().files, key=lambda name: MANIFEST.fullmatch(name) is None):
        content = storage.read(name)
        about = tarfile.TarInfo(f"{folder.name}/{name}")
        about.size = len(content)
        archive.addfile(about, io.BytesIO(content))


def copy_run(source: Location, target: Location) -> None:
    """Bring the copy of a run up to the state of its original: files are added, first those that count once
    the manifests are there, then these.

    Raises `ResultsError` where a file of the copy is another one than the original's.
    """
    there, here = storage_of(source), storage_of(target)
    here.make()
    known = set(here.names())
    wanted = [name for name in sorted(there.listing().files) if name not in known]
    manifests = [name for name in wanted if MANIFEST.fullmatch(name)]
    data = [name for name in wanted if name.endswith(".parquet")]
    try:
        for name in data:
            here.write({name: there.read(name)})
        for name in [*manifests, *([NAME] if NAME in wanted else [])]:
            here.seal(name, there.read(name))
    except RunTakenOver as error:
        raise ResultsError(
            f"{target} holds another run under this name ({error}); name another place"
        ) from None
