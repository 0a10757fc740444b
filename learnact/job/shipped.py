"""The jobs that come with the package: `quickstart`, the paper's tables, and others, each found by its name.

In a checkout they are the folder `jobs/`; the wheel carries the same files inside the package. The comment at
the head of each file says what it asks, how long it takes and what it costs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from learnact.errors import JobError, suggestion

PACKAGE = Path(__file__).parents[1]
FOLDERS = (PACKAGE / "shipped" / "jobs", PACKAGE.parent / "jobs")
"""Where shipped jobs lie: in an installed copy, and in a checkout."""


@dataclass(frozen=True)
class ShippedJob:
    """A job file of the package. `question`, `time` and `cost` are the words of its head."""

    name: str
    path: Path
    question: str
    time: str
    cost: str

    @property
    def makes_data(self) -> bool:
        """Whether it is a synthesis, which `learnact synthesize` runs."""
        return "\ntrajectories:" in self.text

    @property
    def text(self) -> str:
        """The file's text."""
        return self.path.read_text(encoding="utf-8")


@cache
def shipped_jobs() -> dict[str, ShippedJob]:
    """All shipped jobs by name, in order of their names, `quickstart` first. Empty where the package was
    installed without them."""
    folder = next((folder for folder in FOLDERS if (folder / "quickstart.yaml").is_file()), None)
    found = [_read(path) for path in folder.rglob("*.yaml")] if folder is not None else []
    return {job.name: job for job in sorted(found, key=lambda job: (job.name != "quickstart", job.name))}


def find_shipped(name: str) -> ShippedJob:
    """A shipped job by name. Raises `JobError` naming the nearest."""
    known = shipped_jobs()
    if name not in known:
        raise JobError(f"there is no shipped job {name!r}; {suggestion(name, known)}")
    return known[name]


def job_path(job: str | Path) -> Path:
    """The file that a job's argument means: a file that is there, else the shipped job of that name, else the
    path as it is."""
    path = Path(job)
    shipped = shipped_jobs().get(str(job))
    return path if shipped is None or path.is_file() else shipped.path


def _read(path: Path) -> ShippedJob:
    head = path.read_text(encoding="utf-8").split("\n\n")[0]
    text = " ".join(line.lstrip("# ") if line.strip("# ") else "\n" for line in head.splitlines())
    question = re.match(r"[^?]*\?", text)
    return ShippedJob(
        path.stem, path, question[0] if question else "", _line(head, "Time"), _line(head, "Cost")
    )


def _line(head: str, label: str) -> str:
    """The words behind `# Label:`, up to the next label or empty comment."""
    found = re.search(rf"^# {label}: (.*(?:\n# {{2,}}.*)*)", head, re.MULTILINE)
    return " ".join(found[1].replace("\n#", " ").split()) if found else ""
