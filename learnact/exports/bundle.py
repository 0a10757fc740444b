"""A bundle: one file (zip) that holds a run with all that is published of it, and not where it was made.

    bundle.json                 what it is; a checksum of every other file
    README.md, job.yaml         for people: how to check it, and how to run it again
    requirements.txt, environment.json      the environment lock
    data/RUN/                   the run's Parquet files
    prompts/, libraries/        templates of prompts; every library, as code and as JSON
    sql/                        the shipped queries and views
    tables/, answers/           the published cells: tables, and what the queries answer

The file ends with a seal, the checksum of all its other bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from learnact import __version__
from learnact.errors import BadInput
from learnact.exports.environment import interpreter, requirements
from learnact.exports.published import answer, queries, table_parts
from learnact.library.files import library_json
from learnact.pages.settings import run_settings
from learnact.report.data import ReportData
from learnact.report.result_table import SIMULATED
from learnact.results.location import Location
from learnact.results.query import QuerySession
from learnact.results.reader import VIEWS, connect_folders, load_library, view_text
from learnact.results.redact import secrets
from learnact.results.redacted_copy import copy_redacted, hidden_text
from learnact.results.run_file import RunInfo
from learnact.results.storage.protocol import file_checksum

FORMAT = 1
MANIFEST = "bundle.json"
ENDING = ".bundle.zip"
SEAL = b"learnact seal blake2b "
SEAL_DIGITS = 64
STORED = (".parquet",)
"""Files that are compressed already."""
TIME = (1980, 1, 2, 0, 0, 0, 0, 0, -1)
"""Of every file in the archive: equal runs give equal bundles."""


@dataclass(frozen=True)
class Bundle:
    """What was packed. `hidden`: values by `table.column` that would have said where it was made."""

    path: Path
    size: int
    files: int
    seal: str
    cells: int
    hidden: Mapping[str, int]


def write_bundle(info: RunInfo, path: Path) -> Bundle:
    """Pack a run. Raises `ResultsError` for a damaged run, `BadInput` where the file cannot be written."""
    if path.exists():
        raise BadInput(f"--output {path}: there is such a file; name a new one")
    known = _known_here(info.folder)
    with tempfile.TemporaryDirectory(prefix="learnact-bundle-") as scratch:
        root = Path(scratch)
        data = root / "data" / info.folder.name
        copied = copy_redacted(info.folder, data, known)
        cells = _write_files(root, data)
        about = {
            "format": FORMAT,
            "version": __version__,
            "run": info.run,
            "name": info.name,
            "data": f"data/{info.folder.name}",
            "rows": dict(copied.rows),
            "cells": cells,
            "hidden": dict(copied.hidden),
            "files": {name: file_checksum(root / name) for name in _names(root)},
        }
        (root / MANIFEST).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        try:
            _pack(root, path)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise BadInput(f"--output {path}: cannot be written: {error.strerror}; name another") from None
        number = len(_names(root))
    return Bundle(path, path.stat().st_size, number, seal_of(path), cells, copied.hidden)


def _known_here(folder: Location) -> tuple[str, ...]:
    """What must stand nowhere: folders of this machine, and values of secret variables."""
    own = folder.resolve() if isinstance(folder, Path) else folder
    places = {str(Path.home()), os.getcwd(), str(own), str(own.parent)}
    return (*sorted(place for place in places if len(place) > 3), *secrets())


def _names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def _write_files(root: Path, data: Path) -> int:
    """Everything but the data; how many cells are published."""

    def write(name: str, text: str) -> None:
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    cells = 0
    for name, (tables, text) in table_parts(data).items():
        cells += sum(1 + sum(map(len, table["rows"])) for table in tables)  # 1: whether it is simulated
        write(f"tables/{name}.json", json.dumps(tables, indent=1) + "\n")
        write(f"tables/{name}.md", text)
    session = QuerySession(data.parent, data.name)
    for name, query in queries().items():
        write(f"sql/{name}.sql", query)
        rows = answer(session, query)
        if rows is not None:
            cells += sum(map(len, rows))
            write(f"answers/{name}.json", json.dumps(rows, indent=1) + "\n")
    for view in VIEWS:
        write(f"sql/views/{view}.sql", view_text(view))
    for name, text in _prompts(files("learnact.methods") / "prompts", "prompts"):
        write(name, text)
    with connect_folders([data]) as connection:
        ids = connection.execute("SELECT DISTINCT library FROM libraries ORDER BY library").fetchall()
        for (identity,) in ids:
            library = load_library(connection, identity)
            write(f"libraries/{identity}.json", json.dumps(library_json(library), indent=1) + "\n")
            write(f"libraries/{identity}.py", library.source + "\n")
        settings = run_settings(ReportData(connection))
    write("job.yaml", hidden_text("\n".join(one.job for one in settings)))
    locked = {**interpreter(), "recorded": [dict(one.versions) for one in settings]}
    write("environment.json", json.dumps(locked, indent=1, default=str) + "\n")
    write("requirements.txt", "\n".join(requirements()) + "\n")
    simulated = f"**{SIMULATED}**\n\n" if settings and _simulated(data) else ""
    write("README.md", README.format(name=settings[0].name if settings else "", simulated=simulated))
    return cells


def _simulated(data: Path) -> bool:
    with connect_folders([data]) as connection:
        found = connection.execute("SELECT coalesce(bool_or(simulated), false) FROM trials").fetchall()
    return bool(found[0][0])


def _prompts(folder: Traversable, place: str) -> list[tuple[str, str]]:
    found = []
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_dir():
            found += _prompts(item, f"{place}/{item.name}")
        elif item.name.endswith(".txt"):
            found.append((f"{place}/{item.name}", item.read_text(encoding="utf-8")))
    return found


README = """# {name}: results of a run of learnact

