"""PDDL text to plain data: STRIPS with types, `:constants` and untyped objects.

Covers: positive preconditions and goals (an atom, or `and` of atoms, also nested), effects that add and
delete atoms. Refuses, with the line: negative or quantified conditions, conditional effects, numbers,
`either`, and whatever is declared twice with different meanings, because reading one of the two would drop
the other in silence. Reads what published files hold: a variable glued to the word before it (`level?l1`),
sections in any order, no `:requirements`, objects declared twice, names in any case. The types of a
predicate's arguments are not checked (published files declare them wrongly); the number of its arguments is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TypeAlias

from learnact.domains.checks import function_name_fault
from learnact.domains.planning.names import OBJECT, natural_sort_key, nearest, python_name
from learnact.domains.planning.s_expressions import SExpression, SExpressionReader, Token

Atom: TypeAlias = tuple[str, ...]
"""A predicate and its arguments; in an action schema an argument that starts with `?` is a parameter."""

MAX_OBJECTS = 500
"""Objects of a problem. Published problems have up to about 100; a plan for 3,000 takes minutes."""
_UNSUPPORTED = (
    "not",
    "or",
    "and",
    "imply",
    "forall",
    "exists",
    "when",
    "=",
    "<",
    ">",
    "increase",
    "decrease",
    "assign",
)
_ACTION_FORM = "expected `(:action NAME :parameters (...) :precondition (...) :effect (...))`"


@dataclass(frozen=True)
class ActionSchema:
    """An action: parameters with their types, in order; conditions and effects over them and over
    constants."""

    name: str
    parameters: tuple[str, ...]
    types: tuple[str, ...]
    requires: tuple[Atom, ...]
    adds: tuple[Atom, ...]
    deletes: tuple[Atom, ...]


@dataclass(frozen=True)
class PddlDomain:
    """A domain file. `parents` maps a type to its parent; `predicates` a predicate to its number of
    arguments."""

    name: str
    parents: dict[str, str]
    constants: dict[str, tuple[str, ...]]
    predicates: dict[str, int]
    schemas: tuple[ActionSchema, ...]

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
class PddlProblem:
    """A problem file. `objects` maps a name to its declared types and includes the domain's constants."""

    objects: dict[str, tuple[str, ...]]
    init: frozenset[Atom]
    goal: tuple[Atom, ...]


def parse_domain(text: str, where: str = "domain") -> PddlDomain:
    """The domain in `text`; raises `TaskError` naming `where` and the line."""
    return _PddlReader(where).domain(text)


def parse_problem(text: str, rules: PddlDomain, where: str = "problem") -> PddlProblem:
    """The problem in `text` for `rules`; raises `TaskError` naming `where` and the line."""
    return _PddlReader(where).problem(text, rules)


def write_problem(problem: PddlProblem, rules: PddlDomain) -> str:
    """Canonical PDDL of a problem: equal text for equal problems, whatever their names, blanks and order
    were."""
    objects = [
        f"{name} - {kind}" if rules.typed else name
        for name, kinds in sorted(problem.objects.items(), key=lambda item: natural_sort_key(item[0]))
        for kind in kinds
        if kind not in rules.constants.get(name, ())
    ]
    init = sorted(problem.init, key=atom_sort_key)
    goal = sorted(problem.goal, key=atom_sort_key)
    return (
        f"(define (problem task) (:domain {rules.name})\n"
        f"(:objects {' '.join(objects)})\n"
        f"(:init {' '.join(map(_atom_text, init))})\n"
        f"(:goal (and {' '.join(map(_atom_text, goal))})))\n"
    )


def atom_sort_key(atom: Atom) -> tuple[tuple[tuple[str, int, str], ...], ...]:
    """Sort key of atoms: predicate, then arguments, numbers compared as numbers."""
    return tuple(natural_sort_key(part) for part in atom)


def _atom_text(atom: Atom) -> str:
    return f"({' '.join(atom)})"


