"""Household tasks: a small house of our own that speaks the sentences of docs/alfworld.md, and the real
engine where it is installed."""

from __future__ import annotations

import importlib.util
import re

import pytest

from learnact.methods import learner_replies
from learnact.methods.action_replies import ParsedCall, ParsedCommand, read
from learnact.methods.learnact import improve_answer
from learnact.methods.prompt_sections import section
from learnact.methods.training import TEMPLATES as LEARNER_TEXTS
from learnact.methods.training import function_rules
from learnact.records import Rules
from learnact.simulated.function_reading import read_functions
from learnact.simulated.replies import reply_to
from tests.simulated.playing import domain, play

CALLS = """- goto(recep): Requires: recep is a place of the house. Then: you are at recep. you are no \
longer at any other place.
- take(obj, recep): Requires: you are at recep. recep is not closed. obj is in or on recep. you carry \
nothing. Then: you carry obj.
- put(obj, recep): Requires: you are at recep. recep is not closed. you carry obj. Then: obj is in or \
on recep. you no longer carry obj.
- open(recep): Requires: you are at recep. recep is closed. Then: recep is open. You see what is in recep.
- use(obj): Requires: you are at the place where obj is. obj is a desklamp or a floorlamp. Then: obj is on.
- heat(obj, recep): Requires: you are at recep. recep is a microwave. you carry obj. Then: obj is hot. \
obj is no longer cool."""
FORMS = re.sub(
    r"- (\w+)\((.*?)\)",
    lambda m: {
        "goto": "- go to recep",
        "take": "- take obj from recep",
        "put": "- put obj in/on recep",
        "open": "- open recep",
        "use": "- use obj",
        "heat": "- heat obj with recep",
    }[m[1]],
    CALLS,
)


class Cottage:
    """Some places with things; answers calls as the engine would."""

    def __init__(self) -> None:
        self.things = {
            "cabinet 1": ["plate 1"],
            "desk 1": ["desklamp 1", "pen 1"],
            "shelf 1": ["mug 1"],
            "fridge 1": ["mug 2"],
            "microwave 1": [],
        }
        self.closed = {"cabinet 1", "fridge 1", "microwave 1"}
        self.at = ""
        self.carried = ""
        self.hot: set[str] = set()
        self.on: set[str] = set()

    @property
    def opening(self) -> str:
        listed = [f"a {p}" for p in self.things]
        return (
            "You are in the middle of a room. Looking quickly around you, you see "
            f"{', '.join(listed[:-1])}, and {listed[-1]}."
        )

    def call(self, name: str, *names: str) -> str:
        place = next((n for n in names if n in self.things), "")
        thing = next((n for n in names if n not in self.things), "")
        if name == "goto":
            self.at = place
            return (
                f"The {place} is closed." if place in self.closed else self._seen(f"On the {place}, you see")
            )
        if name == "use":
            if thing not in self.things.get(self.at, []):
                return f"Nothing happens. You do not see {thing} here."
            self.on.add(thing)
            return f"You turn on the {thing}."
        if place != self.at:
            return f"Nothing happens. You are not at {place}."
        if name == "open":
            self.closed.discard(place)
            return self._seen(f"You open the {place}. The {place} is open. In it, you see")
        if name == "heat":
            self.hot.add(thing)
            return f"You heat the {thing} using the {place}."
        if place in self.closed:
            return f"Nothing happens. The {place} is closed."
        if name == "take" and thing in self.things[place] and not self.carried:
            self.things[place].remove(thing)
            self.carried = thing
            return f"You pick up the {thing} from the {place}."
        if name == "put" and self.carried == thing:
            self.things[place].append(thing)
            self.carried = ""
            return f"You put the {thing} in/on the {place}."
        return "Nothing happens."

    def _seen(self, start: str) -> str:
        things = self.things[self.at]
        listed = "nothing" if not things else ", and ".join(f"a {t}" for t in things)
        return f"{start} {listed}."


def live(
    goal: str, model: str = "sim-perfect", seed: int = 0, turns: int = 25, commands: bool = False
) -> tuple[Cottage, list[str]]:
    """Play in the cottage; the house and what was said."""
    house = Cottage()
    said: list[str] = []
    entries = ""
    kind = "one command in one of the forms above" if commands else "one call of one of the actions above"
    for _ in range(turns):
        prompt = (
            section("Instructions", "You are in a house.")
            + section("Primitive actions", FORMS if commands else CALLS)
            + section("Your task", f"Goal: {goal}\nObservation: {Cottage().opening}")
            + (f"## So far\n{entries}\n" if entries else "")
            + f"## Your answer\nWrite the next action: {kind}, and nothing else.\nAction:"
        )
        found = read(reply_to(model, [("user", prompt)], seed).text, {"goto"}, False, commands)
        if isinstance(found, ParsedCommand):
            text = found.text
            names = re.findall(r"[a-z]+ \d+", text)
            name = "goto" if text.startswith("go to") else text.split()[0]
        else:
            assert isinstance(found, ParsedCall)
            text, name, names = found.call.text, found.call.name, [str(a) for a in found.call.args]
        said.append(text)
        entries += f"Action: {text}\nObservation: {house.call(name, *names)}\n"
        if done(house, goal):
            break
    return house, said


