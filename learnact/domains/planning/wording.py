"""A domain's words: one table from atoms to sentences and back (docs/controlled-english.md).

A sentence is written once, e.g. `{0} is [no longer] in {1}.`: without the words in brackets it says that the
fact holds, with them that it was deleted. The table is a YAML file; `Wording.check` compares it with the
domain's rules, so that a broken table is refused when it is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from learnact.domains.checks import parameter_name_fault
from learnact.domains.planning.names import OBJECT, nearest, python_name
from learnact.domains.planning.pddl import ActionSchema, Atom, PddlDomain
from learnact.domains.text_file import YamlFile, read_yaml
from learnact.errors import TaskError

NAME = re.compile(r"[a-z][a-z0-9_-]*")
"""What a name of an object, a parameter or a kind may be (a parameter's without `-`)."""

_GONE = re.compile(r"\[(no longer|not)\] ")
_PLACE = re.compile(r"\{(\d+)\}")
_BRACES = re.compile(r"\{[^{}]*\}|[{}]")
_Sentence = Annotated[str, Field(pattern=r"^[^.:;]+\.$")]


class Phrases(BaseModel):
    """The words around the facts. `{0}`, `{1}` are filled in as each comment says."""

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
    equal: str = "No effect: the arguments of {0} must all be different."
    """{0}: the call; said where `equal_arguments` is `invalid`."""
    differ: str = "The arguments of an action must all be different."
    """Stands at the end of the instruction where `equal_arguments` is `invalid`."""


_PLACES_OF = {"requires": {"{0}", "{1}"}, "takes": {"{0}", "{1}"}, "differ": set[str]()}
"""What stands in braces in a phrase, where it is not `{0}` alone."""


class ExampleStep(BaseModel):
    """A step of the worked example: the call and the thought before it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    do: tuple[str, ...] = Field(min_length=1)
    """The primitive's name and its arguments."""
    think: str = ""


class WorkedExample(BaseModel):
    """The worked example: a problem in PDDL and how it is solved."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    problem: str
    steps: tuple[ExampleStep, ...]


class WorkedFunction(BaseModel):
    """A worked function of the domain itself, with a usage line that is possible in the worked example's
    first state."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    description: str
    usage: str


class Wording(BaseModel):
    """A table of sentences: everything that a model reads of a domain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    instruction: str
    """What the world is like, in a few sentences, without the list of actions."""
    parameters: dict[str, tuple[str, ...]]
    """The names of each action's parameters, in order."""
    sentences: dict[str, _Sentence]
    """A sentence for each predicate, in the order in which a state is described."""
    example: WorkedExample
    function: WorkedFunction | None = None
    """Shown to learners where the job says `learner_example: same_domain`."""
    phrases: Phrases = Phrases()

    _file: YamlFile = PrivateAttr()

    @classmethod
    def parse(cls, text: str, where: str) -> Wording:
        """The table in a YAML text; raises `TaskError` naming `where`, the line and the key."""
        file = read_yaml(text, where)
        try:
            wording = cls.model_validate(file.values)
        except ValidationError as error:
            raise TaskError(_validation_message(file, error)) from None
        wording._file = file
        return wording

    def place(self, *keys: str | int) -> str:
        """`FILE:LINE: a.b`: where a key of the table is."""
        return self._file.place(*keys)

    def check(self, rules: PddlDomain) -> None:
        """Refuse a table that does not fit the rules or would be ambiguous to read; raises `TaskError`."""
        self._check_phrases()
        self._check_sentences(rules)
        self._check_ambiguity(rules)
        for name in self.parameters:
            if name not in {schema.name for schema in rules.schemas}:
                near = nearest(name, (schema.name for schema in rules.schemas))
                raise TaskError(f"{self.place('parameters', name)}: there is no action {name}{near}")
        for schema in rules.schemas:
            self._check_parameters(schema, rules)
            for predicate in {atom[0] for atom in schema.deletes}:
                if not _GONE.search(self.sentences[predicate]):
                    place = self.place("sentences", predicate)
                    raise TaskError(
                        f"{place}: {schema.name} deletes it: write where `[no longer]` is to stand"
                    )

    def _check_phrases(self) -> None:
        for name, phrase in self.phrases:
            places = set(_BRACES.findall(phrase))
            if unknown := places - _PLACES_OF.get(name, {"{0}"}):
                place = self.place("phrases", name)
                raise TaskError(
                    f"{place}: {min(unknown)} stands for nothing here; a brace itself cannot be written"
                )

    def _check_sentences(self, rules: PddlDomain) -> None:
        for predicate, count in rules.predicates.items():
            sentence = self.sentences.get(predicate, "")
            if not sentence:
                near = nearest(predicate, self.sentences)
                raise TaskError(f"{self.place('sentences')}: there is none for {predicate}{near}")
            places = [
                int(found[1:-1]) if found[1:-1].isdecimal() else -1 for found in _BRACES.findall(sentence)
            ]
            if sorted(places) != list(range(count)):
                expected = f"{{0}} to {{{count - 1}}}, each once" if count else "no braces"
                raise TaskError(f"{self.place('sentences', predicate)}: expected {expected}")
        for predicate in self.sentences:
            if predicate not in rules.predicates:
                near = nearest(predicate, rules.predicates)
                raise TaskError(
                    f"{self.place('sentences', predicate)}: there is no predicate {predicate}{near}"
                )

    def _check_parameters(self, schema: ActionSchema, rules: PddlDomain) -> None:
        names = self.parameters.get(schema.name)
        if names is None:
            near = nearest(schema.name, self.parameters)
            raise TaskError(f"{self.place('parameters')}: there are none for {schema.name}{near}")
        place = self.place("parameters", schema.name)
        if len(names) != len(schema.parameters):
            raise TaskError(f"{place}: expected {len(schema.parameters)} names")
        actions = {python_name(other.name) for other in rules.schemas}
        for name in names:
            fault = parameter_name_fault(name)
            if not fault and not NAME.fullmatch(name):
                fault = f"{name} is not a letter and then letters, digits and _, in lower case"
            elif not fault and (name in self.words or name in rules.constants):
                fault = f"{name} is a word of a sentence or a constant"
            elif not fault and name in actions:
                fault = f"{name} is an action's name"
            elif not fault and names.count(name) > 1:
                fault = f"{name} comes twice"
            if fault:
                raise TaskError(f"{place}: {fault}; give the parameter another name")

    def _check_ambiguity(self, rules: PddlDomain) -> None:
        """No sentence may be read as another predicate's."""
        for predicate, count in rules.predicates.items():
            for form in self._forms[predicate]:
                sentence = form.format(*[f"name-{i}" for i in range(count)])
                for other, _, _, pattern in self._patterns:
                    if other != predicate and pattern.fullmatch(sentence):
                        place = self.place("sentences", predicate)
                        raise TaskError(f"{place}: reads like {other}: {sentence}")

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

    def sentence(self, atom: Atom, holds: bool = True) -> str:
        """The sentence of an atom, or of its deletion."""
        return self._forms[atom[0]][not holds].format(*atom[1:])

    def sentences_of(self, atoms: Iterable[Atom]) -> str:
        """Sentences of atoms that hold, in the order given."""
        return " ".join(map(self.sentence, atoms))

    def describe(self, schema: ActionSchema) -> str:
        """An action in words: `Requires: ... Then: ...`; a fact both deleted and added is not written as
        deleted."""
        names = dict(zip(schema.parameters, self.parameters[schema.name], strict=True))

        def rename(atom: Atom) -> Atom:
            return (atom[0], *[names.get(term, term) for term in atom[1:]])

        requires = [self.sentence(rename(atom)) for atom in schema.requires]
        then = [self.sentence(rename(atom)) for atom in schema.adds]
        then += [self.sentence(rename(atom), False) for atom in schema.deletes if atom not in schema.adds]
        parts = (["Requires:", *requires] if requires else []) + (["Then:", *then] if then else [])
        return " ".join(parts)


def kind_lines(kinds: Mapping[str, list[str]]) -> str:
    """One line for each kind that has objects; every object stands under each kind that it belongs to."""
    return "\n".join(f"- {kind}: {', '.join(names)}." for kind, names in kinds.items() if names)


def is_a(name: str, kind: str) -> str:
    """The sentence that says of what kind something is."""
    return f"{name} is {'an' if kind[0] in 'aeiou' else 'a'} {kind if kind != OBJECT else 'object'}."


def _validation_message(file: YamlFile, error: ValidationError) -> str:
    """The first fault of a table, with file, line and key; a misspelt key explains why another is missing."""
    faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    keys = [str(key) for key in faults[0]["loc"]]
    if faults[0]["type"] == "extra_forbidden":
        model: Any = {"phrases": Phrases, "example": WorkedExample}.get(keys[0], Wording)
        model = ExampleStep if "steps" in keys else model
        return f"{file.place(*keys)}: there is no key {keys[-1]}{nearest(keys[-1], model.model_fields)}"
    if faults[0]["type"] == "missing":
        return f"{file.place(*keys[:-1])}: the key {keys[-1]} is missing"
    if not keys:
        return f"{file.where}:1: expected the keys {', '.join(Wording.model_fields)}"
    return f"{file.place(*keys)}: {faults[0]['msg']}"
