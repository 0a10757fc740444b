"""`learnact verify`: are results as they were written, and do a bundle's numbers follow from its data?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from learnact.cli.options import Results
from learnact.cli.output import say
from learnact.errors import BadInput, ResultsError
from learnact.records.text import printable
from learnact.results.location import Location
from learnact.results.manifests import live_parts
from learnact.results.manifests import verify as verify_files
from learnact.results.reader import find_run
from learnact.results.reader import runs as all_runs

if TYPE_CHECKING:
    from learnact.exports.published import CellProblem

DAMAGED = 1
SHOWN = 20
"""Cells that are named one by one."""


def verify(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN|BUNDLE]...",
            help="Runs by name, id or folder, or files that `learnact bundle` made; default: all runs.",
            show_default=False,
        ),
    ] = None,
    results: Results = Path("results"),
) -> None:
    """Compare every file of runs with its checksum; of a bundle, also make every published cell again.

    Exit code 0: all is as it was written; 1: a file is damaged, or a cell differs, and is named. Nothing is
    changed. A run is also compared before it is continued, and before its parts are merged. A bundle needs no
    results folder and no network; cells that cannot be made here are named with the reason.

    learnact verify

    learnact verify quickstart.bundle.zip
    """
    named = runs or []
    bundles = [Path(name) for name in named if Path(name).is_file()]
    whole = [_verify_bundle(path) for path in bundles]
    others = [name for name in named if not Path(name).is_file()]
    if others or not named:
        whole.append(_verify_runs(others, results))
    if not all(whole):
        raise typer.Exit(DAMAGED)


def _verify_runs(names: list[str], results: Location) -> bool:
    """Whether all files of runs are as they were written; says so."""
    infos = [find_run(results, name) for name in names] if names else all_runs(results)
    if not infos:
        raise BadInput(f"{results}: there is no run yet; `learnact run quickstart` makes one")
    whole = True
    for info in infos:
        try:
            found = verify_files(info.folder, live_parts(info.folder))
        except ResultsError as error:
            whole = False
            say(f"{info.folder.name}: damaged. {error}")
            continue
        older = f"; {found.without} of an earlier version have no checksum" if found.without else ""
        say(f"{info.folder.name}: {found.whole} files are as they were written{older}")
    return whole


def _verify_bundle(path: Path) -> bool:
    """Whether a bundle is as it was packed and its cells follow from its data; says so."""
    from learnact.exports.verification import verify_bundle

    found = verify_bundle(path)
    say(
        f"{path}: {printable(found.name)}, run {printable(found.run)}, seal {printable(found.seal) or 'none'}"
    )
    if not found.sealed:
        say("changed: its bytes are not those that were sealed")
    if found.damaged:
        say(f"damaged: {len(found.damaged)} of {found.files} files; no cell is made from the others")
        _name(found.damaged)
        return False
    say(f"{found.files} files are as they were packed")
    cells = found.equal + len(found.differing) + len(found.impossible)
    say(f"{cells:,} published cells: {found.equal:,} were made again and are equal")
    if found.differing:
        say(f"{len(found.differing):,} differ:")
        _name(found.differing)
    if found.impossible:
        say(f"{len(found.impossible):,} cannot be made here:")
        _name(found.impossible)
    return found.whole


def _name(problems: tuple[CellProblem, ...]) -> None:
    for one in problems[:SHOWN]:
        say(f"  {printable(one.cell)}: {printable(one.reason)}")
    if len(problems) > SHOWN:
        say(f"  and {len(problems) - SHOWN:,} more")
