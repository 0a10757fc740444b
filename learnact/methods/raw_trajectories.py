"""Raw trajectories, a control: nothing is distilled, the agent is shown successful attempts as they were.

SkillEvolBench (2026) found that such episodes often beat skills that were distilled from them. The agent
plays the training tasks `trajectory_rounds` times (the later rounds sampled). Of each task the shortest
success is kept, and a test task is given the `trajectory_top` most like it as examples. With a matched
budget it goes on playing until that is spent. The constants are ours.
"""

from __future__ import annotations

from learnact.methods.act import ACT
from learnact.methods.base import (
    Learner,
    LibraryChooser,
    Method,
    MethodOptions,
    Positive,
    Temperature,
    WorkBound,
)
from learnact.methods.experience import examples_text, most_like_the_task, rounds, shortest_successes
from learnact.methods.failures import attempt
from learnact.methods.selector import terms
from learnact.methods.training import Learned, PlayedEpisode, Sampling, Training
from learnact.records import Library


class RawTrajectoriesOptions(MethodOptions):
    """Options of raw trajectories."""

    trajectory_rounds: Positive = 3
    """Raw trajectories: times that the training tasks are played."""
    trajectory_top: Positive = 2
    """Raw trajectories: successful attempts that the agent is shown for a task."""
    proposal_temperature: Temperature = 0.7
    """Temperature of the sampled attempts (all rounds but the first); null sends none."""


class RawTrajectories(Learner[RawTrajectoriesOptions]):
    """Successful attempts as examples. Asks the learner model nothing."""

    name = "raw_trajectories"
    learns_from = "successful training episodes"
    keeps = "episodes, some for each task"
    options = RawTrajectoriesOptions
    test_only = frozenset({"trajectory_top"})
    uses_embeddings = True

    async def learn(self, training: Training, options: RawTrajectoriesOptions) -> Learned:
        """A library of examples; empty where no attempt succeeded.

        Raises:
            Blocked: an attempt has no result, or attempts cost nothing in the unit that is matched.
        """
        library, played = Library(), list[PlayedEpisode]()
        async for number in rounds(training, options.trajectory_rounds):
            sampling = Sampling(options.proposal_temperature) if number else None
            episodes = await training.play(Library(), replicate=number, sampling=sampling)
            played += episodes
            parent = library
            library = Library(usage_example=examples_text([attempt(p) for p in shortest_successes(played)]))
            training.keep(number, library, parent, "attempt", terms(episodes))
        return Learned(library, choose=self.chooser(training, options, library))

    def bound(self, options: RawTrajectoriesOptions, tasks: int) -> WorkBound:
        """Every training episode of every round; a matched budget may add rounds."""
        return WorkBound(episodes=options.trajectory_rounds * tasks)

    def chooser(
        self, training: Training, options: RawTrajectoriesOptions, library: Library
    ) -> LibraryChooser:
        """The attempts that are most like the task."""
        return most_like_the_task(training, library, options.trajectory_top)


METHOD = Method(
    "raw_trajectories", ACT, RawTrajectories(), "control: Act with successful attempts as examples"
)
