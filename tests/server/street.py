"""Several nodes in one process, over one store, that hear of each other through an exchange: houses in a street."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from server.auth import Authenticator
from server.bus import Exchange, InProcessBus
from server.errors import StoreUnavailable
from server.hub import Hub
from server.nodes import Nodes
from tests.server.living import SECRET, Clock, House, Tab
from tests.support.waiting import wait_until


class Node:
    """One of the nodes: its hub, its bus and its clock."""

    def __init__(self, house: House, exchange: Exchange, version_after_quiet_seconds: float) -> None:
        self.house = house
        self.clock = Clock()
        self.bus = InProcessBus(exchange)
        self.nodes = Nodes(self.bus, SECRET, self.clock)
        authenticator = Authenticator(SECRET, house.store, house.wall_clock)
        self.hub = Hub(
            house.store,
            authenticator,
            nodes=self.nodes,
            clock=self.clock,
            wall_clock=house.wall_clock,
            version_after_quiet_seconds=version_after_quiet_seconds,
        )

    async def open(self, name: str, *, at_least: int = 0) -> Tab:
        """A client of this person, on this node and up to date."""
        tab = Tab(self.hub, self.house.people[name], self.house.tabs)
        return await tab.open(self.house.prompt_id, at_least=at_least)

    async def sender(self, name: str) -> Tab:
        """A connection of this person that is not pumped: a test says by hand what it sends."""
        tab = Tab(self.hub, self.house.people[name], [])
        await self.hub.join(self.house.prompt_id, tab.session)
        return tab

    async def text(self) -> str:
        """What this node shows."""
        return (await self.hub.live(self.house.prompt_id)).text

    @property
    def node_id(self) -> UUID:
        """Which node this is."""
        return self.nodes.node_id


class Street:
    """Nodes, and one house that they all belong to."""

    def __init__(
        self, house: House, exchange: Exchange, count: int, *, version_after_quiet_seconds: float = 0.0
    ) -> None:
        self.house = house
        self.exchange = exchange
        self.nodes = [Node(house, exchange, version_after_quiet_seconds) for _ in range(count)]

    async def agree(self, text: str | None = None) -> str:
        """Wait until every client and node shows the same, and everything is acknowledged; answer what that is."""

        async def all_agree() -> bool:
            for tab in self.house.tabs:
                tab.pump()
            open_tabs = [tab for tab in self.house.tabs if not tab.session.is_closed]
            if not all(tab.peer.saved for tab in open_tabs):
                return False
            try:
                shown = {tab.peer.text for tab in open_tabs} | {await node.text() for node in self.nodes}
            except StoreUnavailable:
                return False
            return len(shown) == 1 and (text is None or shown == {text})

        await wait_until(all_agree, what=f"everybody to agree{'' if text is None else f' on {text!r}'}")
        return await self.nodes[0].text()


@asynccontextmanager
async def street(
    database_url: str,
    *,
    text: str = "Hello",
    nodes: int = 2,
    loses: Callable[[str, bytes], bool] | None = None,
    version_after_quiet_seconds: float = 0.0,
) -> AsyncIterator[Street]:
    """Nodes over one store with one prompt, and people of every role; `loses` as the exchange has it."""
    house = await House.build(database_url, text=text)
    built = Street(house, Exchange(loses=loses), nodes, version_after_quiet_seconds=version_after_quiet_seconds)
    try:
        for node in built.nodes:
            await node.hub.start()
        await wait_until(lambda: all(node.bus.is_up for node in built.nodes), what="the nodes to be joined")
        yield built
    finally:
        for node in built.nodes:
            await node.hub.drain(5.0)
        await house.close()
