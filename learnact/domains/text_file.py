"""Reading a domain's files: text of bounded size in UTF-8, and YAML with the line of every key.

Files may come from anybody, so each limit is checked before the work that it bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from learnact.errors import TaskError
from learnact.records import text_files

MAX_BYTES = 1 << 20
"""Bytes of a PDDL or YAML file. Published problems have some kB; objects that stand for 1 MiB take about
100 MB."""
MAX_DEPTH = 20
"""Levels of a YAML file; a table of sentences has four."""


def read_text(file: Path | Traversable, name: str | None = None, most: int = MAX_BYTES) -> str:
    """The text of a file, without a byte-order mark. `name` stands for the file in errors.

    Raises `TaskError` for what cannot be read, is no regular file, is longer than `most` bytes or is not
    UTF-8.
    """
    try:
        return text_files.read_text(file, TaskError, name=name, most=most)
    except FileNotFoundError as error:
        raise TaskError(f"{name or file}: cannot be read: {error.strerror}") from None


@dataclass(frozen=True)
class YamlFile:
    """A YAML file: its values, all strings, and the line of each key by its path."""

    where: str
    values: Any
    lines: dict[tuple[str, ...], int]

    def place(self, *keys: str | int) -> str:
        """`FILE:LINE: a.b`: the place of a key, or of the nearest one around it that is there."""
        path = tuple(map(str, keys))
        line = next(
            (self.lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.lines), 1
        )
        return f"{self.where}:{line}: {'.'.join(path)}".rstrip(": ")


def read_yaml(text: str, where: str) -> YamlFile:
    """YAML text whose scalars stay strings; raises `TaskError` naming `where` and the line.

    Refuses keys that come twice, and aliases, with which a short text can stand for one of any size.
    """
    try:
        _check_events(text, where)
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TaskError(
            f"{where}:{line}: not YAML: {error.context or ''} {error.problem}".replace("  ", " ")
        ) from None
    except yaml.YAMLError as error:
        raise TaskError(f"{where}: not YAML: {' '.join(str(error).split())}") from None
    lines: dict[tuple[str, ...], int] = {}
    values = _values(node, (), where, lines) if node is not None else None
    return YamlFile(where, values, lines)


def _check_events(text: str, where: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise TaskError(
                f"{where}:{line}: aliases (*{event.anchor}) are not supported; write the value again"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise TaskError(f"{where}:{line}: more than {MAX_DEPTH} levels inside one another")


def _values(node: yaml.Node, path: tuple[str, ...], where: str, lines: dict[tuple[str, ...], int]) -> Any:
    """The values of a node; the line of each key and item is added to `lines`."""
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_values(item, (*path, str(index)), where, lines) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    values = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        inside = (*path, str(key.value))
        if inside in lines:
            first = lines[inside]
            raise TaskError(f"{where}:{line}: a second key {'.'.join(inside)}; the first is on line {first}")
        lines[inside] = line
        values[inside[-1]] = _values(value, inside, where, lines)
    return values
