"""`learnact domains` and `learnact tasks`: what can be played."""

from __future__ import annotations

from statistics import median
from typing import Annotated, Any

import typer

from learnact.cli.options import DomainName, DomainOption, LevelName, Seed, SourceFolder, Split, spec_of
from learnact.cli.output import console, say, say_json, table
from learnact.domains import registry
from learnact.domains.base import Domain, ReferencePlans
from learnact.errors import BadInput, TaskError
from learnact.records import DomainSpec, Task


def domains(
    name: Annotated[
        str | None, typer.Argument(help="A domain: print everything about it.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON for each domain.")] = False,
) -> None:
    """List what can be played; with a name, its actions and options.

    learnact domains

    learnact domains gripper
    """
    if name is not None:
        _print_domain(name, json)
        return
    listed = registry.listed()
    if json:
        for line in listed:
            say_json({"name": line.name, "title": line.title, "problem": line.problem or None})
        return
    shown = table("", "domain", "what it is")
    for line in listed:
        shown.add_row(line.name, (line.problem and f"not usable here: {line.problem}") or line.title)
    console().print(shown)
    say("\n`learnact domains NAME` tells more of one; `learnact play NAME` plays it.")


def _print_domain(name: str, json: bool) -> None:
    model = registry.options_model(name)
    domain = registry.build(DomainSpec(name))
    options = dict(model.model_fields) if model else {}
    if json:
        say_json(
            {
                "name": domain.name,
                "title": domain.title,
                "version": domain.version,
                "primitives": [
                    {"signature": p.signature, "description": p.description} for p in domain.primitives
                ],
                "options": {key: _default(field) for key, field in options.items()},
            }
        )
        return
    profile = domain.profile
    say(f"{domain.name}: {domain.title}\n\n{domain.instruction.strip()}\n\nPrimitive actions")
    for primitive in domain.primitives:
        say(f"  {primitive.signature}: {primitive.description}")
    say(
        f"\nBudget: {profile.test_turns} turns at test, {profile.learn_turns} when learning, "
        f"{profile.history} entries of history.\nOptions (in a job file under the domain, or -o key=value):"
    )
    for key, field in options.items():
        text = f": {' '.join(field.description.split())}" if field.description else ""
        say(f"  {key} = {_default(field)!r}{text}")


def _default(field: Any) -> Any:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, None | bool | int | float | str) else str(value)


def tasks(
    domain: DomainName,
    *,
    n: Annotated[
        int | None, typer.Option("-n", "--n", min=1, help="How many; default: as many as a job has.")
    ] = None,
    seed: Seed = None,
    level: LevelName = None,
    split: Annotated[
        Split, typer.Option(help="Tasks to learn from (train) or to be tested on (test).")
    ] = "test",
    source: SourceFolder = None,
    option: DomainOption = None,
    plans: Annotated[
        bool, typer.Option("--plans", help="Print the calls of each task's reference plan instead.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="One line of JSON for each task, its content included.")
    ] = False,
) -> None:
    """List a domain's tasks with sizes and lengths of reference plans.

    It says how many of these plans are longer than an episode. What `--n 1 --plans` prints can be played:
    `learnact play DOMAIN --commands FILE`.

    learnact tasks gripper --n 5 --seed 7

    learnact tasks barman --level hard

    learnact tasks blockworld --n 1 --plans

    learnact tasks blockworld --source path/to/pddl
    """
    number = {split: n} if source is None else {}
    built = registry.build(spec_of(domain, option, source, seed, level=level, **number))
    found = list(built.tasks(split))[:n]
    if not found:
        raise TaskError(f"{domain}: there are no {split} tasks")
    turns = built.profile.test_turns if split == "test" else built.profile.learn_turns
    if plans:
        _print_plans(built, found, json)
        return
    if json:
        for task in found:
            say_json(
                {
                    "task": task.name,
                    "hash": task.hash,
                    "reference": task.reference,
                    "above_turns": None if task.reference is None else task.reference > turns,
                    "labels": dict(task.labels),
                    "content": task.content,
                }
            )
        return
    console().print(_table(built, found, split))
    known = [task.reference for task in found if task.reference is not None]
    if known:
        above = sum(steps > turns for steps in known)
        say(
            f"\nreference plans: {min(known)} to {max(known)} primitive steps, median {median(known):g}\n"
            f"above the {turns} turns of a {split} episode: {above} of {len(known)}; an agent without "
            f"learned actions can follow at most {len(known) - above} of these plans to the goal"
        )
    say(f"`learnact play {domain} --task 0` plays the first.")


def _print_plans(domain: Domain, tasks: list[Task], json: bool) -> None:
    if not isinstance(domain, ReferencePlans):
        raise BadInput(f"--plans: {domain.name} keeps no reference plans, at most their lengths")
    for task in tasks:
        plan = domain.reference_plan(task)
        calls = None if plan is None else [call.written for call in plan]
        if json:
            say_json({"task": task.name, "plan": calls})
            continue
        say("\n".join([f"# {task.name}", *(["# no plan is known"] if calls is None else calls)]))


def _table(domain: Domain, tasks: list[Task], split: Split) -> Any:
    labels = list(dict.fromkeys(key for task in tasks for key in task.labels if key not in ("index", "seed")))
    shown = table(
        f"{domain.name}: {len(tasks)} {split} tasks",
        "#",
        "task",
        "#reference plan",
        *(f"#{k}" for k in labels),
        "hash",
    )
    for number, task in enumerate(tasks):
        values = ["" if task.labels.get(key) is None else str(task.labels[key]) for key in labels]
        reference = "" if task.reference is None else str(task.reference)
        shown.add_row(str(number), task.name, reference, *values, task.hash)
    return shown
