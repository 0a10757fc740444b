"""PDDL text to plain data: STRIPS with types, `:constants` and untyped objects.

Covers: positive preconditions and goals (an atom or `and` of atoms), effects that add and delete atoms. Refuses, with the line:
negative or quantified conditions, conditional effects, numbers, `either`. Reads what published files hold: a variable glued to
the word before it (`level?l1`), sections in any order, no `:requirements`, objects declared twice, names in any case. Types of a
predicate's arguments are not checked (published files declare them wrongly); its number of arguments is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from learnact.errors import TaskError

Atom: TypeAlias = tuple[str, ...]
"""A predicate and its arguments; in an action schema an argument that starts with `?` is a parameter."""

OBJECT = "object"
"""The type of everything."""

_TOKEN = re.compile(r"[()]|\?[^\s()?]+|[^\s()?]+|\?")


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


class _Form(list["_Form | _Word"]):
    """A parenthesis: its items and the line it starts on."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class _Word(str):
    """A word and its line."""

    line: int


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


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Sort key that puts `b2` before `b10`."""
    return tuple(
        (word, int(number or 0)) for word, number in re.findall(r"([^\d]*)(\d*)", name) if word or number
    )


def natural_atom(atom: Atom) -> tuple[tuple[tuple[str, int], ...], ...]:
    """Sort key of atoms: predicate, then arguments, numbers counted as numbers."""
    return tuple(natural(part) for part in atom)


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean a, b?` or, with nothing near, what is known; for the end of an error message."""
    names = sorted(known, key=natural)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(close)}?" if close else f"; known: {', '.join(names[:12]) or 'none'}"


def _show(atom: Atom) -> str:
    return f"({' '.join(atom)})"


