"""One reply checked: what is accepted, what is kept, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from learnact.records.synthesis import SynthesisScript, SynthesisTurn
from learnact.synthesis.patterns import ActionFit, PatternMatcher
from learnact.synthesis.reading import read_list, read_object
from learnact.synthesis.rules import VerificationRule, first_broken
from learnact.synthesis.scripts import SCRIPT_RULES, ReadScript, script_from
from learnact.synthesis.trajectories import (
    MASTER,
    PLAYER,
    REFINEMENTS,
    TURN_RULES,
    WHOLE_RULES,
    ReadTrajectory,
    ReadTurn,
    reached,
    turn_from,
)

Turns = tuple[SynthesisTurn, ...]


@dataclass(frozen=True)
class BrokenRule:
    """The rule that was broken first. `turn` 0 stands for the whole."""

    rule: str
    problem: str
    turn: int = 0


@dataclass(frozen=True)
class ScriptVerdict:
    """A script, or why it is refused."""

    script: SynthesisScript | None
    broken: BrokenRule | None = None


@dataclass(frozen=True)
class TrajectoryVerdict:
    """`accepted`: `turns` are a verified trajectory; else `turns` are what generation goes on from."""

    accepted: bool
    turns: Turns
    broken: BrokenRule | None = None


@dataclass(frozen=True)
class Verifier:
    """Checks replies by rules. A test takes one rule out to see that it matters."""

    matcher: PatternMatcher
    script_rules: tuple[VerificationRule[ReadScript], ...] = field(default=SCRIPT_RULES)
    turn_rules: tuple[VerificationRule[ReadTurn], ...] = field(default=TURN_RULES)
    whole_rules: tuple[VerificationRule[ReadTrajectory], ...] = field(default=WHOLE_RULES)

    async def script(self, reply: str) -> ScriptVerdict:
        """A reply that should be a script."""
        found = read_object(reply)
        script = script_from(found.value)
        reports = [await self.matcher.report(action) for action in script.actions]
        broken = first_broken(self.script_rules, ReadScript(found, script, tuple(reports)))
        return ScriptVerdict(None, BrokenRule(*broken)) if broken else ScriptVerdict(script)

    async def trajectory(self, script: SynthesisScript, before: Turns, reply: str) -> TrajectoryVerdict:
        """A reply that should go on from the turns `before`, which are verified, to the goal."""
        found = read_list(reply)
        raws = [*found.value]
        read = [turn_from(raw) for raw in raws]
        fits = await self._fits(script, before, read)
        verified = before
        for raw, turn, fit in zip(raws, read, fits, strict=True):
            looked = ReadTurn(raw, turn, verified, script, fit)
            if broken := first_broken(self.turn_rules, looked):
                kept = _without_goal(script, verified)
                number = len(verified) + 1
                return TrajectoryVerdict(False, kept, BrokenRule(*broken, turn=number))
            verified = (*verified, turn)
        broken = first_broken(self.whole_rules, ReadTrajectory(script, verified, found.problem))
        if broken is None:
            return TrajectoryVerdict(True, verified)
        kept = () if broken[0] == REFINEMENTS else _without_goal(script, verified)
        return TrajectoryVerdict(False, kept, BrokenRule(*broken))

    async def _fits(
        self, script: SynthesisScript, before: Turns, read: Sequence[SynthesisTurn]
    ) -> list[ActionFit | None]:
        """For each turn how the action that it answers fits the script; None where it answers none."""
        earlier = [*(before[-1:] or (None,)), *read]
        asked = {
            place: one.text
            for place, (one, turn) in enumerate(zip(earlier, read, strict=False))
            if one is not None and one.role == PLAYER and turn.role == MASTER
        }
        found = await self.matcher.fits(script.actions, list(asked.values()))
        fits = dict(zip(asked, found, strict=True))
        return [fits.get(place) for place in range(len(read))]


def _without_goal(script: SynthesisScript, turns: Turns) -> Turns:
    """Turns from which the play can still go on: the last action is taken back where it reached the goal."""
    return turns[:-2] if turns and reached(script, turns[-1]) else turns
