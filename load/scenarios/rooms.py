"""Many small documents instead of a large one: nothing can be merged, and every edit is somebody else's commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Final

from load.crowd import created, opened
from load.pacing import at_any_time, play
from load.results import Measurement
from load.room import Room, Witness
from load.servers.server import Server
from load.trial import WARM_UP_SECONDS, Trial

PEOPLE: Final = 3


@dataclass(frozen=True, slots=True)
class Rooms:
    """Three people in each of many documents, two of whom type now and then.

    Args:
        documents: how many.
        rate: keys a second in all documents together.
        seconds: for how long.
        warm_up: for how long before that.
    """

    documents: int = 500
    rate: float = 350.0
    seconds: float = 8.0
    warm_up: float = WARM_UP_SECONDS
    name: str = "rooms"

    @property
    def label(self) -> str:
        """The word with its numbers."""
        return f"rooms {self.documents} x {PEOPLE}, {self.rate:g}/s"

    async def run(self, server: Server, seed: int) -> Measurement:
        """Do it."""
        random = Random(seed)
        addresses = await created(server, self.documents)
        people = await opened(server, [address for address in addresses for _ in range(PEOPLE)], random)
        threes = [people[start : start + PEOPLE] for start in range(0, len(people), PEOPLE)]
        rooms = [Room(address, three, three[:-1]) for address, three in zip(addresses, threes, strict=True)]
        deeds = [writer.type for room in rooms for writer in room.writers]

        async def drive(_: Sequence[Witness], seconds: float) -> None:
            await play(at_any_time(deeds, self.rate, perf_counter(), seconds, random))

        load = {"documents": self.documents, "people_each": PEOPLE, "keys_per_second": self.rate}
        trial = Trial(self.name, load, drive, self.seconds, self.rate / len(deeds), self.warm_up)
        return await trial.run(server, rooms, seed)
