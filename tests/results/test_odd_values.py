"""Whatever a server or a model sent is stored, bounded where a column cannot hold it, and the run goes on."""

import asyncio
import dataclasses
import json
import math

import pytest

from learnact.records import Candidate, Library, Reply, Terms, Tokens
from learnact.results.bounded import LARGEST
from learnact.results.query import QuerySession
from learnact.results.reader import connect, used_so_far
from learnact.results.store import RunStore
from tests.results import material

HALF = "half \ud83d a pair"
TEXTS = [HALF, "a\x00b", "\x1b[31m", "x\u2028y", "\u202e", "", "\uffff", "\U0010ffff"]


def open_store(folder, job=None):
    return RunStore.open(folder, "0dd" * 8, "odd", job, job, {})


def session(folder, outcomes, more=lambda store: None):
    async def run():
        store = open_store(folder)
        await asyncio.gather(*(store.commit(outcome) for outcome in outcomes))
        more(store)
        await store.close()
        store = open_store(folder)
        found = [store.find(outcome.key) for outcome in outcomes]
        counters = store.counters
        await store.close()
        return found, counters

    return asyncio.run(run())


def request(number, reply):
    unit = material.request(number)
    return dataclasses.replace(material.answered(unit), result=reply, calls=())


COUNTS = [2**63, 2**63 - 1, 2**100, -(2**70), 10**5000, 1.5, math.nan, math.inf, True, "12", None]


@pytest.mark.parametrize("count", COUNTS, ids=[str(index) for index in range(len(COUNTS))])
def test_a_count_that_no_column_holds_is_bounded(tmp_path, count):
    outcomes = [
        request(number, Reply("text", tokens=Tokens(count, count, count, count))) for number in (1, 2)
    ]
    outcomes = [dataclasses.replace(o, calls=()) for o in outcomes]
    try:
        found, _ = session(tmp_path, outcomes)
    except TypeError:
        assert not isinstance(count, int | float)  # not even a number: refused where it is added up
        return
    assert [one.result.text for one in found] == ["text", "text"]
    with connect(tmp_path) as connection:
        kept = connection.execute(
            "SELECT prompt_tokens, prompt_tokens + completion_tokens FROM calls"
        ).fetchall()
    assert all(one is None or abs(one) <= LARGEST for one, _ in kept)
    assert used_so_far(next(tmp_path.iterdir()))[1] is not None


@pytest.mark.parametrize("cost", [math.nan, math.inf, -math.inf])
def test_a_cost_that_is_no_number_is_unknown(tmp_path, cost):
    found, counters = session(tmp_path, [request(1, Reply("text", cost=cost))])
    assert found[0].result.cost is None
    assert counters.cost == 0.0
    assert used_so_far(next(tmp_path.iterdir()))[3] == 0.0


@pytest.mark.parametrize("text", TEXTS, ids=[repr(text) for text in TEXTS])
def test_every_text_is_kept_in_its_length(tmp_path, text):
    unit = material.episode(1)
    outcome = material.outcome(unit, turns=2)
    turns = tuple(
        dataclasses.replace(turn, raw=text, observation=text, printed=text) for turn in outcome.result.turns
    )
    result = dataclasses.replace(outcome.result, turns=turns, goal=text)
    library = dataclasses.replace(material.LIBRARY, usage_example=text.replace(HALF, "x"), lessons=("l",))

    def more(store):
        store.library("t", library)
        store.trial("t", {"status": text, "odd": {"a": [text, math.nan]}, "seed": 2**70, "learn_repeat": "x"})
        store.check("odd check", {"a": [text, math.inf]})
        store.candidate(
            Candidate("t", 0, 0, "", "", "create", terms=Terms(math.nan), score=math.nan, uncreated=text)
        )

    found, _ = session(tmp_path, [dataclasses.replace(outcome, result=result)], more)
    kept = found[0].result
    assert [len(turn.raw) for turn in kept.turns] == [len(text)] * 2
    assert len(kept.goal) == len(text)
    with connect(tmp_path) as connection:
        (status,) = connection.execute("SELECT status FROM trials").fetchone()
        (facts,) = connection.execute("SELECT facts FROM checks WHERE name = 'odd check'").fetchone()
    assert len(status) == len(text)
    assert json.loads(facts)["a"][1] == "inf"


async def test_what_was_bounded_is_told_in_the_checks(tmp_path):
    store = open_store(tmp_path, {"name": "odd", "nan": math.nan})
    await store.commit(request(1, Reply(HALF, tokens=Tokens(2**63))))
    await store.close()
    with connect(tmp_path) as connection:
        (facts,) = connection.execute(
            "SELECT facts FROM checks WHERE name = 'values that did not fit'"
        ).fetchone()
        kept = json.loads(facts)
    assert kept["calls.prompt_tokens"] == {"count": 1, "given": str(2**63), "stored": str(LARGEST)}
    assert kept["calls.reply"]["count"] == 1


async def test_a_run_without_odd_values_has_no_such_check(tmp_path):
    store = open_store(tmp_path)
    await store.commit(material.outcome(material.episode(1, library=Library())))
    await store.close()
    with connect(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM checks").fetchone() == (0,)


@pytest.mark.parametrize(
    "name", ["x" * 300, "../up", "\u6771\u4eac", "a\x00b", "", HALF, "/", "..", "a'b\"c;%"]
)
async def test_a_job_of_any_name_has_a_folder_of_its_own(tmp_path, name):
    store = RunStore.open(tmp_path / "results", "0dd" * 8, name, {"name": name}, None, {})
    await store.commit(material.answered(material.request(1)))
    await store.close()
    assert store.folder.parent == tmp_path / "results"
    assert list(tmp_path.iterdir()) == [tmp_path / "results"]
    with connect(tmp_path / "results", store.run) as connection:
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (1,)


@pytest.mark.parametrize(
    "folder", ["run [1]", "it's a*b?", '50% {a,b};"\\', "\u00e9t\u00e9 \u6771\u4eac", "a=b"]
)
async def test_results_lie_in_folders_of_any_name(tmp_path, folder):
    results = tmp_path / folder
    for number in (1, 2):
        store = open_store(results)
        await store.commit(material.answered(material.request(number)))
        await store.close()
    assert list(QuerySession(results).ask("SELECT count(*) FROM requests")) == [(2,)]
