"""Where a job's values come from: a YAML file with a line for every key, `--set` overrides, presets.

Errors point back at these.

Covers reading and merging plain values. Does not cover what they mean (schema.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from learnact.errors import JobError, suggestion
from learnact.job.bounded_yaml import Key as Key
from learnact.job.bounded_yaml import Keys as Keys
from learnact.job.bounded_yaml import check_mapping, parse_file, parse_value
from learnact.job.bounded_yaml import dotted as dotted
from learnact.job.shipped import shipped_jobs
from learnact.records.text_files import read_text

NAMED = {
    ("domains",),
    ("learn_on",),
    ("test_on",),
    ("methods",),
    ("models", "agent"),
    ("models", "learner"),
    ("models", "embeddings"),
}
"""Keys whose items may be a plain name."""


def keys_of(path: str | Sequence[Key]) -> Keys:
    """The keys of a dotted path (`domains.1.train`, `domains[1].train`) or of a sequence of keys."""
    if not isinstance(path, str):
        return tuple(path)
    parts = path.replace("[", ".").replace("]", "").split(".")
    return tuple(int(part) if part.isdigit() else part for part in parts if part)


@dataclass(frozen=True)
class JobFile:
    """Plain values and the place of each key.

    `places` maps the keys' path to words such as `jobs/a.yaml:12`.
    """

    values: dict[str, Any]
    places: Mapping[Keys, str]
    name: str = "job"

    def where(self, path: str | Sequence[Key] = ()) -> str:
        """The place of a key, or of the nearest thing around it that was written."""
        keys = keys_of(path)
        for end in range(len(keys), 0, -1):
            if keys[:end] in self.places:
                return self.places[keys[:end]]
        return self.places.get((), self.name)

    def at(self, *keys: Key) -> str:
        """The place of a key, followed by the key."""
        return f"{self.where(keys)}: {dotted(keys)}"


def from_mapping(values: Mapping[str, Any]) -> JobFile:
    """A job made in Python. Raises `JobError` for one that holds itself."""
    check_mapping(values, "job")
    return JobFile(dict(values), {})


def read(path: Path) -> JobFile:
    """A YAML file. Raises `JobError` naming file and line for what cannot be read as a mapping with unique
    keys.
    """
    try:
        text = read_text(path, JobError)
    except FileNotFoundError:
        there = {p.name for p in path.parent.glob("*.y*ml")} if path.parent.is_dir() else set()
        if path.parent == Path():
            there |= shipped_jobs().keys()
        more = suggestion(path.name, there) if there else "`learnact init` writes one to start from"
        raise JobError(f"{path}: there is no such job file; {more}") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> JobFile:
    """YAML text; `name` stands for the file in errors. Raises `JobError`."""
    values, places = parse_file(text, name)
    if values is None:
        raise JobError(f"{name}: is empty; `learnact init` writes a job to start from")
    if not isinstance(values, dict):
        raise JobError(f"{name}:1: a job is a mapping of keys to values, not a {_kind(values)}")
    return JobFile(values, places, name)


def override(source: JobFile, settings: Sequence[str]) -> JobFile:
    """The source with `key=value` overrides (dotted keys, YAML values). Raises `JobError`."""
    values, places = _copy(source.values), dict(source.places)
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise JobError(f"--set {setting}: write --set key=value, for example --set learner.candidates=2")
        try:
            value = parse_value(text)
        except (yaml.YAMLError, JobError) as error:
            raise JobError(f"--set {setting}: the value is not YAML: {error}") from None
        keys = keys_of(key.strip())
        _put(values, keys, value, setting)
        for old in [place for place in places if place[: len(keys)] == keys]:
            del places[old]
        for end in range(1, len(keys) + 1):
            places.setdefault(keys[:end], f"--set {setting}")
    return JobFile(values, places, source.name)


def _put(values: dict[str, Any], keys: Keys, value: Any, setting: str) -> None:
    here: Any = values
    for depth, key in enumerate(keys):
        if isinstance(here, list):
            if not isinstance(key, int) or key >= len(here):
                raise JobError(
                    f"--set {setting}: {dotted(keys[:depth])} is a list of {len(here)}; name an item by "
                    "its number from 0"
                )
        elif not isinstance(here, dict):
            raise JobError(f"--set {setting}: {dotted(keys[:depth])} is {here!r} and has no {key!r}")
        else:
            key = str(key)
        if depth == len(keys) - 1:
            here[key] = value
        elif isinstance(here, dict) and here.get(key) is None:
            here[key] = {}
        elif isinstance(here[key], str) and _is_named(keys[: depth + 1]):
            here[key] = [here[key]] if isinstance(keys[depth + 1], int) else {"name": here[key]}
        here = here[key]


def _is_named(keys: Keys) -> bool:
    """Whether a plain name may stand at a key instead of a mapping with `name`: `domains: [gripper]`."""
    return tuple(key for key in keys if not isinstance(key, int)) in NAMED


def presets() -> list[str]:
    """Names of the presets."""
    folder = resources.files("learnact.job") / "presets"
    return sorted(item.name[: -len(".yaml")] for item in folder.iterdir() if item.name.endswith(".yaml"))


def preset(name: str) -> JobFile:
    """A preset as a source."""
    text = (resources.files("learnact.job") / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
    return parse(text, f"preset {name}")


def with_presets(source: JobFile) -> JobFile:
    """The source over the presets that it names under `preset`, later ones over earlier ones."""
    named = source.values.get("preset")
    wanted = [] if named is None else named if isinstance(named, list) else [named]
    below = JobFile({}, {})
    for name in wanted:
        if name not in presets():
            raise JobError(
                f"{source.where('preset')}: preset: no preset {name!r}; {suggestion(str(name), presets())}"
            )
        below = merged(below, preset(name))
    return merged(below, source)


def merged(below: JobFile, above: JobFile) -> JobFile:
    """Mappings are merged key by key, all else is replaced by what is above."""
    places = dict(below.places)
    values = _merge(below.values, above.values, (), places)
    places.update(above.places)
    return JobFile(values, places, above.name)


def _merge(
    below: Mapping[str, Any], above: Mapping[str, Any], keys: Keys, places: dict[Keys, str]
) -> dict[str, Any]:
    result: dict[str, Any] = _copy(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = _merge(result[key], value, (*keys, key), places)
        else:
            inside = (*keys, key)
            for old in [place for place in places if place[: len(inside)] == inside]:
                del places[old]
            result[key] = _copy(value)
    return result


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    return value


def _kind(value: Any) -> str:
    return "list" if isinstance(value, list) else f"single value ({value!r})"
