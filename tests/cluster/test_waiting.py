"""What is said of a cluster from which nothing comes, and when: on a clock of the test's own."""

from __future__ import annotations

from learnact.runners.ray.options import RayOptions
from learnact.runners.ray.waiting import FIRST_WORDS, STUCK_SECONDS, ClusterCpus, WaitingTold


def told(address: str | None = "auto") -> tuple[WaitingTold, list[float], ClusterCpus]:
    clock = [1000.0]
    cpus = ClusterCpus()
    cpus.total = 4
    return WaitingTold(RayOptions(address=address), lambda: clock[0]), clock, cpus


def test_a_cluster_without_a_free_cpu_is_told_with_the_way_out_and_less_and_less_often() -> None:
    words, clock, cpus = told()
    said = []
    for _ in range(int(FIRST_WORDS * 8)):
        clock[0] += 1
        said.append(words.words(0, 4, 0, cpus))
    assert [n + 1 for n, text in enumerate(said) if text] == [FIRST_WORDS * n for n in (1, 2, 4, 8)]
    first = next(filter(None, said))
    assert "the cluster has 4 CPUs, 0 of them free" in first and "cluster.workers" in first
    assert words.words(4, 4, 0, cpus) == ""


def test_some_workers_wait_while_the_run_goes_on() -> None:
    words, clock, cpus = told()
    words.words(3, 4, 8, cpus)
    clock[0] += FIRST_WORDS
    assert "1 of 4 workers have waited 15 s for a free CPU" in words.words(3, 4, 8, cpus)


def test_a_ray_of_our_own_is_busy_and_not_full() -> None:
    words, clock, cpus = told(address=None)
    clock[0] += FIRST_WORDS
    assert words.words(0, 2, 0, cpus) == ""
    clock[0] += 5 * FIRST_WORDS
    assert "the machine is busy; --address local" in words.words(0, 2, 0, cpus)


def test_units_from_which_nothing_comes_back_are_told_until_something_does() -> None:
    words, clock, cpus = told()
    clock[0] += STUCK_SECONDS
    assert words.words(4, 4, 0, cpus) == ""  # nothing is under way
    clock[0] += STUCK_SECONDS - 1
    assert words.words(4, 4, 7, cpus) == ""
    clock[0] += 1
    assert "7 episodes and requests are under way in 4 workers" in words.words(4, 4, 7, cpus)
    assert words.words(4, 4, 7, cpus) == ""
    words.heard()
    clock[0] += STUCK_SECONDS - 1
    assert words.words(4, 4, 7, cpus) == ""
