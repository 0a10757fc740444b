"""Writes the figures of docs/ablations.md, docs/levels.md and docs/performance.md into their marked blocks:
`make docs-figures`.

A block stands between `<!-- figures: NAME -->` and `<!-- end of figures -->`. The runs are small versions
of shipped jobs with the simulated model, in a temporary folder (about twenty minutes on two idle cores). The
block `bench` is what `make bench` left in .benchmarks/latest.json; without that file it stays as it is.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import learnact
from learnact.job import load
from learnact.report.data import ReportData
from learnact.report.paper import TABLES
from learnact.report.result_table import to_markdown
from learnact.results.reader import connect_folders
from tests import level_figures
from tests.benchmarks.__main__ import OUTPUT, target_text
from tests.domains.alfworld.conftest import INSTALLED, published_games
from tests.marked_blocks import BLOCK

ROOT = Path(__file__).parent.parent
DOMAINS = "domains=[{name: gripper, level: easy, test: 10}, {name: blockworld, level: easy, test: 6}]"
SMALL = ("cluster.runner=local", DOMAINS)
"""What makes a paper job small."""


class Runs:
    """The runs behind the figures, each made when it is first asked for."""

    def __init__(self, results: Path) -> None:
        self._results = results
        self._folders: dict[str, Path] = {}
        self.rows: list[str] = []
        """A row of the table of runs for each."""

    def folder(self, job: str, *settings: str) -> Path:
        """The folder of a finished run of a shipped job."""
        if job not in self._folders:
            began = time.perf_counter()
            summary = learnact.run(load(ROOT / "jobs" / f"{job}.yaml", settings), results=self._results)
            seconds, counters = time.perf_counter() - began, summary.counters
            cells = (len(summary.trials), counters.episodes, counters.requests, counters.calls)
            command = " ".join([f"learnact run {Path(job).name}", *(f"--set '{one}'" for one in settings)])
            numbers = " | ".join(f"{cell:,}" for cell in cells)
            self.rows.append(f"| `{command}` | {numbers} | {seconds:.0f} |")
            self._folders[job] = summary.folder
        return self._folders[job]

    def tables(self, job: str, table: str, *numbers: int) -> str:
        """Tables of a small paper job, in Markdown."""
        with connect_folders([self.folder(job, *SMALL)]) as connection:
            found = TABLES[table](ReportData(connection))
        return "\n".join(to_markdown(found[number]) for number in numbers)


def run_table(runs: Runs) -> str:
    """Size and time of whole runs."""
    runs.folder("quickstart", "cluster.runner=local")
    for job in ("paper/table6", "paper/table7"):
        runs.folder(job, *SMALL)
    head = "| run | trials | episodes | requests | model calls | seconds |\n|---|---:|---:|---:|---:|---:|\n"
    return head + "\n".join(runs.rows) + "\n"


def bench_table() -> str | None:
    """The last results of `make bench`; None where there are none."""
    if not (ROOT / OUTPUT).exists():
        return None
    rows = json.loads((ROOT / OUTPUT).read_text())["rows"]
    lines = [
        f"| {row['part']} | {row['name']} | {row['value']:.4g} | {target_text(row.get('target'))} | "
        f"{row['unit']} |"
        for row in rows
    ]
    return "\n".join(["| part | what | measured | target | unit |", "|---|---|---|---|---|", *lines]) + "\n"


def household_table() -> str | None:
    """Generated houses beside the published ones; None without the extra or the published games."""
    paths = published_games()
    return level_figures.household_table(paths) if INSTALLED and paths else None


def blocks(runs: Runs) -> dict[str, Callable[[], str | None]]:
    """The text of each block."""
    return {
        "table6": lambda: runs.tables("paper/table6", "6", 0),
        "table7": lambda: runs.tables("paper/table7", "7", 0),
        "causes-libraries": lambda: runs.tables("paper/table7", "causes", 0),
        "causes-turns": lambda: runs.tables("paper/table7", "causes", 1),
        "causes-items": lambda: runs.tables("paper/table7", "causes", 2),
        "runs": lambda: run_table(runs),
        "bench": bench_table,
        "coverage": lambda: None,  # `make coverage-simulation`
        "racing": lambda: None,  # `python -m tests.racing_simulation --write`
        "scaling": lambda: None,  # `python -m tests.scaling_figures --write`
        "rates": lambda: None,  # takes many minutes: `python -m tests.benchmarks.bench_rates --write`
        "small-model": lambda: None,  # takes many minutes: `python -m tests.small_model_figures`
        "levels-planning": level_figures.planning_table,
        "levels-alfworld": household_table,
        "levels-families": level_figures.families_table,
    }


def fill(text: str, known: dict[str, Callable[[], str | None]]) -> str:
    """A document with its blocks written anew. Raises KeyError for a block that nothing fills."""

    def written(found: re.Match[str]) -> str:
        content = known[found[2]]()
        return found[0] if content is None else f"{found[1]}{wrapped(content)}\n{found[3]}"

    return BLOCK.sub(written, text)


def wrapped(text: str) -> str:
    """The text with its notes in lines of at most 110 columns; rows of tables stay."""
    lines = text.rstrip().split("\n")
    return "\n".join(line if line.startswith("|") else textwrap.fill(line, 110) for line in lines)


def main(documents: list[str]) -> None:
    """Fill the blocks of these documents, or of all in docs/ that have some."""
    paths = [Path(name) for name in documents] or sorted((ROOT / "docs").glob("*.md"))
    with tempfile.TemporaryDirectory() as folder:
        known = blocks(Runs(Path(folder)))
        for path in paths:
            text = path.read_text(encoding="utf-8")
            if BLOCK.search(text):
                path.write_text(fill(text, known), encoding="utf-8")
                print(f"wrote {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
