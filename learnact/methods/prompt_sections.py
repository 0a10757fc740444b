"""The agent's prompt, section by section (docs/methods.md, Prompts): one layout for every method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from learnact.domains.base import Domain, Example, TextActions
from learnact.methods.tool_calls import tools_of, turn_entries
from learnact.prompts import PromptTemplates
from learnact.records import Library, Prompt, Rules, history_entries
from learnact.sandbox.modules import ALLOWED_IMPORTS

if TYPE_CHECKING:
    from learnact.methods.episode import EpisodeRun

TEMPLATES = PromptTemplates("learnact.methods", "agent")
ShowExample: TypeAlias = Callable[[Example], str]
"""Shows a worked example: as turns without or with thoughts, or as a program."""


def section(title: str, body: str) -> str:
    """A section with a heading, or nothing where there is no body."""
    return f"## {title}\n{body.rstrip()}\n\n" if body.strip() else ""


def instruction_section(domain: Domain, rules: Rules) -> str:
    """The domain's instruction; without its promise of a reason where invalid actions give none."""
    text, promise = domain.instruction, domain.profile.promise
    return section("Instructions", text if rules.invalid_actions == "reason" else text.replace(promise, ""))


def primitives_section(domain: Domain) -> str:
    """The primitive actions, one a line."""
    return section(
        "Primitive actions", "\n".join(f"- {p.signature}: {p.description}" for p in domain.primitives)
    )


def commands_section(domain: TextActions) -> str:
    """The primitive actions as text, one a line."""
    return section("Primitive actions", "\n".join(f"- {form}: {text}" for form, text in domain.text_forms))


def learned_section(library: Library, rules: Rules, limit: int) -> str:
    """The learned actions with descriptions (unless switched off) and notes."""
    if not library.offered:
        return ""
    returns = f" {TEMPLATES.fill('learned_returns')}" if rules.show_returns else ""
    lines = [TEMPLATES.fill("learned", limit=limit, returns=returns)]
    for action in library.offered:
        described = action.description if rules.show_descriptions else ""
        lines.append(f"- {action.signature}: {described}" if described else f"- {action.signature}")
        lines += [f"  Note: {note}" for note in action.notes]
    return section("Learned actions", "\n".join(lines))


def learned_tools_section(library: Library, rules: Rules, limit: int) -> str:
    """Which tools are learned actions; what each does is in its tool's description."""
    if not library.offered:
        return ""
    returns = f" {TEMPLATES.fill('learned_returns')}" if rules.show_returns else ""
    about = TEMPLATES.fill("learned_tools", limit=limit, returns=returns)
    return section("Learned actions", "\n".join([about, *(f"- {a.name}" for a in library.offered)]))


def lessons_section(library: Library) -> str:
    """Reflexion's lessons."""
    if not library.lessons:
        return ""
    return section(
        "Lessons", "\n".join([TEMPLATES.fill("lessons"), *(f"- {lesson}" for lesson in library.lessons)])
    )


def opening(goal: str, first_observation: str) -> str:
    """The goal and the first observation of a task."""
    return f"Goal: {goal}\nObservation: {first_observation}"


def example_as_turns(example: Example, *, thoughts: bool) -> str:
    """A worked example as the history would show it, with or without its thoughts."""
    lines = [opening(example.goal, example.first_observation)]
    for thought, action, observation in example.steps:
        lines += [f"Think: {thought}", "Observation: Ok."] if thought and thoughts else []
        lines += [f"Action: {action}", f"Observation: {observation}"]
    return "\n".join(lines)


def example_as_program(example: Example) -> str:
    """A worked example as one program, its thoughts as comments."""
    lines = []
    for thought, action, _ in example.steps:
        lines += [f"# {thought}"] if thought else []
        lines.append(action)
    code = "\n".join(lines)
    return f"{opening(example.goal, example.first_observation)}\n{program_text(code)}"


def example_as_programs(example: Example) -> str:
    """A worked example as steps that are programs of one call each, thoughts as comments."""
    lines = [opening(example.goal, example.first_observation)]
    for thought, action, observation in example.steps:
        comment = f"# {thought}\n" if thought else ""
        lines += [program_text(f"{comment}{action}"), f"Observation: {observation}"]
    return "\n".join(lines)


def program_text(code: str) -> str:
    """A program as prompts show it."""
    return f"Program:\n```python\n{code}\n```"


def task_section(goal: str, first_observation: str) -> str:
    """Goal and first observation: fixed for the whole episode, never dropped."""
    return section("Your task", opening(goal, first_observation))


