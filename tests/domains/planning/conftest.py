"""Where the published problems lie, and domains as a person would ask for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from learnact.domains import registry
from learnact.domains.planning.domain import PlanningDomain
from learnact.domains.planning.options import PlanningOptions
from learnact.records import DomainSpec, canonical

NAMES = ("gripper", "blockworld", "barman", "tyreworld")


def build(name: str, **options: object) -> PlanningDomain[PlanningOptions]:
    domain = registry.build(DomainSpec(name, canonical(options)))
    assert isinstance(domain, PlanningDomain)
    return domain


@pytest.fixture(scope="session")
def published() -> str:
    """The folder of published problems; skipped, with a reason, where it is missing."""
    data = Path(os.environ.get("LEARNACT_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
    if not (data / "pddl" / "gripper.pddl").is_file():
        pytest.skip(
            f"no published problems in {data}/pddl: set LEARNACT_TEST_DATA to the folder that holds them"
        )
    return str(data / "pddl")
