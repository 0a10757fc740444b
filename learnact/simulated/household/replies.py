"""Answers to prompts about household tasks: a call or a thought, functions, usage, improvements, lessons,
verdicts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from learnact.simulated import text
from learnact.simulated.attention import LOOKS, Attention
from learnact.simulated.functions import Function, code_in, read_functions
from learnact.simulated.household.chores import Acts, Errand, Goal, read_acts, read_goal
from learnact.simulated.household.house import FAILED, House, believe, goal_of, opening, told
from learnact.simulated.proposing import NO_WAY, cover, propose, written_out
from learnact.simulated.repairing import LINE, PUZZLED, Failure, edited
from learnact.simulated.rules import Rule
from learnact.simulated.scene import Scene

FORESIGHT = 8
LONGEST_STORY = 16
MOST_SHOWN = 5
PATIENCE = 2
NOTHING = "I see no action that I could take."
_PATIENT = re.compile(r"(?:The|in/on the|not at) ([a-z]+ ?\d+)")


def call(scene: Scene, attention: Attention) -> str:
    """One call, or one command where actions are commands."""
    acts, step = _choose(scene, attention)
    return _written(acts, step) if step else NOTHING


def thought_or_call(scene: Scene, attention: Attention) -> str:
    """A thought at the beginning and after a failure, a call otherwise."""
    last = scene.history[-1] if scene.history else None
    acts, step = _choose(scene, attention)
    if (last is None or FAILED in last.seen.raw) and not (last and last.thought):
        first = f" I call {step.name} next." if step else ""
        return f"Think: The goal is: {goal_of(scene)}.{first}"
    return f"Action: {_written(acts, step)}" if step else NOTHING


def _choose(scene: Scene, attention: Attention) -> tuple[Acts, text.Call | None]:
    """The next call, a learned action where one does what is foreseen; after closer looks where nothing
    was found."""
    acts = Acts()
    for look in range(LOOKS):
        closer = attention.closer(look)
        acts = read_acts(scene, closer)
        goal = _goal(scene, closer)
        if goal is None:
            continue
        house = believe(scene, closer, acts.go.name if acts.go else "", acts.heard)
        errand = Errand(acts, goal)
        ahead = errand.ahead(house, FORESIGHT)
        if ahead and str(ahead[0]) not in house.barren:
            return acts, _learned(scene, closer, ahead) or ahead[0]
    house = opening(scene)
    if acts.go and house.places:
        return acts, acts.go.call("", house.places[attention.draw("anywhere", len(house.places))])
    return acts, None


def _goal(scene: Scene, attention: Attention) -> Goal | None:
    seen = [g for g in scene.task.goal if attention.sees(f"goal: {g.text}", (scene.end - g.index,))]
    return read_goal(seen[0].text) if seen else None


def _learned(scene: Scene, attention: Attention, ahead: Sequence[text.Call]) -> text.Call | None:
    """The learned action that makes the most of the foreseen calls."""
    failed = Counter(e.call.name for e in scene.history if e.call and FAILED in e.seen.raw)
    best: tuple[int, text.Call | None] = (1, None)
    for rule in scene.learned:
        seen = attention.sees(f"{rule.name}: does", (scene.end - rule.index,))
        if not seen or failed[rule.name] >= PATIENCE or len(rule.does) <= best[0]:
            continue
        bound = _unified(rule, ahead)
        if bound:
            best = (len(rule.does), bound)
    return best[1]


def _unified(rule: Rule, ahead: Sequence[text.Call]) -> text.Call | None:
    if len(rule.does) > len(ahead):
        return None
    value: dict[str, str] = {}
    for mine, theirs in zip(rule.does, ahead, strict=False):
        if mine.name != theirs.name or len(mine.arguments) != len(theirs.arguments):
            return None
        for parameter, name in zip(mine.arguments, theirs.arguments, strict=True):
            if value.setdefault(parameter, name) != name:
                return None
    if not all(p in value for p in rule.parameters):
        return None
    return text.Call(rule.name, tuple(value[p] for p in rule.parameters))


def _written(acts: Acts, step: text.Call) -> str:
    act = acts.named(step.name)
    return act.written(step) if act else str(step)


# Learning
# ---------------------------------------------------------------------------------------------------------------


def _story(scene: Scene, attention: Attention) -> tuple[Acts, House, list[text.Call]]:
    """How the task might go: the object is imagined in some place, then the calls that follow."""
    for look in range(LOOKS):
        closer = attention.closer(look)
        acts, goal, house = read_acts(scene, closer), _goal(scene, closer), opening(scene)
        if goal is None or not house.places:
            continue
        for sentence in text.split(scene.body("Your last answer").replace("\n", " ").replace(" -> ", ". ")):
            house.hear(sentence)
        house.at, house.carrying = "", ""
        house.placed.clear()
        house.treated.clear()
        for number in range(goal.number):
            if number < len(house.where(goal.kind)):
                continue
            unseen = [p for p in house.places if p not in house.contents] or list(house.places)
            place = unseen[attention.draw(f"place {number}", len(unseen))]
            house.contents.setdefault(place, []).append(_numbered(goal.kind, number + 1, house))
            if attention.draw(f"closed {number}", 2):
                house.closed.add(place)
        for place in house.places:
            house.contents.setdefault(place, [])
        if goal.lamp:
            place = house.places[attention.draw("lamp", len(house.places))]
            house.contents[place].append(_numbered(goal.lamp, 1, house))
        calls = Errand(acts, goal).ahead(house, LONGEST_STORY)
        if len(calls) > 1:
            return acts, house, calls
    return Acts(), opening(scene), []


def _numbered(kind: str, number: int, house: House) -> str:
    """A name like the house's own names."""
    return f"{kind} {number}" if " " in "".join(house.places[:1]) else f"{kind}{number}"


