"""What a process may know that the job server of a Ray cluster has started."""

from __future__ import annotations

import json
import os

from learnact.errors import ResultsError
from learnact.results.location import Location

STARTED_BY = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""The environment variable with which Ray's job server tells the settings of a job to the job's process."""


SUBMISSION = "ray submission"
"""The name under which the id of a submitted job stands among a session's versions in the table `events`."""


def inside_ray_job() -> bool:
    """Whether this process was started by the job server of a Ray cluster (`ray job submit`)."""
    return STARTED_BY in os.environ


def submission_id() -> str:
    """The id under which this process's job was submitted; empty outside one."""
    try:
        return str(json.loads(os.environ.get(STARTED_BY, "{}"))["metadata"]["job_submission_id"])
    except (ValueError, KeyError, TypeError):
        return ""


def address_in_job(address: str | None) -> str | None:
    """The address to run at: inside a Ray job the cluster of that job, where none was given."""
    return "auto" if address is None and inside_ray_job() else address


def check_results_folder(results: Location) -> None:
    """Refuse a relative folder inside a Ray job: it would lie in a folder that Ray removes.

    Raises:
        ResultsError: names the folder and what to give instead.
    """
    if inside_ray_job() and not results.is_absolute():
        raise ResultsError(
            f"--results {results}: inside a Ray job a relative folder lies in Ray's temporary folder and is "
            "lost with it; give an absolute one that outlives the job, such as a mounted volume: "
            "--results /results, or s3://BUCKET/PREFIX"
        )
