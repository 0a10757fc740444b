"""`learnact sql` and `learnact tidy` on a small run: what is printed, and what cannot be read or written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import learnact
from tests.results.test_tables import OLD


@pytest.fixture
def results(tmp_path: Path) -> Path:
    shutil.copytree(OLD, tmp_path / "results" / OLD.name)
    return tmp_path / "results"


def test_what_models_wrote_does_not_control_the_terminal(results: Path) -> None:
    query = "SELECT chr(27) || '[31mred' || chr(7) || chr(155) || chr(8238) || '[bold]' AS \"a\x1b[1m\""
    for form in ("table", "csv"):
        shown = learnact("sql", query, "--results", results, "--format", form)
        assert shown.code == 0, shown.err
        if form == "table":
            assert "\u241b[31mred\u2407<U+009B><U+202E>[bold]" in shown.out
            assert not set(shown.out) & set("\x1b\x07\x9b\u202e")
    failed = learnact("sql", "SELECT (chr(27) || '[31m')::INT", "--results", results)
    assert failed.code == 2
    assert "\x1b" not in failed.err


def test_a_wide_row_is_shown_vertically(results: Path) -> None:
    shown = learnact("sql", "SELECT * FROM episodes", "--results", results)
    assert shown.code == 0, shown.err
    assert shown.out.startswith("row 1")
    assert any(line.split()[:2] == ["method", "learnact"] for line in shown.out.splitlines())
    narrow = learnact("sql", "SELECT method, task FROM episodes", "--results", results)
    assert narrow.out.split()[:2] == ["method", "task"]


def test_only_the_first_rows_of_many_are_shown(results: Path) -> None:
    shown = learnact("sql", "SELECT range AS n FROM range(10_000_000_000)", "--results", results)
    assert "the first 200 rows" in shown.out


@pytest.mark.parametrize(
    "query", ["COPY (SELECT 1) TO 'x.csv'", "ATTACH 'x.db'", "INSTALL httpfs", "EXPORT DATABASE 'x'"]
)
def test_writing_is_refused_with_the_option_that_permits_it(results: Path, query: str) -> None:
    refused = learnact("sql", query, "--results", results)
    assert refused.code == 2
    assert "--write" in refused.err


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize("output", ["/dev/full", "{folder}", "{folder}/no/file", "/proc/x"])
def test_an_output_that_cannot_be_written_is_one_clear_error(results: Path, form: str, output: str) -> None:
    place = output.format(folder=results)
    query = "SELECT repeat('x', 10000) AS x FROM range(10)"
    failed = learnact("sql", query, "--results", results, "--format", form, "--output", place)
    assert failed.code == 2
    assert place in failed.err
    assert "Traceback" not in failed.err


def test_a_query_file_that_cannot_be_read_is_one_clear_error(results: Path, tmp_path: Path) -> None:
    (tmp_path / "binary.sql").write_bytes(b"\xff\xfe\x00")
    for place in (tmp_path / "binary.sql", tmp_path, tmp_path / "no.sql", "/dev/zero"):
        failed = learnact("sql", "--file", place, "--results", results)
        assert failed.code == 2
        assert str(place) in failed.err


def test_a_damaged_run_is_named_and_the_others_are_read(results: Path) -> None:
    broken = shutil.copytree(results / OLD.name, results / "broken-bbbbbbbbbbbb")
    (broken / "run.json").write_text("garbage")
    for arguments in (("sql", "SELECT 1 AS n"), ("tidy",)):
        done = learnact(*arguments, "--results", results)
        assert done.code == 0, done.err
    asked = learnact("sql", "SELECT 1", "--results", results, "--run", "broken-bbbbbbbbbbbb")
    assert asked.code == 2
    assert "restore it from a copy" in asked.err


def test_tidy_keeps_a_file_that_no_manifest_names(results: Path) -> None:
    """It may be the only copy of something: it is set aside and never deleted."""
    foreign = results / OLD.name / "episodes.0000009.parquet"
    foreign.write_bytes(b"x" * 2_000_000)
    done = learnact("tidy", "--results", results)
    assert done.code == 0, done.err
    assert "0 files removed" in done.out
    assert [p.stat().st_size for p in (results / OLD.name).rglob(foreign.name)] == [2_000_000]
    assert "0 files removed" in learnact("tidy", "--results", results, "--now").out
    assert learnact("tidy", "--results", results / "nowhere").code == 2
