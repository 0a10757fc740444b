"""learnact: does an agent that learns new actions beat one that does not?

A Ray-distributed batch evaluator for LearnAct (Zhao et al., COLM 2024, arXiv 2402.15809) and its rivals. `learnact.run(job)` runs a job file;
`learnact.load(job)` reads and checks one.
"""

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "load", "run"]


def __getattr__(name: str) -> Any:
    """`run` and `load` on first use: the command line's help must not wait for what they stand on."""
    if name == "run":
        from learnact.driver import run

        return run
    if name == "load":
        from learnact.job import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
