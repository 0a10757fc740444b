"""The job file: what is to be run, checked before anything starts.

`load` reads a file or a mapping, applies presets and `--set` overrides, and returns a frozen `Job`.
`Job.trials()` is the grid of trials. `preflight` checks a job against installed domains and methods.
"""

from learnact.job.job import Job, load, run_id
from learnact.job.json_schema import json_schema

__all__ = ["Job", "json_schema", "load", "run_id"]
