"""A domain's words: one table from atoms to sentences and back (docs/controlled-english.md).

A sentence is written once, e.g. `{0} is [no longer] in {1}.`: without the brackets it says that the fact holds, with them that it was
deleted. The table is a YAML file; `Wording.check` holds it against the domain's rules, so that a broken table is refused when it is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learnact.domains.planning.names import OBJECT
from learnact.domains.planning.pddl import Atom, Rules, Schema
from learnact.errors import TaskError, suggestion

NAME = re.compile(r"[a-z][a-z0-9_-]*")
"""What a name of an object, a parameter or a kind may be."""

_GONE = re.compile(r"\[(no longer|not)\] ")
_PLACE = re.compile(r"\{(\d+)\}")
_Sentence = Annotated[str, Field(pattern=r"^[^.:;]+\.$")]


class Phrases(BaseModel):
    """The words around the facts. `{0}`, `{1}` are filled in as said behind each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    goal: str = "{0}"
    """{0}: what must hold."""
    objects: str = "Objects:\n{0}"
    """{0}: a line for each kind; empty leaves the objects out of the first observation."""
    now: str = "Now: {0}"
    """{0}: what holds and can change."""
    never: str = "Facts that never change: {0}"
    """{0}: the facts that no action changes; empty leaves them out."""
    requires: str = "No effect: {0} requires: {1}"
    """{0}: the call, {1}: every requirement that does not hold."""
    unknown: str = "No effect: there is no {0}."
    """{0}: a name of an object that does not exist."""
    takes: str = "No effect: {0} takes {1}."
    """{0}: the action, {1}: its parameters."""
    no_action: str = "No effect: there is no action {0}."
    """{0}: a name of an action that does not exist."""


class Act(BaseModel):
    """A step of the worked example: the call and the thought before it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    do: tuple[str, ...] = Field(min_length=1)
    """The primitive's name and its arguments."""
    think: str = ""


