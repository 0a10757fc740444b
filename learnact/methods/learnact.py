"""LearnAct (Zhao et al., 2024; docs/method.md, section 2): create, try, select, improve from the first
failure.

create K libraries -> each plays the training tasks -> the selector picks one -> its first failed call is
shown to the learner model K times -> the best and its K improvements play -> ... at most I times, or until
there is nothing to learn from.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from learnact.domains.base import Domain
from learnact.methods import learner_replies
from learnact.methods.act import ACT
from learnact.methods.base import Learner, Method, OptionConflict, WorkBound
from learnact.methods.candidate_play import CandidatePlay, TriedCandidate
from learnact.methods.experience import rounds
from learnact.methods.explanations import DESCRIBE_TRIES, USAGE_TRIES, explain
from learnact.methods.failures import FailedCall, first_failed_call, what_happened
from learnact.methods.learnact_options import LearnActOptions
from learnact.methods.prompt_sections import task_section
from learnact.methods.proposals import (
    FUNCTIONS,
    Created,
    ProposalId,
    code_section,
    function_example_section,
    notes_section,
    others_section,
    propose,
)
from learnact.methods.racing import unsuited
from learnact.methods.react import REACT
from learnact.methods.replay_check import broken_by, shown_to_work
from learnact.methods.selector import MEANS
from learnact.methods.training import (
    TEMPLATES,
    Learned,
    Sampling,
    Training,
    learner_prompt,
    together,
)
from learnact.records import Candidate, Library, Origin, Prompt, digest


class LearnAct(Learner[LearnActOptions]):
    """A library of actions with descriptions, notes and a usage example.

    Prompts: `prompts/learner/create.txt`, `usage.txt`, `describe.txt`, `improve*.txt`, `variation*.txt`.
    """

    name = "learnact"
    learns_from = "failed calls of training episodes"
    keeps = "functions with notes, a usage example"
    options = LearnActOptions
    test_only = learning_only = frozenset({"test_each_iteration", "test_every_candidate"})
    writes_code = True
    asks_for = frozenset({"create", "usage", "describe", "improve"})
    accepts_budget = False

    async def learn(self, training: Training, options: LearnActOptions) -> Learned:
        """Learn a library from the training tasks.

        Raises:
            Blocked: a unit that a decision depends on has no result.
        """
        return await LearnActRun(training, options).learn()

    def bound(self, options: LearnActOptions, tasks: int) -> WorkBound:
        """K proposals in I + 1 rounds, each with all its tries, a usage example and descriptions."""
        proposals = options.candidates * (options.iterations + 1)
        replays = options.iterations if options.incumbent == "replay" else 0
        asked = 2 if options.distinct else 1
        requests = proposals * (asked * options.create_tries + USAGE_TRIES + DESCRIBE_TRIES * FUNCTIONS)
        tested = proposals if options.test_every_candidate else 0
        tested = max(tested, options.iterations + 1 if options.test_each_iteration else 0)
        return WorkBound((proposals + replays) * tasks, requests, max(0, tested - 1))

    def problem(self, options: LearnActOptions, domain: Domain) -> str:
        """Racing needs a score that is a mean over tasks."""
        names = options.score or domain.profile.score
        if not options.racing or not (wrong := unsuited(names)):
            return ""
        return (
            f"racing needs terms of the score that are means over tasks, and {', '.join(wrong)} is none: "
            f"use for example `learner: {{score: [progress]}}` (possible: {', '.join(MEANS)})"
        )

    def combined(self, options: LearnActOptions, given: frozenset[str]) -> LearnActOptions:
        """`sampling: false` and `candidates: 1` are one thing, so are `learning: false` and `iterations:
        0`.
        """
        if not options.sampling and options.candidates > 1 and given >= {"sampling", "candidates"}:
            raise OptionConflict("candidates", "sampling: false means one candidate; leave 'candidates' out")
        if not options.learning and options.iterations > 0 and given >= {"learning", "iterations"}:
            raise OptionConflict("iterations", "learning: false means no iterations; leave 'iterations' out")
        candidates = options.candidates if options.sampling else 1
        iterations = options.iterations if options.learning else 0
        if iterations and not (options.updates or options.notes):
            raise OptionConflict(
                "updates", "with neither updates nor notes nothing can be learned; use learning: false"
            )
        settled = {
            "candidates": candidates,
            "sampling": candidates > 1,
            "iterations": iterations,
            "learning": iterations > 0,
        }
        return options.model_copy(update=settled)


@dataclass(frozen=True)
class Proposed:
    """An answer of the learner model, with the row of results that it begins."""

    created: Created
    row: Candidate

    @property
    def content(self) -> str:
        """Address of its functions and notes: equal for proposals that do the same; "" where it has none."""
        library = self.created.library
        return (
            digest(library.preamble, [(a.name, a.source, a.notes) for a in library.actions])
            if library
            else ""
        )


Ask: TypeAlias = Callable[[int, Sequence[Library]], Coroutine[Any, Any, Proposed]]
"""Asks for proposal number k; the libraries are those of earlier proposals, where it is asked again."""


class LearnActRun:
    """One trial's learning."""

    def __init__(self, training: Training, options: LearnActOptions) -> None:
        self.training = training
        self.options = options
        self.sampling = Sampling(options.proposal_temperature)
        self.play = CandidatePlay(training, options)
        self.first: dict[str, Proposed] = {}
        """The first proposal of each content."""

    async def learn(self) -> Learned:
        """The story: create, try, select; then improve, try, select."""
        number, options = self.options.candidates, self.options
        created = await self._proposals(range(number), self._create)
        first = await self.play.all(created, racing=options.racing)
        winner = await self.play.select(first)
        winners = [winner.library]
        tried = [*first]
        for iteration in itertools.count(1):
            if iteration > options.iterations and not self.training.may_spend:
                break
            failure = self._failure_of(winner)
            if failure is None:
                break
            ask = partial(self._improve, iteration, winner, failure)
            improved = await self._proposals(range(1, number + 1), ask)
            incumbent = await self.play.incumbent(iteration, winner)
            racing = options.racing and iteration <= options.iterations
            now_tried = await self.play.all(improved, [incumbent], racing=racing)
            winner = await self.play.select([incumbent, *now_tried])
            tried += now_tried
            winners.append(winner.library)
        others = winners if options.test_each_iteration else []
        if options.test_every_candidate:
            others += [t.library for t in tried if t.row.score is not None]
        return Learned(winner.library, tuple(dict.fromkeys(others)))

    async def best_of(self) -> Learned:
        """Create, try, and so on while a matched budget lasts; then select. Nothing is improved."""
        tried: list[TriedCandidate] = []
        number = self.options.candidates
        async for done in rounds(self.training, 1):
            created = await self._proposals(range(done * number, (done + 1) * number), self._create)
            tried += await self.play.all(created, racing=False)
        return Learned((await self.play.select(tried)).library)

    # Propose

    async def _proposals(self, numbers: range, ask: Ask) -> list[tuple[Candidate, Library | None]]:
        """The candidates of a round: their rows and libraries, with usage examples and descriptions.

        With `distinct`, a proposal that equals an earlier one of the trial is asked for once more and shown
        the earlier ones. One that is still equal is noted as equal, and has no library to be played.
        """
        answers = await together(*(ask(k, ()) for k in numbers))
        for place, number in enumerate(numbers):
            if self.options.distinct:
                answers[place] = await self._distinct(answers[place], answers[:place], partial(ask, number))
            if answers[place].content:
                self.first.setdefault(answers[place].content, answers[place])
        return await together(*map(self._explained, answers))

    async def _distinct(
        self,
        answer: Proposed,
        before: Sequence[Proposed],
        ask: Callable[[Sequence[Library]], Coroutine[Any, Any, Proposed]],
    ) -> Proposed:
        """The answer; where it equals an earlier one, another."""
        earlier = self.first.get(answer.content)
        if earlier is None:
            return answer
        shown = [p.created.library for p in (earlier, *before) if p.created.library is not None]
        again = await ask(list(dict.fromkeys(shown)))
        return again if again.content else answer

    async def _explained(self, answer: Proposed) -> tuple[Candidate, Library | None]:
        """The row of a candidate, and its library with what the agent is told of it."""
        created, row = answer.created, answer.row
        if created.library is None:
            return replace(row, uncreated=created.problem), None
        first = self.first[answer.content].row
        if self.options.distinct and first is not row:
            return replace(row, equal_to=f"{first.iteration}.{first.candidate}"), None
        proposal_id = ProposalId(row.iteration, row.candidate)
        library = await explain(self.training, proposal_id, created.library, created.tried)
        if self.options.verify == "replay" and row.origin == "create":
            library = shown_to_work(library)
            if not library.offered:
                return replace(row, uncreated="no function was called with success in its example"), None
        return replace(row, library=library.id), library

    async def _create(self, number: int, known: Sequence[Library]) -> Proposed:
        """A proposal of functions that load and whose usage line runs."""
        training, options = self.training, self.options
        task = training.tasks[0]
        goal, first = await training.opening(training.domain, task, training.trial.domain)
        variation = TEMPLATES.fill("variation_known") if known else ""
        if options.vary_prompt:
            varied = TEMPLATES.fill("variation", number=number + 1, total=options.candidates)
            variation = f"{varied} {variation}".rstrip()
        answer = TEMPLATES.fill("create", rules=training.function_rules, variation=variation)
        answer = answer.replace("\n\n", "\n")

        def prompt(feedback: str) -> Prompt:
            return learner_prompt(
                training.scene(),
                function_example_section(training),
                others_section(Library(), known),
                task_section(goal, first),
                feedback,
                answer=answer,
            )

        created = await propose(
            training,
            ProposalId(0, number),
            purpose="create",
            prompt=prompt,
            base=Library(),
            task=task,
            read=lambda text: learner_replies.Update("", learner_replies.proposal(text)),
            tries=options.create_tries,
            sampling=self.sampling,
            check=options.check,
            first=options.create_tries if known else 0,
        )
        return self._proposed(ProposalId(0, number), "create", created, "")

    # Improve

    def _failure_of(self, winner: TriedCandidate) -> FailedCall | None:
        """The failed call to learn from; None where learning ends."""
        options = self.options
        if not (options.updates or options.notes):
            return None
        if options.stop == "all_solved" and all(p.result.success for p in winner.episodes):
            return None
        return first_failed_call(winner.episodes, options.learn_from)

    async def _improve(
        self,
        iteration: int,
        winner: TriedCandidate,
        failure: FailedCall,
        number: int,
        known: Sequence[Library],
    ) -> Proposed:
        """One improvement of the best library: an update (tested, described again) or a note."""
        base = winner.library
        training, options, proposal_id = self.training, self.options, ProposalId(iteration, number)
        callee = failure.turn.callee
        rules = training.function_rules
        answer = improve_answer(
            failure.turn.call, callee, rules, updates=options.updates, notes=options.notes
        )
        if options.vary_prompt:
            total = options.candidates
            answer += "\n" + TEMPLATES.fill("variation_improve", number=number, total=total)
        others = others_section(base, known)
        answer += f"\n{TEMPLATES.fill('variation_improve_known')}" if others else ""

        def prompt(feedback: str) -> Prompt:
            return learner_prompt(
                training.scene(),
                code_section(base),
                notes_section(base),
                what_happened(failure, training.domain.profile.failure_context),
                others,
                feedback,
                answer=answer,
            )

        def read(text: str) -> learner_replies.Update | learner_replies.Note | None:
            found = learner_replies.improvement(text, base.source)
            allowed = options.updates if isinstance(found, learner_replies.Update) else options.notes
            return found if allowed else None

        created = await propose(
            training,
            proposal_id,
            purpose="improve",
            prompt=prompt,
            base=base,
            task=failure.played.episode.task,
            read=read,
            tries=options.create_tries,
            sampling=self.sampling,
            check=options.check,
            first=options.create_tries if known else 0,
        )
        if options.verify == "replay" and created.library is not None and not created.note:
            broken = await broken_by(training, created.library, winner.episodes)
            created = replace(created, library=None, problem=broken) if broken else created
        if created.note:
            created = replace(created, library=_noted(base, callee, created.note))
        origin: Origin = "note" if created.note else "update"
        proposed = self._proposed(proposal_id, origin, created, base.id)
        return replace(proposed, row=replace(proposed.row, failed_call=failure.turn.call))

    def _proposed(self, proposal_id: ProposalId, origin: Origin, created: Created, parent: str) -> Proposed:
        row = Candidate(
            trial=self.training.trial.id,
            iteration=proposal_id.iteration,
            candidate=proposal_id.candidate,
            library="",
            parent=parent,
            origin=origin,
            reason=created.reason,
        )
        return Proposed(created, row)


def improve_answer(call: str, callee: str, rules: str, *, updates: bool, notes: bool) -> str:
    """What is asked for after a failed call: an update, a note, or the choice of the two."""
    update = TEMPLATES.fill("improve_update", rules=rules) if updates else ""
    note = TEMPLATES.fill("improve_note", callee=callee, limit=learner_replies.MAX_TEXT) if notes else ""
    both = TEMPLATES.fill("improve_choices", update=update, note=note) if update and note else ""
    return TEMPLATES.fill("improve", call=call, choices=both or update or note)


def _noted(base: Library, callee: str, note: str) -> Library:
    actions = tuple(replace(a, notes=(*a.notes, note)) if a.name == callee else a for a in base.actions)
    return replace(base, actions=actions)


LEARNACT = LearnAct()
METHODS = (
    Method("learnact", ACT, LEARNACT, "Act with a library of learned actions"),
    Method("learnact-react", REACT, LEARNACT, "ReAct with a library of learned actions"),
)
