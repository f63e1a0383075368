"""Many open one large document at the same instant, as after a deploy or at the beginning of a lecture."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from string import ascii_lowercase
from time import perf_counter
from typing import Final

from crdt.document import Document
from load.crowd import document_of, opened, settled, within
from load.editor import Editor
from load.joiner import Joiner
from load.results import Measurement, Spread
from load.servers.server import Address, Server
from load.usage import Usage

_PASTE_CHARACTERS: Final = 62_500
_WARM_UP_JOINERS: Final = 20
_SAVED_SECONDS: Final = 60.0
_JOINED_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.02
# One in so many keeps what it is sent and is read afterwards; the others are counted.
_LOOKED_INTO: Final = 10


@dataclass(frozen=True, slots=True)
class JoinStorm:
    """Joiners of one document.

    Args:
        joiners: how many.
        megabytes: how long the document is, in millions of characters.
    """

    joiners: int = 150
    megabytes: float = 4.0
    name: str = "join-storm"

    @property
    def label(self) -> str:
        """The word with its numbers."""
        return f"join-storm {self.joiners} x {self.megabytes:g} MB"

    async def run(self, server: Server, seed: int) -> Measurement:
        """Do it."""
        random = Random(seed)
        address = await server.document("A long document")
        author, saved = await self._write(server, address, random)
        idle = server.usage()
        await _storm(server, address, _WARM_UP_JOINERS, random)
        before = server.usage()
        storm = await _storm(server, address, self.joiners, random)
        after = server.usage()
        problems = [] if saved else ["the document was not saved in time"]
        problems += storm.problems(bytes(author.text))
        if await document_of(server, address, random) is None:
            problems.append("afterwards the document was not sent to a newcomer")
        author.close()
        return Measurement(
            scenario=self.name,
            server=server.name,
            load={"joiners": self.joiners, "characters": len(author.text)},
            seed=seed,
            latency_ms=Spread.of(storm.seconds),
            figures={
                "memory_above_idle_mb": (storm.peak_bytes - idle.memory_bytes) / 1e6,
                "memory_left_mb": (after.memory_bytes - idle.memory_bytes) / 1e6,
                "memory_mb": storm.peak_bytes / 1e6,
                "cpu_seconds": after.cpu_seconds - before.cpu_seconds,
                "wire_mb": storm.received_bytes / 1e6,
            },
            converged=not problems,
            problems=tuple(problems),
        )

    async def _write(self, server: Server, address: Address, random: Random) -> tuple[Editor, bool]:
        """Paste the document together; its author stays, so that nobody has to load it."""
        (author,) = await opened(server, [address], random)
        left = round(self.megabytes * 1e6)
        while left > 0:
            length = min(left, _PASTE_CHARACTERS)
            author.paste("".join(random.choices(ascii_lowercase + "     \n", k=length)).encode())
            left -= length
        if server.dialect.acknowledges:
            return author, await settled(lambda: author.everything_is_saved, _SAVED_SECONDS)
        # What is asked behind the last paste is answered behind it.
        return author, await within(author.ask_again(), _SAVED_SECONDS) is not None


@dataclass(frozen=True, slots=True)
class _Storm:
    """What became of all joiners.

    Args:
        seconds: how long each took that had the document in the end.
        joiners: how many there were.
        sizes: how long the document was that each was sent.
        read: the documents of those who kept theirs.
        peak_bytes: the most memory that the server was seen to take.
        received_bytes: what all were sent.
    """

    seconds: Sequence[float]
    joiners: int
    sizes: Sequence[int]
    read: Sequence[bytes]
    peak_bytes: int
    received_bytes: int

    def problems(self, text: bytes) -> list[str]:
        """What is wrong with what they were sent.

        Args:
            text: what they should have been sent.
        """
        problems = []
        if len(self.seconds) < self.joiners:
            problems.append(f"{self.joiners - len(self.seconds)} of {self.joiners} never had the document")
        if len({*self.sizes}) > 1:
            problems.append("joiners were sent documents of different lengths")
        if any(Document(update).text.encode() != text for update in {*self.read}):
            problems.append("joiners were sent another text than was typed")
        return problems


async def _storm(server: Server, address: Address, joiners: int, random: Random) -> _Storm:
    readers = [Editor(server.dialect, Random(random.random())) for _ in range(-(-joiners // _LOOKED_INTO))]
    counters = [Joiner(server.dialect) for _ in range(joiners - len(readers))]
    usages: list[Usage] = []
    looking = asyncio.create_task(_look(server, usages))
    start = perf_counter()
    opening = [
        *(each.open(address, server.token) for each in readers),
        *(each.join(address, server.token) for each in counters),
    ]
    await asyncio.gather(*opening, return_exceptions=True)
    waiting = [*(each.synced for each in readers), *(each.joined for each in counters)]
    arrived = await asyncio.gather(*(within(each, _JOINED_SECONDS) for each in waiting))
    looking.cancel()
    usages.append(server.usage())
    everybody: list[Editor | Joiner] = [*readers, *counters]
    for each in everybody:
        each.close()
    return _Storm(
        seconds=[at - start for at in arrived if at is not None],
        joiners=joiners,
        sizes=[each.document_bytes for each in counters],
        read=[each.document for each in readers if each.document],
        peak_bytes=max(each.memory_bytes for each in usages),
        received_bytes=sum(each.received_bytes for each in everybody),
    )


async def _look(server: Server, usages: list[Usage]) -> None:
    while True:
        usages.append(server.usage())
        await asyncio.sleep(_LOOK_SECONDS)
