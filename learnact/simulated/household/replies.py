"""Replies to prompts about household tasks: calls, thoughts, functions, usage, improvements, lessons,
verdicts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from learnact.simulated import text
from learnact.simulated.function_reading import code_in, read_functions
from learnact.simulated.function_replies import NO_WAY, cover, propose, written_out
from learnact.simulated.functions import Function
from learnact.simulated.household.belief import (
    FAILED,
    HouseBelief,
    belief_after,
    goal_of,
    initial_belief,
    observed_sentences,
)
from learnact.simulated.household.chores import (
    Chore,
    HouseholdActions,
    HouseholdGoal,
    read_actions,
    read_goal,
)
from learnact.simulated.household.search import call_failed, search_call, search_function
from learnact.simulated.improvement_replies import (
    LINE,
    NO_REASON,
    STOPPED,
    ShownFailure,
    edited,
    one_round,
    with_its_loop,
)
from learnact.simulated.noisy_reader import READINGS, NoisyReader
from learnact.simulated.prompt import ParsedPrompt
from learnact.simulated.rule_replies import with_rule
from learnact.simulated.rules import Rule
from learnact.simulated.step_replies import MOST_CALLS, Keywords, calls_ahead, fenced

MAX_PREDICTED = 8
MAX_IMAGINED = 16
MOST_SHOWN = 5
MAX_FAILURES = 2
SOLVED = "The example task, solved"
"""How an example begins that shows the example task itself."""
NOTHING = "I see no action that I could take."
_PLACE = re.compile(r"(?:The|in/on the|not at) ([a-z]+ ?\d+)")


def call(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """One call, or one command where actions are commands."""
    actions, step = _decide(prompt, reader)
    return _written(actions, step) if step else NOTHING


def step_program(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """A program of the next call, if it is a learned action or what follows is not known; else of a few."""
    actions, step, ahead = _foresee(prompt, reader)
    if step is None:
        return NOTHING
    if not ahead or step != ahead[0]:
        return fenced(_written(actions, step))
    keywords = _keywords(actions)
    return calls_ahead(prompt, reader, ahead[:MOST_CALLS], keywords, lambda c: _written(actions, c))


def thought_or_call(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """A thought at the beginning and after a failure, a call otherwise."""
    last = prompt.history[-1] if prompt.history else None
    actions, step = _decide(prompt, reader)
    if (last is None or FAILED in last.seen.raw) and not (last and last.thought):
        first = f" I call {step.name} next." if step else ""
        return f"Think: The goal is: {goal_of(prompt)}.{first}"
    return f"Action: {_written(actions, step)}" if step else NOTHING


def _decide(prompt: ParsedPrompt, reader: NoisyReader) -> tuple[HouseholdActions, text.ActionCall | None]:
    """The next call."""
    actions, step, _ = _foresee(prompt, reader)
    return actions, step


def _foresee(
    prompt: ParsedPrompt, reader: NoisyReader
) -> tuple[HouseholdActions, text.ActionCall | None, list[text.ActionCall]]:
    """The next call, a learned action where one does what is foreseen, and what is foreseen; after closer
    looks where nothing was found."""
    actions = HouseholdActions()
    for look in range(READINGS):
        reread = reader.reread(look)
        actions = read_actions(prompt, reread)
        goal = _goal(prompt, reread)
        if goal is None:
            continue
        belief = belief_after(prompt, reread, actions.go.name if actions.go else "", actions.call_in)
        chore = Chore(actions, goal)
        ahead = chore.ahead(belief, MAX_PREDICTED)
        if ahead and str(ahead[0]) not in belief.failed_calls:
            looking = len(ahead) == 1 and actions.go is not None and ahead[0].name == actions.go.name
            search = search_call(prompt, reread, actions, belief, goal) if looking else None
            return actions, search or _learned(prompt, reread, ahead) or ahead[0], ahead
    belief = initial_belief(prompt)
    if actions.go and belief.places:
        return actions, actions.go.call("", belief.places[reader.draw("anywhere", len(belief.places))]), []
    return actions, None, []


def _goal(prompt: ParsedPrompt, reader: NoisyReader) -> HouseholdGoal | None:
    seen = [g for g in prompt.task.goal if reader.sees(f"goal: {g.text}", (prompt.end - g.index,))]
    return read_goal(seen[0].text) if seen else None


def _learned(
    prompt: ParsedPrompt, reader: NoisyReader, ahead: Sequence[text.ActionCall]
) -> text.ActionCall | None:
    """The learned action that makes the most of the foreseen calls."""
    failed = Counter(e.call.name for e in prompt.history if e.call and call_failed(e))
    best: tuple[int, text.ActionCall | None] = (1, None)
    for rule in prompt.learned:
        seen = reader.sees(f"{rule.name}: does", (prompt.end - rule.index,))
        if not seen or failed[rule.name] >= MAX_FAILURES or len(rule.does) <= best[0]:
            continue
        bound = _unified(rule, ahead)
        if bound:
            best = (len(rule.does), bound)
    return best[1]


def _unified(rule: Rule, ahead: Sequence[text.ActionCall]) -> text.ActionCall | None:
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
    return rule.call(tuple(value[p] for p in rule.parameters))


def _written(actions: HouseholdActions, step: text.ActionCall) -> str:
    action = actions.named(step.name)
    return action.written(step) if action else str(step)


# Learning


def _imagined_plan(
    prompt: ParsedPrompt, reader: NoisyReader
) -> tuple[HouseholdActions, HouseBelief, list[text.ActionCall]]:
    """A plan for the task with its objects where they were seen, else in places drawn at random."""
    for look in range(READINGS):
        reread = reader.reread(look)
        actions, goal, belief = read_actions(prompt, reread), _goal(prompt, reread), initial_belief(prompt)
        if goal is None or not belief.places:
            continue
        for sentence in _seen_before(prompt):
            belief.observe(sentence)
        belief.closed |= belief.opened
        belief.opened.clear()
        belief.at, belief.carrying = "", ""
        belief.placed.clear()
        belief.treated.clear()
        for number in range(goal.number):
            if number < len(belief.where(goal.kind)):
                continue
            unseen = [p for p in belief.places if p not in belief.contents] or list(belief.places)
            place = unseen[reader.draw(f"place {number}", len(unseen))]
            belief.contents.setdefault(place, []).append(_numbered(goal.kind, number + 1, belief))
            if reader.draw(f"closed {number}", 2):
                belief.closed.add(place)
        for place in belief.places:
            belief.contents.setdefault(place, [])
        if goal.lamp and not belief.where(goal.lamp):
            place = belief.places[reader.draw("lamp", len(belief.places))]
            belief.contents[place].append(_numbered(goal.lamp, 1, belief))
        calls = Chore(actions, goal).ahead(belief, MAX_IMAGINED)
        if len(calls) > 1:
            return actions, belief, calls
    return HouseholdActions(), initial_belief(prompt), []


def _seen_before(prompt: ParsedPrompt) -> list[str]:
    """What was seen of this house: where the example task is shown solved, what is in its places at first;
    and what the last answer led to."""
    example = prompt.body("Example")
    shown = example.splitlines() if example.startswith(SOLVED) else []
    solved = [line.removeprefix("Observation: ") for line in shown if line.startswith("Observation: ")]
    first = [s for line in solved for s in text.split(line) if not s.startswith(("You pick up", "You put"))]
    tried = prompt.body("Your last answer").replace("\n", " ").replace(" -> ", ". ")
    return first + [s.removeprefix("Observation: ") for s in text.split(tried)]


def _numbered(kind: str, number: int, belief: HouseBelief) -> str:
    """A name like the house's own names."""
    return f"{kind} {number}" if " " in "".join(belief.places[:1]) else f"{kind}{number}"


