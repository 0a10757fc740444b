"""The agent's prompt, section by section (docs/architecture.md, Prompts): one layout for every method."""

from __future__ import annotations

from learnact.domains.base import Domain, Example, WithCommands
from learnact.records import Episode, Library, Prompt, Rules, Turn, history_entries
from learnact.texts import Texts

TEXTS = Texts("learnact.agents")


def section(title: str, body: str) -> str:
    """A section with a heading, or nothing where there is no body."""
    return f"## {title}\n{body.rstrip()}\n\n" if body.strip() else ""


def primitives_section(domain: Domain) -> str:
    """The primitive actions, one a line."""
    return section(
        "Primitive actions", "\n".join(f"- {p.signature}: {p.description}" for p in domain.primitives)
    )


def commands_section(domain: WithCommands) -> str:
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


def example_text(example: Example, thoughts: bool) -> str:
    """A worked example as the history would show it."""
    lines = [f"Goal: {example.goal}", f"Observation: {example.first_observation}"]
    for thought, action, observation in example.steps:
        if thought and thoughts:
            lines += [f"Think: {thought}", "Observation: Ok."]
        lines += [f"Action: {action}", f"Observation: {observation}"]
    return "\n".join(lines)


def task_section(goal: str, first_observation: str) -> str:
    """Goal and first observation: fixed for the whole episode, never dropped."""
    return section("Your task", f"Goal: {goal}\nObservation: {first_observation}")


def world(domain: Domain, library: Library, rules: Rules, limit: int, thoughts: bool) -> str:
    """All that does not depend on the task: instruction, actions, lessons, examples (the library's own first)."""
    usage = library.usage_example if rules.show_usage_example else ""
    actions, example = primitives_section(domain), domain.example
    if rules.action_format == "text" and isinstance(domain, WithCommands):
        actions, example = commands_section(domain), domain.text_example
    return (
        section("Instructions", domain.instruction)
        + actions
        + learned_section(library, rules, limit)
        + lessons_section(library)
        + section("Example", usage)
        + section("Example", example_text(example, thoughts))
    )


def turn_prompt(
    episode: Episode,
    domain: Domain,
    goal: str,
    first_observation: str,
    turns: tuple[Turn, ...],
    answer: str,
    thoughts: bool,
) -> Prompt:
    """The prompt of one turn: the last `budget.history` entries of the history, then what kind of answer is wanted."""
    entries = history_entries(turns)
    start = max(0, len(entries) - episode.budget.history)
    limit = episode.budget.primitives_per_call
    fixed = (
        world(domain, episode.library, episode.rules, limit, thoughts),
        task_section(goal, first_observation),
        "## So far\n" if entries else "",
    )
    before = "\n" if entries else ""
    return Prompt(TEXTS.fill("system"), tuple(f for f in fixed if f), before + answer, entries[start:], start)
