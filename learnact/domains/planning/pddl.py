"""PDDL text to plain data: STRIPS with types, `:constants` and untyped objects.

Covers: positive preconditions and goals (an atom or `and` of atoms), effects that add and delete atoms. Refuses, with the line:
negative or quantified conditions, conditional effects, numbers, `either`. Reads what published files hold: a variable glued to
the word before it (`level?l1`), sections in any order, no `:requirements`, objects declared twice, names in any case. Types of a
predicate's arguments are not checked (published files declare them wrongly); its number of arguments is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from learnact.domains.planning.expressions import Form, FormReader, Word
from learnact.domains.planning.names import OBJECT, natural
from learnact.errors import suggestion

Atom: TypeAlias = tuple[str, ...]
"""A predicate and its arguments; in an action schema an argument that starts with `?` is a parameter."""


@dataclass(frozen=True)
class Schema:
    """An action: parameters with their types, in order; conditions and effects over them and over constants."""

    name: str
    parameters: tuple[str, ...]
    types: tuple[str, ...]
    requires: tuple[Atom, ...]
    adds: tuple[Atom, ...]
    deletes: tuple[Atom, ...]


@dataclass(frozen=True)
class Rules:
    """A domain file. `parents` maps a type to its parent; `predicates` a predicate to its number of arguments."""

    name: str
    parents: dict[str, str]
    constants: dict[str, tuple[str, ...]]
    predicates: dict[str, int]
    schemas: tuple[Schema, ...]

    @property
    def typed(self) -> bool:
        """Whether the domain has types besides `object`."""
        return bool(self.parents)

    def kinds(self, declared: str) -> tuple[str, ...]:
        """A type and its ancestors, nearest first, `object` last."""
        line = [declared]
        while line[-1] != OBJECT:
            line.append(self.parents.get(line[-1], OBJECT))
        return tuple(line)


@dataclass(frozen=True)
class Problem:
    """A problem file. `objects` maps a name to its declared types and includes the domain's constants."""

    objects: dict[str, tuple[str, ...]]
    init: frozenset[Atom]
    goal: tuple[Atom, ...]


def parse_rules(text: str, where: str = "domain") -> Rules:
    """The domain in `text`; raises `TaskError` naming `where` and the line."""
    return _Reader(where).rules(text)


def parse_problem(text: str, rules: Rules, where: str = "problem") -> Problem:
    """The problem in `text` for `rules`; raises `TaskError` naming `where` and the line."""
    return _Reader(where).problem(text, rules)


def write_problem(problem: Problem, rules: Rules) -> str:
    """Canonical PDDL of a problem: equal text for equal problems, whatever their names, blanks and order were."""
    objects = [
        f"{name} - {kind}" if rules.typed else name
        for name, kinds in sorted(problem.objects.items(), key=lambda item: natural(item[0]))
        for kind in kinds
        if kind not in rules.constants.get(name, ())
    ]
    init = sorted(problem.init, key=natural_atom)
    goal = sorted(problem.goal, key=natural_atom)
    return (
        f"(define (problem task) (:domain {rules.name})\n"
        f"(:objects {' '.join(objects)})\n"
        f"(:init {' '.join(map(_show, init))})\n"
        f"(:goal (and {' '.join(map(_show, goal))})))\n"
    )


def natural_atom(atom: Atom) -> tuple[tuple[tuple[str, int], ...], ...]:
    """Sort key of atoms: predicate, then arguments, numbers counted as numbers."""
    return tuple(natural(part) for part in atom)


def _show(atom: Atom) -> str:
    return f"({' '.join(atom)})"


