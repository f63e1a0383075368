"""Nodes on a bus, as tests see them: what they were told, and what they have heard."""

from collections import defaultdict

from server.bus import Bus
from server.redis_bus import RedisBus
from tests.support.waiting import wait_until


class Node:
    """One bus, what its `on_change` was told, and what came in on each channel.

    Args:
        bus: A bus that is not started.
    """

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.changes: list[bool] = []
        self.heard: dict[str, list[bytes]] = defaultdict(list)

    async def start(self) -> None:
        """Start the bus; whether it is up may take a while."""
        await self.bus.start(self.changes.append)

    async def listen(self, channel: str) -> None:
        """Subscribe to a channel, with what comes in kept."""
        await self.bus.subscribe(channel, self.heard[channel].append)

    async def is_up(self) -> None:
        """Return when the bus is up."""
        await wait_until(lambda: self.bus.is_up, what="the bus is up")

    async def is_down(self) -> None:
        """Return when the bus is down."""
        await wait_until(lambda: not self.bus.is_up, what="the bus is down")

    async def is_up_again(self) -> None:
        """Return when the bus has been up, down and up, and was told nothing else."""
        await wait_until(lambda: self.changes == [True, False, True], what="a loss and a return")

    async def has_heard(self, channel: str, *payloads: bytes) -> None:
        """Return when the last of these payloads came in; nothing else may have come before it.

        Raises:
            AssertionError: Something else came in, or another order.
        """
        heard = self.heard[channel]
        await wait_until(lambda: payloads[-1] in heard, what=f"{payloads[-1][:40]!r} on {channel}")
        assert heard == list(payloads)


class RedisNodes:
    """Makes nodes over Redis.

    Args:
        url: The REDIS_URL of those that are given no other.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: list[Node] = []

    async def start(self, url: str | None = None) -> Node:
        """Start a node whose bus is perhaps not up yet."""
        node = Node(RedisBus(url or self._url))
        self._made.append(node)
        await node.start()
        return node

    async def up(self, url: str | None = None) -> Node:
        """Start a node and wait until its bus is up."""
        node = await self.start(url)
        await node.is_up()
        return node

    async def close(self) -> None:
        """Close every bus."""
        for node in self._made:
            await node.bus.close()
