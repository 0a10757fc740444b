"""A prompt, parsed: its rules, its task, the history, and what is asked for. Nothing is overlooked yet.

What does not change from turn to turn (everything before "So far") is parsed once and cached; the cache
changes no reply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from learnact.simulated import text
from learnact.simulated.rules import Rule, read_lines

CACHED_PROMPTS = 256
CACHED_LINES = 4096
TASKS = ("Your task", "Example task", "What happened", "What was done")
"""Headings of the section that holds the task at hand."""
LABELS_OF_STEPS = ("Action", "Think", "Program")
FENCE = "```"
HAD_NO_EFFECT = re.compile(r"\d+ of \d+ primitive actions had no effect")
FAILED = ("No effect:", "The call was stopped by", "No primitive action was made")


@dataclass(frozen=True)
class Sentence:
    """A sentence of the prompt: its text without the full stop and its number, counted from the beginning."""

    text: str
    index: int


@dataclass(frozen=True)
class Observation:
    """An observation, parsed.

    `now`: the sentences that hold (None when it does not say); `missing`: the requirements that a failed call
    lacked.
    """

    now: tuple[Sentence, ...] | None
    failed: bool
    missing: tuple[str, ...] = ()
    call: text.ActionCall | None = None
    raw: str = ""


@dataclass(frozen=True)
class HistoryEntry:
    """What the agent wrote and the observation after it."""

    written: str
    thought: bool
    index: int
    call: text.ActionCall | None
    seen: Observation


@dataclass(frozen=True)
class Section:
    """A section of the prompt, its text and the number of its first sentence."""

    heading: str
    body: str
    index: int


@dataclass(frozen=True)
class Transcript:
    """A goal, a first observation and what followed: the task itself or an example."""

    goal: tuple[Sentence, ...] = ()
    kinds: tuple[tuple[str, tuple[str, ...]], ...] = ()
    facts: tuple[Sentence, ...] = ()
    first: Observation = Observation(None, False)
    entries: tuple[HistoryEntry, ...] = ()


@dataclass(frozen=True)
class ParsedPrompt:
    """A whole prompt. `end` is its number of sentences; `key` identifies the part that does not change."""

    key: str
    rules: tuple[Rule, ...]
    learned: tuple[Rule, ...]
    lessons: tuple[Sentence, ...]
    examples: tuple[Transcript, ...]
    task: Transcript
    answer: str
    end: int
    sections: tuple[Section, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    so_far: str = ""
    """The text of the section with the history."""

    def body(self, heading: str) -> str:
        """The text of a section, "" when there is none."""
        return next((s.body for s in self.sections if s.heading == heading), "")


@dataclass
class _Sections:
    rules: tuple[Rule, ...] = ()
    learned: tuple[Rule, ...] = ()
    lessons: list[Sentence] = field(default_factory=list)
    examples: list[Transcript] = field(default_factory=list)
    task: Transcript = Transcript()
    sections: list[Section] = field(default_factory=list)


def parse_prompt(content: str) -> ParsedPrompt:
    """A prompt (a user message, or several messages joined), parsed."""
    head, _, answer = content.rpartition("## Your answer")
    fixed, so_far, tail = head.partition("## So far\n")
    base = _fixed(fixed)
    history = _history(tail, base.end) if so_far else ()
    end = base.end + text.count(tail) + text.count(answer)
    return replace(base, answer=answer.strip(), end=end, history=base.task.entries + history, so_far=tail)


@lru_cache(maxsize=CACHED_PROMPTS)
def _fixed(content: str) -> ParsedPrompt:
    parsed = _Sections()
    at = 0
    for heading, body in text.sections(content):
        _read_section(parsed, heading, body, at)
        at += text.count(body)
    return ParsedPrompt(
        key=content,
        rules=parsed.rules,
        learned=parsed.learned,
        lessons=tuple(parsed.lessons),
        examples=tuple(parsed.examples),
        task=parsed.task,
        answer="",
        end=at,
        sections=tuple(parsed.sections),
    )


@lru_cache(maxsize=CACHED_PROMPTS)
def _rules(body: str, at: int, learned: bool) -> tuple[Rule, ...]:
    return tuple(read_lines(body, at, learned))


def _read_section(parsed: _Sections, heading: str, body: str, at: int) -> None:
    if heading == "Primitive actions":
        parsed.rules = _rules(body, at, False)
    elif heading == "Learned actions":
        parsed.learned = _rules(body, at, True)
    elif heading == "Lessons":
        parsed.lessons += _sentences(body, at)
    elif heading == "Example":
        parsed.examples.append(parse_transcript(body, at))
    elif heading in TASKS:
        parsed.task = parse_transcript(body, at)
    parsed.sections.append(Section(heading, body, at))


def _sentences(body: str, at: int) -> list[Sentence]:
    found = []
    for line in body.splitlines():
        sentences = text.split(line) if line else []
        found += [Sentence(sentence.removeprefix("- "), at + i) for i, sentence in enumerate(sentences)]
        at += text.count(line)
    return found


def parse_transcript(body: str, at: int) -> Transcript:
    """A goal, a first observation (possibly over several lines) and the steps after it."""
    blocks = _blocks(body, at)
    goal: tuple[Sentence, ...] = ()
    first_lines: list[tuple[str, int]] = []
    rest = len(blocks)
    for i, (label, block, index) in enumerate(blocks):
        if label in LABELS_OF_STEPS:
            rest = i
            break
        if label == "Goal":
            goal = tuple(Sentence(text.positive(s)[0], index + j) for j, s in enumerate(text.split(block)))
        elif label == "Observation":
            first_lines.append((block, index))
    kinds: list[tuple[str, tuple[str, ...]]] = []
    facts: list[Sentence] = []
    first = Observation(None, False)
    for block, index in first_lines:
        for line in block.splitlines():
            named = text.names(line)
            if named:
                kinds.append(named)
            elif line.startswith("Facts that never change:"):
                facts += _facts(line.partition(":")[2], index)
            elif "Now:" in line:
                first = _observe(line, index)
            index += text.count(line)
    return Transcript(goal, tuple(kinds), tuple(facts), first, tuple(_entries(blocks[rest:])))


def _blocks(body: str, at: int) -> list[tuple[str, str, int]]:
    """Lines that begin with a label, each with the lines that belong to it and the number of its first
    sentence."""
    found: list[tuple[str, list[str], int]] = []
    for line in body.splitlines():
        label, colon, rest = line.partition(":")
        if colon and label in ("Goal", "Observation", *LABELS_OF_STEPS):
            found.append((label, [rest.strip()], at))
        elif found and found[-1][0] == "Program" and found[-1][1].count(FENCE) and line:
            found.append(("Observation", [line], at))  # what a program did, below its code
        elif found:
            found[-1][1].append(line)
        at += text.count(line)
    return [(label, "\n".join(lines), index) for label, lines, index in found]


def _history(body: str, at: int) -> tuple[HistoryEntry, ...]:
    return tuple(_entries(_blocks(body, at)))


def _entries(blocks: list[tuple[str, str, int]]) -> list[HistoryEntry]:
    found: list[HistoryEntry] = []
    for label, block, index in blocks:
        if label in LABELS_OF_STEPS:
            made = [] if label == "Think" else _calls_of(label, block)
            found.append(
                HistoryEntry(
                    block, label == "Think", index, made[0] if made else None, Observation(None, False)
                )
            )
        elif label == "Observation" and found:
            last = found[-1]
            found[-1] = HistoryEntry(
                last.written, last.thought, last.index, last.call, _observe(block, index)
            )
        elif label == "Observation":
            found.append(HistoryEntry("", False, index, None, _observe(block, index)))
    return found


def _calls_of(label: str, block: str) -> list[text.ActionCall]:
    """The calls of a step; a program that makes one call is that call, any other is not looked into."""
    if label == "Action":
        return text.calls(block)
    lines = [line for line in block.splitlines() if line.strip() and not line.startswith((FENCE, "#"))]
    return text.calls(lines[0]) if len(lines) == 1 else []


def _observe(block: str, index: int) -> Observation:
    shape = _shape(block)
    if shape.now is None:
        return shape
    return Observation(
        tuple(Sentence(t.text, t.index + index) for t in shape.now),
        shape.failed,
        shape.missing,
        shape.call,
        block,
    )


@lru_cache(maxsize=CACHED_LINES)
def _shape(block: str) -> Observation:
    """An observation whose sentences are counted from its own beginning."""
    failed = block.startswith(FAILED) or HAD_NO_EFFECT.match(block) is not None
    before, now, after = block.rpartition("Now:")
    missing: tuple[str, ...] = ()
    call = None
    complaint = before if now else block
    if HAD_NO_EFFECT.match(complaint):
        complaint = complaint[max(complaint.find("No effect:"), 0) :].partition("\nIt returned:")[0]
    if complaint.startswith("No effect:"):
        written, requires, needed = complaint.partition(" requires: ")
        made = text.calls(written)
        if requires and made:
            call, missing = made[0], tuple(text.split(needed))
    seen = tuple(_facts(after, text.count(before))) if now else None
    return Observation(seen, failed, missing, call, block)


def _facts(part: str, index: int) -> list[Sentence]:
    return [Sentence(text.plain_article(s), index + i) for i, s in enumerate(text.split(part))]
