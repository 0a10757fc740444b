"""Reflexion, Voyager and best of n, followed with scripted replies on real gripper tasks."""

import re

from learnact.domains import registry
from learnact.job import load
from learnact.methods.registry import find_learner
from learnact.methods.retrieval import bm25
from learnact.methods.training import Training
from learnact.runners.local import LocalRunner
from learnact.runners.worker import Worker
from learnact.trial import run_trial
from tests.methods.test_learning_round import FUNCTIONS, names
from tests.scripted import Notes, Scripted

KINDS = {
    "short, general lesson": "reflect",
    "Write a Python program": "code",
    "Judge whether": "verify",
    "Write a description": "describe",
    "usage example": "usage",
    "next action": "act",
}


def asked(text: str) -> str:
    answer = text.split("## Your answer")[1]
    return next(kind for words, kind in KINDS.items() if words in answer)


def scripted(**answers) -> Scripted:
    standard = {
        "act": lambda text: "move('rooma', 'roomb')",
        "describe": lambda text: "Requires: ball is in start. Then: ball is in end.",
        "usage": lambda text: "Action: fetch('ball1', 'rooma', 'roomb', 'left')\nObservation: Now.",
        "code": lambda text: FUNCTIONS.format(**names(text)),
        "verify": lambda text: "Verdict: yes\nCritique: none",
    }
    return Scripted(lambda text: {**standard, **answers}[asked(text)](text))


def requests(chat, kind):
    return [text for text in chat.texts if asked(text) == kind]


async def learn(chat, method, *overrides, notes=None, allowance=None):
    job = load(
        {"name": "t", "domains": {"name": "gripper", "level": "easy"}, "methods": method},
        ["repeats.learn=1", *overrides],
    )
    trial = next(t for t in job.trials() if t.method == (method if isinstance(method, str) else method[-1]))
    domain = registry.build(trial.domain)
    async with Worker(chat) as worker:
        tasks = tuple(domain.tasks("train"))
        training = Training(trial, domain, tasks, LocalRunner(worker), notes or Notes(), allowance)
        learner = find_learner(trial.learner.name)
        return await learner.learn(training, learner.options_of(trial.learner)), training


async def test_reflexion_adds_a_lesson_for_the_first_failed_episode_and_shows_it():
    lessons = iter(["Lesson: look first.", "Lesson: use both hands."])
    notes, chat = Notes(), scripted(reflect=lambda text: next(lessons))
    learned, _ = await learn(chat, "act+reflexion", notes=notes)
    assert learned.library.lessons == ("look first.", "use both hands.")
    shown = requests(chat, "reflect")
    assert "The goal was not reached." in shown[0]
    assert shown[0].count("Action: move('rooma', 'roomb')") == 10
    assert "## Lessons\n- look first." in shown[1]
    assert any(
        "- look first." in text.split("## Lessons")[-1]
        for text in requests(chat, "act")
        if "## Lessons" in text
    )
    assert [c.origin for c in notes.candidates.values()] == ["lesson"] * 3


async def test_reflexion_asks_for_nothing_when_nothing_failed():
    def solve(text):
        """Carry one ball at a time, as the last observation says."""
        now = re.findall(r"Now: (.*)", text)[-1]
        goal = dict(
            re.findall(r"(ball\d+) is in (room[ab])", text.split("## Your task")[1].split("Observation:")[0])
        )
        here = re.search(r"you are in (room[ab])", now)[1]
        held = re.search(r"(left|right) holds (ball\d+)", now)
        other = "roomb" if here == "rooma" else "rooma"
        if held:
            return (
                f"drop('{held[2]}', '{here}', '{held[1]}')"
                if goal.get(held[2]) == here
                else f"move('{here}', '{other}')"
            )
        lost = [
            b
            for b, at in re.findall(r"(ball\d+) is in (room[ab])", now)
            if goal.get(b, at) != at and at == here
        ]
        return f"pick('{lost[0]}', '{here}', 'left')" if lost else f"move('{here}', '{other}')"

    chat = scripted(act=solve)
    learned, _ = await learn(chat, "act+reflexion", "budget.learn.turns=60")
    assert learned.library.lessons == ()
    assert requests(chat, "reflect") == []


