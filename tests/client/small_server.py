"""A small room behind a real socket, for the Python client; it can refuse, close, stop and come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from client.connection import SUBPROTOCOL
from crdt.document import Document, initial_state
from tests.crdt.small_room import SmallRoom


class SmallServer:
    """One room at one port.

    Args:
        text: what the prompt holds.
    """

    def __init__(self, text: str = "hello") -> None:
        self.room = SmallRoom(Document(initial_state(text, 7)))
        self.port = 0
        # What the next upgrades are answered with instead, and how the connections after them are closed.
        self.refusals: list[HTTPStatus] = []
        self.closings: list[tuple[int, str]] = []
        self.role = "editor"
        self.speaks_extension = True
        # Cleared, it reads nothing.
        self.reads = asyncio.Event()
        self.reads.set()
        self.paths: list[str] = []
        self.tokens: list[str] = []
        self._server: Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await serve(
            self._handle,
            "127.0.0.1",
            self.port,
            subprotocols=[SUBPROTOCOL] if self.speaks_extension else None,
            process_request=self._admit,
            compression=None,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def close_all(self, code: int, reason: str = "") -> None:
        assert self._server is not None
        for connection in tuple(self._server.connections):
            await connection.close(code, reason)

    def break_all(self) -> None:
        """Cut the connections without a word."""
        assert self._server is not None
        for connection in tuple(self._server.connections):
            connection.transport.abort()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        self.tokens.append(request.headers["Authorization"])
        return connection.respond(self.refusals.pop(0), "") if self.refusals else None

    async def _handle(self, connection: ServerConnection) -> None:
        if self.closings:
            await connection.close(*self.closings.pop(0))
            return
        outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        session = self.room.join(outgoing.put_nowait)
        session.send_event(f'{{"type":"room.joined","role":"{self.role}","epoch":3}}')
        sending = asyncio.create_task(_send(connection, outgoing))
        try:
            with suppress(ConnectionClosed):
                while True:
                    await self.reads.wait()
                    session.receive(await connection.recv(decode=False))
        finally:
            self.room.leave(session)
            sending.cancel()


async def _send(connection: ServerConnection, outgoing: asyncio.Queue[bytes]) -> None:
    with suppress(ConnectionClosed):
        while True:
            await connection.send(await outgoing.get())


@asynccontextmanager
async def small_server(text: str = "hello", *, speaks_extension: bool = True) -> AsyncIterator[SmallServer]:
    """A running server."""
    server = SmallServer(text)
    server.speaks_extension = speaks_extension
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
