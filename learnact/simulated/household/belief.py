"""What the model believes about a house: where it is, what it saw, what it carries, what it did.

Reads the sentences of docs/alfworld.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from learnact.simulated import text
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import HistoryEntry, ParsedPrompt

NAME = r"[a-z]+ ?\d+"
"""How a name of an object or place looks."""
_LISTED = re.compile(rf"\ban? ({NAME})")
_OPENING = "Looking quickly around you, you see"
FAILED = "Nothing happens."
_ON = re.compile(rf"On the ({NAME}), you see (.*)")
_IN_IT = re.compile(r"In it, you see (.*)")
_OPEN = re.compile(rf"The ({NAME}) is open")
_CLOSED = re.compile(rf"(?:The|You close the) ({NAME})(?: is closed)?")
_OPENED = re.compile(rf"You open the ({NAME})")
_ARRIVED = re.compile(rf"You arrive at ({NAME})")
_TAKEN = re.compile(rf"You pick up the ({NAME}) from the ({NAME})")
_PLACED = re.compile(rf"You (?:put|move) the ({NAME}) (?:in/on|to) the ({NAME})")
_TREATED = re.compile(rf"You ([a-z]+) the ({NAME}) using the ({NAME})")
_USED = re.compile(rf"You turn on the ({NAME})")
_CARRIES = re.compile(rf"You are (?:already )?carrying:? (?:an? )?({NAME})")
_NOT_AT = re.compile(rf"You are not at ({NAME})")
_NOT_THERE = re.compile(rf"There is no ({NAME}) in/on the ({NAME})")


@dataclass
class HouseBelief:
    """Beliefs. `contents[place]` is what was seen there last; `treated[object]` the verbs that were done
    to it."""

    places: tuple[str, ...]
    at: str = ""
    contents: dict[str, list[str]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    carrying: str = ""
    treated: dict[str, set[str]] = field(default_factory=dict)
    placed: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    failed_calls: set[str] = field(default_factory=set)
    """Calls that failed and would fail again, as text."""

    def copy(self) -> HouseBelief:
        """Beliefs to think ahead with."""
        return replace(
            self,
            contents={place: list(things) for place, things in self.contents.items()},
            closed=set(self.closed),
            opened=set(self.opened),
            treated={thing: set(verbs) for thing, verbs in self.treated.items()},
            placed=dict(self.placed),
            used=set(self.used),
            failed_calls=set(self.failed_calls),
        )

    def of_kind(self, kind: str) -> list[str]:
        """Places of a kind, in the order in which they were listed."""
        return [place for place in self.places if kind_of(place) == kind]

    def where(self, kind: str) -> list[tuple[str, str]]:
        """Objects of a kind that were seen, with their places."""
        return [(o, place) for place, things in self.contents.items() for o in things if kind_of(o) == kind]

    def observe(self, sentence: str) -> None:
        """Believe a sentence of an observation."""
        for pattern, belief_after in _SENTENCES:
            match = pattern.fullmatch(sentence)
            if match:
                belief_after(self, match)
                return

    def take(self, thing: str, place: str) -> None:
        """The thing is carried now."""
        self.at = place
        self.carrying = thing
        for things in self.contents.values():
            if thing in things:
                things.remove(thing)
        self.placed.pop(thing, None)

    def put(self, thing: str, place: str) -> None:
        """The thing is in or on the place now."""
        self.at = place
        self.carrying = ""
        self.contents.setdefault(place, []).append(thing)
        self.placed[thing] = place

    def see(self, place: str, things: list[str]) -> None:
        """This is what is in or on the place."""
        self.at = place
        self.contents[place] = things

    def open_place(self, place: str) -> None:
        """The place is open."""
        self.at = place
        self.closed.discard(place)
        self.opened.add(place)

    def close_place(self, place: str) -> None:
        """The place is closed."""
        self.closed.add(place)
        self.opened.discard(place)

    def treat(self, verb: str, thing: str, place: str) -> None:
        """Something was done to the thing at the place."""
        self.at = place
        self.treated.setdefault(thing, set()).add(verb)

    def not_found(self, thing: str, place: str) -> None:
        """The thing is not there."""
        if thing in self.contents.get(place, []):
            self.contents[place].remove(thing)


def _leave(belief: HouseBelief, place: str) -> None:
    if belief.at == place:
        belief.at = ""


_SENTENCES: tuple[tuple[re.Pattern[str], Callable[[HouseBelief, re.Match[str]], object]], ...] = (
    (_ON, lambda h, m: h.see(m[1], _LISTED.findall(m[2]))),
    (_OPENED, lambda h, m: h.open_place(m[1])),
    (_OPEN, lambda h, m: h.open_place(m[1])),
    (_IN_IT, lambda h, m: h.see(h.at, _LISTED.findall(m[1])) if h.at else None),
    (_CLOSED, lambda h, m: h.close_place(m[1])),
    (_ARRIVED, lambda h, m: setattr(h, "at", m[1])),
    (_TAKEN, lambda h, m: h.take(m[1], m[2])),
    (_PLACED, lambda h, m: h.put(m[1], m[2])),
    (_TREATED, lambda h, m: h.treat(m[1], m[2], m[3])),
    (_USED, lambda h, m: h.used.add(m[1])),
    (_CARRIES, lambda h, m: setattr(h, "carrying", m[1])),
    (_NOT_AT, lambda h, m: _leave(h, m[1])),
    (_NOT_THERE, lambda h, m: h.not_found(m[1], m[2])),
)


def kind_of(name: str) -> str:
    """The kind in a name: `mug 2` and `mug2` are mugs."""
    return name.rstrip("0123456789").rstrip()


def is_house(prompt: ParsedPrompt) -> bool:
    """Whether a prompt's task is a household task."""
    return any(_OPENING in s.body for s in prompt.sections) and prompt.task.first.now is None


