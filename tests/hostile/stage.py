"""A real server with prompts, honest people in them, and a place for attackers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2

from crdt.offsets import utf16_length
from server.access import Role
from tests.hostile.attacker import Attacker
from tests.hostile.honest import Honest
from tests.interoperability.stock import StockClient, StockProcess
from tests.support.people import ENVIRONMENT, Person, beside, invite
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until


@dataclass(frozen=True, slots=True)
class People:
    """Who has an account."""

    owner: Person
    ann: Person
    bob: Person
    mallory: Person
    vera: Person


class Stage:
    """One server, and everybody's way to it.

    Args:
        server: runs.
        people: who may use it.
        yjs: for the honest people who use a stock client.
    """

    def __init__(self, server: ServerProcess, people: People, yjs: StockProcess) -> None:
        self.server = server
        self.people = people
        self.yjs = yjs

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, by: Person | None = None
    ) -> Any:  # noqa: ANN401 - whatever JSON the answer holds
        """Make a request of the REST interface and answer what it says; any error of it is an error here."""
        headers = {"Authorization": f"Bearer {(by or self.people.owner).token}"}
        async with httpx2.AsyncClient(base_url=self.server.base_url, headers=headers, trust_env=False) as client:
            response = await client.request(method, path, json=body)
            response.raise_for_status()
            return response.json() if response.content else None

    async def new_prompt(self, content: str = "", *, by: Person | None = None) -> str:
        """Create a prompt and answer its id."""
        created = await self.ask("POST", "/api/v1/prompts", {"name": "Under attack", "content": content}, by=by)
        return str(created["id"])

    async def stored(self, prompt: str) -> list[tuple[int, bytes]]:
        """Answer the journal of a prompt as it stands in the database: sequence numbers and bytes."""
        async with beside(self.server.database_url) as store:
            return [(entry.seq, entry.update) for entry in await store.journal.read(UUID(prompt))]

    async def nobody_is_there(self) -> bool:
        """Answer whether no prompt is live any more."""
        return int((await self.ask("GET", "/readyz"))["rooms"]) == 0

    async def metric(self, name: str) -> float:
        """Answer one of the server's metrics, by its name with its labels; 0 where it has not counted yet."""
        async with httpx2.AsyncClient(base_url=self.server.base_url, trust_env=False) as client:
            lines = (await client.get("/metrics")).text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def url(self, prompt: str) -> str:
        """Answer where a prompt's WebSocket stands."""
        return f"{self.server.websocket_url}/{prompt}"

    def honest(self, prompt: str, person: Person, *, client_id: int | None = None) -> Honest:
        """Answer somebody who is about to open a prompt."""
        return Honest(self.url(prompt), person.token, client_id=client_id)

    def attacker(self, prompt: str, person: Person | None = None, **options: Any) -> Attacker:  # noqa: ANN401 - Attacker's
        """Answer somebody who is about to attack a prompt; an editor unless another is named."""
        return Attacker(self.url(prompt), (person or self.people.mallory).token, **options)

    @asynccontextmanager
    async def scene(self) -> AsyncIterator[Scene]:
        """A prompt with three honest people in it, and another prompt next door with one."""
        prompt, other = await self.new_prompt(), await self.new_prompt("Nothing to do with it.\n")
        ann, bob = self.people.ann, self.people.bob
        async with (
            self.honest(prompt, ann, client_id=ANN) as first,
            self.honest(prompt, bob, client_id=BOB) as second,
            self.honest(other, ann) as neighbour,
        ):
            browser = await self.yjs.open(self.server.websocket_url, prompt, "header", bob.token, client_id=BROWSER)
            scene = Scene(self, prompt, first, second, browser, neighbour)
            try:
                await scene.begin()
                yield scene
            finally:
                await browser.close()


# The client ids that the hostile files name.
ANN, BOB, BROWSER = 1, 2, 7


@dataclass
class Scene:
    """A room with honest people in it.

    Ann (client 1) has typed `a😀bcdef`, Bob (client 2) a single `x`, and a stock client (client 7) `hello`: the clocks
    at which the hostile files that are well formed hit.
    """

    stage: Stage
    prompt: str
    ann: Honest
    bob: Honest
    browser: StockClient
    neighbour: Honest

    async def begin(self) -> None:
        """Type what the hostile files expect."""
        await self.ann.type("a😀bcdef")
        await self.bob.type("x")
        await self.agree()
        await self.browser.edit(0, insert="hello")
        await self.agree()

    async def agree(self) -> str:
        """Wait until everybody shows the same, what is stored included, and answer it."""
        await wait_until(self._all_equal, what="everybody to show the same text")
        return self.ann.text

    async def go_on(self) -> None:
        """Everybody types, here and next door; all of it is saved and seen, and nobody was ever disconnected."""
        await asyncio.gather(self.ann.type("Ann 😀 "), self.bob.type("Bob. ", at=0), self.neighbour.type("Next door. "))
        text = await self.agree()
        await self.browser.edit(utf16_length(text), insert="Yjs 👩‍👧 ")
        await wait_until(lambda: self.ann.text.endswith("Yjs 👩‍👧 "), what="what the stock client typed")
        text = await self.agree()
        assert "Ann 😀 " in text
        assert text.startswith("Bob. ")
        await self.untroubled()

    async def untroubled(self) -> None:
        """Nobody honest has lost a connection."""
        report = await self.browser.report()
        assert (report.opened, report.closes, report.waiting) == (1, (), False)
        assert self.ann.is_open
        assert self.bob.is_open
        assert self.neighbour.is_open

    async def stored(self) -> list[tuple[int, bytes]]:
        """Answer the journal as it stands in the database."""
        return await self.stage.stored(self.prompt)

    async def _all_equal(self) -> bool:
        return len({self.ann.text, self.bob.text, await self.browser.text()}) == 1


@asynccontextmanager
async def raise_curtain(directory: Path, environment: Mapping[str, str] | None = None) -> AsyncIterator[Stage]:
    """Start a server and everything around it.

    Args:
        directory: where it keeps its state.
        environment: more variables for it.
    """
    # A prompt that everybody has left is soon let go, so that opening it again reads what is stored.
    own = {**ENVIRONMENT, "IDLE_UNLOAD_SECONDS": "1"}
    server = ServerProcess(directory, environment={**own, **(environment or {})})
    async with server, StockProcess() as yjs:
        roles = (Role.OWNER, Role.EDITOR, Role.EDITOR, Role.EDITOR, Role.VIEWER)
        people = People(*await invite(server.database_url, *roles))
        try:
            yield Stage(server, people, yjs)
        finally:
            print(f"--- {server.base_url} said:\n{server.log}")  # noqa: T201 - pytest shows it where a test fails