def functions(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """Two to four functions with a usage line."""
    actions, _, imagined = _imagined_plan(prompt, reader)
    goal = _goal(prompt, reader)
    search = search_function(prompt, reader, actions, goal) if goal and reader.draw("search", 2) else []
    return written_out(search + _keyworded(actions, propose(prompt, reader, imagined)))


def program_of_functions(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """Functions, and the calls that would reach the goal if the object were where it is imagined."""
    actions, _, imagined = _imagined_plan(prompt, reader)
    written = _keyworded(actions, propose(prompt, reader, imagined))
    if not written:
        return NO_WAY
    calls = cover(imagined, [function for function, _ in written], prompt)
    code = "\n\n\n".join(function.code for function, _ in written)
    return f"```python\n{code}\n```\nUsage: {'; '.join(_written(actions, c) for c in calls)}"


def _keyworded(
    actions: HouseholdActions, written: list[tuple[Function, tuple[str, ...]]]
) -> list[tuple[Function, tuple[str, ...]]]:
    """The functions with keywords where an action asks for them."""
    words = _keywords(actions)
    return [(replace(f, keywords=words), names) for f, names in written]


def _keywords(actions: HouseholdActions) -> Keywords:
    return {a.name: (a.parameters, a.keywords) for _, a in actions.treatments if a.keywords}


def induction(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """Functions from the steps of an attempt, and the calls of them that do the attempt again."""
    actions = read_actions(prompt, reader)
    plan = [entry.call for entry in prompt.task.entries if entry.call]
    written = _keyworded(actions, propose(prompt, reader, plan))
    if not written:
        return NO_WAY
    calls = cover(plan, [function for function, _ in written], prompt)
    code = "\n\n\n".join(function.code for function, _ in written)
    return f"```python\n{code}\n```\nUsage: {'; '.join(_written(actions, c) for c in calls)}"


def usage_example(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """A few actions of the example task as it might go, the first a call of a function."""
    actions, _, imagined = _imagined_plan(prompt, reader)
    known = read_functions(code_in(prompt.body("Code")))
    calls = cover(imagined, known, prompt)
    names = {f.name: f for f in known}
    first = next((i for i, c in enumerate(calls) if c.name in names), None)
    if first is None:
        return NO_WAY
    lines = []
    for step in calls[max(0, first - MOST_SHOWN + 1) : first + 1]:
        made = names[step.name].calls_with(step.arguments) if step.name in names else (step,)
        lines += [
            f"Action: {_written(actions, step)}",
            f"Observation: {' '.join(_observed(actions, c) for c in made)}",
        ]
    return "\n".join(lines)


def _observed(actions: HouseholdActions, step: text.ActionCall) -> str:
    action = actions.named(step.name)
    if action is None:
        return "Done."
    value = dict(zip(action.parameters, step.arguments, strict=False))
    thing, place = value.get(action.thing, ""), value.get(action.place, "")
    if action is actions.go:
        return f"You arrive at {place}."
    if action is actions.take:
        return f"You pick up the {thing} from the {place}."
    if action is actions.put:
        return f"You put the {thing} in/on the {place}."
    if action is actions.open:
        return f"You open the {place}."
    return (
        f"You turn on the {thing}."
        if action is actions.use
        else f"You {action.verb} the {thing} using the {place}."
    )


def improvement(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """An update that goes to the place or opens it first, else a note."""
    known = {f.name: f for f in read_functions(code_in(prompt.body("Code")))}
    shown = next((e for e in reversed(prompt.history) if e.call and e.call.name in known), None)
    if shown is None or shown.call is None:
        return NO_REASON
    function, arguments = known[shown.call.name], shown.call.arguments
    lines: list[tuple[str, str]] = LINE.findall(shown.written)
    at = next((i for i, (_, seen) in enumerate(lines) if seen.startswith(FAILED)), None)
    if len(arguments) != len(function.parameters):
        return NO_REASON
    if at is None:
        return _stopped(prompt, function, arguments, STOPPED.search(shown.written))
    one = one_round(function, arguments, next(iter(text.calls(lines[at][0])), None), at)
    if one.step >= len(function.steps):
        return NO_REASON
    why = lines[at][1].removeprefix(FAILED).strip() or "it had no effect."
    failed_call = ShownFailure(
        function=one.function,
        arguments=one.arguments,
        step=one.step,
        missing=(why,),
        before=frozenset(),
        whole=function,
        given=arguments,
    )
    step = one.function.calls_with(one.arguments)[one.step]
    reason = f"Reason: {step.name} was not possible: {why}"
    actions = read_actions(prompt, reader)
    help_call = _help(actions, why)
    if help_call and "an update:" in prompt.answer.lower():
        at = one.step
        made = list(one.function.calls_with(one.arguments))
        words = {rule.name: rule.parameters for rule in prompt.rules}
        edit = edited(
            failed_call, [*made[:at], help_call, *made[at:]], words, f"I do {help_call.name} before it."
        )
        edit = replace(edit, function=edit.function.with_shifted_checks(at, 1))
        edit = with_its_loop(edit, failed_call)
        usage = text.ActionCall(function.name, edit.arguments)
        return f"{reason} {edit.change}\nUpdate:\n```python\n{edit.function.code}\n```\nUsage: {usage}"
    if "a note:" in prompt.answer.lower():
        named = dict(zip(arguments, function.parameters, strict=True))
        for name, parameter in named.items():
            why = why.replace(name, parameter)
        return f"{reason}\nNote: look first; do not use it when it would be said: {why}"
    return reason


def _stopped(
    prompt: ParsedPrompt, function: Function, arguments: tuple[str, ...], error: re.Match[str] | None
) -> str:
    """An answer to a call in which every action worked and an error was raised: it no longer looks at what
    was observed."""
    if error is None or not function.checks or "an update:" not in prompt.answer.lower():
        return NO_REASON
    changed = replace(function, checks=(), otherwise="")
    usage = text.ActionCall(function.name, arguments)
    reason = f"Reason: {function.name} was stopped by {error[1]}. I do not look at what was observed."
    return f"{reason}\nUpdate:\n```python\n{changed.code}\n```\nUsage: {usage}"


def _help(actions: HouseholdActions, why: str) -> text.ActionCall | None:
    place = _PLACE.search(why)
    if place is None:
        return None
    if "not at" in why and actions.go:
        return actions.go.call("", place[1])
    return actions.open.call("", place[1]) if "is closed" in why and actions.open else None


def lesson(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """What would have avoided the failure seen most often; else to look in more places."""
    reasons: Counter[str] = Counter()
    actions = read_actions(prompt, reader)
    for entry in prompt.history:
        action = actions.named(entry.call.name) if entry.call else None
        if action is None or FAILED not in entry.seen.raw:
            continue
        before = f"Before {action.name}({', '.join(action.parameters)}), make sure that"
        for sentence, _ in observed_sentences(entry):
            if "not at" in sentence:
                reasons[f"{before} you are at {action.place}."] += 1
            elif "closed" in sentence:
                reasons[f"{before} {action.place} is not closed."] += 1
            elif "already carrying" in sentence:
                reasons[f"{before} you carry nothing."] += 1
    if reasons:
        most = max(reasons.values())
        worst = [r for r, count in reasons.items() if count == most]
        return f"Lesson: {worst[reader.draw('which lesson', len(worst))]}"
    return "Lesson: Look into one place of each kind before you look into a second one of the same kind."


def rules(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """A change of the list of rules: what would have avoided the failure seen most often."""
    return with_rule(prompt, lesson(prompt, reader))


def verdict(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """Whether the goal was reached by what was read."""
    actions, goal = read_actions(prompt, reader), read_goal(goal_of(prompt))
    belief = initial_belief(prompt)
    for line in prompt.body("What happened").splitlines():
        for sentence in text.split(line.partition(" -> ")[2] or line.removeprefix("Observation: ")):
            belief.observe(sentence)
    if goal and Chore(actions, goal).reached(belief):
        return "Verdict: yes\nCritique: nothing is left to do."
    return f"Verdict: no\nCritique: it is not so that the goal was reached: {goal_of(prompt)}."
