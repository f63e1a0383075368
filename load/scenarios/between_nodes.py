"""Typing on one node and reading on another: what the way between two nodes takes.

Where the server is one process the two are the same, and what is timed is the way without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter

from load.crowd import created, opened
from load.pacing import at_any_time, play
from load.results import Measurement
from load.room import Room, Witness
from load.servers.server import Address, Server
from load.trial import WARM_UP_SECONDS, Trial


@dataclass(frozen=True, slots=True)
class BetweenNodes:
    """Documents whose writers are on one node and whose readers are on the next; readers' arrivals are timed.

    Args:
        documents: how many.
        writers: how many people type in each.
        readers: how many only read, in each.
        rate: keys a second in all documents together.
        seconds: for how long.
        warm_up: for how long before that.
    """

    documents: int = 100
    writers: int = 2
    readers: int = 1
    rate: float = 350.0
    seconds: float = 8.0
    warm_up: float = WARM_UP_SECONDS
    name: str = "between-nodes"

    @property
    def label(self) -> str:
        """The word with its numbers."""
        return f"{self.name} {self.documents} x ({self.writers} + {self.readers}), {self.rate:g}/s"

    async def run(self, server: Server, seed: int) -> Measurement:
        """Do it."""
        random = Random(seed)
        rooms = [await self._room(server, address, random) for address in await created(server, self.documents)]
        deeds = [writer.type for room in rooms for writer in room.writers]

        async def drive(_: Sequence[Witness], seconds: float) -> None:
            await play(at_any_time(deeds, self.rate, perf_counter(), seconds, random))

        load = {
            "documents": self.documents,
            "writers_each": self.writers,
            "readers_each": self.readers,
            "keys_per_second": self.rate,
        }
        trial = Trial(self.name, load, drive, self.seconds, self.rate / len(deeds), self.warm_up)
        return await trial.run(server, rooms, seed)

    async def _room(self, server: Server, address: Address, random: Random) -> Room:
        nodes = address.everywhere
        writers = await opened(server, [nodes[0]] * self.writers, random)
        readers = await opened(server, [nodes[1 % len(nodes)]] * self.readers, random)
        return Room(address, [*writers, *readers], writers, timed=readers)
