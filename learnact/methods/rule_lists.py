"""Lists of rules that a model edits line by line: ADD, EDIT, AGREE, REMOVE (ExpeL; AutoManual). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from learnact.methods.learner_replies import MAX_TEXT, shortened, unmarked
from learnact.methods.reply_text import bounded, without_reasoning

Verb = Literal["ADD", "EDIT", "AGREE", "REMOVE"]
NEW = 2
"""The count of a new rule (ExpeL)."""
FULL = 3
"""What REMOVE takes from a rule's count where the list is full (ExpeL); else 1."""
_LINE = re.compile(
    r"[ \t>*`_-]*+(?:\d{1,3}[.)][ \t]*+)?[*`_]*+(ADD|EDIT|AGREE|REMOVE)\b[*`_]*+[ \t]*+"
    r"(?:rule[ \t]++)?#?(\d{1,4})?[ \t]*+(?:\(([^()\n]{0,60})\))?[*`_]*+[ \t]*+[:.-]?[*`_]*+[ \t]*+(.*)",
    re.IGNORECASE,
)
_ITEM = re.compile(r"[ \t]*+(?:[-*•]|\d{1,3}[.)])[ \t]++(\S.*)")


@dataclass(frozen=True)
class ListedRule:
    """A rule in words. `count` is what supports it, `kind` what it is about ("" for none)."""

    text: str
    count: int = NEW
    kind: str = ""


@dataclass(frozen=True)
class Operation:
    """One line of a reply. `number` is the rule's place in the list, from 1; 0 for a new one."""

    verb: Verb
    number: int = 0
    text: str = ""
    kind: str = ""


def operations(reply: str) -> tuple[Operation, ...]:
    """The operations of a reply, in order; what is in none of the forms is left out."""
    found = []
    for line in without_reasoning(bounded(reply), leading=True).split("\n"):
        match = _LINE.match(line)
        if match is None:
            continue
        verb = match[1].upper()
        text = shortened(unmarked(match[4].strip().strip('`*"').strip()), MAX_TEXT)
        text = text if not text or text.endswith((".", "!", "?")) else f"{text}."
        number = int(match[2] or 0)
        needed = {"ADD": bool(text), "EDIT": bool(text and number)}.get(verb, bool(number))
        if needed:
            kind = " ".join((match[3] or "").lower().split())
            found.append(Operation(verb, number, text, kind))  # type: ignore[arg-type]
    return tuple(found)


def edited(rules: Sequence[ListedRule], asked: Sequence[Operation], most: int) -> tuple[ListedRule, ...]:
    """The list after the operations, in ExpeL's order: REMOVE, AGREE, EDIT, ADD; by count, at most `most`.

    A number that is not in the list changes nothing. An EDIT or ADD that holds a rule of the list word for
    word agrees with it. A full list takes no ADD, and REMOVE weighs more in it.
    """
    now = list(rules)
    full = len(now) >= most

    def held(text: str, besides: int) -> int | None:
        words = f" {_words(text)} "
        same = (i for i, rule in enumerate(now) if i != besides and f" {_words(rule.text)} " in words)
        return next(same, None)

    for verb in ("REMOVE", "AGREE", "EDIT", "ADD"):
        for one in (o for o in asked if o.verb == verb):
            at = one.number - 1
            same = held(one.text, at if verb == "EDIT" else -1) if verb in ("EDIT", "ADD") else None
            if same is not None:
                now[same] = replace(now[same], count=now[same].count + (verb == "EDIT"))
            elif verb == "ADD" and not full:
                now.append(ListedRule(one.text, NEW, one.kind))
            elif verb != "ADD" and 0 <= at < len(now):
                change = {"REMOVE": -FULL if full else -1}.get(verb, 1)
                text = one.text if verb == "EDIT" else now[at].text
                now[at] = replace(now[at], text=text, count=now[at].count + change)
    kept = [rule for rule in now if rule.count > 0]
    return tuple(sorted(kept, key=lambda rule: -rule.count)[:most])


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def numbered(rules: Sequence[ListedRule]) -> str:
    """The list as a learner is shown it."""
    return "\n".join(
        f"{n}. {f'({rule.kind}) ' if rule.kind else ''}{rule.text}" for n, rule in enumerate(rules, 1)
    )


def items(reply: str) -> tuple[str, ...]:
    """The items of a list in a reply, each a line; the reply's lines where it holds no list."""
    lines = without_reasoning(bounded(reply), leading=True).split("\n")
    found = [match[1] for line in lines if (match := _ITEM.match(line))] or [line for line in lines if line]
    return tuple(dict.fromkeys(shortened(unmarked(text.strip()), MAX_TEXT) for text in found if text.strip()))
