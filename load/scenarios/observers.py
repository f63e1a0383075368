"""A lecture: many in one document, of whom a few type."""

from __future__ import annotations

from dataclasses import dataclass

from load.scenarios.fanout import Fanout


@dataclass(frozen=True, slots=True)
class Observers(Fanout):
    """The fan-out with few writers, and far more readers than a team has; the numbers are those of the fan-out."""

    editors: int = 500
    writers: int = 5
    rate: float = 10.0
    name: str = "observers"
