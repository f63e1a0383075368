"""What one core of Redis carries: publishes, and their deliveries to the nodes that asked for them.

Nodes are two connections each, as the server's are: one publishes, and one is subscribed. A publish waits for its
answer, so that as many are under way as there are nodes times what each sends in one write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from time import perf_counter
from typing import Final, TypeVar, cast

from load.pacing import at_any_time, play
from load.servers.process import cores
from load.servers.redis import Redis

_NODES: Final = 20
_CHANNELS: Final = 400
# As an envelope of a few keys.
_PAYLOAD: Final = bytes(range(48, 123)) * 2
_LISTENERS: Final = (0, 1, 2)
_PIPELINED: Final = 8
_FEW_PER_SECOND: Final = 300.0

T = TypeVar("T", bound="Connection")


async def measure(seconds: float, seed: int) -> Mapping[str, float]:
    """Publish as fast as answers come, to none, one and two listeners, one message a write and several.

    Args:
        seconds: for how long in each of these.
        seed: of who listens to what.
    """
    figures: dict[str, float] = {}
    for name, depth in (("alone", 1), ("pipelined", _PIPELINED)):
        costs = [await _cost(listeners, depth, seconds, seed) for listeners in _LISTENERS]
        publish, delivery = _line(_LISTENERS, costs)
        figures[f"redis_us_per_publish_{name}"] = publish
        figures[f"redis_us_per_delivery_{name}"] = delivery
        figures[f"redis_messages_per_second_{name}"] = 1e6 / (publish + delivery)
    return {**figures, **await _at_rest(seconds, seed)}


async def _cost(listeners: int, depth: int, seconds: float, seed: int) -> float:
    """Microseconds of Redis's CPU for a publish that so many nodes hear of."""
    random = Random(seed)
    redis = Redis(on=cores().server)
    await asyncio.to_thread(redis.start)
    try:
        channels = [f"promptroom:prompt:{random.randbytes(16).hex()}" for _ in range(_CHANNELS)]
        nodes = [await _connected(redis.port, Publisher(channels, depth, random)) for _ in range(_NODES)]
        subscribers = [await _connected(redis.port, Connection()) for _ in range(_NODES)]
        for channel in channels:
            for listener in random.sample(subscribers, listeners):
                listener.say("SUBSCRIBE", channel)
        await asyncio.sleep(0.2)
        before, start = redis.usage().cpu_seconds, perf_counter()
        for node in nodes:
            node.publish()
        await asyncio.sleep(seconds)
        for node in nodes:
            node.depth = 0
        published = sum(node.answered for node in nodes)
        taken = (redis.usage().cpu_seconds - before) * seconds / (perf_counter() - start)
        for each in (*nodes, *subscribers):
            each.close()
    finally:
        await asyncio.to_thread(redis.close)
    return taken / max(published, 1) * 1e6


async def _at_rest(seconds: float, seed: int) -> Mapping[str, float]:
    """What a publish that one node hears of costs where there are few, and what it costs that Redis is there."""
    random = Random(seed)
    redis = Redis(on=cores().server)
    await asyncio.to_thread(redis.start)
    try:
        node, subscriber = [await _connected(redis.port, Connection()) for _ in range(2)]
        subscriber.say("SUBSCRIBE", "one")
        await asyncio.sleep(seconds)
        idle = redis.usage().cpu_seconds
        await asyncio.sleep(seconds)
        before = redis.usage().cpu_seconds
        deeds = [lambda _: node.say("PUBLISH", "one", _PAYLOAD)]
        await play(at_any_time(deeds, _FEW_PER_SECOND, perf_counter(), seconds, random))
        # What it does for itself is not counted.
        used = redis.usage().cpu_seconds - before - (before - idle)
        for each in (node, subscriber):
            each.close()
    finally:
        await asyncio.to_thread(redis.close)
    return {
        "redis_us_per_message_at_rest": used / (_FEW_PER_SECOND * seconds) * 1e6,
        "redis_cpu_share_at_rest": (before - idle) / seconds,
    }


class Connection(asyncio.Protocol):
    """As much of a client of Redis as is needed; what it hears, it forgets."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def say(self, *words: str | bytes) -> None:
        """Send one command."""
        self.write(command(*words))

    def write(self, data: bytes) -> None:
        """Send commands."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class Publisher(Connection):
    """Publishes anew whenever all that it has published was answered.

    Args:
        channels: where to, at random.
        depth: how many messages leave in one write.
        random: for the channels.
    """

    def __init__(self, channels: Sequence[str], depth: int, random: Random) -> None:
        super().__init__()
        self.depth = depth
        self.answered = 0
        self._random = random
        self._messages = [command("PUBLISH", channel, _PAYLOAD) for channel in channels]
        self._open = 0

    def publish(self) -> None:
        """Send so many messages."""
        self._open = self.depth
        if self.depth:
            self.write(b"".join(self._random.choices(self._messages, k=self.depth)))

    def data_received(self, data: bytes) -> None:
        """Count the answers, each of which is a line."""
        answers = data.count(b"\n")
        self.answered += answers
        self._open -= answers
        if self._open <= 0:
            self.publish()


def command(*words: str | bytes) -> bytes:
    """A command as Redis reads it."""
    parts = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


async def _connected(port: int, connection: T) -> T:
    await asyncio.get_running_loop().create_connection(lambda: connection, "127.0.0.1", port)
    return connection


def _line(at: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """What comes closest to the values: how much at zero, and how much for each more."""
    middle, mean = sum(at) / len(at), sum(values) / len(values)
    slope = sum((x - middle) * (y - mean) for x, y in zip(at, values, strict=True)) / sum((x - middle) ** 2 for x in at)
    return mean - slope * middle, slope
