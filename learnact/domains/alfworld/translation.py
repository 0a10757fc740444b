"""Translating a game's PDDL into what the planner library reads: once per game, kept on disk for all
processes of this machine.

Runs in an engine process or preparer only. What is kept is the planner's SAS text and what the engine's state
needs of the parsed task, byte for byte what the stock engine works with.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnact.domains.alfworld import package
from learnact.errors import TaskError

_FORMAT = 1


@dataclass(frozen=True)
class Translation:
    """A translated game.

    `parameters`: (name, type) of each action's parameters. `types`: (name, supertypes). `objects`: name to
    type. `init`: (predicate, arguments).
    """

    sas: bytes
    parameters: dict[str, list[tuple[str, str]]]
    types: list[tuple[str, list[str]]]
    objects: dict[str, str]
    init: list[tuple[str, list[str]]]


def _path(problem: str) -> Path:
    key = hashlib.sha256(
        "\0".join((str(_FORMAT), package.versions(), package.domain_text(), problem)).encode()
    )
    return package.cache_folder() / "translations" / f"{key.hexdigest()[:32]}.json.z"


def is_cached(problem: str) -> bool:
    """Whether the game has been translated on this machine."""
    return _path(problem).is_file()


def translate(problem: str) -> Translation:
    """The translation of a PDDL problem on the package's domain, from the cache where it is there. Raises
    `TaskError` for a bad problem."""
    path = _path(problem)
    kept = _load(path)
    if kept is None:
        kept = _translated(problem)
        write_atomically(path, zlib.compress(json.dumps(kept).encode(), 6))
    kept["sas"] = kept["sas"].encode()
    return Translation(**kept)


def _load(path: Path) -> dict[str, Any] | None:
    """None for a file that is not there or was damaged: it is made again."""
    try:
        kept = json.loads(zlib.decompress(path.read_bytes()))
    except (OSError, ValueError, zlib.error):
        return None
    return kept if isinstance(kept, dict) else None


def _translated(problem: str) -> dict[str, Any]:
    task, sas = parse(problem, optimize=False)
    facts = [_fact(atom) for atom in task.init]
    return {
        "sas": sas,
        "parameters": {
            a.name: [(p.name.strip("?"), p.type_name) for p in a.parameters] for a in task.actions
        },
        "types": [(t.name, list(t.supertype_names)) for t in task.types],
        "objects": {o.name: o.type_name for o in task.objects},
        "init": [fact for fact in facts if fact is not None],
    }


def parse(problem: str, optimize: bool) -> tuple[Any, str]:
    """The planner's own translation, with the process put back as it was (it overwrites `sys.argv` and
    `sys.stdout`)."""
    import fast_downward

    argv, stdout = sys.argv, sys.stdout
    try:
        task, sas = fast_downward.pddl2sas(package.domain_text(), problem, verbose=False, optimize=optimize)
    except (Exception, SystemExit) as error:
        raise TaskError(
            f"the planner cannot read the PDDL problem: {type(error).__name__}: {error}"
        ) from error
    finally:
        sys.argv, sys.stdout = argv, stdout
    return task, sas


def _fact(atom: Any) -> tuple[str, list[str]] | None:
    """An initial fact as the stock engine's `PddlState` takes it: no equalities, no costs, no distances."""
    from fast_downward.translate import pddl

    if isinstance(atom, pddl.conditions.Atom):
        return None if atom.predicate == "=" else (atom.predicate, list(atom.args))
    if isinstance(atom, pddl.f_expression.Assign) and atom.fluent.symbol != "total-cost":
        name = str(atom.expression.value)
        return None if name.isdigit() else (name, list(atom.fluent.args))
    return None


def write_atomically(path: Path, body: bytes) -> None:
    """Write a file so that other processes see all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
