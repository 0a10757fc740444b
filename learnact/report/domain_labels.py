"""What the tables call a domain: its name, and whatever else tells it apart from others of the same name.

Where a name is played with several options, those that differ follow it; where libraries of several origins
are tested on one domain, the domain that each was learned on follows.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from learnact.report.samples import TrialRow

COUNTS = frozenset({"train", "test", "seed"})
"""Options that say how many tasks there are and which: they make no other domain."""


class DomainLabels:
    """The labels of all domains that some trials learn or are tested on."""

    def __init__(self, trials: Mapping[str, TrialRow]) -> None:
        self.trials = trials
        options: dict[str, set[str]] = defaultdict(set)
        self._origins: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for trial in trials.values():
            own = (trial.domain, trial.domain_options)
            for name, given in (own, *trial.test_domains):
                options[name].add(given)
            for tested in trial.test_domains if trial.learns else ():
                self._origins[tested].add(own)
        self._told = {name: _differing(found) for name, found in options.items()}

    def of_test(self, trial: str, name: str, options: str) -> str:
        """The label of a domain that a trial is tested on."""
        label, about = self.of_domain(name, options), self.trials.get(trial)
        if about is None or not about.learns or len(self._origins[name, options]) < 2:
            return label
        return f"{label}, learned on {self.of_domain(about.domain, about.domain_options)}"

    def of_domain(self, name: str, options: str) -> str:
        """The label of a domain, wherever a library that is tested there was learned."""
        given = json.loads(options or "{}")
        told = [f"{key} {_short(given[key])}" for key in self._told.get(name, ()) if key in given]
        return " ".join([name, *told])


def _differing(options: Iterable[str]) -> tuple[str, ...]:
    """Names of the options that differ."""
    found = [json.loads(text or "{}") for text in options]
    names = sorted({name for given in found for name in given} - COUNTS)
    return tuple(n for n in names if len({json.dumps(g.get(n), sort_keys=True) for g in found}) > 1)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "-".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)
