"""Exactly once: what is committed is not done again, whoever asks, however it is cut."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from learnact.errors import HarnessFailure
from learnact.records import ModelSpec, Outcome, Prompt, Reply, Request
from learnact.runners.resume import CommittingRunner


def unit(number: int) -> Request:
    return Request("t", "m", "create", ModelSpec("x"), Prompt("", (), str(number)), seed=number)


class Memory:
    """A ledger in memory that commits in its own time."""

    def __init__(self):
        self.kept: dict[str, Outcome] = {}
        self.commits = 0

    def __contains__(self, key):
        return key in self.kept

    def find(self, key):
        return self.kept.get(key)

    async def commit(self, outcome):
        await asyncio.sleep(0)
        self.commits += 1
        if outcome.result is not None:
            self.kept.setdefault(outcome.key, outcome)


class InnerRunner:
    """Runs units three at a time and counts how often each was run."""

    def __init__(self, fails=()):
        self.ran: list[int] = []
        self.fails = set(fails)

    def stop(self, failure):
        self.stopped = failure

    async def run(self, units):
        for each in units:
            await asyncio.sleep(0)
            self.ran.append(each.seed)
            yield Outcome(each, None if each.seed in self.fails else Reply(f"r{each.seed}"))


async def collect(runner, numbers):
    return [o.unit.seed async for o in runner.run([unit(n) for n in numbers])]


def runner_over(inner, ledger, **options):
    async def start():
        return inner

    return CommittingRunner(start, ledger, **options)


@given(st.lists(st.lists(st.integers(0, 9), max_size=8, unique=True), min_size=1, max_size=4))
def test_every_caller_gets_each_of_its_units_and_each_unit_is_run_once(callers):
    async def scenario():
        inner, ledger = InnerRunner(), Memory()
        runner = runner_over(inner, ledger)
        found = await asyncio.gather(*(collect(runner, numbers) for numbers in callers))
        assert [sorted(f) for f in found] == [sorted(numbers) for numbers in callers]
        assert sorted(inner.ran) == sorted({n for numbers in callers for n in numbers})
        again = await collect(runner, range(10))
        assert sorted(again) == list(range(10))
        assert len(inner.ran) == 10

    asyncio.run(scenario())


async def test_a_finished_run_starts_nothing():
    async def never():
        raise AssertionError("started a cluster for nothing")

    ledger = Memory()
    await collect(runner_over(InnerRunner(), ledger), [1, 2])
    assert sorted(await collect(CommittingRunner(never, ledger), [1, 2])) == [1, 2]


async def test_a_caller_that_gives_up_leaves_its_units_to_those_who_wait():
    inner, ledger = InnerRunner(), Memory()
    runner = runner_over(inner, ledger)
    first = runner.run([unit(n) for n in range(50)])
    assert (await anext(first)).unit.seed == 0
    waiting = asyncio.create_task(collect(runner, range(50)))
    await asyncio.sleep(0)
    await first.aclose()
    assert sorted(await waiting) == list(range(50))


async def test_units_without_a_result_are_handed_on_and_tried_again_by_the_next_run():
    ledger = Memory()
    assert await collect(runner_over(InnerRunner(fails=[1]), ledger), [1, 2]) == [1, 2]
    inner = InnerRunner()
    assert sorted(await collect(runner_over(inner, ledger), [1, 2])) == [1, 2]
    assert inner.ran == [1]


async def test_a_limit_starts_nothing_new_and_says_so():
    inner = InnerRunner()
    runner = runner_over(inner, Memory(), refuse=lambda: HarnessFailure("the limit is used up", False))
    outcomes = [o async for o in runner.run([unit(1)])]
    assert outcomes[0].result is None
    assert outcomes[0].attempts[0].error == "the limit is used up"
    assert inner.ran == []
