"""What to do next in a house, by the goal and the actions' requirements as read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from learnact.simulated import text
from learnact.simulated.household.belief import NAME, HouseBelief, kind_of
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import HistoryEntry, ParsedPrompt

_LINE = re.compile(r"^- ([A-Za-z_]\w*)\(([^()]*)\):\s*(.*)$")
_FORM = re.compile(r"^- ([a-z][a-z /]*): ((?:Requires|Then):.*)$")
_KEYWORD = re.compile(r"(\w+)='")
_KIND = re.compile(r"(\w+) is an? (\w+)(?: or an? (\w+))?")
_GOALS = (
    (re.compile(r"(?:put|find) two (\w+) (?:and put them )?(?:in|on) (\w+)"), (2, 0, 1, 2, 0)),
    (re.compile(r"look at (\w+) under the (\w+)"), (1, 0, 1, 0, 2)),
    (re.compile(r"examine the (\w+) with the (\w+)"), (1, 0, 1, 0, 2)),
    (re.compile(r"put (?:a|some) (\w+) (\w+) (?:in|on) (\w+)"), (1, 1, 2, 3, 0)),
    (re.compile(r"put (?:a|some) (\w+) (?:in|on) (\w+)"), (1, 0, 1, 2, 0)),
    (re.compile(r"(\w+) some (\w+) and put it (?:in|on) (\w+)"), (1, 1, 2, 3, 0)),
)


@dataclass(frozen=True)
class HouseholdGoal:
    """What is wanted: so many objects of a kind, in a condition ("" for any), in a kind of place, or under
    a kind of lamp."""

    number: int
    condition: str
    kind: str
    place: str
    lamp: str


def read_goal(sentence: str) -> HouseholdGoal | None:
    """The goal that a sentence says."""
    for pattern, (number, condition, kind, place, lamp) in _GOALS:
        match = pattern.fullmatch(sentence.strip().rstrip("."))
        if match:
            groups = ("", *match.groups())
            return HouseholdGoal(number, *(groups[i] for i in (condition, kind, place, lamp)))
    return None


@dataclass(frozen=True)
class HouseholdAction:
    """An action as read: its parameters' places and what it was seen to require."""

    name: str
    parameters: tuple[str, ...]
    keywords: frozenset[str]
    thing: str
    place: str
    requires: frozenset[str]
    kinds: tuple[str, ...]
    form: str = ""
    """How it is written where actions are commands and not calls; "" for calls."""

    @property
    def verb(self) -> str:
        """Its first word."""
        return self.name.split()[0]

    def call(self, thing: str, place: str) -> text.ActionCall:
        """A call with these names."""
        value = {self.thing: thing, self.place: place}
        return text.ActionCall(self.name, tuple(value.get(p, thing or place) for p in self.parameters))

    def written(self, call: text.ActionCall) -> str:
        """The call as it must be written, keywords where the line showed them."""
        if self.form:
            value = dict(zip(self.parameters, call.arguments, strict=False))
            return " ".join(value.get(word, word) for word in self.form.split())
        parts = [
            f"{p}={a!r}" if p in self.keywords else repr(a)
            for p, a in zip(self.parameters, call.arguments, strict=False)
        ]
        return f"{self.name}({', '.join(parts)})"


@dataclass(frozen=True)
class HouseholdActions:
    """The actions by what they do, as far as that was read. `treatments` by the word for the condition."""

    go: HouseholdAction | None = None
    take: HouseholdAction | None = None
    put: HouseholdAction | None = None
    open: HouseholdAction | None = None
    use: HouseholdAction | None = None
    treatments: tuple[tuple[str, HouseholdAction], ...] = ()

    def treatment(self, condition: str) -> HouseholdAction | None:
        """The action for a condition, called by its verb or by what it makes of a thing."""
        return next((a for word, a in self.treatments if condition in (word, a.verb)), None)

    @property
    def known(self) -> list[HouseholdAction]:
        """All that were read."""
        roles = (self.go, self.take, self.put, self.open, self.use)
        return [action for action in (*roles, *(a for _, a in self.treatments)) if action]

    def named(self, name: str) -> HouseholdAction | None:
        """The action of a name."""
        return next((action for action in self.known if action.name == name), None)

    def call_in(self, entry: HistoryEntry) -> text.ActionCall | None:
        """What an entry did: its call, or the command that it wrote."""
        if entry.call:
            return entry.call
        for action in self.known:
            words = [f"({NAME})" if w in action.parameters else re.escape(w) for w in action.form.split()]
            match = re.fullmatch(" ".join(words), entry.written) if words else None
            if match:
                return text.ActionCall(action.name, match.groups())
        return None


