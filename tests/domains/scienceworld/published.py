"""A second account of AgentBoard's ScienceWorld wrapper, on the package's own `ScienceWorldEnv`: the program
that plays walks for `test_published.py`, in a process of its own.

It shares no code with `learnact.domains.scienceworld`. Two things are not as published, because with them no
walk can be played twice: Java is started with constant identity hash codes (JDK_JAVA_OPTIONS), and a step
does not ask for all valid actions, which changes the walk.
"""

from __future__ import annotations

import json
import random
import re
import sys
from typing import Any

from scienceworld import ScienceWorldEnv

SIMPLE = "selfWateringFlowerPots,openContainers,openDoors"
STEPS = 40
FORMS = (
    "look around", "inventory", "go to {}", "go to {}", "open {}", "close {}", "pick up {}", "focus on {}",
    "move {} to {}", "put down {}", "pour {} into {}", "mix {}", "activate {}", "use {} on {}", "look at {}",
    "read {}", "eat {}", "wait", "wait1", "look in {}", "open door", "dunk {} into {}", "connect {} to {}",
)  # fmt: skip
ODD = (
    "check valid actions", "", "0", "1", "jump", "task", "help", "objects", " wait1 ", "reset task",
    "LOOK AROUND", "focus on air", "focus on agent",
)  # fmt: skip
PLACES = ("hallway", "kitchen", "outside", "greenhouse", "living room", "workshop", "bedroom")


def main() -> None:
    """Walks of the tasks that standard input names, as JSON: what was said, and the wrapper's answers."""
    env = ScienceWorldEnv("")
    env.get_valid_action_object_combinations = list
    print(json.dumps([walk(env, task) for task in json.loads(sys.stdin.read())]))


def walk(env: Any, task: dict[str, Any]) -> dict[str, Any]:
    rng = random.Random(json.dumps(task))
    env.load(task["task"], task["number"], task["simplifications"], generateGoldPath=task["planned"])
    plan = list(env.get_gold_action_sequence()) if task["planned"] else []
    first, _ = env.reset()
    first += "\n" + env.inventory()
    known, steps = names(first), []
    for _ in range(len(plan) + STEPS // 4 if plan else STEPS):
        said = plan.pop(0) if plan and rng.random() < 0.8 else command(rng, known)
        told, scored = answer(env, said.strip())
        known += names(told)
        steps.append({"said": said, "told": told, "score": scored})
    labels = labels_from(rng, [step["told"] for step in steps])
    rewarded(steps, labels)
    return {**task, "first": first, "goal": env.get_task_description(), "labels": labels, "steps": steps}


def answer(env: Any, said: str) -> tuple[str, float]:
    if said == "check valid actions":
        offered = [form for form in env.get_possible_actions() if "reset" not in form]
        told = ", ".join([*offered, "check valid actions"])
        return f"Choose an action from these valid actions: {told}", env.server.getScore()
    told, _, _, info = env.step(said)
    return told, info["score"]


def rewarded(steps: list[dict[str, Any]], labels: list[str]) -> None:
    """The share of labels that an observation so far has matched; done with the last of them. Questions for
    the list of actions are not looked at."""
    seen: set[int] = set()
    for step in steps:
        if step["said"].strip() != "check valid actions":
            seen |= {number for number, label in enumerate(labels) if re.search(label, step["told"])}
        step["reward"], step["done"] = len(seen) / len(labels), len(seen) == len(labels)


def labels_from(rng: random.Random, told: list[str]) -> list[str]:
    """Patterns of a few observations, one of them with an alternative; sometimes one that never matches."""
    chosen = [text for text in rng.sample(told, 3) if text]
    labels = [re.escape(text[: rng.randint(8, 30)]) for text in chosen]
    return [*labels[:-1], f"({labels[-1]}|zebra)", *(["zebra"] if rng.random() < 0.3 else [])]


def names(text: str) -> list[str]:
    inside = re.findall(
        r"(?:^|\t|, |: |\()(?:an? |the )?(?:substance called )?([a-z][a-z ]+?)(?=[,.(:)\n]|$)", text
    )
    return [name.strip() for name in inside if len(name) < 30]


def command(rng: random.Random, known: list[str]) -> str:
    if rng.random() < 0.15:
        return rng.choice(ODD)
    form = rng.choice(FORMS)
    pool = PLACES if form.startswith("go") else known
    return form.format(rng.choice(pool), rng.choice(known))


if __name__ == "__main__":
    main()
