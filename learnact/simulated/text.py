"""Plain text split into sections, sentences, labelled parts and calls.

Knows the layout of prompts (docs/architecture.md, "Prompts") and the punctuation of the controlled English
(docs/controlled-english.md); knows no domain. A sentence is kept as its words, without the full stop.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_SENTENCE = re.compile(r"\.(?:\s+|$)")
_CALL = re.compile(r"([A-Za-z_]\w*)\(([^()\n]*)\)")
_ARGUMENT = re.compile(r"(?:\[[^\[\]]*\]|[^,\[\]])+")
_LABELS = re.compile(r"\b(Requires|Then|Does|Example|Note|Now|Goal|Facts that never change): ?")
_NAMES = re.compile(r"^- ([a-z][\w-]*): ([^().]*)\.?$")


def sections(text: str) -> list[tuple[str, str]]:
    """Headings of level two with their bodies, in order; what stands before the first heading has the
    heading ""."""
    parts = _SECTION.split(text)
    found = [("", parts[0])] if parts[0].strip() else []
    return found + [(parts[i].strip(), parts[i + 1].strip("\n")) for i in range(1, len(parts), 2)]


def split(text: str) -> list[str]:
    """The sentences of a text, without full stops and with single blanks."""
    return [" ".join(part.split()) for part in _SENTENCE.split(text) if part.strip()]


def count(text: str) -> int:
    """How many sentences a text holds; a line without a full stop counts as one."""
    return sum(max(1, line.count(". ") + line.endswith(".")) for line in text.splitlines() if line)


def labelled(text: str) -> list[tuple[str, str]]:
    """Parts of a text by the label before them ("Requires", "Then", ...); what stands before the first has
    the label ""."""
    parts = _LABELS.split(text)
    found = [("", parts[0].strip())] if parts[0].strip() else []
    return found + [(parts[i], parts[i + 1].strip()) for i in range(1, len(parts), 2)]


def positive(sentence: str) -> tuple[str, bool]:
    """A sentence without its "no longer" or "not", and whether it said that the fact holds."""
    words = sentence.split()
    for i, word in enumerate(words):
        if word == "no" and words[i + 1 : i + 2] == ["longer"]:
            return " ".join(words[:i] + words[i + 2 :]), False
        if word == "not" and i:
            return " ".join(words[:i] + words[i + 1 :]), False
    return " ".join(words), True


def is_a(name: str, kind: str) -> str:
    """The sentence that says of what kind something is."""
    return f"{name} is a {kind}"


def plain_article(sentence: str) -> str:
    """The sentence with "is an" written "is a", so that kinds compare equal."""
    return sentence.replace(" is an ", " is a ")


@dataclass(frozen=True)
class ActionCall:
    """A call of an action: its name and its arguments, as plain text. An argument that is a list of names is
    its text, as `listed` writes it."""

    name: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        written = (a if a.startswith("[") else repr(a) for a in self.arguments)
        return f"{self.name}({', '.join(written)})"

    @property
    def bare(self) -> str:
        """Without quotation marks, as it stands inside a function."""
        return f"{self.name}({', '.join(self.arguments)})"


def calls(text: str) -> list[ActionCall]:
    """All calls in a text, in order; arguments lose quotation marks and keywords."""
    return [ActionCall(name, _arguments(inside)) for name, inside in _CALL.findall(text)]


def listed(names: Iterable[str]) -> str:
    """A list of names as an argument."""
    return f"[{', '.join(map(repr, names))}]"


def elements(argument: str) -> tuple[str, ...]:
    """The names in an argument: those of a list, else itself."""
    if not argument.startswith("["):
        return (argument,)
    return tuple(name for part in argument.strip("[]").split(",") if (name := part.strip(" '\"")))


def _arguments(inside: str) -> tuple[str, ...]:
    values = (part.strip() for part in _ARGUMENT.findall(inside))
    return tuple(_argument(value.split("=", 1)[-1].strip()) for value in values if value)


def _argument(value: str) -> str:
    return listed(elements(value)) if value.startswith("[") else value.strip("'\"")


def names(line: str) -> tuple[str, tuple[str, ...]] | None:
    """A line of the block of objects: a kind and the names of that kind; None for any other line."""
    match = _NAMES.match(line.strip())
    if not match:
        return None
    return match[1], tuple(name.strip() for name in match[2].split(",") if name.strip())
