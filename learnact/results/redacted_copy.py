"""A copy of a run that does not say where it was made: no hosts, no paths, no addresses, no keys.

Columns that name a place are emptied. In texts of ours (settings, reasons, errors) hosts, addresses and
absolute paths are hidden; in texts of models and environments only what is known of this machine (its home
and working folders, values of secret variables) and what looks like a key, since anything else would change
what was played. Rows that later ones of the same run stand for are left out, as the views do.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from learnact.errors import ResultsError
from learnact.results.location import Location
from learnact.results.manifests import ResultsPart
from learnact.results.parts import manifest_bytes, manifest_name
from learnact.results.reader import connect_folders
from learnact.results.redact import HIDDEN
from learnact.results.run_file import NAME
from learnact.results.storage import storage_of
from learnact.results.storage.protocol import file_checksum
from learnact.results.table_sql import rows_that_count
from learnact.results.tables import TABLES, TURN_GROUPS, TableSchema

PLACES = ("host", "node", "pid")
"""Columns that say where something ran."""
OURS = {
    "events": ("job", "resolved", "versions"),
    "trials": ("reason", "options", "more"),
    "checks": ("facts",),
    "attempts": ("error",),
    "episodes": ("domain_options", "sandbox"),
    "calls": ("parameters",),
}
"""Columns whose texts are ours, not a model's or an environment's."""
SHORTEST_HOST = 3
BATCH = 2_000
_SEGMENT = r"[A-Za-z0-9._~+@%-]+"
_KEYS = r"\b(?:sk|pk|rk|hf|gsk|xai)[-_][A-Za-z0-9_-]{16,}|(?i:bearer)\s+[A-Za-z0-9._~+/-]{8,}=*"
_ADDRESS = r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s\"'\\]+"
_PATH = rf"(?P<before>^|[\s\"'(=\[{{,:])~?(?:/{_SEGMENT})+/(?P<name>{_SEGMENT})"
"""RE2, as Arrow has it: no look-around."""


@dataclass(frozen=True)
class RedactedCopy:
    """What was copied: rows by table; values hidden by `table.column`."""

    rows: Mapping[str, int]
    hidden: Mapping[str, int]


def copy_redacted(source: Location, target: Path, known: Sequence[str]) -> RedactedCopy:
    """Copy a run's folder into a new one, as one part. `known`: texts that must stand nowhere (folders of
    this machine, values of secret variables). Raises `ResultsError` where the run is damaged.
    """
    target.mkdir(parents=True)
    everywhere = "|".join([*map(_literal, sorted(set(known), key=len, reverse=True)), _KEYS])
    rows: dict[str, int] = {}
    sums: dict[str, str] = {}
    hidden: Counter[str] = Counter()
    part = ResultsPart(1, 1, rows, sums=sums)
    with connect_folders([source]) as connection:
        hosts = _hosts(connection)
        about = _run_file(source, everywhere, hosts)
        for name, table in TABLES.items():
            if (
                table is TURN_GROUPS
            ):  # made from turns of merged parts only: the copy's turns are read instead
                continue
            place = target / part.file(name)
            count = _copy(connection, table, place, everywhere, hosts, hidden)
            if count:
                rows[name], sums[name] = count, file_checksum(place)
            else:
                place.unlink()
    (target / NAME).write_text(about, encoding="utf-8")
    (target / manifest_name(part.number)).write_bytes(manifest_bytes(part))
    return RedactedCopy(rows, dict(hidden))


def hidden_text(text: str, known: Sequence[str] = (), hosts: Sequence[str] = ()) -> str:
    """A text of ours without hosts, addresses, absolute paths, keys, and what is known of this machine."""
    everywhere = "|".join([*map(_literal, sorted(set(known), key=len, reverse=True)), _KEYS])
    found: str = _hidden(pa.array([text]), everywhere, tuple(hosts), True)[0].as_py()
    return found


def _hosts(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    found = connection.execute(
        "SELECT DISTINCT host FROM stored.events UNION SELECT DISTINCT node FROM stored.episodes "
        "UNION SELECT DISTINCT node FROM stored.requests UNION SELECT DISTINCT node FROM stored.attempts"
    ).fetchall()
    names = {name for (name,) in found if name and len(name) >= SHORTEST_HOST and name != "localhost"}
    return tuple(sorted(names | {name.partition(".")[0] for name in names}, key=len, reverse=True))


def _run_file(source: Location, everywhere: str, hosts: Sequence[str]) -> str:
    text = json.dumps(json.loads(storage_of(source).read(NAME)), indent=1)
    found: str = _hidden(pa.array([text]), everywhere, tuple(hosts), True)[0].as_py()
    return found


def _copy(
    connection: duckdb.DuckDBPyConnection,
    table: TableSchema,
    target: Path,
    everywhere: str,
    hosts: tuple[str, ...],
    hidden: Counter[str],
) -> int:
    """Write the rows of a table; how many there are."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    order = ", ".join(table.order)
    source = f"stored.{table.name}"
    count = 0
    try:
        query = f"SELECT {columns} FROM ({rows_that_count(table, source)}) ORDER BY {order}"
        reader = connection.sql(query).to_arrow_reader(BATCH)
        with pq.ParquetWriter(target, table.schema, compression="zstd") as writer:
            for batch in reader:
                arrays = []
                for column in table.columns:
                    array = batch.column(column.name).cast(column.type)
                    if column.name in PLACES:
                        changed = _emptied(array)
                    else:
                        ours = column.name in OURS.get(table.name, ())
                        changed = _hidden(array, everywhere, hosts if ours else (), ours)
                    if not array.equals(changed):
                        both = zip(array.to_pylist(), changed.to_pylist(), strict=True)
                        hidden[f"{table.name}.{column.name}"] += sum(a != b for a, b in both)
                    arrays.append(changed)
                writer.write_table(pa.Table.from_arrays(arrays, schema=table.schema))
                count += batch.num_rows
    except (duckdb.Error, pa.ArrowException) as error:
        raise ResultsError(f"the run cannot be copied: {' '.join(str(error).split())}") from None
    return count


