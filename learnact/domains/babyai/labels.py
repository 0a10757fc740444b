"""AgentBoard's label file: sub-goals as patterns of observations, and what of them an episode has reached."""

from __future__ import annotations

import json
from pathlib import Path

from learnact.domains.babyai.content import unpack
from learnact.domains.text_file import read_text
from learnact.errors import TaskError
from learnact.records import Task

Ways = tuple[tuple[str, ...], ...]
_MOST_BYTES = 16 << 20
_LEVEL = "BabyAI-"


def read_labels(path: str) -> dict[tuple[str, int], Ways]:
    """The sub-goals of each level and place among its tasks (0 to 3). Raises `TaskError` naming the line."""
    found: dict[tuple[str, int], Ways] = {}
    counts: dict[str, int] = {}
    for number, line in enumerate(read_text(Path(path).expanduser(), path, _MOST_BYTES).splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            level = str(entry["additional_info"]["subtask"]).removeprefix(_LEVEL)
            ways = [way for key, way in entry.items() if "subgoals" in key]
            kept = tuple(tuple(str(pattern) for pattern in way) for way in ways)
            if not (kept and all(isinstance(way, list) and way for way in ways)):
                raise KeyError("subgoals")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TaskError(
                f"{path}:{number}: not a line of AgentBoard's data/babyai/test.jsonl: {error!r}"
            ) from None
        found[level, counts.get(level, 0)] = kept
        counts[level] = counts.get(level, 0) + 1
    if not found:
        raise TaskError(f"{path}: holds no labels")
    return found


def labelled(task: Task, ways: Ways) -> Task:
    """The task with its sub-goals in its content."""
    if not ways:
        return task
    content = unpack(task.content, task.name).model_copy(update={"labels": ways})
    return Task(task.domain, task.name, content.pack(), task.reference, task.labels)


class LabelProgress:
    """The share of sub-goals that observations have matched. With `one_each` an observation counts for one
    sub-goal at most, as published."""

    def __init__(self, ways: Ways, one_each: bool) -> None:
        self._ways = [list(way) for way in ways]
        self._count = len(ways[0])
        self._one_each = one_each
        self._matched = 0

    @property
    def value(self) -> float:
        """Progress in 0 .. 1."""
        return min(1.0, self._matched / self._count)

    def update(self, observation: str) -> None:
        """Note what an observation matches. Of several ways, a sub-goal counts by its place in each."""
        while self._match(observation) and not self._one_each:
            pass

    def _match(self, observation: str) -> bool:
        for place in range(min(len(way) for way in self._ways)):
            if any(matches(observation, way[place]) for way in self._ways):
                self._matched += 1
                for way in self._ways:
                    del way[place]
                return True
        return False


def matches(observation: str, pattern: str) -> bool:
    """Whether one sentence of an observation holds all parts of a pattern, which `**` (or `*`) separates."""
    pattern = pattern.strip()
    parts = [part.strip(".") for part in pattern.split("**" if "**" in pattern else "*")]
    return any(all(part in sentence for part in parts) for sentence in observation.split("."))
