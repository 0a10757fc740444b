"""A small finished run of act and learnact on two domains, written by the real store."""

import asyncio
import dataclasses

import pytest

from learnact.records import Candidate, LearnedAction, Library, Terms, canonical
from learnact.results.reader import connect_folders
from learnact.results.store import RunStore
from tests.results import material

TASKS = 5
DOMAINS = ("blockworld", "gripper")
WEAK = Library(
    actions=(LearnedAction("hop", "hop(x)", "def hop(x):\n    move(x)\n    move(x)", "Moves twice."),)
)


def trial_row(method, domain, status="done", repeats=1, **more):
    options = {"test_domains": [{"name": domain, "options": "{}"}], "test": "rest", "settings": {}}
    return {
        "method": method,
        "domain": domain,
        "agent_model": "sim-strong",
        "learner_model": "sim-strong" if method.startswith("learnact") else "",
        "learn_repeat": 0,
        "test_repeats": repeats,
        "status": status,
        "options": canonical(options),
        **more,
    }


async def write(folder, name="small", missing=0):
    """Act solves tasks 0 and 1; learnact all but the last; `missing` blockworld episodes have no result."""
    store = RunStore.open(folder, name.ljust(24, "0"), name, {"name": name}, {}, {"learnact": "0.1"})
    commits = []
    for domain in DOMAINS:
        for method in ("act", "learnact"):
            trial = f"{method}-{domain}"
            library = material.LIBRARY if method == "learnact" else Library()
            learner = "sim-strong" if method == "learnact" else ""
            short = missing if (method, domain) == ("learnact", "blockworld") else 0
            store.trial(trial, trial_row(method, domain, "unfinished" if short else "done"))
            store.check(
                f"disjoint {domain} {domain} rest",
                {"learned_on": domain, "tested_on": domain, "test_tasks": TASKS, "shared": 0},
            )
            for task in range(TASKS):
                unit = material.episode(
                    task, trial, method, task=task, library=library, phase="test", domain=domain
                )
                unit = dataclasses.replace(unit, learner_model=learner)
                if task >= TASKS - short:
                    commits.append(store.commit(material.failed(unit)))
                    continue
                solved = task < TASKS - 1 if method == "learnact" else task < 2
                commits.append(
                    store.commit(material.outcome(unit, 10 if method == "learnact" else 20, solved))
                )
            if method == "learnact":
                commits += learning(store, trial, domain)
    await asyncio.gather(*commits)
    await store.close("unfinished" if missing else "finished")
    return store.folder


def learning(store, trial, domain):
    """Two candidates, the better one updated."""
    rows = (
        Candidate(
            trial,
            0,
            0,
            library=WEAK.id,
            parent="",
            origin="create",
            terms=Terms(0.5, 0.6, 0.5, 0.2),
            score=1.2,
        ),
        Candidate(trial, 0, 1, "", "", "create", uncreated="NameError: name 'x' is not defined"),
        Candidate(
            trial,
            1,
            0,
            library=WEAK.id,
            parent=WEAK.id,
            origin="incumbent",
            terms=Terms(0.5, 0.6, 0.5, 0.2),
            score=1.2,
        ),
        Candidate(
            trial,
            1,
            1,
            library=material.LIBRARY.id,
            parent=WEAK.id,
            origin="update",
            terms=Terms(1.0, 1.0, 0.9, 0.4),
            score=2.3,
            selected=True,
            uncreated="",
            reason="misses a step",
            failed_call="hop('a')",
        ),
        Candidate(trial, 1, 2, "", WEAK.id, "note", uncreated="unreadable"),
    )
    store.library(trial, WEAK)
    for row in rows:
        store.candidate(row)
    made = []
    for number, library in enumerate((WEAK, material.LIBRARY)):
        for task in (100, 101):
            unit = material.episode(
                task, trial, "learnact", task=task, library=library, phase="learn", domain=domain
            )
            made.append(store.commit(material.outcome(unit, 10, bool(number))))
    made += [store.commit(material.answered(material.request(n, trial))) for n in range(3)]
    return made


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return asyncio.run(write(tmp_path_factory.mktemp("results")))


@pytest.fixture(scope="session")
def broken(tmp_path_factory):
    """The same with two episodes that never finished."""
    return asyncio.run(write(tmp_path_factory.mktemp("results"), "broken", missing=2))


@pytest.fixture
def connection(folder):
    with connect_folders([folder]) as open_connection:
        yield open_connection
