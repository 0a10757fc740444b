"""The folder that an export is written into, and the tables as CSV or as a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from learnact import __version__
from learnact.errors import BadInput
from learnact.report.result_table import SIMULATED
from learnact.results.query import QuerySession

TABLES = (
    "runs", "trials", "episodes", "turns", "libraries", "candidates", "requests", "calls", "attempts",
    "checks",
)  # fmt: skip
"""The views that are exported; `prompts` can be asked for in SQL, one unit at a time."""


def new_folder(folder: Path) -> Path:
    """The folder, made. Raises `BadInput` where it holds something, or cannot be made."""
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise BadInput(f"--output {folder}: there is something in this folder; name a new one")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--output {folder}: cannot be written: {error.strerror}; name another") from None
    return folder


def write_csv(session: QuerySession, folder: Path) -> list[Path]:
    """Each table as CSV; lists and structures as JSON in their cells."""
    written = []
    for table in TABLES:
        path = folder / f"{table}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            session.ask(f"SELECT * FROM {table}").write_csv(stream)
        written.append(path)
    return written


def write_dataset(session: QuerySession, folder: Path, names: Sequence[str]) -> list[Path]:
    """Each table as Parquet with a card: `datasets.load_dataset(FOLDER, "episodes")` reads it."""
    written = []
    for table in TABLES:
        path = folder / "data" / f"{table}.parquet"
        path.parent.mkdir(exist_ok=True)
        session.ask(f"SELECT * FROM {table}").write_parquet(path)
        written.append(path)
    ((simulated,),) = session.ask("SELECT coalesce(bool_or(simulated), false) FROM episodes")
    card = folder / "README.md"
    card.write_text(_card(names, simulated), encoding="utf-8")
    return [card, *written]


def _card(names: Sequence[str], simulated: bool) -> str:
    configs = [
        {"config_name": table, "data_files": f"data/{table}.parquet", "default": table == "episodes"}
        for table in TABLES
    ]
    head = yaml.safe_dump(
        {"pretty_name": f"learnact: {', '.join(names)}", "configs": configs}, sort_keys=False
    )
    mark = f"\n**{SIMULATED}**\n" if simulated else ""
    return (
        f"---\n{head}---\n\n# learnact: {', '.join(names)}\n{mark}\n"
        f"Tables of runs of learnact {__version__}, one configuration each. The column `simulated` marks "
        "episodes of simulated models.\n"
    )