def _emptied(array: pa.Array) -> pa.Array:
    kind = array.type
    return pa.array([""] * len(array), kind) if pa.types.is_string(kind) else pa.nulls(len(array), kind)


def _hidden(array: pa.Array, everywhere: str, hosts: tuple[str, ...], ours: bool) -> pa.Array:
    """The array with what is to be hidden replaced, inside lists and structures too."""
    kind = array.type
    inside = partial(_hidden, everywhere=everywhere, hosts=hosts, ours=ours)
    if pa.types.is_list(kind):
        whole = pa.concat_arrays([array])
        mask = whole.is_null() if whole.null_count else None
        return pa.ListArray.from_arrays(whole.offsets, inside(whole.values), type=kind, mask=mask)
    if pa.types.is_struct(kind):
        whole = pa.concat_arrays([array])
        mask = whole.is_null() if whole.null_count else None
        fields = [kind.field(place) for place in range(kind.num_fields)]
        return pa.StructArray.from_arrays(
            [inside(whole.field(place)) for place in range(kind.num_fields)], fields=fields, mask=mask
        )
    if not pa.types.is_string(kind):
        return array
    array = pc.replace_substring_regex(array, everywhere, HIDDEN)
    if not ours:
        return array
    array = pc.replace_substring_regex(array, _ADDRESS, r"\1" + HIDDEN)
    array = pc.replace_substring_regex(array, _PATH, rf"\1{HIDDEN}/\2")
    if hosts:
        array = pc.replace_substring_regex(array, r"\b(?:" + "|".join(map(_literal, hosts)) + r")\b", HIDDEN)
    return array


def _literal(text: str) -> str:
    """A text as a pattern of RE2."""
    return re.sub(r"([^A-Za-z0-9_])", r"\\\1", text)
