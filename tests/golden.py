"""Prompts that a person has read (tests/prompts), each text kept once.

After a deliberate change: `LEARNACT_WRITE_PROMPTS=1 pytest tests/methods`, then read the difference before
you commit it. A test fails when two files are equal (`python -m tests.structure`): name the second one in
SAME.
"""

from __future__ import annotations

import os
from pathlib import Path

from learnact.records import Prompt

FOLDER = Path(__file__).parent / "prompts"
SAME = {
    "learnact-act": "act+reflexion-act",
    "voyager-act": "act+reflexion-act",
    "react-act": "domains/gripper-act",
    "learnact-create": "domains/gripper-create",
}
"""Prompts that equal another one: an agent's prompt depends on the library and not on who wrote it."""


def text_of(prompt: Prompt) -> str:
    """A prompt as the files hold it."""
    return "\n\n".join(f"[{m.role}]\n{m.content}" for m in prompt.messages()) + "\n"


def compare(name: str, text: str) -> None:
    """Fail when a text is not the reviewed one; write it instead when LEARNACT_WRITE_PROMPTS is set."""
    path = FOLDER / f"{SAME.get(name, name)}.txt"
    if os.environ.get("LEARNACT_WRITE_PROMPTS"):
        path.write_text(text)
    assert text == path.read_text(), f"{path} differs: see tests/golden.py"