class _Reader(FormReader):
    """Reads domains and problems; `where` names the text in errors."""

    # Domain -----------------------------------------------------------------------------------------------------------

    def rules(self, text: str) -> Rules:
        form = self.form(text)
        known = ("domain", ":requirements", ":types", ":constants", ":predicates", ":action")
        name = ""
        parents: dict[str, str] = {}
        predicates: dict[str, int] = {}
        constants: dict[str, tuple[str, ...]] = {}
        actions: list[Form] = []
        for head, part in self.sections(form, known):
            if head == "domain":
                name = self.name(part)
            elif head == ":types":
                parents = {str(word): kind for word, kind in self.typed(part[1:]) if word != OBJECT}
            elif head == ":constants":
                constants = self.objects(part, {})
            elif head == ":predicates":
                for item in part[1:]:
                    predicate = self.plain(item)
                    if not isinstance(predicate[0], Word):
                        self.fail(item.line, "a predicate starts with its name")
                    predicates[str(predicate[0])] = len(self.typed(predicate[1:]))
            elif head == ":action":
                actions.append(part)
        rules = Rules(name, self.ancestry(parents, form.line), constants, predicates, ())
        for declared in (kind for kinds in constants.values() for kind in kinds):
            self.known_type(declared, rules, form.line)
        schemas = tuple(self.schema(part, rules) for part in actions)
        if len({s.name for s in schemas}) != len(schemas) or not schemas:
            self.fail(form.line, "expected one or more actions, each with a name of its own")
        return Rules(name, rules.parents, constants, predicates, schemas)

    def ancestry(self, parents: dict[str, str], line: int) -> dict[str, str]:
        """Adds parents that are only mentioned; refuses circles."""
        for kind in [k for k in parents.values() if k != OBJECT and k not in parents]:
            parents[kind] = OBJECT
        for kind in parents:
            seen = {kind}
            while (kind := parents.get(kind, OBJECT)) != OBJECT:
                if kind in seen:
                    self.fail(line, f"type {kind} is its own ancestor")
                seen.add(kind)
        return parents

    def schema(self, part: Form, rules: Rules) -> Schema:
        fields: dict[str, Form] = {}
        if len(part) < 2 or len(part) % 2 or not isinstance(part[1], Word):
            self.fail(
                part.line, "expected `(:action NAME :parameters (...) :precondition (...) :effect (...))`"
            )
        for key, value in zip(part[2::2], part[3::2], strict=True):
            if key not in (":parameters", ":precondition", ":effect") or not isinstance(value, Form):
                self.fail(key.line, f"`{key}` is not supported in an action")
            fields[str(key)] = value
        pairs = self.typed(fields.get(":parameters", Form(part.line)))
        for word, kind in pairs:
            self.known_type(kind, rules, word.line)
            if not word.startswith("?"):
                self.fail(word.line, f"parameter {word} of {part[1]} must start with `?`")
        names = {str(word) for word, _ in pairs}
        known = names | set(rules.constants)
        requires = self.atoms(fields.get(":precondition", Form(part.line)), rules, known)
        adds: list[Atom] = []
        deletes: list[Atom] = []
        for item in self.conjuncts(fields.get(":effect", Form(part.line))):
            if item and item[0] == "not" and len(item) == 2:
                deletes.append(self.atom(item[1], rules, known))
            else:
                adds.append(self.atom(item, rules, known))
        return Schema(
            str(part[1]),
            tuple(str(word) for word, _ in pairs),
            tuple(kind for _, kind in pairs),
            tuple(dict.fromkeys(requires)),
            tuple(dict.fromkeys(adds)),
            tuple(dict.fromkeys(deletes)),
        )

    # Problem ----------------------------------------------------------------------------------------------------------

    def problem(self, text: str, rules: Rules) -> Problem:
        form = self.form(text)
        objects = dict(rules.constants)
        init: list[Atom] = []
        goal: list[Atom] = []
        sections = dict[str, Form]()
        for head, part in self.sections(
            form, ("problem", ":domain", ":requirements", ":objects", ":init", ":goal")
        ):
            sections[head] = part
        if ":objects" in sections:
            objects = self.objects(sections[":objects"], objects)
            for kind in {kind for kinds in objects.values() for kind in kinds}:
                self.known_type(kind, rules, sections[":objects"].line)
        for item in sections.get(":init", Form(form.line))[1:]:
            init.append(self.atom(item, rules, objects))
        if ":goal" not in sections or len(sections[":goal"]) != 2:
            self.fail(form.line, "expected one `(:goal ...)`")
        goal = self.atoms(self.plain(sections[":goal"][1]), rules, objects)
        if not goal:
            self.fail(sections[":goal"].line, "the goal is empty")
        return Problem(objects, frozenset(init), tuple(dict.fromkeys(goal)))

    def objects(self, part: Form, before: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        found = dict(before)
        for word, kind in self.typed(part[1:]):
            kinds = found.get(str(word), ())
            found[str(word)] = kinds if kind in kinds else (*kinds, kind)
        return found

    # Atoms ------------------------------------------------------------------------------------------------------------

    def conjuncts(self, form: Form) -> list[Form]:
        if not form:
            return []
        return [self.plain(item) for item in form[1:]] if form[0] == "and" else [form]

    def atoms(self, form: Form, rules: Rules, known: Iterable[str]) -> list[Atom]:
        return [self.atom(item, rules, known) for item in self.conjuncts(form)]

    def atom(self, item: Form | Word, rules: Rules, known: Iterable[str]) -> Atom:
        form = self.plain(item)
        predicate = str(form[0])
        if predicate not in rules.predicates:
            if predicate in ("not", "or", "imply", "forall", "exists", "when", "=", "increase"):
                self.fail(
                    form.line, f"`{predicate}` is not supported here: only positive STRIPS conditions are"
                )
            self.fail(
                form.line, f"there is no predicate {predicate}; {suggestion(predicate, rules.predicates)}"
            )
        if any(isinstance(part, Form) for part in form[1:]):
            self.fail(form.line, f"arguments of {predicate} must be names")
        arguments = [str(part) for part in form[1:]]
        if len(arguments) != rules.predicates[predicate]:
            self.fail(
                form.line, f"{predicate} takes {rules.predicates[predicate]} arguments, not {len(arguments)}"
            )
        for argument in arguments:
            if argument not in known:
                self.fail(form.line, f"there is no {argument}; {suggestion(argument, known)}")
        return (predicate, *arguments)

    def known_type(self, kind: str, rules: Rules, line: int) -> None:
        if kind != OBJECT and kind not in rules.parents:
            self.fail(line, f"there is no type {kind}; {suggestion(kind, rules.parents)}")
