"""A small run and everything that `learnact export` makes of it, for the tests of readers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import learnact
from learnact.results.reader import connect_folders, dictionaries
from learnact.training.formats import PREFERENCE, SFT, STEPWISE
from learnact.training.records import record_of
from learnact.training.write import FORMATS, TrainingKind, rows_of, write_rows

JOB: dict[str, Any] = {
    "name": "t",
    "domains": {"name": "gripper", "level": "easy", "train": 3, "test": 2, "balls": [2, 4]},
    "methods": ["raw_trajectories"],
    "models": {"agent": "sim-weak", "learner": "sim-weak"},
    "budget": {"learn": {"turns": 12}},
    "repeats": {"learn": 1},
    "cluster": {"runner": "local"},
}
ODD = "Zürich 東京 🚀\u200d👩 \u2028 line\r\n\ttab  <|im_end|x> {{ braces }} \\n \"quotes\" 'and'  end "
"""Text that is easily lost; no token of a chat template, which no format could tell from one."""


def export_all(folder: Path) -> None:
    """Play the job into `folder/results`; every format as `folder/KIND-FORMAT.jsonl` (.parquet for verl), one
    record more than the run has, with odd text."""
    results = folder / "results"
    assert learnact.run(JOB, results=results).done
    (run,) = (path for path in results.iterdir() if path.is_dir() and path.name.startswith("t-"))
    with connect_folders([run]) as connection:
        keys = dictionaries(connection, "SELECT key FROM episodes WHERE phase = 'learn' ORDER BY task, key")
        records = [record_of(connection, row["key"]) for row in keys]
        odd = replace(records[0], turns=tuple(replace(t, reply=t.reply + ODD) for t in records[0].turns))
        records.append(replace(odd, episode="odd"))
        kinds: dict[TrainingKind, Any] = {"sft": SFT, "preference": PREFERENCE, "stepwise": STEPWISE}
        for kind in kinds:
            for name in FORMATS[kind]:
                rows = rows_of(records, kind, name, ("same_prompt", "repaired", "episodes"))
                ending = "parquet" if name == "verl" else "jsonl"
                assert write_rows(connection, rows, folder / f"{kind}-{name}.{ending}", name)
        prompts = [
            {
                "episode": record.episode,
                "turns": [
                    {
                        "prompt": [{"role": m.role, "content": m.content} for m in turn.prompt],
                        "reply": turn.reply,
                        "good": turn.good,
                    }
                    for turn in record.turns
                ],
            }
            for record in records
        ]
        (folder / "turns.json").write_text(json.dumps(prompts))
