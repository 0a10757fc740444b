"""Tasks that ask for a combination of what was learned apart (`composition: true`).

A goal's facts are of kinds: in tyreworld wheels that are on hubs, inflated, or in the boot. Each training
task has a goal of one kind, in turn; each test task a goal of at least two of the kinds that were trained. An
agent that learned an action for each kind needs two of them there (SkillEvolBench, 2026, has the like).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from learnact.domains.planning.pddl import Atom, PddlProblem


def predicate(atom: Atom, problem: PddlProblem) -> str:  # noqa: ARG001 - other families look at the problem
    """A fact's kind where nothing else is said: its predicate."""
    return atom[0]


@dataclass(frozen=True)
class GoalKinds:
    """The kinds of facts of a family's goals, in the order in which training tasks have them.

    `of` says of which kind a fact of a problem is; a fact of another kind is left out of the goals.
    """

    names: tuple[str, ...]
    of: Callable[[Atom, PddlProblem], str] = predicate

    def task(self, problem: PddlProblem, split: Literal["train", "test"], place: int) -> PddlProblem | None:
        """The problem with a goal as the split asks it; None where its goal has too few kinds.

        `place`: the training task's number, or for a test task the number of training tasks.
        """
        if split == "train":
            return self._only(problem, (self.names[place % len(self.names)],))
        combined = self._only(problem, self.names[:place])
        return combined if combined and len(self.left_to_do(combined)) > 1 else None

    def left_to_do(self, problem: PddlProblem) -> tuple[str, ...]:
        """The kinds of the facts of the goal that do not hold at the start."""
        missing = {self.of(atom, problem) for atom in problem.goal if atom not in problem.init}
        return tuple(name for name in self.names if name in missing)

    def _only(self, problem: PddlProblem, kinds: Sequence[str]) -> PddlProblem | None:
        goal = tuple(atom for atom in problem.goal if self.of(atom, problem) in kinds)
        return replace(problem, goal=goal) if goal else None
