"""learnact: does an agent that learns new actions beat one that does not?

A Ray-distributed batch evaluator for LearnAct (Zhao et al., COLM 2024, arXiv 2402.15809) and its rivals.

    learnact.plan(job)             what a job would do and cost at most; calls nobody
    learnact.run(job)              run it to its end, or continue it; also in a notebook
    await learnact.run_async(job)  the same on the caller's event loop
    learnact.load(job)             read and check a job
    learnact.open_results(folder)  the runs of a folder, and SQL over them
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = [
    "Display",
    "Job",
    "JobEstimate",
    "LearnactError",
    "ResultsFolder",
    "Summary",
    "__version__",
    "load",
    "open_results",
    "plan",
    "run",
    "run_async",
]

if TYPE_CHECKING:
    from learnact.driver import Summary as Summary
    from learnact.driver import plan as plan
    from learnact.driver import run as run
    from learnact.driver import run_async as run_async
    from learnact.errors import LearnactError as LearnactError
    from learnact.job import Job as Job
    from learnact.job import load as load
    from learnact.report.display import Display as Display
    from learnact.report.estimate import JobEstimate as JobEstimate
    from learnact.results.folder import ResultsFolder as ResultsFolder
    from learnact.results.folder import open_results as open_results
else:
    _PLACES = {
        "Display": "learnact.report.display",
        "Job": "learnact.job",
        "JobEstimate": "learnact.report.estimate",
        "LearnactError": "learnact.errors",
        "ResultsFolder": "learnact.results.folder",
        "Summary": "learnact.driver",
        "load": "learnact.job",
        "open_results": "learnact.results.folder",
        "plan": "learnact.driver",
        "run": "learnact.driver",
        "run_async": "learnact.driver",
    }

    def __getattr__(name):
        """A public name on first use: the help of the command line must not wait for what they import."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_PLACES[name]), name)

    def __dir__():
        """For completion in a shell or notebook."""
        return sorted({*globals(), *__all__})
