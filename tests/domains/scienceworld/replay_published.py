"""The program that plays `published.py`'s walks through `surface: agentboard`, with its faults and not."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from typing import Any

from learnact.domains.scienceworld.domain import words
from learnact.domains.scienceworld.published_environment import PublishedEnvironment
from learnact.domains.scienceworld.tasks import Variation

VERSION = importlib.metadata.version("scienceworld")


def replayed(walk: dict[str, Any], faults: bool) -> tuple[PublishedEnvironment, list[dict[str, Any]]]:
    name = f"scienceworld-{walk['task']}"
    primitives = words(name, "agentboard").primitives_of(name)
    variation = Variation(
        task=walk["task"],
        number=walk["number"],
        simplifications=walk["simplifications"],
        version=VERSION,
        labels=tuple(walk["labels"]),
    )
    environment, told = PublishedEnvironment(variation, primitives, faults), []
    for step in walk["steps"]:
        done = environment.text(step["said"])
        told.append(
            {"told": done.observation, "progress": done.progress, "success": done.success, "over": done.over}
        )
    environment.close()
    return environment, told


def main() -> None:
    """Walks come on standard input, what was answered goes to standard output."""
    played = []
    for walk in json.loads(sys.stdin.read()):
        environment, with_faults = replayed(walk, True)
        without = replayed(walk, False)[1]
        played.append(
            {"first": environment.first_observation, "goal": environment.goal, "faults": with_faults,
             "none": without}
        )  # fmt: skip
    print(json.dumps(played))


if __name__ == "__main__":
    main()
