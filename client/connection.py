"""Keeps a peer connected: one connection after the other, until an end that is final.

On each connection three tasks run: one receives, one sends what the peer has to say, in its order, and
one repeats the presence, which others would forget.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as dial
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException
from websockets.typing import Subprotocol

from client.errors import PromptClosed
from client.patience import NOT_AUTHENTICATED, Patience, ending, is_final
from crdt.client_peer import MAX_FRAME_BYTES, AwarenessChanged, ClientEvent, ClientPeer, Synced

SUBPROTOCOL = Subprotocol("promptroom.v1")
# Others forget a client that is silent for 30 s (y-protocols).
PRESENCE_RENEWAL_SECONDS = 15.0
PRESENCE_TIMEOUT_SECONDS = 30.0
# RFC 6455, 7.4.1: the server lacks an extension that the client needs.
_EXTENSION_MISSING = 1010

Token = str | Callable[[], Awaitable[str]]
Sleep = Callable[[float], Awaitable[None]]


class Connection:
    """The connections of one peer.

    Args:
        url: of the prompt's WebSocket.
        token: an access token, or a function that is asked for one before every connection.
        peer: whom it connects.
        heard: is called with what came from the server, and with nothing when a connection is gone or
            everything was sent.
        patience: decides how long to wait before connecting again.
        sleep: waits, in seconds.
    """

    def __init__(
        self,
        url: str,
        token: Token,
        peer: ClientPeer,
        heard: Callable[[Sequence[ClientEvent]], None],
        *,
        patience: Patience,
        sleep: Sleep,
    ) -> None:
        self.token = token
        # Of the document that was loaded; a server with another one says so instead of merging the two.
        self.epoch: int | None = None
        self._url = url
        self._peer = peer
        self._heard = heard
        self._patience = patience
        self._sleep = sleep
        self._outgoing: deque[bytes] = deque()
        self._has_work = asyncio.Event()

    @property
    def waiting_frames(self) -> int:
        """How many frames the socket has yet to take."""
        return len(self._outgoing)

    def flush(self) -> None:
        """Send what the peer has to say."""
        self._enqueue(self._peer.data_to_send())

    async def run(self) -> None:
        """Connect again and again.

        Raises:
            PromptClosed: the server ended a connection for good.
        """
        while True:
            await self._sleep(await self._connect())

    async def _connect(self) -> float:
        """Stay connected as long as one connection lasts; returns the seconds until the next."""
        ended: PromptClosed | None = None
        was_synced = False
        try:
            async with self._dial(await self._current_token()) as connection:
                try:
                    await self._serve(connection)
                finally:
                    was_synced = self._peer.synced
                    self._disconnected()
        except (ConnectionClosed, InvalidStatus) as error:
            ended = ending(error)
        except InvalidURI:
            raise
        except (OSError, WebSocketException):
            # The server is away, or something between it and here; a TimeoutError is an OSError too.
            ended = None
        if ended is None or not is_final(ended):
            return self._patience.next_delay(ended)
        # A token that expired on a connection that held is replaced; one that was refused at once is not.
        if ended.code == NOT_AUTHENTICATED and was_synced and not isinstance(self.token, str):
            return 0.0
        raise ended

    def _dial(self, token: str) -> dial:
        return dial(
            self._url if self.epoch is None else f"{self._url}?epoch={self.epoch}",
            subprotocols=[SUBPROTOCOL],
            additional_headers={"Authorization": f"Bearer {token}"},
            compression=None,
            max_size=MAX_FRAME_BYTES,
        )

    async def _current_token(self) -> str:
        return self.token if isinstance(self.token, str) else await self.token()

    async def _serve(self, connection: ClientConnection) -> None:
        if connection.subprotocol != SUBPROTOCOL:
            raise PromptClosed(_EXTENSION_MISSING, "the server does not acknowledge edits")
        self._enqueue(self._peer.open())
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(connection))
                group.create_task(self._renew_presence())
                await self._receive(connection)
        except ExceptionGroup as failures:
            # What failed first has ended the others.
            raise failures.exceptions[0] from None

    async def _receive(self, connection: ClientConnection) -> None:
        while True:
            events = self._peer.receive(await connection.recv(decode=False))
            self.flush()
            if any(isinstance(event, Synced) for event in events):
                self._patience.connected()
            if events:
                self._heard(events)

    async def _send(self, connection: ClientConnection) -> None:
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            while self._outgoing:
                await connection.send(self._outgoing.popleft())
            self._heard(())

    async def _renew_presence(self) -> None:
        while True:
            await self._sleep(PRESENCE_RENEWAL_SECONDS)
            self._peer.renew_presence()
            self.flush()
            gone = self._peer.awareness.expire(PRESENCE_TIMEOUT_SECONDS)
            if gone:
                self._heard([AwarenessChanged(tuple(gone))])

    def _enqueue(self, frames: Sequence[bytes]) -> None:
        if frames:
            self._outgoing.extend(frames)
            self._has_work.set()

    def _disconnected(self) -> None:
        self._peer.closed()
        self._outgoing.clear()
        self._heard(())
