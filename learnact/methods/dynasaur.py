"""DynaSaur (Nguyen et al., COLM 2025, arXiv 2411.01747), our adaptation: an agent whose set of actions grows
by the functions that it defines.

Every step is a program (agent `code_act`). The agent plays the training tasks in order; the functions of each
step that ran without an error join the library, with their docstrings as descriptions, and the next task is
played with them. For the test the library is frozen (the original's `disable_accum`), and a task is given the
`dynasaur_top` functions whose descriptions are most like it, where the original lets the agent search. With a
matched budget it goes through the training tasks again until that is spent.
"""

from __future__ import annotations

from dataclasses import replace

from learnact.library.statements import split
from learnact.methods.base import Learner, LibraryChooser, Method, MethodOptions, Positive, WorkBound
from learnact.methods.code_act import CODE_ACT, with_functions_of
from learnact.methods.experience import rounds
from learnact.methods.retrieval import skills_like_the_task
from learnact.methods.selector import terms
from learnact.methods.training import Learned, PlayedEpisode, Training
from learnact.records import Library


class DynaSaurOptions(MethodOptions):
    """Options of DynaSaur."""

    dynasaur_top: Positive = 10
    """DynaSaur: functions that the agent is given for a task."""


class DynaSaur(Learner[DynaSaurOptions]):
    """Functions of programs that ran. Asks the learner model nothing."""

    name = "dynasaur"
    learns_from = "programs that ran in training episodes"
    keeps = "functions, some for each task"
    options = DynaSaurOptions
    test_only = frozenset({"dynasaur_top"})
    writes_code = True
    uses_embeddings = True

    async def learn(self, training: Training, options: DynaSaurOptions) -> Learned:
        """The functions that the agent defined in the training tasks.

        Raises:
            Blocked: an episode has no result.
        """
        library = Library()
        async for number in rounds(training, 1):
            for place, task in enumerate(training.tasks):
                offered = await self.chooser(training, options, library)(
                    training.domain, task, training.trial.domain
                )
                played = await training.play_task(task, offered, replicate=number)
                parent, library = library, _grown(training, library, played)
                index = number * len(training.tasks) + place
                training.keep(index, library, parent, "skill", terms([played]))
        return Learned(library, choose=self.chooser(training, options, library))

    def bound(self, options: DynaSaurOptions, tasks: int) -> WorkBound:  # noqa: ARG002
        """Each training task once; a matched budget may add rounds."""
        return WorkBound(episodes=tasks)

    def chooser(self, training: Training, options: DynaSaurOptions, library: Library) -> LibraryChooser:
        """The functions whose descriptions are most like the task."""
        return skills_like_the_task(training, library, options.dynasaur_top)


def _grown(training: Training, library: Library, played: PlayedEpisode) -> Library:
    """The library with the functions of an episode's programs that ran, each described by its docstring."""
    primitives = [p.name for p in training.domain.primitives]
    grown = library
    for turn in played.result.turns:
        grown = with_functions_of(grown, turn, primitives)
    return described_by_docstrings(grown)


def described_by_docstrings(library: Library) -> Library:
    """The library, each function without a description described by its docstring, on one line."""
    described = [replace(a, description=a.description or _docstring(a.source)) for a in library.actions]
    return replace(library, actions=tuple(described))


def _docstring(source: str) -> str:
    _, actions = split(source)
    return " ".join(actions[0].description.split()) if actions else ""


METHOD = Method(
    "dynasaur", CODE_ACT, DynaSaur(), "each turn one program; functions that ran are kept as actions"
)
