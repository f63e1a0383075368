"""Many editors at once: opening them, and waiting for what they are to hear."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from time import perf_counter
from typing import Final, Protocol, TypeVar

from load.dialects import Dialect
from load.editor import Editor
from load.servers.server import Address, Server

T = TypeVar("T")

SETTLE_SECONDS: Final = 30.0
"""How long is waited for what should be there at once; what is not there by then counts as lost."""

_ANSWER_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.01
_QUIET_SECONDS: Final = 0.05
# More at once would overflow the queue of connections that the system keeps for the server.
_OPENED_AT_ONCE: Final = 50
_CREATED_AT_ONCE: Final = 10


class Entrance(Protocol):
    """What somebody needs of a server who wants to come in."""

    @property
    def dialect(self) -> Dialect:
        """How it is spoken to."""

    @property
    def token(self) -> str:
        """What opens its documents."""


async def created(server: Server, count: int) -> list[Address]:
    """So many documents.

    Raises:
        ServerFailed: The server did not create one.
    """
    addresses: list[Address] = []
    for start in range(0, count, _CREATED_AT_ONCE):
        numbers = range(start, min(start + _CREATED_AT_ONCE, count))
        addresses += await asyncio.gather(*(server.document(f"Document {number}") for number in numbers))
    return addresses


async def opened(server: Entrance, addresses: Sequence[Address], random: Random) -> list[Editor]:
    """An editor at each address, synced.

    Args:
        server: whose documents they are.
        addresses: one for each editor; where a document stands on several nodes, people are spread over them.
        random: for the editors' ids and texts, and for who is on which node.

    Raises:
        ConnectionRefused: The server does not let one in.
        TimeoutError: One was not sent its document in time.
    """
    editors = [Editor(server.dialect, Random(random.random())) for _ in addresses]
    places = list(zip(editors, spread(addresses, random), strict=True))
    # Somebody has to be first in each document: servers are known to leave others hanging who come at the same moment.
    first = {place[1].document: place for place in reversed(places)}
    await _enter(server, [*first.values()])
    await _enter(server, [place for place in places if first[place[1].document] is not place])
    return editors


def spread(addresses: Sequence[Address], random: Random) -> Sequence[Address]:
    """The address at which each person is let in: any, but as many people on each node as on the others.

    Args:
        addresses: one for each person.
        random: for who is on which node.
    """
    nodes = [address.everywhere for address in addresses]
    if all(len(each) == 1 for each in nodes):
        return addresses
    turns = list(range(len(addresses)))
    random.shuffle(turns)
    return [each[turn % len(each)] for each, turn in zip(nodes, turns, strict=True)]


async def document_of(server: Entrance, address: Address, random: Random) -> bytes | None:
    """What somebody is sent who opens the document now, as an update; nothing, where it does not come in time.

    Raises:
        ConnectionRefused: The server does not let one in.
    """
    editor = Editor(server.dialect, Random(random.random()))
    await editor.open(address, server.token)
    try:
        return editor.document if await within(editor.synced, SETTLE_SECONDS) is not None else None
    finally:
        editor.close()


async def _enter(server: Entrance, places: Sequence[tuple[Editor, Address]]) -> None:
    for start in range(0, len(places), _OPENED_AT_ONCE):
        some = places[start : start + _OPENED_AT_ONCE]
        await asyncio.gather(*(editor.open(address, server.token) for editor, address in some))
        async with asyncio.timeout(SETTLE_SECONDS):
            await asyncio.gather(*(editor.synced for editor, _ in some))


async def unanswered(people: Sequence[Editor]) -> int:
    """Have everybody ask for the document once more; answers how many got no answer.

    Frames come in order, so everything that was sent to the others before their answers has been heard.
    """
    silent = 0
    for start in range(0, len(people), _OPENED_AT_ONCE):
        some = people[start : start + _OPENED_AT_ONCE]
        answers = await asyncio.gather(*(within(each.ask_again(), _ANSWER_SECONDS) for each in some))
        silent += answers.count(None)
    return silent


async def settled(condition: Callable[[], bool], seconds: float | None = None) -> bool:
    """Wait until the condition holds; answers whether it does.

    Args:
        condition: asked again and again.
        seconds: when to give up; as long as for everything else, unless it is given.
    """
    deadline = perf_counter() + (SETTLE_SECONDS if seconds is None else seconds)
    while not condition():
        if perf_counter() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


async def quiet(count: Callable[[], Awaitable[int]]) -> None:
    """Wait until what is counted has not grown for a moment."""
    last, since = await count(), perf_counter()
    while perf_counter() - since < _QUIET_SECONDS:
        await asyncio.sleep(_POLL_SECONDS)
        if (now := await count()) != last:
            last, since = now, perf_counter()


async def within(awaited: Awaitable[T], seconds: float) -> T | None:
    """What is awaited, or nothing when it takes too long."""
    try:
        async with asyncio.timeout(seconds):
            return await awaited
    except TimeoutError:
        return None
