"""The server dies under a thousand people who type, and all come back at once with what they have."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Final

from crdt.diff import TextEdit
from crdt.document import Document, new_client_id
from load.crowd import document_of, settled, within
from load.replica import Replica
from load.results import Measurement, Spread
from load.servers.server import Address, Server
from load.socket import ConnectionRefused

_OPENED_AT_ONCE: Final = 50
# Of ASCII: then a character is a unit, and their number says whether all are there.
_ONLINE: Final = "while it was there "
_OFFLINE: Final = "and while it was away "
_SYNCED_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Reconnect:
    """People, spread over documents.

    Args:
        people: how many.
        documents: over how many documents they are spread.
    """

    people: int = 1_000
    documents: int = 50
    name: str = "reconnect"

    @property
    def label(self) -> str:
        """The word with its numbers."""
        return f"reconnect {self.people:,} in {self.documents}"

    async def run(self, server: Server, seed: int) -> Measurement:
        """Do it."""
        random = Random(seed)
        addresses = [await server.document(f"Coming back {number}") for number in range(self.documents)]
        places = [(_person(server, random), addresses[number % self.documents]) for number in range(self.people)]
        crowd = _Crowd(server, places)
        problems = await crowd.write_together()
        killed = perf_counter()
        await crowd.lose_the_server()
        await server.restart()
        ready = perf_counter()
        before = server.usage()
        seconds = await crowd.come_back()
        after = server.usage()
        if len(seconds) < self.people:
            problems.append(f"{self.people - len(seconds)} of {self.people} did not come back")
        else:
            problems += await crowd.problems(random)
        lost = await crowd.lose_the_server_for_good(random)
        return Measurement(
            scenario=self.name,
            server=server.name,
            load={"people": self.people, "documents": self.documents},
            seed=seed,
            latency_ms=Spread.of(seconds),
            figures={
                **({"all_synced_seconds": max(seconds)} if len(seconds) == self.people else {}),
                "restart_seconds": ready - killed,
                "cpu_seconds": after.cpu_seconds - before.cpu_seconds,
                "memory_mb": after.memory_bytes / 1e6,
            },
            converged=not problems,
            lost_acknowledged=lost,
            problems=tuple(problems),
        )


def _person(server: Server, random: Random) -> Replica:
    return Replica(server.dialect, Document(client_id=new_client_id(random)))


class _Crowd:
    """Everybody, and where.

    Args:
        server: whose documents they are.
        places: each with the document they are in.
    """

    def __init__(self, server: Server, places: Sequence[tuple[Replica, Address]]) -> None:
        self._server = server
        self._places = places
        self._rooms: dict[Address, list[Replica]] = {}
        for person, address in places:
            self._rooms.setdefault(address, []).append(person)
        self._typed_by_each = 0

    async def write_together(self) -> list[str]:
        """Open everything, type a little, and wait until everybody in a document shows the same.

        Raises:
            TimeoutError: Somebody could not even open a document in time.
        """
        # Somebody has to be first in each document: a server that cannot bear several at once is to fail later.
        firsts = {id(room[0]) for room in self._rooms.values()}
        await self._enter([place for place in self._places if id(place[0]) in firsts])
        await self._enter([place for place in self._places if id(place[0]) not in firsts])
        self._type(_ONLINE)
        return [] if await settled(self._show_everything, _SYNCED_SECONDS) else ["not everything arrived at first"]

    async def lose_the_server(self) -> None:
        """Kill it; everybody goes on typing."""
        self._server.kill()
        await settled(lambda: not any(person.is_open for person, _ in self._places))
        self._type(_OFFLINE)

    async def come_back(self) -> list[float]:
        """Everybody connects at once; answers after how many seconds each had, and had given, everything."""
        start = perf_counter()
        coming = [self._come_back(person, address) for person, address in self._places]
        return [at - start for at in await asyncio.gather(*coming) if at is not None]

    async def problems(self, random: Random) -> list[str]:
        """In what way not everybody, newcomers among them, shows the same with everything in it."""
        problems = []
        if not await settled(self._show_everything, _SYNCED_SECONDS):
            problems.append("not everything arrived at everybody")
        apart = 0
        for address, room in self._rooms.items():
            apart += len({*(person.document.text for person in room), await self._kept(address, random)}) > 1
        return [*problems, f"{apart} documents show different texts"] if apart else problems

    async def lose_the_server_for_good(self, random: Random) -> int:
        """Kill it once more; answers how many characters it no longer has of what everybody had been shown."""
        self._server.kill()
        await settled(lambda: not any(person.is_open for person, _ in self._places))
        await self._server.restart()
        lost = 0
        for address, room in self._rooms.items():
            lost += max(len(room[0].document.text) - len(await self._kept(address, random) or ""), 0)
        return lost

    async def _enter(self, places: Sequence[tuple[Replica, Address]]) -> None:
        for start in range(0, len(places), _OPENED_AT_ONCE):
            some = places[start : start + _OPENED_AT_ONCE]
            async with asyncio.timeout(_SYNCED_SECONDS):
                await asyncio.gather(*(person.open(address, self._server.token) for person, address in some))
                await asyncio.gather(*(person.caught_up for person, _ in some))

    async def _come_back(self, person: Replica, address: Address) -> float | None:
        try:
            await person.open(address, self._server.token)
        except (ConnectionRefused, OSError):
            return None
        return await within(person.caught_up, _SYNCED_SECONDS)

    def _type(self, text: str) -> None:
        self._typed_by_each += len(text)
        for person, _ in self._places:
            end = len(person.document.text)
            person.tell(person.document.edit([TextEdit(end, end, text)]))

    def _show_everything(self) -> bool:
        lengths = ((len(room) * self._typed_by_each, room) for room in self._rooms.values())
        return all(len(person.document.text) == length for length, room in lengths for person in room)

    async def _kept(self, address: Address, random: Random) -> str | None:
        update = await document_of(self._server, address, random)
        return None if update is None else Document(update).text
