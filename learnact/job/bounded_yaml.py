"""YAML that a person wrote: plain values with the line of each key, read in bounded time and memory.

Covers the text: size, nesting, aliases, and values that a job cannot hold. Does not cover what the keys mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from learnact.errors import JobError

Key = str | int
Keys = tuple[Key, ...]

MAX_NODES = 20_000
"""Values at most, each alias counted with all that it stands for."""
MAX_DEPTH = 50
"""Values within values at most."""
INTEGER_BITS = 63
_EVENTS: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C, where PyYAML has it: the one in Python takes seconds for thousands of open brackets."""
_UNPLAIN = ("binary", "timestamp", "omap", "pairs", "set")


def dotted(keys: Sequence[Key]) -> str:
    """`domains.1.train`: the form in which `--set` takes a key."""
    return ".".join(str(key) for key in keys)


def parse_value(text: str) -> Any:
    """The value behind a key on the command line. Raises `yaml.YAMLError`, `JobError`."""
    return _values(text, "the value", {})


def parse_file(text: str, name: str) -> tuple[Any, dict[Keys, str]]:
    """The value of a whole text, and the place of each key ("job.yaml:12"); `name` stands for the file.

    Raises:
        JobError: names file and line of what is no YAML, too deep or too large, or no plain value.
    """
    places: dict[Keys, str] = {}
    try:
        return _values(text, name, places), places
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = str(error.problem)
        if error.problem_mark and text[error.problem_mark.index :][:1] == "\t":
            problem = "a tab: YAML is indented with blanks only"
        raise JobError(f"{name}:{line}: {problem}") from None
    except yaml.YAMLError as error:
        raise JobError(f"{name}: {' '.join(str(error).split())}") from None


def check_mapping(values: Mapping[str, Any], name: str) -> None:
    """Refuse a mapping made in Python that holds itself, or is too deep or too large. Raises `JobError`."""
    _Counter(name).value(values, ())


def _values(text: str, name: str, places: dict[Keys, str]) -> Any:
    _check_events(text, name)
    loader = _PlainLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        counter = _Counter(name)
        counter.node(node, (), places)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _check_events(text: str, name: str) -> None:
    """Bound nesting and number of values before a tree is built: building one is recursive."""
    depth = line = 0
    events = yaml.parse(text, Loader=_EVENTS)
    for _ in range(2 * MAX_NODES):
        event = next(events, None)
        if event is None:
            return
        line = event.start_mark.line + 1 if event.start_mark else line
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise JobError(f"{name}:{line}: more than {MAX_DEPTH} lists or mappings within each other")
    raise JobError(f"{name}:{line}: more than {MAX_NODES} values")


class _Counter:
    """Walks values, aliases as often as they are named, and refuses too many and too deep ones."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def node(self, node: yaml.Node, keys: Keys, places: dict[Keys, str], depth: int = 0) -> None:
        """Keep the line of every key and item; refuse a key that is given twice."""
        place = f"{self._name}:{node.start_mark.line + 1}"
        places.setdefault(keys, place)
        self._add(keys, place, depth)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.node(item, (*keys, index), places, depth + 1)
        elif isinstance(node, yaml.MappingNode):
            self._mapping(node, keys, places, depth)

    def _mapping(self, node: yaml.MappingNode, keys: Keys, places: dict[Keys, str], depth: int) -> None:
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise JobError(f"{self._name}:{line}: a key must be text, not a list or mapping")
            key = str(key_node.value)
            merge = key_node.tag == "tag:yaml.org,2002:merge"
            if key in first and not merge:
                raise JobError(
                    f"{self._name}:{line}: key {dotted((*keys, key))!r} is given a second time "
                    f"(first on line {first[key]})"
                )
            first[key] = line
            inside = keys if merge else (*keys, key)
            if not merge:
                places[inside] = f"{self._name}:{line}"
            self.node(value_node, inside, places, depth + 1)

    def value(self, value: Any, keys: Keys) -> None:
        """The same for values of Python."""
        self._add(keys, self._name, len(keys))
        if isinstance(value, Mapping):
            for key, item in value.items():
                self.value(item, (*keys, str(key)))
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                self.value(item, (*keys, index))

    def _add(self, keys: Keys, place: str, depth: int) -> None:
        self._count += 1
        top = dotted(keys[:1]) or "job"
        if depth > MAX_DEPTH:
            raise JobError(f"{place}: {top}: holds itself, or more than {MAX_DEPTH} levels of values")
        if self._count > MAX_NODES:
            raise JobError(f"{place}: {top}: more than {MAX_NODES} values, with what aliases stand for")


class _PlainLoader(yaml.SafeLoader):
    """Builds text, numbers, truth values, lists and mappings. Keys are text as written; a date is text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping whose keys are the text in the file (`1`, `on`, `2024-05-01`)."""
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A value. What it cannot be made of is told at its line."""
        try:
            value = super().construct_object(node, deep=deep)
        except (ValueError, TypeError, AttributeError, OverflowError, LookupError):
            raise _refused(node, f"{_shown(node)} cannot be read as {node.tag.rsplit(':', 1)[-1]}") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise _refused(node, f"{_shown(node)} is not a finite number")
        if isinstance(value, int) and value.bit_length() > INTEGER_BITS:
            raise _refused(node, f"{_shown(node)} does not fit 64 bits")
        return value


def _refused(node: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _shown(node: yaml.Node) -> str:
    text = str(node.value) if isinstance(node, yaml.ScalarNode) else "this"
    return text if len(text) <= 40 else f"{text[:36]} ..."


def _without(tables: Mapping[Any, Any], kinds: Sequence[str]) -> dict[Any, Any]:
    """A loader's table of constructors without some of YAML's types."""
    return {
        tag: table for tag, table in tables.items() if tag not in {f"tag:yaml.org,2002:{k}" for k in kinds}
    }


_PlainLoader.yaml_constructors = _without(yaml.SafeLoader.yaml_constructors, _UNPLAIN)
_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
