"""What a rule of verification is. The rules themselves: scripts.py, trajectories.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Looked = TypeVar("Looked")


@dataclass(frozen=True)
class VerificationRule(Generic[Looked]):
    """One rule: `find` says in words what breaks it, or "" where nothing does. Rules are pure and stand
    alone: each judges its own matter and passes over what another one judges.
    """

    name: str
    about: str
    find: Callable[[Looked], str]


def first_broken(rules: tuple[VerificationRule[Looked], ...], looked: Looked) -> tuple[str, str] | None:
    """The name of the first rule that is broken, and the problem in words; None where all hold."""
    for rule in rules:
        if problem := rule.find(looked):
            return rule.name, problem
    return None
