"""Fixtures of the laws that every registered family keeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from learnact.domains import registry
from tests.domains.families.walking import Table, families, table, why_missing

SLOW = ("textworld-", "scienceworld-", "jericho", "dojo-workspace")
"""Families whose tasks take seconds to make or open: `make test-all` holds them to the laws; what `make test`
plays of them stands in tests/domains/FAMILY/."""


@pytest.fixture(scope="session")
def at() -> Iterator[Table]:
    with table() as made:
        yield made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`family` is each registered domain of a family; skipped, with the line that installs it, where its
    extra is missing. The first domain of each folder is played in `make test`, the others in `make test-all`,
    because domains of a folder share their code; so are all of a `SLOW` family."""
    if "family" not in metafunc.fixturenames:
        return
    found, folders = [], set()
    for name, made in families().items():
        marks = [pytest.mark.skipif(bool(why := why_missing(made)), reason=why)]
        folder = registry.OURS[name].partition(":")[0]
        if folder in folders or name.startswith(SLOW):
            marks.append(pytest.mark.slow)
        else:
            folders.add(folder)
        found.append(pytest.param(name, marks=marks))
    metafunc.parametrize("family", found)
