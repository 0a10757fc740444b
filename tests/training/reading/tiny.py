"""A tokenizer made on the spot, a model with random weights, and what was exported, for checks of readers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

EXPORTS = Path(os.environ.get("LEARNACT_EXPORTS", "."))
"""What `tests.training.exported.export_all` wrote."""
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of an exported file of JSON lines."""
    return [json.loads(line) for line in (EXPORTS / f"{name}.jsonl").read_bytes().split(b"\n") if line]


def records() -> list[dict[str, Any]]:
    """The neutral records: messages with weights."""
    return rows("sft-neutral")


def good_turns() -> list[tuple[list[dict[str, str]], str]]:
    """Prompt and reply of every turn that was carried out, in order."""
    turns = [turn for one in json.loads((EXPORTS / "turns.json").read_text()) for turn in one["turns"]]
    return [(turn["prompt"], turn["reply"]) for turn in turns if turn["good"]]


def chatml(messages: list[dict[str, str]]) -> str:
    """Messages as the template writes them."""
    return "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)


def tokenizer(folder: Path | None = None) -> Any:
    """A byte-level tokenizer of what was exported, which loses nothing, with the ChatML template; saved to a
    folder with a tiny model where one is given."""
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=MARKS, initial_alphabet=alphabet)
    made.train_from_iterator([json.dumps(row, ensure_ascii=False) for row in records()], trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
    )
    wrapped.chat_template = CHATML
    if folder is not None:
        wrapped.save_pretrained(folder)
        LlamaForCausalLM(config(len(wrapped), LlamaConfig)).save_pretrained(folder)
    return wrapped


def config(vocabulary: int, kind: Any) -> Any:
    """A model of two small layers."""
    return kind(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=8192,
    )


def trained(ids: list[int], labels: list[int]) -> list[tuple[bool, list[int]]]:
    """Runs of tokens that are trained on, or not, in order."""
    runs: list[tuple[bool, list[int]]] = []
    for token, label in zip(ids, labels, strict=True):
        assert label in (-100, token)
        if not runs or runs[-1][0] != (label != -100):
            runs.append((label != -100, []))
        runs[-1][1].append(token)
    return runs
