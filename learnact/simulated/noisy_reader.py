"""A reader that overlooks sentences at random: the one cause of every mistake of the simulated model.

For each reply a sentence is overlooked with probability ``p * d / (d + D)``, d the number of sentences after
it; one occurrence that is seen suffices. A share rho of the draws is keyed by seed and sentence alone, so
that some misreadings last through an episode.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

READINGS = 4
"""Readings of one prompt: the first, and up to three more, each with half the inattention of the one
before."""
_SCALE = 1 << 32


@dataclass(frozen=True)
class ModelSettings:
    """Constants of a model's inattention.

    `p`: the highest probability of overlooking; `distance`: D, the number of sentences at which half of it is
    reached; `rho`: the share of draws that are keyed by seed and sentence alone.
    """

    name: str
    p: float
    distance: float
    rho: float


@dataclass(frozen=True)
class NoisyReader:
    """One reading of one prompt.

    `fresh` keys the draws of this reply, `lasting` those of the seed; `look` is the number of the reading,
    from 0.
    """

    settings: ModelSettings
    lasting: bytes
    fresh: bytes
    look: int = 0

    @classmethod
    def of(cls, settings: ModelSettings, version: str, messages: str, seed: int) -> NoisyReader:
        """The reading of these messages by that model with that seed."""
        lasting = hashlib.blake2b(f"{settings.name}\0{version}\0{seed}".encode(), digest_size=16).digest()
        fresh = hashlib.blake2b(messages.encode(), key=lasting, digest_size=16).digest()
        return cls(settings, lasting, fresh)

    def reread(self, look: int) -> NoisyReader:
        """The reading of the same prompt with the number `look`."""
        return NoisyReader(self.settings, self.lasting, self.fresh, look)

    def sees(self, what: str, distances: Iterable[int]) -> bool:
        """Whether a sentence is read, given how many sentences stand behind each of its occurrences."""
        p = self.settings.p / (1 << self.look)
        if p <= 0:
            return True
        word = what.encode()
        kept = hashlib.blake2b(word, key=self.lasting, digest_size=8).digest()
        scale = self.settings.distance
        if int.from_bytes(kept[:4], "big") < self.settings.rho * _SCALE:
            draw = int.from_bytes(kept[4:], "big")
            return any(draw >= p * d / (d + scale) * _SCALE for d in distances)
        drawn = hashlib.blake2b(word, key=self.fresh, digest_size=32, salt=bytes([self.look])).digest()
        for i, d in enumerate(distances):
            at = 4 * (i % 8)
            if int.from_bytes(drawn[at : at + 4], "big") >= p * d / (d + scale) * _SCALE:
                return True
        return False

    def draw(self, what: str, among: int) -> int:
        """A number in 0 .. among - 1 for choices that do not matter, fixed by this reply."""
        drawn = hashlib.blake2b(what.encode(), key=self.fresh, digest_size=8).digest()
        return int.from_bytes(drawn, "big") % max(1, among)
