"""From evaluation to training: recorded episodes as training data, and environments for reinforcement
learning.

    records        one neutral record of an episode: messages with a weight on each reply, reward, outcome
    error_kinds    what kind of mistake a failed action was, as AgentRefine tells them apart
    pairs          preferred against rejected replies
    formats        the records in the form of each trainer
    write          rows of a run selected, checked against leaks of test tasks, and written
    environments   a domain as a class whose methods are tools
"""

from learnact.training.environments import environment

__all__ = ["environment"]