async def test_voyager_keeps_what_its_critic_verifies_and_shows_it_what_happened_otherwise():
    verdicts = iter(["Verdict: no\nCritique: only one ball was moved.", "Verdict: yes\nCritique: none"] * 3)
    notes, chat = Notes(), scripted(verify=lambda text: next(verdicts))
    learned, _ = await learn(chat, "voyager", notes=notes)
    assert [a.name for a in learned.library.actions] == ["fetch"]
    first, second = requests(chat, "code")[:2]
    assert "Critique: only one ball was moved." in second
    assert "1. pick('" in second
    assert "## Code" not in first
    assert "def fetch" in requests(chat, "code")[2].split("## Code")[1]
    assert [c.origin for c in notes.candidates.values()] == ["skill"] * 3


async def test_voyager_without_a_verified_round_learns_nothing():
    notes, chat = Notes(), scripted(verify=lambda text: "Verdict: no\nCritique: no.")
    learned, _ = await learn(chat, "voyager", notes=notes)
    assert learned.library.actions == ()
    assert len(requests(chat, "code")) == 3 * 4
    assert all(c.uncreated for c in notes.candidates.values())


async def test_voyager_gives_the_agent_the_skills_most_like_the_task():
    def code(text):
        count = text.count("def ") if "## Code" in text else 0
        return (
            FUNCTIONS.replace("def fetch", f"def fetch{count}")
            .replace("Usage: fetch", f"Usage: fetch{count}")
            .format(**names(text))
        )

    learned, training = await learn(scripted(code=code), "voyager", "learner.voyager_top=2")
    assert len(learned.library.actions) == 3
    chosen = await learned.choose(training.domain, training.domain.tasks("test")[0], training.trial.domain)
    assert len(chosen.actions) == 2


def test_bm25_ranks_by_words():
    scores = bm25("move the nut", ["Requires: ball. carry", "Requires: nut. loosen"])
    assert scores[1] > scores[0]


async def test_best_of_n_spends_the_budget_and_shows_the_best_attempt():
    replies = iter(["move('rooma', 'roomb')"] * 45 + ["pick('ball1', 'rooma', 'left')"] * 1000)
    chat = scripted(act=lambda text: next(replies))
    methods = ["act", "learnact"]
    job = ["match_budget.to=learnact", "match_budget.unit=calls"]
    learned, training = await learn(chat, [methods[1], methods[0]], *job, allowance=75)
    assert training.spent.calls == 90
    assert learned.library.usage_example.startswith("Goal: ")
    assert learned.library.usage_example.count("Action: ") == 10


async def test_a_matched_method_waits_for_what_learning_cost_the_other():
    from learnact.trial import LearningCosts

    job = load(
        {
            "name": "t",
            "domains": {"name": "gripper", "level": "easy"},
            "methods": ["act+reflexion", "voyager"],
            "repeats": {"learn": 1},
            "tasks": {"test": 1},
        },
        ["match_budget.to=voyager", "match_budget.unit=calls"],
    )
    lessons = iter(f"Lesson: number {n}." for n in range(100))
    chat = scripted(reflect=lambda text: next(lessons), verify=lambda text: "Verdict: no\nCritique: no.")
    costs, notes = LearningCosts(), Notes()
    async with Worker(chat) as worker:
        import asyncio

        results = await asyncio.gather(
            *(run_trial(t, LocalRunner(worker), notes, lambda *_: None, costs=costs) for t in job.trials())
        )
    assert [r.status for r in results] == ["done", "done"]
    # Voyager asked 3 x 4 x 2 times; one round of Reflexion costs 31 calls, so its two lessons are more than
    # that already.
    assert len(requests(chat, "reflect")) == 2
