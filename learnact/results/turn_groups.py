"""The table `turn_groups`: what the turns of test episodes come to, counted when parts are merged, so that
the views over them need not read ten million turns.

A part that was merged has it; of the others (as committed, or of earlier versions) the turns themselves are
read. The views see both as `stored.all_turn_groups`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from learnact.results.manifests import ResultsPart
from learnact.results.table_sql import table_query
from learnact.results.tables import TABLES, TURN_GROUPS

PartPath: TypeAlias = Callable[[ResultsPart, str], Path]
"""Where the file of a part's table is."""
NAME = TURN_GROUPS.name
MOST_TURNS = 2_000_000
"""A part with more turns that has no groups (a run of an earlier version) is not counted at a merge: that
would take much memory at once.
"""
_COUNTED = ("turns", "ok", "steps", "errors", "episodes", "solved")
_EXAMPLES = ("unsolved_example", "example")


def grouping(turns: str, episodes: str) -> str:
    """The query that counts groups from two tables, given as SQL."""
    text = (files("learnact.results") / "turn_groups.sql").read_text(encoding="utf-8")
    return text.format(turns=turns, episodes=episodes)


def has_groups(part: ResultsPart) -> bool:
    """Whether a part's turns are counted, or it has none."""
    return NAME in part.rows or "turns" not in part.rows


def merge_groups(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[ResultsPart], path: PartPath, target: Path
) -> int | None:
    """Write the groups of all parts together to `target`; returns how many there are. None, and no file,
    where that would take too much memory, or there is nothing to count.
    """
    if all("turns" not in part.rows for part in parts) or any(
        not has_groups(part) and part.rows["turns"] > MOST_TURNS for part in parts
    ):
        return None
    found = []
    for part in parts:
        if NAME in part.rows:
            found.append(pq.read_table(path(part, NAME), schema=TURN_GROUPS.schema))
        elif "turns" in part.rows and "episodes" in part.rows:
            found.append(_counted(connection, part, path))
    groups = pa.concat_tables(found) if found else TURN_GROUPS.schema.empty_table()
    summed = [name for name in TURN_GROUPS.schema.names if name not in (*_COUNTED, *_EXAMPLES)]
    totals = [(name, "sum") for name in _COUNTED] + [(name, "min") for name in _EXAMPLES]
    merged = groups.group_by(summed).aggregate(totals)
    renamed = {f"{name}_{how}": name for name, how in totals}
    merged = merged.rename_columns([renamed.get(name, name) for name in merged.schema.names])
    merged = merged.select(TURN_GROUPS.schema.names).cast(TURN_GROUPS.schema)
    merged = merged.sort_by([(name, "ascending") for name in TURN_GROUPS.order])
    pq.write_table(merged, target, compression="zstd")
    return int(merged.num_rows)


def _counted(connection: duckdb.DuckDBPyConnection, part: ResultsPart, path: PartPath) -> pa.Table:
    turns, episodes = (f"({table_query(TABLES[name], [path(part, name)])})" for name in ("turns", "episodes"))
    rows = connection.sql(grouping(turns, episodes)).to_arrow_table()
    return rows.select(TURN_GROUPS.schema.names).cast(TURN_GROUPS.schema)
