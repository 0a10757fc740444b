"""Retrieval: which of several texts are most like a query. Used to choose skills or experiences for a task.

By the endpoint's embeddings where the job names an embedding model, else by BM25 (bm25s). Ties keep the
earlier.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from learnact.domains.base import Domain
from learnact.library.merge import part_of
from learnact.methods.base import LibraryChooser
from learnact.methods.training import Training
from learnact.records import DomainSpec, Library, Task


def skills_like_the_task(training: Training, library: Library, top: int) -> LibraryChooser:
    """Chooses the library with the `top` of its functions whose signatures and descriptions are most like a
    task's goal and first observation.
    """

    async def choose(domain: Domain, task: Task, spec: DomainSpec) -> Library:
        skills = library.offered
        if len(skills) <= top:
            return library
        goal, first_observation = await training.opening(domain, task, spec)
        texts = [f"{skill.signature} {skill.description}" for skill in skills]
        chosen = await most_similar(training, f"{goal} {first_observation}", texts, top)
        return part_of(library, [skills[i].name for i in chosen])

    return choose


async def most_similar(training: Training, query: str, texts: Sequence[str], top: int) -> list[int]:
    """Indices of the `top` texts that are most like the query, in their old order.

    Raises:
        Blocked: the embedding model could not be reached.
    """
    vectors = await training.embed((query, *texts))
    scores = bm25(query, texts) if vectors is None else [_cosine(vectors[0], v) for v in vectors[1:]]
    return sorted(sorted(range(len(texts)), key=lambda i: (-scores[i], i))[:top])


def bm25(query: str, texts: Sequence[str]) -> list[float]:
    """BM25 scores of texts for a query, words as they stand."""
    import bm25s  # brings scipy.sparse along; only Voyager needs it

    words = [_words(t) for t in texts]
    index = bm25s.BM25()
    index.index(words, show_progress=False)
    return [float(s) for s in index.get_scores(_words(query))]


def _words(text: str) -> list[str]:
    return [w for w in "".join(c if c.isalnum() else " " for c in text.lower()).split() if w]


def _cosine(a: Sequence[float], b: Sequence[float]) -> float:
    product = sum(x * y for x, y in zip(a, b, strict=True))
    return product / (math.hypot(*a) * math.hypot(*b) or 1.0)
