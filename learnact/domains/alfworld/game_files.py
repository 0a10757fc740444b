"""Published games: the official folder that `alfworld-download` makes, and single game files.

A game file's own grammar and domain are code from elsewhere and are not evaluated: of a file we keep the
problem and the task sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from learnact.domains.alfworld.content import GameContent
from learnact.domains.alfworld.task_types import TaskType, read_goal
from learnact.domains.text_file import read_text
from learnact.errors import TaskError
from learnact.records import Task

GAME = "game.tw-pddl"
MAX_BYTES = 16 << 20
"""Bytes of a game file or a file of labels; a published game has about 100 kB."""
SPLITS = ("train", "valid_seen", "valid_unseen")
_SENTENCE = re.compile(r'"rhs"\s*:\s*"Your task is to: ((?:[^"\\]|\\.)*)"')
Labels = Mapping[str, tuple[str, ...]]
"""AgentBoard's sub-goals by game (`TASK/TRIAL`)."""


def split_folder(source: Path, split: str) -> Path:
    """The folder of a split below what the user gave (ALFWORLD_DATA, json_2.1.1, or the split itself).
    Raises `TaskError`."""
    for folder in (source / "json_2.1.1" / split, source / split, source):
        if folder.is_dir() and (folder.name == split or folder != source):
            return folder
    raise TaskError(
        f"{source}: there is no {split} in it; give the folder that `alfworld-download` makes (it holds "
        f"json_2.1.1/{split}) "
        f"and one of the splits {', '.join(SPLITS)}"
    )


def published_tasks(folder: Path, kind: TaskType, labels: Labels, limit: int | None) -> list[Task]:
    """The solvable games of a type in a split, sorted by path as the published scripts sort them; at most
    `limit`."""
    return list(islice(_solvable(folder, kind, labels), limit))


def _solvable(folder: Path, kind: TaskType, labels: Labels) -> Iterator[Task]:
    for path in sorted(folder.glob(f"{kind.folder}-*/*/{GAME}"), key=str):
        if "movable" in str(path.parent.name) or "Sliced" in path.parent.parent.name:
            continue
        game = _read_json(path)
        if game.get("solvable"):
            yield task_of(path, game, kind.name, labels)


def read_game(path: Path, labels: Labels) -> Task:
    """One game file. Raises `TaskError` naming it."""
    if path.is_dir():
        path = path / GAME
    game = _read_json(path)
    if game.get("solvable") is False:
        raise TaskError(f"{path}: the game is marked as not solvable")
    return task_of(path, game, None, labels)


def task_of(path: Path, game: Mapping[str, Any], kind: str | None, labels: Labels) -> Task:
    """A game file's content as a task. Raises `TaskError` where it lacks problem or task sentence, or is
    of another type than `kind`."""
    problem, sentence = game.get("pddl_problem"), _sentence(game.get("grammar"))
    if not isinstance(problem, str) or not problem.strip():
        raise TaskError(f"{path}: it has no `pddl_problem`; not an ALFWorld game file ({GAME})")
    if sentence is None:
        raise TaskError(f"{path}: its grammar has no sentence `Your task is to: ...`")
    goal = read_goal(problem, str(path))
    if kind is not None and goal.kind != kind:
        raise TaskError(f"{path}: its goal is of type {goal.kind}, but its folder says {kind}")
    name = "/".join(path.parts[-3:-1])
    content = GameContent(kind=goal.kind, goal=sentence, problem=problem, labels=labels.get(name, ()))
    plan = game.get("walkthrough")
    return Task(
        f"alfworld-{goal.kind}",
        name,
        content.pack(),
        len(plan) if isinstance(plan, list) and plan else None,
        {
            "split": path.parts[-4] if len(path.parts) > 3 else "",
            "progress": "agentboard" if content.labels else "facts",
        },
    )


def _sentence(grammar: object) -> str | None:
    found = _SENTENCE.search(grammar) if isinstance(grammar, str) else None
    if found is None:
        return None
    try:
        return str(json.loads(f'"{found.group(1)}"')).strip()
    except ValueError:
        return None


def _read_json(path: Path) -> dict[str, Any]:
    text = read_text(path, most=MAX_BYTES)
    try:
        game = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{path}: not JSON, so not an ALFWorld game file: {error}") from error
    if not isinstance(game, dict):
        raise TaskError(f"{path}: not an ALFWorld game file: a JSON object is expected")
    return game


@cache
def read_labels(path: str) -> Labels:
    """AgentBoard's label file (JSON lines with `subgoals` and `additional_info.description`). Raises
    `TaskError` naming file and line."""
    labels: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(read_text(Path(path), most=MAX_BYTES).split("\n"), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            patterns = tuple(str(p) for p in item["subgoals"])
            labels[str(item["additional_info"]["description"])] = patterns
            for pattern in patterns:
                re.compile(pattern)
        except (ValueError, KeyError, TypeError, RecursionError, re.error) as error:
            raise TaskError(
                f"{path}:{number}: not a line of AgentBoard's ALFWorld labels: {error!r}"
            ) from error
    return labels
