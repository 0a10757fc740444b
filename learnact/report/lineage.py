"""Where two trials of learning came apart: the step at which they chose different libraries, and how these differ in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from learnact.results.reader import Connection, dictionaries

NEVER = "-"
LATER = "later proposal"


@dataclass(frozen=True)
class Choice:
    """The winner of an iteration: its library and how it was made (`origin`, and which candidate)."""

    iteration: int
    library: str
    origin: str
    candidate: int

    @property
    def step(self) -> str:
        """In words: which proposal, an update, a note, or what was there before."""
        proposal = LATER if self.candidate else "first proposal"
        return {"create": proposal, "incumbent": "kept"}.get(self.origin, self.origin)


class Parted(NamedTuple):
    """Where two lineages part (`create`, `iteration 1`, ..., or `-`), and what each of them did there."""

    where: str
    first: str
    second: str


def parted(first: Sequence[Choice], second: Sequence[Choice]) -> Parted:
    """The first step after which two lineages hold different libraries. A lineage that stopped keeps what it has."""
    if not first or not second:
        return Parted(NEVER, _started(first), _started(second))
    for iteration in range(1 + max(first[-1].iteration, second[-1].iteration)):
        one, two = _at(first, iteration), _at(second, iteration)
        if one.library != two.library:
            where = f"iteration {iteration}" if iteration else "create"
            done = _step(one, iteration), _step(two, iteration)
            if done == (LATER, LATER) and one.candidate != two.candidate:
                done = (LATER, "another later one")
            return Parted(where, *done)
    return Parted(NEVER, NEVER, NEVER)


def _started(choices: Sequence[Choice]) -> str:
    return "learned" if choices else "no library"


def _at(choices: Sequence[Choice], iteration: int) -> Choice:
    """The choice that holds in an iteration."""
    return next(c for c in reversed(choices) if c.iteration <= iteration or c is choices[0])


def _step(choice: Choice, iteration: int) -> str:
    return choice.step if choice.iteration == iteration else "stopped"


@dataclass(frozen=True)
class Shelf:
    """What learning has left in the results: the winners of each trial by iteration; of each library its preamble, and its actions by name, each
    as code and words (description and notes)."""

    winners: Mapping[str, Sequence[Choice]]
    preambles: Mapping[str, str]
    actions: Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]]

    def parted(self, first: str, second: str) -> Parted:
        """Where two trials part."""
        return parted(self.winners.get(first, ()), self.winners.get(second, ()))

    def compared(self, first: str, second: str, shown_alike: bool) -> str:
        """How two libraries differ, by their ids. `shown_alike`: the agents are shown the same parts of a library."""
        if not first and not second:
            return "no library"
        if not first or not second:
            return "one has none"
        if first == second:
            return "same" if shown_alike else "same, shown otherwise"
        return "other words" if self._code(first) == self._code(second) else "other code"

    def changed(self, first: str, second: str) -> frozenset[str]:
        """Names of the actions that differ between two libraries, in code or words, or that one of them has not got."""
        one, two = self.actions.get(first, {}), self.actions.get(second, {})
        return frozenset(name for name in {*one, *two} if one.get(name) != two.get(name))

    def _code(self, library: str) -> tuple[str, list[str]]:
        return self.preambles.get(library, ""), sorted(
            code for code, _ in self.actions.get(library, {}).values()
        )


def shelf(connection: Connection) -> Shelf:
    """Winners and libraries of all that is connected."""
    winners: dict[str, list[Choice]] = defaultdict(list)
    for row in dictionaries(
        connection,
        "SELECT trial, iteration, library, origin, candidate FROM candidates WHERE selected "
        "QUALIFY row_number() OVER (PARTITION BY trial, iteration ORDER BY run) = 1 ORDER BY trial, iteration",
    ):
        winners[row.pop("trial")].append(Choice(**row))
    libraries = dictionaries(connection, "SELECT DISTINCT ON (library) * FROM libraries ORDER BY library")
    preambles = {row["library"]: row["preamble"] for row in libraries}
    actions = {row["library"]: {a["name"]: _action(a) for a in row["actions"]} for row in libraries}
    return Shelf(dict(winners), preambles, actions)


def _action(row: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    return row["source"], (row["description"], *row["notes"])
