"""How every scenario with writers ends: with a `kill -9` while people type, and a look at what was kept.

What the server had acknowledged, or shown to anybody, when it died is compared with what it serves when it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Final

from crdt.document import EMPTY_UPDATE, Document
from crdt.errors import CrdtError
from load.crowd import document_of, settled
from load.evidence import shown, text_of
from load.generators import Audience
from load.pacing import play, regularly
from load.room import Mark, Room
from load.servers.server import Server

# Long enough for some commits, and for two seconds of Hocuspocus's patience to matter; nothing is timed any more.
_SECONDS: Final = 1.0
_EARLIEST: Final = 0.4
_CLOSE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Ending:
    """What a `kill -9` cost.

    Args:
        acknowledged: characters that the server had acknowledged and no longer has; none, if it acknowledges none.
        shown: characters that it had shown to somebody else and no longer has.
        problems: what is wrong with what it kept, in words.
    """

    acknowledged: int | None
    shown: int
    problems: tuple[str, ...] = ()

    @property
    def lost(self) -> int:
        """What was lost of what had been promised."""
        return self.shown if self.acknowledged is None else self.acknowledged


async def kill_while_typing(
    server: Server, rooms: Sequence[Room], rate: float, random: Random, audience: Audience
) -> Ending:
    """Type, kill the server in the middle of it, start it again, and see what is there.

    Args:
        server: where the rooms are.
        rooms: everybody in them is connected; afterwards nobody is.
        rate: keys a second of each writer.
        random: for the moment of the kill.
        audience: more readers of the first room.
    """
    marks = [Mark.of(room) for room in rooms]
    await audience.mark(marks[0].typed)
    typing = asyncio.create_task(_type(rooms, rate, random))
    await asyncio.sleep(random.uniform(_EARLIEST, _SECONDS))
    server.kill()
    # What it had sent before it died was sent: it is read first.
    everybody = [person for room in rooms for person in room.people]
    await settled(lambda: not any(person.is_open for person in everybody), _CLOSE_SECONDS)
    typing.cancel()
    await server.restart()
    seen = [shown(room.people, mark) for room, mark in zip(rooms, marks, strict=True)]
    for client, count in (await audience.shown()).items():
        seen[0][client] = max(count, seen[0][client])
    endings = [await _compare(server, room, each, random) for room, each in zip(rooms, seen, strict=True)]
    acknowledged = [each.acknowledged for each in endings if each.acknowledged is not None]
    return Ending(
        sum(acknowledged) if acknowledged else None,
        sum(each.shown for each in endings),
        tuple(sorted({problem for each in endings for problem in each.problems})),
    )


async def _type(rooms: Sequence[Room], rate: float, random: Random) -> None:
    writers = [writer for room in rooms for writer in room.writers]
    await play(regularly([each.type for each in writers], rate, perf_counter(), _SECONDS + _EARLIEST, random))


async def _compare(server: Server, room: Room, seen: Mapping[int, int], random: Random) -> Ending:
    served = await document_of(server, room.address, random)
    if served is None:
        return Ending(None, 0, ("after the restart a document was not sent",))
    try:
        document = Document(served or EMPTY_UPDATE)
        kept, text = document.state_vector(), document.text
    except CrdtError as error:
        return Ending(None, 0, (f"after the restart a document cannot be read: {error}",))
    saved = {each.client_id: each.saved_characters for each in room.writers}
    lost = sum(max(count - kept.get(client, 0), 0) for client, count in seen.items())
    problems: tuple[str, ...] = ()
    if any(kept.get(client, 0) for client in saved) and text != text_of(room, _cut(kept, room)):
        problems = ("what was kept is not what was typed",)
    return Ending(
        sum(max(count - kept.get(client, 0), 0) for client, count in saved.items())
        if server.dialect.acknowledges
        else None,
        lost,
        problems,
    )


def _cut(kept: dict[int, int], room: Room) -> dict[int, int]:
    return {each.client_id: kept.get(each.client_id, 0) for each in room.writers}
