"""Running a job: `session` expands, dispatches and commits; `runner` is what its units go through."""

from learnact.driver.session import RESULTS, Summary, plan, run, run_async, run_job

__all__ = ["RESULTS", "Summary", "plan", "run", "run_async", "run_job"]
