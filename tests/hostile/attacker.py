"""Somebody with a valid token and no good intentions: sends any bytes, and sees what becomes of the connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from crdt.codec import decode_frame, encode
from crdt.messages import Acknowledgement, Message, SyncStep1, SyncStep2
from tests.support.cutting import cut
from tests.support.waiting import DEADLINE_SECONDS, wait_until

EXTENSIONS = "promptroom.v1"


class Attacker:
    """One raw connection.

    Args:
        url: of the prompt's WebSocket, with whatever query.
        token: the access token for the header; none is sent where it is None.
        subprotocols: what is offered.
        headers: more of them, such as Origin.
        receive_buffer: how many bytes the system keeps for one who does not read; its default where it is None.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        subprotocols: Sequence[str] = (EXTENSIONS,),
        headers: Mapping[str, str] | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        self.messages: list[Message] = []
        self._url = url
        self._subprotocols = [Subprotocol(each) for each in subprotocols]
        self._headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        self._receive_buffer = receive_buffer
        self._connection: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._connection = await connect(
            self._url,
            sock=await self._own_socket() if self._receive_buffer else None,
            additional_headers=self._headers,
            subprotocols=self._subprotocols or None,
            compression=None,
            max_size=None,
            ping_interval=None,
            close_timeout=1,
            proxy=None,
        )
        self._reader = asyncio.create_task(self._read(self._connection))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cut(self.connection)
        assert self._reader is not None
        await self._reader

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
    def acknowledged(self) -> int:
        """How many of its messages are committed, as far as the server has said."""
        counts = [message.count for message in self.messages if isinstance(message, Acknowledgement)]
        return counts[-1] if counts else 0

    async def send(self, message: bytes | str | Message) -> None:
        """Send whatever is given; that the server has hung up already is no surprise."""
        with suppress(ConnectionClosed):
            await self.connection.send(message if isinstance(message, bytes | str) else encode(message))

    async def close_code(self) -> int | None:
        """Wait until the server closes the connection, and answer the code."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.connection.wait_closed()
        return self.connection.close_code

    async def is_answered(self) -> bool:
        """Ask for the document: when the answer is here, the server has dealt with all that was sent before."""
        before = self._answers
        await self.send(SyncStep1(b"\x00"))
        await wait_until(lambda: self._answers > before or not self.is_open, what="an answer")
        return self.is_open

    @property
    def _answers(self) -> int:
        return sum(isinstance(message, SyncStep2) for message in self.messages)

    async def _own_socket(self) -> socket.socket:
        own = socket.socket()
        own.setblocking(False)  # noqa: FBT003 - the method's only argument
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer or 0)
        parts = urlsplit(self._url)
        await asyncio.get_running_loop().sock_connect(own, (parts.hostname, parts.port))
        return own

    async def _read(self, connection: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for frame in connection:
                assert isinstance(frame, bytes)
                self.messages.extend(decode_frame(frame, max_bytes=1 << 30))