class _PddlReader(SExpressionReader):
    """Reads domains and problems; `where` names the text in errors."""

    # Domain

    def domain(self, text: str) -> PddlDomain:
        form = self.define(text)
        known = ("domain", ":requirements", ":types", ":constants", ":predicates", ":action")
        sections: dict[str, SExpression] = {}
        actions: list[SExpression] = []
        for head, part in self.sections(form, known, repeatable=(":action",)):
            if head == ":action":
                actions.append(part)
            else:
                sections[head] = part
        if "domain" not in sections:
            self.fail(form.line, "expected `(domain NAME)`")
        if not actions:
            self.fail(form.line, "expected one or more actions")
        empty = SExpression(form.line)
        rules = PddlDomain(
            name=self.single_name(sections["domain"]),
            parents=self.types(sections.get(":types", empty)),
            constants={},
            predicates=self.predicates(sections.get(":predicates", empty)),
            schemas=(),
        )
        constants = self.objects(sections.get(":constants", empty), {}, rules)
        rules = replace(rules, constants=constants)
        return replace(rules, schemas=self.schemas(actions, rules))

    def types(self, part: SExpression) -> dict[str, str]:
        """Parents of types, those included that are only mentioned as a parent. Refuses circles."""
        parents: dict[str, str] = {}
        for name, kind in self.typed_names(part[1:]):
            if name != OBJECT and parents.setdefault(str(name), kind) != kind:
                self.fail(name.line, f"type {name} has two parents, {parents[name]} and {kind}")
        for kind in [k for k in parents.values() if k != OBJECT and k not in parents]:
            parents[kind] = OBJECT
        for kind in parents:
            seen = {kind}
            while (kind := parents.get(kind, OBJECT)) != OBJECT:
                if kind in seen:
                    self.fail(part.line, f"type {kind} is its own ancestor")
                seen.add(kind)
        return parents

    def predicates(self, part: SExpression) -> dict[str, int]:
        found: dict[str, int] = {}
        for item in part[1:]:
            predicate = self.non_empty(item)
            name = predicate[0]
            if not isinstance(name, Token):
                self.fail(item.line, "a predicate starts with its name")
            count = len(self.typed_names(predicate[1:]))
            if name in _UNSUPPORTED:
                self.fail(name.line, f"`{name}` is a word of PDDL and cannot be a predicate")
            if found.setdefault(str(name), count) != count:
                self.fail(
                    name.line, f"predicate {name} is declared with {found[name]} arguments and with {count}"
                )
        return found

    def schemas(self, actions: list[SExpression], rules: PddlDomain) -> tuple[ActionSchema, ...]:
        found: dict[str, ActionSchema] = {}
        for part in actions:
            schema = self.schema(part, rules)
            name = python_name(schema.name)
            if fault := function_name_fault(name):
                self.fail(part.line, f"action {schema.name}: {fault}; give it another name")
            if name in found:
                self.fail(part.line, f"action {schema.name}: there is already an action {found[name].name}")
            found[name] = schema
        return tuple(found.values())

    def schema(self, part: SExpression, rules: PddlDomain) -> ActionSchema:
        if len(part) < 2 or len(part) % 2 or not isinstance(part[1], Token):
            self.fail(part.line, _ACTION_FORM)
        fields = self.fields(part)
        empty = SExpression(part.line)
        pairs = self.typed_names(fields.get(":parameters", empty))
        names: set[str] = set()
        for name, kind in pairs:
            self.known_type(name.line, kind, rules)
            if not name.startswith("?"):
                self.fail(name.line, f"parameter {name} of {part[1]} must start with `?`")
            if name in names:
                self.fail(name.line, f"a second parameter {name} of {part[1]}")
            names.add(str(name))
        known = names | set(rules.constants)
        adds: list[Atom] = []
        deletes: list[Atom] = []
        for item in self.conjuncts(fields.get(":effect", empty)):
            if item[0] == "not" and len(item) == 2:
                deletes.append(self.atom(self.negated(item), rules, known))
            else:
                adds.append(self.atom(item, rules, known))
        return ActionSchema(
            name=str(part[1]),
            parameters=tuple(str(name) for name, _ in pairs),
            types=tuple(kind for _, kind in pairs),
            requires=tuple(dict.fromkeys(self.atoms(fields.get(":precondition", empty), rules, known))),
            adds=tuple(dict.fromkeys(adds)),
            deletes=tuple(dict.fromkeys(deletes)),
        )

    def fields(self, part: SExpression) -> dict[str, SExpression]:
        """The parameters, precondition and effect of an action."""
        fields: dict[str, SExpression] = {}
        for key, value in zip(part[2::2], part[3::2], strict=True):
            if not isinstance(key, Token):
                self.fail(key.line, _ACTION_FORM)
            if key not in (":parameters", ":precondition", ":effect"):
                self.fail(key.line, f"`{key}` is not supported in an action")
            if not isinstance(value, SExpression):
                self.fail(value.line, f"expected a parenthesis after `{key}`, not `{value}`")
            if key in fields:
                self.fail(key.line, f"a second {key} of action {part[1]}; write one, with `and`")
            fields[str(key)] = value
        return fields

    def negated(self, item: SExpression) -> SExpression:
        """The atom in `(not ATOM)`."""
        form = self.non_empty(item[1])
        if form[0] == "and":
            self.fail(form.line, "`not` of `and` is not supported: write one `(not ...)` for each atom")
        return form

    # Problem

    def problem(self, text: str, rules: PddlDomain) -> PddlProblem:
        form = self.define(text)
        known = ("problem", ":domain", ":requirements", ":objects", ":init", ":goal")
        sections = dict(self.sections(form, known))
        empty = SExpression(form.line)
        objects = self.objects(sections.get(":objects", empty), rules.constants, rules)
        init = [self.atom(item, rules, objects) for item in sections.get(":init", empty)[1:]]
        if ":goal" not in sections:
            self.fail(form.line, "expected one `(:goal ...)`")
        part = sections[":goal"]
        if len(part) != 2:
            self.fail(
                part.line,
                f"expected one condition in `(:goal ...)`, not {len(part) - 1}; join them with `and`",
            )
        goal = self.atoms(self.non_empty(part[1]), rules, objects)
        if not goal:
            self.fail(part.line, "the goal is empty")
        return PddlProblem(objects, frozenset(init), tuple(dict.fromkeys(goal)))

    def objects(
        self, part: SExpression, before: dict[str, tuple[str, ...]], rules: PddlDomain
    ) -> dict[str, tuple[str, ...]]:
        """Names with their types, added to those before."""
        found = dict(before)
        for name, kind in self.typed_names(part[1:]):
            self.known_type(name.line, kind, rules)
            if name.startswith(("?", ":")):
                self.fail(name.line, f"{name} is not a name of an object")
            if len(found) >= MAX_OBJECTS and name not in found:
                self.fail(name.line, f"more than {MAX_OBJECTS} objects; a problem of this size is not played")
            kinds = found.get(str(name), ())
            found[str(name)] = kinds if kind in kinds else (*kinds, kind)
        return found

    # Atoms

    def conjuncts(self, form: SExpression) -> list[SExpression]:
        """The parts of a condition or effect that all hold: itself, or those of an `and`, also nested."""
        if not form:
            return []
        if form[0] != "and":
            return [form]
        return [part for item in form[1:] for part in self.conjuncts(self.non_empty(item))]

    def atoms(self, form: SExpression, rules: PddlDomain, known: Collection[str]) -> list[Atom]:
        return [self.atom(item, rules, known) for item in self.conjuncts(form)]

    def atom(self, item: SExpression | Token, rules: PddlDomain, known: Collection[str]) -> Atom:
        form = self.non_empty(item)
        if isinstance(form[0], SExpression):
            self.fail(form.line, "expected an atom like `(on a b)`, not a parenthesis in a parenthesis")
        predicate = str(form[0])
        if predicate not in rules.predicates:
            if predicate in _UNSUPPORTED:
                self.fail(
                    form.line, f"`{predicate}` is not supported here: only positive STRIPS conditions are"
                )
            self.fail(form.line, f"there is no predicate {predicate}{nearest(predicate, rules.predicates)}")
        arguments = []
        for part in form[1:]:
            if isinstance(part, SExpression):
                self.fail(part.line, f"arguments of {predicate} must be names")
            arguments.append(str(part))
            if part not in known:
                self.fail(part.line, f"there is no {part}{nearest(part, known)}")
        if len(arguments) != rules.predicates[predicate]:
            self.fail(
                form.line, f"{predicate} takes {rules.predicates[predicate]} arguments, not {len(arguments)}"
            )
        return (predicate, *arguments)

    def known_type(self, line: int, kind: str, rules: PddlDomain) -> None:
        if kind != OBJECT and kind not in rules.parents:
            self.fail(line, f"there is no type {kind}{nearest(kind, rules.parents)}")
