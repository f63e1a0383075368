"""What a scenario may ask of the server that it measures."""

from __future__ import annotations

from collections.abc import Sequence
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
        urls: of the same document on each node where people are let in, if the server has several.
    """

    url: str
    document: str
    urls: tuple[str, ...] = ()

    @property
    def everywhere(self) -> Sequence[Address]:
        """Each node on which it stands."""
        return [Address(url, self.document) for url in self.urls or (self.url,)]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a server has counted since it was started.

    Args:
        commits: how often the waiting edits of a document were committed.
        published: messages that its nodes have sent each other.
    """

    commits: float
    published: float

    def __add__(self, other: Counts) -> Counts:
        """What both have counted."""
        return Counts(self.commits + other.commits, self.published + other.published)

    def since(self, before: Counts) -> Counts:
        """What has been counted since then."""
        return Counts(self.commits - before.commits, self.published - before.published)


class Server(Protocol):
    """One server on a core of its own, or several nodes that are one, with storage of its own where it has any.

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

    def bus_usage(self) -> Usage | None:
        """What has been used so far by what carries messages between its nodes; nothing, where there is no such."""

    async def counts(self) -> Counts | None:
        """What it has counted itself; nothing, where it does not."""

    async def journal(self, documents: Sequence[str]) -> Sequence[bytes] | None:
        """The payload of every row that its database has of these documents, in the order of each.

        Nothing, where nobody can look.
        """

    def kill(self) -> None:
        """End it as `kill -9` does, at once, and return when its processes are gone."""

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
