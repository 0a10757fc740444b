"""Where runs are stored: one protocol (protocol.py), kept by local folders and by object stores."""

from __future__ import annotations

from pathlib import Path

from learnact.results.location import BucketLocation, Location
from learnact.results.storage.local import LocalStorage
from learnact.results.storage.protocol import Storage


def storage_of(location: Location) -> Storage:
    """The storage of a folder.

    Raises `MissingExtra` where a package for it is not installed, `ResultsError` where it cannot be reached.
    """
    if isinstance(location, BucketLocation):
        from learnact.results.storage.objects import ObjectStorage
        from learnact.results.storage.s3 import bucket_of

        return ObjectStorage(location, bucket_of(location.bucket))
    assert isinstance(location, Path)
    return LocalStorage(location)
