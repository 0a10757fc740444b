"""The tables of a run: columns, types, order of rows, and which columns may differ between equal runs. `results/README.md` explains each."""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = 1
READABLE_VERSIONS = frozenset({1})

_text, _number, _whole, _small, _flag = pa.string(), pa.float64(), pa.int64(), pa.int32(), pa.bool_()
_texts = pa.list_(_text)

STEP = pa.struct([("command", _text), ("ok", _flag), ("observation", _text)])
ERROR = pa.struct(
    [("type", _text), ("message", _text), ("function", _text), ("line", _small), ("source", _text)]
)
ACTION = pa.struct(
    [("name", _text), ("signature", _text), ("source", _text), ("description", _text), ("notes", _texts)]
)

_TOKENS = {
    "prompt_tokens": _whole,
    "cached_tokens": _whole,
    "completion_tokens": _whole,
    "reasoning_tokens": _whole,
    "cost": _number,
}
_PROMPT = {
    "system": _text,
    "fixed": _texts,
    "history_start": _small,
    "history_count": _small,
    "history": _texts,
    "ask": _text,
}

_COLUMNS: dict[str, dict[str, pa.DataType]] = {
    "episodes": {
        "run": _text,
        "trial": _text,
        "key": _text,
        "method": _text,
        "phase": _text,
        "domain": _text,
        "domain_options": _text,
        "task": _text,
        "task_hash": _text,
        "task_block": _text,
        "reference": _small,
        "library": _text,
        "agent": _text,
        "model": _text,
        "model_returned": _text,
        "learner_model": _text,
        "simulated": _flag,
        "learn_repeat": _small,
        "test_repeat": _small,
        "replicate": _small,
        "seed": _whole,
        "setup": _text,
        "success": _flag,
        "progress": _number,
        "grounding": _number,
        "turns": _small,
        "action_turns": _small,
        "unreadable_turns": _small,
        "primitive_steps": _small,
        "learned_calls": _small,
        "learned_calls_ok": _small,
        **_TOKENS,
        "goal": _text,
        "first_observation": _text,
        "sandbox": _text,
        "seconds": _number,
        "model_seconds": _number,
        "environment_seconds": _number,
        "sandbox_seconds": _number,
        "finished": _number,
        "node": _text,
        "attempts": _small,
    },
    "turns": {
        "run": _text,
        "trial": _text,
        "episode": _text,
        "turn": _small,
        "kind": _text,
        "raw": _text,
        "said": _text,
        "call": _text,
        "callee": _text,
        "learned": _flag,
        "ok": _flag,
        "observation": _text,
        "progress": _number,
        "steps": pa.list_(STEP),
        "error": ERROR,
        "printed": _text,
    },
    "requests": {
        "run": _text,
        "trial": _text,
        "key": _text,
        "method": _text,
        "purpose": _text,
        "iteration": _small,
        "candidate": _small,
        "attempt": _small,
        "model": _text,
        "simulated": _flag,
        "seed": _whole,
        "setup": _text,
        "texts": _texts,
        **_PROMPT,
        "calls": _small,
        **_TOKENS,
        "finished": _number,
        "node": _text,
        "attempts": _small,
    },
    "calls": {
        "run": _text,
        "trial": _text,
        "unit": _text,
        "ordinal": _small,
        "purpose": _text,
        "request": _text,
        **_PROMPT,
        "reply": _text,
        "finish": _text,
        "reasoning": _text,
        **_TOKENS,
        "model": _text,
        "fingerprint": _text,
        "parameters": _text,
        "vectors": pa.list_(pa.list_(_number)),
        "tries": _small,
        "latency": _number,
    },
    "libraries": {
        "run": _text,
        "trial": _text,
        "library": _text,
        "actions": pa.list_(ACTION),
        "preamble": _text,
        "usage_example": _text,
        "lessons": _texts,
    },
    "candidates": {
        "run": _text,
        "seq": _whole,
        "trial": _text,
        "iteration": _small,
        "candidate": _small,
        "library": _text,
        "parent": _text,
        "origin": _text,
        "success": _number,
        "progress": _number,
        "step_correctness": _number,
        "call_ratio": _number,
        "call_share": _number,
        "score": _number,
        "selected": _flag,
        "uncreated": _text,
        "reason": _text,
        "failed_call": _text,
    },
    "attempts": {
        "run": _text,
        "trial": _text,
        "unit": _text,
        "kind": _text,
        "attempt": _small,
        "boundary": _text,
        "error": _text,
        "seconds": _number,
        "node": _text,
        "recorded": _number,
    },
    "trials": {
        "run": _text,
        "seq": _whole,
        "trial": _text,
        "method": _text,
        "domain": _text,
        "agent_model": _text,
        "learner_model": _text,
        "learn_repeat": _small,
        "test_repeats": _small,
        "test_episodes": _small,
        "seed": _whole,
        "status": _text,
        "reason": _text,
        "library": _text,
        "options": _text,
        "more": _text,
    },
    "events": {
        "run": _text,
        "seq": _whole,
        "name": _text,
        "event": _text,
        "recorded": _number,
        "job": _text,
        "resolved": _text,
        "versions": _text,
        "host": _text,
        "pid": _whole,
    },
    "checks": {"run": _text, "seq": _whole, "name": _text, "facts": _text},
    "blocks": {"run": _text, "hash": _text, "text": _text},
}

SCHEMAS: dict[str, pa.Schema] = {
    table: pa.schema(list(columns.items()), metadata={"learnact_schema": str(SCHEMA_VERSION)})
    for table, columns in _COLUMNS.items()
}

ORDER: dict[str, tuple[str, ...]] = {
    "episodes": ("trial", "key"),
    "turns": ("trial", "episode", "turn"),
    "requests": ("trial", "key"),
    "calls": ("trial", "unit", "ordinal"),
    "libraries": ("trial", "library"),
    "candidates": ("trial", "iteration", "candidate", "seq"),
    "attempts": ("trial", "unit", "attempt", "recorded"),
    "trials": ("trial", "seq"),
    "events": ("seq",),
    "checks": ("name", "seq"),
    "blocks": ("hash",),
}
"""Order of rows after compaction, so that equal runs give equal files but for the columns below."""

TEMPORAL: dict[str, frozenset[str]] = {
    "episodes": frozenset(
        {
            "seconds",
            "model_seconds",
            "environment_seconds",
            "sandbox_seconds",
            "finished",
            "node",
            "attempts",
        }
    ),
    "requests": frozenset({"finished", "node", "attempts"}),
    "calls": frozenset({"tries", "latency"}),
    "candidates": frozenset({"seq"}),
    "trials": frozenset({"seq"}),
    "checks": frozenset({"seq"}),
}
"""Columns of times, places and attempts. Tables `attempts` and `events` consist of nothing else and are left out of comparisons."""

COMPARED = tuple(table for table in SCHEMAS if table not in {"attempts", "events"})
