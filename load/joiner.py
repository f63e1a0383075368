"""A client that wants the whole document and does not look at it: how long it takes, and nothing else.

A large message is counted, not kept. To put megabytes together for each of 150 joiners would take the generator longer
than the server needs to send them.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Final

from crdt.codec import encode
from crdt.document import EMPTY_STATE_VECTOR
from crdt.messages import SyncStep1
from load.dialects import Dialect
from load.servers.server import Address
from load.socket import Socket

LARGE_BYTES: Final = 100_000
"""From here on a message is the document: nothing else that a server says is as long."""

_LONGEST_HEAD: Final = 10
_LENGTH: Final = slice(2, _LONGEST_HEAD)
_LENGTH_64: Final = 127


class Joiner(Socket):
    """One connection that asks for a document of more than 100 KB.

    Args:
        dialect: how the server is spoken to.
    """

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(self._hear)
        self.joined: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """When the whole document was here, in seconds of `perf_counter`."""
        self.document_bytes = 0
        """How long the message was that held it."""
        self._dialect = dialect
        self._left = 0

    async def join(self, address: Address, token: str) -> None:
        """Connect, and ask.

        Raises:
            ConnectionRefused: The server answered something else.
        """
        await self.open(address.url, self._dialect.headers(token))
        for message in self._dialect.greeting(address.document, token):
            self.send(message)
        self.send(self._dialect.prefix(address.document) + encode(SyncStep1(EMPTY_STATE_VECTOR)))

    def data_received(self, data: bytes) -> None:
        """Count, while it is the document; understand the rest."""
        now = perf_counter()
        if self._left:
            counted = min(self._left, len(data))
            self._left -= counted
            self.received_bytes += counted
            data = data[counted:]
            if not self._left and not self.joined.done():
                self.joined.set_result(now)
        if data:
            super().data_received(data)
            self._skip_large()

    def _hear(self, message: bytes, now: float) -> None:
        """A document that came in one piece with what stood before it."""
        if len(message) >= LARGE_BYTES and not self.joined.done():
            self.document_bytes = len(message)
            self.joined.set_result(now)

    def _skip_large(self) -> None:
        """Let go of the beginning of a large message; the rest of it is counted."""
        if len(self._waiting) < _LONGEST_HEAD or self._waiting[1] != _LENGTH_64:
            return
        length = int.from_bytes(self._waiting[_LENGTH], "big")
        if length >= LARGE_BYTES:
            self.document_bytes = length
            self._left = length + _LONGEST_HEAD - len(self._waiting)
            self._waiting = b""
