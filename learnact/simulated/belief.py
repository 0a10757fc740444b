"""What one reading of a prompt leads the model to believe: steps, a state and goals to plan with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from learnact.simulated import text
from learnact.simulated.grounded_rules import GroundedRules, grounded_rules_of
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import HistoryEntry, Observation, ParsedPrompt, Sentence
from learnact.simulated.step_table import StepTable

MAX_FAILURES = 2
"""A learned action with so many failed calls is no longer used, if they are at least half of its calls."""


@dataclass(frozen=True)
class Belief:
    """What was read.

    `avoided` says whether a state is remembered from the history; `excluded` are calls that failed in the
    present state.
    """

    grounded: GroundedRules
    steps: StepTable
    state: int
    goals: tuple[int, ...]
    avoided: Callable[[int], bool]
    excluded: frozenset[text.ActionCall]

    @property
    def open_goals(self) -> tuple[int, ...]:
        """Goals that are not reached, as far as was read."""
        return tuple(g for g in self.goals if not g & self.state)


def form_belief(prompt: ParsedPrompt, reader: NoisyReader) -> Belief:
    """The belief after one reading of the prompt."""
    grounded = grounded_rules_of(prompt)
    thoughts = _thoughts(prompt)
    state, overlooked = _state(prompt, grounded, reader, thoughts)
    goals = tuple(
        grounded.bit(g.text)
        for g in prompt.task.goal
        if reader.sees(f"goal: {g.text}", _distances(prompt, g, thoughts))
    )
    fixed = grounded.mask(grounded.statics)
    visible = ~(fixed | overlooked)
    remembered = frozenset(grounded.state_of(now) & visible for now in _states(prompt) if now is not None)
    return Belief(
        grounded,
        _steps(prompt, grounded, reader),
        state,
        goals,
        lambda s: s & visible in remembered,
        _failed_here(prompt),
    )


def last_state(prompt: ParsedPrompt) -> tuple[Sentence, ...]:
    """The last state that was sentence."""
    return next((now for now in reversed(_states(prompt)) if now is not None), ())


def last_observation(prompt: ParsedPrompt) -> Observation | None:
    """The observation after the last call, None before the first."""
    return next((e.seen for e in reversed(prompt.history) if not e.thought), None)


def _states(prompt: ParsedPrompt) -> list[tuple[Sentence, ...] | None]:
    return [prompt.task.first.now, *(e.seen.now for e in prompt.history)]


def _state(
    prompt: ParsedPrompt, grounded: GroundedRules, reader: NoisyReader, thoughts: list[Sentence]
) -> tuple[int, int]:
    """The state as read, with what never changes, and the bits that hold but were overlooked."""
    state = grounded.kinds
    for sentence in prompt.task.facts:
        if reader.sees(f"fact: {sentence.text}", (prompt.end - sentence.index,)):
            state |= grounded.bit(sentence.text)
    overlooked = 0
    for sentence in last_state(prompt):
        if reader.sees(f"fact: {sentence.text}", _distances(prompt, sentence, thoughts)):
            state |= grounded.bit(sentence.text)
        else:
            overlooked |= grounded.bit(sentence.text)
    return state, overlooked


def _distances(prompt: ParsedPrompt, sentence: Sentence, thoughts: list[Sentence]) -> list[int]:
    """How many sentences follow a sentence, and each later restatement of it."""
    return [prompt.end - sentence.index] + [
        prompt.end - t.index for t in thoughts if t.index > sentence.index and sentence.text in t.text
    ]


def _thoughts(prompt: ParsedPrompt) -> list[Sentence]:
    return [
        Sentence(sentence, e.index + i)
        for e in prompt.history
        if e.thought
        for i, sentence in enumerate(text.split(e.written))
    ]


def _steps(prompt: ParsedPrompt, grounded: GroundedRules, reader: NoisyReader) -> StepTable:
    """Every rule that is trusted, filled in as far as its sentences were seen."""
    again = _restated(prompt, grounded)
    distrusted = _distrusted(prompt.history)
    found: list[tuple[int, int]] = []
    for number, rule in enumerate(grounded.rules):
        if rule.learned and rule.name in distrusted:
            continue
        seen = 0
        for i, clause in enumerate(rule.clauses):
            distances = [prompt.end - clause.index, *again.get((number, i), ())]
            if reader.sees(f"{rule.name}: {i}: {clause.text}", distances):
                seen |= 1 << i
        found.append((number, seen))
    return grounded.steps(found)


def _restated(prompt: ParsedPrompt, grounded: GroundedRules) -> dict[tuple[int, int], list[int]]:
    """Distances of restatements of rules' sentences: in a failure's reason, a lesson or a thought."""
    found: dict[tuple[int, int], list[int]] = {}
    for entry in prompt.history:
        call = entry.seen.call
        if call is None:
            continue
        for number, rule in enumerate(grounded.rules):
            if rule.name != call.name or len(call.arguments) != len(rule.parameters):
                continue
            for i, clause in enumerate(rule.requires):
                if clause.template.format(*call.arguments) in entry.seen.missing:
                    found.setdefault((number, i), []).append(prompt.end - entry.index - 1)
    spoken: Iterable[Sentence] = (*prompt.lessons, *_thoughts(prompt))
    about: list[int] = []
    for sentence in spoken:
        named = [n for n, rule in enumerate(grounded.rules) if f"{rule.name}(" in sentence.text]
        about = named or about
        written = f" {text.positive(text.plain_article(sentence.text))[0]} "
        for number in about:
            for i, clause in enumerate(grounded.rules[number].clauses):
                if f" {clause.text} " in written:
                    found.setdefault((number, i), []).append(prompt.end - sentence.index)
    return found


def _distrusted(history: tuple[HistoryEntry, ...]) -> set[str]:
    failed: dict[str, int] = {}
    worked: dict[str, int] = {}
    for entry in history:
        if entry.call:
            tally = failed if entry.seen.failed else worked
            tally[entry.call.name] = tally.get(entry.call.name, 0) + 1
    return {name for name, n in failed.items() if n >= MAX_FAILURES and n >= worked.get(name, 0)}


def _failed_here(prompt: ParsedPrompt) -> frozenset[text.ActionCall]:
    here = frozenset(t.text for t in last_state(prompt))
    now = frozenset(t.text for t in prompt.task.first.now or ())
    failed: list[text.ActionCall] = []
    for entry in prompt.history:
        before = now
        if entry.seen.now is not None:
            now = frozenset(t.text for t in entry.seen.now)
        if entry.call and entry.seen.failed and before == here:
            failed.append(entry.call)
    return frozenset(failed)
