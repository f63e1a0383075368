"""Nodes on a bus, as tests see them: what they were told, and what they have heard."""

from collections import defaultdict

from server.bus import Bus
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

    async def has_heard(self, channel: str, *payloads: bytes) -> None:
        """Return when the last of these payloads came in; nothing else may have come before it.

        Raises:
            AssertionError: Something else came in, or another order.
        """
        heard = self.heard[channel]
        await wait_until(lambda: payloads[-1] in heard, what=f"{payloads[-1][:40]!r} on {channel}")
        assert heard == list(payloads)