def functions(scene: Scene, attention: Attention) -> str:
    """Two to four functions with a usage line."""
    acts, _, story = _story(scene, attention)
    return written_out(_keyworded(acts, propose(scene, attention, story)))


def program_of_functions(scene: Scene, attention: Attention) -> str:
    """Functions, and the calls that would reach the goal if the object were where it is imagined."""
    acts, _, story = _story(scene, attention)
    written = _keyworded(acts, propose(scene, attention, story))
    if not written:
        return NO_WAY
    calls = cover(story, [function for function, _ in written], scene)
    code = "\n\n\n".join(function.code for function, _ in written)
    return f"```python\n{code}\n```\nUsage: {'; '.join(_written(acts, c) for c in calls)}"


def _keyworded(
    acts: Acts, written: list[tuple[Function, tuple[str, ...]]]
) -> list[tuple[Function, tuple[str, ...]]]:
    """The functions with keywords where an action asks for them."""
    words = {a.name: (a.parameters, a.keywords) for _, a in acts.treatments if a.keywords}
    return [(Function(f.name, f.parameters, f.steps, words), names) for f, names in written]


def usage_example(scene: Scene, attention: Attention) -> str:
    """A few actions of the example task as it might go, the first a call of a function."""
    acts, _, story = _story(scene, attention)
    known = read_functions(code_in(scene.body("Code")))
    calls = cover(story, known, scene)
    names = {f.name: f for f in known}
    first = next((i for i, c in enumerate(calls) if c.name in names), None)
    if first is None:
        return NO_WAY
    lines = []
    for step in calls[max(0, first - MOST_SHOWN + 1) : first + 1]:
        made = names[step.name].made(step.arguments) if step.name in names else (step,)
        lines += [
            f"Action: {_written(acts, step)}",
            f"Observation: {' '.join(_observed(acts, c) for c in made)}",
        ]
    return "\n".join(lines)


