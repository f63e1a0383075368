"""A client that holds the whole document, as a browser does, and comes back with it after its connection broke."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from crdt.codec import encode
from crdt.document import EMPTY_UPDATE, Document
from crdt.messages import Acknowledgement, SyncStep1, SyncStep2, Update
from load.dialects import Dialect, Saved
from load.servers.server import Address
from load.socket import Socket

Listener = Callable[[bytes, float], None]
"""Called with an update that arrived, when the document holds it, and with when it arrived."""


class Replica:
    """One client, over all the connections of its life.

    Args:
        dialect: how the server is spoken to.
        document: what it holds; an empty one if none is given.
    """

    def __init__(self, dialect: Dialect, document: Document | None = None) -> None:
        self.document = Document() if document is None else document
        self.listener: Listener | None = None
        self.synced: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """When the server's first answer on this connection was here, in seconds of `perf_counter`."""
        self.caught_up: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """When, besides, the server had asked for what this end has, and acknowledged the answer."""
        self._dialect = dialect
        self._prefix = b""
        self._saved = 0
        # For every message that is acknowledged: how many changes had been sent with it.
        self._told: list[int] = []
        self._answered = False
        self._waiting: asyncio.Future[None] | None = None
        self._socket: Socket | None = None

    async def open(self, address: Address, token: str) -> None:
        """Connect, for the first time or again, and say what it has.

        Raises:
            ConnectionRefused: The server answered something else.
        """
        self.synced = asyncio.get_running_loop().create_future()
        self.caught_up = asyncio.get_running_loop().create_future()
        self._prefix = self._dialect.prefix(address.document)
        self._saved = 0
        self._told = []
        self._answered = False
        self._socket = Socket(self._receive)
        await self._socket.open(address.url, self._dialect.headers(token))
        for message in self._dialect.greeting(address.document, token):
            self._socket.send(message)
        self._say(SyncStep1(self.document.encode_state_vector()))

    @property
    def is_open(self) -> bool:
        """Whether the connection stands."""
        return self._socket is not None and not self._socket.closed.done()

    @property
    def told(self) -> int:
        """How many changes it has sent on this connection, answers to the server's questions not counted."""
        return self._told[-1] if self._told else 0

    @property
    def saved(self) -> int:
        """How many of these the server has said to have saved."""
        return self._told[min(self._saved, len(self._told)) - 1] if self._saved and self._told else 0

    @property
    def received_bytes(self) -> int:
        """All that came over its connection."""
        return 0 if self._socket is None else self._socket.received_bytes

    def make(self, update: bytes) -> None:
        """Change the document, and tell the server if there is a connection.

        Args:
            update: a change that builds on nothing that the document lacks.
        """
        self.document.apply([update])
        self.tell(update)

    def tell(self, update: bytes) -> None:
        """Send a change that the document holds already; without a connection, the next one will carry it."""
        if self.is_open:
            self._told.append(self.told + 1)
            self._say(Update(update))

    async def everything_saved(self) -> None:
        """Return when the server has acknowledged all that was sent so far, and all that is sent until then."""
        while self._saved < len(self._told):
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()

    def _receive(self, frame: bytes, now: float) -> None:
        for message in self._dialect.decode(frame, self._prefix):
            match message:
                case Update(update):
                    self._apply(update, now)
                case SyncStep2(update):
                    self._apply(update, now)
                    if not self.synced.done():
                        self.synced.set_result(now)
                case SyncStep1(state_vector):
                    self._told.append(self.told)
                    self._answered = True
                    self._say(SyncStep2(self.document.encode_diff(state_vector)))
                case Acknowledgement(count):
                    self._saved = count
                case Saved():
                    self._saved += 1
                case _:
                    pass
        if self._waiting is not None and not self._waiting.done() and self._saved >= len(self._told):
            self._waiting.set_result(None)
        if not self.caught_up.done() and self._is_in_step():
            self.caught_up.set_result(now)

    def _is_in_step(self) -> bool:
        if not self.synced.done() or not self._answered:
            return False
        return self._saved >= len(self._told) or not self._dialect.acknowledges

    def _apply(self, update: bytes, now: float) -> None:
        if update == EMPTY_UPDATE:
            return
        self.document.apply([update])
        if self.listener is not None:
            self.listener(update, now)

    def _say(self, message: SyncStep1 | SyncStep2 | Update) -> None:
        if self._socket is not None:
            self._socket.send(self._prefix + encode(message))
