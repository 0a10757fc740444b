"""The table of robustness: which interface an episode was played in."""

import pytest

from learnact.records import canonical
from learnact.report.robustness import ORIGINAL, interface


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"test": 3}, ORIGINAL),
        ({"perturb": []}, ORIGINAL),
        ({"perturb": ["move-to"]}, "move-to"),
        ({"perturb": ["with-using", "no-space"], "test": 2}, "with-using+no-space"),
        ({"perturb": ["with-using", "move-to", "from-take", "no-space"]}, "all four"),
    ],
)
def test_the_interface_is_that_of_the_domain_where_it_was_played(options, expected):
    assert interface(f"alfworld-put {canonical(options)}") == expected
