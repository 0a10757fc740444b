"""`run.json`: what a run's folder says of itself. Written once, when the run starts."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from learnact.errors import ResultsError, StoreUnavailable
from learnact.results.location import Location, damaged
from learnact.results.storage import storage_of
from learnact.results.tables import READABLE_VERSIONS, SCHEMA_VERSION

NAME = "run.json"
ID_CHARS = 12
NAME_CHARS = 80


@dataclass(frozen=True)
class RunInfo:
    """A run on file. `created` in seconds since 1970."""

    run: str
    name: str
    folder: Location
    created: float


def run_folder(results: Location, run: str, name: str) -> Location:
    """Where a run lies: the job's name for people, the beginning of the run's id for uniqueness."""
    shown = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:NAME_CHARS].strip("-.") or "run"
    return results / f"{shown}-{run[:ID_CHARS]}"


def check_version(version: object, place: Location) -> None:
    """Refuse data of a schema that this version does not read."""
    if version not in READABLE_VERSIONS:
        raise ResultsError(
            f"{place} holds data of schema version {version!r}; this learnact reads "
            f"{', '.join(map(str, sorted(READABLE_VERSIONS)))}: read it with the version that wrote it "
            "(named in its run.json), or choose another --results folder"
        )


def read_run_file(folder: Location) -> RunInfo:
    """What `run.json` of a folder says. Raises `ResultsError` where it cannot be used."""
    try:
        content: bytes | OSError = storage_of(folder).read(NAME)
    except StoreUnavailable:
        raise
    except OSError as error:
        content = error
    return parse_run_file(folder, content)


def parse_run_file(folder: Location, content: bytes | OSError) -> RunInfo:
    """What the `run.json` of a folder says, given what reading it gave."""
    place = folder / NAME
    try:
        if isinstance(content, OSError):
            raise content
        data = json.loads(content)
        check_version(data.get("schema_version"), place)
        if not isinstance(data["run"], str) or not isinstance(data["name"], str):
            raise TypeError("run and name must be text")
        return RunInfo(data["run"], data["name"], folder, float(data["created"]))
    except ResultsError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(place, error) from error


def write_run_file(folder: Location, run: str, name: str, versions: Mapping[str, str]) -> None:
    """Say which run the folder holds, durably."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "run": run,
        "name": name,
        "created": time.time(),
        "versions": dict(versions),
    }
    storage_of(folder).seal(NAME, json.dumps(content, indent=1).encode())
