"""Published problems in AgentBoard's layout: `NAME.pddl` beside a folder `NAME/` of problems, sorted by file
name.

Problems are played by our own rules; the published domain file is read too and must say the same, action by
action.
"""

from __future__ import annotations

from pathlib import Path

from learnact.domains.planning.pddl import ActionSchema, Atom, PddlDomain, parse_domain
from learnact.domains.text_file import read_text
from learnact.errors import TaskError


def problem_files(folder: Path, name: str, rules: PddlDomain) -> list[Path]:
    """The problem files of a domain in order; raises `TaskError` when there are none or the rules differ
    from ours."""
    inside = folder / name
    if not inside.is_dir():
        raise TaskError(
            f"{folder}: there is no folder {name} in it; give the folder that holds {name}.pddl and "
            f"{name}/*.pddl"
        )
    files = sorted(inside.glob("*.pddl"), key=lambda path: path.name)
    if not files:
        raise TaskError(f"{inside}: there is no *.pddl file in it")
    theirs = folder / f"{name}.pddl"
    if theirs.is_file():
        require_same_rules(rules, parse_domain(read_text(theirs), str(theirs)), str(theirs))
    return files


def require_same_rules(ours: PddlDomain, theirs: PddlDomain, where: str) -> None:
    """Refuse published rules that differ from ours in more than names of variables and order; raises
    `TaskError`."""
    mine = {schema.name: _normalised(schema) for schema in ours.schemas}
    other = {schema.name: _normalised(schema) for schema in theirs.schemas}
    if different := sorted(name for name in mine.keys() | other.keys() if mine.get(name) != other.get(name)):
        raise TaskError(
            f"{where}: differs from our rules in {', '.join(different)}: scores would not be those of "
            "this domain"
        )


def checked_index(index: int, count: int, name: str) -> int:
    """An index into the published problems; raises `TaskError` outside 0 .. count - 1."""
    if not 0 <= index < count:
        raise TaskError(
            f"domain {name}: train_indices: there is no problem {index}; there are {count}, from 0"
        )
    return index


def _normalised(
    schema: ActionSchema,
) -> tuple[tuple[str, ...], frozenset[Atom], frozenset[Atom], frozenset[Atom]]:
    place = {name: f"?{i}" for i, name in enumerate(schema.parameters)}

    def positional(atoms: tuple[Atom, ...]) -> frozenset[Atom]:
        return frozenset((a[0], *[place.get(term, term) for term in a[1:]]) for a in atoms)

    return schema.types, positional(schema.requires), positional(schema.adds), positional(schema.deletes)