{simulated}Check it, without a network:

    pip install -r requirements.txt
    learnact verify THIS_FILE.bundle.zip

Every cell in `tables/` and `answers/` is then made again from `data/`, and what differs is named. The run's
tables can be asked in SQL: unpack the file and `learnact sql --results data`. `learnact run job.yaml` runs it
again. Hosts, paths, addresses and keys were left out when it was packed; `bundle.json` says how many.
"""


# The archive ------------------------------------------------------------------------------------------------


def _pack(root: Path, path: Path) -> None:
    """Write the archive, and seal it: its comment is the checksum of all other bytes."""
    stamp = time.mktime(TIME)
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:
        for name in _names(root):
            packing = zipfile.ZIP_STORED if name.endswith(STORED) else zipfile.ZIP_DEFLATED
            os.utime(root / name, (stamp, stamp))
            (root / name).chmod(0o644)
            archive.write(root / name, name, packing)
        archive.comment = SEAL + b"0" * SEAL_DIGITS
    with path.open("r+b") as file:
        digits = _digest(path)
        file.seek(-SEAL_DIGITS, os.SEEK_END)
        file.write(digits.encode())


def _digest(path: Path) -> str:
    """The checksum of a sealed file, its own digits left out."""
    size = path.stat().st_size - SEAL_DIGITS
    found = hashlib.blake2b(digest_size=SEAL_DIGITS // 2)
    with path.open("rb") as file:
        while size > 0 and (piece := file.read(min(size, 1 << 20))):
            found.update(piece)
            size -= len(piece)
    return found.hexdigest()


def seal_of(path: Path) -> str:
    """The seal of a bundle, as written; "" where there is none."""
    size = len(SEAL) + SEAL_DIGITS
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        if file.tell() < size:
            return ""
        file.seek(-size, os.SEEK_END)
        text = file.read()
    return text[len(SEAL) :].decode("ascii", "replace") if text.startswith(SEAL) else ""


def seal_holds(path: Path) -> bool:
    """Whether no byte of a bundle has changed since it was sealed."""
    return bool(seal_of(path)) and seal_of(path) == _digest(path)
