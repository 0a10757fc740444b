"""What to do next in a house: the actions' requirements as read, the goal, and how they lead from one to
the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from learnact.simulated import text
from learnact.simulated.attention import Attention
from learnact.simulated.household.house import NAME, House, kind_of
from learnact.simulated.scene import Entry, Scene

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
class Goal:
    """What is wanted: so many objects of a kind, in a condition ("" for any), in a kind of place, or under
    a kind of lamp."""

    number: int
    condition: str
    kind: str
    place: str
    lamp: str


def read_goal(sentence: str) -> Goal | None:
    """The goal that a sentence says."""
    for pattern, (number, condition, kind, place, lamp) in _GOALS:
        match = pattern.fullmatch(sentence.strip().rstrip("."))
        if match:
            groups = ("", *match.groups())
            return Goal(number, *(groups[i] for i in (condition, kind, place, lamp)))
    return None


@dataclass(frozen=True)
class Act:
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

    def call(self, thing: str, place: str) -> text.Call:
        """A call with these names."""
        value = {self.thing: thing, self.place: place}
        return text.Call(self.name, tuple(value.get(p, thing or place) for p in self.parameters))

    def written(self, call: text.Call) -> str:
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
class Acts:
    """The actions by what they do, as far as that was read. `treatments` by the word for the condition."""

    go: Act | None = None
    take: Act | None = None
    put: Act | None = None
    open: Act | None = None
    use: Act | None = None
    treatments: tuple[tuple[str, Act], ...] = ()

    def treatment(self, condition: str) -> Act | None:
        """The action for a condition, called by its verb or by what it makes of a thing."""
        return next((a for word, a in self.treatments if condition in (word, a.verb)), None)

    @property
    def known(self) -> list[Act]:
        """All that were read."""
        roles = (self.go, self.take, self.put, self.open, self.use)
        return [act for act in (*roles, *(a for _, a in self.treatments)) if act]

    def named(self, name: str) -> Act | None:
        """The action of a name."""
        return next((act for act in self.known if act.name == name), None)

    def heard(self, entry: Entry) -> text.Call | None:
        """What an entry did: its call, or the command that it wrote."""
        if entry.call:
            return entry.call
        for act in self.known:
            words = [f"({NAME})" if w in act.parameters else re.escape(w) for w in act.form.split()]
            match = re.fullmatch(" ".join(words), entry.said) if words else None
            if match:
                return text.Call(act.name, match.groups())
        return None


def read_acts(scene: Scene, attention: Attention) -> Acts:
    """The actions in the prompt, as far as they were read."""
    section = next((s for s in scene.sections if s.heading == "Primitive actions"), None)
    found: dict[str, Act] = {}
    treatments: list[tuple[str, Act]] = []
    index = section.index if section else 0
    for line in (section.body if section else "").splitlines():
        match = _LINE.match(line) or _FORM.match(line)
        if match:
            done, act = _read(match, scene, attention, index)
            for effect in done:
                role, word = _role(effect, act)
                if role == "treatment":
                    treatments.append((word, act))
                elif role:
                    found.setdefault(role, act)
        index += text.count(line)
    return Acts(**found, treatments=tuple(treatments))


def _read(match: re.Match[str], scene: Scene, attention: Attention, index: int) -> tuple[list[str], Act]:
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
            again = (t.index for t in scene.lessons if f"{name}(" in t.text and sentence in t.text)
            if attention.sees(f"{name}: {label}: {sentence}", [scene.end - i for i in (at, *again)]):
                (requires if label == "Requires" else done).append(sentence)
            at += 1
    generic = {place: "place", thing: "thing"}
    said = frozenset(" ".join(generic.get(w, w) for w in s.split()) for s in requires)
    kinds = tuple(
        kind
        for sentence in requires
        if (found := _KIND.fullmatch(sentence)) and found[1] in parameters
        for kind in found.groups()[1:]
        if kind and kind != "place"
    )
    keywords = frozenset(_KEYWORD.findall(body.partition("Write it so:")[2]))
    return done, Act(name, parameters, keywords, thing, place, said, kinds, form)


def _slots(form: str, body: str) -> tuple[str, ...]:
    """The words of a command's form that stand for names: those that the requirements and effects speak of
    as things or places."""
    spoken = (r"you are at {0}\.", r"you carry {0}\.", r"{0} is (?:in or )?on\b", r"in or on {0}\.")
    return tuple(
        word
        for word in form.split()
        if any(re.search(rf"\b{pattern.format(re.escape(word))}", body) for pattern in spoken)
    )


def _role(effect: str, act: Act) -> tuple[str, str]:
    """What an effect makes of an action."""
    if effect == f"you are at {act.place}":
        return "go", ""
    if effect == f"you carry {act.thing}":
        return "take", ""
    if effect == f"{act.thing} is in or on {act.place}":
        return "put", ""
    if effect == f"{act.place} is open":
        return "open", ""
    if effect == f"{act.thing} is on":
        return "use", ""
    made = re.fullmatch(rf"{act.thing} is (\w+)", effect) if act.thing and act.place else None
    return ("treatment", made[1]) if made else ("", "")


class Errand:
    """The way to a goal by beliefs and actions as read. `next` is one step, `ahead` as many as can be
    foreseen."""

    def __init__(self, acts: Acts, goal: Goal) -> None:
        self.acts = acts
        self.goal = goal

    def reached(self, house: House) -> bool:
        """Whether the goal is reached by what is believed."""
        goal = self.goal
        if goal.lamp:
            lamps = [o for o, place in house.where(goal.lamp) if place == house.at and o in house.used]
            return kind_of(house.carrying) == goal.kind and bool(lamps)
        for place in house.of_kind(goal.place):
            fit = [o for o, p in house.placed.items() if p == place and self._fit(house, o)]
            if len(fit) >= goal.number:
                return True
        return False

    def next(self, house: House) -> text.Call | None:
        """The next call; None when nothing can be thought of."""
        if house.carrying and self._wanted(house, house.carrying):
            return self._with_it(house)
        seen = [(o, p) for o, p in house.where(self.goal.kind) if self._wanted(house, o)]
        for thing, place in seen:
            call = self._do(house, self.acts.take, thing, place)
            if call and str(call) not in house.barren:
                return call
        return self._explore(house)

    def ahead(self, house: House, most: int) -> list[text.Call]:
        """Calls that can be foreseen, as long as each leads to what is known already."""
        house = house.copy()
        calls: list[text.Call] = []
        while len(calls) < most and not self.reached(house):
            call = self.next(house)
            if call is None or (calls and str(call) in map(str, calls[-2:])):
                break
            calls.append(call)
            if not self.imagine(house, call):
                break
        return calls

    def imagine(self, house: House, call: text.Call) -> bool:
        """What follows from a call that works; False when it shows what cannot be foreseen."""
        act = self.acts.named(call.name)
        if act is None:
            return False
        value = dict(zip(act.parameters, call.arguments, strict=False))
        thing, place = value.get(act.thing, ""), value.get(act.place, "")
        if act is self.acts.go:
            house.at = place
            return place in house.contents
        if act is self.acts.take:
            house.take(thing, place)
        elif act is self.acts.put:
            house.put(thing, place)
        elif act is self.acts.open:
            house.lift_lid(place)
            return place in house.contents
        elif act is self.acts.use:
            house.used.add(thing)
        else:
            house.treat(act.verb, thing, place)
        return True

    def _wanted(self, house: House, thing: str) -> bool:
        if kind_of(thing) != self.goal.kind:
            return False
        placed = house.placed.get(thing)
        return not (placed and kind_of(placed) == self.goal.place and self._fit(house, thing))

    def _fit(self, house: House, thing: str) -> bool:
        if kind_of(thing) != self.goal.kind:
            return False
        if not self.goal.condition:
            return True
        act = self.acts.treatment(self.goal.condition)
        return bool(act and act.verb in house.treated.get(thing, ()))

    def _with_it(self, house: House) -> text.Call | None:
        """What to do with the object in hand: treat it, show it to the lamp, or put it where it belongs."""
        goal, thing = self.goal, house.carrying
        if goal.lamp:
            for lamp, place in house.where(goal.lamp):
                if house.at != place:
                    return self._do(house, self.acts.go, "", place)
                return self.acts.use.call(lamp, "") if self.acts.use else None
            return self._explore(house)
        if not self._fit(house, thing):
            act = self.acts.treatment(goal.condition)
            if act is None:
                return None
            kinds = act.kinds or tuple(dict.fromkeys(map(kind_of, house.places)))
            return self._first(house, act, thing, [p for k in kinds for p in house.of_kind(k)])
        shared = [p for o, p in house.placed.items() if kind_of(o) == goal.kind]
        options = [p for p in house.of_kind(goal.place) if p in shared] or house.of_kind(goal.place)
        return self._first(house, self.acts.put, thing, options)

    def _first(self, house: House, act: Act | None, thing: str, places: list[str]) -> text.Call | None:
        for place in places:
            call = self._do(house, act, thing, place)
            if call and str(call) not in house.barren:
                return call
        return None

    def _do(self, house: House, act: Act | None, thing: str, place: str) -> text.Call | None:
        """A call, or what its requirements, as far as they were read, ask for first."""
        if act is None:
            return None
        needs = act.requires
        if "you carry nothing" in needs and house.carrying and self.acts.put and house.at:
            return self.acts.put.call(house.carrying, house.at)
        if "you are at place" in needs and house.at != place:
            return self.acts.go.call("", place) if self.acts.go else None
        if "place is not closed" in needs and place in house.closed:
            return self.acts.open.call("", place) if self.acts.open else None
        return act.call(thing, place)

    def _explore(self, house: House) -> text.Call | None:
        """Look where it has not looked; of kinds of places those first of which it has seen fewest."""
        if house.at in house.closed and house.at not in house.contents and self.acts.open:
            call = self.acts.open.call("", house.at)
            if str(call) not in house.barren:
                return call
        looked: dict[str, int] = {}
        for place in house.contents:
            looked[kind_of(place)] = looked.get(kind_of(place), 0) + 1
        open_ones = [p for p in house.places if p not in house.contents and p != house.at]
        order = sorted(open_ones, key=lambda p: looked.get(kind_of(p), 0))
        return self._first(house, self.acts.go, "", order)