class _Reader:
    """Reads one text; `where` names it in errors."""

    def __init__(self, where: str) -> None:
        self.where = where

    def fail(self, line: int, message: str) -> NoReturn:
        raise TaskError(f"{self.where}:{line}: {message}")

    # Text to forms ----------------------------------------------------------------------------------------------------

    def words(self, text: str) -> Iterator[_Word]:
        for line, content in enumerate(text.lower().splitlines(), 1):
            for token in _TOKEN.findall(content.partition(";")[0]):
                word = _Word(token)
                word.line = line
                yield word

    def form(self, text: str) -> _Form:
        """The one parenthesis that the text consists of."""
        stack: list[_Form] = [_Form(1)]
        last = 1
        for word in self.words(text):
            last = word.line
            if word == "(":
                stack.append(_Form(word.line))
            elif word == ")":
                if len(stack) == 1:
                    self.fail(word.line, "a `)` closes nothing")
                closed = stack.pop()
                stack[-1].append(closed)
            else:
                stack[-1].append(word)
        if len(stack) > 1:
            self.fail(stack[-1].line, f"this `(` is never closed (the text ends on line {last})")
        top = stack[0]
        if len(top) != 1 or not isinstance(top[0], _Form) or not top[0] or top[0][0] != "define":
            self.fail(1, "expected one `(define ...)`")
        return top[0]

    def sections(self, form: _Form, known: Sequence[str]) -> Iterator[tuple[str, _Form]]:
        for part in form[1:]:
            if not isinstance(part, _Form) or not part or not isinstance(part[0], _Word):
                self.fail(part.line, "expected a section like `(:init ...)`")
            head = str(part[0])
            if head not in known:
                self.fail(part.line, f"`{head}` is not supported{nearest(head, known)}")
            yield head, part

    def name(self, part: _Form) -> str:
        if len(part) != 2 or not isinstance(part[1], _Word):
            self.fail(part.line, f"expected `({part[0]} NAME)`")
        return str(part[1])

    def typed(self, parts: Iterable[_Form | _Word]) -> list[tuple[_Word, str]]:
        """A list like `a b - kind c`: each name with its type."""
        pairs: list[tuple[_Word, str]] = []
        waiting: list[_Word] = []
        items = iter(parts)
        for item in items:
            if isinstance(item, _Form):
                self.fail(item.line, "expected a name here, not a parenthesis")
            if item != "-":
                waiting.append(item)
                continue
            kind = next(items, None)
            if not isinstance(kind, _Word) or not waiting:
                self.fail(item.line, "expected `names - type` (`either` is not supported)")
            pairs += [(word, str(kind)) for word in waiting]
            waiting = []
        return pairs + [(word, OBJECT) for word in waiting]

    # Domain -----------------------------------------------------------------------------------------------------------

    def rules(self, text: str) -> Rules:
        form = self.form(text)
        known = ("domain", ":requirements", ":types", ":constants", ":predicates", ":action")
        name = ""
        parents: dict[str, str] = {}
        predicates: dict[str, int] = {}
        constants: dict[str, tuple[str, ...]] = {}
        actions: list[_Form] = []
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

    def schema(self, part: _Form, rules: Rules) -> Schema:
        fields: dict[str, _Form] = {}
        if len(part) < 2 or len(part) % 2:
            self.fail(
                part.line, "expected `(:action NAME :parameters (...) :precondition (...) :effect (...))`"
            )
        for key, value in zip(part[2::2], part[3::2], strict=True):
            if key not in (":parameters", ":precondition", ":effect") or not isinstance(value, _Form):
                self.fail(key.line, f"`{key}` is not supported in an action")
            fields[str(key)] = value
        pairs = self.typed(fields.get(":parameters", _Form(part.line)))
        for word, kind in pairs:
            self.known_type(kind, rules, word.line)
            if not word.startswith("?"):
                self.fail(word.line, f"parameter {word} of {part[1]} must start with `?`")
        names = {str(word) for word, _ in pairs}
        known = names | set(rules.constants)
        requires = self.atoms(fields.get(":precondition", _Form(part.line)), rules, known)
        adds: list[Atom] = []
        deletes: list[Atom] = []
        for item in self.conjuncts(fields.get(":effect", _Form(part.line))):
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
        sections = dict[str, _Form]()
        for head, part in self.sections(
            form, ("problem", ":domain", ":requirements", ":objects", ":init", ":goal")
        ):
            sections[head] = part
        if ":objects" in sections:
            objects = self.objects(sections[":objects"], objects)
            for kind in {kind for kinds in objects.values() for kind in kinds}:
                self.known_type(kind, rules, sections[":objects"].line)
        for item in sections.get(":init", _Form(form.line))[1:]:
            init.append(self.atom(item, rules, objects))
        if ":goal" not in sections or len(sections[":goal"]) != 2:
            self.fail(form.line, "expected one `(:goal ...)`")
        goal = self.atoms(self.plain(sections[":goal"][1]), rules, objects)
        if not goal:
            self.fail(sections[":goal"].line, "the goal is empty")
        return Problem(objects, frozenset(init), tuple(dict.fromkeys(goal)))

    def objects(self, part: _Form, before: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        found = dict(before)
        for word, kind in self.typed(part[1:]):
            kinds = found.get(str(word), ())
            found[str(word)] = kinds if kind in kinds else (*kinds, kind)
        return found

    # Atoms ------------------------------------------------------------------------------------------------------------

    def plain(self, item: _Form | _Word) -> _Form:
        if not isinstance(item, _Form) or not item:
            self.fail(item.line, "expected a parenthesis with something in it")
        return item

    def conjuncts(self, form: _Form) -> list[_Form]:
        if not form:
            return []
        return [self.plain(item) for item in form[1:]] if form[0] == "and" else [form]

    def atoms(self, form: _Form, rules: Rules, known: Iterable[str]) -> list[Atom]:
        return [self.atom(item, rules, known) for item in self.conjuncts(form)]

    def atom(self, item: _Form | _Word, rules: Rules, known: Iterable[str]) -> Atom:
        form = self.plain(item)
        predicate = str(form[0])
        if predicate not in rules.predicates:
            if predicate in ("not", "or", "imply", "forall", "exists", "when", "=", "increase"):
                self.fail(
                    form.line, f"`{predicate}` is not supported here: only positive STRIPS conditions are"
                )
            self.fail(form.line, f"there is no predicate {predicate}{nearest(predicate, rules.predicates)}")
        if any(isinstance(part, _Form) for part in form[1:]):
            self.fail(form.line, f"arguments of {predicate} must be names")
        arguments = [str(part) for part in form[1:]]
        if len(arguments) != rules.predicates[predicate]:
            self.fail(
                form.line, f"{predicate} takes {rules.predicates[predicate]} arguments, not {len(arguments)}"
            )
        for argument in arguments:
            if argument not in known:
                self.fail(form.line, f"there is no {argument}{nearest(argument, known)}")
        return (predicate, *arguments)

    def known_type(self, kind: str, rules: Rules, line: int) -> None:
        if kind != OBJECT and kind not in rules.parents:
            self.fail(line, f"there is no type {kind}{nearest(kind, rules.parents)}")
