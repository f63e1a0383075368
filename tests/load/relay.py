"""A small server in this process that keeps its promises, or breaks one of them on purpose."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from websockets.asyncio.server import Server as Listener
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from crdt.codec import decode_frame, encode
from crdt.document import EMPTY_UPDATE, Document
from crdt.messages import Acknowledgement, AwarenessUpdate, SyncStep1, SyncStep2, Update
from load.dialects import PROMPTROOM, Dialect
from load.servers.server import Address, Counts
from load.usage import Usage

EVERY = 7
"""How often a server that drops or forgets updates does so."""


@dataclass(slots=True)
class Room:
    """One document, and who has it open, with how many messages of each were acknowledged."""

    document: Document = field(default_factory=Document)
    kept: list[bytes] = field(default_factory=list)
    people: dict[ServerConnection, int] = field(default_factory=dict)


class Relay:
    """Documents, each relayed among all who are connected.

    Args:
        drops: whether the last who came to a document misses some updates.
        forgets: whether some acknowledged updates are not kept.
        garbles: whether newcomers are sent something else.
        doubles: whether some updates are kept twice.
    """

    name = "relay"
    dialect: Dialect = PROMPTROOM
    token = ""
    takes_content = False

    def __init__(
        self, *, drops: bool = False, forgets: bool = False, garbles: bool = False, doubles: bool = False
    ) -> None:
        self._drops = drops
        self._forgets = forgets
        self._garbles = garbles
        self._doubles = doubles
        self._rooms: dict[str, Room] = defaultdict(Room)
        self._heard = 0
        self._port = 0
        self._listener: Listener | None = None

    async def start(self) -> None:
        await self.restart()

    async def stop(self) -> None:
        self.kill()

    async def document(self, name: str, content: str = "") -> Address:
        assert not content
        return Address(f"ws://127.0.0.1:{self._port}{_path_of(name)}", name)

    def usage(self) -> Usage:
        return Usage(0, 0.0)

    def database_usage(self) -> Usage | None:
        return None

    def bus_usage(self) -> Usage | None:
        return None

    async def counts(self) -> Counts | None:
        return None

    async def journal(self, documents: Sequence[str]) -> Sequence[bytes] | None:
        return [row for document in documents for row in self._rooms[_path_of(document)].kept]

    def kill(self) -> None:
        if self._listener is not None:
            self._listener.close(close_connections=False)
        for room in self._rooms.values():
            for person in room.people:
                person.transport.abort()
            room.people.clear()

    async def restart(self, *, forgets: bool = False) -> None:  # noqa: ARG002 - there is nothing to forget
        for room in self._rooms.values():
            room.document = Document()
            room.document.apply(room.kept)
        subprotocols = [Subprotocol("promptroom.v1")]
        options: dict[str, Any] = {"subprotocols": subprotocols, "compression": None, "ping_interval": None}
        self._listener = await serve(self._serve, "127.0.0.1", self._port, **options)
        self._port = next(iter(self._listener.sockets)).getsockname()[1]

    async def has_forgotten(self) -> bool:
        return True

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.stop()

    async def _serve(self, person: ServerConnection) -> None:
        assert person.request is not None
        room = self._rooms[person.request.path]
        room.people[person] = 0
        try:
            await person.send(encode(SyncStep1(room.document.encode_state_vector())))
            async for frame in person:
                assert isinstance(frame, bytes)
                for message in decode_frame(frame, max_bytes=1 << 20):
                    await self._take(room, person, message)
        except ConnectionClosed:
            pass
        finally:
            room.people.pop(person, None)

    async def _take(self, room: Room, person: ServerConnection, message: object) -> None:
        match message:
            case SyncStep1(state_vector):
                update = room.document.encode_diff(state_vector)
                garbled = self._garbles and len(room.kept) > 1
                await person.send(encode(SyncStep2(EMPTY_UPDATE if garbled else update)))
            case SyncStep2(update) if update == EMPTY_UPDATE:
                await self._acknowledge(room, person)
            case SyncStep2(update) | Update(update):
                self._heard += 1
                room.document.apply([update])
                if not self._forgets or self._heard % EVERY:
                    room.kept.append(update)
                if self._doubles and not self._heard % EVERY:
                    room.kept.append(update)
                await self._pass_on(Update(update), self._readers(room))
                await self._acknowledge(room, person)
            case AwarenessUpdate():
                await self._pass_on(message, list(room.people))
            case _:
                pass

    def _readers(self, room: Room) -> Sequence[ServerConnection]:
        everybody = list(room.people)
        return everybody[:-1] if self._drops and not self._heard % EVERY else everybody

    async def _pass_on(self, message: Update | AwarenessUpdate, readers: Sequence[ServerConnection]) -> None:
        frame = encode(message)
        await asyncio.gather(*(reader.send(frame) for reader in readers), return_exceptions=True)

    async def _acknowledge(self, room: Room, person: ServerConnection) -> None:
        # A relay that was killed meanwhile has let go of everybody.
        if person in room.people:
            room.people[person] += 1
            await person.send(encode(Acknowledgement(room.people[person])))


def _path_of(document: str) -> str:
    return f"/{document.replace(' ', '-')}"
