"""Finding domains: entry points of the group `learnact.domains`, ours and other packages'.

An entry point's value is a callable `(options: dict) -> Domain`. It may carry `options_model`, a pydantic model, so that job files are
checked before anything starts. Ours are found even where the package's metadata are missing (a checkout on the path). One that cannot be
imported breaks nobody else: it is listed with the reason.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeAlias, cast

from pydantic import BaseModel

from learnact.domains.base import Domain
from learnact.errors import BadInput, LearnactError, MissingExtra, suggestion
from learnact.records import DomainSpec

GROUP = "learnact.domains"
Factory: TypeAlias = Callable[[dict[str, Any]], Domain]

OURS: dict[str, str] = {
    "gripper": "learnact.domains.planning.gripper:FAMILY",
    "blockworld": "learnact.domains.planning.blockworld:FAMILY",
    "barman": "learnact.domains.planning.barman:FAMILY",
    "tyreworld": "learnact.domains.planning.tyreworld:FAMILY",
    "alfworld-put": "learnact.domains.alfworld.domain:PUT",
    "alfworld-clean": "learnact.domains.alfworld.domain:CLEAN",
    "alfworld-heat": "learnact.domains.alfworld.domain:HEAT",
    "alfworld-cool": "learnact.domains.alfworld.domain:COOL",
    "alfworld-examine": "learnact.domains.alfworld.domain:EXAMINE",
    "alfworld-puttwo": "learnact.domains.alfworld.domain:PUTTWO",
}
"""The same as in pyproject.toml (a test compares them)."""

_built: dict[DomainSpec, Domain] = {}
_lock = threading.RLock()


@dataclass(frozen=True)
class Listed:
    """A domain's line in `learnact domains`. `problem` says why it cannot be used here; "" when it can."""

    name: str
    title: str
    problem: str = ""


def names() -> tuple[str, ...]:
    """Every registered domain, whether it can be imported here or not; ours first."""
    return tuple(_points())


def listed() -> tuple[Listed, ...]:
    """Every registered domain with its title, or with the reason why it cannot be used here."""
    return tuple(_look(name) for name in names())


def factory(name: str) -> Factory:
    """The callable that builds a domain. Raises `BadInput` for an unknown name, `MissingExtra` where a part is not installed."""
    points = _points()
    if name not in points:
        raise BadInput(f"there is no domain {name}; {suggestion(name, points)}")
    try:
        value = points[name].load()
    except MissingExtra:
        raise
    except Exception as error:  # another package's code: told as its own fault
        raise BadInput(
            f"domain {name} cannot be loaded from {points[name].value}: {type(error).__name__}: {error}"
        ) from error
    if not callable(value):
        raise BadInput(f"domain {name}: {points[name].value} is not a callable that takes options")
    return cast(Factory, value)


def options_model(name: str) -> type[BaseModel] | None:
    """The model of a domain's options, for checking job files; None when the domain does not publish one."""
    model = getattr(factory(name), "options_model", None)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def build(spec: DomainSpec) -> Domain:
    """The domain of a spec; one for each spec and process. Raises `BadInput` for a bad name or bad options."""
    with _lock:
        if spec not in _built:
            try:
                options = json.loads(spec.options)
            except json.JSONDecodeError as error:
                raise BadInput(f"domain {spec.name}: options are not JSON: {error}") from None
            _built[spec] = _make(spec.name, options)
        return _built[spec]


def _make(name: str, options: dict[str, Any]) -> Domain:
    try:
        return factory(name)(options)
    except LearnactError:
        raise
    except Exception as error:  # another package's code: told as its own fault
        raise BadInput(f"domain {name} cannot be built: {type(error).__name__}: {error}") from error


@cache
def _points() -> dict[str, EntryPoint]:
    """Entry points by name. Two packages with one name: ours wins over others, then the first in order of value."""
    found = {name: EntryPoint(name, value, GROUP) for name, value in OURS.items()}
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        found.setdefault(point.name, point)
    return found


def forget() -> None:
    """Forget what was found and built: for tests, and after installing a package into a running process."""
    _points.cache_clear()
    with _lock:
        _built.clear()


def _look(name: str) -> Listed:
    try:
        return Listed(name, build(DomainSpec(name)).title)
    except LearnactError as error:
        return Listed(name, name, str(error))
