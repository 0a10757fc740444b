"""LLaMA-Factory reads what was exported, with both of its engines; and TRL 0.24, which it brings, labels of
steps.

Its module of data imports torchaudio, which need not fit the build of torch that is here. Nothing here hears
sounds, so an empty module stands for it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset

import tests.training.reading.without_sound  # noqa: F401  before what imports torchaudio

# isort: split

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.v1.core.data_engine import DataEngine
from llamafactory.v1.core.utils.rendering import Renderer
from transformers import LlamaConfig, LlamaForTokenClassification
from trl import PRMConfig, PRMTrainer

from tests.training.reading.tiny import EXPORTS, chatml, config, good_turns, records, rows, tokenizer, trained

CHAT = {
    "formatting": "sharegpt",
    "columns": {"messages": "messages"},
    "tags": {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "system_tag": "system",
    },
}
REFINE = {
    "formatting": "sharegpt",
    "columns": {"messages": "conversations"},
    "tags": {
        "role_tag": "from",
        "content_tag": "value",
        "user_tag": "human",
        "assistant_tag": "gpt",
        "system_tag": "system",
    },
}
RANKED = {
    "formatting": "sharegpt",
    "ranking": True,
    "columns": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "system": "system"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("model")
    tokenizer(made)
    return made


def processed(folder: Path, tmp_path: Path, form: dict[str, Any], name: str, stage: str) -> tuple[Any, Any]:
    """The tokenizer, and the dataset as the trainer gets it."""
    (tmp_path / "dataset_info.json").write_text(json.dumps({"it": {"file_name": f"{name}.jsonl", **form}}))
    (tmp_path / f"{name}.jsonl").write_bytes((EXPORTS / f"{name}.jsonl").read_bytes())
    given = {
        "stage": stage,
        "do_train": True,
        "model_name_or_path": str(folder),
        "dataset": "it",
        "dataset_dir": str(tmp_path),
        "template": "chatml",
        "cutoff_len": 8192,
        "output_dir": str(tmp_path / "out"),
        "use_cpu": True,
        "report_to": "none",
        "finetuning_type": "full",
    } | ({"pref_loss": "sigmoid"} if stage == "dpo" else {})
    model_args, data_args, training_args, _, _ = get_train_args(given)
    tokens = tokenizer()
    template = get_template_and_fix_tokenizer(tokens, data_args)
    kind = "rm" if stage == "dpo" else stage
    made = get_dataset(template, model_args, data_args, training_args, stage=kind, tokenizer=tokens)
    return tokens, made["train_dataset"]


def test_the_default_engine_trains_one_good_reply_in_each_row(folder: Path, tmp_path: Path) -> None:
    tokens, dataset = processed(folder, tmp_path, CHAT, "sft-llamafactory", "sft")
    for row, (prompt, reply) in zip(dataset, good_turns(), strict=True):
        whole = chatml([*prompt, {"role": "assistant", "content": reply}])
        assert tokens.decode(row["input_ids"]) == whole
        runs = trained(row["input_ids"], row["labels"])
        assert [tokens.decode(ids) for kept, ids in runs if kept] == [f"{reply}<|im_end|>\n"]


def test_the_default_engine_reads_agentrefines_rows_but_trains_mistakes_too(
    folder: Path, tmp_path: Path
) -> None:
    """It leaves out `loss`, as docs/training.md says; so there is the other format."""
    tokens, dataset = processed(folder, tmp_path, REFINE, "sft-agentrefine", "sft")
    for row, record in zip(dataset, records(), strict=True):
        replies = [m["content"] for m in record["messages"] if m["role"] == "assistant"]
        kept = [tokens.decode(ids) for on, ids in trained(row["input_ids"], row["labels"]) if on]
        assert kept == [f"{reply}<|im_end|>\n" for reply in replies]


def test_the_default_engine_ranks_pairs(folder: Path, tmp_path: Path) -> None:
    tokens, dataset = processed(folder, tmp_path, RANKED, "preference-llamafactory", "dpo")
    pairs = rows("preference-llamafactory")
    assert len(pairs) > 3
    for row, pair in zip(dataset, pairs, strict=True):
        for side in ("chosen", "rejected"):
            runs = trained(row[f"{side}_input_ids"], row[f"{side}_labels"])
            assert [tokens.decode(ids) for on, ids in runs if on] == [f"{pair[side]['value']}<|im_end|>\n"]


def test_v1_trains_the_messages_with_a_weight() -> None:
    engine = DataEngine(str(EXPORTS / "sft-llamafactory-v1.jsonl"))
    tokens = tokenizer()
    renderer = Renderer("chatml", tokens)
    assert len(engine) == len(records())
    for number, record in enumerate(records()):
        (made,) = renderer.process_samples([engine[number]])
        messages = record["messages"]
        assert tokens.decode(made["input_ids"]) == chatml(messages)
        kept = "".join(tokens.decode(ids) for on, ids in trained(made["input_ids"], made["labels"]) if on)
        assert kept == chatml([message for message in messages if message["weight"]])
        assert set(made["loss_weights"]) <= {0.0, 1.0}


def test_trl_0_24_reads_a_label_for_each_step(tmp_path: Path) -> None:
    """TRL 1.16 has no trainer of process rewards."""
    dataset = load_dataset("json", data_files=str(EXPORTS / "stepwise-trl.jsonl"), split="train")
    given, tokens = rows("stepwise-trl"), tokenizer()
    args = PRMConfig(
        output_dir=str(tmp_path),
        use_cpu=True,
        bf16=False,
        report_to="none",
        max_length=None,
        max_completion_length=None,
        step_separator="\n",
    )
    model = LlamaForTokenClassification(config(len(tokens), LlamaConfig))
    trainer = PRMTrainer(model, args, train_dataset=dataset, processing_class=tokens)
    for row, record in zip(trainer.train_dataset, given, strict=True):
        assert [label for label in row["labels"] if label != -100] == [int(one) for one in record["labels"]]
        assert tokens.decode(row["input_ids"]).endswith("\n".join(record["completions"]) + "\n")
