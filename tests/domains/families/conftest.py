"""Fixtures of the laws that every registered family keeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.domains.families.walking import Table, families, table, why_missing


@pytest.fixture(scope="session")
def at() -> Iterator[Table]:
    with table() as made:
        yield made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`family` is each registered family; skipped, with the line that installs it, where its extra is
    missing."""
    if "family" in metafunc.fixturenames:
        found = [
            pytest.param(name, marks=pytest.mark.skipif(bool(why := why_missing(made)), reason=why))
            for name, made in families().items()
        ]
        metafunc.parametrize("family", found)
