"""Voyager's retrieval: for each test task the skills whose descriptions are most like its goal and first observation.

By the endpoint's embeddings where the trial names an embedding model, else by BM25 (bm25s). Ties keep the earlier skill.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from learnact.domains.base import Domain
from learnact.library.merge import part_of
from learnact.methods.training import Training
from learnact.records import DomainSpec, LearnedAction, Library, Prompt, Reply, Request, Task


@dataclass(frozen=True)
class Retrieval:
    """Chooses for a task the part of a library that the agent is given: at most `voyager_top` skills."""

    training: Training
    library: Library

    async def __call__(self, domain: Domain, task: Task, spec: DomainSpec) -> Library:
        """The library of a test task, its skills in their old order."""
        skills = self.library.actions
        top = self.training.trial.settings.voyager_top
        if len(skills) <= top:
            return self.library
        goal, first_observation = await self.training.opening(domain, task, spec)
        texts = [_text(s) for s in skills]
        scores = await self._similar(f"{goal} {first_observation}", texts)
        ranked = sorted(range(len(skills)), key=lambda i: (-scores[i], i))[:top]
        return part_of(self.library, [skills[i].name for i in sorted(ranked)])

    async def _similar(self, query: str, texts: Sequence[str]) -> list[float]:
        model = self.training.trial.embedding_model
        if model is None:
            return bm25(query, texts)
        request = Request(
            self.training.trial.id,
            self.training.trial.label,
            "embed",
            model,
            Prompt("", (), ""),
            0,
            texts=(query, *texts),
        )
        reply = (await self.training.outcomes([request]))[0].result
        assert isinstance(reply, Reply)
        return [_cosine(reply.vectors[0], v) for v in reply.vectors[1:]]


def bm25(query: str, texts: Sequence[str]) -> list[float]:
    """BM25 scores of texts for a query, words as they stand."""
    import bm25s  # brings scipy.sparse along; only Voyager needs it

    words = [_words(t) for t in texts]
    index = bm25s.BM25()
    index.index(words, show_progress=False)
    return [float(s) for s in index.get_scores(_words(query))]


def _words(text: str) -> list[str]:
    return [w for w in "".join(c if c.isalnum() else " " for c in text.lower()).split() if w]


def _text(skill: LearnedAction) -> str:
    return f"{skill.signature} {skill.description}"


def _cosine(a: Sequence[float], b: Sequence[float]) -> float:
    product = sum(x * y for x, y in zip(a, b, strict=True))
    return product / (math.hypot(*a) * math.hypot(*b) or 1.0)
