"""The level of generated tasks in a job: for all domains that have levels, or for one."""

from __future__ import annotations

import json

import pytest

from learnact.errors import JobError
from learnact.job import load
from learnact.job.domains import domain_spec


def options(**settings: object) -> dict[str, dict[str, object]]:
    """The options of each domain of a job."""
    job = load({"name": "t", "methods": "act", **settings})
    return {entry.name: json.loads(domain_spec(job, entry).options) for entry in job.domains or ()}


def test_a_jobs_level_is_that_of_every_domain_that_has_levels_and_names_none(tmp_path):
    (tmp_path / "p").mkdir()
    found = options(
        tasks={"level": "hard"},
        domains=[
            "gripper",
            {"name": "barman", "level": "easy"},
            {"name": "blockworld", "source": "p"},
            "own",
        ],
    )
    assert found["gripper"] == {"level": "hard"}
    assert found["barman"] == {"level": "easy"}
    assert found["blockworld"] == {"source": "p"}, "published problems have no level"
    assert found["own"] == {}, "a domain without levels is left alone"


def test_two_levels_of_one_domain_are_two_setups():
    entries = [{"name": "gripper", "level": level} for level in ("published", "harder")]
    trials = load({"name": "t", "domains": entries, "methods": "act"}).trials()
    assert len({trial.domain.options for trial in trials}) == 2
    assert len({trial.id for trial in trials}) == len(trials)


def test_a_misspelt_level_names_its_place_and_the_nearest(tmp_path):
    from learnact.job.preflight import preflight

    with pytest.raises(JobError, match=r"tasks.level: .*'hrder'; did you mean 'harder'"):
        load({"name": "t", "domains": "gripper", "methods": "act", "tasks": {"level": "hrder"}})
    job = load({"name": "t", "domains": {"name": "gripper", "level": "hrder"}, "methods": "act"})
    with pytest.raises(JobError, match=r"domains.0.level: there is no level 'hrder'; did you mean 'harder'"):
        preflight(job, tmp_path)
