"""Independent judges: unified-planning's validator and Fast Downward. They share no code with our engine."""

from __future__ import annotations

import sys
from unittest import mock

from unified_planning.engines import SequentialPlanValidator
from unified_planning.engines.results import ValidationResultStatus
from unified_planning.environment import get_environment
from unified_planning.io import PDDLReader
from unified_planning.model import Problem
from unified_planning.plans import ActionInstance, SequentialPlan

Call = tuple[str, tuple[str, ...]]

with mock.patch.object(
    sys, "argv", ["translate", "domain", "problem"]
):  # Fast Downward's translator reads it when imported
    get_environment().credits_stream = None
    from up_fast_downward import FastDownwardPDDLPlanner


def read(rules: str, problem: str) -> Problem:
    return PDDLReader().parse_problem_string(rules, problem)


def accepts(problem: Problem, calls: tuple[Call, ...]) -> bool:
    """Whether the calls, in order, are possible and reach the goal."""
    objects = problem.environment.expression_manager
    steps = [
        ActionInstance(
            problem.action(name), tuple(objects.ObjectExp(problem.object(word)) for word in arguments)
        )
        for name, arguments in calls
    ]
    with SequentialPlanValidator() as validator:
        return validator.validate(problem, SequentialPlan(steps)).status == ValidationResultStatus.VALID


def solve(problem: Problem) -> tuple[Call, ...]:
    """A plan by Fast Downward."""
    with FastDownwardPDDLPlanner() as planner:
        plan = planner.solve(problem, timeout=60).plan
    return tuple((step.action.name, tuple(str(p) for p in step.actual_parameters)) for step in plan.actions)
