"""Exact match and F1 of answers, as HotpotQA's evaluation computes them (hotpot_evaluate_v1.py)."""

from __future__ import annotations

import re
import string
from collections import Counter

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_CLOSED = ("yes", "no", "noanswer")
"""Answers that count only as a whole."""


def normalised(answer: str) -> str:
    """Small letters, without punctuation and articles, with single blanks."""
    bare = "".join(c for c in answer.lower() if c not in set(string.punctuation))
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(answer: str, gold: str) -> bool:
    """Whether two answers are equal but for case, punctuation and articles."""
    return normalised(answer) == normalised(gold)


def f1(answer: str, gold: str) -> float:
    """Harmonic mean of precision and recall over words, 0 .. 1."""
    said, right = normalised(answer), normalised(gold)
    if said != right and (said in _CLOSED or right in _CLOSED):
        return 0.0
    common = sum((Counter(said.split()) & Counter(right.split())).values())
    if not common:
        return 0.0
    precision, recall = common / len(said.split()), common / len(right.split())
    return 2 * precision * recall / (precision + recall)
