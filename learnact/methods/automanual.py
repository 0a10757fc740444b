"""AutoManual (Chen et al., NeurIPS 2024; minghchen/automanual), our adaptation: a manual of rules and helper
functions, from training tasks that are played one after another.

The planner writes a program for each step (agent `code_act`). After each training task the builder (the
learner model) is told how the attempt went: success at once, success after steps that failed, or failure. It
edits a list of at most `automanual_rules` rules, each of one of six kinds (two of them only after a success);
a list that has grown too long is merged. Of a success the helper functions are kept, and the programs as an
example. Training ends after `automanual_games` tasks, or three successes in a row. At the end the rules are
written as a manual. At test the agent is given manual, functions, and the example most like its task.

Ours: the outcome is told from the environment's state, where the original's builder sorts it with a request
of its own; the planner's own conclusion is left out; rules keep no record of validation.
"""

from __future__ import annotations

from dataclasses import replace

from learnact.methods.base import Learner, LibraryChooser, Method, MethodOptions, Positive, WorkBound
from learnact.methods.code_act import CODE_ACT, with_functions_of
from learnact.methods.dynasaur import described_by_docstrings
from learnact.methods.experience import examples_text, most_like_the_task, shortest_successes
from learnact.methods.failures import attempt
from learnact.methods.prompt_sections import section
from learnact.methods.rule_lists import ListedRule, edited, items, numbered, operations
from learnact.methods.selector import terms
from learnact.methods.training import TEMPLATES, Learned, PlayedEpisode, Training, learner_prompt
from learnact.records import Library

KINDS = ("special mechanism", "special phenomenon", "corrected error", "unsolved error")
"""The kinds of rules that may be written after any attempt."""
AFTER_SUCCESS = ("success process", "useful helper method")
"""The kinds that may be written after a success only."""
IN_A_ROW = 3
"""So many successes in a row end training."""


class AutoManualOptions(MethodOptions):
    """Options of AutoManual."""

    automanual_games: Positive = 6
    """AutoManual: training tasks that are played at most; the tasks are repeated where there are fewer."""
    automanual_rules: Positive = 12
    """AutoManual: rules that are kept at most."""
    automanual_examples: Positive = 1
    """AutoManual: successful attempts that the agent is shown for a task."""


class AutoManual(Learner[AutoManualOptions]):
    """Manual, helper functions and examples. Prompts: `prompts/learner/manual.txt`, `consolidate.txt`,
    `formulate.txt`.
    """

    name = "automanual"
    learns_from = "training episodes, one after another"
    keeps = "a manual, functions, an episode for each task"
    options = AutoManualOptions
    test_only = frozenset({"automanual_examples"})
    writes_code = True
    uses_embeddings = True
    asks_for = frozenset({"manual", "consolidate", "formulate"})

    async def learn(self, training: Training, options: AutoManualOptions) -> Learned:
        """The manual as lessons, helper functions as actions, successful attempts as examples.

        Raises:
            Blocked: a unit that a decision depends on has no result.
        """
        rules: tuple[ListedRule, ...] = ()
        library, played = Library(), list[PlayedEpisode]()
        number = in_a_row = 0
        while (number < options.automanual_games and in_a_row < IN_A_ROW) or training.may_spend:
            task = training.tasks[number % len(training.tasks)]
            offered = replace(library, lessons=tuple(rule.text for rule in rules))
            shown = await self.chooser(training, options, offered)(
                training.domain, task, training.trial.domain
            )
            one = await training.play_task(task, shown, replicate=number // len(training.tasks))
            played.append(one)
            in_a_row = in_a_row + 1 if one.result.success else 0
            rules = await _with_rules(training, options, number, rules, one)
            parent, library = library, _with_success(training, library, played)
            kept = replace(library, lessons=tuple(rule.text for rule in rules))
            training.keep(number, kept, parent, "rules", terms([one]))
            number += 1
        library = replace(library, lessons=await _manual(training, rules, number))
        return Learned(library, choose=self.chooser(training, options, library))

    def bound(self, options: AutoManualOptions, tasks: int) -> WorkBound:  # noqa: ARG002
        """Every game with an edit and a merge of rules, and the manual; a matched budget may add games."""
        return WorkBound(options.automanual_games, 2 * options.automanual_games + 1)

    def chooser(self, training: Training, options: AutoManualOptions, library: Library) -> LibraryChooser:
        """All but the examples; of these the ones that are most like the task."""
        return most_like_the_task(training, library, options.automanual_examples)


async def _with_rules(
    training: Training,
    options: AutoManualOptions,
    number: int,
    rules: tuple[ListedRule, ...],
    played: PlayedEpisode,
) -> tuple[ListedRule, ...]:
    """The rules after the builder has edited them, and merged them where there were too many."""
    success = played.result.success
    slipped = any(not turn.ok for turn in played.result.turns)
    outcome = (
        ("succeeded after steps that failed" if slipped else "succeeded at once") if success else "failed"
    )
    kinds = (*KINDS, *AFTER_SUCCESS) if success else KINDS
    answer = TEMPLATES.fill("manual", outcome=outcome, kinds=", ".join(kinds))
    happened = section("What happened", attempt(played))
    known = section("Rules", numbered(rules))
    prompt = learner_prompt(training.scene(), known, happened, answer=answer, system="reflect_system")
    reply = await training.ask("manual", prompt, iteration=number)
    asked = [o for o in operations(reply.text) if o.verb != "ADD" or o.kind in kinds]
    # room above the bound: what is too much is merged, not cut
    rules = edited(rules, asked, 2 * options.automanual_rules)
    if len(rules) <= options.automanual_rules:
        return rules
    answer = TEMPLATES.fill("consolidate", count=len(rules), most=options.automanual_rules)
    known = section("Rules", numbered(rules))
    prompt = learner_prompt(training.scene(), known, answer=answer, system="reflect_system")
    reply = await training.ask("consolidate", prompt, iteration=number)
    removed = {o.number for o in operations(reply.text) if o.verb == "REMOVE"}
    changed = {o.number: o.text for o in operations(reply.text) if o.verb == "EDIT"}
    merged = [
        replace(rule, text=changed.get(n, rule.text)) for n, rule in enumerate(rules, 1) if n not in removed
    ]
    return tuple(merged[: options.automanual_rules])


def _with_success(training: Training, library: Library, played: list[PlayedEpisode]) -> Library:
    """The library with the helper functions of the last attempt, if it succeeded, and all successes."""
    primitives = [p.name for p in training.domain.primitives]
    if played[-1].result.success:
        for turn in played[-1].result.turns:
            library = with_functions_of(library, turn, primitives)
    examples = examples_text([attempt(p) for p in shortest_successes(played)])
    return replace(described_by_docstrings(library), usage_example=examples)


async def _manual(training: Training, rules: tuple[ListedRule, ...], number: int) -> tuple[str, ...]:
    """The rules as a manual, line by line."""
    if not rules:
        return ()
    known = section("Rules", numbered(rules))
    answer = TEMPLATES.fill("formulate")
    prompt = learner_prompt(training.scene(), known, answer=answer, system="reflect_system")
    reply = await training.ask("formulate", prompt, iteration=number)
    return items(reply.text) or tuple(rule.text for rule in rules)


METHOD = Method(
    "automanual", CODE_ACT, AutoManual(), "each turn one program; with a manual and helper functions"
)
