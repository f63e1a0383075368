"""The bus of nodes that share a Redis.

States
    down     no link to Redis: what is published is dropped, subscriptions are kept for later. Connecting is tried again
             and again, with pauses that grow and are never quite the same, for as long as the bus lives.
    opening  connected, and subscribing to what is wanted; a subscription that comes now is asked for at once.
    up       every subscription is in force, and beats come back, see `redis_link`.

Whatever goes wrong with one connection ends all of them, and everything is made anew: there is one way to heal. One
line of the log says that the bus is down and why, one that it is up.

Every message is stamped with its node and the number of times that node has connected. What it sent before a loss and
Redis reads only later, because it hung, is ignored by whoever has heard of the node since: order holds across losses.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from contextlib import suppress
from random import Random, SystemRandom
from struct import Struct
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from server import telemetry
from server.bus import BusUnavailable, hand_over, say_change
from server.redis_link import BEAT_SECONDS, SILENT_BEATS, RedisLink
from server.redis_server import ALL_SLOTS, Address, LinkLost, RedisServers, Shard, as_loss, slot_of
from server.tasks import Tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.bus import Handler, OnChange
    from server.redis_server import Layout

_log = telemetry.get_logger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 1.0
# A bus that is lost sooner than this after it came up has not healed: the pauses go on growing.
STEADY_SECONDS: Final = 5.0
# For the last messages of a node that ends, to which nobody should have to wait.
CLOSE_SECONDS: Final = 1.0
# Some 200 bytes each; a node that is forgotten is one that has been silent while so many others spoke.
NODES_REMEMBERED: Final = 1_000
# A ping that takes longer finds a bus that is about to be lost.
PING_SECONDS: Final = BEAT_SECONDS * SILENT_BEATS
# Node and number.
_STAMP: Final = Struct(">16sI")


class Pauses:
    """How long to wait before the next attempt: longer each time, and uneven, for all nodes lose Redis at once."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._attempts = 0

    def next(self) -> float:
        """Answers the seconds to wait now."""
        longest = min(FIRST_PAUSE_SECONDS * 2.0 ** min(self._attempts, 10), LONGEST_PAUSE_SECONDS)
        self._attempts += 1
        return longest * self._random.uniform(0.5, 1.0)

    def was_up_for(self, seconds: float) -> None:
        """Begins anew if an attempt led to something that lasted."""
        if seconds >= STEADY_SECONDS:
            self._attempts = 0


class Stamps:
    """Tells what a node sent before it lost its link from what it sends since."""

    def __init__(self) -> None:
        self._node = uuid4().bytes
        self._links = 0
        # The newest number that was heard of each node, those that were heard last at the end.
        self._newest: dict[bytes, int] = {}
        self.stamp = b""

    def renew(self) -> None:
        """Begins a new link."""
        self._links += 1
        self.stamp = _STAMP.pack(self._node, self._links)

    def unpack(self, message: bytes) -> bytes | None:
        """Answers what is behind the stamp; None if its link is gone, or nobody of ours has sent it."""
        if len(message) < _STAMP.size:
            return None
        node, number = _STAMP.unpack_from(message)
        newest = self._newest.pop(node, 0)
        self._newest[node] = max(number, newest)
        if len(self._newest) > NODES_REMEMBERED:
            del self._newest[next(iter(self._newest))]
        return message[_STAMP.size :] if number >= newest else None


