"""Records in the form of each trainer (docs/training.md says which version reads what). Pure.

A format that has a mask for each reply gets the whole conversation; one that has none gets a row for each
reply that is to be trained on, with the prompt exactly as it was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from learnact.training.pairs import PreferencePair
from learnact.training.records import TrainingMessage, TrainingRecord, TrainingTurn

Row: TypeAlias = Mapping[str, Any]
"""One row of a file, plain JSON values."""
Rows: TypeAlias = Iterator[Row]


def _good(record: TrainingRecord) -> Sequence[TrainingTurn]:
    return [turn for turn in record.turns if turn.good]


def _chat(messages: Sequence[TrainingMessage]) -> list[dict[str, Any]]:
    return [{"role": m.role, "content": m.content} for m in messages]


def neutral(record: TrainingRecord) -> Rows:
    """All that the record holds: messages with weights, reward, outcome, and where it is from."""
    yield {
        "messages": [{"role": m.role, "content": m.content, "weight": m.weight} for m in record.messages],
        "errors": [turn.error for turn in record.turns],
        "reward": record.reward,
        "progress": record.progress,
        "success": record.success,
        "domain": record.domain,
        "task": record.task,
        "task_hash": record.task_hash,
        "split": record.split,
        "seed": record.seed,
        "method": record.method,
        "model": record.model,
        "simulated": record.simulated,
        "source": record.source,
        "episode": record.episode,
    }


def agentrefine(record: TrainingRecord) -> Rows:
    """`{from, value, loss}` as AgentRefine publishes it: system, human, gpt; loss only on replies that were
    carried out.
    """
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    yield {
        "id": record.episode,
        "conversations": [
            {"from": names[m.role], "value": m.content, "loss": bool(m.weight)} for m in record.messages
        ],
    }


def openai(record: TrainingRecord) -> Rows:
    """OpenAI's fine-tuning JSONL: `weight` 0 or 1 on each reply."""
    yield {
        "messages": [
            {"role": m.role, "content": m.content} | ({"weight": m.weight} if m.role == "assistant" else {})
            for m in record.messages
        ]
    }


def llamafactory(record: TrainingRecord) -> Rows:
    """LLaMA-Factory's default engine: a row for each good reply (`mask_history: true` is not needed: the
    prompt is one message).
    """
    for turn in _good(record):
        yield {"messages": [*_chat(turn.prompt), {"role": "assistant", "content": turn.reply}]}


def llamafactory_v1(record: TrainingRecord) -> Rows:
    """LLaMA-Factory v1 (`USE_V1=1`): `loss_weight` on each message."""
    yield {
        "messages": [
            {
                "role": m.role,
                "content": [{"type": "text", "value": m.content}],
                "loss_weight": float(m.weight),
            }
            for m in record.messages
        ]
    }


def axolotl(record: TrainingRecord) -> Rows:
    """axolotl: `message_field_training: train` with `roles_to_train: []`."""
    yield {
        "messages": [{"role": m.role, "content": m.content, "train": bool(m.weight)} for m in record.messages]
    }


def trl(record: TrainingRecord) -> Rows:
    """TRL: a row of prompt and completion for each good reply."""
    for turn in _good(record):
        yield {
            "prompt": _chat(turn.prompt),
            "completion": [{"role": "assistant", "content": turn.reply}],
        }


def verl(record: TrainingRecord) -> Rows:
    """verl's multi-turn dataset trains every assistant message, so a row holds one good reply only."""
    for turn in _good(record):
        yield {
            "messages": [*_chat(turn.prompt), {"role": "assistant", "content": turn.reply}],
            "data_source": f"learnact/{record.domain}",
            "extra_info": {"episode": record.episode, "reward": record.reward, "task": record.task},
        }


def tinker(record: TrainingRecord) -> Rows:
    """tinker-cookbook with `TrainOnWhat.CUSTOMIZED`: `trainable` on each message."""
    yield {
        "messages": [
            {"role": m.role, "content": m.content, "trainable": bool(m.weight)} for m in record.messages
        ]
    }


SFT: Mapping[str, Callable[[TrainingRecord], Rows]] = {
    "neutral": neutral,
    "agentrefine": agentrefine,
    "openai": openai,
    "llamafactory": llamafactory,
    "llamafactory-v1": llamafactory_v1,
    "axolotl": axolotl,
    "trl": trl,
    "verl": verl,
    "tinker": tinker,
}
"""Formats for supervised fine-tuning by name."""


def trl_pair(pair: PreferencePair) -> Rows:
    """TRL's preference rows (DPO, reward models)."""
    yield {
        "prompt": _chat(pair.prompt),
        "chosen": _chat(pair.chosen),
        "rejected": _chat(pair.rejected),
        "margin": pair.margin,
        "source": pair.source,
    }


def llamafactory_pair(pair: PreferencePair) -> Rows:
    """LLaMA-Factory's `ranking: true` rows in ShareGPT form, which have one reply each: of longer
    continuations the first reply in which they differ, behind what they share. None where an observation
    differs first.
    """
    both = list(zip(pair.chosen, pair.rejected, strict=False))
    place = next((number for number, (good, bad) in enumerate(both) if good != bad), len(both))
    if place == len(both) or {m.role for m in both[place]} != {"assistant"}:
        return
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    shared = [m for m in (*pair.prompt, *pair.chosen[:place]) if m.role != "system"]
    good, bad = both[place]
    yield {
        "system": "".join(m.content for m in pair.prompt if m.role == "system"),
        "conversations": [{"from": names[m.role], "value": m.content} for m in shared],
        "chosen": {"from": "gpt", "value": good.content},
        "rejected": {"from": "gpt", "value": bad.content},
    }


PREFERENCE: Mapping[str, Callable[[PreferencePair], Rows]] = {
    "trl": trl_pair,
    "llamafactory": llamafactory_pair,
}
"""Formats of preference pairs by name."""


def trl_unpaired(record: TrainingRecord) -> Rows:
    """TRL's unpaired rows (KTO): each reply with whether it was carried out."""
    for turn in record.turns:
        yield {
            "prompt": _chat(turn.prompt),
            "completion": [{"role": "assistant", "content": turn.reply}],
            "label": turn.good,
        }


def trl_stepwise(record: TrainingRecord) -> Rows:
    """TRL's stepwise rows (process reward models): the replies of an episode, each with whether it was
    carried out.
    """
    if record.turns:
        yield {
            "prompt": "\n\n".join(m.content for m in record.turns[0].prompt),
            "completions": [turn.reply for turn in record.turns],
            "labels": [turn.good for turn in record.turns],
        }


STEPWISE: Mapping[str, Callable[[TrainingRecord], Rows]] = {
    "trl": trl_stepwise,
    "trl-unpaired": trl_unpaired,
}
"""Formats with a label for each reply."""