class Worked(BaseModel):
    """The worked example: a problem in PDDL and how it is solved."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    problem: str
    steps: tuple[Act, ...]


class Wording(BaseModel):
    """A table of sentences: everything that a model reads of a domain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    instruction: str
    """What the world is like, in a few sentences, without the list of actions."""
    parameters: dict[str, tuple[str, ...]]
    """The names of each action's parameters, in order."""
    sentences: dict[str, _Sentence]
    """A sentence for each predicate, in the order in which a state is told."""
    example: Worked
    phrases: Phrases = Phrases()

    @classmethod
    def read(cls, text: str, where: str) -> Wording:
        """The table in a YAML text; raises `TaskError` naming `where` and the key."""
        try:
            return cls.model_validate(yaml.load(text, Loader=yaml.BaseLoader))
        except yaml.YAMLError as error:
            raise TaskError(f"{where}: {' '.join(str(error).split())}") from None
        except ValidationError as error:
            first = error.errors()[0]
            raise TaskError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    def check(self, rules: Rules, where: str) -> None:
        """Refuse a table that does not fit the rules or would be ambiguous to read; raises `TaskError`."""
        for predicate, count in rules.predicates.items():
            sentence = self.sentences.get(predicate, "")
            if not sentence:
                raise TaskError(
                    f"{where}: sentences: there is none for {predicate}; {suggestion(predicate, self.sentences)}"
                )
            if sorted(map(int, _PLACE.findall(sentence))) != list(range(count)):
                raise TaskError(
                    f"{where}: sentences.{predicate}: expected {{0}} to {{{count - 1}}}, each once"
                )
        self._check_unlike(rules, where)
        for schema in rules.schemas:
            names = self.parameters.get(schema.name)
            if names is None or len(names) != len(schema.parameters):
                raise TaskError(f"{where}: parameters.{schema.name}: expected {len(schema.parameters)} names")
            for name in names:
                if not NAME.fullmatch(name) or name in self.words or name in rules.constants:
                    raise TaskError(
                        f"{where}: parameters.{schema.name}: {name} is a word of a sentence, a constant or no plain name"
                    )
            for atom in {a[0] for a in schema.deletes}:
                if not _GONE.search(self.sentences[atom]):
                    raise TaskError(
                        f"{where}: sentences.{atom}: {schema.name} deletes it: say where `[no longer]` stands"
                    )

    def _check_unlike(self, rules: Rules, where: str) -> None:
        """No sentence may be read as another predicate's."""
        for predicate, count in rules.predicates.items():
            for form in self._forms[predicate]:
                sentence = form.format(*[f"name-{i}" for i in range(count)])
                for other, _, _, pattern in self._patterns:
                    if other != predicate and pattern.fullmatch(sentence):
                        raise TaskError(f"{where}: sentences.{predicate}: reads like {other}: {sentence}")

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of every sentence: what no parameter and no object may be called."""
        return frozenset(
            word for text in self.sentences.values() for word in NAME.findall(_PLACE.sub(" ", text.lower()))
        )

    @cached_property
    def order(self) -> dict[str, int]:
        """The place of each predicate in the table."""
        return {predicate: i for i, predicate in enumerate(self.sentences)}

    @cached_property
    def _forms(self) -> dict[str, tuple[str, str]]:
        return {p: (_GONE.sub("", s), _GONE.sub(r"\1 ", s)) for p, s in self.sentences.items()}

    @cached_property
    def _patterns(self) -> tuple[tuple[str, bool, tuple[int, ...], re.Pattern[str]], ...]:
        return tuple(
            (
                predicate,
                holds,
                tuple(map(int, _PLACE.findall(form))),
                re.compile(
                    "".join(
                        f"({NAME.pattern})" if i % 2 else re.escape(part)
                        for i, part in enumerate(_PLACE.split(form))
                    )
                ),
            )
            for predicate, forms in self._forms.items()
            for holds, form in zip((True, False), forms, strict=True)
        )

    def say(self, atom: Atom, holds: bool = True) -> str:
        """The sentence of an atom, or of its deletion."""
        return self._forms[atom[0]][not holds].format(*atom[1:])

    def hear(self, sentence: str) -> tuple[Atom, bool] | None:
        """The atom of a sentence and whether it holds; None for a sentence that is not the domain's."""
        for predicate, holds, order, pattern in self._patterns:
            if match := pattern.fullmatch(sentence):
                arguments = dict(zip(order, match.groups(), strict=True))
                return (predicate, *[arguments[i] for i in range(len(order))]), holds
        return None

    def tell(self, atoms: Iterable[Atom]) -> str:
        """Sentences of atoms that hold, in the order given."""
        return " ".join(map(self.say, atoms))

    def describe(self, schema: Schema) -> str:
        """An action in words: `Requires: ... Then: ...`; a fact both deleted and added is not written as deleted."""
        names = dict(zip(schema.parameters, self.parameters[schema.name], strict=True))

        def rename(atom: Atom) -> Atom:
            return (atom[0], *[names.get(term, term) for term in atom[1:]])

        requires = [self.say(rename(atom)) for atom in schema.requires]
        then = [self.say(rename(atom)) for atom in schema.adds]
        then += [self.say(rename(atom), False) for atom in schema.deletes if atom not in schema.adds]
        parts = (["Requires:", *requires] if requires else []) + (["Then:", *then] if then else [])
        return " ".join(parts)


def kind_lines(kinds: Mapping[str, list[str]]) -> str:
    """One line for each kind that has objects; every object stands under each kind that it belongs to."""
    return "\n".join(f"- {kind}: {', '.join(names)}." for kind, names in kinds.items() if names)


def is_a(name: str, kind: str) -> str:
    """The sentence that says of what kind something is."""
    return f"{name} is {'an' if kind[0] in 'aeiou' else 'a'} {kind if kind != OBJECT else 'object'}."
