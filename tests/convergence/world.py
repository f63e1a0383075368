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
from tests.support.server import ServerProcess
from tests.support.yjs import YjsProcess

_WRITERS = 4
_VIEWERS = 4

# Rooms that nobody is in are unloaded, and loaded again, all the time.
_ENVIRONMENT = {**ENVIRONMENT, "IDLE_UNLOAD_SECONDS": "0"}


class World:
    """Everything around the sessions.

    Args:
        server: The server, running.
        yjs: The Node process.
        people: The writers, then the viewers.
        http: For REST.
    """

    def __init__(self, server: ServerProcess, yjs: YjsProcess, people: list[Person], http: httpx2.AsyncClient) -> None:
        self.server = server
        self.yjs = yjs
        self.kills = 0
        self.deploys = 0
        self._people = people
        self._http = http
        self._restarting = asyncio.Lock()

    async def new_prompt(self, name: str, content: str) -> UUID:
        """Create a prompt, and return its id."""
        while True:
            answer = await self._ask("POST", "/prompts", json={"name": name, "content": content})
            if answer is not None and answer.status_code == httpx2.codes.CREATED:
                return UUID(answer.json()["id"])
            await self.until_up()

    async def live(self, prompt_id: UUID) -> str | None:
        """Return the text that REST shows, or None while the server is away."""
        answer = await self._ask("GET", f"/prompts/{prompt_id}/live")
        if answer is None or answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE:
            return None
        assert answer.status_code == httpx2.codes.OK, answer.text
        return str(answer.json()["content"])

    async def rest_edit(self, prompt_id: UUID, text: str) -> None:
        """Put text in front of what is there, through REST; while the server is away, perhaps not."""
        edit = {"edits": [{"start": 0, "end": 0, "text": text}]}
        answer = await self._ask("POST", f"/prompts/{prompt_id}/edits", json=edit)
        if answer is not None and answer.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
            assert answer.status_code == httpx2.codes.OK, answer.text

    async def restart(self, *, kill: bool) -> None:
        """End the server, as `kill -9` or as a deploy does, and start it again; who asks meanwhile shares it."""
        if self._restarting.locked():
            await self.until_up()
            return
        async with self._restarting:
            if kill:
                self.kills += 1
            else:
                self.deploys += 1
                assert await self.server.terminate() == 0
            await self.server.restart()

    async def until_up(self) -> None:
        """Return when nobody is restarting the server."""
        async with self._restarting:
            return

    def client(self, seat: Seat, prompt_id: UUID, random: Random) -> Client:
        """Return a client for a seat, not connected yet."""
        token = self._people[_WRITERS + seat.person if seat.views else seat.person].token
        url = self.server.websocket_url
        if seat.kind.is_yjs:
            seed = random.getrandbits(32)
            return OnYjs(self.yjs, seat, url=url, prompt=str(prompt_id), token=token, seed=seed)
        return OnPycrdt(seat, url=f"{url}/{prompt_id}", token=token, random=random)

    async def _ask(self, method: str, path: str, *, json: object = None) -> httpx2.Response | None:
        headers = {"Authorization": f"Bearer {self._people[0].token}"}
        try:
            return await self._http.request(
                method, f"{self.server.base_url}/api/v1{path}", json=json, headers=headers, timeout=60.0
            )
        except httpx2.TransportError:
            return None


@asynccontextmanager
async def world(state_directory: Path, database_url: str) -> AsyncIterator[World]:
    """Start a server with people on a database; it is killed at the end, if it still runs."""
    server = ServerProcess(state_directory, database_url=database_url, environment=_ENVIRONMENT)
    await migrate(database_url)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server)
        yjs = await stack.enter_async_context(YjsProcess())
        http = await stack.enter_async_context(httpx2.AsyncClient(trust_env=False))
        people = await invite(database_url, *[Role.EDITOR] * _WRITERS, *[Role.VIEWER] * _VIEWERS)
        yield World(server, yjs, people, http)
