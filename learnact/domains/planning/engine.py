"""The STRIPS engine: a problem's ground actions over states that are integers, one bit for each atom that can
change or matter.

`Grounding(rules, problem)` is immutable and shared by environments, planners and generators. A state is a
Python int; doing an action is two bit operations. Static preconditions are decided at grounding; effects add
after they delete (PDDL's order).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from learnact.domains.planning.names import OBJECT, natural_sort_key
from learnact.domains.planning.pddl import ActionSchema, Atom, PddlDomain, PddlProblem
from learnact.errors import TaskError

MAX_BINDINGS = 300_000
"""Ground actions of one schema. The largest task that a generator of ours makes has about ten thousand."""
MAX_MASK_BYTES = 200_000_000
"""Bytes of the masks of all ground actions of a problem."""

GroundCall = tuple[str, tuple[str, ...]]
"""An action's PDDL name and its arguments."""


class GroundAction(NamedTuple):
    """A ground action. Masks over the bits of its grounding; `keep` is the complement of what it deletes."""

    call: GroundCall
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

    `atoms[i]` is the atom of bit i. Reading order is by `order` of predicates, then arguments (b2 before
    b10). `facts` are the initial atoms that no action changes.
    """

    def __init__(
        self, rules: PddlDomain, problem: PddlProblem, order: Mapping[str, int] | None = None
    ) -> None:
        self.rules = rules
        self.problem = problem
        self.changing = {atom[0] for schema in rules.schemas for atom in (*schema.adds, *schema.deletes)}
        self.kinds = {
            name: frozenset(kind for declared in kinds for kind in rules.kinds(declared))
            for name, kinds in problem.objects.items()
        }
        self.facts = frozenset(atom for atom in problem.init if atom[0] not in self.changing)
        bits = _BitAllocator()
        self.actions = self._ground_all(bits)
        self.bits: dict[Atom, int] = bits.atoms((*problem.init, *problem.goal))
        self.atoms: tuple[Atom, ...] = tuple(self.bits)
        self._rank = self._ranks(order or {})
        self.start = self.state(problem.init)
        self.goal = self.state(problem.goal)

    def state(self, atoms: Iterable[Atom]) -> int:
        """The state in which exactly these atoms hold."""
        return sum({self.bits[atom] for atom in atoms})

    def holds(self, state: int, atom: Atom) -> bool:
        """Whether an atom, known here or not, holds in a state."""
        return bool(state & self.bits.get(atom, 0))

    def applicable(self, state: int) -> list[GroundAction]:
        """All actions whose requirements hold, in order of schema and declared objects."""
        return [a for a in self.actions.values() if state & a.requires == a.requires]

    def solved(self, state: int) -> bool:
        """Whether every goal atom holds."""
        return state & self.goal == self.goal

    def progress(self, state: int) -> float:
        """Satisfied goal atoms over all goal atoms."""
        return (state & self.goal).bit_count() / self.goal.bit_count()

    def true(self, state: int) -> list[int]:
        """Numbers of the atoms that hold, in reading order."""
        numbers = []
        while state:
            low = state & -state
            numbers.append(low.bit_length() - 1)
            state ^= low
        numbers.sort(key=self._rank.__getitem__)
        return numbers

    def _ranks(self, order: Mapping[str, int]) -> list[int]:
        """The place of each atom in reading order."""
        name = {name: i for i, name in enumerate(sorted(self.problem.objects, key=natural_sort_key))}
        first = {name: order.get(name, len(order)) for name in self.rules.predicates}
        keys = [(first[a[0]], a[0], *[name[word] for word in a[1:]]) for a in self.atoms]
        ranks = [0] * len(keys)
        for rank, number in enumerate(sorted(range(len(keys)), key=keys.__getitem__)):
            ranks[number] = rank
        return ranks

    def _ground_all(self, bits: _BitAllocator) -> dict[GroundCall, GroundAction]:
        """The ground actions by call. Raises `TaskError` when their masks take more than `MAX_MASK_BYTES`."""
        actions: dict[GroundCall, GroundAction] = {}
        size = 0
        for schema in self.rules.schemas:
            for action in self._ground(schema, bits):
                actions[action.call] = action
                masks = (action.requires, action.keep, action.adds)
                size += sum(mask.bit_length() for mask in masks) // 8
                if size > MAX_MASK_BYTES:
                    raise TaskError(f"the problem is too large: {len(self.problem.objects):,} objects")
        return actions

    def _ground(self, schema: ActionSchema, bits: _BitAllocator) -> Iterator[GroundAction]:
        """Every binding of a schema; static requirements are decided here and left out."""
        atoms = (*schema.requires, *schema.adds, *schema.deletes)
        constants = tuple(dict.fromkeys(t for atom in atoms for t in atom[1:] if not t.startswith("?")))
        place = {name: i for i, name in enumerate((*schema.parameters, *constants))}
        changing_atoms = tuple(atom for atom in schema.requires if atom[0] in self.changing)
        groups = [
            [(bits.of(atom[0]), _picker([place[term] for term in atom[1:]])) for atom in group]
            for group in (changing_atoms, schema.adds, schema.deletes)
        ]
        for arguments in self._bindings(schema):
            values = arguments + constants
            masks = []
            for group in groups:
                mask = 0
                for known, pick in group:
                    mask |= known[pick(values)]
                masks.append(mask)
            yield GroundAction((schema.name, arguments), masks[0], ~masks[2], masks[1])

    def _bindings(self, schema: ActionSchema) -> list[tuple[str, ...]]:
        """Arguments of the right kinds for which the static requirements hold, extended parameter by
        parameter."""
        names = schema.parameters
        checks: list[list[tuple[str | int, ...]]] = [[] for _ in range(len(names) + 1)]
        for atom in schema.requires:
            if atom[0] not in self.changing:
                terms = tuple(names.index(t) if t.startswith("?") else t for t in atom)
                checks[max((t + 1 for t in terms if isinstance(t, int)), default=0)].append(terms)
        partial: list[tuple[str, ...]] = [()] if all(fact in self.facts for fact in checks[0]) else []
        for place, kind in enumerate(schema.types):
            options = [name for name, kinds in self.kinds.items() if kind == OBJECT or kind in kinds]
            fitting = self._fitting(place, options, checks[place + 1])
            if len(partial) * len(options) > MAX_BINDINGS:
                count = sum(len(fitting(earlier)) for earlier in partial)
                if count > MAX_BINDINGS:
                    raise TaskError(
                        f"the problem is too large: action {schema.name} can be done in more than "
                        f"{MAX_BINDINGS:,} ways with {len(self.kinds):,} objects"
                    )
            partial = [earlier + option for earlier in partial for option in fitting(earlier)]
        return partial

    def _fitting(
        self, place: int, options: list[str], checks: list[tuple[str | int, ...]]
    ) -> Callable[[tuple[str, ...]], list[tuple[str]]]:
        """Gives the options for the parameter at `place`, given those before it; asked once for each value
        of those that matter."""
        matter = sorted({t for check in checks for t in check if isinstance(t, int) and t != place})
        known: dict[tuple[str, ...], list[tuple[str]]] = {}

        def fitting(earlier: tuple[str, ...]) -> list[tuple[str]]:
            key = tuple([earlier[i] for i in matter])
            if key not in known:
                known[key] = [
                    (option,)
                    for option in options
                    if all(
                        tuple([(*earlier, option)[t] if isinstance(t, int) else t for t in check])
                        in self.facts
                        for check in checks
                    )
                ]
            return known[key]

        return fitting


_ArgumentsKey: TypeAlias = str | tuple[str, ...]


class _PredicateBits(dict[_ArgumentsKey, int]):
    """Bits of one predicate's atoms by argument (one) or arguments, given out when first asked for."""

    def __init__(self, counter: Iterator[int]) -> None:
        super().__init__()
        self._counter = counter

    def __missing__(self, key: _ArgumentsKey) -> int:
        bit = self[key] = 1 << next(self._counter)
        return bit


class _BitAllocator:
    """Gives out bits for atoms in the order in which they are met. Grounding is most of a load's time, and
    this is most of grounding."""

    def __init__(self) -> None:
        self._counter = count()
        self._known: dict[str, _PredicateBits] = {}

    def of(self, predicate: str) -> _PredicateBits:
        """The bits of a predicate's atoms."""
        return self._known.setdefault(predicate, _PredicateBits(self._counter))

    def atoms(self, more: tuple[Atom, ...]) -> dict[Atom, int]:
        """All atoms that were met, and more, in order of their bits."""
        for predicate, *arguments in more:
            self.of(predicate)[arguments[0] if len(arguments) == 1 else tuple(arguments)]
        pairs = [
            (bit, (predicate, *((key,) if isinstance(key, str) else key)))
            for predicate, known in self._known.items()
            for key, bit in known.items()
        ]
        return {atom: bit for bit, atom in sorted(pairs)}


def _picker(places: list[int]) -> Callable[[tuple[str, ...]], _ArgumentsKey]:
    """Picks an atom's key out of the values of parameters and constants."""
    return itemgetter(*places) if places else lambda _: ()