class RedisBus:
    """Carries messages through Redis.

    Arguments: `url` is a REDIS_URL; the number of its database keeps deployments on one Redis apart. `clock` answers
    seconds that only go forward; `random` makes the pauses uneven. Raises ValueError for a URL that cannot be read.
    """

    kind = "redis"
    is_shared = True

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic, random: Random | None = None) -> None:
        self._servers = RedisServers(url)
        self._clock = clock
        self._pauses = Pauses(random or SystemRandom())
        self._tasks = Tasks()
        self._stamps = Stamps()
        self._on_change: OnChange | None = None
        # By the name on the wire: the channel as it is known here, and its handler.
        self._handlers: dict[bytes, tuple[str, Handler]] = {}
        self._links: list[RedisLink] = []
        self._not_ready: set[RedisLink] = set()
        # The link of each hash slot; a single one where there is one server, none while there is no connection.
        self._by_slot: list[RedisLink] = []
        # Who may know the layout: the server of the URL, and those of the cluster that it was one of.
        self._seeds: deque[Address | None] = deque([None])
        self._is_up = False
        self._changed_at = clock()
        # Why the bus is down; empty while it is up, and before the first attempt.
        self._reason = ""

    @property
    def is_up(self) -> bool:
        """Whether beats come back and every wanted subscription is in force."""
        return self._is_up

    async def start(self, on_change: OnChange) -> None:
        """Begins to connect, in the background."""
        self._on_change = on_change
        telemetry.BUS_UP.set(0)
        self._tasks.spawn(self._live(), name="redis bus")

    async def close(self) -> None:
        """Waits a moment for Redis to have all that is queued, and lets go of everything."""
        self._on_change = None
        self._handlers.clear()
        with suppress(BusUnavailable):
            await self._round_trip(CLOSE_SECONDS)
        await self._tasks.close()
        self._is_up = False
        telemetry.BUS_UP.set(0)

    def publish(self, channel: str, payload: bytes) -> None:
        """Queues a message, which is sent in this turn of the loop or the next, or drops it."""
        name = self._name(channel)
        link = self._link_of(name)
        if link is None or not self._is_up:
            telemetry.BUS_DROPPED.inc()
        else:
            link.publish(name, self._stamps.stamp + payload)

    async def subscribe(self, channel: str, handler: Handler) -> None:
        """Has the messages of a channel handed to the handler; returns when Redis has confirmed it, or is lost."""
        name = self._name(channel)
        self._handlers[name] = (channel, handler)
        link = self._link_of(name)
        if link is not None and link.is_open:
            await link.subscribe([name])

    def unsubscribe(self, channel: str) -> None:
        """Ends a subscription, if there is one."""
        name = self._name(channel)
        link = self._link_of(name)
        if self._handlers.pop(name, None) is not None and link is not None and link.is_open:
            link.unsubscribe(name)

    async def ping(self) -> float:
        """Answers how many seconds a message takes to Redis and back. Raises BusUnavailable."""
        started = self._clock()
        await self._round_trip(PING_SECONDS)
        return self._clock() - started

    # --- its life ---------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        while True:
            try:
                await self._hold_links()
            # A group that holds a panic of the engine, out of a handler, is no Exception.
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever it was, the bus tries again
                self._go_down(as_loss(error))
            await asyncio.sleep(self._pauses.next())

    async def _hold_links(self) -> None:
        """Connects, and returns never. Raises LinkLost, alone or in groups."""
        try:
            layout = await self._servers.layout(self._seeds[0])
        except LinkLost:
            self._seeds.rotate(-1)
            raise
        self._take(layout)
        self._stamps.renew()
        try:
            async with asyncio.TaskGroup() as group:
                for link in self._links:
                    group.create_task(link.run(), name="redis link")
        finally:
            self._links, self._by_slot = [], []

    def _take(self, layout: Layout) -> None:
        self._seeds = deque([None, *(shard.address for shard in layout.shards if shard.address is not None)])
        self._links = [self._link(layout, shard) for shard in layout.shards]
        self._not_ready = set(self._links)
        if len(self._links) == 1:
            self._by_slot = self._links[:]
            return
        owners = {
            slot: link for shard, link in zip(layout.shards, self._links, strict=True) for slot in shard.all_slots
        }
        self._by_slot = [owners[slot] for slot in ALL_SLOTS]

    def _link(self, layout: Layout, shard: Shard) -> RedisLink:
        link = RedisLink(
            self._servers.connection(shard.address),
            self._servers.connection(shard.address),
            dialect=layout.dialect,
            beat_channel=self._beat_channel(shard),
            wanted=lambda: [name for name in self._handlers if self._link_of(name) is link],
            on_ready=lambda: self._ready(link),
            on_lost=self._go_down,
            receive=self._receive,
        )
        return link

    def _ready(self, link: RedisLink) -> None:
        self._not_ready.discard(link)
        if self._not_ready:
            return
        away = self._clock() - self._changed_at
        _log.info("bus_up", servers=len(self._links), channels=len(self._handlers), after_seconds=round(away, 3))
        self._reason = ""
        self._change(is_up=True)

    def _go_down(self, lost: LinkLost) -> None:
        # While it is down every attempt fails in its own way; only what somebody has to put right is worth a line.
        is_news = not self._reason or (lost.is_refusal and str(lost) != self._reason)
        if is_news:
            _log.warning("bus_down", redis=self._servers.shown, reason=str(lost), see="REDIS_URL")
        self._reason = str(lost)
        if self._is_up:
            self._pauses.was_up_for(self._clock() - self._changed_at)
            self._change(is_up=False)

    def _change(self, *, is_up: bool) -> None:
        self._is_up = is_up
        self._changed_at = self._clock()
        telemetry.BUS_UP.set(is_up)
        if self._on_change is not None:
            say_change(self._on_change, is_up=is_up)

    # --- messages ---------------------------------------------------------------------------------------------------

    def _name(self, channel: str) -> bytes:
        # What stands in braces is what a cluster hashes.
        return f"promptroom:{self._servers.database}:{{{channel}}}".encode()

    def _beat_channel(self, shard: Shard) -> bytes:
        """Answers a channel of nobody else that belongs to the shard."""
        names = (self._name(f"beat:{uuid4()}") for _ in itertools.count())
        return next(name for name in names if shard.carries(slot_of(name)))

    def _link_of(self, name: bytes) -> RedisLink | None:
        by_slot = self._by_slot
        return by_slot[slot_of(name) % len(by_slot)] if by_slot else None

    def _receive(self, name: bytes, message: bytes) -> None:
        known = self._handlers.get(name)
        payload = self._stamps.unpack(message)
        if known is not None and payload is not None:
            channel, handler = known
            telemetry.BUS_RECEIVED.inc()
            hand_over(handler, channel, payload)

    async def _round_trip(self, seconds: float) -> None:
        if not self._is_up:
            raise BusUnavailable(self._reason or "not connected yet")
        try:
            async with asyncio.timeout(seconds):
                came_back = await asyncio.gather(*(link.round_trip() for link in self._links))
        except TimeoutError:
            raise BusUnavailable(f"no answer within {seconds:g} s") from None
        if not all(came_back):
            raise BusUnavailable(self._reason or "lost a moment ago")
