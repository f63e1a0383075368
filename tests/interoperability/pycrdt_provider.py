"""pycrdt's own provider, unmodified, on a WebSocket of the `websockets` library."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pycrdt
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.waiting import wait_until


class Channel(pycrdt.Channel):
    """What a provider wants of a transport.

    Args:
        connection: an open WebSocket.
        path: what the provider calls it in its log.
    """

    def __init__(self, connection: ClientConnection, path: str) -> None:
        self.heard = 0
        self._connection = connection
        self._path = path

    @property
    def path(self) -> str:
        """What the provider calls it in its log."""
        return self._path

    @property
    def close_code(self) -> int | None:
        """The code the connection was closed with, if it was."""
        return self._connection.close_code

    async def send(self, message: bytes) -> None:
        """Send one message."""
        await self._connection.send(message)

    async def recv(self) -> bytes:
        """Wait for one message."""
        message = await self._connection.recv()
        assert isinstance(message, bytes)
        self.heard += 1
        return message

    async def __anext__(self) -> bytes:
        """Wait for one message, or for the end."""
        try:
            return await self.recv()
        except ConnectionClosed as error:
            raise StopAsyncIteration from error


class ProviderClient:
    """A document that a provider keeps in step."""

    def __init__(self, document: pycrdt.Doc[pycrdt.Text], channel: Channel) -> None:
        self.content = document.get("content", type=pycrdt.Text)
        self.channel = channel

    @property
    def text(self) -> str:
        """What it shows."""
        return str(self.content)

    def append(self, text: str) -> None:
        """Type at the end."""
        self.content += text


@asynccontextmanager
async def provided(url: str, token: str) -> AsyncIterator[ProviderClient]:
    """A client of a prompt, in step when this is entered.

    Args:
        url: of the prompt's WebSocket.
        token: the access token.
    """
    document: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(url, additional_headers=headers, compression=None, max_size=None, proxy=None) as connection:
        channel = Channel(connection, url)
        client = ProviderClient(document, channel)
        async with pycrdt.Provider(document, channel) as provider:
            await wait_until(provider.synced.is_set, what="the provider's first sync")
            yield client