def done(house: Cottage, goal: str) -> bool:
    mugs = [t for t in house.things["cabinet 1"] if t.startswith("mug")]
    if "two" in goal:
        return len(mugs) == 2
    if "under" in goal:
        return house.carried == "pen 1" and house.at == "desk 1" and "desklamp 1" in house.on
    return any(m in house.hot for m in mugs) if "hot" in goal or "heat" in goal else bool(mugs)


GOALS = (
    "put a mug in cabinet.",
    "put a hot mug in cabinet.",
    "heat some mug and put it in cabinet.",
    "put two mug in cabinet.",
    "look at pen under the desklamp.",
)


@pytest.mark.parametrize("commands", [False, True])
@pytest.mark.parametrize("goal", GOALS)
def test_at_full_attention_every_goal_is_reached(goal: str, commands: bool) -> None:
    house, said = live(goal, commands=commands)
    assert done(house, goal), said
    assert len(set(said)) >= len(said) - 4


def test_it_looks_where_it_has_not_looked() -> None:
    _, said = live("put a spoon in cabinet.", turns=12)
    assert {f"goto('{place}')" for place in Cottage().things} <= set(said)


def test_inattention_costs_turns_and_never_ends_in_a_loop_of_one_call() -> None:
    attentive = sum(len(live(goal)[1]) for goal in GOALS)
    careless = [live(goal, "sim-weak", seed)[1] for goal in GOALS for seed in range(4)]
    assert sum(map(len, careless)) / 4 > attentive
    assert all(
        one != two or two != three
        for said in careless
        for one, two, three in zip(said, said[1:], said[2:], strict=False)
    )


def create(seed: int, model: str = "sim-strong") -> str:
    request = LEARNER_TEXTS.fill(
        "create", rules=function_rules(domain("alfworld-put"), Rules(), 100), variation=""
    )
    prompt = (
        section("Primitive actions", CALLS)
        + section("Your task", f"Goal: {GOALS[1]}\nObservation: {Cottage().opening}")
        + request
    )
    return reply_to(model, [("user", prompt)], seed).text


def test_functions_come_from_the_errand_as_it_might_go() -> None:
    found = [read_functions(learner_replies.proposal(create(seed)).code) for seed in range(6)]
    assert sum(map(bool, found)) >= 4
    assert len({tuple(f.name for f in functions) for functions in found}) >= 3
    assert all(s.name in CALLS for functions in found for f in functions for s in f.steps)


def test_a_step_program_makes_the_calls_that_can_be_foreseen_and_may_define_a_function() -> None:
    seen = "Action: goto('shelf 1')\nObservation: On the shelf 1, you see a mug 1.\n"
    prompt = (
        section("Primitive actions", CALLS)
        + section("Your task", f"Goal: {GOALS[0]}\nObservation: {Cottage().opening}")
        + section("So far", seen)
        + "## Your answer\nWrite the next step as one short Python program."
    )
    written = [reply_to("sim-perfect", [("user", prompt)], seed).text for seed in range(8)]
    plain = [text for text in written if "def " not in text]
    assert plain and all("take('mug 1', 'shelf 1')\ngoto('cabinet 1')" in text for text in plain)
    functions = [text for text in written if "def " in text]
    assert functions and all('"""Does: take(' in text for text in functions)


FAILED = """Goal: put a mug in cabinet.
Observation: {opening}
Action: fetch('mug 1', 'shelf 1', 'cabinet 1')
The call made these primitive actions:
1. take('mug 1', 'shelf 1') -> Nothing happens. You are not at shelf 1.
2. goto('cabinet 1') -> The cabinet 1 is closed."""
FETCH = "def fetch(obj, start, end):\n    take(obj, start)\n    goto(end)\n    put(obj, end)"


def after_failure(request: str) -> str:
    prompt = (
        section("Primitive actions", CALLS)
        + section("Code", f"```python\n{FETCH}\n```")
        + section("What happened", FAILED.format(opening=Cottage().opening))
        + request
    )
    return reply_to("sim-perfect", [("user", prompt)], 0).text


def test_a_failed_call_is_mended_by_going_there_first() -> None:
    request = improve_answer(
        "fetch()", "fetch", function_rules(domain("alfworld-put"), Rules(), 100), updates=True, notes=True
    )
    found = learner_replies.improvement(after_failure(request))
    assert isinstance(found, learner_replies.Update)
    (function,) = read_functions(found.proposal.code)
    assert [s.name for s in function.steps] == ["goto", "take", "goto", "put"]


def test_a_lesson_and_a_verdict() -> None:
    attempt = FAILED.replace("fetch('mug 1', 'shelf 1', 'cabinet 1')", "take('mug 1', 'shelf 1')")
    attempt = attempt.partition("The call made")[0] + "Observation: Nothing happens. You are not at shelf 1."
    prompt = section("Primitive actions", CALLS) + section(
        "What happened", attempt.format(opening=Cottage().opening)
    )
    lesson = learner_replies.lesson(
        reply_to("sim-perfect", [("user", prompt + LEARNER_TEXTS.fill("reflect", again=""))], 0).text
    )
    assert lesson == "Before take(obj, recep), make sure that you are at recep."
    assert learner_replies.verdict(after_failure(LEARNER_TEXTS.fill("verify")))[0] is False


@pytest.mark.skipif(
    importlib.util.find_spec("alfworld") is None, reason="alfworld is not installed: no real house to play"
)
def test_on_the_real_engine() -> None:
    world = domain("alfworld-put", test=5, train=3)
    assert sum(play(world, task, "sim-perfect").success for task in world.tasks("test")[:3]) >= 2
