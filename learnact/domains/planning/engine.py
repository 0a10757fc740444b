"""The STRIPS engine: a problem's ground actions over states that are integers, one bit for each atom that can change or matter.

`Grounding(rules, problem)` is immutable and shared by environments, planners and generators. A state is a Python int; doing an
action is two bit operations. Static preconditions are decided at grounding; effects add after they delete (PDDL's order).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from learnact.domains.planning.pddl import OBJECT, Atom, Problem, Rules, Schema, natural

Call = tuple[str, tuple[str, ...]]
"""An action's PDDL name and its arguments."""


@dataclass(frozen=True, slots=True)
class Action:
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
        found: dict[Atom, int] = {}
        raw = [entry for schema in rules.schemas for entry in self._ground(schema, found)]
        for atom in (*problem.init, *problem.goal):
            found.setdefault(atom, len(found))
        self.atoms: tuple[Atom, ...] = tuple(self._sorted(found, order or {}))
        self.bits: dict[Atom, int] = {atom: 1 << i for i, atom in enumerate(self.atoms)}
        bit = [self.bits[atom] for atom in found]
        self.actions: dict[Call, Action] = {
            call: Action(call, _mask(pre, bit), ~_mask(dele, bit), _mask(add, bit))
            for call, pre, add, dele in raw
        }
        self.start = self.state(problem.init)
        self.goal = self.state(problem.goal)

    def state(self, atoms: Iterator[Atom] | frozenset[Atom] | tuple[Atom, ...]) -> int:
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

    def _sorted(self, found: Mapping[Atom, int], order: Mapping[str, int]) -> list[Atom]:
        rank = {name: i for i, name in enumerate(sorted(self.problem.objects, key=natural))}
        first = {name: order.get(name, len(order)) for name in self.rules.predicates}
        return sorted(found, key=lambda a: (first[a[0]], a[0], *[rank[name] for name in a[1:]]))

    def _ground(
        self, schema: Schema, found: dict[Atom, int]
    ) -> Iterator[tuple[Call, list[int], list[int], list[int]]]:
        place = {name: i for i, name in enumerate(schema.parameters)}
        constants = [
            t
            for a in (*schema.requires, *schema.adds, *schema.deletes)
            for t in a[1:]
            if not t.startswith("?")
        ]
        for i, name in enumerate(dict.fromkeys(constants)):
            place[name] = len(schema.parameters) + i
        tail = tuple(dict.fromkeys(constants))
        static = [a for a in schema.requires if a[0] not in self.changing]
        moving = [a for a in schema.requires if a[0] in self.changing]
        templates = [
            [(a[0], tuple(place[t] for t in a[1:])) for a in group]
            for group in (moving, schema.adds, schema.deletes)
        ]

        def bits(group: list[tuple[str, tuple[int, ...]]], values: tuple[str, ...]) -> list[int]:
            out = []
            for predicate, places in group:
                atom = (predicate, *[values[i] for i in places])
                number = found.get(atom)
                if number is None:
                    number = found[atom] = len(found)
                out.append(number)
            return out

        for arguments in self._bindings(schema, static):
            values = arguments + tail
            pre, add, dele = (bits(group, values) for group in templates)
            yield (schema.name, arguments), pre, add, dele

    def _bindings(self, schema: Schema, static: list[Atom]) -> Iterator[tuple[str, ...]]:
        """Arguments of the right kinds for which the static requirements hold, by depth-first extension."""
        names = schema.parameters
        ready: list[list[tuple[str, tuple[int | str, ...]]]] = [[] for _ in range(len(names) + 1)]
        for atom in static:
            terms: tuple[int | str, ...] = tuple(names.index(t) if t.startswith("?") else t for t in atom[1:])
            ready[max((t + 1 for t in terms if isinstance(t, int)), default=0)].append((atom[0], terms))
        choices = [
            [o for o, kinds in self.kinds.items() if kind == OBJECT or kind in kinds] for kind in schema.types
        ]
        facts = self.facts

        def allowed(depth: int, bound: tuple[str, ...]) -> bool:
            return all(
                (predicate, *[bound[t] if isinstance(t, int) else t for t in terms]) in facts
                for predicate, terms in ready[depth]
            )

        partial: list[tuple[str, ...]] = [()] if allowed(0, ()) else []
        for depth, options in enumerate(choices, 1):
            partial = [
                bound
                for earlier in partial
                for option in options
                if allowed(depth, bound := (*earlier, option))
            ]
        yield from partial


def _mask(numbers: list[int], bit: list[int]) -> int:
    mask = 0
    for number in numbers:
        mask |= bit[number]
    return mask
