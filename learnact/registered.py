"""Parts by name: our own, and those that other packages add through an entry-point group."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from learnact.errors import JobError

Part = TypeVar("Part")


@dataclass(frozen=True)
class Registered(Generic[Part]):
    """All parts of one kind ("agent", "learner"), ours by `own`, others through the entry points of `group`."""

    kind: str
    group: str
    own: Mapping[str, Part]

    @cached_property
    def _others(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

    def find(self, name: str) -> Part:
        """The part of that name; ours win.

        Raises:
            JobError: there is none; names the nearest.
        """
        if name in self.own:
            return self.own[name]
        if name in self._others:
            loaded: Part = self._others[name].load()
            return loaded
        names = sorted({*self.own, *self._others})
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise JobError(f"there is no {self.kind} {name!r}{hint} There are: {', '.join(names)}")
