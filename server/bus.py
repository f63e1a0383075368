"""What carries messages between the nodes of one deployment, and the bus of nodes that are in one process.

Rules that every bus keeps:
- A message reaches each subscriber of its channel at most once, the sender too if it subscribed. What one node
  publishes on one channel arrives in that order. Nothing is promised beyond that: the database is the truth, and
  receivers notice by sequence numbers what they have missed.
- Nobody ever waits for the bus. While it is down, what is published is dropped and counted, never kept for later: what
  comes late comes in the wrong order.
- `is_up` is what `on_change` said last. `on_change(True)` is said when every wanted subscription is in force: at first,
  and after every loss, for what was published in between is gone. `on_change(False)` is said when it is lost.
- A channel has one handler: subscribing again replaces it. A handler is called on the event loop, never from within a
  call of the bus; it must not block, and what it raises is logged and concerns nobody else. It may be called before
  `subscribe` has returned, never after `unsubscribe` has.
- A channel is a short string such as `prompt:<uuid>`; what is put in front of it on the way is the bus's own affair.

`InProcessBus` alone is the bus of a lone server: nothing is sent, for there is nobody. Several that are given one
`Exchange` are the nodes of one deployment inside one process, for tests: everything above holds for them, and any of
them can be cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from server import telemetry

_log = telemetry.get_logger(__name__)

Handler = Callable[[bytes], None]
OnChange = Callable[[bool], None]


class BusUnavailable(Exception):
    """The other nodes cannot be reached now; the message says why, in one line and without secrets."""

    code = "bus_unavailable"


class Bus(Protocol):
    """Carries messages between the nodes of one deployment; the rules stand at the head of this file."""

    @property
    def kind(self) -> str:
        """What carries the messages: "in_process" or "redis"."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether there can be other nodes. Where not, nothing is ever sent and nobody else writes."""
        ...

    @property
    def is_up(self) -> bool:
        """Whether messages pass and every wanted subscription is in force."""
        ...

    async def start(self, on_change: OnChange) -> None:
        """Begins to connect, in the background: it never fails because the other side is away.

        Arguments: `on_change` is called on the event loop, later than this call, whenever `is_up` has changed.
        """
        ...

    async def close(self) -> None:
        """Sends what is queued, for a moment at most, and lets go of everything. Nothing is called any more."""
        ...

    def publish(self, channel: str, payload: bytes) -> None:
        """Sends a message to every subscriber; queued, in order, dropped while the bus is down or its queue full."""
        ...

    async def subscribe(self, channel: str, handler: Handler) -> None:
        """Has the messages of a channel handed to the handler.

        Returns when the subscription is in force: whatever is published from then on arrives. While the bus is down it
        returns at once, and the subscription is made before the bus is up again.
        """
        ...

    def unsubscribe(self, channel: str) -> None:
        """Ends a subscription; nothing happens where there is none."""
        ...

    async def ping(self) -> float:
        """Answers how many seconds one round trip takes. Raises BusUnavailable where there is none."""
        ...


def hand_over(handler: Handler, channel: str, payload: bytes) -> None:
    """Calls a handler; what it raises is logged with the channel."""
    try:
        handler(payload)
    except Exception:  # noqa: BLE001 - one handler's failure must not end the reading for all others
        _log.exception("bus_handler_failed", channel=channel, size=len(payload))


def say_change(on_change: OnChange, *, is_up: bool) -> None:
    """Calls an `on_change`; what it raises is logged."""
    try:
        on_change(is_up)
    except Exception:  # noqa: BLE001 - as above: the bus goes on
        _log.exception("bus_change_failed", is_up=is_up)


class Exchange:
    """Joins the in-process buses that are made with it.

    Arguments: `loses` is asked about every message, with its channel and payload, and answers whether it is lost on the
    way; none is where it is None.
    """

    def __init__(self, *, loses: Callable[[str, bytes], bool] | None = None) -> None:
        self.loses = loses
        self._buses: list[InProcessBus] = []

    def add(self, bus: InProcessBus) -> None:
        """Takes a node in."""
        self._buses.append(bus)

    def remove(self, bus: InProcessBus) -> None:
        """Forgets a node."""
        if bus in self._buses:
            self._buses.remove(bus)

    def send(self, channel: str, payload: bytes) -> None:
        """Delivers a message in the next turn of the loop."""
        if self.loses is None or not self.loses(channel, payload):
            asyncio.get_running_loop().call_soon(self._deliver, channel, payload)

    def _deliver(self, channel: str, payload: bytes) -> None:
        for bus in list(self._buses):
            bus.receive(channel, payload)


class InProcessBus:
    """The bus of a lone server or, with an exchange, of one of several nodes in this process."""

    kind = "in_process"

    def __init__(self, exchange: Exchange | None = None) -> None:
        self._exchange = exchange
        self._handlers: dict[str, Handler] = {}
        self._on_change: OnChange | None = None
        self._reachable = True
        self._is_up = exchange is None

    @property
    def is_shared(self) -> bool:
        """Whether there can be other nodes."""
        return self._exchange is not None

    @property
    def is_up(self) -> bool:
        """Whether messages pass: always, on a lone server."""
        return self._is_up

    async def start(self, on_change: OnChange) -> None:
        """Joins the exchange; `on_change` is called in the next turn of the loop."""
        self._on_change = on_change
        if self._exchange is not None:
            self._exchange.add(self)
        if self._reachable:
            self._say_soon(is_up=True)

    async def close(self) -> None:
        """Leaves the exchange. What was published before is still delivered to the others."""
        self._on_change = None
        self._handlers.clear()
        self._is_up = False
        if self._exchange is not None:
            self._exchange.remove(self)

    def publish(self, channel: str, payload: bytes) -> None:
        """Sends a message to every subscriber of the exchange, unless this node is cut off."""
        if self._exchange is None:
            return
        if not self._passes:
            telemetry.BUS_DROPPED.inc()
            return
        telemetry.BUS_PUBLISHED.inc()
        self._exchange.send(channel, payload)

    async def subscribe(self, channel: str, handler: Handler) -> None:
        """Has the messages of a channel handed to the handler, from now on."""
        if self._exchange is not None:
            self._handlers[channel] = handler

    def unsubscribe(self, channel: str) -> None:
        """Ends a subscription, if there is one."""
        self._handlers.pop(channel, None)

    async def ping(self) -> float:
        """Answers 0 seconds. Raises BusUnavailable while this node is cut off."""
        if not self._passes:
            raise BusUnavailable("This node is cut off.")
        return 0.0

    # --- for the exchange and for tests -----------------------------------------------------------------------------

    def receive(self, channel: str, payload: bytes) -> None:
        """Takes a message from the exchange."""
        handler = self._handlers.get(channel)
        if handler is not None and self._passes:
            telemetry.BUS_RECEIVED.inc()
            hand_over(handler, channel, payload)

    def cut_off(self) -> None:
        """Takes this node's bus down: from now on it neither sends nor hears, and `on_change` is told soon."""
        self._reachable = False
        self._say_soon(is_up=False)

    def mend(self) -> None:
        """Brings this node's bus up again, which `on_change` is told soon."""
        self._reachable = True
        self._say_soon(is_up=True)

    @property
    def _passes(self) -> bool:
        return self._is_up and self._reachable

    def _say_soon(self, *, is_up: bool) -> None:
        asyncio.get_running_loop().call_soon(lambda: self._say(is_up=is_up))

    def _say(self, *, is_up: bool) -> None:
        if self._on_change is not None:
            self._is_up = is_up
            telemetry.BUS_UP.set(is_up)
            say_change(self._on_change, is_up=is_up)
