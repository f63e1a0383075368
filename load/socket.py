"""A WebSocket client that costs next to nothing, so that a thousand of them measure the server and not themselves.

It speaks as much of RFC 6455 as a server of ours needs: binary messages in one frame, pings, closing. It trusts what
it is connected to, and is no client for anything else.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable
from time import perf_counter
from typing import Final, cast
from urllib.parse import urlsplit

_BINARY: Final = 0x82
_CLOSE: Final = 0x88
_PING: Final = 0x89
_PONG: Final = 0x8A
_MASKED: Final = 0x80
# A mask of zeros is a mask, and leaves the payload as it is.
_MASK: Final = bytes(4)
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_SHORT_HEADER: Final = 2
_SWITCHING: Final = b"HTTP/1.1 101 "
# What the system buffers of a reply to 1,000 connections that open at once.
OPEN_SECONDS: Final = 60.0


class ConnectionRefused(Exception):
    """The server did not open the WebSocket; the message is the first line of its answer."""


class Socket(asyncio.Protocol):
    """One connection.

    Args:
        receive: called with every message and the time it arrived at, in seconds of `perf_counter`.
    """

    def __init__(self, receive: Callable[[bytes, float], None]) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._waiting = bytearray()
        self._transport: asyncio.Transport | None = None
        self.closed: asyncio.Future[int] = self._loop.create_future()
        """The code it was closed with; 1006 where none came."""

    async def open(self, url: str, token: str) -> None:
        """Connect.

        Args:
            url: of the WebSocket, without TLS.
            token: the access token.

        Raises:
            ConnectionRefused: The server answered something else.
            OSError: There is no server.
        """
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 80
        request = (
            f"GET {parts.path}{'?' if parts.query else ''}{parts.query} HTTP/1.1\r\n"
            f"Host: {host}:{port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}\r\n"
            "Sec-WebSocket-Protocol: promptroom.v1\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        )
        async with asyncio.timeout(OPEN_SECONDS):
            await self._loop.create_connection(lambda: self, host, port)
            self._write(request.encode())
            await self._opened

    def send(self, message: bytes) -> None:
        """Send one binary message."""
        self._write(_header(_BINARY, len(message)) + message)

    def close(self) -> None:
        """Hang up, as a browser does when its tab is closed."""
        if self._transport is not None:
            self._transport.close()

    # --- asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand over every message that is complete."""
        now = perf_counter()
        if self._waiting:
            self._waiting += data
            data = bytes(self._waiting)
            self._waiting.clear()
        offset = 0 if self._opened.done() else self._read_answer(data)
        size = len(data)
        while size - offset >= _SHORT_HEADER:
            length, start = data[offset + 1], offset + _SHORT_HEADER
            if length >= _LENGTH_16:
                width = 2 if length == _LENGTH_16 else 8
                length, start = int.from_bytes(data[start : start + width], "big"), start + width
            if start + length > size:
                break
            self._handle(data[offset], data[start : start + length], now)
            offset = start + length
        if offset < size:
            self._waiting += data[offset:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes."""
        if not self._opened.done():
            self._opened.set_exception(exc or ConnectionRefused("the server hung up"))
        if not self.closed.done():
            self.closed.set_result(1006)

    def _read_answer(self, data: bytes) -> int:
        end = data.find(b"\r\n\r\n") + 4
        if end < len(b"\r\n\r\n"):
            self._waiting += data
            return len(data)
        if data.startswith(_SWITCHING):
            self._opened.set_result(None)
        else:
            self._opened.set_exception(ConnectionRefused(data.partition(b"\r\n")[0].decode(errors="replace")))
            self.close()
        return end

    def _handle(self, kind: int, payload: bytes, now: float) -> None:
        if kind == _BINARY:
            self._receive(payload, now)
        elif kind == _PING:
            self._write(_header(_PONG, len(payload)) + payload)
        elif kind == _CLOSE:
            if not self.closed.done():
                self.closed.set_result(int.from_bytes(payload[:2], "big") or 1005)
            self.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _header(kind: int, length: int) -> bytes:
    if length < _LENGTH_16:
        return bytes((kind, _MASKED | length)) + _MASK
    if length < 1 << 16:
        return bytes((kind, _MASKED | _LENGTH_16)) + length.to_bytes(2, "big") + _MASK
    return bytes((kind, _MASKED | _LENGTH_64)) + length.to_bytes(8, "big") + _MASK
