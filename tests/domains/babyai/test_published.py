"""`surface: agentboard` beside a second account of the published wrapper (`published.py`), on all 112
published tasks: observations, rewards and ends of random and of goal-directed walks."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from typing import Any

import pytest

pytest.importorskip("minigrid")

from learnact.domains.babyai.levels import KINDS, PUBLISHED_SEEDS, agentboard
from learnact.domains.registry import build
from learnact.records import DomainSpec, canonical
from tests.domains.babyai.published import PublishedWrapper

STEPS = 40
NAMES = [name if name == "babyai-open" else pytest.param(name, marks=pytest.mark.slow) for name in KINDS]
"""The domains; the one with the fewest tasks stands for all in `make test`."""
JUNK = ("", "jump", "check", "I check valid actions", "pick up red ball 1", "GO TO red ball 1", "toggle",
        "pickup  red ball 1", " turn left ", "go through red open door 1", "drop")  # fmt: skip


def tasks(name: str, **options: Any):
    spec = DomainSpec(name, canonical({"source": "agentboard", "surface": "agentboard", **options}))
    domain = build(spec)
    seeds = [(kind, seed) for kind in agentboard(name) for seed in PUBLISHED_SEEDS]
    return domain, list(zip(domain.tasks("test"), seeds, strict=True))


def wrapper(kind, seed: int, labels: list[Any]) -> PublishedWrapper:
    return PublishedWrapper(kind.made, dict(kind.given), seed, labels)


def choose(rng: random.Random, at: PublishedWrapper) -> str:
    """An action that is offered, rather one with what the goal names; or a refused one, or no action."""
    draw = rng.random()
    if draw < 0.05:
        return rng.choice(JUNK)
    if draw < 0.15 and at.refusals:
        return rng.choice(list(at.refusals))
    if draw < 0.25:
        seen = re.findall(r"There is a (.+?) (?:right|\d+ steps)", at.observation) or ["red ball 1"]
        verb = rng.choice(["go to", "pickup", "go through", "toggle and go through"])
        return f"{verb} {rng.choice(seen)}"
    wanted = set(at.goal.replace(",", "").split())
    named = [action for action in at.actions if len(wanted & set(action.split())) > 1]
    return rng.choice(named if named and draw < 0.65 else list(at.actions))


def several(said: str, at: PublishedWrapper) -> bool:
    """Whether a command is about a thing of whose name there are several in view."""
    return any(sum(name == other for other, _ in at.things) > 1 and name in said for name, _ in at.things)


def labels_of(kind, seed: int, rng: random.Random) -> list[Any]:
    """Sub-goals that walks may reach: parts of sentences of one walk. One task of five has two ways."""
    at, told = wrapper(kind, seed, ["?"]), []
    for _ in range(STEPS):
        told += [sentence for sentence in at.step(choose(rng, at))[0].split(".") if len(sentence) > 12]
    words = [f"{s[: len(s) // 2]}**{s[-9:]}" if rng.random() < 0.5 else s for s in rng.sample(told, 4)]
    ways = [words[:3], [words[3], *words[1:3]]] if rng.random() < 0.2 else words[: rng.randint(1, 4)]
    return [["The task is completed", *way] for way in ways] if isinstance(ways[0], list) else ways


@pytest.mark.parametrize("name", NAMES)
def test_with_its_faults_every_step_is_answered_as_by_the_published_wrapper(name, tmp_path):
    rng = random.Random(name)
    labels = [labels_of(kind, seed, rng) for kind in agentboard(name) for seed in PUBLISHED_SEEDS]
    lines = []
    for kind, given in zip((k for k in agentboard(name) for _ in PUBLISHED_SEEDS), labels, strict=True):
        ways = given if isinstance(given[0], list) else [given]
        keys = ["subgoals"] if len(ways) == 1 else [f"subgoals_{number}" for number in range(1, 3)]
        kept = {"additional_info": {"subtask": f"BabyAI-{kind.label}"}}
        lines.append(json.dumps(kept | dict(zip(keys, ways, strict=True))))
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join(lines))
    domain, given_tasks = tasks(name, faults=True, labels=str(file))
    counts: Counter[str] = Counter()
    for (task, (kind, seed)), given in zip(given_tasks, labels, strict=True):
        theirs, ours = wrapper(kind, seed, given), domain.open(task)
        assert (ours.goal, ours.first_observation) == (theirs.goal, theirs.observation)
        for _ in range(STEPS):
            said = choose(rng, theirs)
            observation, reward, done = theirs.step(said)
            step = ours.text(said)
            assert (step.observation, step.success) == (observation, done), (task.name, said)
            assert step.progress == (1 if done else pytest.approx(reward)), (task.name, said)
            counts["steps"] += 1
            counts["rewarded"] += reward > 0
            if done:
                counts["done"] += 1
                break
    assert counts["steps"] > 200 and counts["rewarded"] > 20 and counts["done"]


@pytest.mark.parametrize("name", NAMES)
def test_without_them_what_is_seen_is_the_same_until_the_mission_ends(name):
    """Actions on a thing that is the only one of its name: the wrapper's numbers of others are a fault."""
    rng = random.Random(name)
    domain, given_tasks = tasks(name)
    counts: Counter[str] = Counter()
    for task, (kind, seed) in given_tasks:
        theirs, ours = wrapper(kind, seed, ["?"]), domain.open(task)
        assert ours.first_observation == theirs.observation
        for _ in range(STEPS):
            said = choose(rng, theirs)
            if "check" in said or "pick up" in said or several(said, theirs):
                continue
            observation, _, _ = theirs.step(said)
            step = ours.text(said)
            counts["steps"] += 1
            if step.success or step.over:
                counts["succeeded" if step.success else "failed"] += 1
                break
            printed = re.sub(r"\{.*: (\d+)\}", r"\1", observation)  # a count that the wrapper prints whole
            assert step.observation == printed, (task.name, said)
    assert counts["steps"] > 50 and counts["succeeded"]
