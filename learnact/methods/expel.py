"""ExpeL (Zhao et al., AAAI 2024; LeapLabTHU/ExpeL), our adaptation: rules and similar successes from
experience.

Gather: the agent plays each training task up to `expel_tries` times, with a lesson from each failed attempt
(Reflexion) in its next one. Insights: the learner model edits a list of rules, shown a failed and a
successful attempt at one task, then successes in groups of `expel_group` (ADD, EDIT, AGREE, REMOVE; counts;
at most `expel_rules`). At test the agent is given the rules and the `expel_examples` successful attempts most
like its task. Constants are those of the code. Left out: two folds of tasks (the training tasks are other
tasks than those of the test already) and the filter of examples by length. With a matched budget it gathers
again until that is spent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from learnact.methods.act import ACT
from learnact.methods.base import Learner, LibraryChooser, Method, MethodOptions, Positive, WorkBound
from learnact.methods.experience import examples_text, most_like_the_task, rounds, shortest_successes
from learnact.methods.failures import attempt
from learnact.methods.prompt_sections import section
from learnact.methods.reflexion import reflect
from learnact.methods.rule_lists import ListedRule, edited, numbered, operations
from learnact.methods.selector import terms
from learnact.methods.training import (
    TEMPLATES,
    Learned,
    PlayedEpisode,
    Training,
    learner_prompt,
    together,
)
from learnact.records import Library, Prompt, Task


class ExpelOptions(MethodOptions):
    """Options of ExpeL."""

    expel_tries: Positive = 3
    """ExpeL: attempts at a training task at most, each after a reflection on the one before."""
    expel_rules: Positive = 20
    """ExpeL: rules in the list at most."""
    expel_group: Positive = 8
    """ExpeL: successful attempts that are shown at once."""
    expel_examples: Positive = 2
    """ExpeL: successful attempts that the agent is shown for a task."""


class Expel(Learner[ExpelOptions]):
    """Rules and examples from experience. Prompts: `prompts/learner/rules*.txt`, `reflect*.txt`."""

    name = "expel"
    learns_from = "failed and successful training episodes"
    keeps = "rules; episodes, some for each task"
    options = ExpelOptions
    test_only = frozenset({"expel_examples"})
    uses_embeddings = True
    asks_for = frozenset({"reflect", "rules"})

    async def learn(self, training: Training, options: ExpelOptions) -> Learned:
        """Rules as lessons, successful attempts as examples.

        Raises:
            Blocked: a unit that a decision depends on has no result.
        """
        rules: tuple[ListedRule, ...] = ()
        played: list[PlayedEpisode] = []
        library, asked = Library(), 0
        async for number in rounds(training, 1):
            gathered = await together(
                *(_gather(training, options, number, place) for place in range(len(training.tasks)))
            )
            played += [one for episodes in gathered for one in episodes]
            for lesson in _lessons_in(gathered, options.expel_group):
                rules = await _with_insight(training, options, asked, rules, lesson)
                asked += 1
            parent = library
            shown = [attempt(p) for p in shortest_successes(played)]
            library = Library(usage_example=examples_text(shown), lessons=tuple(r.text for r in rules))
            training.keep(number, library, parent, "rules", terms(played))
        return Learned(library, choose=self.chooser(training, options, library))

    def bound(self, options: ExpelOptions, tasks: int) -> WorkBound:
        """All tries of every task, a reflection before each but the first, a request for each pair and
        group; a matched budget may add rounds.
        """
        groups = -(-tasks // options.expel_group)
        reflections = tasks * (options.expel_tries - 1)
        return WorkBound(options.expel_tries * tasks, reflections + tasks + groups)

    def chooser(self, training: Training, options: ExpelOptions, library: Library) -> LibraryChooser:
        """The rules with the successful attempts that are most like the task."""
        return most_like_the_task(training, library, options.expel_examples)


async def _gather(
    training: Training, options: ExpelOptions, number: int, place: int
) -> tuple[PlayedEpisode, ...]:
    """The attempts at one training task, up to the first success."""
    task: Task = training.tasks[place]
    lessons: tuple[str, ...] = ()
    played: list[PlayedEpisode] = []
    for again in range(options.expel_tries):
        replicate = number * options.expel_tries + again
        played.append(await training.play_task(task, Library(lessons=lessons), replicate))
        if played[-1].result.success or again == options.expel_tries - 1:
            break
        index = number * len(training.tasks) + place
        lessons = (*lessons, await reflect(training, lessons, played[-1], iteration=index, attempt=again))
    return tuple(played)


@dataclass(frozen=True)
class _Material:
    """What an insight is drawn from: sections of a prompt, and the prompt file that says what they are."""

    about: str
    sections: tuple[str, ...]


def _lessons_in(gathered: Sequence[Sequence[PlayedEpisode]], group: int) -> list[_Material]:
    """A failed and the successful attempt of each task that has both; then the successes in groups."""
    found = []
    for episodes in gathered:
        failed = [p for p in episodes if not p.result.success]
        solved = [p for p in episodes if p.result.success]
        if failed and solved:
            texts: tuple[str, ...] = (
                section("What happened", attempt(failed[-1])),
                section("A successful attempt", attempt(solved[0])),
            )
            found.append(_Material("rules_pair", texts))
    solved = shortest_successes([one for episodes in gathered for one in episodes])
    for first in range(0, len(solved), group):
        texts = tuple(section("A successful attempt", attempt(p)) for p in solved[first : first + group])
        found.append(_Material("rules_successes", texts))
    return found


async def _with_insight(
    training: Training, options: ExpelOptions, number: int, rules: tuple[ListedRule, ...], material: _Material
) -> tuple[ListedRule, ...]:
    """The rules after the learner model has edited them."""
    reply = await training.ask("rules", _rules_prompt(training, options, rules, material), iteration=number)
    return edited(rules, operations(reply.text), options.expel_rules)


def _rules_prompt(
    training: Training, options: ExpelOptions, rules: tuple[ListedRule, ...], material: _Material
) -> Prompt:
    full = len(rules) >= options.expel_rules
    answer = TEMPLATES.fill(
        "rules", about=TEMPLATES.fill(material.about), full=TEMPLATES.fill("rules_full") if full else ""
    )
    return learner_prompt(
        training.scene(),
        section("Rules", numbered(rules)),
        *material.sections,
        answer=answer,
        system="reflect_system",
    )


METHOD = Method("expel", ACT, Expel(), "Act with rules and similar successes from experience")