def read_actions(prompt: ParsedPrompt, reader: NoisyReader) -> HouseholdActions:
    """The actions in the prompt, as far as they were read."""
    section = next((s for s in prompt.sections if s.heading == "Primitive actions"), None)
    found: dict[str, HouseholdAction] = {}
    treatments: list[tuple[str, HouseholdAction]] = []
    index = section.index if section else 0
    for line in (section.body if section else "").splitlines():
        match = _LINE.match(line) or _FORM.match(line)
        if match:
            done, action = _read(match, prompt, reader, index)
            for effect in done:
                role, word = _role(effect, action)
                if role == "treatment":
                    treatments.append((word, action))
                elif role:
                    found.setdefault(role, action)
        index += text.count(line)
    return HouseholdActions(**found, treatments=tuple(treatments))


def _read(
    match: re.Match[str], prompt: ParsedPrompt, reader: NoisyReader, index: int
) -> tuple[list[str], HouseholdAction]:
    name, *inside, body = match.groups()
    form = "" if inside else name
    parameters = (
        tuple(p.strip() for p in inside[0].split(",") if p.strip() and p.strip() != "*")
        if inside
        else _slots(form, body)
    )
    requires: list[str] = []
    done: list[str] = []
    place = next((p for p in parameters if f"you are at {p}." in body or f"in or on {p}" in body), "")
    thing = next((p for p in parameters if p != place), "")
    at = index
    for label, part in text.labelled(body.partition("Write it so:")[0]):
        for sentence in text.split(part):
            again = (t.index for t in prompt.lessons if f"{name}(" in t.text and sentence in t.text)
            if reader.sees(f"{name}: {label}: {sentence}", [prompt.end - i for i in (at, *again)]):
                (requires if label == "Requires" else done).append(sentence)
            at += 1
    generic = {place: "place", thing: "thing"}
    written = frozenset(" ".join(generic.get(w, w) for w in s.split()) for s in requires)
    kinds = tuple(
        kind
        for sentence in requires
        if (found := _KIND.fullmatch(sentence)) and found[1] in parameters
        for kind in found.groups()[1:]
        if kind and kind != "place"
    )
    keywords = frozenset(_KEYWORD.findall(body.partition("Write it so:")[2]))
    action = HouseholdAction(
        name=name,
        parameters=parameters,
        keywords=keywords,
        thing=thing,
        place=place,
        requires=written,
        kinds=kinds,
        form=form,
    )
    return done, action


def _slots(form: str, body: str) -> tuple[str, ...]:
    """The words of a command's form that stand for names: those that the requirements and effects speak of
    as things or places."""
    spoken = (r"you are at {0}\.", r"you carry {0}\.", r"{0} is (?:in or )?on\b", r"in or on {0}\.")
    return tuple(
        word
        for word in form.split()
        if any(re.search(rf"\b{pattern.format(re.escape(word))}", body) for pattern in spoken)
    )


def _role(effect: str, action: HouseholdAction) -> tuple[str, str]:
    """What an effect makes of an action."""
    if effect == f"you are at {action.place}":
        return "go", ""
    if effect == f"you carry {action.thing}":
        return "take", ""
    if effect == f"{action.thing} is in or on {action.place}":
        return "put", ""
    if effect == f"{action.place} is open":
        return "open", ""
    if effect == f"{action.thing} is on":
        return "use", ""
    made = re.fullmatch(rf"{action.thing} is (\w+)", effect) if action.thing and action.place else None
    return ("treatment", made[1]) if made else ("", "")


