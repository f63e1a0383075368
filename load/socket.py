"""A WebSocket client that costs next to nothing, so that a thousand of them measure the server and not themselves.

It speaks as much of RFC 6455 as a server of Yjs documents needs: binary messages, whole or in parts, pings, closing.
It trusts what it is connected to, and is no client for anything else.

Every frame is masked, as the RFC demands, and with the same random mask: to a server any mask costs the same but that
of zeros, which some skip.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Final, cast
from urllib.parse import urlsplit

from websockets.speedups import apply_mask

_CONTINUATION: Final = 0x00
_PART: Final = 0x02
_LAST: Final = 0x80
_BINARY: Final = 0x82
_CLOSE: Final = 0x88
_PING: Final = 0x89
_PONG: Final = 0x8A
_MASKED: Final = 0x80
_MASK: Final = bytes(byte | 1 for byte in secrets.token_bytes(4))
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_SHORT_HEADER: Final = 2
_SHORT_MESSAGES: Final = tuple(bytes((_BINARY, _MASKED | length)) + _MASK for length in range(_LENGTH_16))
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
        self._waiting = b""
        self._parts: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self.received_bytes = 0
        """All that came, heads and handshake included."""
        self.closed: asyncio.Future[int] = self._loop.create_future()
        """The code it was closed with; 1006 where none came."""

    async def open(self, url: str, headers: Sequence[str] = ()) -> None:
        """Connect.

        Args:
            url: of the WebSocket, without TLS.
            headers: lines of the request besides those that every WebSocket needs.

        Raises:
            ConnectionRefused: The server answered something else.
            OSError: There is no server.
        """
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 80
        lines = (
            f"GET {parts.path or '/'}{'?' if parts.query else ''}{parts.query} HTTP/1.1",
            f"Host: {host}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}",
            *headers,
            "\r\n",
        )
        async with asyncio.timeout(OPEN_SECONDS):
            await self._loop.create_connection(lambda: self, host, port)
            self._write("\r\n".join(lines).encode())
            await self._opened

    def send(self, message: bytes) -> None:
        """Send one binary message."""
        self._write(_frame(message))

    def send_all(self, messages: Iterable[bytes]) -> None:
        """Send binary messages in one write to the system."""
        self._write(b"".join(map(_frame, messages)))

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
        self.received_bytes += len(data)
        # Nearly always a read is one whole short message.
        if not self._waiting and data[0] == _BINARY and len(data) - _SHORT_HEADER == data[1] < _LENGTH_16:
            self._receive(data[_SHORT_HEADER:], now)
            return
        if self._waiting:
            data, self._waiting = self._waiting + data, b""
        offset = 0 if self._opened.done() else self._read_answer(data)
        size = len(data)
        while size - offset >= _SHORT_HEADER:
            length, start = data[offset + 1], offset + _SHORT_HEADER
            if length >= _LENGTH_16:
                width = 2 if length == _LENGTH_16 else 8
                if start + width > size:
                    break
                length, start = int.from_bytes(data[start : start + width], "big"), start + width
            if start + length > size:
                break
            self._handle(data[offset], data[start : start + length], now)
            offset = start + length
        if offset < size:
            self._waiting = data[offset:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes."""
        if not self._opened.done():
            self._opened.set_exception(exc or ConnectionRefused("the server hung up"))
        if not self.closed.done():
            self.closed.set_result(1006)

    def _read_answer(self, data: bytes) -> int:
        end = data.find(b"\r\n\r\n") + 4
        if end < len(b"\r\n\r\n"):
            self._waiting = data
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
        elif kind in (_PART, _CONTINUATION):
            self._parts.append(payload)
        elif kind == _CONTINUATION | _LAST:
            whole, self._parts = b"".join((*self._parts, payload)), []
            self._receive(whole, now)
        elif kind == _PING:
            self._write(_head(_PONG, len(payload)) + apply_mask(payload, _MASK))
        elif kind == _CLOSE:
            if not self.closed.done():
                self.closed.set_result(int.from_bytes(payload[:2], "big") or 1005)
            self.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _frame(message: bytes) -> bytes:
    size = len(message)
    head = _SHORT_MESSAGES[size] if size < _LENGTH_16 else _head(_BINARY, size)
    return head + apply_mask(message, _MASK)


def _head(kind: int, length: int) -> bytes:
    if length < _LENGTH_16:
        return bytes((kind, _MASKED | length)) + _MASK
    if length < 1 << 16:
        return bytes((kind, _MASKED | _LENGTH_16)) + length.to_bytes(2, "big") + _MASK
    return bytes((kind, _MASKED | _LENGTH_64)) + length.to_bytes(8, "big") + _MASK
