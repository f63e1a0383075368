"""Somebody who only types, under a client id that the hostile inputs know; the connection must never end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from crdt.awareness import Json
from crdt.diff import TextEdit
from crdt.document import Document
from crdt.offsets import utf16_length
from crdt.peer import ClientPeer
from tests.support.cutting import cut
from tests.support.waiting import wait_until


class Honest:
    """A client that stays.

    Args:
        url: of the prompt's WebSocket.
        token: the access token.
        client_id: the client id; a random one where none is given.
    """

    def __init__(self, url: str, token: str, *, client_id: int | None = None) -> None:
        self.peer = ClientPeer(Document(client_id=client_id))
        self._url = url
        self._token = token
        self._connection: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._to_send: asyncio.Queue[bytes] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._connection = await connect(
            self._url,
            additional_headers={"Authorization": f"Bearer {self._token}"},
            subprotocols=[Subprotocol("promptroom.v1")],
            compression=None,
            max_size=None,
            proxy=None,
        )
        self._tasks = [asyncio.create_task(work) for work in (self._read(), self._send_forever())]
        self._send(self.peer.open())
        await wait_until(lambda: self.peer.synced, what="the first sync")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cut(self.connection)
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        failures = [each for each in ended if isinstance(each, Exception)]
        if failures and error is None:
            raise failures[0]

    @property
    def connection(self) -> ClientConnection:
        """The connection itself."""
        assert self._connection is not None
        return self._connection

    @property
    def is_open(self) -> bool:
        """Whether the connection stands."""
        return self.connection.close_code is None

    @property
    def text(self) -> str:
        """What stands before their eyes."""
        return self.peer.text

    async def type(self, text: str, at: int | None = None) -> None:
        """Insert at a place in UTF-16 code units, at the end where none is given, and wait until it is saved."""
        place = utf16_length(self.text) if at is None else at
        await self.edit(place, place, text)

    async def edit(self, start: int, end: int, text: str) -> None:
        """Replace what stands between two places in UTF-16 code units, and wait until it is saved."""
        self.peer.edit([TextEdit(start, end, text)])
        self._send(self.peer.data_to_send())
        await self.saved()

    def say(self, state: dict[str, Json]) -> None:
        """Say something about oneself to everybody."""
        self.peer.set_presence(state)
        self._send(self.peer.data_to_send())

    async def saved(self) -> None:
        """Wait until everything typed is acknowledged."""
        await wait_until(lambda: self.peer.saved, what="all that was typed to be acknowledged")

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for frame in self.connection:
                assert isinstance(frame, bytes)
                self.peer.receive(frame)
                self._send(self.peer.data_to_send())

    def _send(self, frames: list[bytes]) -> None:
        for frame in frames:
            self._to_send.put_nowait(frame)

    async def _send_forever(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                await self.connection.send(await self._to_send.get())
