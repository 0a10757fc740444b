"""The lines of a prompt that the reader cannot read, so that nothing is overlooked silently.

A line that is in no known form would change what is played without a word (`Preconditions:` instead of
`Requires:` leaves an action without requirements). Such lines are counted and said in the log. A line that
needs no reading (an instruction, a lesson, code, a model's own words) is not counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from learnact.simulated import text
from learnact.simulated.prompt import ParsedPrompt
from learnact.simulated.rules import ACTION_LINE

CACHED_LINES = 8192
CACHED_SECTIONS = 1024
SHOWN_CHARACTERS = 160

PROSE = frozenset(
    (
        "",
        "Instructions",
        "Lessons",
        "Code",
        "Notes",
        "Example of a function",
        "Example call",
        "Other proposals",
        "Rules",
        "Workflows",
        "Your last answer",
        "Your answer",
        "Rules of the script",
        "Example of a script",
        "Person",
        "Rules of the play",
        "Script",
        "Turns so far",
        "What was wrong",
    )
)
"""Sections that are not read line by line: words for the agent, code, and what a model wrote itself."""
ACTIONS = frozenset(("Primitive actions", "Learned actions"))
PLAYED = frozenset(
    (
        "Example",
        "Your task",
        "Example task",
        "What happened",
        "What was done",
        "A successful attempt",
        "So far",
    )
)

Sentences = tuple[re.Pattern[str], ...]

_LABEL = re.compile(r"^(Goal|Observation|Action|Think): ?")
_WRITE_IT_SO = "Write it so:"
_FORM = re.compile(r"^- [a-z][a-z /]*: ?")
_WELL_KNOWN = tuple(
    re.compile(pattern)
    for pattern in (
        r"Objects:",
        r"Program:",
        r"(?:.*\. )?Now:(?: [^:]*\.)?",
        r"Facts that never change:(?: [^:]*\.)?",
        r"No effect: [^:]* requires: [^:]*\.",
        r"No effect: (?:there is no .*|.* takes .*)",
        r"Ok\.",
        r"That could not be read as an action[.:] .*",
        r"No primitive action was made\.",
        r"The call was stopped by .*",
        r"(?:The call|The program) made (?:these primitive actions:|no primitive action\.)",
        r"It (?:printed|returned): .*",
        r"Later on:",
        r"The example task, solved with primitive actions:",
        r"The same task from the same first observation, now with learned actions:",
        r"\d+ of \d+ primitive actions had no effect; the first was [^:]*\.",
        r"(?:\d+ more turns? (?:was|were) played after this call\. )?The goal was (?:not )?reached\b[^:]*\.",
    )
)
_STEP = re.compile(
    r"^(?:\d+\. .+? -> |\d+ of \d+ primitive actions had no effect; the first was .+? -> "
    r"|\w+\([^:\n]*\): )(.*)$"
)
"""What stands before the observation of one primitive action of a call."""
_OUTPUT = ("It printed:", "It returned:")
"""What begins a text of learned code, possibly of several lines."""


def unread_in(prompt: ParsedPrompt, sentences: Sentences) -> tuple[str, ...]:
    """The lines of a prompt that are in no form that the reader knows, shortened. `sentences`: further
    sentences that an observation may consist of."""
    found = [line for s in prompt.sections for line in _unread(s.heading, s.body, sentences)]
    return (*found, *_unread("So far", prompt.so_far, sentences))


@lru_cache(maxsize=CACHED_SECTIONS)
def _unread(heading: str, body: str, sentences: Sentences) -> tuple[str, ...]:
    if heading in PROSE:
        return ()
    if heading in ACTIONS:
        found: Iterator[str] = (
            line for line in body.splitlines() if line.strip() and not _action_is_read(line.strip())
        )
    elif heading in PLAYED:
        found = _unread_of_play(body, sentences)
    else:
        found = iter((f"## {heading}",))
    return tuple(line.strip()[:SHOWN_CHARACTERS] for line in found)


@lru_cache(maxsize=CACHED_LINES)
def _action_is_read(line: str) -> bool:
    """Whether an action's line (or a note, or a sentence about all actions) holds nothing but known parts."""
    if not line.startswith("- "):
        return line.startswith("Note:") or (":" not in line and "(" not in line)
    match = ACTION_LINE.match(line)
    form = _FORM.match(line)
    if match is None and form is None:
        return False
    body = (match[3] or "") if match else line[form.end() if form else 0 :]
    if not body:
        return True
    parts = text.labelled(body.partition(_WRITE_IT_SO)[0])
    if not any(label in ("Requires", "Then") for label, _ in parts):
        return False
    return all(label and (label not in ("Requires", "Then") or ":" not in part) for label, part in parts)


def _unread_of_play(body: str, sentences: Sentences) -> Iterator[str]:
    """What a reader of a goal, observations and actions passes over. Code of a program is not read."""
    label, in_code, output = "", False, False
    for line in body.splitlines():
        if line.startswith("```"):
            in_code = not in_code
            continue
        found = _LABEL.match(line)
        label = found[1] if found else label
        content = line[found.end() :] if found else line
        output = not found and (output or line.startswith(_OUTPUT))
        if in_code or not content.strip() or label == "Think" or (found and label == "Action"):
            continue
        if label == "Goal" and found:
            if ":" in content or not content.rstrip().endswith("."):
                yield line
        elif not output and not _is_read(content.strip(), sentences):
            yield line


@lru_cache(maxsize=CACHED_LINES)
def _is_read(line: str, sentences: Sentences) -> bool:
    """Whether a line of an observation, or of what a call did, is in a known form."""
    step = _STEP.match(line)
    line = step[1] if step else line
    if text.names(line) or any(pattern.fullmatch(line) for pattern in _WELL_KNOWN):
        return True
    return bool(sentences) and all(
        any(pattern.fullmatch(sentence) for pattern in sentences) for sentence in text.split(line)
    )
