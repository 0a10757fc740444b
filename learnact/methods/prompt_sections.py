"""The agent's prompt, section by section (docs/architecture.md, Prompts): one layout for every method."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from learnact.domains.base import Domain, Example, TextActions
from learnact.prompts import PromptTemplates
from learnact.records import Episode, Library, Prompt, Rules, Turn, history_entries
from learnact.sandbox.modules import ALLOWED_IMPORTS

TEXTS = PromptTemplates("learnact.methods", "agent")
Told: TypeAlias = Callable[[Example], str]
"""How a worked example is told: as turns without or with thoughts, or as a program."""


def section(title: str, body: str) -> str:
    """A section with a heading, or nothing where there is no body."""
    return f"## {title}\n{body.rstrip()}\n\n" if body.strip() else ""


def primitives_section(domain: Domain) -> str:
    """The primitive actions, one a line."""
    return section(
        "Primitive actions", "\n".join(f"- {p.signature}: {p.description}" for p in domain.primitives)
    )


def commands_section(domain: TextActions) -> str:
    """The primitive actions as text, one a line."""
    return section("Primitive actions", "\n".join(f"- {form}: {said}" for form, said in domain.text_forms))


def learned_section(library: Library, rules: Rules, limit: int) -> str:
    """The learned actions with descriptions (unless switched off) and notes."""
    if not library.actions:
        return ""
    lines = [TEXTS.fill("learned", limit=limit)]
    for action in library.actions:
        described = action.description if rules.show_descriptions else ""
        lines.append(f"- {action.signature}: {described}" if described else f"- {action.signature}")
        lines += [f"  Note: {note}" for note in action.notes]
    return section("Learned actions", "\n".join(lines))


def lessons_section(library: Library) -> str:
    """Reflexion's lessons."""
    if not library.lessons:
        return ""
    return section(
        "Lessons", "\n".join([TEXTS.fill("lessons"), *(f"- {lesson}" for lesson in library.lessons)])
    )


def opening(goal: str, first_observation: str) -> str:
    """How a task begins: its goal and first observation."""
    return f"Goal: {goal}\nObservation: {first_observation}"


def as_turns(example: Example) -> str:
    """A worked example as the history would show it, without its thoughts."""
    return as_turns_with_thoughts(
        Example(
            example.goal,
            example.first_observation,
            tuple(("", said, seen) for _, said, seen in example.steps),
        )
    )


def as_turns_with_thoughts(example: Example) -> str:
    """A worked example as the history would show it."""
    lines = [opening(example.goal, example.first_observation)]
    for thought, action, observation in example.steps:
        lines += [f"Think: {thought}", "Observation: Ok."] if thought else []
        lines += [f"Action: {action}", f"Observation: {observation}"]
    return "\n".join(lines)


def as_program(example: Example) -> str:
    """A worked example as one program, its thoughts as comments."""
    lines = []
    for thought, action, _ in example.steps:
        lines += [f"# {thought}"] if thought else []
        lines.append(action)
    return f"{opening(example.goal, example.first_observation)}\n{program_text(chr(10).join(lines))}"


def program_text(code: str) -> str:
    """A program as prompts show it."""
    return f"Program:\n```python\n{code}\n```"


def task_section(goal: str, first_observation: str) -> str:
    """Goal and first observation: fixed for the whole episode, never dropped."""
    return section("Your task", opening(goal, first_observation))


def code_rules(rules: Rules, limit: int) -> str:
    """What code that a model writes may do: the same words for every method."""
    returns = TEXTS.fill(f"returns_{rules.primitive_returns}")
    *others, last = ALLOWED_IMPORTS
    return TEXTS.fill("code_rules", returns=returns, limit=limit, modules=f"{', '.join(others)} and {last}")


def world(domain: Domain, library: Library, rules: Rules, limit: int, told: Told) -> str:
    """All that does not depend on the task: instruction, actions, lessons, examples (the library's own first)."""
    usage = library.usage_example if rules.show_usage_example else ""
    actions, example = primitives_section(domain), domain.example
    if rules.action_format == "text" and isinstance(domain, TextActions):
        actions, example = commands_section(domain), domain.text_example
    return (
        section("Instructions", domain.instruction)
        + actions
        + learned_section(library, rules, limit)
        + lessons_section(library)
        + section("Example", usage)
        + section("Example", told(example))
    )


def turn_prompt(
    episode: Episode,
    domain: Domain,
    goal: str,
    first_observation: str,
    turns: tuple[Turn, ...],
    answer: str,
    told: Told,
    system: str = "system",
) -> Prompt:
    """The prompt of one turn: the last `budget.history` entries of the history, then what kind of answer is wanted. `system` names the prompt
    file of the system message."""
    entries = history_entries(turns)
    start = max(0, len(entries) - episode.budget.history)
    limit = episode.budget.primitives_per_call
    fixed = (
        world(domain, episode.library, episode.rules, limit, told),
        task_section(goal, first_observation),
        "## So far\n" if entries else "",
    )
    before = "\n" if entries else ""
    return Prompt(TEXTS.fill(system), tuple(f for f in fixed if f), before + answer, entries[start:], start)
