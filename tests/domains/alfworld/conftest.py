"""Generated games are made once per session, in a cache of the session's own, and in this process
(starting one for each takes longer)."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from learnact.domains.alfworld import generation
from learnact.domains.alfworld.task_types import TaskType

INSTALLED = (
    importlib.util.find_spec("alfworld") is not None and importlib.util.find_spec("textworld") is not None
)
needs_extra = pytest.mark.skipif(not INSTALLED, reason="the extra `alfworld` is not installed")


ELSEWHERE = generation._make_in_processes


def make_here(kind: TaskType, split: str, seed: int, missing: Sequence[int], level: str = "easy") -> None:
    """What the maker's process does."""
    for index in missing:
        generation.make(kind, split, seed, index, level)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if not INSTALLED:
        pytest.skip("the extra `alfworld` is not installed")
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("LEARNACT_CACHE")
    os.environ["LEARNACT_CACHE"] = str(folder)
    generation._make_in_processes = make_here
    yield folder
    generation._make_in_processes = ELSEWHERE
    if before is None:
        del os.environ["LEARNACT_CACHE"]
    else:
        os.environ["LEARNACT_CACHE"] = before


def published_games() -> list[Path]:
    """The published games among the test data, sorted; none where there are none."""
    here = Path(__file__).resolve().parents[3]
    data = Path(os.environ.get("LEARNACT_TEST_DATA") or here.parent / "shared" / "data")
    return sorted((data / "alfworld").rglob("game.tw-pddl"))


@pytest.fixture(scope="session")
def real_games() -> list[Path]:
    found = published_games()
    if not found:
        pytest.skip("no published games in the test data (LEARNACT_TEST_DATA)")
    return found
