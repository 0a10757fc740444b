"""Every rule of a prompt grounded with names, over states that are integers with one bit for each sentence.

Static facts are bits like the others, so a fact that was overlooked is a bit that is not set. A rule is
grounded once for each set of read requirements that narrow its parameters; requirements and effects that
were overlooked leave their bits out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from learnact.simulated import text
from learnact.simulated.prompt import ParsedPrompt, Sentence, Transcript
from learnact.simulated.rules import Clause, Rule
from learnact.simulated.step_table import WORD, Bits, StepTable, joined

MOST_GROUND = 1500
"""Most groundings of one rule; the rest is not considered."""
CACHED_PROMPTS = 64
CACHED_RULES = 256


@dataclass
class _GroundedRule:
    calls: list[text.ActionCall]
    numbers: list[NDArray[np.int64]]
    """For each sentence of the rule (in the order of `Rule.clauses`) the numbers of its filled-in forms'
    bits."""
    _matrices: dict[tuple[int, int], Bits] = field(default_factory=dict)

    def matrix(self, clauses: Iterable[int], words: int) -> Bits:
        """The bits of some sentences of the rule."""
        found = np.zeros((words, len(self.calls)), dtype=np.uint64)
        for i in clauses:
            found |= self._one(i, words)
        return found

    def _one(self, clause: int, words: int) -> Bits:
        key = (clause, words)
        found = self._matrices.get(key)
        if found is None:
            numbers = self.numbers[clause]
            found = np.zeros((words, len(numbers)), dtype=np.uint64)
            bits = np.left_shift(np.uint64(1), (numbers % WORD).astype(np.uint64))
            found[numbers // WORD, np.arange(len(numbers))] = bits
            self._matrices[key] = found
        return found


class GroundedRules:
    """The bits and the grounded rules of the unchanging part of one prompt.

    It grows as new sentences are met; the order of bits has no effect.
    """

    def __init__(self, rules: Sequence[Rule], play: Transcript) -> None:
        self.rules = tuple(rules)
        self._numbers: dict[str, int] = {}
        self._filled: dict[tuple[int, int], _GroundedRule] = {}
        self._masks: dict[tuple[Sentence, ...], int] = {}
        self.names = tuple(dict.fromkeys(name for _, names in play.kinds for name in names))
        kinds = tuple(text.is_a(name, kind) for kind, names in play.kinds for name in names)
        self.kinds = self.mask(kinds)
        self.statics = tuple(f.text for f in play.facts) + kinds
        self._instances = self._static_instances([tuple(s.split()) for s in self.statics])
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
        return 1 << self._number(sentence)

    def state_of(self, sentences: tuple[Sentence, ...]) -> int:
        """The bits of a state given as sentences; cached, because histories repeat."""
        found = self._masks.get(sentences)
        if found is None:
            if len(self._masks) >= CACHED_RULES:
                self._masks.clear()
            found = self._masks[sentences] = self.mask(t.text for t in sentences)
        return found

    def narrows(self, rule: int, clause: int) -> bool:
        """Whether a requirement is about what never changes, so that it narrows the parameters."""
        return (rule, clause) in self._instances

    def steps(self, seen: Iterable[tuple[int, int]]) -> StepTable:
        """Rules filled in as read: pairs of a rule's number and the sentences of it that were seen (bits,
        as in `Rule.clauses`)."""
        chosen = [(number, clauses, self._fill(number, clauses)) for number, clauses in seen]
        words = max(1, -(-len(self._numbers) // WORD))
        parts = [self._part(number, clauses, filled, words) for number, clauses, filled in chosen]
        if not parts:
            nothing: Bits = np.zeros((words, 0), dtype=np.uint64)
            return StepTable([], [], nothing, nothing, nothing)
        return joined(parts)

    def every_step(self) -> StepTable:
        """All rules with all their sentences."""
        return self.steps((n, (1 << len(rule.clauses)) - 1) for n, rule in enumerate(self.rules))

    def _part(self, number: int, clauses: int, filled: _GroundedRule, words: int) -> StepTable:
        rule = self.rules[number]
        n, a, d = len(rule.requires), len(rule.adds), len(rule.deletes)
        return StepTable(
            filled.calls,
            [rule.learned] * len(filled.calls),
            filled.matrix((i for i in range(n) if clauses >> i & 1), words),
            filled.matrix((i for i in range(n, n + a) if clauses >> i & 1), words),
            filled.matrix((i for i in range(n + a, n + a + d) if clauses >> i & 1), words),
        )

    def _number(self, sentence: str) -> int:
        found = self._numbers.get(sentence)
        if found is None:
            found = self._numbers[sentence] = len(self._numbers)
        return found

    def _fill(self, number: int, clauses: int) -> _GroundedRule:
        rule = self.rules[number]
        narrow = sum(
            1 << i for i in range(len(rule.requires)) if clauses >> i & 1 and self.narrows(number, i)
        )
        key = (number, narrow)
        found = self._filled.get(key)
        if found is None:
            if len(self._filled) >= CACHED_RULES:
                self._filled.clear()
            bindings = self._bindings(number, rule, narrow)
            columns = [self._column(clause, bindings) for clause in rule.clauses]
            found = self._filled[key] = _GroundedRule([rule.call(b) for b in bindings], columns)
        return found

    def _column(self, clause: Clause, bindings: list[tuple[str, ...]]) -> NDArray[np.int64]:
        fill, number = clause.template.format, self._number
        return np.array([number(fill(*binding)) for binding in bindings], dtype=np.int64)

    def _static_instances(self, facts: list[tuple[str, ...]]) -> dict[tuple[int, int], list[dict[int, str]]]:
        """For each requirement that no action changes, the names for which it holds; names found there are
        known from then on."""
        effects = [c for r in self.rules for c in (*r.adds, *r.deletes)]
        found: dict[tuple[int, int], list[dict[int, str]]] = {}
        known = set(self.names)
        for r, rule in enumerate(self.rules):
            for i, clause in enumerate((*rule.requires, *rule.kinds)):
                if not any(clause.may_be(e) for e in effects):
                    found[r, i] = [m for fact in facts if (m := clause.match(fact)) is not None]
                    known.update(value for match in found[r, i] for value in match.values())
        self.names = tuple(dict.fromkeys((*self.names, *(w for fact in facts for w in fact if w in known))))
        return found

    def _bindings(self, number: int, rule: Rule, narrow: int) -> list[tuple[str, ...]]:
        """Arguments for which what never changes, as far as it was read, holds; by joining the facts that
        fit.

        A learned action is considered only with different names for different parameters.
        """
        relations = [
            self._instances[number, i]
            for i in range(len(rule.requires) + len(rule.kinds))
            if (number, i) in self._instances and (i >= len(rule.requires) or narrow >> i & 1)
        ]
        partial: list[dict[int, str]] = [{}]
        for relation in sorted(relations, key=len):
            partial = [
                joint
                for one in partial
                for other in relation
                if all(one.get(k, v) == v for k, v in other.items())
                and _apart(joint := {**one, **other}, rule.learned)
            ][: 4 * MOST_GROUND]
        found: list[tuple[str, ...]] = []
        free = [i for i in range(len(rule.parameters)) if partial and i not in partial[0]]
        options = [self._slots.get((number, i), self.names) for i in free]
        for one in partial:
            for values in product(*options):
                full = {**one, **dict(zip(free, values, strict=True))}
                if _apart(full, rule.learned):
                    found.append(tuple(full[i] for i in range(len(rule.parameters))))
                if len(found) >= MOST_GROUND:
                    return found
        return found

    def _reachable_names(self, play: Transcript) -> dict[tuple[int, int], tuple[str, ...]]:
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


def _apart(names: dict[int, str], learned: bool) -> bool:
    return not learned or len(set(names.values())) == len(names)


_cached: dict[str, GroundedRules] = {}


def grounded_rules_of(prompt: ParsedPrompt) -> GroundedRules:
    """The grounded rules of a prompt's task, cached from request to request."""
    grounded = _cached.pop(prompt.key, None)
    if grounded is None:
        grounded = GroundedRules((*prompt.rules, *(r for r in prompt.learned if r.known)), prompt.task)
    _cached[prompt.key] = grounded
    if len(_cached) > CACHED_PROMPTS:
        del _cached[next(iter(_cached))]
    return grounded
