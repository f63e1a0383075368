"""A client on pycrdt: our own client peer on a real socket, with both ways under control."""

import asyncio
from contextlib import suppress
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from crdt.diff import TextEdit
from crdt.offsets import codepoint_to_utf16, utf16_length
from crdt.peer import ClientPeer, RoomEventReceived, Synced
from tests.convergence.way import Way
from tests.support.cutting import cut
from tests.support.yjs import Report

_FIRST_BACK_OFF_SECONDS = 0.05
_LAST_BACK_OFF_SECONDS = 1.0


class PycrdtClient:
    """A document, and a connection that is made again whenever it breaks, until it is told to disconnect.

    Args:
        url: Of the prompt's WebSocket.
        token: Whose client it is.
        extended: Whether it offers `promptroom.v1`.
        random: For the jitter between two tries.
    """

    def __init__(self, url: str, token: str, *, extended: bool, random: Random) -> None:
        self.peer = ClientPeer()
        self.closes: list[int] = []
        self.events: list[dict[str, Any]] = []
        self._url = url
        self._token = token
        self._extended = extended
        self._random = random
        self._connected = False
        self._tries = 0
        self._running: asyncio.Task[None] | None = None
        self._connection: ClientConnection | None = None
        self._to_send: asyncio.Queue[bytes] = asyncio.Queue()
        self.incoming, self.outgoing = Way(self._receive), Way(self._to_send.put_nowait)

    def connect(self) -> None:
        """Connect, and stay connected."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def disconnect(self) -> None:
        """Cut the connection and make no other."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    def span(self, at: float, length: int) -> tuple[int, int]:
        """Return two UTF-16 places in the present text, never between the halves of a surrogate pair."""
        text = self.peer.text
        start = int(at * (len(text) + 1))
        end = min(start + length, len(text))
        return codepoint_to_utf16(text, start), codepoint_to_utf16(text, end)

    def edit(self, start: int, end: int, text: str) -> None:
        """Replace what stands between two places."""
        self.peer.edit([TextEdit(start, end, text)])
        self._send_what_waits()

    def append(self, text: str) -> None:
        """Insert at the end."""
        end = utf16_length(self.peer.text)
        self.edit(end, end, text)

    def report(self) -> Report:
        """Return how things stand; raises what ended the connection where that was an error of ours."""
        if self._running is not None and self._running.done():
            self._running.result()
        return Report(
            text=self.peer.text,
            clocks=self.peer.document.state_vector(),
            waiting=False,
            connected=self._connected,
            synced=self.peer.synced,
            saved=self.peer.saved if self._extended else None,
            typed=None,
            acknowledged=None,
            closes=tuple(self.closes),
            events=tuple(self.events),
        )

    async def _run(self) -> None:
        while not (self.closes and 4400 <= self.closes[-1] < 4500):
            with suppress(OSError, WebSocketException):
                await self._stay_connected()
            delay = min(_FIRST_BACK_OFF_SECONDS * 2**self._tries, _LAST_BACK_OFF_SECONDS)
            self._tries += 1
            await asyncio.sleep(delay * self._random.uniform(0.5, 1.0))

    async def _stay_connected(self) -> None:
        connection = await connect(
            self._url,
            additional_headers={"Authorization": f"Bearer {self._token}"},
            subprotocols=["promptroom.v1"] if self._extended else None,  # type: ignore[list-item]
            compression=None,
            max_size=None,
            proxy=None,
        )
        self._to_send = asyncio.Queue()
        self.incoming, self.outgoing = Way(self._receive), Way(self._to_send.put_nowait)
        self._connected = True
        sender = asyncio.create_task(self._send_forever(connection))
        try:
            self.outgoing.take(self.peer.open())
            async for frame in connection:
                assert isinstance(frame, bytes)
                self.incoming.take([frame])
            self.closes.append(connection.close_code or 1006)
        except ConnectionClosed as closed:
            self.closes.append(closed.rcvd.code if closed.rcvd else 1006)
        finally:
            self._connected = False
            # What is held up on a connection is lost with it.
            self.incoming, self.outgoing = Way(self._receive), Way(self._to_send.put_nowait)
            self.peer.closed()
            sender.cancel()
            cut(connection)
            await asyncio.gather(sender, return_exceptions=True)

    def _receive(self, frame: bytes) -> None:
        for event in self.peer.receive(frame):
            match event:
                case RoomEventReceived(said):
                    self.events.append(dict(said))
                case Synced():
                    self._tries = 0
        self._send_what_waits()

    def _send_what_waits(self) -> None:
        self.outgoing.take(self.peer.data_to_send())

    async def _send_forever(self, connection: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await connection.send(await self._to_send.get())
