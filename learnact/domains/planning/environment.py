"""A STRIPS task being played: calls in, controlled English out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeGuard

from learnact.domains.base import Primitive
from learnact.domains.planning.engine import Grounding
from learnact.domains.planning.names import OBJECT, natural_sort_key, python_name
from learnact.domains.planning.pddl import ActionSchema, PddlDomain, atom_sort_key
from learnact.domains.planning.wording import Wording, is_a, kind_lines
from learnact.records import Plain, Step

LONGEST_NAME = 80
"""Characters of an argument that an observation repeats; what is longer is no name of an object."""


def primitives(rules: PddlDomain, wording: Wording) -> tuple[Primitive, ...]:
    """The domain's actions as functions, described in its own words."""
    return tuple(
        Primitive(
            python_name(schema.name),
            wording.parameters[schema.name],
            wording.describe(schema),
            kinds=schema.types if rules.typed else (),
        )
        for schema in rules.schemas
    )


class DescribedProblem:
    """A problem with its sentences: what all environments of one task share.

    Immutable except for its cache of sentences. `equal_arguments`: whether an action may be given one thing
    for two of its parameters.
    """

    def __init__(self, grounding: Grounding, wording: Wording, equal_arguments: bool = True) -> None:
        self.grounding = grounding
        self.wording = wording
        self.equal_arguments = equal_arguments
        self.schemas = {python_name(s.name): s for s in grounding.rules.schemas}
        self._changing_bits = sum(
            bit for atom, bit in grounding.bits.items() if atom[0] in grounding.changing
        )
        self._sentences: list[str | None] = [None] * len(grounding.atoms)

    def describe_state(self, state: int) -> str:
        """Everything that holds and can change, in reading order."""
        sentences = self._sentences
        out = []
        for i in self.grounding.true(state & self._changing_bits):
            sentence = sentences[i]
            if sentence is None:
                sentence = sentences[i] = self.wording.sentence(self.grounding.atoms[i])
            out.append(sentence)
        return self.wording.phrases.now.format(" ".join(out))

    @cached_property
    def goal(self) -> str:
        """The goal's sentences, in reading order."""
        grounding = self.grounding
        sentences = self.wording.sentences_of(grounding.atoms[i] for i in grounding.true(grounding.goal))
        return self.wording.phrases.goal.format(sentences)

    @cached_property
    def first_observation(self) -> str:
        """Objects by kind, facts that never change, then the first state."""
        grounding, rules = self.grounding, self.grounding.rules
        names = sorted(grounding.problem.objects, key=natural_sort_key)
        kinds = [*rules.parents] if rules.typed else [OBJECT]
        used = {kind for schema in rules.schemas for kind in schema.types}
        if rules.typed and OBJECT in used:
            kinds.append(OBJECT)
        lines = kind_lines({kind: [n for n in names if kind in grounding.kinds[n]] for kind in kinds})
        order = self.wording.order
        facts = sorted(grounding.facts, key=lambda atom: (order[atom[0]], atom_sort_key(atom)))
        phrases = self.wording.phrases
        blocks = [phrases.objects.format(lines)]
        blocks += [phrases.never.format(self.wording.sentences_of(facts))] if facts else []
        blocks = [block for block in blocks if block]
        return "\n".join([*blocks, self.describe_state(grounding.start)])

    def unmet_requirements(self, schema: ActionSchema, arguments: tuple[str, ...], state: int) -> list[str]:
        """Every requirement of a call that does not hold, as sentences."""
        grounding = self.grounding
        out = [
            is_a(name, kind)
            for name, kind in zip(arguments, schema.types, strict=True)
            if kind not in grounding.kinds[name]
        ]
        value = dict(zip(schema.parameters, arguments, strict=True))
        for predicate, *terms in schema.requires:
            atom = (predicate, *[value.get(term, term) for term in terms])
            if not grounding.holds(state, atom):
                out.append(self.wording.sentence(atom))
        return list(dict.fromkeys(out))


class PlanningEnvironment:
    """One task being played once (`learnact.domains.base.Environment`)."""

    def __init__(self, board: DescribedProblem) -> None:
        self._board = board
        self._state = board.grounding.start
        self._best = board.grounding.progress(self._state)
        self.goal = board.goal
        self.first_observation = board.first_observation

    @property
    def progress(self) -> float:
        """Running maximum of satisfied goal atoms over all."""
        return self._best

    @property
    def success(self) -> bool:
        """Latched: 1 is reached exactly when all goal atoms held at once."""
        return self._best == 1.0

    def call(self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> Step:
        """Do one primitive action. What is not possible has no effect, and the observation says why."""
        board = self._board
        schema = board.schemas.get(name)
        if schema is None:
            return self._invalid(
                _command(name, arguments, keywords), board.wording.phrases.no_action.format(_short(name))
            )
        parameters = board.wording.parameters[schema.name]
        values = _bind(parameters, arguments, keywords)
        if values is None:
            takes = board.wording.phrases.takes.format(name, ", ".join(parameters) or "nothing")
            return self._invalid(_command(name, arguments, keywords), takes)
        if not board.equal_arguments and _all_names(values) and len(set(values)) < len(values):
            command = _command(name, values, {})
            return self._invalid(command, board.wording.phrases.equal.format(command))
        action = board.grounding.actions.get((schema.name, values)) if _all_names(values) else None
        if action is not None and action.possible(self._state):
            self._state = action.after(self._state)
            self._best = max(self._best, board.grounding.progress(self._state))
            return self._step(_command(name, values, {}), True, board.describe_state(self._state))
        return self._not_applicable(name, schema, values)

    def text(self, command: str) -> Step:
        """These domains have no text form: an invalid step."""
        return self._invalid(_short(command), "No effect: actions of this domain are calls, not text.")

    def close(self) -> None:
        """Nothing to free."""

    def _not_applicable(self, name: str, schema: ActionSchema, values: tuple[Plain, ...]) -> Step:
        phrases, objects = self._board.wording.phrases, self._board.grounding.problem.objects
        command = _command(name, values, {})
        names = tuple(str(value) for value in values)
        for value, shown in zip(values, names, strict=True):
            if not isinstance(value, str) or value not in objects:
                return self._invalid(command, phrases.unknown.format(_short(shown)))
        missing = self._board.unmet_requirements(schema, names, self._state)
        return self._invalid(command, phrases.requires.format(command, " ".join(missing)))

    def _invalid(self, command: str, observation: str) -> Step:
        return self._step(command, False, observation)

    def _step(self, command: str, valid: bool, observation: str) -> Step:
        return Step(command, valid, observation, self._best, self._best == 1.0)


def _all_names(values: tuple[Plain, ...]) -> TypeGuard[tuple[str, ...]]:
    return all(isinstance(value, str) for value in values)


def _bind(
    parameters: tuple[str, ...], arguments: Sequence[Plain], keywords: Mapping[str, Plain]
) -> tuple[Plain, ...] | None:
    """The arguments in order of the parameters; None when they do not fit."""
    if not keywords:
        return tuple(arguments) if len(arguments) == len(parameters) else None
    rest = parameters[len(arguments) :]
    if len(arguments) > len(parameters) or set(keywords) != set(rest):
        return None
    return (*arguments, *[keywords[name] for name in rest])


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 3] + "..."


def _command(name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> str:
    parts = [_literal(value) for value in arguments] + [f"{k}={_literal(v)}" for k, v in keywords.items()]
    return f"{name}({', '.join(parts)})"


def _literal(value: Plain) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_NAME else repr(_short(value))
