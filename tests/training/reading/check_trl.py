"""TRL's trainers read what was exported: every token is there, and those of the right replies are trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from transformers import LlamaConfig, LlamaForCausalLM
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer

from tests.training.reading.tiny import EXPORTS, chatml, config, good_turns, rows, tokenizer


@pytest.fixture(scope="module")
def tokens() -> Any:
    return tokenizer()


def model(tokens: Any) -> LlamaForCausalLM:
    return LlamaForCausalLM(config(len(tokens), LlamaConfig))


def read(name: str) -> Any:
    return load_dataset("json", data_files=str(EXPORTS / f"{name}.jsonl"), split="train")


def settings(folder: Path) -> dict[str, Any]:
    return {
        "output_dir": str(folder),
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "max_length": None,
    }


def test_sft_trains_the_good_replies_and_nothing_else(tokens: Any, tmp_path: Path) -> None:
    dataset, turns = read("sft-trl"), good_turns()
    assert [(row["prompt"], row["completion"][0]["content"]) for row in dataset] == turns
    args = SFTConfig(**settings(tmp_path))
    trainer = SFTTrainer(model(tokens), args, train_dataset=dataset, processing_class=tokens)
    for row, (prompt, reply) in zip(trainer.train_dataset, turns, strict=True):
        batch = trainer.data_collator([row])
        ids, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
        assert tokens.decode(ids) == chatml([*prompt, {"role": "assistant", "content": reply}])
        kept = [token for token, label in zip(ids, labels, strict=True) if label != -100]
        assert [label for label in labels if label != -100] == kept
        assert tokens.decode(kept) == f"{reply}<|im_end|>\n"


def test_dpo_prefers_the_chosen_continuation(tokens: Any, tmp_path: Path) -> None:
    dataset, pairs = read("preference-trl"), rows("preference-trl")
    assert len(pairs) > 3
    args = DPOConfig(**settings(tmp_path))
    kept = dataset.select_columns(["prompt", "chosen", "rejected"])
    one = model(tokens)
    trainer = DPOTrainer(one, model(tokens), args, train_dataset=kept, processing_class=tokens)
    start = len("<|im_start|>assistant\n")
    for row, pair in zip(trainer.train_dataset, pairs, strict=True):
        assert tokens.decode(row["prompt_ids"]) == chatml(pair["prompt"]) + "<|im_start|>assistant\n"
        for side in ("chosen", "rejected"):
            assert tokens.decode(row[f"{side}_ids"]) == chatml(pair[side])[start:]


def test_kto_labels_each_reply_by_whether_it_was_carried_out(tokens: Any, tmp_path: Path) -> None:
    dataset, labelled = read("stepwise-trl-unpaired"), rows("stepwise-trl-unpaired")
    assert {row["label"] for row in labelled} == {True, False}
    args = KTOConfig(**settings(tmp_path), per_device_train_batch_size=2)
    trainer = KTOTrainer(model(tokens), model(tokens), args, train_dataset=dataset, processing_class=tokens)
    start = len("<|im_start|>assistant\n")
    for row, given in zip(trainer.train_dataset, labelled, strict=True):
        assert row["label"] == given["label"]
        assert tokens.decode(row["prompt_ids"]).startswith(chatml(given["prompt"]))
        assert tokens.decode(row["completion_ids"]) == chatml(given["completion"])[start:]
