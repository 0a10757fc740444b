"""Merging files a slice at a time: all rows once, in order, however they lie in the files."""

import random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.results import merging
from learnact.results.table_sql import read_parquet
from learnact.results.tables import TABLES

KEYS = st.text("0123456789abcdef", min_size=0, max_size=8)
PLACES = st.tuples(st.sampled_from(["t1", "t2", "t3"]), KEYS, st.integers(0, 20))


def written(folder, rows, cuts):
    """Rows of `turns` in so many files."""
    files = []
    for index in range(cuts):
        mine = rows[index::cuts]
        if mine:
            cells = [
                {"run": "r", "trial": t, "episode": k, "turn": n, "raw": f"{t}{k}{n}"} for t, k, n in mine
            ]
            files.append(folder / f"turns.{index:07d}.parquet")
            pq.write_table(pa.Table.from_pylist(cells, schema=TABLES["turns"].schema), files[-1])
    return files


def merged(files, target):
    with duckdb.connect() as connection:
        merging.merge_rows(connection, TABLES["turns"], read_parquet(files), files, target)
    return pq.read_table(target)


@settings(max_examples=30)
@given(st.sets(PLACES, min_size=1, max_size=60), st.integers(1, 4), st.integers(1, 9), st.randoms())
def test_every_row_is_there_once_and_in_order(tmp_path_factory, places, cuts, group, shuffler):
    folder = tmp_path_factory.mktemp("merging")
    rows = sorted(places)
    shuffler.shuffle(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "ROW_GROUP", group)
        patch.setattr(merging, "PREFIX", 2)
        table = merged(written(folder, rows, cuts), folder / "merged.parquet")
    found = [(row["trial"], row["episode"], row["turn"]) for row in table.to_pylist()]
    assert found == sorted(places)
    assert table["raw"].to_pylist() == [f"{t}{k}{n}" for t, k, n in found]


def test_long_rows_make_small_slices(tmp_path, monkeypatch):
    """What is in memory at a time is bounded in bytes, not only in rows."""
    monkeypatch.setattr(merging, "SLICE_BYTES", 200_000)
    noise = random.Random(1)
    rows = [
        {
            "run": "r",
            "trial": "t",
            "episode": noise.randbytes(12).hex(),
            "turn": 0,
            "raw": noise.randbytes(5000).hex(),
        }
        for _ in range(200)
    ]
    file = tmp_path / "turns.0000001.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=TABLES["turns"].schema), file)
    merged([file], tmp_path / "merged.parquet")
    about = pq.read_metadata(tmp_path / "merged.parquet")
    assert about.num_rows == 200
    assert max(about.row_group(index).total_byte_size for index in range(about.num_row_groups)) < 500_000


def test_of_a_key_the_last_row_stays_at_the_place_of_its_first(tmp_path):
    """So methods stay in the order in which a run began them, whichever ends first."""
    rows = [("t1", 1, "running"), ("t2", 2, "running"), ("t2", 3, "done"), ("t1", 4, "done")]
    files = []
    for index, some in enumerate((rows[:3], rows[3:])):
        cells = [{"run": "r", "trial": trial, "seq": seq, "status": status} for trial, seq, status in some]
        files.append(tmp_path / f"trials.{index:07d}.parquet")
        pq.write_table(pa.Table.from_pylist(cells, schema=TABLES["trials"].schema), files[-1])
    with duckdb.connect() as connection:
        target = tmp_path / "merged.parquet"
        assert merging.merge_rows(connection, TABLES["trials"], read_parquet(files), files, target) == 2
    found = [(row["trial"], row["seq"], row["status"]) for row in pq.read_table(target).to_pylist()]
    assert found == [("t1", 1, "done"), ("t2", 2, "done")]
