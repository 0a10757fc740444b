"""How to run on Ray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from learnact.runners.worker import UnitLimits


@dataclass(frozen=True)
class RayOptions:
    """How to run on Ray. Changes no result.

    `address`: None for a Ray of our own on this machine; "auto", "host:port" or "ray://..." for one that
    runs. `workers`: None for one for each core, those of nodes that join later included. `in_flight`: units
    in each worker. `requests`: requests in flight at one endpoint at most, over all workers. `start_seconds`:
    bound on the first worker's start (an autoscaler may need minutes). `stall_seconds`: a worker whose event
    loop does not turn for so long is replaced. `keys`: keys of providers by name of environment variable, for
    workers on other machines."""

    address: str | None = None
    workers: int | None = None
    in_flight: int = 32
    requests: int | None = None
    limits: UnitLimits = field(default_factory=UnitLimits)
    start_seconds: float = 600.0
    stall_seconds: float = 120.0
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
