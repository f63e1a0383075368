"""Every scenario that there is, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from load.scenarios import Scenario
from load.scenarios.between_nodes import BetweenNodes
from load.scenarios.burst import Burst
from load.scenarios.cold_open import ColdOpen
from load.scenarios.fanout import Fanout
from load.scenarios.idle import Idle
from load.scenarios.join_storm import JoinStorm
from load.scenarios.observers import Observers
from load.scenarios.presence import Presence
from load.scenarios.reconnect import Reconnect
from load.scenarios.replay import Replay
from load.scenarios.rooms import Rooms

SCENARIOS: Final[Mapping[str, Callable[..., Scenario]]] = {
    "burst": Burst,
    "fanout": Fanout,
    "observers": Observers,
    "presence": Presence,
    "rooms": Rooms,
    "join-storm": JoinStorm,
    "idle": Idle,
    "cold-open": ColdOpen,
    "reconnect": Reconnect,
    "replay": Replay,
    "between-nodes": BetweenNodes,
}
"""Each a frozen dataclass whose fields, all with defaults, are its numbers."""
