"""What the tables call a method: its label in the job, and what differs where one label has several setups.

Episodes of different setups are never counted together: not those of two entries of a job with one label, and
not those of one trial whose prompts, engine version or model parameters changed between two sessions. Where
setups differ on the same domain with the same models, the label is followed by what differs, as in `learnact
[updates true]`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from learnact.results.reader import Connection, dictionaries

IGNORED = frozenset(
    {
        "method",
        "domain",
        "test_domains",
        "test",
        "library_from",
        "opponents",
        "settings.test_each_iteration",
        "settings.test_every_candidate",
        "model.name",
        "model.label",
        "model.simulated",
    }
)
"""No part of a setup: labels, places and tasks, which tables tell apart anyway; what adds tests only."""
EPISODE_FACTS = ("model", "budget", "prompts", "versions")
"""What an episode's setup says beyond the options of its trial."""
HASH_CHARS = 6
"""Characters of a prompts' or version's hash in a label."""


@dataclass(frozen=True)
class SetupEpisodes:
    """The test episodes of a trial in one domain with one setup.

    `setup`: the hash of its block, "" where no episode is finished.
    """

    trial: str
    setup: str
    last: float
    """When the last of them finished."""
    group: tuple[str, ...]
    """Setups are compared within it: the method's label, models, the domains learned and tested on."""
    facts: Mapping[str, str]
    """The setup's values by name, each as JSON."""


class MethodLabels:
    """The labels of the methods of all trials and their test episodes."""

    def __init__(self, connection: Connection) -> None:
        found = _read(connection)
        differing = _differing(found)
        self.of_setup: dict[tuple[str, str], str] = {}
        """Label by trial and hash of the setup's block."""
        self.of_trial: dict[str, str] = {}
        """Label of each trial: of the setup of its latest test episodes."""
        self.plain: dict[str, str] = {}
        """The job's label of each label."""
        for one in sorted(found, key=lambda one: one.last):
            label = _label(one, differing.get(one.group[:3], ()))
            self.of_setup[one.trial, one.setup] = self.of_trial[one.trial] = label
            self.plain[label] = one.group[0]

    @property
    def split(self) -> list[str]:
        """The job's labels that have several setups."""
        return sorted({plain for label, plain in self.plain.items() if label != plain})


def facts_of_setups(connection: Connection) -> dict[tuple[str, str], Mapping[str, str]]:
    """What decided the results of the episodes of each trial and setup (hash of its block), by name."""
    return {(one.trial, one.setup): one.facts for one in _read(connection)}


def _read(connection: Connection) -> list[SetupEpisodes]:
    rows = dictionaries(
        connection,
        """WITH known AS (
            SELECT * FROM trials
            QUALIFY row_number() OVER (PARTITION BY trial ORDER BY status <> 'done', run) = 1
        ), played AS (
            SELECT trial, domain AS tested, coalesce(domain_options, '{}') AS tested_options, setup,
                   any_value(run) AS run, epoch(max(finished)) AS last
            FROM episodes WHERE phase IN ('test', 'survey') GROUP BY ALL
        )
        SELECT t.trial, t.method, t.domain, t.agent_model, t.learner_model, t.options,
               p.tested, p.tested_options, p.setup, p.last, b.text
        FROM known t LEFT JOIN played p USING (trial)
        LEFT JOIN (SELECT DISTINCT ON (hash) hash, text FROM blocks) b ON b.hash = p.setup
        ORDER BY t.trial, p.tested, p.tested_options, p.setup""",
    )
    return [_setup_episodes(row) for row in rows]


def _setup_episodes(row: Mapping[str, Any]) -> SetupEpisodes:
    options, setup = json.loads(row["options"] or "{}"), json.loads(row["text"] or "{}")
    group = (row["method"], row["agent_model"], row["learner_model"], row["domain"])
    places = (json.dumps(options.get("domain")), row["tested"], row["tested_options"])
    own = {name: setup[name] for name in EPISODE_FACTS if name in setup}
    facts = {**_flat(options), **_flat(own)}
    return SetupEpisodes(
        trial=row["trial"],
        setup=row["setup"] or "",
        last=row["last"] or 0.0,
        group=tuple(value or "" for value in (*group, *places)),
        facts={name: value for name, value in facts.items() if not _ignored(name)},
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = json.dumps(value, sort_keys=True)
    return found


def _ignored(name: str) -> bool:
    return name in IGNORED or name.split(".")[0] in IGNORED


def _differing(found: Iterable[SetupEpisodes]) -> dict[tuple[str, ...], list[str]]:
    """Names of the facts that differ within a group, by label and models."""
    groups: dict[tuple[str, ...], list[SetupEpisodes]] = defaultdict(list)
    for one in found:
        groups[one.group].append(one)
    differing: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for group, members in groups.items():
        for name in {name for one in members for name in one.facts}:
            if len({one.facts[name] for one in members if name in one.facts}) > 1:
                differing[group[:3]].add(name)
    return {key: sorted(names) for key, names in differing.items()}


def _label(one: SetupEpisodes, names: Iterable[str]) -> str:
    told = [f"{_short_name(name)} {_short(one.facts[name])}" for name in names if name in one.facts]
    return f"{one.group[0]} [{', '.join(told)}]" if told else one.group[0]


def _short_name(name: str) -> str:
    parts = name.split(".")
    return " ".join(parts[1:]) if parts[0] in ("settings", "rules") else " ".join(parts)


def _short(value: str) -> str:
    plain = json.loads(value)
    if not isinstance(plain, str):
        return value
    return plain[:HASH_CHARS] if len(plain) > 20 else plain
