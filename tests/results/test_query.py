"""A query only reads; its answer streams; its CSV is text and nothing else to a spreadsheet."""

import contextlib
import csv
import io
import json
import shutil
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from learnact.errors import ResultsError
from learnact.results.query import QuerySession, shipped_queries, spreadsheet_cell, table_overview
from learnact.results.reader import connect_folders
from tests.results.test_tables import OLD


@pytest.fixture
def results(tmp_path):
    shutil.copytree(OLD, tmp_path / "results" / OLD.name)
    return tmp_path / "results"


@pytest.fixture
def session(results):
    return QuerySession(results)


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WRITING = [
    "COPY (SELECT 1) TO '{out}/copied.csv'",
    "COPY (SELECT 1 AS x) TO '{own}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPLAIN ANALYZE COPY (SELECT 1 AS x) TO '{own}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPLAIN /* c */ ANALYZE COPY (SELECT 1 AS x) TO '{own}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}/copied.csv'",
    "SELECT 1; COPY (SELECT 1) TO '{out}/copied.csv'; SELECT 2",
    "ATTACH '{out}/new.db'",
    "EXPORT DATABASE '{out}/export'",
    "IMPORT DATABASE '{out}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "CREATE TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW episodes AS SELECT 1",
    "DROP VIEW episodes",
    "SET threads = 1",
    "RESET lock_configuration",
    "PRAGMA profiling_output = '{out}/profile'",
    "PRAGMA enable_profiling",
    "CALL pragma_version()",
    "USE stored",
    "BEGIN",
    "PREPARE p AS COPY (SELECT 1) TO '{out}/copied.csv'",
    "SELECT * FROM read_text('{other}')",
    "SELECT * FROM read_csv('{other}')",
    "SELECT * FROM '{other}'",
    "SELECT * FROM glob('{out}/*')",
    "SELECT * FROM read_blob('/etc/hostname')",
    "SELECT * FROM 'https://example.invalid/x.parquet'",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "WITH x AS (INSERT INTO stored.blocks VALUES ('a', 'b', 'c') RETURNING *) SELECT * FROM x",
    "PIVOT (SELECT * FROM read_csv('{other}')) ON a USING first(b)",
    "VACUUM",
    "CHECKPOINT",
]


@pytest.mark.parametrize("query", WRITING)
def test_a_query_only_reads_the_runs(results, session, tmp_path, query):
    (tmp_path / "out").mkdir()
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    own = next((results / OLD.name).glob("episodes.*"))
    before = files(tmp_path)
    text = query.format(out=tmp_path / "out", other=tmp_path / "other.csv", own=own)
    with pytest.raises(ResultsError):
        list(session.ask(text))
    assert files(tmp_path) == before
    assert list(session.ask("SELECT count(*) FROM episodes")) == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "FROM episodes",
        "TABLE trials",
        "VALUES (1)",
        "DESCRIBE episodes",
        "SUMMARIZE turns",
        "SHOW TABLES",
        "EXPLAIN SELECT * FROM turns",
        "EXPLAIN ANALYZE SELECT * FROM turns",
        "-- a comment\nSELECT 1; SELECT 2;",
        "WITH x AS (SELECT 1 AS a) SELECT * FROM x",
        *(query.text for query in shipped_queries().values()),
    ],
)
def test_whatever_only_reads_is_answered(session, query):
    list(session.ask(query))


@pytest.mark.parametrize(
    "place", ["results", "./results", "../{name}/results", "link", "link/../results", ""]
)
def test_results_are_found_by_any_path(results, tmp_path, monkeypatch, place):
    (tmp_path / "link").symlink_to(results)
    monkeypatch.chdir(tmp_path if place else results)
    session = QuerySession(Path(place.format(name=tmp_path.name)))
    assert list(session.ask("SELECT count(*) FROM episodes")) == [(1,)]


def test_writing_is_permitted_on_request(results, tmp_path):
    session = QuerySession(results, write=True)
    list(session.ask(f"COPY (SELECT key FROM episodes) TO '{tmp_path}/keys.csv'"))
    assert (tmp_path / "keys.csv").read_text().startswith("key\n")


