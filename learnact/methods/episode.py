"""One episode run: what has happened so far, and the only ways to go on (ask the model, act, think).

An agent acts through an `EpisodeRun` only, so budgets, success, validity, the log and the rules of
execution are the same for every method.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, Protocol

from learnact.domains.base import Domain, Measured, TextActions
from learnact.domains.environments import AsyncEnvironment
from learnact.errors import HarnessFailure
from learnact.library.calls import CallExpression, UnreadableCall, parse_call
from learnact.library.parameters import as_call
from learnact.methods.action_replies import ParsedCall, ParsedCommand, ParsedThought, Unparsed, read
from learnact.methods.observations import build_observation, output_lines, returned_text, succeeded
from learnact.methods.tool_calls import ONLY_THE_FIRST, parameters_of, read_tool_call, shown_call, thought_of
from learnact.models.constraints import as_text
from learnact.records import (
    ActionError,
    Call,
    Episode,
    EpisodeResult,
    Exchange,
    Ignored,
    Plain,
    PrimitiveStep,
    Prompt,
    Reply,
    Seconds,
    Step,
    Tokens,
    ToolCall,
    Turn,
    TurnKind,
    UnreadableCause,
)
from learnact.sandbox.bounds import CallResult, PrimitiveResult
from learnact.sandbox.session import SandboxSession

UNREADABLE = (
    "That could not be read as an action: {reason}. "
    "Write one call with all its arguments, like the calls in the example."
)
UNREADABLE_TEXT = (
    "That could not be read as an action: {reason}. Write one command like those in the example."
)
UNREADABLE_TOOL_CALL = "That call could not be read: {why}. Call one tool with all its arguments."
NO_TOOL_CALL = "No tool was called. Call one tool with all its arguments."
OR_THOUGHT = ' Or write a thought on one line that begins with "Think:".'
THOUGHT = "Ok."


class AskModel(Protocol):
    """How an episode run reaches the model: one exchange; raises `ProviderFailure`."""

    async def __call__(self, prompt: Prompt, ordinal: int) -> Exchange:
        """Ask for the reply to the episode's model call number `ordinal`."""
        ...


