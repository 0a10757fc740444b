"""A tiny random model, trained for a few steps on a CPU with TRL 1.16: on exported data, then in a domain.

It shows that the path works, from a run to a trainer; the model learns nothing of use.

    learnact run quickstart
    learnact export quickstart --to sft --format trl --output sft.jsonl
    learnact export quickstart --to preference --format trl --output pairs.jsonl
    pip install 'learnact[training]'
    python examples/training/tiny_trl.py --sft sft.jsonl --pairs pairs.jsonl --steps 3

Three parts, one line of JSON each: `sft` (prompt and completion), `dpo` (preference pairs), and `grpo`, for
which the model is first shown a solved task as a conversation with tool calls (`shown`), so that it calls the
domain's actions, and is then rewarded for what it does in it.
"""

from __future__ import annotations

import argparse
import copy
import inspect
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM, set_seed
from transformers.utils import get_json_schema
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer
from trl.chat_template_utils import qwen3_chat_template

from learnact.domains import registry
from learnact.records import DomainSpec, canonical
from learnact.training import environment

OPTIONS = {"level": "easy", "balls": 2, "train": 1, "test": 1}
PROMPT = "Solve the task with the tools.\n\n"
MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"]
MARKS += ["<tool_response>", "</tool_response>", "<think>", "</think>"]
Gripper = environment("gripper", OPTIONS, reward="progress")


def tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer of these texts, with Qwen3's chat template, which has tools."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1500, special_tokens=MARKS[:3], initial_alphabet=alphabet)
    made.train_from_iterator(texts, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>", unk_token=None
    )
    wrapped.add_tokens(MARKS[3:])
    wrapped.chat_template = qwen3_chat_template
    return wrapped


def model(tokens: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    """Two layers with random weights."""
    config = Qwen3Config(
        vocab_size=len(tokens),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=4096,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
        tie_word_embeddings=True,
    )
    return Qwen3ForCausalLM(config)


def tools() -> list[dict[str, Any]]:
    """The domain's actions as TRL reads them from the class."""
    found = inspect.getmembers(Gripper, inspect.isfunction)
    return [
        get_json_schema(one) for name, one in found if name not in ("reset", "get_reward") and name[0] != "_"
    ]


def shown() -> dict[str, Any]:
    """The solved training task as a conversation with tool calls: what a model is to do in the domain.

    Arguments and tools are text: a table would give every call the keys of all, with nulls.
    """
    domain = registry.build(DomainSpec("gripper", canonical(OPTIONS)))
    (task,) = domain.tasks("train")
    names = {primitive.name: primitive.parameters for primitive in domain.primitives}
    with Gripper() as playing:
        messages: list[dict[str, Any]] = [{"role": "user", "content": PROMPT + playing.reset(index=0)}]
        for call in domain.reference_plan(task):
            given = dict(zip(names[call.name], call.arguments, strict=True))
            function = {"name": call.name, "arguments": json.dumps(given)}
            calls = [{"type": "function", "function": function}]
            messages.append({"role": "assistant", "content": "", "tool_calls": calls})
            said = getattr(playing, call.name)(**given)
            messages.append({"role": "tool", "name": call.name, "content": said})
        assert playing.get_reward() == 1
    return {"messages": messages[:-1], "tools": json.dumps(tools())}


def common(folder: str, steps: int, **more: Any) -> dict[str, Any]:
    """Settings of every part."""
    quiet = {"report_to": "none", "save_strategy": "no", "disable_tqdm": True, "logging_steps": 1}
    return {"output_dir": folder, "max_steps": steps, "use_cpu": True, "bf16": False, **quiet, **more}


def told(part: str, trainer: Any, *names: str) -> None:
    """A line of JSON: what the trainer logged, by step."""
    log = [entry for entry in trainer.state.log_history if names[0] in entry]
    print(
        json.dumps(
            {"part": part, "steps": trainer.state.global_step} | {n: [e.get(n) for e in log] for n in names}
        )
    )


def main(sft: Path, pairs: Path, steps: int, folder: str) -> None:
    """All three parts."""
    set_seed(0)
    torch.set_num_threads(1)  # a model of this size is faster so
    rows = load_dataset("json", data_files=str(sft), split="train").select(range(16))
    preferred = load_dataset("json", data_files=str(pairs), split="train").select(range(4))
    example = shown()
    texts = [json.dumps(row) for row in (*rows, *preferred)] + [json.dumps(example)] * 20
    tokens = tokenizer(texts)

    config = SFTConfig(**common(folder, steps, per_device_train_batch_size=4, max_length=None))
    trainer = SFTTrainer(model(tokens), config, train_dataset=rows, processing_class=tokens)
    trainer.train()
    told("sft", trainer, "loss")

    preference = preferred.select_columns(["prompt", "chosen", "rejected"])
    config = DPOConfig(**common(folder, steps, per_device_train_batch_size=2, max_length=None))
    learner = model(tokens)
    trainer = DPOTrainer(
        learner, copy.deepcopy(learner), config, train_dataset=preference, processing_class=tokens
    )
    trainer.train()
    told("dpo", trainer, "loss", "rewards/margins")

    player = model(tokens)
    settings = common(folder, 200, per_device_train_batch_size=1, learning_rate=5e-3, max_length=None)
    config = SFTConfig(**settings | {"logging_steps": 50}, assistant_only_loss=True)
    trainer = SFTTrainer(
        player, config, train_dataset=Dataset.from_list([example] * 4), processing_class=tokens
    )
    trainer.train()
    told("shown", trainer, "loss")

    config = GRPOConfig(
        **common(folder, steps, per_device_train_batch_size=4, num_generations=4, learning_rate=1e-5),
        max_completion_length=512,
        max_tool_calling_iterations=4,
        temperature=0.7,
    )
    prompts = Dataset.from_list([{"prompt": [{"role": "user", "content": PROMPT}], "index": 0}] * 8)
    trainer = GRPOTrainer(
        player, args=config, train_dataset=prompts, processing_class=tokens, environment_factory=Gripper
    )
    trainer.train()
    told("grpo", trainer, "reward", "tools/call_frequency", "tools/failure_frequency", "loss")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--sft", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        main(given.sft, given.pairs, given.steps, place)