def _observed(acts: Acts, step: text.Call) -> str:
    act = acts.named(step.name)
    if act is None:
        return "Done."
    value = dict(zip(act.parameters, step.arguments, strict=False))
    thing, place = value.get(act.thing, ""), value.get(act.place, "")
    if act is acts.go:
        return f"You arrive at {place}."
    if act is acts.take:
        return f"You pick up the {thing} from the {place}."
    if act is acts.put:
        return f"You put the {thing} in/on the {place}."
    if act is acts.open:
        return f"You open the {place}."
    return (
        f"You turn on the {thing}." if act is acts.use else f"You {act.verb} the {thing} using the {place}."
    )


def improvement(scene: Scene, attention: Attention) -> str:
    """An update that goes to the place or opens it first, else a note."""
    known = {f.name: f for f in read_functions(code_in(scene.body("Code")))}
    shown = next((e for e in reversed(scene.history) if e.call and e.call.name in known), None)
    if shown is None or shown.call is None:
        return PUZZLED
    function, arguments = known[shown.call.name], shown.call.arguments
    lines: list[tuple[str, str]] = LINE.findall(shown.said)
    at = next((i for i, (_, seen) in enumerate(lines) if seen.startswith(FAILED)), None)
    if at is None or len(arguments) != len(function.parameters) or at >= len(function.steps):
        return PUZZLED
    why = lines[at][1].removeprefix(FAILED).strip() or "it had no effect."
    failure = Failure(function, arguments, at, (why,), frozenset())
    step = function.made(arguments)[at]
    reason = f"Reason: {step.name} was not possible: {why}"
    acts = read_acts(scene, attention)
    help_call = _help(acts, why)
    if help_call and "an update:" in scene.answer.lower():
        made = list(function.made(arguments))
        words = {rule.name: rule.parameters for rule in scene.rules}
        edit = edited(
            failure, [*made[:at], help_call, *made[at:]], words, f"I do {help_call.name} before it."
        )
        usage = text.Call(function.name, edit.arguments)
        return f"{reason} {edit.change}\nUpdate:\n```python\n{edit.function.code}\n```\nUsage: {usage}"
    if "a note:" in scene.answer.lower():
        named = dict(zip(arguments, function.parameters, strict=True))
        for name, parameter in named.items():
            why = why.replace(name, parameter)
        return f"{reason}\nNote: look first; do not use it when it would be said: {why}"
    return reason


def _help(acts: Acts, why: str) -> text.Call | None:
    place = _PATIENT.search(why)
    if place is None:
        return None
    if "not at" in why and acts.go:
        return acts.go.call("", place[1])
    return acts.open.call("", place[1]) if "is closed" in why and acts.open else None


def lesson(scene: Scene, attention: Attention) -> str:
    """What would have avoided the failure seen most often; else to look in more places."""
    reasons: Counter[str] = Counter()
    acts = read_acts(scene, attention)
    for entry in scene.history:
        act = acts.named(entry.call.name) if entry.call else None
        if act is None or FAILED not in entry.seen.raw:
            continue
        before = f"Before {act.name}({', '.join(act.parameters)}), make sure that"
        for sentence, _ in told(entry):
            if "not at" in sentence:
                reasons[f"{before} you are at {act.place}."] += 1
            elif "closed" in sentence:
                reasons[f"{before} {act.place} is not closed."] += 1
            elif "already carrying" in sentence:
                reasons[f"{before} you carry nothing."] += 1
    if reasons:
        most = max(reasons.values())
        worst = [r for r, count in reasons.items() if count == most]
        return f"Lesson: {worst[attention.draw('which lesson', len(worst))]}"
    return "Lesson: Look into one place of each kind before you look into a second one of the same kind."


def verdict(scene: Scene, attention: Attention) -> str:
    """Whether the goal was reached by what was read."""
    acts, goal = read_acts(scene, attention), read_goal(goal_of(scene))
    house = opening(scene)
    for line in scene.body("What happened").splitlines():
        for sentence in text.split(line.partition(" -> ")[2] or line):
            house.hear(sentence)
    if goal and Errand(acts, goal).reached(house):
        return "Verdict: yes\nCritique: nothing is left to do."
    return f"Verdict: no\nCritique: it is not so that the goal was reached: {goal_of(scene)}."
