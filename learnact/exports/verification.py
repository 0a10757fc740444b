"""`learnact verify BUNDLE`: is a bundle as it was packed, and do its published cells follow from its data?

Nothing in a bundle is trusted: names of files are checked, no more is unpacked than its manifest names, and
its queries only read.
"""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnact import __version__
from learnact.errors import ResultsError
from learnact.exports.bundle import FORMAT, MANIFEST, seal_holds, seal_of
from learnact.exports.published import CellProblem, recompute
from learnact.results.storage.protocol import checksum

NAME = re.compile(r"(?!/)(?:(?!\.\.?/)[A-Za-z0-9._@+-]+/)*(?!\.\.?$)[A-Za-z0-9._@+-]+")
MOST_MANIFEST = 64 * 1024 * 1024


@dataclass(frozen=True)
class BundleCheck:
    """What verifying found. `damaged`: files that are not as they were packed, with the reason."""

    name: str
    run: str
    seal: str
    made_with: str
    sealed: bool
    files: int
    damaged: tuple[CellProblem, ...]
    equal: int = 0
    differing: tuple[CellProblem, ...] = ()
    impossible: tuple[CellProblem, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether no byte has changed and no cell differs."""
        return self.sealed and not self.damaged and not self.differing


def verify_bundle(path: Path) -> BundleCheck:
    """Compare every file with its checksum, then make every published cell again.

    Where a file is damaged nothing is made from the others. Raises `ResultsError` for a file that is no
    bundle.
    """
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory(prefix="learnact-verify-") as root:
            return _verify(path, archive, Path(root))
    except (zipfile.BadZipFile, OSError, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ResultsError(
            f"{path}: it is no bundle, or is damaged ({' '.join(str(error).split())}); get it anew, or make "
            "one with `learnact bundle RUN`"
        ) from None


def _verify(path: Path, archive: zipfile.ZipFile, root: Path) -> BundleCheck:
    about, damaged = _manifest(path, archive), []
    inside = {one.filename for one in archive.infolist()}
    for name, expected in about["files"].items():
        reason = _unpack(archive, name, expected, root) if name in inside else "it is missing"
        if reason:
            damaged.append(CellProblem(name, reason))
    damaged += [CellProblem(name, "it was added") for name in sorted(inside - {MANIFEST, *about["files"]})]
    check = BundleCheck(
        name=str(about["name"]),
        run=str(about["run"]),
        seal=seal_of(path),
        made_with=str(about["version"]),
        sealed=seal_holds(path),
        files=len(about["files"]),
        damaged=tuple(damaged),
    )
    if damaged:
        return check
    tables = {
        p.stem: (_rows(p), p.with_suffix(".md").read_text(encoding="utf-8"))
        for p in sorted((root / "tables").glob("*.json"))
    }
    answers = {
        p.stem: ((root / "sql" / f"{p.stem}.sql").read_text(encoding="utf-8"), _rows(p))
        for p in sorted((root / "answers").glob("*.json"))
    }
    made = recompute(root / about["data"], tables, answers)
    differing = made.differing
    if differing and check.made_with != __version__:
        note = f"; made with learnact {check.made_with}, this is {__version__}"
        differing = tuple(CellProblem(one.cell, one.reason + note) for one in differing)
    return BundleCheck(
        **{**check.__dict__, "equal": made.equal, "differing": differing, "impossible": made.impossible}
    )


def _manifest(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        with archive.open(MANIFEST) as file:
            about = json.loads(file.read(MOST_MANIFEST))
        if about["format"] != FORMAT:
            raise ResultsError(
                f"{path}: a bundle of format {about['format']!r}; this version reads {FORMAT}: verify it "
                f"with learnact {about.get('version')}"
            )
        if not all(NAME.fullmatch(name) for name in (*about["files"], about["data"])):
            raise ValueError("a file's name leads out of it")
        names = ("name", "run", "version")
        if not all(isinstance(about[name], str) for name in names):
            raise TypeError("its manifest lacks what it must say")
    except ResultsError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise zipfile.BadZipFile(f"{MANIFEST}: {error}") from None
    found: dict[str, Any] = about
    return found


def _unpack(archive: zipfile.ZipFile, name: str, expected: object, root: Path) -> str:
    """Unpack a file; why it is not as it was packed, or ""."""
    try:
        content = archive.read(name)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        return f"it cannot be unpacked: {error}"
    if checksum(content) != expected:
        return "its content is not what was packed: the checksum differs"
    place = root / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return ""


def _rows(place: Path) -> Any:
    return json.loads(place.read_text(encoding="utf-8"))
