"""A short walk whose observations are known. It is played once in each process that starts Java, so that a
simulator that is not the deterministic one is noticed before a result depends on it. Engine processes
only."""

from __future__ import annotations

from functools import cache

from learnact.domains.scienceworld.engine import SimulatedHouse
from learnact.domains.scienceworld.tasks import AGENTBOARD, Variation
from learnact.errors import EnvironmentFailure
from learnact.records import digest

COMMANDS = ("look around", "wait", "look around")
KNOWN = {"1.2.2": "94f44b130ceddde3fb281771", "1.2.3": "d905dc440ecad738f8b31fa6"}
"""The observations of the walk, as an address, by version of the package. Without constant identity hash
codes the things of a room come in another order."""


@cache
def check(version: str) -> None:
    """Play the walk. Raises `EnvironmentFailure` where it is not answered as it should be."""
    if version not in KNOWN:
        return
    episode = SimulatedHouse(
        Variation(task="boil", number=1, simplifications=",".join(AGENTBOARD), version=version)
    )
    told = [episode.raw(command).text for command in COMMANDS]
    episode.close()
    if digest(told) != KNOWN[version]:
        raise EnvironmentFailure(
            f"scienceworld {version} does not answer a known walk as it should on this Java; results would "
            "not be repeatable. Install OpenJDK 17",
            False,
        )
