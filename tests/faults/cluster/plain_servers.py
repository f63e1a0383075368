"""Plain TCP servers and clients, to see what a line does to what passes over it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.faults.cluster.passage import NO_LINGER
from tests.support.waiting import wait_until

_CHUNK_BYTES = 65_536


class PlainServer:
    """Remembers what each connection has brought.

    Args:
        echoes: Whether it also sends everything back; otherwise it answers when it is told to.
    """

    def __init__(self, *, echoes: bool) -> None:
        self.port = 0
        self.received: list[bytearray] = []
        self.finished = 0
        self._echoes = echoes
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        """Listen, on the port it had before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port or self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End every connection, and listen no more."""
        if self._server:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await wait_until(lambda: self.finished == len(self.received), what="every connection to end")

    def say(self, number: int, data: bytes) -> None:
        """Send something to the client that came as this number, from 0."""
        self._writers[number].write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = bytearray()
        self.received.append(received)
        self._writers.append(writer)
        with suppress(OSError):
            while data := await reader.read(_CHUNK_BYTES):
                received += data
                if self._echoes:
                    writer.write(data)
                    await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        self.finished += 1


@asynccontextmanager
async def plain_server(*, echoes: bool) -> AsyncIterator[PlainServer]:
    """Run a server."""
    server = PlainServer(echoes=echoes)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class Caller:
    """A client's connection, which remembers what it has heard, and how it ended."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard = bytearray()
        self.ended = False
        self.was_reset = False
        self.writer = writer
        self._hearing = asyncio.create_task(self._hear(reader))

    def say(self, data: bytes) -> None:
        """Send something."""
        self.writer.write(data)

    async def hears(self, data: bytes) -> None:
        """Wait until this is all it has heard."""
        await wait_until(lambda: bytes(self.heard) == data, what=f"{data[:50]!r} to arrive")

    async def ends(self) -> None:
        """Wait until the connection has ended."""
        await wait_until(lambda: self.ended, what="the connection to end")

    def reset(self) -> None:
        """End it as a process that is killed with something unread does: with RST."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.writer.transport.abort()

    async def close(self) -> None:
        """End it."""
        self.writer.transport.abort()
        await self._hearing
        with suppress(OSError):
            await self.writer.wait_closed()

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(_CHUNK_BYTES):
                self.heard += data
        except OSError:
            self.was_reset = True
        self.ended = True


@asynccontextmanager
async def caller(port: int) -> AsyncIterator[Caller]:
    """Connect to a port of this machine."""
    connected = Caller(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield connected
    finally:
        await connected.close()


async def time_for_an_exchange(server: PlainServer) -> None:
    """Return after a server that echoes has answered over a direct line, when what is on its way here has long come."""
    async with caller(server.port) as direct:
        for number in range(1, 11):
            direct.say(b".")
            await direct.hears(b"." * number)
