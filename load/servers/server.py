"""What a scenario may ask of the server that it measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

from load.dialects import Dialect
from load.usage import Usage


class ServerFailed(Exception):
    """A server could not be started or did not do as it was asked; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where one document stands.

    Args:
        url: of the WebSocket.
        document: the name of the document on that socket, for dialects that say it in every message.
    """

    url: str
    document: str


class Server(Protocol):
    """One server on a core of its own, with storage of its own where it has any.

    It is an asynchronous context manager: started, and ready, inside; stopped, and its files removed, behind.
    """

    @property
    def name(self) -> str:
        """What it is called in the results, such as `promptroom-sqlite`."""

    @property
    def dialect(self) -> Dialect:
        """How it is spoken to."""

    @property
    def token(self) -> str:
        """What opens its documents."""

    @property
    def takes_content(self) -> bool:
        """Whether a document can be created with a text; of others the first editor has to type it."""

    async def start(self) -> None:
        """Start it on fresh storage, and wait until it is ready.

        Raises:
            ServerFailed: It did not start.
        """

    async def stop(self) -> None:
        """End it, and remove what it kept."""

    async def document(self, name: str, content: str = "") -> Address:
        """Create a document.

        Args:
            name: for people.
            content: its text, where the server takes one.

        Raises:
            ServerFailed: The server did not.
        """

    def usage(self) -> Usage:
        """What its process, and those that it has started, have used so far; not its database, if that is another."""

    def database_usage(self) -> Usage | None:
        """What its database server has used so far; nothing, where it has none."""

    def kill(self) -> None:
        """End it as `kill -9` does, at once, and return when its process is gone."""

    async def restart(self, *, forgets: bool = False) -> None:
        """Start it again on the same port and the same storage, after `kill`, and wait until it is ready.

        Args:
            forgets: whether it lets go of a document as soon as nobody has it open, if it keeps any.

        Raises:
            ServerFailed: It did not start.
        """

    async def has_forgotten(self) -> bool:
        """Whether it has let go of all documents; of a server that keeps none, always."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *raised: object) -> None: ...
