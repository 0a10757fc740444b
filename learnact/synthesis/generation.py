"""One example: a script is asked for until one is accepted, then a trajectory, each with at most so many
calls.

    persona -> script (again while a rule is broken)
            -> trajectory (again from its verified beginning) -> verified, or refused

A deterministic function of the replies, so an interrupted run goes on where it was: requests that are
committed are found, not asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from learnact.prompts import PromptTemplates
from learnact.records import ModelSpec, Prompt, Reply, Request, digest, seed_from
from learnact.records.synthesis import (
    ReplyCheck,
    SynthesisScript,
    SynthesisStage,
    SynthesizedExample,
)
from learnact.synthesis.scripts import script_as_json
from learnact.synthesis.trajectories import MASTER, PLAYER, turns_as_json
from learnact.synthesis.verification import BrokenRule, Turns, Verifier

TEMPLATES = PromptTemplates("learnact.synthesis")
METHOD = "synthesis"
"""What tables call the method of these requests."""
Ask = Callable[[Request], Awaitable[Reply | None]]
"""Sends a request; None where it came to no reply, which ends the example for now."""


@dataclass(frozen=True)
class ExamplePlan:
    """What decides an example: its block (`trial`), number, person, which world of this person it is, and
    settings. `script_calls` and `trajectory_calls`: calls of each stage at most.
    """

    trial: str
    number: int
    persona: str
    world: int
    model: ModelSpec
    seed: int
    script_calls: int = 4
    trajectory_calls: int = 4

    @property
    def key(self) -> str:
        """Content address."""
        return digest("example", self.trial, self.number, self.persona, self.world)


class SynthesisJournal(Protocol):
    """Where checks are written down."""

    def reply_check(self, check: ReplyCheck) -> None:
        """Keep what was found in a reply."""
        ...


async def generate(
    plan: ExamplePlan, ask: Ask, verifier: Verifier, journal: SynthesisJournal
) -> SynthesizedExample | None:
    """An example, verified or refused; None where a request came to no reply, so that it is not decided."""
    stages = _Stages(plan, ask, verifier, journal)
    script = await stages.script()
    if script is None:
        return stages.refused("script", None, ())
    return await stages.trajectory(script)


class _Stages:
    def __init__(self, plan: ExamplePlan, ask: Ask, verifier: Verifier, journal: SynthesisJournal) -> None:
        self._plan, self._ask = plan, ask
        self._verifier, self._journal = verifier, journal
        self._calls = 0
        self._broken: BrokenRule | None = None
        self._interrupted = False

    async def script(self) -> SynthesisScript | None:
        for attempt in range(self._plan.script_calls):
            request = self._request("script", attempt, script_prompt(self._plan, self._broken))
            reply = await self._reply(request)
            if reply is None:
                return None
            verdict = await self._verifier.script(reply.text)
            self._keep(request, "script", verdict.broken, 0)
            if verdict.script is not None:
                self._broken = None
                return verdict.script
        return None

    async def trajectory(self, script: SynthesisScript) -> SynthesizedExample | None:
        turns: Turns = ()
        for attempt in range(self._plan.trajectory_calls):
            request = self._request("trajectory", attempt, play_prompt(script, turns, self._broken))
            reply = await self._reply(request)
            if reply is None:
                return None
            verdict = await self._verifier.trajectory(script, turns, reply.text)
            turns = verdict.turns
            self._keep(request, "trajectory", verdict.broken, len(turns))
            if verdict.accepted:
                return self._example("verified", "", script, turns)
        return self.refused("trajectory", script, turns)

    def refused(
        self, stage: SynthesisStage, script: SynthesisScript | None, turns: Turns
    ) -> SynthesizedExample | None:
        """The example with the rule that its last reply broke; None where it was interrupted."""
        if self._interrupted:
            return None
        rule = self._broken.rule if self._broken else ""
        return self._example("refused", f"{stage}: {rule}", script, turns)

    def _example(
        self, status: str, reason: str, script: SynthesisScript | None, turns: Turns
    ) -> SynthesizedExample:
        plan = self._plan
        return SynthesizedExample(
            key=plan.key,
            trial=plan.trial,
            example=plan.number,
            persona=plan.persona,
            status="verified" if status == "verified" else "refused",
            reason=reason,
            model=plan.model.name,
            simulated=plan.model.simulated,
            seed=plan.seed,
            script=script,
            turns=turns,
            calls=self._calls,
        )

    async def _reply(self, request: Request) -> Reply | None:
        reply = await self._ask(request)
        self._calls += reply is not None
        self._interrupted = reply is None
        return reply

    def _request(self, stage: SynthesisStage, attempt: int, prompt: Prompt) -> Request:
        plan = self._plan
        seed = seed_from(plan.seed, plan.number, stage, attempt)
        return Request(
            plan.trial, METHOD, stage, plan.model, prompt, seed, candidate=plan.number, attempt=attempt
        )

    def _keep(self, request: Request, stage: SynthesisStage, broken: BrokenRule | None, kept: int) -> None:
        self._broken = broken
        self._journal.reply_check(
            ReplyCheck(
                trial=request.trial,
                example=self._plan.number,
                stage=stage,
                attempt=request.attempt,
                request=request.key,
                accepted=broken is None,
                rule=broken.rule if broken else "",
                turn=broken.turn if broken else 0,
                problem=broken.problem if broken else "",
                verified=kept,
            )
        )


# Prompts ----------------------------------------------------------------------------------------------------


def script_prompt(plan: ExamplePlan, broken: BrokenRule | None = None) -> Prompt:
    """What is asked for a script; `broken`: what was wrong with the last one."""
    ask = TEMPLATES.fill("script_ask", number=plan.world)
    person = TEMPLATES.fill("person", persona=plan.persona)
    return _prompt([TEMPLATES.fill("script"), person], _wrong(broken) + ask)


def play_prompt(script: SynthesisScript, turns: Turns = (), broken: BrokenRule | None = None) -> Prompt:
    """What is asked for a trajectory, or for the rest of one; `broken`: what was wrong with the last one."""
    fixed = [TEMPLATES.fill("play"), TEMPLATES.fill("play_script", script=script_as_json(script))]
    if not turns:
        return _prompt(fixed, _wrong(broken) + TEMPLATES.fill("play_ask"))
    begun = TEMPLATES.fill("play_begun", turns=turns_as_json(turns))
    role = PLAYER if turns[-1].role == MASTER else MASTER
    ask = TEMPLATES.fill("play_ask_rest", next=turns[-1].turn + 1, role=role)
    return _prompt(fixed, f"{begun}\n{_wrong(broken)}{ask}")


def _prompt(fixed: list[str], request: str) -> Prompt:
    return Prompt(TEMPLATES.fill("system"), tuple(f"{part}\n" for part in fixed), request)


def _wrong(broken: BrokenRule | None) -> str:
    if broken is None:
        return ""
    name = "wrong_turn" if broken.turn else "wrong"
    return TEMPLATES.fill(name, problem=broken.problem, turn=broken.turn) + "\n"