def code_rules(domain: Domain, rules: Rules, limit: int) -> str:
    """The rules for code that a model writes: the same words for every method. They say what primitive
    actions return in this domain.
    """
    profile, observed = domain.profile, rules.primitive_returns == "observation"
    impossible = profile.impossible if rules.invalid_actions == "reason" else f'the text "{profile.invalid}"'
    *others, last = ALLOWED_IMPORTS
    return TEMPLATES.fill(
        "code_rules",
        returns=TEMPLATES.fill(f"returns_{rules.primitive_returns}"),
        possible=f" {profile.possible}" if observed and profile.possible else "",
        impossible=f" {TEMPLATES.fill('impossible', text=impossible)}" if observed and impossible else "",
        limit=limit,
        modules=f"{', '.join(others)} and {last}",
    )


def examples_sections(example: str, scene: str, usages: Sequence[str], rules: Rules) -> str:
    """The domain's worked example and the library's own. Those that were played stand last, and the scene
    that they share with the domain's (`scene`) is not repeated; one that the model wrote stands first
    (published).
    """
    if rules.usage_example == "written":
        return "".join(section("Example", usage) for usage in (*usages, example))
    same = TEMPLATES.fill("same_scene")
    shown = [f"{same}{u.removeprefix(scene)}" if u.startswith(f"{scene}\n") else u for u in usages]
    return "".join(section("Example", text) for text in (example, *shown))


def context_sections(
    domain: Domain, library: Library, rules: Rules, limit: int, show_example: ShowExample
) -> str:
    """All that does not depend on the task: instruction, actions, lessons, examples."""
    usages = library.examples if rules.show_usage_example else ()
    actions, example = primitives_section(domain), domain.example
    learned = learned_section(library, rules, limit)
    if rules.action_format == "text" and isinstance(domain, TextActions):
        actions, example = commands_section(domain), domain.text_example
    elif rules.action_format == "tools":
        actions, learned = "", learned_tools_section(library, rules, limit)
    return (
        instruction_section(domain, rules)
        + actions
        + learned
        + lessons_section(library)
        + examples_sections(
            show_example(example), opening(example.goal, example.first_observation), usages, rules
        )
    )


def with_turns(run: EpisodeRun, request: str) -> str:
    """What is asked for, with a line below its heading that says how many turns the episode has and how many
    are left; unchanged where the rules do not tell it (`show_turns`).
    """
    told = turns_told(run)
    if not told:
        return request
    heading, _, rest = request.partition("\n")
    return f"{heading}\n{told}\n{rest}"


def turns_told(run: EpisodeRun) -> str:
    """How many turns the episode has and how many are left; "" where the rules do not tell it."""
    if not run.episode.rules.show_turns:
        return ""
    turns, turn = run.episode.budget.turns, len(run.turns) + 1
    return TEMPLATES.fill("turns", turns=turns, turn=turn, left=turns - turn)


def turn_prompt(run: EpisodeRun, request: str, show_example: ShowExample, system: str = "system") -> Prompt:
    """The prompt of one turn: the last `budget.history` entries of the history, then what is asked for.

    `system` names the prompt file of the system message.
    """
    episode = run.episode
    entries = history_entries(run.turns)
    start = max(0, len(entries) - episode.budget.history)
    limit = episode.budget.primitives_per_call
    fixed = (
        context_sections(run.domain, episode.library, episode.rules, limit, show_example),
        task_section(run.goal, run.first_observation),
        "## So far\n" if entries else "",
    )
    separator = "\n" if entries else ""
    return Prompt(
        TEMPLATES.fill(system), tuple(f for f in fixed if f), separator + request, entries[start:], start
    )


def tools_prompt(run: EpisodeRun, request: str, show_example: ShowExample) -> Prompt:
    """The prompt of one turn as chat messages with tools (`action_format: tools`): what is asked for stands
    in the first user message, so that all but the newest turn is the same as in the prompt before.
    """
    episode = run.episode
    entries = [e for turn in run.turns for e in turn_entries(turn, run.offered)]
    start = max(0, len(entries) - episode.budget.history)
    start += start % 2  # an answer to a tool stands behind its call
    fixed = (
        context_sections(
            run.domain, episode.library, episode.rules, episode.budget.primitives_per_call, show_example
        ),
        task_section(run.goal, run.first_observation),
        request,
    )
    tools = tools_of(run.domain, episode.library, episode.rules)
    system = TEMPLATES.fill("system_tools")
    told = turns_told(run)
    newest = f"\n\n{told}" if told else ""
    return Prompt(system, fixed, newest, tuple(entries[start:]), start, tools)