def test_a_refusal_says_what_permits_it(session):
    with pytest.raises(ResultsError, match=r"CREATE is refused.*--write"):
        session.ask("CREATE TABLE t AS SELECT 1")
    with pytest.raises(ResultsError, match="--write permits other files"):
        list(session.ask("SELECT * FROM '/etc/passwd.csv'"))
    with pytest.raises(ResultsError, match="lists the tables"):
        session.ask("SELEC")


@pytest.mark.parametrize(
    "query", ["\udcff", "SELECT '\udcff'", "SELECT 1\x00", ";", "--", "'", "SELECT '\x00'"]
)
def test_a_query_of_any_text_is_answered_or_refused(session, query):
    with contextlib.suppress(ResultsError):
        list(session.ask(query))


def test_tables_shown_are_the_documented_ones(session, results):
    from learnact.results.reader import VIEWS

    assert [name for (name,) in session.ask("SHOW TABLES")] == sorted(VIEWS)
    shown = {table.name: table for table in table_overview(results)}
    assert set(shown) == set(VIEWS)
    for name, table in shown.items():
        assert table.columns == session.ask(f"FROM {name}").columns
        if table.rows is not None:
            assert list(session.ask(f"SELECT count(*) FROM {name}")) == [(table.rows,)]


def test_an_answer_is_read_as_far_as_it_is_needed(session):
    rows, more = session.ask("SELECT range AS n FROM range(10_000_000_000_000)").first(3)
    assert (rows, more) == ([(0,), (1,), (2,)], True)
    assert session.ask("SELECT 1 AS n").first(1) == ([(1,)], False)


def test_an_answer_that_fails_on_the_way_is_one_clear_error(session):
    query = "SELECT CASE WHEN range = 9000 THEN error('no') ELSE 'x' END AS n FROM range(10_000)"
    with pytest.raises(ResultsError, match="no"):
        list(session.ask(query))


def test_forms_have_the_same_rows(session, tmp_path):
    query = (
        "SELECT range AS n, 'a' || range AS t, [range] AS l, NULL AS z, 'nan'::DOUBLE AS f FROM range(5001)"
    )
    out = io.StringIO()
    session.ask(query).write_json(out)
    rows = json.loads(out.getvalue())
    assert (len(rows), rows[-1]) == (5001, {"n": 5000, "t": "a5000", "l": [5000], "z": None, "f": None})
    out = io.StringIO()
    session.ask(query).write_csv(out)
    assert len(list(csv.DictReader(io.StringIO(out.getvalue())))) == 5001
    session.ask(query).write_parquet(tmp_path / "a.parquet")
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 5001
    session.ask(query).write_arrow(tmp_path / "a.arrow")
    with pa.ipc.open_file(tmp_path / "a.arrow") as file:
        kept = file.read_all().drop_columns("f")  # NaN equals nothing
        assert kept.equals(session.ask(query).table().drop_columns("f"))
    out = io.StringIO()
    session.ask("SELECT 1 AS n WHERE false").write_json(out)
    assert json.loads(out.getvalue()) == []


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-1.5", "-1.5"),
        ("+3e-2", "+3e-2"),
        ("move('a', 'b')", "move('a', 'b')"),
        (-1.5, "-1.5"),
        (["=1"], '["=1"]'),
        (None, "None"),
    ],
)
def test_no_cell_is_a_formula(value, kept):
    assert spreadsheet_cell(value) == kept


@pytest.mark.parametrize(
    "query",
    [
        "SELECT sum(seed) AS s FROM episodes",
        "SELECT INTERVAL 1 DAY AS i",
        "SELECT TIME '10:00' AS t",
        "SELECT 1.50::DECIMAL(4,2) AS d",
        "SELECT uuid() AS u",
        "SELECT '\\x00'::BLOB AS b",
        "SELECT map {'a': 1} AS m",
        "SELECT 1 AS a, 2 AS a",
    ],
)
def test_every_type_has_a_form(session, query):
    for write in ("write_csv", "write_json"):
        out = io.StringIO()
        getattr(session.ask(query), write)(out)
        assert out.getvalue()


def test_locked_settings_are_those_of_a_reading_session(session):
    with pytest.raises(duckdb.Error):
        session._connection.execute("SET enable_external_access = true")


def test_large_queries_spill_into_the_systems_folder():
    with connect_folders([]) as connection:
        (folder,) = connection.execute("SELECT current_setting('temp_directory')").fetchall()[0]
    assert Path(folder).is_relative_to(tempfile.gettempdir())
