"""As many updates as the server takes: each writer keeps so many of its keys in flight.

A key is in flight until a reader, who types nothing, has been shown it; all keys that this frees are sent in one write.
This is the one closed loop: it finds how much a server can do, and its latencies are those at that limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter

from load.crowd import created, opened
from load.editor import Editor
from load.results import Measurement
from load.room import Room, Witness
from load.servers.server import Server
from load.trial import WARM_UP_SECONDS, Trial

_RATE_WHEN_KILLED = 100.0


@dataclass(frozen=True, slots=True)
class Burst:
    """Some writers in one document, or in each of several, at the limit.

    Args:
        editors: how many connections each document has.
        writers: how many of them type; at least one does not.
        window: keys in flight of each writer.
        seconds: for how long.
        warm_up: for how long before that.
        documents: how many there are.
    """

    editors: int = 50
    writers: int = 10
    window: int = 32
    seconds: float = 8.0
    warm_up: float = WARM_UP_SECONDS
    documents: int = 1
    name: str = "burst"

    @property
    def label(self) -> str:
        """The word with its numbers."""
        times = f"{self.documents} x " if self.documents > 1 else ""
        return f"burst {times}{self.editors} x {self.writers}, {self.window} in flight"

    async def run(self, server: Server, seed: int) -> Measurement:
        """Do it."""
        random = Random(seed)
        addresses = await created(server, self.documents)
        people = await opened(server, [address for address in addresses for _ in range(self.editors)], random)
        crowds = [people[start : start + self.editors] for start in range(0, len(people), self.editors)]
        writers = min(self.writers, self.editors - 1)
        rooms = [Room(address, crowd, crowd[:writers]) for address, crowd in zip(addresses, crowds, strict=True)]
        load = {"editors": self.editors, "writers": writers, "in_flight_each": self.window}
        if self.documents > 1:
            load = {"documents": self.documents, **load}
        trial = Trial(self.name, load, self._drive, self.seconds, _RATE_WHEN_KILLED / self.documents, self.warm_up)
        return await trial.run(server, rooms, seed)

    async def _drive(self, witnesses: Sequence[Witness], seconds: float) -> None:
        flights = [_Flights(witness, self.window) for witness in witnesses]
        try:
            await asyncio.sleep(seconds)
        finally:
            for each in flights:
                each.land()


class _Flights:
    """Keeps so many keys of each writer of a room in flight."""

    def __init__(self, witness: Witness, window: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._witness = witness
        self._window = window
        self._is_due = False
        self._reader: Editor = witness.room.people[-1]
        self._reader.watch = self._watch
        self._refill()

    def land(self) -> None:
        """Type no more."""
        self._window = 0
        self._reader.watch = self._witness.watch

    def _watch(self, frame: bytes, offset: int, now: float) -> None:
        self._witness.watch(frame, offset, now)
        if not self._is_due:
            # Behind all frames that came in this turn, so that what they free is sent at once.
            self._is_due = True
            self._loop.call_soon(self._refill)

    def _refill(self) -> None:
        self._is_due = False
        now, seen = perf_counter(), self._witness.seen
        for writer in self._witness.room.writers:
            writer.type_all(self._window - len(writer.text) + seen[writer.client_id], now)
