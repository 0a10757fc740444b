"""A Ray cluster's job server (its dashboard's port, 8265): hand in a job, ask about it, stop it, fetch its
results.

What is handed in: the command, the job file with the files that it names, and this package's own code, so
that the cluster runs what was checked here. Keys and other secrets are never sent: the job's metadata is
readable for everybody who reaches the server. They come from the environment of the cluster's nodes.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import shlex
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from tenacity import Retrying, retry_if_exception_message, stop_after_delay, wait_fixed

from learnact.errors import BadInput, HarnessFailure, MissingExtra

STOP_SECONDS = 60
"""Time that a job has between the request to stop and its end by force: what is in flight is committed."""

STARTING_SECONDS = 60
"""Time that a server which starts has until it takes jobs."""

PACKAGE = Path(__file__).parents[2]
PYTHON = "python -m learnact.cli"
"""The command line on the cluster, whether learnact is installed there or comes with the job."""

ENDED = frozenset({"STOPPED", "SUCCEEDED", "FAILED"})
_VERSION_KEY = "learnact_version"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class JobParcel:
    """What is handed in.

    `folder` holds the job file `file` and the files it names; `arguments` follow `learnact run FILE`; `facts`
    are stored with the job and shown to everybody who asks. `send_code` False: the cluster's own learnact
    runs.
    `install` has the cluster install our requirements for this job with pip.
    """

    folder: Path
    file: str
    arguments: Sequence[str]
    facts: Mapping[str, str]
    send_code: bool = True
    install: bool = False


@dataclass(frozen=True)
class JobState:
    """A job as the server knows it. Times are seconds since 1970; `status` is Ray's word, such as RUNNING."""

    id: str
    status: str
    message: str = ""
    exit_code: int | None = None
    started: float | None = None
    ended: float | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether the job has ended, in whatever way."""
        return self.status in ENDED


class JobServer:
    """The job server at an address such as `http://HEAD:8265`.

    Raises:
        MissingExtra: Ray's client for job servers is not installed.
        BadInput: no job server answers there, or it refuses this client.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        if not re.match(r"https?://[^/]", address):
            raise BadInput(f"--address {address}: give the job server's URL, such as http://HEAD:8265")
        try:
            from ray.job_submission import JobSubmissionClient

            self._client: Any = JobSubmissionClient(address)
            # It tells of each package that it sends.
            logging.getLogger("ray.dashboard.modules.dashboard_sdk").setLevel(logging.WARNING)
        except (ConnectionError, ValueError, OSError) as error:
            raise BadInput(
                f"no job server answers at {address} ({_line(error)}): start the cluster with `ray start "
                "--head --dashboard-host=0.0.0.0`, forward its port 8265, or correct --address"
            ) from error
        except RuntimeError as error:
            if "ray[default]" in str(error):
                raise MissingExtra(
                    "learnact submit needs Ray's job client: pip install 'learnact[cluster]'"
                ) from error
            raise BadInput(f"the job server at {address} refuses: {_line(error)}") from error

    def submit(self, parcel: JobParcel, wanted: str | None = None) -> str:
        """Hand in a job; returns its id. `wanted` is an id of the caller's choice.

        Raises `BadInput`: the id cannot be used or is taken, or the parcel is too large.
        """
        if wanted is not None and not _ID.fullmatch(wanted):
            raise BadInput(f"--id {wanted}: letters, digits, '-', '_' and '.' only, at most 100")
        name = re.sub(r"[^A-Za-z0-9_.-]", "-", parcel.facts["job"])[:60]
        chosen = wanted or f"learnact-{name}-{secrets.token_hex(4)}"
        self._start(chosen, f"{PYTHON} run {shlex.join([parcel.file, *parcel.arguments])}", parcel)
        return chosen

    def state(self, job: str) -> JobState:
        """A job's state. Raises `BadInput` where there is no such job."""
        return _state(self._of(job, self._client.get_job_info))

    def states(self) -> list[JobState]:
        """All jobs that learnact has handed in, oldest first."""
        jobs = [_state(info) for info in self._asked(self._client.list_jobs)]
        ours = (job for job in jobs if _VERSION_KEY in job.facts and "fetches" not in job.facts)
        return sorted(ours, key=lambda job: job.started or 0.0)

    def stop(self, job: str) -> bool:
        """Ask a job to end; what is in flight is committed. False where it had ended already."""
        return bool(self._of(job, self._client.stop_job))

    def log(self, job: str) -> str:
        """All that a job has printed."""
        return str(self._of(job, self._client.get_job_logs))

    async def follow(self, job: str) -> AsyncIterator[str]:
        """What a job prints, as it prints it, until it ends. An interrupted connection is taken up again."""
        shown = 0
        while True:
            read = 0
            try:
                async for text in self._client.tail_job_logs(job):  # from the log's beginning each time
                    read += len(text)
                    if read > shown:
                        yield text[shown - read :]
                        shown = read
            except RuntimeError:
                pass  # the server closed the connection; what came meanwhile is in the log
            if (await asyncio.to_thread(self.state, job)).over:
                log = await asyncio.to_thread(self.log, job)
                if len(log) > shown:
                    yield log[shown:]
                return
            await asyncio.sleep(1.0)

    def run_here(self, job: str, arguments: Sequence[str]) -> str:
        """Start a helper on the cluster (module and arguments) that reads what a job left; returns its id."""
        facts = {"job": job, "fetches": job}
        chosen = f"learnact-fetch-{secrets.token_hex(4)}"
        self._start(chosen, f"python -m {shlex.join(arguments)}", JobParcel(Path(), "", (), facts))
        return chosen

    def _start(self, job: str, command: str, parcel: JobParcel) -> None:
        environment: dict[str, Any] = {
            "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)},
            "excludes": ["**/__pycache__/**"],
        }
        if parcel.folder != Path():
            environment["working_dir"] = str(parcel.folder)
        if parcel.send_code:
            environment["py_modules"] = [str(PACKAGE)]
        if parcel.install:
            environment["pip"] = requirements()
        self._asked(
            self._client.submit_job,
            entrypoint=command,
            submission_id=job,
            runtime_env=environment,
            metadata={_VERSION_KEY: metadata.version("learnact"), **parcel.facts},
        )

    def _of(self, job: str, ask: Any) -> Any:
        try:
            return ask(job)
        except RuntimeError as error:
            if "404" in str(error):
                known = ", ".join(state.id for state in self.states()[-5:]) or "none"
                raise BadInput(f"there is no job {job!r} at {self.address}; the latest: {known}") from error
            raise HarnessFailure(f"the job server at {self.address} refuses: {_line(error)}") from error
        except OSError as error:
            raise HarnessFailure(
                f"the job server at {self.address} does not answer: {_line(error)}"
            ) from error

    def _asked(self, ask: Any, **arguments: Any) -> Any:
        """Ask; a server that starts at this moment is asked again for a minute."""
        again = Retrying(
            retry=retry_if_exception_message(match=r".*status code 5\d\d.*available agent"),
            wait=wait_fixed(1.0),
            stop=stop_after_delay(STARTING_SECONDS),
            reraise=True,
        )
        try:
            return again(ask, **arguments)
        except (RuntimeError, ValueError) as error:
            raise BadInput(f"the job server at {self.address} refuses: {_line(error)}") from error
        except OSError as error:
            raise HarnessFailure(
                f"the job server at {self.address} does not answer: {_line(error)}"
            ) from error


def requirements() -> list[str]:
    """What learnact requires, without extras, in the versions that are installed here."""
    names = (
        re.match(r"[\w.-]+", line)
        for line in metadata.requires("learnact") or ()
        if "extra ==" not in line and not line.startswith("ray")
    )
    return sorted(f"{name[0]}=={metadata.version(name[0])}" for name in names if name)


def _state(info: Any) -> JobState:
    return JobState(
        id=info.submission_id or info.job_id or "",
        status=getattr(info.status, "value", str(info.status)),
        message=info.message or "",
        exit_code=info.driver_exit_code,
        started=None if info.start_time is None else info.start_time / 1000,
        ended=None if info.end_time is None else info.end_time / 1000,
        facts=info.metadata or {},
    )


def _line(error: BaseException) -> str:
    """An error's first line that says something, without the server's traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = [line for line in lines if re.match(r"\w*(Error|Exception)\b", line)]
    return ((last or lines or [type(error).__name__])[0])[:300]
