"""Training data from a run: what each format holds, which episodes are taken, and that no test task leaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

import learnact
from learnact.errors import BadInput
from learnact.records import PrimitiveStep, Turn
from learnact.results.reader import Connection, connect_folders, dictionaries
from learnact.results.table_sql import table_query
from learnact.results.tables import TRAJECTORIES
from learnact.training.error_kinds import error_kind
from learnact.training.formats import SFT, llamafactory_pair
from learnact.training.pairs import PreferencePair, pairs_of
from learnact.training.records import TrainingMessage, TrainingRecord, record_of
from learnact.training.write import selected
from tests.cli.conftest import Done
from tests.cli.conftest import learnact as command
from tests.training.exported import JOB, ODD


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    assert learnact.run(JOB, results=folder).done
    return folder


@pytest.fixture
def connection(results: Path) -> Iterator[Connection]:
    (folder,) = (path for path in results.iterdir() if path.is_dir() and path.name.startswith("t-"))
    with connect_folders([folder]) as found:
        yield found


@pytest.fixture
def records(connection: Connection) -> list[TrainingRecord]:
    keys = dictionaries(connection, "SELECT key FROM episodes WHERE phase = 'learn' ORDER BY task, key")
    return [record_of(connection, row["key"]) for row in keys]


def export(results: Path, file: Path, *options: str) -> Done:
    """`learnact export t OPTIONS -o FILE`."""
    arguments = ["export", "t", *options, "-o", file, "--results", results]
    return command(*arguments)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_record_holds_what_was_sent_said_and_observed(
    connection: Connection, records: list[TrainingRecord]
) -> None:
    assert len(records) == 9
    record = records[0]
    sent = dictionaries(
        connection,
        f"SELECT system, user FROM prompts WHERE unit = '{record.episode}' ORDER BY ordinal",
    )
    assert [turn.prompt[0].content for turn in record.turns] == [row["system"] for row in sent]
    assert [turn.prompt[1].content for turn in record.turns] == [row["user"] for row in sent]
    rows = dictionaries(
        connection,
        f"SELECT ok, observation FROM turns WHERE episode = '{record.episode}' ORDER BY turn",
    )
    assert [turn.good for turn in record.turns] == [row["ok"] for row in rows]
    replies = [m for m in record.messages if m.role == "assistant"]
    assert [m.weight for m in replies] == [int(row["ok"]) for row in rows]
    assert {m.weight for m in record.messages if m.role != "assistant"} == {0}
    assert sum(not turn.good for one in records for turn in one.turns) > 0, "there are mistakes to learn from"


def test_every_format_keeps_the_mask_of_the_record(records: list[TrainingRecord]) -> None:
    for record in records:
        good = [turn.reply for turn in record.turns if turn.good]
        trained = {
            "neutral": [m["content"] for m in rows(record, "neutral", "messages") if m.get("weight")],
            "agentrefine": [m["value"] for m in rows(record, "agentrefine", "conversations") if m["loss"]],
            "openai": [m["content"] for m in rows(record, "openai", "messages") if m.get("weight")],
            "axolotl": [m["content"] for m in rows(record, "axolotl", "messages") if m["train"]],
            "tinker": [m["content"] for m in rows(record, "tinker", "messages") if m["trainable"]],
            "llamafactory-v1": [
                m["content"][0]["value"]
                for m in rows(record, "llamafactory-v1", "messages")
                if m["loss_weight"]
            ],
        }
        for name in ("trl", "verl", "llamafactory"):
            found = list(SFT[name](record))
            trained[name] = [(one.get("completion") or one["messages"])[-1]["content"] for one in found]
        assert trained == dict.fromkeys(SFT, good)


def rows(record: TrainingRecord, name: str, key: str) -> list[dict[str, Any]]:
    (row,) = SFT[name](record)
    assert len(row[key]) == len(record.messages)
    return list(row[key])


def test_formats_of_whole_conversations_lose_nothing(records: list[TrainingRecord]) -> None:
    """OpenAI's and AgentRefine's readers are not published: here their fields are read back."""
    odd = replace(records[0], turns=tuple(replace(t, reply=t.reply + ODD) for t in records[0].turns))
    roles = {"system": "system", "human": "user", "gpt": "assistant"}
    for record in [*records, odd]:
        wanted = [(m.role, m.content, m.weight) for m in record.messages]
        refine = json.loads(json.dumps(rows(record, "agentrefine", "conversations"), ensure_ascii=False))
        assert [set(m) for m in refine] == [{"from", "value", "loss"}] * len(wanted)
        assert [(roles[m["from"]], m["value"], int(m["loss"])) for m in refine] == wanted
        for name, mark in [("openai", "weight"), ("axolotl", "train"), ("tinker", "trainable")]:
            found = json.loads(json.dumps(rows(record, name, "messages"), ensure_ascii=False))
            assert [(m["role"], m["content"], int(m.get(mark, 0))) for m in found] == wanted
        for message in rows(record, "openai", "messages"):
            assert ("weight" in message) == (message["role"] == "assistant"), "OpenAI refuses it elsewhere"


def test_pairs_for_one_reply_begin_where_two_attempts_differ() -> None:
    def said(role: str, *texts: str) -> list[TrainingMessage]:
        return [TrainingMessage(role, text) for text in texts]  # type: ignore[arg-type]

    prompt = tuple(said("system", "rules") + said("user", "task"))
    shared = said("assistant", "look") + said("user", "a door")
    pair = PreferencePair(
        prompt=prompt,
        chosen=(*shared, *said("assistant", "open")),
        rejected=(*shared, *said("assistant", "wait"), *said("user", "dark")),
        source="episodes",
        domain="d",
        task="t",
        margin=1.0,
        episodes=("a", "b"),
    )
    (row,) = llamafactory_pair(pair)
    assert row["system"] == "rules"
    assert [m["value"] for m in row["conversations"]] == ["task", "look", "a door"]
    assert (row["chosen"]["value"], row["rejected"]["value"]) == ("open", "wait")
    other = replace(pair, rejected=(shared[0], *said("user", "a wall"), *said("assistant", "wait")))
    assert list(llamafactory_pair(other)) == []


def test_pairs_come_from_repeats_repairs_and_attempts(records: list[TrainingRecord]) -> None:
    by_episode = {record.episode: record for record in records}
    pairs = list(pairs_of(records, ("same_prompt", "repaired", "episodes")))
    assert {pair.source for pair in pairs} >= {"repaired"}
    for pair in pairs:
        assert pair.chosen != pair.rejected
        good, bad = (by_episode[key] for key in pair.episodes)
        if pair.source == "repaired":
            turn = next(
                t for t in good.turns if (t.prompt, t.reply) == (pair.prompt, pair.rejected[0].content)
            )
            assert not turn.good
        else:
            assert good.reward > bad.reward
            assert good.task_hash == bad.task_hash
    assert {p.source for p in pairs_of(records, ("repaired",))} == {"repaired"}
    contents = [(pair.prompt, pair.chosen, pair.rejected) for pair in pairs]
    assert len(set(contents)) == len(contents)


def test_a_user_exports_training_tasks_only(results: Path, tmp_path: Path) -> None:
    file = tmp_path / "sft.jsonl"
    told = export(results, file, "--to", "sft", "--format", "agentrefine")
    assert told.code == 0, told.err
    first, head, counts = told.out.splitlines()[:3]
    assert first == f"wrote 9 rows of 9 episodes to {file}; 2 episodes of test tasks were left out"
    assert dict(zip(head.split()[:3], counts.split()[:3], strict=True)) == {
        "source": "engine",
        "domain": "gripper",
        "records": "9",
    }
    assert set(lines(file)[0]) == {"id", "conversations"}
    again = export(results, file, "--to", "sft")
    assert "there is such a file already" in again.err
    parquet = tmp_path / "sft.parquet"
    told = export(results, parquet, "--to", "sft", "--format", "verl")
    assert told.code == 0, told.err
    assert parquet.read_bytes()[:4] == b"PAR1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sft.jsonl", "sft.parquet"]
    everything = tmp_path / "all.jsonl"
    export(results, everything, "--to", "stepwise", "--include-test")
    assert len(lines(everything)) == 11
    refined = tmp_path / "refined.jsonl"
    told = export(results, refined, *["--to", "sft", "--format", "neutral", "--refinements", "2"])
    assert told.code == 0, told.err
    for row in lines(refined):
        wrong = [bool(kind) for kind in row["errors"]]
        assert sum(a and not b for a, b in pairwise(wrong)) >= 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "sft", "--format", "trll"], "did you mean 'trl'"),
        (["--to", "preference", "--format", "axolotl"], "preference has no such format"),
        (["--to", "preference", "--pairs", "repaird"], "did you mean 'repaired'"),
        (["--to", "sft", "--where", "succes"], "it is a condition on the columns of the view"),
        (["--to", "sft", "--where", "phase = 'test'"], "2 of test tasks are left out"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    arguments: list[str], message: str, results: Path, tmp_path: Path
) -> None:
    told = export(results, tmp_path / "x.jsonl", *arguments)
    assert told.code == 2
    assert message in told.err
    assert list(tmp_path.iterdir()) == []


def test_a_training_task_that_is_tested_too_is_refused_with_the_count() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            """CREATE TABLE episodes AS SELECT * FROM (VALUES
            ('learn', 'm', 'one', 'k1', 'act', 'a', 0, 0), ('learn', 'm', 'two', 'k2', 'act', 'b', 0, 0),
            ('test', 'm', 'one', 'k3', 'act', 'a', 0, 0))
            AS t(phase, model, task_hash, key, method, task, learn_repeat, test_repeat)"""
        )
        connection.execute(f"CREATE TABLE trajectories AS {table_query(TRAJECTORIES, ())}")
        with pytest.raises(BadInput, match="1 of the selected training episodes play tasks that are test"):
            selected(connection, "", include_test=False)
        assert selected(connection, "task_hash = 'two'", include_test=False).keys == ("k2",)
        assert selected(connection, "", include_test=True).keys == ("k1", "k3", "k2")


@pytest.mark.slow
def test_episodes_with_tool_calls_are_refused_with_their_number(tmp_path: Path) -> None:
    """Their prompts are lists of messages with calls, which no format holds."""
    domains = {"name": "gripper", "level": "easy", "train": 1, "test": 1}
    job = {**JOB, "domains": domains, "rules": {"action_format": ["call", "tools"], "show_turns": False}}
    assert learnact.run({**job, "methods": ["act"]}, results=tmp_path / "results").done
    arguments = ["--to", "sft", "--include-test"]
    told = export(tmp_path / "results", tmp_path / "all.jsonl", *arguments)
    assert (told.code, "1 of the selected episodes were played with tool calls" in told.err) == (2, True)
    spared = "key NOT IN (SELECT unit FROM calls WHERE tools IS NOT NULL)"
    told = export(tmp_path / "results", tmp_path / "calls.jsonl", *arguments, "--where", spared)
    assert told.code == 0, told.err
    assert len(lines(tmp_path / "calls.jsonl")) > 0


@pytest.mark.parametrize(
    ("observation", "kind"),
    [
        ("No effect: pick('ball1', 'rooma', 'left') requires: you are in rooma.", "place"),
        ("No effect: pick('ball1', 'rooma', 'left') requires: left is free.", "logic"),
        ("No effect: there is no ball9.", "parameter"),
        ("No effect: pick takes 3 arguments (obj, place, hand), not 2.", "parameter"),
        ("Nothing happens. You are not at drawer 1.", "place"),
        ("Nothing happens. The drawer 1 is closed.", "logic"),
        ("Nothing happens. There is no mug 1 in/on the desk 2.", "place"),
        ("Nothing happens. You do not see mug 1 here.", "place"),
        ("Nothing happens. There is no place desk 99 in this house.", "parameter"),
        ("Nothing happens. There is no switch on the mug 1.", "logic"),
        ("Nothing happens. You are already carrying mug 1.", "logic"),
        ("Nothing happens. You are already at desk 2.", "logic"),
        ("Nothing happens. A mug cannot be put in/on a lamp.", "logic"),
        ("Nothing happens. take takes obj, recep.", "parameter"),
        ("Nothing happens. There is nothing called mug1.", "parameter"),
        ("No effect: there is no exit to the north.", "place"),
        ("No effect: there is no ball9. Now: you are in rooma.", "parameter"),
    ],
)
def test_mistakes_are_told_apart_by_the_engines_answer(observation: str, kind: str) -> None:
    steps = (PrimitiveStep("a()", True, "Now: fine."), PrimitiveStep("b()", False, observation))
    acted = Turn(
        index=0,
        kind="action",
        raw="",
        said="",
        call="",
        callee="",
        learned=True,
        ok=False,
        observation=observation,
        progress=0.0,
        steps=steps,
    )
    assert error_kind(acted) == kind
    assert error_kind(replace(acted, kind="unreadable")) == "format"