def initial_belief(prompt: ParsedPrompt) -> HouseBelief:
    """The house as the first observation describes it."""
    body = _task_body(prompt)
    listed = next((line for line in body.splitlines() if _OPENING in line), "")
    return HouseBelief(tuple(dict.fromkeys(_LISTED.findall(listed.partition(_OPENING)[2]))))


def goal_of(prompt: ParsedPrompt) -> str:
    """The goal as written."""
    return next((g.text for g in prompt.task.goal), "")


def belief_after(
    prompt: ParsedPrompt,
    reader: NoisyReader,
    going: str,
    call_in: Callable[[HistoryEntry], text.ActionCall | None],
) -> HouseBelief:
    """Beliefs from the opening and the history, as far as it was read. `going` is the name of the action that
    goes to a place; `call_in` tells what an entry did."""
    belief = initial_belief(prompt)
    for entry in prompt.history:
        if entry.thought:
            continue
        failed = FAILED in entry.seen.raw
        call = call_in(entry)
        if call and call.name == going and not failed and call.arguments:
            belief.at = call.arguments[0]
        for sentence, index in observed_sentences(entry):
            if reader.sees(f"seen: {sentence}", (prompt.end - index,)):
                belief.observe(sentence)
        if call and failed:
            belief.failed_calls.add(str(call))
        elif call:
            belief.failed_calls.clear()
    return belief


def observed_sentences(entry: HistoryEntry) -> Iterator[tuple[str, int]]:
    """The sentences observed after an entry, with their numbers."""
    sentences = [sentence for line in entry.seen.raw.splitlines() for sentence in text.split(line)]
    for i, sentence in enumerate(sentences):
        yield sentence.removeprefix("Nothing happens. "), entry.index + 1 + i


def _task_body(prompt: ParsedPrompt) -> str:
    return next(
        (prompt.body(h) for h in ("Your task", "Example task", "What happened") if prompt.body(h)), ""
    )
