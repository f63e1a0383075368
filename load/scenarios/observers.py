"""A lecture: many in one document, of whom a few type."""

from __future__ import annotations

from dataclasses import dataclass

from load.results import Measurement
from load.scenarios.fanout import Fanout
from load.servers.server import Server
from load.trial import WARM_UP_SECONDS


@dataclass(frozen=True, slots=True)
class Observers:
    """The fan-out with few writers, and far more readers than a team has.

    Args:
        editors: how many connections.
        writers: how many of them type.
        rate: keys a second of each writer.
        seconds: for how long.
        warm_up: for how long before that.
        generators: how many processes the generator has; all but the first hold readers.
    """

    editors: int = 500
    writers: int = 5
    rate: float = 10.0
    seconds: float = 8.0
    warm_up: float = WARM_UP_SECONDS
    generators: int = 1
    name: str = "observers"

    @property
    def label(self) -> str:
        """The word with its numbers."""
        return f"observers {self.editors} x {self.writers} x {self.rate:g}/s"

    async def run(self, server: Server, seed: int) -> Measurement:
        """Do it."""
        numbers = (self.editors, self.writers, self.rate, self.seconds, self.warm_up, self.generators)
        return await Fanout(*numbers, name=self.name).run(server, seed)
