"""What is played: domains by name and options, and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from learnact.records.identity import Plain, digest


@dataclass(frozen=True)
class DomainSpec:
    """Which domain, with which options (text, source, perturbations ...): all a worker needs to build it
    again.

    `options` is canonical JSON of the domain's own options model, so that the spec is hashable and orders
    nothing.
    """

    name: str
    options: str = "{}"


@dataclass(frozen=True)
class Task:
    """One instance of a domain.

    Self-contained: `content` is all that the domain needs to open it, on any machine.

    `reference` is the length in primitive steps of a known plan, None where none is known. `labels` are
    plain facts for tables (size, seed, file) and are no part of the identity.
    """

    domain: str
    name: str
    content: str
    reference: int | None = None
    labels: Mapping[str, Plain] = field(default_factory=dict, compare=False)

    @cached_property
    def hash(self) -> str:
        """Content address: equal for the same problem, whatever it is called."""
        return digest(self.domain, self.content)
