"""Rules from experience, after ExpeL (Zhao et al., 2024): a learnact method in a package of its own.

The agent plays the training tasks `insights_rounds` times. Each failed attempt is shown to the learner model
beside a successful one, and the model writes one general rule. At test the agent is given the rules, and the
successful attempts that are most like its task as examples.
"""

from learnact.domains.base import Domain
from learnact.methods import learner_replies
from learnact.methods.act import ACT
from learnact.methods.base import Learner, LibraryChooser, Method, MethodOptions, Positive, WorkBound
from learnact.methods.failures import attempt
from learnact.methods.prompt_sections import section
from learnact.methods.retrieval import most_similar
from learnact.methods.selector import terms
from learnact.methods.training import Learned, PlayedEpisode, Sampling, Training, learner_prompt
from learnact.records import DomainSpec, Library, Task

QUESTION = (
    "Compare the attempts. Write one short, general lesson that would have helped with any such task. "
    'Answer with one line that begins with "Lesson:" and nothing else.'
)
BETWEEN = "\n\n---\n\n"
"""Stands between the successful attempts that a library keeps in its usage example."""


class InsightsOptions(MethodOptions):
    """Options of insights."""

    insights_rounds: Positive = 2
    """Times that the training tasks are played for experience."""
    insights_rules: Positive = 4
    """Rules kept at most."""
    insights_examples: Positive = 1
    """Successful attempts that the agent is shown for a task."""


class Insights(Learner[InsightsOptions]):
    """Rules and examples from experience."""

    name = "insights"
    options = InsightsOptions
    test_only = frozenset({"insights_examples"})
    uses_embeddings = True
    asks_for = frozenset({"rule"})

    async def learn(self, training: Training, options: InsightsOptions) -> Learned:
        """Gather experience, then ask for one rule for each failed attempt, until there are enough."""
        played: list[PlayedEpisode] = []
        for number in range(options.insights_rounds):
            played += await training.play(Library(), replicate=number, sampling=Sampling(0.7))
        solved = [attempt(p) for p in played if p.result.success]
        failed = [attempt(p) for p in played if not p.result.success]
        library = Library(usage_example=BETWEEN.join(dict.fromkeys(solved)))
        for number, failure in enumerate(failed[: options.insights_rules]):
            prompt = learner_prompt(
                training.scene(),
                section("Lessons", "\n".join(f"- {rule}" for rule in library.lessons)),
                section("What happened", failure),
                section("A successful attempt", solved[0] if solved else ""),
                answer=QUESTION,
                system="reflect_system",
            )
            reply = await training.ask("rule", prompt, iteration=number)
            parent = library
            rules = dict.fromkeys((*parent.lessons, learner_replies.lesson(reply.text)))
            library = Library(usage_example=parent.usage_example, lessons=tuple(rules))
            training.keep(number, library, parent, "lesson", terms(played))
        return Learned(library, choose=self.chooser(training, options, library))

    def chooser(self, training: Training, options: InsightsOptions, library: Library) -> LibraryChooser:
        """The rules with the successful attempts that are most like the task."""
        attempts = [text for text in library.usage_example.split(BETWEEN) if text]

        async def choose(domain: Domain, task: Task, spec: DomainSpec) -> Library:
            goal, first_observation = await training.opening(domain, task, spec)
            query = f"{goal} {first_observation}"
            chosen = attempts
            if len(attempts) > options.insights_examples:
                found = await most_similar(training, query, attempts, options.insights_examples)
                chosen = [attempts[i] for i in found]
            return Library(usage_example="\n\n".join(chosen), lessons=library.lessons)

        return choose

    def bound(self, options: InsightsOptions, tasks: int) -> WorkBound:
        """Every training episode of every round, and one request for each rule."""
        return WorkBound(episodes=options.insights_rounds * tasks, requests=options.insights_rules)


METHOD = Method("insights", ACT, Insights(), "Act with rules and examples from experience")
