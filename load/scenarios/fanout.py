"""Typing together in one document, by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter

from load.crowd import opened
from load.generators import Audience, Door
from load.pacing import play, regularly
from load.results import Measurement
from load.room import Room, Witness
from load.servers.server import Server
from load.trial import WARM_UP_SECONDS, Trial


@dataclass(frozen=True, slots=True)
class Fanout:
    """Many in one document, most of them typing.

    Args:
        editors: how many connections.
        writers: how many of them type.
        rate: keys a second of each writer.
        seconds: for how long.
        warm_up: for how long before that.
        generators: how many processes the generator has; all but the first hold readers.
    """

    editors: int = 50
    writers: int = 48
    rate: float = 20.0
    seconds: float = 8.0
    warm_up: float = WARM_UP_SECONDS
    generators: int = 1
    name: str = "fanout"

    @property
    def label(self) -> str:
        """The word with its numbers."""
        return f"{self.name} {self.editors} x {self.writers} x {self.rate:g}/s"

    async def run(self, server: Server, seed: int) -> Measurement:
        """Do it."""
        random = Random(seed)
        address = await server.document("Typing together")
        audience = Audience(self._elsewhere())
        people = await opened(server, [address] * (self.editors - audience.size), random)
        room = Room(address, people, people[: self.writers])
        load = {"editors": self.editors, "writers": self.writers, "keys_per_second_each": self.rate}

        async def drive(_: Sequence[Witness], seconds: float) -> None:
            await play(regularly([each.type for each in room.writers], self.rate, perf_counter(), seconds, random))

        trial = Trial(self.name, load, drive, self.seconds, self.rate, self.warm_up)
        try:
            await audience.open(Door(server.dialect, server.token), address, seed)
            return await trial.run(server, [room], seed, audience)
        finally:
            await audience.close()

    def _elsewhere(self) -> list[int]:
        """How many readers each of the other processes has; one reader stays here, to tell when all has arrived."""
        readers = max(self.editors - self.writers - 1, 0)
        return [size for size in [readers // self.generators] * (self.generators - 1) if size]
