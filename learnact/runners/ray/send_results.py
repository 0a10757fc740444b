"""Sends a run's folder through a job's log, and reads it from there again. `learnact fetch` starts this on
the cluster: `python -m learnact.runners.ray.send_results RESULTS JOB`.

A job's log is the one way back from a cluster of which only the job server can be reached. The folder is
packed as a tar (gzip), written as lines of base64, and closed by its SHA-256, so that a log that was cut is
told from a whole one.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from learnact.errors import HarnessFailure, ResultsError
from learnact.results.location import Location, location_of
from learnact.results.reader import connect, dictionaries, find_run
from learnact.results.storage import storage_of
from learnact.results.transfer import copy_run, pack
from learnact.runners.ray.inside_job import SUBMISSION

MARK = "learnact-results:"
MAX_BYTES = 1 << 30
"""Bytes of a packed run that are sent through a log."""
_CHUNK = 3 * 1024


def send(results: Location, job: str) -> Iterator[str]:
    """The lines that carry the folder of the run that a submitted job wrote.

    Raises `ResultsError` for a folder, a job or a size that cannot be sent.
    """
    folder = _written_by(job, results)
    with tempfile.TemporaryFile() as packed:
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
            pack(folder, archive)
        if (size := packed.tell()) > MAX_BYTES:
            raise ResultsError(
                f"{folder} has {size:,} bytes when packed, more than a log carries ({MAX_BYTES:,}): copy it "
                "from the cluster's disk with rsync or `kubectl cp`"
            )
        packed.seek(0)
        seal = hashlib.sha256()
        while chunk := packed.read(_CHUNK):
            seal.update(chunk)
            yield MARK + base64.b64encode(chunk).decode()
        yield f"{MARK}sha256={seal.hexdigest()}"


def _written_by(job: str, results: Location) -> Location:
    with connect(results) as connection:
        rows = dictionaries(
            connection, "SELECT DISTINCT run, versions FROM events WHERE versions IS NOT NULL"
        )
    runs = [row["run"] for row in rows if json.loads(row["versions"]).get(SUBMISSION) == job]
    if not runs:
        raise ResultsError(f"the job {job} has stored nothing in {results} yet")
    return find_run(results, runs[0]).folder


def receive(log: str, target: Location) -> Location:
    """Unpack below `target` what `send` wrote into a log; a run's folder that is there is replaced last.

    Raises:
        HarnessFailure: the log holds no folder, or not the whole of it.
    """
    lines = [line[len(MARK) :] for line in log.splitlines() if line.startswith(MARK)]
    packed = io.BytesIO()
    for line in lines[:-1]:
        packed.write(base64.b64decode(line))
    if not lines or lines[-1] != f"sha256={hashlib.sha256(packed.getbuffer()).hexdigest()}":
        said = [line for line in log.splitlines() if line.strip() and not line.startswith(MARK)]
        raise HarnessFailure(
            f"the run did not arrive whole: {said[-1] if said else 'the log is empty or cut'}"
        )
    packed.seek(0)
    storage_of(target).make()
    near = target if isinstance(target, Path) else None
    with tempfile.TemporaryDirectory(dir=near, prefix=".fetch-") as beside:
        with tarfile.open(fileobj=packed, mode="r:gz") as archive:
            archive.extractall(beside, filter="data")
        (folder,) = Path(beside).iterdir()
        place = target / folder.name
        if not isinstance(place, Path):
            copy_run(folder, place)
            return place
        if place.exists():
            place.rename(Path(beside) / ".before")
        shutil.move(folder, place)
    return place


def main() -> None:
    """Write the folder of a job's run, named by the command line, to standard output."""
    try:
        for line in send(location_of(sys.argv[1]), sys.argv[2]):
            sys.stdout.write(line + "\n")
    except ResultsError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
