"""What sessions run in: a real server that can be killed, the Node process, and people who may use it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from uuid import UUID

import httpx2

from persistence.store import migrate
from server.access import Role
from tests.convergence.clients import Client, OnPycrdt, OnYjs
from tests.convergence.plan import Seat
from tests.support.people import ENVIRONMENT, Person, invite
from tests.support.rest import Rest
from tests.support.server import ServerProcess
from tests.support.yjs import YjsProcess

_WRITERS = 4
_VIEWERS = 4

# Rooms that nobody is in are unloaded, and loaded again, all the time.
_ENVIRONMENT = {**ENVIRONMENT, "IDLE_UNLOAD_SECONDS": "0"}


class _Server(ServerProcess):
    """A server that writes checkpoints far more often than usual; sessions are short."""

    program = "tests.faults.crashing_server"


class World:
    """Everything around the sessions.

    Args:
        server: The server, running.
        yjs: The Node process.
        people: The writers, then the viewers.
        rest: REST as one of the writers.
    """

    def __init__(self, server: ServerProcess, yjs: YjsProcess, people: list[Person], rest: Rest) -> None:
        self.server = server
        self.yjs = yjs
        self.rest = rest
        self.kills = 0
        self.deploys = 0
        self._people = people
        self._restarting = asyncio.Lock()

    async def restart(self, *, kill: bool) -> None:
        """End the server, as `kill -9` or as a deploy does, and start it again; who asks meanwhile shares it."""
        shared = self._restarting.locked()
        async with self._restarting:
            if shared:
                return
            if kill:
                self.kills += 1
            else:
                self.deploys += 1
                assert await self.server.terminate() == 0
            await self.server.restart()

    def person(self, user_id: UUID) -> int:
        """Return the number of a writer."""
        return next(number for number, person in enumerate(self._people) if person.user_id == user_id)

    def client(self, seat: Seat, prompt_id: UUID, random: Random) -> Client:
        """Return a client for a seat, not connected yet."""
        token = self._people[_WRITERS + seat.person if seat.views else seat.person].token
        url = self.server.websocket_url
        if seat.kind.is_yjs:
            seed = random.getrandbits(32)
            return OnYjs(self.yjs, seat, url=url, prompt=str(prompt_id), token=token, seed=seed)
        return OnPycrdt(seat, url=f"{url}/{prompt_id}", token=token, random=random)


@asynccontextmanager
async def world(state_directory: Path, database_url: str) -> AsyncIterator[World]:
    """Start a server with people on a database; it is killed at the end, if it still runs."""
    server = _Server(state_directory, database_url=database_url, environment=_ENVIRONMENT)
    await migrate(database_url)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server)
        yjs = await stack.enter_async_context(YjsProcess())
        http = await stack.enter_async_context(httpx2.AsyncClient(trust_env=False))
        people = await invite(database_url, *[Role.EDITOR] * _WRITERS, *[Role.VIEWER] * _VIEWERS)
        yield World(server, yjs, people, Rest(http, server.base_url, people[0].token))
