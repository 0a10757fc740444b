"""What is exported, read by the trainers themselves, each in an environment of its own: nothing is lost, and
the tokens that are trained on are those of the record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.exported import export_all
from tests.training.reader_venv import checks, script

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    export_all(folder)
    return folder


@pytest.mark.parametrize("name", ["trl", "llamafactory", "axolotl", "tinker", "verl"])
def test_a_trainer_reads_what_was_exported(name: str, exports: Path) -> None:
    checks(name, f"check_{name}.py", LEARNACT_EXPORTS=exports)


def test_a_tiny_model_is_trained_on_exported_data_and_in_a_domain(exports: Path) -> None:
    data = ["--sft", exports / "sft-trl.jsonl", "--pairs", exports / "preference-trl.jsonl"]
    said = script("trl", "examples/training/tiny_trl.py", *data, "--steps", 2)
    parts = {
        part["part"]: part
        for line in said.splitlines()
        if line.startswith("{") and '"part"' in line
        for part in [json.loads(line)]
    }
    assert list(parts) == ["sft", "dpo", "shown", "grpo"]
    assert parts["dpo"]["loss"][0] == pytest.approx(0.6931, abs=1e-3), "the models begin alike"
    assert parts["grpo"]["steps"] == 2
    assert max(parts["grpo"]["tools/call_frequency"]) > 0, "the model acted in the domain"
    assert all(0 <= reward <= 1 for reward in parts["grpo"]["reward"])
