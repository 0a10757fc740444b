"""The STRIPS engine: a problem's ground actions over states that are integers, one bit for each atom that can change or matter.

`Grounding(rules, problem)` is immutable and shared by environments, planners and generators. A state is a Python int; doing an
action is two bit operations. Static preconditions are decided at grounding; effects add after they delete (PDDL's order).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from learnact.domains.planning.names import OBJECT, natural
from learnact.domains.planning.pddl import Atom, Problem, Rules, Schema

Call = tuple[str, tuple[str, ...]]
"""An action's PDDL name and its arguments."""


class Action(NamedTuple):
    """A ground action. Masks over the bits of its grounding; `keep` is the complement of what it deletes."""

    call: Call
    requires: int
    keep: int
    adds: int

    def possible(self, state: int) -> bool:
        """Whether every requirement holds."""
        return state & self.requires == self.requires

    def after(self, state: int) -> int:
        """The state after doing it (whether it is possible is not asked)."""
        return (state & self.keep) | self.adds


class Grounding:
    """A problem, ready to be played.

    `atoms[i]` is the atom of bit i; bits are in reading order: by `order` of predicates, then arguments (b2 before b10), so that
    a state is told by walking its bits. `facts` are the initial atoms that no action changes.
    """

    def __init__(self, rules: Rules, problem: Problem, order: Mapping[str, int] | None = None) -> None:
        self.rules = rules
        self.problem = problem
        self.changing = {atom[0] for schema in rules.schemas for atom in (*schema.adds, *schema.deletes)}
        self.kinds = {
            name: frozenset(kind for declared in kinds for kind in rules.kinds(declared))
            for name, kinds in problem.objects.items()
        }
        self.facts = frozenset(atom for atom in problem.init if atom[0] not in self.changing)
        numbers = _Numbers()
        raw = [entry for schema in rules.schemas for entry in self._ground(schema, numbers)]
        found = numbers.atoms((*problem.init, *problem.goal))
        self.atoms: tuple[Atom, ...] = tuple(self._sorted(found, order or {}))
        self.bits: dict[Atom, int] = {atom: 1 << i for i, atom in enumerate(self.atoms)}
        bit = [self.bits[atom] for atom in found]
        self.actions: dict[Call, Action] = {
            call: Action(call, _mask(requires, bit), ~_mask(deletes, bit), _mask(adds, bit))
            for call, requires, adds, deletes in raw
        }
        self.start = self.state(problem.init)
        self.goal = self.state(problem.goal)

    def state(self, atoms: Iterable[Atom]) -> int:
        """The state in which exactly these atoms hold."""
        return sum({self.bits[atom] for atom in atoms})

    def holds(self, state: int, atom: Atom) -> bool:
        """Whether an atom, known here or not, holds in a state."""
        return bool(state & self.bits.get(atom, 0))

    def applicable(self, state: int) -> list[Action]:
        """All actions whose requirements hold, in order of schema and declared objects."""
        return [a for a in self.actions.values() if state & a.requires == a.requires]

    def solved(self, state: int) -> bool:
        """Whether every goal atom holds."""
        return state & self.goal == self.goal

    def progress(self, state: int) -> float:
        """Satisfied goal atoms over all goal atoms."""
        return (state & self.goal).bit_count() / self.goal.bit_count()

    def true(self, state: int) -> Iterator[int]:
        """Numbers of the atoms that hold, in reading order."""
        while state:
            low = state & -state
            yield low.bit_length() - 1
            state ^= low

    def _sorted(self, found: list[Atom], order: Mapping[str, int]) -> list[Atom]:
        rank = {name: i for i, name in enumerate(sorted(self.problem.objects, key=natural))}
        first = {name: order.get(name, len(order)) for name in self.rules.predicates}
        return sorted(found, key=lambda a: (first[a[0]], a[0], *[rank[name] for name in a[1:]]))

    def _ground(self, schema: Schema, numbers: _Numbers) -> Iterator[_Raw]:
        """Every binding of a schema as numbers of atoms: what it requires (static facts left out), adds and deletes."""
        atoms = (*schema.requires, *schema.adds, *schema.deletes)
        constants = tuple(dict.fromkeys(t for atom in atoms for t in atom[1:] if not t.startswith("?")))
        place = {name: i for i, name in enumerate((*schema.parameters, *constants))}
        moving = tuple(atom for atom in schema.requires if atom[0] in self.changing)
        groups = [
            [(numbers.of(atom[0]), _picker([place[term] for term in atom[1:]])) for atom in group]
            for group in (moving, schema.adds, schema.deletes)
        ]
        for arguments in self._bindings(schema):
            values = arguments + constants
            requires, adds, deletes = [[known[pick(values)] for known, pick in group] for group in groups]
            yield (schema.name, arguments), requires, adds, deletes

    def _bindings(self, schema: Schema) -> list[tuple[str, ...]]:
        """Arguments of the right kinds for which the static requirements hold, extended parameter by parameter."""
        names = schema.parameters
        checks: list[list[tuple[str, tuple[int | str, ...]]]] = [[] for _ in range(len(names) + 1)]
        for predicate, *atom in schema.requires:
            if predicate not in self.changing:
                terms = tuple(names.index(t) if t.startswith("?") else t for t in atom)
                checks[max((t + 1 for t in terms if isinstance(t, int)), default=0)].append(
                    (predicate, terms)
                )

        def allowed(depth: int, bound: tuple[str, ...]) -> bool:
            return all(
                (predicate, *[bound[t] if isinstance(t, int) else t for t in terms]) in self.facts
                for predicate, terms in checks[depth]
            )

        partial: list[tuple[str, ...]] = [()] if allowed(0, ()) else []
        for depth, kind in enumerate(schema.types, 1):
            options = [(name,) for name, kinds in self.kinds.items() if kind == OBJECT or kind in kinds]
            partial = [earlier + option for earlier in partial for option in options]
            if checks[depth]:
                partial = [bound for bound in partial if allowed(depth, bound)]
        return partial


_Raw: TypeAlias = tuple[Call, list[int], list[int], list[int]]
_Key: TypeAlias = str | tuple[str, ...]


class _Known(dict[_Key, int]):
    """Numbers of one predicate's atoms by argument (one) or arguments, given out when first asked for."""

    def __init__(self, counter: Iterator[int]) -> None:
        super().__init__()
        self._counter = counter

    def __missing__(self, key: _Key) -> int:
        number = self[key] = next(self._counter)
        return number


class _Numbers:
    """Numbers of atoms in the order in which they are met. Grounding is most of a load's time, and this is most of grounding."""

    def __init__(self) -> None:
        self._counter = count()
        self._known: dict[str, _Known] = {}

    def of(self, predicate: str) -> _Known:
        """The numbers of a predicate's atoms."""
        return self._known.setdefault(predicate, _Known(self._counter))

    def atoms(self, more: tuple[Atom, ...]) -> list[Atom]:
        """All atoms that were met, in order of their numbers, and more."""
        for predicate, *arguments in more:
            self.of(predicate)[arguments[0] if len(arguments) == 1 else tuple(arguments)]
        numbered = [
            (number, (predicate, *((key,) if isinstance(key, str) else key)))
            for predicate, known in self._known.items()
            for key, number in known.items()
        ]
        return [atom for _, atom in sorted(numbered)]


def _picker(places: list[int]) -> Callable[[tuple[str, ...]], _Key]:
    """Picks an atom's key out of the values of parameters and constants."""
    return itemgetter(*places) if places else lambda _: ()


def _mask(numbers: list[int], bit: list[int]) -> int:
    mask = 0
    for number in numbers:
        mask |= bit[number]
    return mask
