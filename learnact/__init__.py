"""learnact: does an agent that learns new actions beat one that does not?

A Ray-distributed batch evaluator for LearnAct (Zhao et al., COLM 2024, arXiv 2402.15809) and its rivals.
"""

__version__ = "0.1.0"
