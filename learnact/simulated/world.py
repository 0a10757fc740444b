"""What can happen in a scene: every rule filled in with names, over states that are integers with one bit for each sentence.

Static facts are bits like the others, so a fact that was overlooked is a bit that is not set. A rule is filled in once for each set of
read requirements that narrow its parameters; requirements and effects that were overlooked leave their bits out.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

from learnact.simulated import text
from learnact.simulated.rules import Clause, Rule
from learnact.simulated.scene import Play, Scene, Told

MOST_GROUND = 1500
"""Most ways in which one rule is filled in; the rest is not thought of."""
KEPT_WORLDS = 64
KEPT_MASKS = 512


@dataclass(frozen=True, slots=True)
class Step:
    """A rule filled in. Masks over the bits of its world; `keep` is the complement of what is no longer so."""

    call: text.Call
    requires: int
    adds: int
    keep: int
    learned: bool

    def after(self, state: int) -> int:
        """The state after it."""
        return (state & self.keep) | self.adds


@dataclass(frozen=True)
class _Filled:
    calls: tuple[text.Call, ...]
    columns: tuple[tuple[int, ...], ...]
    """For each sentence of the rule (in the order of `Rule.clauses`) the bits of its filled-in forms."""


class World:
    """The bits and the filled-in rules of one scene's fixed part. Grows as new sentences are seen; no order of bits matters."""

    def __init__(self, rules: Sequence[Rule], play: Play) -> None:
        self.rules = tuple(rules)
        self._bits: dict[str, int] = {}
        self._states: dict[tuple[Told, ...], int] = {}
        self._filled: dict[tuple[int, int], _Filled] = {}
        self._masks: dict[tuple[int, int, int], list[Step]] = {}
        self.names = tuple(dict.fromkeys(name for _, names in play.kinds for name in names))
        self.kinds = self.mask(text.is_a(name, kind) for kind, names in play.kinds for name in names)
        self.statics = tuple(f.text for f in play.facts) + tuple(
            text.is_a(name, kind) for kind, names in play.kinds for name in names
        )
        words = [tuple(s.split()) for s in self.statics]
        known = set(self.names)
        effects = [c for r in self.rules for c in (*r.adds, *r.deletes)]
        self._instances: dict[tuple[int, int], list[dict[int, str]]] = {}
        for r, rule in enumerate(self.rules):
            for i, clause in enumerate((*rule.requires, *rule.kinds)):
                if not any(clause.may_be(e) for e in effects):
                    found = [m for w in words if (m := clause.match(w)) is not None]
                    self._instances[r, i] = found
                    known.update(v for m in found for v in m.values())
        self.names = tuple(dict.fromkeys((*self.names, *(v for w in words for v in w if v in known))))
        self._slots: dict[tuple[int, int], tuple[str, ...]] = {}
        self._slots = self._reachable_names(play)

    def mask(self, sentences: Iterable[str]) -> int:
        """The bits of sentences."""
        found = 0
        for sentence in sentences:
            found |= self.bit(sentence)
        return found

    def bit(self, sentence: str) -> int:
        """The bit of a sentence; a new one for a sentence not seen before."""
        bit = self._bits.get(sentence)
        if bit is None:
            bit = self._bits[sentence] = 1 << len(self._bits)
        return bit

    def narrows(self, rule: int, clause: int) -> bool:
        """Whether a requirement is about what never changes, so that it narrows the parameters."""
        return (rule, clause) in self._instances

    def steps(self, rule: int, requires: int, effects: int) -> list[Step]:
        """A rule filled in as read: `requires` and `effects` say by bits which of its sentences were seen."""
        key = (rule, requires, effects)
        found = self._masks.get(key)
        if found is None:
            if len(self._masks) >= KEPT_MASKS:
                self._masks.clear()
            found = self._masks[key] = self._steps(rule, requires, effects)
        return found

    def _steps(self, number: int, requires: int, effects: int) -> list[Step]:
        rule = self.rules[number]
        narrow = sum(
            1 << i for i in range(len(rule.requires)) if requires >> i & 1 and self.narrows(number, i)
        )
        filled = self._fill(number, narrow)
        n, a = len(rule.requires), len(rule.adds)
        size = len(filled.calls)
        pre = _joined([filled.columns[i] for i in range(n) if requires >> i & 1], size)
        add = _joined([filled.columns[n + i] for i in range(a) if effects >> i & 1], size)
        gone = _joined(
            [filled.columns[n + i] for i in range(a, a + len(rule.deletes)) if effects >> i & 1], size
        )
        learned = rule.learned
        return [
            Step(call, p, d, ~g, learned)
            for call, p, d, g in zip(filled.calls, pre, add, gone, strict=True)
            if d & ~p or g
        ]

    def _fill(self, number: int, narrow: int) -> _Filled:
        key = (number, narrow)
        found = self._filled.get(key)
        if found is None:
            rule = self.rules[number]
            bindings = self._bindings(number, rule, narrow)
            columns = tuple(self._column(clause, bindings) for clause in rule.clauses)
            found = _Filled(tuple(text.Call(rule.name, b) for b in bindings), columns)
            self._filled[key] = found
        return found

    def _column(self, clause: Clause, bindings: list[tuple[str, ...]]) -> tuple[int, ...]:
        fill = clause.template.format
        bit = self.bit
        return tuple([bit(fill(*binding)) for binding in bindings])

    def _bindings(self, number: int, rule: Rule, narrow: int) -> list[tuple[str, ...]]:
        """Arguments for which what never changes, as far as it was read, holds; by joining the facts that fit."""
        relations = [
            self._instances[number, i]
            for i in range(len(rule.requires) + len(rule.kinds))
            if (number, i) in self._instances and (i >= len(rule.requires) or narrow >> i & 1)
        ]
        partial: list[dict[int, str]] = [{}]
        for relation in sorted(relations, key=len):
            partial = [
                {**one, **other}
                for one in partial
                for other in relation
                if all(one.get(k, v) == v for k, v in other.items())
            ][: 4 * MOST_GROUND]
        found: list[tuple[str, ...]] = []
        bound = set(partial[0]) if partial else set()
        free = [i for i in range(len(rule.parameters)) if i not in bound]
        options = [self._slots.get((number, i), self.names) for i in free]
        for one in partial:
            for values in product(*options):
                full = {**one, **dict(zip(free, values, strict=True))}
                found.append(tuple(full[i] for i in range(len(rule.parameters))))
                if len(found) >= MOST_GROUND:
                    return found
        return found

    def _reachable_names(self, play: Play) -> dict[tuple[int, int], tuple[str, ...]]:
        """For each parameter the names that some requirement about what changes could ever hold for."""
        seen: dict[str, None] = dict.fromkeys(t.text for t in play.first.now or ())
        for number, rule in enumerate(self.rules):
            if rule.learned:
                continue
            narrow = sum(1 << i for i in range(len(rule.requires)) if self.narrows(number, i))
            bindings = self._bindings(number, rule, narrow)
            for clause in rule.adds:
                seen.update(dict.fromkeys(clause.template.format(*b) for b in bindings))
        words = [tuple(s.split()) for s in seen]
        slots: dict[tuple[int, int], tuple[str, ...]] = {}
        for number, rule in enumerate(self.rules):
            for i, clause in enumerate(rule.requires):
                if self.narrows(number, i) or not clause.parameters:
                    continue
                fits = [m for w in words if (m := clause.match(w)) is not None]
                for p in clause.parameters:
                    values = {m[p] for m in fits}
                    before = slots.get((number, p), self.names)
                    slots[number, p] = tuple(v for v in before if v in values)
        return slots


def _joined(columns: list[tuple[int, ...]], size: int) -> Iterable[int]:
    if not columns:
        return (0,) * size
    return reduce(lambda one, other: list(map(operator.or_, one, other)), columns)


_worlds: dict[str, World] = {}


def world_of(scene: Scene) -> World:
    """The world of a scene's task, kept from request to request."""
    world = _worlds.pop(scene.key, None)
    if world is None:
        world = World((*scene.rules, *(r for r in scene.learned if r.known)), scene.task)
    _worlds[scene.key] = world
    if len(_worlds) > KEPT_WORLDS:
        del _worlds[next(iter(_worlds))]
    return world
