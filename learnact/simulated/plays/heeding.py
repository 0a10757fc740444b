"""Which rules of a prompt are heeded: those that are there, and are not overlooked."""

from __future__ import annotations

from dataclasses import dataclass

from learnact.simulated import text
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import ParsedPrompt


@dataclass(frozen=True)
class HeededRules:
    """The rules of one section as one reading of it sees them."""

    prompt: ParsedPrompt
    reader: NoisyReader
    heading: str

    def heeds(self, words: str) -> bool:
        """Whether the rule that holds these words stands there and is read."""
        for section in self.prompt.sections:
            if section.heading != self.heading:
                continue
            at = section.index
            for line in section.body.splitlines():
                if words in line:
                    return self.reader.sees(f"rule: {line}", (self.prompt.end - at,))
                at += text.count(line)
        return False
