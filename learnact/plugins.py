"""Parts by name: our own, and those that other packages add through an entry-point group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from learnact.errors import JobError, MissingExtra, suggestion

Plugin = TypeVar("Plugin")


@dataclass(frozen=True)
class PluginRegistry(Generic[Plugin]):
    """All plugins of one kind ("method"): ours in `own`, others through the entry points of `group`.

    `expected`: the class that a plugin must be an instance of; None for any.
    """

    kind: str
    group: str
    own: Mapping[str, Plugin]
    expected: type[Plugin] | None = None

    @cached_property
    def _others(self) -> dict[str, EntryPoint]:
        points = sorted(entry_points(group=self.group), key=lambda point: point.value, reverse=True)
        return {point.name: point for point in points}

    def names(self) -> tuple[str, ...]:
        """All names, whether they can be loaded or not."""
        return tuple(sorted({*self.own, *self._others}))

    def find(self, name: str) -> Plugin:
        """The part of that name; ours win.

        Raises:
            JobError: there is none, naming the nearest; or it cannot be loaded, with its package's reason.
        """
        if name in self.own:
            return self.own[name]
        if name in self._others:
            return self._load(self._others[name])
        raise JobError(f"there is no {self.kind} {name!r}; {suggestion(name, self.names())}")

    def forget(self) -> None:
        """Look for other packages' parts again: for tests, and after installing a package into a running
        process.
        """
        self.__dict__.pop("_others", None)

    def _load(self, point: EntryPoint) -> Plugin:
        try:
            loaded: Plugin = point.load()
        except MissingExtra:
            raise
        except Exception as error:  # another package's code: told as its own fault
            raise JobError(
                f"the {self.kind} {point.name!r} cannot be loaded from {point.value}: "
                f"{type(error).__name__}: {error}"
            ) from error
        if self.expected is not None and not isinstance(loaded, self.expected):
            wanted = f"{self.expected.__module__}.{self.expected.__name__}"
            raise JobError(f"the {self.kind} {point.name!r} ({point.value}) is no {wanted} but {loaded!r}")
        return loaded
