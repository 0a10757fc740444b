"""The table of robustness: which interface an episode was played in."""

import asyncio
import dataclasses
import statistics

import pytest

from learnact.records import DomainSpec, Library, canonical
from learnact.report.data import ReportData
from learnact.report.result_table import as_plain
from learnact.report.robustness import ORIGINAL, interface, robustness_tables
from learnact.results.reader import connect_folders
from learnact.results.store import RunStore
from tests.report.conftest import trial_row
from tests.results import material


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"test": 3}, ORIGINAL),
        ({"perturb": []}, ORIGINAL),
        ({"perturb": ["move-to"]}, "move-to"),
        ({"perturb": ["with-using", "no-space"], "test": 2}, "with-using+no-space"),
        ({"perturb": ["with-using", "move-to", "from-take", "no-space"]}, "all four"),
        ({"perturb": ["reworded"]}, "reworded"),
        (
            {"perturb": ["with-using", "move-to", "from-take", "reworded"]},
            "with-using+move-to+from-take+reworded",
        ),
    ],
)
def test_the_interface_is_that_of_the_domain_where_it_was_played(options, expected):
    assert interface(f"alfworld-put {canonical(options)}") == expected


SOLVED = {
    (): {"act": (0, 1, 2, 3, 4, 5), "learnact": (0, 1, 2, 3, 4, 5)},
    ("move-to",): {"act": (0, 1, 2, 3, 4, 5), "learnact": (0, 1)},
    ("with-using", "move-to", "from-take", "no-space"): {"act": (0, 2, 3, 4, 5, 6), "learnact": (0,)},
}


async def write(folder):
    """Eight tasks in three interfaces: act does not depend on the interface, learnact does."""
    store = RunStore.open(folder, "r" * 24, "robust", {}, {}, {})
    work = []
    for perturb, solved in SOLVED.items():
        options = canonical({"perturb": list(perturb)} if perturb else {})
        spec = {"name": "house", "options": options}
        for method, tasks in solved.items():
            for repeat in range(2 if method == "learnact" else 1):
                trial = f"{method} {options} {repeat}"
                told = canonical({"domain": spec, "test_domains": [spec], "test": "rest", "settings": {}})
                row = trial_row(method, "house", options=told, learn_repeat=repeat)
                store.trial(trial, row)
                for task in range(8):
                    unit = material.episode(
                        100 * repeat + task,
                        trial,
                        method,
                        task=task,
                        library=material.LIBRARY if method == "learnact" else Library(),
                        domain="house",
                    )
                    unit = dataclasses.replace(
                        unit, domain=DomainSpec("house", options), learner_model=row["learner_model"]
                    )
                    work.append(store.commit(material.outcome(unit, 6, task in tasks)))
    await asyncio.gather(*work)
    await store.close()
    return store.folder


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = asyncio.run(write(tmp_path_factory.mktemp("results")))
    with connect_folders([folder]) as connection:
        yield [as_plain(table) for table in robustness_tables(ReportData(connection))]


def test_the_spread_is_told_without_noise(tables):
    rows = {row["method"]: row for row in tables[0]["rows"]}
    assert [rows["act"][name]["mean"] for name in (ORIGINAL, "move-to", "all four")] == [0.75] * 3
    assert rows["act"]["as measured"] == rows["act"]["standard deviation"] == 0.0
    learned = rows["learnact"]
    assert learned["as measured"] == pytest.approx(statistics.stdev([6 / 8, 2 / 8, 1 / 8]))
    assert 0.2 < learned["standard deviation"] < learned["as measured"]
    assert learned["p"] < 0.05
    assert learned["tasks in all"] == 8


def test_a_changed_interface_is_compared_with_the_original_in_pairs(tables):
    rows = {(row["method"], row["interface"]): row for row in tables[1]["rows"]}
    assert len(rows) == 4
    moved = rows["learnact", "move-to"]
    assert moved["difference"]["mean"] == pytest.approx(-4 / 8)
    assert moved["difference"]["episodes"] == 16  # pairs of the same task and seed
    assert moved["p"] == 2 / 2**4
    assert moved["difference of the method"]["libraries"] == 2
    assert moved["difference of the method"]["trusted"] is False
    swapped = rows["act", "all four"]  # one task lost, one won
    assert swapped["difference"]["mean"] == 0.0
    assert (swapped["p"], swapped["Holm p"]) == (1.0, 1.0)
    assert rows["learnact", "all four"]["Holm p"] >= rows["learnact", "all four"]["p"]
