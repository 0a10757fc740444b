"""Which levels of minigrid each domain draws its tasks from, at each level of difficulty.

`published` are those of AgentBoard, which has 28 levels with the seeds 1234 to 1237 each (112 tasks). One of
them is replaced: a mission of OpenDoorsOrderN4Debug that has two parts fails as soon as its first is done
(minigrid asks the second part about the same step, and both are strict).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PUBLISHED_SEEDS = (1234, 1235, 1236, 1237)


@dataclass(frozen=True)
class Kind:
    """A level of minigrid: its class among `minigrid.envs.babyai` with keyword arguments. `label`: its name
    in AgentBoard's label file."""

    made: str
    given: Mapping[str, int | bool | str] = field(default_factory=dict)
    label: str = ""

    @property
    def name(self) -> str:
        """As tasks say it: `GoTo(num_rows=4)`."""
        return f"{self.made}({', '.join(f'{k}={v}' for k, v in self.given.items())})"


STEPS = {"easy": (1, 15), "published": (1, 1000), "hard": (15, 75), "harder": (31, 1000)}
"""Least and most steps of the reference plans of each level of difficulty; those of `harder` are all longer
than an episode has turns."""

_WIDE = {"num_rows": 4, "num_cols": 4}

KINDS: dict[str, dict[str, tuple[Kind, ...]]] = {
    "babyai-goto": {
        "easy": (
            Kind("GoToRedBallGrey"),
            Kind("GoToRedBall"),
            Kind("GoToObj", {"room_size": 6}),
            Kind("GoToLocal", {"room_size": 6, "num_dists": 3}),
        ),
        "published": (
            Kind("GoToRedBallGrey", label="GoToRedBallGrey-v0"),
            Kind("GoToRedBall", label="GoToRedBall-v0"),
            Kind("GoToRedBallNoDists", label="GoToRedBallNoDists-v0"),
            # registered as GoToObjS6-v0, whose rooms had four cells until minigrid 2.5
            Kind("GoToObj", {"room_size": 4}, label="GoToObjS6-v0"),
            Kind("GoToLocal", {"room_size": 8, "num_dists": 7}, label="GoToLocalS8N7-v0"),
            Kind("GoTo", {"num_dists": 1, "room_size": 7}, label="GoToObjMazeS7-v0"),
            Kind("GoToImpUnlock", label="GoToImpUnlock-v0"),
            Kind("GoToRedBlueBall", label="GoToRedBlueBall-v0"),
            Kind("GoToDoor", label="GoToDoor-v0"),
            Kind("GoToObjDoor", label="GoToObjDoor-v0"),
        ),
        "hard": (Kind("GoTo"), Kind("GoTo", {"num_dists": 1}), Kind("GoToImpUnlock")),
        "harder": (Kind("GoTo", _WIDE), Kind("GoTo", {"num_dists": 1}), Kind("GoToImpUnlock")),
    },
    "babyai-open": {
        "easy": (
            Kind("OpenRedDoor"),
            Kind("OpenDoor", {"select_by": "color"}),
            Kind("OpenDoor", {"select_by": "loc"}),
        ),
        "published": (
            Kind("Open", label="Open-v0"),
            Kind("OpenRedDoor", label="OpenRedDoor-v0"),
            Kind("OpenDoor", {"select_by": "loc"}, label="OpenDoorLoc-v0"),
        ),
        "hard": (Kind("Open"), Kind("Open", _WIDE)),
        "harder": (Kind("Open", {"num_rows": 5, "num_cols": 5}), Kind("Open", _WIDE)),
    },
    "babyai-pickup": {
        "easy": (Kind("PickupLoc"), Kind("PickupDist"), Kind("OneRoomS8")),
        "published": (
            Kind("Pickup", label="Pickup-v0"),
            Kind("UnblockPickup", label="UnblockPickup-v0"),
            Kind("PickupLoc", label="PickupLoc-v0"),
            Kind("PickupDist", {"debug": True}, label="PickupDistDebug-v0"),
            Kind("PickupAbove", label="PickupAbove-v0"),
            Kind("FindObjS5", {"room_size": 7}, label="FindObjS7-v0"),
        ),
        "hard": (Kind("Pickup"), Kind("UnblockPickup"), Kind("FindObjS5", {"room_size": 7})),
        "harder": (Kind("Pickup", _WIDE), Kind("UnblockPickup"), Kind("FindObjS5", {"room_size": 8})),
    },
    "babyai-unlock": {
        "easy": (Kind("UnlockLocal"), Kind("UnlockLocal", {"distractors": True})),
        "published": (
            Kind("Unlock", label="Unlock-v0"),
            Kind("UnlockLocal", {"distractors": True}, label="UnlockLocalDist-v0"),
            Kind("UnlockPickup", {"distractors": True}, label="UnlockPickupDist-v0"),
            Kind("BlockedUnlockPickup", label="BlockedUnlockPickup-v0"),
            Kind("UnlockToUnlock", label="UnlockToUnlock-v0"),
            Kind("KeyCorridor", {"room_size": 6, "num_rows": 3}, label="KeyCorridorS6R3-v0"),
        ),
        "hard": (
            Kind("Unlock"),
            Kind("BlockedUnlockPickup"),
            Kind("KeyCorridor", {"room_size": 4, "num_rows": 3}),
        ),
        "harder": (
            Kind("UnlockToUnlock"),
            Kind("KeyCorridor", {"room_size": 6, "num_rows": 3}),
            Kind("BlockedUnlockPickup"),
        ),
    },
    "babyai-seq": {
        "easy": (
            Kind("GoToSeq", {"room_size": 5, "num_rows": 2, "num_cols": 2, "num_dists": 4}),
            Kind("OpenDoorsOrder", {"num_doors": 2}),
        ),
        "published": (
            Kind("GoToSeq", {"room_size": 5, "num_rows": 2, "num_cols": 2, "num_dists": 4}, "GoToSeqS5R2-v0"),
            Kind(
                "OpenTwoDoors",
                {"first_color": "red", "second_color": "blue", "strict": True},
                "OpenRedBlueDoorsDebug-v0",
            ),
            Kind("OpenDoorsOrder", {"num_doors": 4}),
        ),
        "hard": (
            Kind("GoToSeq", {"room_size": 6}),
            Kind("OpenDoorsOrder", {"num_doors": 4}),
            Kind("MoveTwoAcross", {"room_size": 5, "objs_per_room": 2}),
        ),
        "harder": (
            Kind("GoToSeq"),
            Kind("MoveTwoAcross", {"room_size": 8, "objs_per_room": 9}),
            Kind("SynthSeq"),
            Kind("BossLevel"),
        ),
    },
}

_STRICT = Kind("OpenDoorsOrder", {"debug": True, "num_doors": 4}, "OpenDoorsOrderN4Debug-v0")


def agentboard(domain: str) -> tuple[Kind, ...]:
    """AgentBoard's levels of a domain, in its order."""
    kinds = KINDS[domain]["published"]
    return tuple(kind if kind.label else _STRICT for kind in kinds)
