"""A synthesized trajectory as a neutral record: the game master's observations are what the agent is told,
the player's thoughts and actions are its replies, and replies that are marked as mistakes are not trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from learnact.prompts import PromptTemplates
from learnact.records import digest
from learnact.records.synthesis import SynthesisScript
from learnact.results.blocks import text_hash
from learnact.results.reader import Connection, dictionaries
from learnact.results.synthesis_tables import script_from_row, turns_from_row
from learnact.training.records import TrainingMessage, TrainingRecord, TrainingTurn

TEMPLATES = PromptTemplates("learnact.training")
DOMAIN = "synthesized"
"""What tables and records call the domain of synthesized examples."""


def synthesized_records(connection: Connection, keys: Sequence[str]) -> dict[str, TrainingRecord]:
    """The records of verified examples by their keys."""
    query = """SELECT DISTINCT ON (key) * FROM trajectories WHERE key IN (SELECT unnest(?::TEXT[]))
    ORDER BY key, run"""
    return {row["key"]: _record(row) for row in dictionaries(connection, query, [list(keys)])}


def _record(row: Mapping[str, Any]) -> TrainingRecord:
    script = script_from_row(row)
    turns = turns_from_row(row)
    system = TrainingMessage("system", TEMPLATES.fill("synthesized_system"))
    told = [turn for turn in turns if turn.role == "DM"]
    user = f"{task_text(script)}\nObservation: {told[0].text}\n"
    made = []
    for played, answer in zip((turn for turn in turns if turn.role == "Player"), told[1:], strict=True):
        reply = f"Think: {played.thought}\nAction: {played.text}"
        prompt = (system, TrainingMessage("user", user))
        made.append(
            TrainingTurn(
                prompt=prompt,
                request=_request(prompt),
                reply=reply,
                good=not answer.marked,
                error=answer.marked,
                observation=answer.text,
                progress=len(set(answer.completed)) / len(script.conditions),
            )
        )
        user += f"{reply}\nObservation: {answer.text}\n"
    return TrainingRecord(
        episode=row["key"],
        run=row["run"],
        domain=DOMAIN,
        task=f"example-{row['example']:06d}",
        task_hash=digest("script", script),
        split="train",
        seed=row["seed"],
        method="synthesis",
        model=row["model"],
        simulated=bool(row["simulated"]),
        success=True,
        progress=1.0,
        turns=tuple(made),
        source="synthesized",
    )


def task_text(script: SynthesisScript) -> str:
    """What an agent is told of a script before it acts."""
    lines = []
    for action in script.actions:
        values = "; ".join(f"{name}: {', '.join(given)}" for name, given in action.parameters)
        lines.append(f"- {action.name}" + (f" ({values})" if values else ""))
    return TEMPLATES.fill("synthesized_task", actions="\n".join(lines), goal=script.goal)


def _request(prompt: tuple[TrainingMessage, ...]) -> str:
    """As `calls.request` is made for prompts that were sent."""
    return text_hash("\n\n".join(message.content for message in prompt))
