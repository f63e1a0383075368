"""Every scenario that there is, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from load.scenarios import Scenario
from load.scenarios.burst import Burst
from load.scenarios.fanout import Fanout

SCENARIOS: Final[Mapping[str, Callable[..., Scenario]]] = {
    "burst": Burst,
    "fanout": Fanout,
}
"""Each a frozen dataclass whose fields, all with defaults, are its numbers."""