class EpisodeRun:
    """The state of one episode and what an agent may do in it.

    `session` is None where no code can be run (an empty library and an agent that writes no code).
    """

    def __init__(
        self,
        episode: Episode,
        domain: Domain,
        environment: AsyncEnvironment,
        session: SandboxSession | None,
        ask: AskModel,
    ) -> None:
        self.episode = episode
        self.domain = domain
        self.goal = environment.goal
        self.first_observation = environment.first_observation
        self.turns: list[Turn] = []
        self.calls: list[Call] = []
        self._environment = environment
        self._failed = False
        self._session = session
        self._ask = ask
        self._known = _known(domain, episode)
        self.offered = parameters_of(domain, episode.library)
        self._spent = {"model": 0.0, "environment": 0.0, "sandbox": 0.0}
        self._started = time.perf_counter()

    @property
    def over(self) -> bool:
        """Whether the task is solved, can no longer be solved, or the turns are used up."""
        solved = self._environment.success
        return solved or self._failed or len(self.turns) >= self.episode.budget.turns

    async def ask(self, prompt: Prompt) -> Reply:
        """The model's reply; logged."""
        began = time.perf_counter()
        exchange = await self._ask(prompt, len(self.calls))
        self._spent["model"] += time.perf_counter() - began
        self.calls.append(Call(self.episode.key, len(self.calls), "act", exchange.prompt, exchange.reply))
        return exchange.reply

    async def take(
        self, raw: str, thoughts: bool, finish: str = "stop", tool_calls: Sequence[ToolCall] = ()
    ) -> Turn:
        """Do what a reply says: one turn, whatever it is. `finish`: the server's reason for its end.

        `tool_calls`: the tools that the reply calls; `raw` is then the text beside them, a thought. The first
        call is carried out; of more it is told that they were not.
        """
        rules = self.episode.rules
        if tool_calls and rules.action_format == "tools":
            return await self._take_tool_call(raw, thoughts, tool_calls)
        commands = rules.action_format == "text"
        text = as_text(raw) if rules.action_format == "constrained" else raw
        said = read(
            text, self._known, thoughts, commands, first_line=rules.reply == "first_line", finish=finish
        )
        match said:
            case ParsedCall(call):
                if text is not raw:  # arguments by name, as a JSON Schema has them
                    call = as_call(call.name, dict(call.kwargs), self.offered.get(call.name, ()))
                turn = await self._act(raw, call)
                return self._beside(turn, said.thought, said.ignored)
            case ParsedCommand(text):
                turn = self._turn("action", raw, text, call=text, step=await self._step_text(text))
                return self._beside(turn, said.thought, said.ignored)
            case ParsedThought(text):
                turn = self._turn("thought", raw, text, observation=THOUGHT, ok=True)
                return self._beside(turn, "", said.ignored)
            case Unparsed(text, cause, reason):
                told = (UNREADABLE_TEXT if commands else UNREADABLE).format(reason=reason)
                told += OR_THOUGHT if thoughts else ""
                told = NO_TOOL_CALL if rules.action_format == "tools" else told
                return self._turn("unreadable", raw, text, observation=told, cause=cause)

    async def _take_tool_call(self, text: str, thoughts: bool, tool_calls: Sequence[ToolCall]) -> Turn:
        raw = "\n".join([text, *(f"{c.name} {c.arguments}" for c in tool_calls)]).lstrip("\n")
        try:
            call = read_tool_call(tool_calls[0], self.offered)
        except UnreadableCall as error:
            told = UNREADABLE_TOOL_CALL.format(why=error)
            said = shown_call(tool_calls[0])
            turn = self._turn("unreadable", raw, said, observation=told, cause="arguments")
        else:
            turn = await self._act(raw, call)
        if len(tool_calls) > 1:
            told = f"{turn.observation}\n{ONLY_THE_FIRST.format(count=len(tool_calls))}"
            turn = replace(turn, observation=told, ignored=("calls",))
        turn = replace(turn, thought=thought_of(text) if thoughts else "", form="tool_call")
        self.turns[-1] = turn
        return turn

    async def _act(self, raw: str, call: CallExpression) -> Turn:
        learned = any(action.name == call.name for action in self.episode.library.offered)
        return await (self._learned(raw, call) if learned else self._primitive(raw, call))

    def _beside(self, turn: Turn, thought: str, ignored: tuple[Ignored, ...]) -> Turn:
        """The last turn with what its reply held beside the action."""
        if thought or ignored:
            turn = self.turns[-1] = replace(turn, thought=thought, ignored=ignored)
        return turn

    async def take_over(self, turn: Turn) -> None:
        """Take a recorded turn as the next one: its primitive actions are done again, no model is asked.

        Raises `HarnessFailure` where the environment answers otherwise than then.
        """
        for step in turn.steps:
            try:
                call = parse_call(step.command)
                now = await self._step(call.name, call.args, call.kwargs)
            except UnreadableCall:
                now = await self._step_text(step.command)
            if (now.valid, now.observation) != (step.ok, step.observation):
                told = f"{step.command} in turn {turn.index} was answered {step.observation!r}"
                raise HarnessFailure(
                    f"the recorded turns cannot be taken over: {told}, and is now {now.observation!r}", False
                )
        self.turns.append(turn)

    async def run_program(self, raw: str, program: str, definitions: str = "") -> Turn:
        """Run a whole program, open-loop: one turn. What it did before it failed, stays done.

        `definitions`: functions of earlier programs that it may call.
        """
        before = f"{definitions}\n\n\n" if definitions else ""
        steps, result = await self._run_code(f"{before}{program}")
        lines = before.count("\n")
        if result.error is not None and result.error.line > lines:
            result = replace(result, error=replace(result.error, line=result.error.line - lines))
        return self._code_turn(raw, program, "", steps, result)

    def fail(self, raw: str, said: str, error: ActionError, cause: UnreadableCause) -> Turn:
        """A turn that could not be carried out at all; the error becomes its observation."""
        return self._turn("unreadable", raw, said, observation=error.message, error=error, cause=cause)

    def result(self) -> EpisodeResult:
        """The finished episode."""
        replies = [c.reply for c in self.calls]
        costs = [r.cost for r in replies]
        measures = self._environment.measures if isinstance(self._environment, Measured) else {}
        return EpisodeResult(
            success=self._environment.success,
            progress=self._environment.progress,
            goal=self.goal,
            first_observation=self.first_observation,
            turns=tuple(self.turns),
            tokens=sum((r.tokens for r in replies), Tokens()),
            cost=None if any(c is None for c in costs) else sum(c for c in costs if c is not None),
            model_returned=" ".join(sorted({r.model for r in replies if r.model})),
            seconds=Seconds(wall=time.perf_counter() - self._started, **self._spent),
            sandbox_kind=self.episode.rules.sandbox if self._session else "",
            measures=tuple(sorted(measures.items())),
        )

    async def _primitive(self, raw: str, call: CallExpression) -> Turn:
        step = await self._step(call.name, call.args, call.kwargs)
        return self._turn("action", raw, call.text, call=step.command, callee=call.name, step=step)

    async def _learned(self, raw: str, call: CallExpression) -> Turn:
        steps, result = await self._run_code(call.text)
        return self._code_turn(raw, call.text, call.name, steps, result)

    async def _run_code(self, code: str) -> tuple[tuple[PrimitiveStep, ...], CallResult]:
        """Run code in the sandbox; each primitive that it calls is done here, on the environment."""
        if self._session is None:
            raise RuntimeError("this episode was set up without a sandbox")
        steps: list[PrimitiveStep] = []
        returns = self.episode.rules.primitive_returns == "observation"

        async def do(name: str, args: list[Plain], kwargs: dict[str, Plain]) -> PrimitiveResult:
            step = await self._step(name, args, kwargs)
            steps.append(PrimitiveStep(step.command, step.valid, step.observation))
            return PrimitiveResult(step.observation if returns else None, end=step.success or step.over)

        began, elsewhere = time.perf_counter(), self._spent["environment"]
        result = await self._session.call(code, do)
        self._spent["sandbox"] += time.perf_counter() - began - (self._spent["environment"] - elsewhere)
        return tuple(steps), result

    async def _step(self, name: str, args: Sequence[Plain], kwargs: Mapping[str, Plain]) -> Step:
        began = time.perf_counter()
        step = await self._environment.call(name, args, kwargs)
        self._spent["environment"] += time.perf_counter() - began
        return self._told(step)

    async def _step_text(self, command: str) -> Step:
        began = time.perf_counter()
        step = await self._environment.text(command)
        self._spent["environment"] += time.perf_counter() - began
        return self._told(step)

    def _told(self, step: Step) -> Step:
        """The step with the observation that the rules let the agent and learned code see."""
        self._failed = self._failed or step.over
        if step.valid or self.episode.rules.invalid_actions == "reason":
            return step
        return replace(step, observation=self.domain.profile.invalid)

    def _code_turn(
        self,
        raw: str,
        said: str,
        callee: str,
        steps: tuple[PrimitiveStep, ...],
        result: CallResult,
    ) -> Turn:
        """The turn of a call of a learned action, or of a program (`callee` is empty)."""
        rules, mode = self.episode.rules, self.domain.profile.call_observation
        output: list[str] = []
        if rules.show_returns:
            shown = [s.observation for s in steps if s.ok][0 if mode == "all" else -1 :]
            output = output_lines(result.value, result.printed, shown)
        return self._turn(
            "action",
            raw,
            said,
            call=said if callee else "",
            callee=callee,
            learned=bool(callee),
            ok=succeeded(rules, steps, result.error),
            observation=build_observation(mode, rules, steps, result.error, output),
            steps=steps,
            error=result.error,
            printed=result.printed,
            returned=returned_text(result.value)[: rules.bounds.output_bytes],
        )

    def _turn(
        self,
        kind: TurnKind,
        raw: str,
        said: str,
        *,
        call: str = "",
        callee: str = "",
        learned: bool = False,
        ok: bool = False,
        observation: str = "",
        step: Step | None = None,
        steps: tuple[PrimitiveStep, ...] = (),
        error: ActionError | None = None,
        printed: str = "",
        returned: str = "",
        cause: UnreadableCause | Literal[""] = "",
    ) -> Turn:
        if step is not None:
            ok, observation = step.valid, step.observation
            steps = (PrimitiveStep(step.command, step.valid, step.observation),)
        progress = self._environment.progress
        turn = Turn(
            index=len(self.turns),
            kind=kind,
            raw=raw,
            said=said,
            call=call,
            callee=callee,
            learned=learned,
            ok=ok,
            observation=observation,
            progress=progress,
            steps=steps,
            error=error,
            printed=printed,
            returned=returned,
            cause=cause,
        )
        self.turns.append(turn)
        return turn


def _known(domain: Domain, episode: Episode) -> frozenset[str]:
    """Names of the actions on offer; the first words of commands where actions are text."""
    if episode.rules.action_format == "text" and isinstance(domain, TextActions):
        return frozenset(form.split(" ", 1)[0].lower() for form, _ in domain.text_forms)
    return frozenset(p.name for p in domain.primitives) | {a.name for a in episode.library.offered}
