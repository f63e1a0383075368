"""Readers in processes of their own, where one process could not keep up with what they are sent.

The writers, and the reader by whom they are timed, stay in the first process. The others open connections and keep
frames; what these prove is worked out where they are, and only the outcome is sent. All read one clock.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from random import Random
from time import process_time
from typing import Any, Final

import uvloop

from load.crowd import opened, unanswered
from load.dialects import Dialect
from load.editor import Editor
from load.evidence import Author, Writer, arrivals, shown, unlike
from load.room import Mark
from load.servers.server import Address

_JOIN_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Door:
    """As much of a server as a reader needs.

    Args:
        dialect: how it is spoken to.
        token: what opens its documents.
    """

    dialect: Dialect
    token: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What readers have heard and used so far.

    Args:
        frames: with updates, of all of them.
        received_bytes: what they were sent since the mark.
        cpu_seconds: what their process has used.
    """

    frames: int
    received_bytes: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Testimony:
    """What readers' frames prove.

    Args:
        seconds: from when a key was due to its arrival at a reader, since the mark.
        missing: arrivals that there were not.
        unanswered: readers who got no answer.
        unlike: readers who show another text.
    """

    seconds: array[float]
    missing: int
    unanswered: int
    unlike: int


class Audience:
    """Readers of one document, in other processes.

    Args:
        sizes: how many readers each process has; no process, where there are none.
    """

    def __init__(self, sizes: Sequence[int] = ()) -> None:
        self.sizes = sizes
        self._processes: list[tuple[SpawnProcess, Connection]] = []

    @property
    def size(self) -> int:
        """How many readers there are."""
        return sum(self.sizes)

    async def open(self, door: Door, address: Address, seed: int) -> None:
        """Start the processes, and return when all readers are synced."""
        context = multiprocessing.get_context("spawn")
        for number, size in enumerate(self.sizes):
            ours, theirs = context.Pipe()
            arguments = (theirs, door, address, size, seed + number)
            process = context.Process(target=_read, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._processes.append((process, ours))
        await self._ask("is_open")

    async def mark(self, typed: Mapping[int, int]) -> None:
        """Have them tell what comes from now on from what came before.

        Args:
            typed: how much each writer has typed, by client.
        """
        await self._ask("mark", dict(typed))

    async def heard(self) -> list[Heard]:
        """What they have heard by now, process by process."""
        return await self._ask("heard")

    async def testify(self, authors: Sequence[Writer], expected: str | None) -> list[Testimony]:
        """What they can prove, process by process.

        Args:
            authors: what was typed, and when.
            expected: the text that it makes.
        """
        written = [Author(each.client_id, each.typed_at, each.text) for each in authors]
        return await self._ask("testify", written, expected)

    async def shown(self) -> dict[int, int]:
        """How many characters of each writer they have been shown, by client; the mark's, at least."""
        most: dict[int, int] = {}
        for each in await self._ask("shown"):
            most.update({client: max(count, most.get(client, 0)) for client, count in each.items()})
        return most

    async def close(self) -> None:
        """End the processes."""
        for process, connection in self._processes:
            connection.close()
            await asyncio.to_thread(process.join, _JOIN_SECONDS)
            process.kill()
        self._processes = []

    async def _ask(self, what: str, *arguments: object) -> list[Any]:
        for _, connection in self._processes:
            connection.send((what, arguments))
        return list(await asyncio.gather(*(asyncio.to_thread(connection.recv) for _, connection in self._processes)))


class _Readers:
    """The other end: readers in this process."""

    def __init__(self, people: Sequence[Editor]) -> None:
        self._people = people
        self._mark = Mark.of_people(people, {})

    async def is_open(self) -> bool:
        return True

    async def mark(self, typed: dict[int, int]) -> None:
        self._mark = Mark.of_people(self._people, typed)

    async def heard(self) -> Heard:
        now = Mark.of_people(self._people, {})
        return Heard(
            sum(len(each.frames) for each in self._people),
            now.received_bytes - self._mark.received_bytes,
            process_time(),
        )

    async def testify(self, authors: Sequence[Author], expected: str | None) -> Testimony:
        silent = await unanswered(self._people)
        found = arrivals(self._people, authors, self._mark)
        return Testimony(found.seconds, found.missing, silent, unlike(self._people, expected))

    async def shown(self) -> dict[int, int]:
        return shown(self._people, self._mark)


def _read(connection: Connection, door: Door, address: Address, size: int, seed: int) -> None:
    """The whole life of a process of readers: until the other end hangs up."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(connection, door, address, size, seed))


async def _serve(connection: Connection, door: Door, address: Address, size: int, seed: int) -> None:
    readers = _Readers(await opened(door, [address] * size, Random(seed)))
    while True:
        try:
            what, arguments = await asyncio.to_thread(connection.recv)
        except EOFError:
            # Nothing is to be waited for: not the thread, not the connections.
            os._exit(0)
        connection.send(await getattr(readers, what)(*arguments))
