"""Units and outcomes as a run makes them, for tests and measurements: texts of real length, prompts built as
agents build them.
"""

from __future__ import annotations

import dataclasses
import random

from learnact.records import (
    AgentSpec,
    Attempt,
    Budget,
    Call,
    CodeBounds,
    DomainSpec,
    Episode,
    EpisodeResult,
    LearnedAction,
    Library,
    ModelSpec,
    Outcome,
    PrimitiveStep,
    Prompt,
    Reply,
    Request,
    Rules,
    Seconds,
    Task,
    Tokens,
    Turn,
    history_entries,
)

MODEL = ModelSpec("sim-strong", base_urls=("http://127.0.0.1:9/v1",), simulated=True)
LIBRARY = Library(
    actions=(
        LearnedAction(
            "carry",
            "carry(ball, start, end, hand)",
            "def carry(ball, start, end, hand):\n    pick(ball, start, hand)\n    move(start, end)\n"
            "    return drop(ball, end, hand)",
            "Requires: ball is in start. you are in start. hand is free. Then: ball is in end.",
            ("Use it only when you are in start.",),
        ),
    ),
    usage_example="Goal: ball1 is in roomb.\nAction: carry('ball1', 'rooma', 'roomb', 'left')",
)
INSTRUCTION = "".join(
    f"- verb{i}(x, place, hand): Requires: x is a ball. place is a room. hand is a gripper. "
    "x is in place. you are in place. "
    f"hand is free. Then: hand{i} holds x. x is no longer in place.\n"
    for i in range(30)
)
PURPOSES = ("create", "usage", "describe", "improve")


def observation(random_: random.Random, turn: int) -> str:
    """About 200 characters, as a planning domain writes them."""
    facts = [
        f"ball{random_.randrange(12)} is in room{'ab'[random_.randrange(2)]}.",
        f"you are in room{'ab'[turn % 2]}.",
    ]
    facts += [f"ball{i} is in room{'ab'[random_.randrange(2)]}." for i in range(6)]
    return " ".join([*facts, "right is free." if turn % 3 else f"left holds ball{turn % 12}."])


def episode(
    number: int = 0,
    trial: str = "trial-a",
    method: str = "learnact",
    task: int | None = None,
    library: Library = LIBRARY,
    *,
    phase: str = "test",
    domain: str = "gripper",
    **more: object,
) -> Episode:
    """An episode; `number` tells episodes apart."""
    index = number if task is None else task
    return dataclasses.replace(
        Episode(
            trial=trial,
            method=method,
            phase=phase,  # type: ignore[arg-type]
            domain=DomainSpec(domain, '{"balls":[4,12]}'),
            task=Task(
                domain, f"{domain}-{index:03d}", f"(define (problem p{index}) ...)", 20, {"seed": index}
            ),
            agent=AgentSpec("act"),
            library=library,
            model=MODEL,
            budget=Budget(),
            rules=Rules(bounds=CodeBounds(cpu_seconds=2.5)),
            seed=1000 + number,
            prompts="promptsprompts",
            versions="1.0",
            learner_model="sim-strong",
        ),
        **more,  # type: ignore[arg-type]
    )


def turn(index: int, random_: random.Random) -> Turn:
    """A turn; every fifth fails, every seventh is a learned action."""
    learned = index % 7 == 3
    name = "carry" if learned else "pick"
    call = f"{name}('ball{random_.randrange(12)}', 'room{'ab'[index % 2]}', 'left')"
    seen, ok = observation(random_, index), index % 5 != 4
    steps = (PrimitiveStep(call, ok, seen),) * (3 if learned else 1)
    return Turn(
        index=index,
        kind="action",
        raw=f"Action: {call}",
        said=call,
        call=call,
        callee=name,
        learned=learned,
        ok=ok,
        observation=seen,
        progress=min(1.0, index / 20),
        steps=steps,
    )


def calls(unit: Episode, turns: tuple[Turn, ...], history: int = 20) -> tuple[Call, ...]:
    """A call a turn, with the prompt that an agent would have sent."""
    entries = history_entries(turns)
    made = []
    for index, done in enumerate(turns):
        shown = entries[max(0, 2 * index - history) : 2 * index]
        prompt = Prompt(
            "You play.",
            (
                f"## Instructions\n{INSTRUCTION}\n\n",
                f"## Your task\nGoal: {unit.task.name}\n\n",
                *(["## So far\n"] if shown else []),
            ),
            "\n## Your answer\nWrite one call.\n\nAction:",
            shown,
            max(0, 2 * index - history),
        )
        tokens = Tokens(1500 + 40 * index, 1400, 20, 0)
        reply = Reply(
            text=done.raw,
            finish="stop",
            reasoning="",
            tokens=tokens,
            cost=0.0015,
            model="sim-strong-1",
            fingerprint="fp_1",
            parameters='{"max_tokens":1024}',
            tries=1,
            latency=0.2,
        )
        made.append(Call(unit.key, index, "act", prompt, reply))
    return tuple(made)


def result(unit: Episode, turns: int = 20, success: bool = True) -> EpisodeResult:
    """A result of so many turns; the unit's key decides the texts."""
    random_ = random.Random(unit.key)
    played = tuple(turn(i, random_) for i in range(turns))
    if success and played:
        played = (*played[:-1], dataclasses.replace(played[-1], progress=1.0))
    total = Tokens()
    for call in calls(unit, played):
        total += call.reply.tokens
    return EpisodeResult(
        success=success,
        progress=1.0 if success else 0.5,
        goal=f"ball{unit.seed % 7} is in roomb.",
        first_observation=observation(random_, 0),
        turns=played,
        tokens=total,
        cost=0.03,
        model_returned="sim-strong-1",
        seconds=Seconds(4.1, 4.0, 0.01, 0.02),
        sandbox_kind="confined",
    )


def outcome(unit: Episode, turns: int = 20, success: bool = True, streamed: bool = False) -> Outcome:
    """A finished episode with its calls (none when they were streamed)."""
    played = result(unit, turns, success)
    made = () if streamed else calls(unit, played.turns)
    return Outcome(unit, played, (), made, 1.7e9, "node-1")


def request(number: int = 0, trial: str = "trial-a", purpose: str = "create") -> Request:
    """A learner's request."""
    prompt = Prompt("You teach.", (f"## Instructions\n{INSTRUCTION}\n\n",), f"Write functions, try {number}.")
    return Request(
        trial=trial,
        method="learnact",
        purpose=purpose,
        model=MODEL,
        prompt=prompt,
        seed=7 + number,
        iteration=1,
        candidate=number,
    )  # type: ignore[arg-type]


def answered(unit: Request) -> Outcome:
    """A request with its reply."""
    reply = Reply(f"```python\n{LIBRARY.source}\n```", tokens=Tokens(1700, 0, 90, 0), cost=0.004, latency=1.5)
    return Outcome(unit, reply, (), (Call(unit.key, 0, unit.purpose, unit.prompt, reply),), 1.7e9, "node-1")


def failed(unit: Episode | Request, boundary: str = "provider") -> Outcome:
    """A unit of which both tries failed."""
    tries = tuple(
        Attempt(unit.key, n, boundary, f"503 from the endpoint, try {n}", 0.5, "node-1")  # type: ignore
        for n in (1, 2)
    )
    return Outcome(unit, None, tries, (), 1.7e9, "node-1")
