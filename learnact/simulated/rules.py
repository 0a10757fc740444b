"""An action's line, read: parameters, requirements and effects as sentences with places for names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from learnact.simulated import text

ACTION_LINE = re.compile(r"^- ([A-Za-z_]\w*)\(([^()]*)\)(?::\s*(.*))?$")
"""An action in its section: name, parameters, and what is said of it."""

FOR_EACH = re.compile(r"Does: for each (\w+(?:, \w+)*) of (\w+(?:, \w+)*): ")
"""How a description says that its steps are done for each element of lists."""


@dataclass(frozen=True)
class Clause:
    """A sentence of a rule. `words` as written; `places[i]` is the parameter that stands at word i, or -1."""

    words: tuple[str, ...]
    places: tuple[int, ...]
    index: int = field(compare=False, default=0)
    """Which sentence of the prompt it is, counted from the beginning."""

    @property
    def text(self) -> str:
        """The sentence as written."""
        return " ".join(self.words)

    @property
    def template(self) -> str:
        """The sentence as a format string over the arguments."""
        return " ".join(w if p < 0 else f"{{{p}}}" for w, p in zip(self.words, self.places, strict=True))

    @property
    def parameters(self) -> tuple[int, ...]:
        """Parameters that occur in it."""
        return tuple(dict.fromkeys(p for p in self.places if p >= 0))

    def match(self, words: tuple[str, ...]) -> dict[int, str] | None:
        """Which names make it that sentence, or None."""
        if len(words) != len(self.words):
            return None
        found: dict[int, str] = {}
        for mine, place, theirs in zip(self.words, self.places, words, strict=True):
            if (mine != theirs) if place < 0 else (found.setdefault(place, theirs) != theirs):
                return None
        return found

    def may_be(self, other: Clause) -> bool:
        """Whether some names make both the same sentence."""
        return len(self.words) == len(other.words) and all(
            mine == theirs or p >= 0 or q >= 0
            for mine, theirs, p, q in zip(self.words, other.words, self.places, other.places, strict=True)
        )


def clause(sentence: str, parameters: tuple[str, ...], index: int = 0) -> Clause:
    """A sentence with parameters in it. In "nut is a nut" the second is a kind, whatever the parameters
    are called."""
    words = tuple(sentence.split())
    places = [parameters.index(w) if w in parameters else -1 for w in words]
    if len(words) == 4 and words[1:3] == ("is", "a"):
        places[3] = -1
    return Clause(words, tuple(places), index)


@dataclass(frozen=True)
class Rule:
    """A primitive or learned action as its line tells it. `known`: whether the line says what it does."""

    name: str
    parameters: tuple[str, ...]
    requires: tuple[Clause, ...] = ()
    adds: tuple[Clause, ...] = ()
    deletes: tuple[Clause, ...] = ()
    kinds: tuple[Clause, ...] = ()
    does: tuple[text.ActionCall, ...] = ()
    learned: bool = False
    index: int = field(compare=False, default=0)
    lists: frozenset[int] = frozenset()
    """Places of parameters that are lists; the parameter is then called as one element of it."""

    def call(self, arguments: tuple[str, ...]) -> text.ActionCall:
        """A call with these names; lists hold one."""
        if not self.lists:
            return text.ActionCall(self.name, arguments)
        written = (text.listed((a,)) if i in self.lists else a for i, a in enumerate(arguments))
        return text.ActionCall(self.name, tuple(written))

    @property
    def known(self) -> bool:
        """Whether the line says what changes."""
        return bool(self.adds or self.deletes)

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """All sentences: requirements, then what is so afterwards, then what no longer is."""
        return self.requires + self.adds + self.deletes


def read_lines(body: str, start: int, learned: bool) -> list[Rule]:
    """The rules of a section whose first sentence is number `start`. Notes below a line add requirements
    to it."""
    found: list[Rule] = []
    index = start
    for line in body.splitlines():
        match = ACTION_LINE.match(line.strip())
        if match:
            found.append(_read(match[1], match[2], match[3] or "", index, learned))
        elif line.strip().startswith("Note:") and found:
            found[-1] = _with_note(found[-1], line.strip().removeprefix("Note:"), index)
        index += text.count(line)
    return found


def _read(name: str, inside: str, body: str, index: int, learned: bool) -> Rule:
    parameters, kinds = _parameters(inside)
    parameters, lists = _elements(parameters, body)
    requires: list[Clause] = []
    adds: list[Clause] = []
    deletes: list[Clause] = []
    does: tuple[text.ActionCall, ...] = ()
    at = index
    for label, part in text.labelled(body):
        if label == "Does":
            does = tuple(text.calls(part))
        if label not in ("Requires", "Then"):
            at += text.count(part)
            continue
        for sentence in text.split(part):
            written, holds = text.positive(text.plain_article(sentence))
            found = clause(written, parameters, at)
            at += 1
            if label == "Then":
                (adds if holds else deletes).append(found)
            elif holds:
                requires.append(found)
    return Rule(
        name=name,
        parameters=parameters,
        requires=tuple(requires),
        adds=tuple(adds),
        deletes=tuple(deletes),
        kinds=kinds,
        does=does,
        learned=learned,
        index=index,
        lists=lists,
    )


def _elements(parameters: tuple[str, ...], body: str) -> tuple[tuple[str, ...], frozenset[int]]:
    """Parameters with each list called as one element of it, where the line says "for each x of xs", and the
    places of these."""
    match = FOR_EACH.search(body)
    if match is None:
        return parameters, frozenset()
    element = dict(zip(match[2].split(", "), match[1].split(", "), strict=False))
    lists = frozenset(i for i, p in enumerate(parameters) if p in element)
    return tuple(element.get(p, p) for p in parameters), lists


def _parameters(inside: str) -> tuple[tuple[str, ...], tuple[Clause, ...]]:
    parts = [p.strip() for p in inside.split(",") if p.strip() and p.strip() not in "*/"]
    pairs = [p.split("=")[0].partition(":") for p in parts]
    parameters = tuple(name.strip().lstrip("*") for name, _, _ in pairs)
    kinds = tuple(
        clause(text.is_a(parameters[i], kind.strip()), parameters)
        for i, (_, _, kind) in enumerate(pairs)
        if kind.strip()
    )
    return parameters, kinds


def _with_note(rule: Rule, note: str, index: int) -> Rule:
    """A note that holds a sentence about the parameters is one more requirement; other notes say nothing
    to this reader."""
    added = []
    for sentence in text.split(note):
        written, holds = text.positive(text.plain_article(_after_lead_in(sentence)))
        found = clause(written, rule.parameters, index)
        if holds and found.parameters:
            added.append(found)
    return replace(rule, requires=rule.requires + tuple(added))


def _after_lead_in(sentence: str) -> str:
    """What follows "only when", "only if" or a label, if one of them stands there."""
    for lead in (" only when ", " only if ", ": "):
        _, found, rest = sentence.rpartition(lead)
        if found:
            return rest
    return sentence