class Chore:
    """Plans a goal by beliefs and actions as read. `next` is one step, `ahead` as many as can be
    predicted."""

    def __init__(self, actions: HouseholdActions, goal: HouseholdGoal) -> None:
        self.actions = actions
        self.goal = goal

    def reached(self, belief: HouseBelief) -> bool:
        """Whether the goal is reached by what is believed."""
        goal = self.goal
        if goal.lamp:
            lamps = [o for o, place in belief.where(goal.lamp) if place == belief.at and o in belief.used]
            return kind_of(belief.carrying) == goal.kind and bool(lamps)
        for place in belief.of_kind(goal.place):
            fit = [o for o, p in belief.placed.items() if p == place and self._fit(belief, o)]
            if len(fit) >= goal.number:
                return True
        return False

    def next(self, belief: HouseBelief) -> text.ActionCall | None:
        """The next call; None when nothing can be thought of."""
        if belief.carrying and self._wanted(belief, belief.carrying):
            return self._with_carried(belief)
        seen = [(o, p) for o, p in belief.where(self.goal.kind) if self._wanted(belief, o)]
        for thing, place in seen:
            call = self._do(belief, self.actions.take, thing, place)
            if call and str(call) not in belief.failed_calls:
                return call
        return self._explore(belief)

    def ahead(self, belief: HouseBelief, most: int) -> list[text.ActionCall]:
        """Calls that can be foreseen, as long as each leads to what is known already."""
        belief = belief.copy()
        calls: list[text.ActionCall] = []
        while len(calls) < most and not self.reached(belief):
            call = self.next(belief)
            if call is None or (calls and str(call) in map(str, calls[-2:])):
                break
            calls.append(call)
            if not self.imagine(belief, call):
                break
        return calls

    def imagine(self, belief: HouseBelief, call: text.ActionCall) -> bool:
        """What follows from a call that works; False when it shows what cannot be foreseen."""
        action = self.actions.named(call.name)
        if action is None:
            return False
        value = dict(zip(action.parameters, call.arguments, strict=False))
        thing, place = value.get(action.thing, ""), value.get(action.place, "")
        if action is self.actions.go:
            belief.at = place
            return place in belief.contents
        if action is self.actions.take:
            belief.take(thing, place)
        elif action is self.actions.put:
            belief.put(thing, place)
        elif action is self.actions.open:
            belief.open_place(place)
            return place in belief.contents
        elif action is self.actions.use:
            belief.used.add(thing)
        else:
            belief.treat(action.verb, thing, place)
        return True

    def _wanted(self, belief: HouseBelief, thing: str) -> bool:
        if kind_of(thing) != self.goal.kind:
            return False
        placed = belief.placed.get(thing)
        return not (placed and kind_of(placed) == self.goal.place and self._fit(belief, thing))

    def _fit(self, belief: HouseBelief, thing: str) -> bool:
        if kind_of(thing) != self.goal.kind:
            return False
        if not self.goal.condition:
            return True
        action = self.actions.treatment(self.goal.condition)
        return bool(action and action.verb in belief.treated.get(thing, ()))

    def _with_carried(self, belief: HouseBelief) -> text.ActionCall | None:
        """What to do with the carried object: treat it, use the lamp, or put it into its place."""
        goal, thing = self.goal, belief.carrying
        if goal.lamp:
            for lamp, place in belief.where(goal.lamp):
                if belief.at != place:
                    return self._do(belief, self.actions.go, "", place)
                return self.actions.use.call(lamp, "") if self.actions.use else None
            return self._explore(belief)
        if not self._fit(belief, thing):
            action = self.actions.treatment(goal.condition)
            if action is None:
                return None
            kinds = action.kinds or tuple(dict.fromkeys(map(kind_of, belief.places)))
            return self._first(belief, action, thing, [p for k in kinds for p in belief.of_kind(k)])
        shared = [p for o, p in belief.placed.items() if kind_of(o) == goal.kind]
        options = [p for p in belief.of_kind(goal.place) if p in shared] or belief.of_kind(goal.place)
        return self._first(belief, self.actions.put, thing, options)

    def _first(
        self, belief: HouseBelief, action: HouseholdAction | None, thing: str, places: list[str]
    ) -> text.ActionCall | None:
        for place in places:
            call = self._do(belief, action, thing, place)
            if call and str(call) not in belief.failed_calls:
                return call
        return None

    def _do(
        self, belief: HouseBelief, action: HouseholdAction | None, thing: str, place: str
    ) -> text.ActionCall | None:
        """A call, or what its requirements, as far as they were read, ask for first."""
        if action is None:
            return None
        needs = action.requires
        if "you carry nothing" in needs and belief.carrying and self.actions.put and belief.at:
            return self.actions.put.call(belief.carrying, belief.at)
        if "you are at place" in needs and belief.at != place:
            return self.actions.go.call("", place) if self.actions.go else None
        if "place is not closed" in needs and place in belief.closed:
            return self.actions.open.call("", place) if self.actions.open else None
        return action.call(thing, place)

    def _explore(self, belief: HouseBelief) -> text.ActionCall | None:
        """Look where it has not looked; of kinds of places those first of which it has seen fewest."""
        if belief.at in belief.closed and belief.at not in belief.contents and self.actions.open:
            call = self.actions.open.call("", belief.at)
            if str(call) not in belief.failed_calls:
                return call
        looked: dict[str, int] = {}
        for place in belief.contents:
            looked[kind_of(place)] = looked.get(kind_of(place), 0) + 1
        open_ones = [p for p in belief.places if p not in belief.contents and p != belief.at]
        order = sorted(open_ones, key=lambda p: looked.get(kind_of(p), 0))
        return self._first(belief, self.actions.go, "", order)
