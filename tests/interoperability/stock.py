"""The stock y-websocket client in Node, one process full of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.support.waiting import wait_until
from tests.support.yjs import YjsProcess

Way = Literal["header", "ticket", "protocol"]


@dataclass(frozen=True, slots=True)
class StockReport:
    """How things stand at one client.

    Args:
        text: what it shows.
        client_id: its Yjs client id.
        connected: whether its socket is open.
        connects: whether it would connect again.
        synced: whether it has had the server's answer on this connection.
        waiting: whether it keeps updates that need others before them.
        opened: how many connections it has had.
        closes: the close codes of those that ended; None where it hung up itself.
        messages: how many it has heard.
        presence: what it knows of everybody, by client id.
        complaints: what the library wrote to the console.
    """

    text: str
    client_id: int
    connected: bool
    connects: bool
    synced: bool
    waiting: bool
    opened: int
    closes: tuple[int | None, ...]
    messages: int
    presence: Mapping[int, Any]
    complaints: tuple[str, ...]


class StockProcess(YjsProcess):
    """A Node process full of stock clients."""

    script = "stock_client.mjs"

    async def open(
        self, url: str, prompt: object, way: Way, secret: str, *, client_id: int | None = None
    ) -> StockClient:
        """Start a client and wait for its first sync.

        Args:
            url: where the server's WebSockets stand.
            prompt: the prompt's id.
            way: how it says who it is.
            secret: the token, or the ticket.
            client_id: its Yjs client id; a random one where none is given.
        """
        client = StockClient(self, self.new_name())
        options = {"url": url, "prompt": str(prompt), "with": way, "secret": secret, "clientID": client_id}
        await self.call("open", client=client.name, **options)
        await wait_until(client.is_synced, what=f"the first sync of {client.name}")
        return client


class StockClient:
    """One of them, by its name."""

    def __init__(self, process: StockProcess, name: str) -> None:
        self.name = name
        self._process = process

    async def report(self) -> StockReport:
        """Answer how things stand."""
        (said,) = await self._process.call("report", clients=[self.name])
        presence = {int(client): state for client, state in said.pop("presence").items()}
        return StockReport(
            presence=presence, closes=tuple(said.pop("closes")), complaints=tuple(said.pop("complaints")), **said
        )

    async def text(self) -> str:
        """Answer what it shows."""
        return (await self.report()).text

    async def is_synced(self) -> bool:
        """Answer whether it is connected and has had the server's answer."""
        return (await self.report()).synced

    async def edit(self, at: int, *, remove: int = 0, insert: str = "") -> None:
        """Change the text, in UTF-16 code units."""
        await self._process.call("edit", client=self.name, at=at, remove=remove, insert=insert)

    async def say(self, state: dict[str, Any] | None) -> None:
        """Say something of itself to everybody; None takes it back."""
        await self._process.call("presence", client=self.name, state=state)

    async def close(self) -> None:
        """Hang up for good."""
        await self._process.call("close", client=self.name)
