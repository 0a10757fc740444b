"""A chat model with scripted replies, and a journal in memory, through the protocols that production uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from learnact.records import Candidate, Exchange, Library, ModelSpec, Prompt, Reply, Tokens

MODEL = ModelSpec("scripted")


class Scripted:
    """Answers with a function of the user message, or with replies in turn. Keeps what it was asked."""

    def __init__(self, answer: Callable[[str], str] | Sequence[str]) -> None:
        self.prompts: list[Prompt] = []
        self.models: list[ModelSpec] = []
        self._answer = answer

    async def complete(self, model: ModelSpec, prompt: Prompt, seed: int, affinity: str) -> Exchange:
        text = prompt.messages()[-1].content
        if callable(self._answer):
            reply = self._answer(text)
        else:
            reply = self._answer[len(self.prompts)]
        self.prompts.append(prompt)
        self.models.append(model)
        return Exchange(
            prompt, Reply(reply, tokens=Tokens(len(text.split()), 0, len(reply.split()), 0), model=model.name)
        )

    async def embed(self, model: ModelSpec, texts: tuple[str, ...]) -> Reply:
        return Reply("", vectors=tuple((float(len(t)), float(t.count("e"))) for t in texts))

    @property
    def texts(self) -> list[str]:
        """The user messages, in the order in which they came."""
        return [p.messages()[-1].content for p in self.prompts]


class Notes:
    """A journal that remembers."""

    def __init__(self) -> None:
        self.libraries: dict[str, Library] = {}
        self.candidates: dict[tuple[int, int], Candidate] = {}

    def library(self, trial: str, library: Library) -> None:
        self.libraries[library.id] = library

    def candidate(self, candidate: Candidate) -> None:
        self.candidates[candidate.iteration, candidate.candidate] = candidate


class Moving:
    """A model in the process that costs nothing and never solves gripper: it goes from room to room."""

    async def complete(self, model: ModelSpec, prompt: Prompt, seed: int, affinity: str) -> Exchange:
        place = (len(prompt.history) // 2 + prompt.history_start // 2) % 2
        rooms = ("rooma", "roomb")
        text = f"Action: move('{rooms[place]}', '{rooms[1 - place]}')"
        return Exchange(prompt, Reply(text, tokens=Tokens(1000, 900, 20, 0), cost=0.001, model=model.name))

    async def embed(self, model: ModelSpec, texts: tuple[str, ...]) -> Reply:
        raise AssertionError("nothing here embeds")
