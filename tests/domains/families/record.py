"""Records the walks that `test_walks.py` replays, and prints the worked example as the environment plays it:

    python -m tests.domains.families.record NAME...

Run it where a change of an observation is intended, and say in the commit why.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

from learnact.domains.base import PlayableExample, ReferencePlans
from learnact.domains.levels import LEVELS
from learnact.library.calls import parse_call
from tests.domains.families.walking import WALKS, Table, build, families, spec_of, table, walk

STEPS = 40
"""Steps of a walk at most."""


def record(at: Table, name: str) -> Path:
    """Two walks of each level: one with the reference plan in it, one that follows it to the end."""
    levelled = "level" in families()[name].options_model.model_fields
    walks = []
    for level in LEVELS if levelled else ("",):
        options: dict[str, Any] = {"train": 1, "test": 2} | ({"level": level} if level else {})
        domain = build(name, **options)
        assert isinstance(domain, ReferencePlans)
        for number, task in enumerate(domain.tasks("test")):
            plan = tuple(domain.reference_plan(task) or ())
            played = at.open(spec_of(name, **options), task)
            rng = random.Random(f"{name} {level} {number}")
            if number == 0:
                steps = walk(played, domain, plan, STEPS, rng)
            else:
                steps = [
                    {"call": [c.name, list(c.arguments)], **vars(played.call(c.name, c.arguments))}
                    for c in plan
                ]
            environment = played.environment
            walks.append(
                {
                    "options": options, "task": task.name, "content": task.content,
                    "goal": environment.goal, "first_observation": environment.first_observation,
                    "steps": steps,
                }
            )  # fmt: skip
            played.close()
    path = WALKS / f"{name}.json"
    path.write_text(json.dumps(walks, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def example(at: Table, name: str) -> str:
    """The worked example of a domain as its environment answers it, as `text.yaml` has it."""
    domain = build(name)
    assert isinstance(domain, PlayableExample)
    played = at.open(spec_of(name), domain.example_task)
    environment = played.environment
    lines = [
        f"goal: {json.dumps(environment.goal)}",
        f"observation: {json.dumps(environment.first_observation)}",
    ]
    for thought, action, _ in domain.example.steps:
        call = parse_call(action)
        step = played.call(call.name, call.args, call.kwargs)
        told = f"observation: {json.dumps(step.observation)}"
        lines.append(f"- {{think: {json.dumps(thought)}, do: {json.dumps(action)}, {told}}}")
    played.close()
    return "\n".join([f"# {name}: solved: {environment.success}", *lines])


def main() -> None:
    with table() as at:
        for name in sys.argv[1:] or families():
            print(example(at, name))
            print(record(at, name))


if __name__ == "__main__":
    main()
