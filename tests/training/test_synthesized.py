"""Synthesized trajectories as training data: alone, and together with what real engines recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import learnact
from learnact.results.reader import Connection, connect, dictionaries
from learnact.synthesis.driver import synthesize
from learnact.training.formats import PREFERENCE, SFT, STEPWISE
from learnact.training.pairs import pairs_of
from learnact.training.records import TrainingRecord
from learnact.training.synthesized import synthesized_records
from tests.cli.conftest import Done
from tests.cli.conftest import learnact as command
from tests.training.test_export import JOB

WANTED = 5
MADE = {"name": "made", "trajectories": WANTED, "pattern_seconds": 3.0, "cluster": {"runner": "local"}}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("both")
    small = {"name": "gripper", "level": "easy", "train": 1, "test": 2, "balls": [2, 3]}
    assert learnact.run({**JOB, "domains": small}, results=folder).done
    assert synthesize(MADE, results=folder).done
    return folder


@pytest.fixture
def connection(results: Path) -> Iterator[Connection]:
    with connect(results) as found:
        yield found


@pytest.fixture
def rows(connection: Connection) -> list[dict[str, Any]]:
    return dictionaries(connection, "SELECT * FROM trajectories WHERE status = 'verified' ORDER BY example")


@pytest.fixture
def records(connection: Connection, rows: list[dict[str, Any]]) -> list[TrainingRecord]:
    made = synthesized_records(connection, [row["key"] for row in rows])
    return [made[row["key"]] for row in rows]


def export(results: Path, file: Path, *options: str, runs: tuple[str, ...] = ("made",)) -> Done:
    words = ["export", *runs, "--to", "sft", *options, "-o", file, "--results", results]
    return command(*words)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_record_holds_the_play_with_the_marked_replies_masked(
    rows: list[dict[str, Any]], records: list[TrainingRecord]
) -> None:
    assert len(records) == WANTED
    for row, record in zip(rows, records, strict=True):
        actions = [turn for turn in row["turns"] if turn["role"] == "Player"]
        answers = [turn for turn in row["turns"] if turn["role"] == "DM"]
        assert [turn.reply.partition("Action: ")[2] for turn in record.turns] == [t["text"] for t in actions]
        assert [turn.observation for turn in record.turns] == [t["text"] for t in answers[1:]]
        wrong = [t["parameter_error"] or t["place_error"] or t["logic_error"] for t in answers[1:]]
        assert [not turn.good for turn in record.turns] == wrong
        assert [m.weight for m in record.messages if m.role == "assistant"] == [int(not w) for w in wrong]
        assert record.refinements == row["refinements"] >= 2
        assert record.turns[-1].progress == record.reward == 1.0
        assert answers[0]["text"] in record.messages[1].content
        assert all(action["name"] in record.messages[1].content for action in row["actions"])
        for before, turn in zip(record.turns, record.turns[1:], strict=False):
            history = turn.prompt[1].content.removeprefix(before.prompt[1].content)
            assert history == f"{before.reply}\nObservation: {before.observation}\n"


def test_every_format_takes_it(records: list[TrainingRecord]) -> None:
    for name, project in {**SFT, **STEPWISE}.items():
        made = [row for record in records for row in project(record)]
        assert made, name
    pairs = list(pairs_of(records, ("repaired",)))
    assert len(pairs) == sum(record.refinements for record in records)
    assert [project(pair) for project in PREFERENCE.values() for pair in pairs]


def test_a_user_exports_it_as_agentrefine_publishes_it(results: Path, tmp_path: Path) -> None:
    told = export(results, tmp_path / "a.jsonl", "--format", "agentrefine", "--json")
    assert told.code == 0, told.err
    made = lines(tmp_path / "a.jsonl")
    assert len(made) == WANTED == told.json["rows"]
    assert {tuple(turn) for row in made for turn in row["conversations"]} == {("from", "value", "loss")}
    (count,) = told.json["counts"]
    lost = [t for row in made for t in row["conversations"] if t["from"] == "gpt" and not t["loss"]]
    assert sum(count["mistakes"].values()) == len(lost) > 0
    assert (count["source"], count["domain"], count["simulated"]) == ("synthesized", "synthesized", True)


def test_both_sources_are_exported_together_from_several_runs(results: Path, tmp_path: Path) -> None:
    file = tmp_path / "both.jsonl"
    told = export(results, file, *["--format", "neutral", "--refinements", "1", "--json"], runs=("t", "made"))
    assert told.code == 0, told.err
    made = lines(file)
    by_source = {one["source"]: one for one in told.json["counts"]}
    assert by_source.keys() == {"engine", "synthesized"}
    for source, count in by_source.items():
        own = [row for row in made if row["source"] == source]
        assert len(own) == count["records"] > 0
        errors = [error for row in own for error in row["errors"] if error]
        assert {kind: errors.count(kind) for kind in count["mistakes"]} == count["mistakes"]
        assert sum(m["weight"] for row in own for m in row["messages"]) == count["good"]
    assert told.json["left_out"] == 2, "test tasks do not leak"
    shown = export(results, tmp_path / "again.jsonl", runs=("made", "t", "t"))
    assert "synthesized  synthesized" in shown.out
    assert " records to " in shown.out


@pytest.mark.parametrize(
    ("where", "sources"),
    [
        ("source = 'engine'", {"engine"}),
        ("source = 'synthesized' AND refinements >= 2", {"synthesized"}),
        ("success", {"engine", "synthesized"}),
        ("persona IS NOT NULL", {"synthesized"}),
    ],
)
def test_where_selects_by_source(results: Path, tmp_path: Path, where: str, sources: set[str]) -> None:
    told = export(results, tmp_path / "w.jsonl", "--format", "neutral", "--where", where, runs=("t", "made"))
    assert told.code == 0, told.err
    assert {row["source"] for row in lines(tmp_path / "w.jsonl")} == sources


def test_other_exports_take_one_run(results: Path, tmp_path: Path) -> None:
    words = ["export", "t", "made", "--to", "csv", "-o", tmp_path / "csv", "--results", results]
    told = command(*words)
    assert (told.code, "one run" in told.err) == (2, True)
