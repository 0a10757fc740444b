"""The table of robustness: which interface a trial was tested in."""

from __future__ import annotations

import dataclasses
import json

import pytest

from learnact.records import canonical
from learnact.report.played import Trial
from learnact.report.robustness import ORIGINAL, interface

BARE = {f.name: "" for f in dataclasses.fields(Trial)}


def a_trial(own: dict[str, object], *tested: dict[str, object]) -> Trial:
    spec = lambda options: {"name": "alfworld-put", "options": canonical(options)}  # noqa: E731
    told = json.dumps(("alfworld-put", spec(own), [spec(t) for t in tested], "rest"))
    return Trial(**(BARE | {"tests": told}))


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        (a_trial({"test": 3}), ORIGINAL),
        (a_trial({"perturb": ["move-to"]}), "move-to"),
        (a_trial({"perturb": ["with-using", "no-space"], "test": 2}), "with-using+no-space"),
        (a_trial({"perturb": ["with-using", "move-to", "from-take", "no-space"]}), "all four"),
        (a_trial({}, {"perturb": ["from-take"]}), "from-take"),
        (a_trial({"perturb": ["from-take"]}, {}), ORIGINAL),
    ],
)
def test_the_interface_is_that_of_the_tested_domain(trial, expected):
    assert interface(trial) == expected
