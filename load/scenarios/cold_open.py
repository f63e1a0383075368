"""A document with a long history is opened, out of memory each time, on a server that was started anew.

The history is real traffic: pairs of authors, each writing the recorded session into the same document, so that its
characters lie as scattered as those of a document that people have worked on, deletions among them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from time import perf_counter
from typing import Final

from crdt.document import EMPTY_UPDATE, Document, new_client_id
from crdt.update import read_update
from load.crowd import document_of, within
from load.editor import Editor
from load.recording.performance import Holdings
from load.recording.session import as_updates, recorded
from load.replica import Replica
from load.results import Measurement, Spread
from load.servers.server import Address, Server

# A connection may bring sixteen client ids to our server, and each session has two.
_SESSIONS_OF_A_CONNECTION: Final = 8
_SENT_AT_ONCE: Final = 200
_SAVED_SECONDS: Final = 60.0
# Hocuspocus stores two seconds after the last change.
_STORED_SECONDS: Final = 3.0
_LOOKS: Final = 100
_LOOK_SECONDS: Final = 0.1
_OPEN_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class ColdOpen:
    """A document that is opened again and again.

    Args:
        edits: how many it has seen, at least.
        opens: how often it is opened.
    """

    edits: int = 250_000
    opens: int = 50
    name: str = "cold-open"

    @property
    def label(self) -> str:
        """The word with its numbers."""
        return f"cold-open {self.edits:,} edits x {self.opens}"

    async def run(self, server: Server, seed: int) -> Measurement:
        """Do it."""
        sessions = _sessions(-(-self.edits // len(recorded().keys)), seed)
        address = await server.document("An old document")
        start = perf_counter()
        text = await _write(server, address, sessions)
        writing_seconds = perf_counter() - start
        await asyncio.sleep(_STORED_SECONDS)
        server.kill()
        await server.restart(forgets=True)
        visits = [await _visit(server, address, seed + number) for number in range(self.opens)]
        came = [visit.seconds for visit in visits if visit.seconds is not None]
        problems = _problems(visits, text)
        edits = sum(map(len, sessions))
        return Measurement(
            scenario=self.name,
            server=server.name,
            load={"edits": edits, "opens": self.opens, "characters": len(text)},
            seed=seed,
            latency_ms=Spread.of(came[1:]),
            figures={
                **({"first_open_ms": came[0] * 1000} if came else {}),
                "written_per_second": edits / writing_seconds,
                "document_kb": max(len(visit.document) for visit in visits) / 1000,
                "memory_mb": server.usage().memory_bytes / 1e6,
            },
            converged=not problems,
            lost_acknowledged=await _lost(server, address, sessions) if problems else 0,
            problems=tuple(problems),
        )


@dataclass(frozen=True, slots=True)
class _Visit:
    """One opening.

    Args:
        seconds: from connecting to having the whole document; nothing, where it did not come.
        document: what was sent, as an update.
        forgotten: whether the server let go of it afterwards.
    """

    seconds: float | None
    document: bytes
    forgotten: bool


@cache
def _sessions(count: int, seed: int) -> Sequence[Sequence[bytes]]:
    """The updates of so many pairs of authors, the same for every server."""
    random = Random(seed)
    pairs = [(new_client_id(random), new_client_id(random)) for _ in range(count)]
    return [as_updates(replace(recorded(), clients=pair))[0] for pair in pairs]


async def _write(server: Server, address: Address, sessions: Sequence[Sequence[bytes]]) -> str:
    """Let one pair after another write; answers the text they come to.

    Raises:
        TimeoutError: The server did not save something in time.
    """
    document = Document()
    for first in range(0, len(sessions), _SESSIONS_OF_A_CONNECTION):
        replica = Replica(server.dialect, document)
        await replica.open(address, server.token)
        async with asyncio.timeout(_SAVED_SECONDS):
            await replica.caught_up
        for session in sessions[first : first + _SESSIONS_OF_A_CONNECTION]:
            await _send(replica, session)
        replica.close()
    return document.text


async def _send(replica: Replica, updates: Sequence[bytes]) -> None:
    for start in range(0, len(updates), _SENT_AT_ONCE):
        some = updates[start : start + _SENT_AT_ONCE]
        replica.document.apply(some)
        for update in some:
            replica.tell(update)
        async with asyncio.timeout(_SAVED_SECONDS):
            await replica.everything_saved()


async def _visit(server: Server, address: Address, seed: int) -> _Visit:
    editor = Editor(server.dialect, Random(seed))
    start = perf_counter()
    await editor.open(address, server.token)
    at = await within(editor.synced, _OPEN_SECONDS)
    editor.close()
    return _Visit(None if at is None else at - start, editor.document, await _is_forgotten(server))


async def _is_forgotten(server: Server) -> bool:
    for _ in range(_LOOKS):
        await asyncio.sleep(_LOOK_SECONDS)
        if await server.has_forgotten():
            return True
    return False


def _problems(visits: Sequence[_Visit], text: str) -> list[str]:
    problems = []
    if late := sum(visit.seconds is None for visit in visits):
        problems.append(f"{late} times the document did not come")
    if kept := sum(not visit.forgotten for visit in visits):
        problems.append(f"{kept} times the server kept the document in memory")
    if any(Document(update or EMPTY_UPDATE).text != text for update in {visit.document for visit in visits}):
        problems.append("another text was sent than was typed")
    return problems


async def _lost(server: Server, address: Address, sessions: Sequence[Sequence[bytes]]) -> int:
    """How many edits are missing from what the server has."""
    holdings = Holdings()
    holdings.take(await document_of(server, address, Random(0)) or EMPTY_UPDATE)
    return sum(not holdings.have(read_update(update)) for session in sessions for update in session)
