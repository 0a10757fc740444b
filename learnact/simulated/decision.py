"""The next call: the best one by what was read. The prompt is read again when no plan is found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnact.simulated import text
from learnact.simulated.belief import Belief, form_belief
from learnact.simulated.noisy_reader import READINGS, NoisyReader
from learnact.simulated.planner import Search
from learnact.simulated.prompt import ParsedPrompt
from learnact.simulated.step_table import GroundStep


@dataclass(frozen=True)
class Decision:
    """The next step (None: no step seems possible), the belief that it was chosen by, and the steps that are
    planned after it."""

    step: GroundStep | None
    belief: Belief
    after: tuple[GroundStep, ...] = ()

    @property
    def call(self) -> str:
        """The call of the step as it is written. Steps of one learned action that follow at once and differ
        only in elements of its lists are one call."""
        if self.step is None:
            return ""
        rows = [self.step.call]
        for step in self.after:
            if not _differs_in_lists(rows[0], step.call):
                break
            rows.append(step.call)
        columns = zip(*(call.arguments for call in rows), strict=True)
        joined = (
            text.listed(text.elements(a)[0] for a in column) if column[0].startswith("[") else column[0]
            for column in columns
        )
        return str(text.ActionCall(self.step.call.name, tuple(joined)))


def _differs_in_lists(one: text.ActionCall, other: text.ActionCall) -> bool:
    return (
        one.name == other.name
        and all(a == b or a.startswith("[") for a, b in zip(one.arguments, other.arguments, strict=True))
        and one != other
    )


def decide(prompt: ParsedPrompt, reader: NoisyReader) -> Decision:
    """The next step of the prompt's task; its step is None when no step seems possible."""
    fallback: GroundStep | None = None
    for look in range(READINGS):
        belief = form_belief(prompt, reader.reread(look))
        open_goals = belief.open_goals
        if not open_goals:
            continue
        search = Search(belief.steps, belief.state, belief.avoided, belief.excluded)
        found = search.toward(belief.goals)
        if found.better:
            return Decision(found.path[0], belief, found.path[1:])
        if found.path:
            fallback = found.path[0]
        elif fallback is None:
            fallback = _toward_some(search, belief)
    if fallback is None:
        fallback = _possible(belief, reader)
    return Decision(fallback, belief)


def _toward_some(search: Search, belief: Belief) -> GroundStep | None:
    """Toward the goals that could be reached by what was read, when some could not."""
    could = tuple(g for g in belief.goals if g & search.reachable)
    if not any(not g & belief.state for g in could):
        return None
    found = search.toward(could)
    return found.path[0] if found.path else None


def _possible(belief: Belief, reader: NoisyReader) -> GroundStep | None:
    """Any step that seems possible and leads somewhere new; where none seems possible, any that has not
    just failed."""
    rows = np.flatnonzero(belief.steps.possible(belief.state)).tolist()
    steps = [belief.steps.step(row) for row in rows]
    options = [s for s in steps if s.call not in belief.excluded and s.after(belief.state) != belief.state]
    new = [step for step in options if not belief.avoided(step.after(belief.state))] or options
    if new:
        return new[reader.draw("any", len(new))]
    untried = [row for row, call in enumerate(belief.steps.calls) if call not in belief.excluded]
    return belief.steps.step(untried[reader.draw("any", len(untried))]) if untried else None
