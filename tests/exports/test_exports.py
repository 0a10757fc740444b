"""A run in the forms of other tools, read back with these."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from learnact.results.reader import connect_folders
from tests.cli.conftest import learnact
from tests.report.conftest import folder  # noqa: F401 - a fixture


@pytest.fixture
def export(folder: Path, tmp_path: Path):  # noqa: F811 - the fixture
    def write(to: str) -> Path:
        done = learnact(
            "export", folder.name, "--to", to, "--output", tmp_path / to, "--results", folder.parent
        )
        assert done.code == 0, done.err
        assert learnact("export", folder.name, "--to", to, "--output", tmp_path / to).code == 2, "not empty"
        return tmp_path / to

    return write


def test_csv_has_every_row(export, folder: Path) -> None:  # noqa: F811
    csv.field_size_limit(1 << 24)
    place = export("csv")
    with connect_folders([folder]) as connection:
        for path in place.iterdir():
            with path.open(newline="") as stream:
                rows = list(csv.DictReader(stream))
            ((count,),) = connection.execute(f"SELECT count(*) FROM {path.stem}").fetchall()
            assert len(rows) == count, path.name
    assert (place / "turns.csv").stat().st_size > 1000


def test_a_dataset_has_a_card_that_names_its_files(export) -> None:
    place = export("hf")
    _, head, text = (place / "README.md").read_text().split("---\n", 2)
    configs = yaml.safe_load(head)["configs"]
    assert [one["config_name"] for one in configs if one["default"]] == ["episodes"]
    for one in configs:
        assert pq.read_metadata(place / one["data_files"]).num_columns > 1
    assert "Simulated models" in text


def test_inspect_reads_the_logs_and_its_data_frames(export, folder: Path) -> None:  # noqa: F811
    pytest.importorskip("inspect_ai", reason="inspect-ai is not installed: pip install 'learnact[inspect]'")
    from inspect_ai.log import list_eval_logs, read_eval_log

    place = export("inspect")
    logs = [read_eval_log(one, resolve_attachments=True) for one in list_eval_logs(str(place))]
    assert len(logs) == 4
    with connect_folders([folder]) as connection:
        for log in logs:
            method, domain = log.eval.task_args["method"], log.eval.dataset.name
            rows = connection.execute(
                "SELECT key, success, turns FROM episodes WHERE phase = 'test' AND method = ? AND domain = ?",
                [method, domain],
            ).fetchall()
            samples = {sample.uuid: sample for sample in log.samples or ()}
            assert samples.keys() == {key for key, _, _ in rows}
            assert log.eval.model == "simulated/sim-strong"
            scored = {metric.name: metric.metrics["mean"].value for metric in log.results.scores}
            assert scored["success"] == pytest.approx(sum(ok for _, ok, _ in rows) / len(rows))
            for key, success, turns in rows:
                sample = samples[key]
                assert sample.scores["success"].value == float(success)
                kinds = [event.event for event in sample.events]
                assert kinds.count("model") == turns
                assert {"model", "tool", "sandbox"} == set(kinds)
                assert len(sample.messages) == 1 + 2 * turns
        ((prompt,),) = connection.execute(
            'SELECT "user" FROM prompts WHERE unit = ? AND ordinal = 1', [logs[0].samples[0].uuid]
        ).fetchall()
    events = [event for event in logs[0].samples[0].events if event.event == "model"]
    assert events[1].input[1].text == prompt
    analysis = pytest.importorskip("inspect_ai.analysis")
    assert len(analysis.samples_df(str(place), quiet=True)) == 20
    assert len(analysis.messages_df(str(place), quiet=True)) == sum(
        len(sample.messages) for log in logs for sample in log.samples
    )
