"""Where results lie: a folder (`pathlib.Path`), or a place in a bucket of an object store (`s3://...`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from learnact.errors import ResultsError

S3 = "s3://"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")


class Location(Protocol):
    """A folder, wherever it lies. Paths are locations; what is in them: storage/."""

    @property
    def name(self) -> str:
        """The last part of the name."""
        ...

    @property
    def parent(self) -> Location:
        """The folder around it."""
        ...

    def is_absolute(self) -> bool:
        """Whether it means the same place wherever a program runs."""
        ...

    def __truediv__(self, name: str, /) -> Location:
        """What lies in it under a name."""
        ...


@dataclass(frozen=True, order=True)
class BucketLocation:
    """A place in a bucket: `key` is the beginning of the names of the objects there, without a `/` at its
    ends; empty for the whole bucket."""

    bucket: str
    key: str = ""

    @property
    def name(self) -> str:
        """The last part of the key, or the bucket."""
        return self.key.rpartition("/")[2] or self.bucket

    @property
    def parent(self) -> BucketLocation:
        """The place around it; the bucket's is the bucket itself."""
        return BucketLocation(self.bucket, self.key.rpartition("/")[0])

    def is_absolute(self) -> bool:
        """A bucket's name means the same everywhere."""
        return True

    def __truediv__(self, name: str, /) -> BucketLocation:
        return BucketLocation(self.bucket, "/".join(part for part in (self.key, name) if part))

    def __str__(self) -> str:
        return f"{S3}{self.bucket}/{self.key}".rstrip("/")


def location_of(text: str | Location) -> Location:
    """What a person named: a folder, or `s3://BUCKET/PREFIX`.

    Raises `ResultsError` for a URL of another kind, or one that is not well-formed; the message holds no
    credentials that a URL may carry.
    """
    if not isinstance(text, str):
        return text
    scheme = _SCHEME.match(text)
    if scheme is None:
        return Path(text)
    if scheme[1].lower() != "s3":
        raise ResultsError(
            f"results cannot be kept at {scheme[1]}://: give a folder, or s3://BUCKET/PREFIX for Amazon S3 "
            "and servers that speak its protocol (AWS_ENDPOINT_URL says where they are)"
        )
    bucket, _, key = text[len(S3) :].partition("/")
    parts = [part for part in key.split("/") if part]
    if not _BUCKET.fullmatch(bucket) or {".", ".."} & set(parts):
        raise ResultsError(
            "a place in a bucket is written s3://BUCKET/PREFIX, such as s3://my-bucket/results; credentials "
            "come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from AWS_PROFILE"
        )
    return BucketLocation(bucket, "/".join(parts))


def damaged(place: Location, reason: object) -> ResultsError:
    """The error for a file of a run that cannot be used, with the way out."""
    why = " ".join(str(reason).split())[:200]
    return ResultsError(
        f"{place} is damaged or missing ({why}); restore it from a copy, or move the folder {place.parent} "
        "away (the same job then starts anew)"
    )
