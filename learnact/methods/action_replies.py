"""What a chat model's reply says: a call, a thought, a command, or nothing readable. One rule for all
methods (docs/methods.md, Reading replies).

A call is looked for behind an action label, then in a fenced block, then alone on its line, and only then in
prose (reply_calls.py). Calls inside reasoning are never taken: models/reading.py removes thinking blocks;
what is left of them, and long remarks in brackets, is skipped here. Raw text is never sent to an environment
as a call."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from learnact.library.calls import CallExpression, plain_text
from learnact.methods.reply_calls import ACTION, THOUGHT, Place, PlacedCall, placed_calls
from learnact.methods.reply_text import blocks, bounded, label, without_reasoning
from learnact.methods.unreadable import cause_of, reason_of
from learnact.records import Ignored, UnreadableCause

SAID_CHARS = 300
"""How much of an unreadable reply the history shows."""
THOUGHT_CHARS = 4 * SAID_CHARS
"""How much of a thought the history shows."""
_OBSERVATION = label("observation|result|output")
_LABELS = re.compile(f"{ACTION.pattern}|{THOUGHT.pattern}", re.IGNORECASE | re.MULTILINE)
_EMPTY = re.compile(r"^[ \t]*+(?:\n|```|~~~)|[.!?] (?=\**Action\**:)", re.MULTILINE)
_OK = re.compile(r"\W*ok(?:ay)?\W*", re.IGNORECASE)
_INLINE_ACTION = re.compile(r"\bAction[*_]{0,2}:[*_]{0,2}")
_AROUND_COMMAND = "`*>\"' \u2018\u2019\u201c\u201d"
_ITEM = re.compile(r"\A(?:[-•]|\(?\d{1,3}[.)])[ \t]++")
_WORD = re.compile(r"[^\W\d_]{2,}+")
_MARKUP = re.compile(r"```[^\s`]*|~~~[^\s~]*|</?[\w|]{1,40}>")


@dataclass(frozen=True)
class ParsedCall:
    """A call. `thought`: what stands beside it as a thought, for agents that may think. `ignored`: kinds of
    content that were read and left out."""

    call: CallExpression
    thought: str = ""
    ignored: tuple[Ignored, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class ParsedCommand:
    """An engine command (`action_format: text`)."""

    text: str
    thought: str = ""
    ignored: tuple[Ignored, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class ParsedThought:
    """A thought, for agents that may think."""

    text: str
    ignored: tuple[Ignored, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Unparsed:
    """Nothing readable; `said` is what the history shows of it, `reason` what the agent is told about it."""

    said: str
    cause: UnreadableCause = "no_call"
    reason: str = ""


Said: TypeAlias = ParsedCall | ParsedCommand | ParsedThought


def read(
    reply: str,
    known: Collection[str],
    thoughts: bool,
    commands: bool = False,
    *,
    first_line: bool = False,
    finish: str = "stop",
) -> ParsedCall | ParsedCommand | ParsedThought | Unparsed:
    """What a reply says. `known`: names of the actions on offer (first words, where they are `commands`); a
    call of one of them is preferred to any other call.

    `first_line`: only the first line that holds text is read, and a thought there is a thought alone (the
    published behaviour). `finish`: the server's reason for the end of the reply, for the explanation of an
    unreadable one.
    """
    whole = plain_text(bounded(reply)).strip()
    text = without_reasoning(whole).strip()
    ignored: list[Ignored] = ["reasoning"] if text != whole else []
    if first_line:
        line = text.partition("\n")[0].rstrip()
        ignored += ["lines"] if line != text else []
        text = line
    reader = _Reader(known, thoughts, commands, alone=first_line)
    found = _first(reader, text)
    if found is None:
        cause = cause_of(text, known, finish, commands=commands, reasoned=text != whole)
        return Unparsed(_short(reply), cause, reason_of(cause, text, known, commands=commands))
    return replace(found, ignored=(*ignored, *found.ignored))


def _first(reader: _Reader, text: str) -> Said | None:
    """What the first readable part of a text says. Its parts are divided by lines with "Observation:": what
    the model says there, it invented. "Ok." answers a thought always, so an action behind it goes with the
    thought."""
    thought: ParsedThought | None = None
    for number, (part, observed) in enumerate(_parts(text)):
        if thought is not None and not _OK.fullmatch(observed):
            break
        found = reader.read(part)
        if found is None:
            if thought is not None:
                break
            continue
        if isinstance(found, ParsedThought) and thought is None and not reader.alone:
            thought = found
            continue
        more: tuple[Ignored, ...] = ("observation",) if number or _OBSERVATION.search(text) else ()
        if thought is not None and not isinstance(found, ParsedThought):
            both = f"{thought.text} {found.thought}".strip()
            return replace(found, thought=both, ignored=(*found.ignored, *more))
        return replace(thought or found, ignored=((thought or found).ignored + more))
    if thought is not None and _OBSERVATION.search(text):
        return replace(thought, ignored=(*thought.ignored, "observation"))
    return thought


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """The parts between lines that begin with "Observation:", each with the observation before it. An
    observation reaches to the next label, block or empty line."""
    begin, observed = 0, ""
    ends: list[int] | None = None
    for invented in _OBSERVATION.finditer(text):
        if invented.start() < begin:
            continue
        if ends is None:
            ends = sorted(found.start() for end in (_LABELS, _EMPTY) for found in end.finditer(text))
        yield text[begin : invented.start()], observed
        at = bisect_left(ends, invented.end())
        if at < len(ends):
            begin = ends[at]
        else:
            line = text.find("\n", invented.end())
            begin = line if line >= 0 else len(text)
        observed = text[invented.end() : begin].strip()
    yield text[begin:], observed


class _Reader:
    """Reads one part of a reply."""

    def __init__(self, known: Collection[str], thoughts: bool, commands: bool, alone: bool) -> None:
        self._known = known
        self._thoughts = thoughts
        self._commands = commands
        self.alone = alone

    def read(self, text: str) -> Said | None:
        """What the part says; None where it says nothing readable."""
        if self._commands:
            return self._command(text)
        thought_at = THOUGHT.search(text) if self._thoughts else None
        if thought_at and self.alone and not text[: thought_at.start()].strip():
            return _thought(text[thought_at.end() :], ("action",) if ACTION.search(text) else ())
        calls = placed_calls(text)
        chosen = choose(calls, self._known)
        if thought_at and (
            chosen is None or (chosen.place >= Place.PROSE and chosen.start >= thought_at.end())
        ):
            action = ACTION.search(text, thought_at.end())
            spoken = text[thought_at.end() : action.start() if action else len(text)]
            return _thought(spoken, ("action",) if action else ())
        if chosen is None:
            return None
        thought, rest = self._beside(text, chosen)
        return ParsedCall(chosen.call, thought, _ignored(rest, calls, chosen, bool(thought)))

    def _beside(self, text: str, chosen: PlacedCall) -> tuple[str, str]:
        """The thought that stands before the action, and all else that stands beside it."""
        before, rest = text[: chosen.start], text[chosen.end :]
        *_, action = (None, *ACTION.finditer(before))
        begin = action.start() if action else before.rfind("\n") + 1
        inline = None if action else _INLINE_ACTION.search(before, begin)
        begin = inline.start() if inline else begin
        line = "" if chosen.direct else _INLINE_ACTION.sub("", ACTION.sub("", before[begin:]))
        before, behind = before[:begin], f"{line}\n{rest}"
        if not self._thoughts or self.alone:
            return "", f"{before}\n{behind}"
        marked = THOUGHT.search(before)
        if marked:
            said = THOUGHT.sub(" ", before[marked.end() :])
            return _spoken(_MARKUP.sub(" ", said)), f"{before[: marked.start()]}\n{behind}"
        if chosen.thought:
            return _spoken(chosen.thought), f"{before}\n{behind}"
        if action is not None and _words(before):
            return _spoken(_MARKUP.sub(" ", before)), behind
        return "", f"{before}\n{behind}"

    def _command(self, text: str) -> Said | None:
        thought_at = THOUGHT.search(text) if self._thoughts else None
        begin = thought_at.end() if thought_at else 0
        labels = (ACTION.search(text, begin), _INLINE_ACTION.search(text, begin) if thought_at else None)
        action = next(filter(None, labels), None)
        if thought_at and (self.alone or action is None):
            return _thought(text[begin:], ("action",) if action else ())
        spoken = text[begin : action.start()] if thought_at and action else ""
        rest = text[action.end() :] if action else text
        fenced = [block.text for block in blocks(rest)]
        command = self._line([rest, *fenced] if action else [*fenced, text])
        if command is None:
            return _thought(spoken, ("action",)) if spoken.strip() else None
        beside = text.replace(command, "", 1).replace(spoken, "", 1)
        ignored: tuple[Ignored, ...] = ("text",) if _words(THOUGHT.sub("", ACTION.sub("", beside))) else ()
        return ParsedCommand(command[:SAID_CHARS], _spoken(spoken), ignored)

    def _line(self, parts: Sequence[str]) -> str | None:
        """The first line that begins with a known word; else the first line of all."""
        lines = [_bare(line) for part in parts for line in part.split("\n")]
        found = [line for line in lines if line and not line.startswith(("```", "~~~"))]
        return next((line for line in found if line.split(" ", 1)[0].lower() in self._known), None) or next(
            iter(found), None
        )


def choose(calls: Sequence[PlacedCall], known: Collection[str]) -> PlacedCall | None:
    """The call that is the action: of those with a known name the one in the surest place, of equal places
    the first. A call of another name is taken where it stands behind a label, or where no known one is meant
    and it stands alone, so that the agent is told about a misspelt name."""
    meant = [call for call in calls if call.place < Place.NOT_MEANT]
    best = min((c for c in meant if c.call.name in known), key=lambda c: c.place, default=None)
    other = min(
        (c for c in meant if c.direct and c.call.name not in known), key=lambda c: c.place, default=None
    )
    if other is None or other.place > (Place.ALONE if best is None else Place.BELOW_LABEL):
        return best
    return other if best is None or best.place >= Place.PROSE else best


def _ignored(rest: str, calls: Sequence[PlacedCall], chosen: PlacedCall, thinks: bool) -> tuple[Ignored, ...]:
    """Kinds of content that stand beside the chosen call and are left out."""
    found: list[Ignored] = []
    if any(call is not chosen and call.place < Place.NOT_MEANT for call in calls):
        found.append("calls")
    if THOUGHT.search(rest) or (chosen.thought and not thinks):
        found.append("thought")
    elif _words(ACTION.sub("", rest)):
        found.append("text")
    return tuple(found)


def _words(text: str) -> bool:
    """Whether a text holds words of its own, calls and marks left out."""
    return bool(_WORD.search(_CALLS.sub("", _MARKUP.sub("", text))))


_CALLS = re.compile(r"(?<!\w)(?:\w++\s*=\s*)?\w++ ?+\([^()]*+\)")


def _thought(text: str, ignored: tuple[Ignored, ...]) -> ParsedThought | None:
    said = _spoken(THOUGHT.sub(" ", text))
    return ParsedThought(said, ignored) if said else None


def _spoken(text: str) -> str:
    return _folded(text).strip("*_` ")[:THOUGHT_CHARS]


def _bare(line: str) -> str:
    line = _ITEM.sub("", line.strip().strip(_AROUND_COMMAND))
    return line.strip(f"{_AROUND_COMMAND}.")


def _folded(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    folded = _folded(bounded(text))
    return folded if len(folded) <= SAID_CHARS else folded[: SAID_CHARS - 4] + " ..."
