"""The job file: what is to be run, checked before anything starts.

`load` reads a file (or a mapping), applies a preset and `--set` overrides, and gives a frozen `Job`; `Job.trials()` is the grid of trials.
Covers the file's form and everything that can be refused without building a domain. Does not cover a domain's own options: the floor above
validates these and points at them with `Job.where`.
"""

from learnact.spec.job import Job, load, run_id
from learnact.spec.methods import METHODS, Method
from learnact.spec.schema import json_schema
from learnact.spec.settings import (
    BudgetChange,
    LearnerSettings,
    MatchBudget,
    Taught,
    TrialSpec,
)

__all__ = [
    "METHODS",
    "BudgetChange",
    "Job",
    "LearnerSettings",
    "MatchBudget",
    "Method",
    "Taught",
    "TrialSpec",
    "json_schema",
    "load",
    "run_id",
]
