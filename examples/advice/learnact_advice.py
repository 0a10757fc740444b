"""Advice: before anything is tried, the learner model is asked for lessons, and the agent is given them; nothing is played in training.

Would Reflexion's lessons help as much if they came from no failure?
"""

from learnact.methods import learner_replies
from learnact.methods.methods import Method
from learnact.methods.training import Learned, Training, learner_prompt
from learnact.records import Library, Terms

ADVICE = Method(agent="act", learner="advice")

ASKED = (
    "Nothing has been tried yet. Write one short, general lesson for someone who will act in this world for the first time. "
    'Answer with one line that begins with "Lesson:" and nothing else.'
)


async def advice(training: Training) -> Learned:
    """As many lessons as Reflexion may write (`reflexion_iterations`)."""
    library = Library()
    for number in range(training.trial.settings.reflexion_iterations):
        prompt = learner_prompt(training.scene(), answer=ASKED)
        reply = await training.ask("reflect", prompt, iteration=number, propose=True)
        parent, library = library, Library(lessons=(*library.lessons, learner_replies.lesson(reply.text)))
        training.keep(number, library, parent, "lesson", Terms())
    return Learned(library, (library,))
