"""A prompt, laid out: its rules, its task, what has happened, what is asked for. All that is written, with
nothing overlooked yet.

What does not change from turn to turn (everything before "So far") is read once and kept; keeping it changes
no reply.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from learnact.simulated import text
from learnact.simulated.rules import Rule, read_lines

KEPT_SCENES = 256
KEPT_LINES = 4096
TASKS = ("Your task", "Example task", "What happened")
"""Headings of the section that holds the task at hand."""
FAILED = ("No effect:", "The call was stopped by", "No primitive action was made")


@dataclass(frozen=True)
class Told:
    """A sentence of the prompt: its text without the full stop and its number, counted from the beginning."""

    text: str
    index: int


@dataclass(frozen=True)
class Observation:
    """An observation, read: what it says is so now (None when it does not say), and what it says went
    wrong."""

    now: tuple[Told, ...] | None
    failed: bool
    missing: tuple[str, ...] = ()
    call: text.Call | None = None
    raw: str = ""


@dataclass(frozen=True)
class Entry:
    """Something said and what was observed after it."""

    said: str
    thought: bool
    index: int
    call: text.Call | None
    seen: Observation


@dataclass(frozen=True)
class Section:
    """A section of the prompt, its text and the number of its first sentence."""

    heading: str
    body: str
    index: int


@dataclass(frozen=True)
class Play:
    """A goal, a first observation and what followed: the task itself or an example."""

    goal: tuple[Told, ...] = ()
    kinds: tuple[tuple[str, tuple[str, ...]], ...] = ()
    facts: tuple[Told, ...] = ()
    first: Observation = Observation(None, False)
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Scene:
    """A whole prompt. `end` is the number of its sentences; `key` identifies the part that stays the same."""

    key: str
    rules: tuple[Rule, ...]
    learned: tuple[Rule, ...]
    lessons: tuple[Told, ...]
    examples: tuple[Play, ...]
    task: Play
    answer: str
    end: int
    sections: tuple[Section, ...] = ()
    history: tuple[Entry, ...] = ()

    def body(self, heading: str) -> str:
        """The text of a section, "" when there is none."""
        return next((s.body for s in self.sections if s.heading == heading), "")


@dataclass
class _Reading:
    rules: tuple[Rule, ...] = ()
    learned: tuple[Rule, ...] = ()
    lessons: list[Told] = field(default_factory=list)
    examples: list[Play] = field(default_factory=list)
    task: Play = Play()
    sections: list[Section] = field(default_factory=list)


def read_scene(prompt: str) -> Scene:
    """The scene of a prompt (a user message, or several messages joined)."""
    head, _, answer = prompt.rpartition("## Your answer")
    fixed, so_far, tail = head.partition("## So far\n")
    base = _fixed(fixed)
    history = _history(tail, base.end) if so_far else ()
    end = base.end + text.count(tail) + text.count(answer)
    return Scene(
        base.key,
        base.rules,
        base.learned,
        base.lessons,
        base.examples,
        base.task,
        answer.strip(),
        end,
        base.sections,
        base.task.entries + history,
    )


@lru_cache(maxsize=KEPT_SCENES)
def _fixed(prompt: str) -> Scene:
    reading = _Reading()
    at = 0
    for heading, body in text.sections(prompt):
        _read_section(reading, heading, body, at)
        at += text.count(body)
    return Scene(
        prompt,
        reading.rules,
        reading.learned,
        tuple(reading.lessons),
        tuple(reading.examples),
        reading.task,
        "",
        at,
        tuple(reading.sections),
    )


@lru_cache(maxsize=KEPT_SCENES)
def _rules(body: str, at: int, learned: bool) -> tuple[Rule, ...]:
    return tuple(read_lines(body, at, learned))


def _read_section(reading: _Reading, heading: str, body: str, at: int) -> None:
    if heading == "Primitive actions":
        reading.rules = _rules(body, at, False)
    elif heading == "Learned actions":
        reading.learned = _rules(body, at, True)
    elif heading == "Lessons":
        reading.lessons += _told(body, at)
    elif heading == "Example":
        reading.examples.append(read_play(body, at))
    elif heading in TASKS:
        reading.task = read_play(body, at)
    reading.sections.append(Section(heading, body, at))


def _told(body: str, at: int) -> list[Told]:
    found = []
    for line in body.splitlines():
        sentences = text.split(line) if line else []
        found += [Told(sentence.removeprefix("- "), at + i) for i, sentence in enumerate(sentences)]
        at += text.count(line)
    return found


def read_play(body: str, at: int) -> Play:
    """A goal, a first observation (possibly over several lines) and the steps after it."""
    blocks = _blocks(body, at)
    goal: tuple[Told, ...] = ()
    opening: list[tuple[str, int]] = []
    rest = len(blocks)
    for i, (label, block, index) in enumerate(blocks):
        if label in ("Action", "Think"):
            rest = i
            break
        if label == "Goal":
            goal = tuple(Told(text.positive(s)[0], index + j) for j, s in enumerate(text.split(block)))
        elif label == "Observation":
            opening.append((block, index))
    kinds: list[tuple[str, tuple[str, ...]]] = []
    facts: list[Told] = []
    first = Observation(None, False)
    for block, index in opening:
        for line in block.splitlines():
            named = text.names(line)
            if named:
                kinds.append(named)
            elif line.startswith("Facts that never change:"):
                facts += _facts(line.partition(":")[2], index)
            elif "Now:" in line:
                first = _observe(line, index)
            index += text.count(line)
    return Play(goal, tuple(kinds), tuple(facts), first, tuple(_entries(blocks[rest:])))


def _blocks(body: str, at: int) -> list[tuple[str, str, int]]:
    """Lines that begin with a label, each with the lines that belong to it and the number of its first
    sentence."""
    found: list[tuple[str, list[str], int]] = []
    for line in body.splitlines():
        label, colon, rest = line.partition(":")
        if colon and label in ("Goal", "Observation", "Action", "Think"):
            found.append((label, [rest.strip()], at))
        elif found:
            found[-1][1].append(line)
        at += text.count(line)
    return [(label, "\n".join(lines), index) for label, lines, index in found]


def _history(body: str, at: int) -> tuple[Entry, ...]:
    return tuple(_entries(_blocks(body, at)))


def _entries(blocks: list[tuple[str, str, int]]) -> list[Entry]:
    found: list[Entry] = []
    for label, block, index in blocks:
        if label in ("Action", "Think"):
            made = text.calls(block) if label == "Action" else []
            found.append(
                Entry(block, label == "Think", index, made[0] if made else None, Observation(None, False))
            )
        elif label == "Observation" and found:
            last = found[-1]
            found[-1] = Entry(last.said, last.thought, last.index, last.call, _observe(block, index))
        elif label == "Observation":
            found.append(Entry("", False, index, None, _observe(block, index)))
    return found


def _observe(block: str, index: int) -> Observation:
    shape = _shape(block)
    if shape.now is None:
        return shape
    return Observation(
        tuple(Told(t.text, t.index + index) for t in shape.now),
        shape.failed,
        shape.missing,
        shape.call,
        block,
    )


@lru_cache(maxsize=KEPT_LINES)
def _shape(block: str) -> Observation:
    """An observation whose sentences are counted from its own beginning."""
    failed = block.startswith(FAILED)
    before, now, after = block.rpartition("Now:")
    missing: tuple[str, ...] = ()
    call = None
    complaint = before if now else block
    if complaint.startswith("No effect:"):
        said, requires, needed = complaint.partition(" requires: ")
        made = text.calls(said)
        if requires and made:
            call, missing = made[0], tuple(text.split(needed))
    seen = tuple(_facts(after, text.count(before))) if now else None
    return Observation(seen, failed, missing, call, block)


def _facts(part: str, index: int) -> list[Told]:
    return [Told(text.plain_article(s), index + i) for i, s in enumerate(text.split(part))]
