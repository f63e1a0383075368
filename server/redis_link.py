"""Two connections to one Redis server, one that publishes and one that hears, and the proof that both work.

Rules
- The link publishes beats on a channel of its own, to which it is subscribed: what comes back has been all the way.
  Connections alone prove nothing, for they stay open to a server that hangs, behind a cable that is cut, and to a
  server that has forgotten a subscription. `Vitals` says when it is lost.
- A link is opened once and lost once. What waits to be sent is then dropped, here and in the system's buffers; only
  what had reached the server may still be read there.
- The server confirms subscriptions in the order in which they were asked for. If it does not, it has ended one by
  itself, as it does when a hash slot moves: the link is lost.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import deque
from typing import TYPE_CHECKING, Final

from server import telemetry
from server.redis_server import LinkLost, as_loss, connect
from server.tasks import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redis.asyncio.connection import AbstractConnection

    from server.redis_server import Dialect

BEAT_SECONDS: Final = 0.3
# Beats in a row without a sign of life. A way there and back of nearly a second does not reach it: a slow Redis is not
# lost, nor is one behind which a beat waits for large messages.
SILENT_BEATS: Final = 4
# Beats that may be late while other messages pass: a node that is behind with its reading is slow, not cut off.
LATE_BEATS: Final = 20
# For connecting both ways and for having every subscription confirmed: thousands take some tenths of a second.
OPEN_SECONDS: Final = 5.0
# What waits to be sent. Redis hangs up on a subscriber for which 32 MiB wait (client-output-buffer-limit pubsub): more
# than that at once would reach nobody.
QUEUE_BYTES: Final = 32 * 1024 * 1024
# Messages handed over in one turn of the event loop, at some microseconds each.
MESSAGES_PER_TURN: Final = 100


class Vitals:
    """Counts the beats that went out since the last sign of life. A stall of this process counts as one beat."""

    __slots__ = ("_late", "_unanswered", "_unheard")

    def __init__(self) -> None:
        self._unanswered = self._unheard = self._late = 0

    def beat(self) -> None:
        """Notes that it is time for the next beat. Raises LinkLost if too many went out in vain."""
        if self._unanswered >= SILENT_BEATS:
            raise LinkLost("Redis answers nothing")
        if self._unheard >= SILENT_BEATS:
            raise LinkLost("nothing comes back from Redis")
        if self._late >= LATE_BEATS:
            raise LinkLost("messages of this node do not come back from Redis")
        self._unanswered += 1
        self._unheard += 1
        self._late += 1

    def answered(self) -> None:
        """Notes that the connection that publishes has been answered."""
        self._unanswered = 0

    def heard(self) -> None:
        """Notes that the connection that hears has heard something."""
        self._unheard = 0

    def came_back(self) -> None:
        """Notes that a beat has come back."""
        self._unheard = self._late = 0


class _Outgoing:
    """What waits to be sent on one connection. It is sent once for each turn of the loop."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._commands: list[tuple[bytes, ...]] = []
        self._filled = asyncio.Event()
        self.size = 0
        self.messages = 0

    def add(self, *command: bytes, messages: int = 0) -> None:
        """Queues a command; `messages` is how many of the bus's messages it carries."""
        self._commands.append(command)
        self.size += sum(map(len, command))
        self.messages += messages
        self._filled.set()

    async def send_forever(self) -> None:
        """Sends what is queued. Raises RedisError."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            commands, size, messages = self._commands, self.size, self.messages
            self._commands = []
            await self._connection.send_packed_command(self._connection.pack_commands(commands), check_health=False)
            self.size -= size
            self.messages -= messages
            telemetry.BUS_PUBLISHED.inc(messages)


class RedisLink:
    """One link.

    Arguments: `publisher` and `subscriber` are connections that are not yet made; `dialect` is the server's;
    `beat_channel` is nobody else's; `wanted` answers the channels to subscribe to once the link is open; `on_ready` is
    called when they are in force and a beat has come back; `on_lost` is called before anybody who waits is told;
    `receive` gets the channel and payload of every message.
    """

    def __init__(
        self,
        publisher: AbstractConnection,
        subscriber: AbstractConnection,
        *,
        dialect: Dialect,
        beat_channel: bytes,
        wanted: Callable[[], Sequence[bytes]],
        on_ready: Callable[[], None],
        on_lost: Callable[[LinkLost], None],
        receive: Callable[[bytes, bytes], None],
    ) -> None:
        self._connections = (publisher, subscriber)
        self._dialect = dialect
        self._beat_channel = beat_channel
        self._wanted = wanted
        self._on_ready = on_ready
        self._on_lost = on_lost
        self._receive = receive
        self._messages = _Outgoing(publisher)
        self._subscriptions = _Outgoing(subscriber)
        self._vitals = Vitals()
        # Confirmations to come: for which command and channel, and who waits for it.
        self._confirmations: deque[tuple[bytes, bytes, asyncio.Future[bool] | None]] = deque()
        # Who waits for a beat, by what it says; the answer is whether it came.
        self._beats: dict[bytes, asyncio.Future[bool]] = {}
        self._beat_names = itertools.count(1)
        self._transports: list[asyncio.Transport] = []
        self._is_open = False

    @property
    def is_open(self) -> bool:
        """Whether both connections are made and the link is not lost."""
        return self._is_open

    # --- what the bus asks for --------------------------------------------------------------------------------------

    def publish(self, channel: bytes, payload: bytes) -> None:
        """Queues a message, or drops it if too much waits already."""
        if self._messages.size + len(payload) > QUEUE_BYTES:
            telemetry.BUS_DROPPED.inc()
        else:
            self._messages.add(self._dialect.publish, channel, payload, messages=1)

    def subscribe(self, channels: Sequence[bytes]) -> asyncio.Future[bool]:
        """Asks for at least one channel; the future is whether all are in force, False when the link is lost first."""
        step, command = self._dialect.channels_per_command, self._dialect.subscribe
        for start in range(0, len(channels), step):
            self._subscriptions.add(command, *channels[start : start + step])
        in_force: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._confirmations.extend((command, channel, None) for channel in channels[:-1])
        self._confirmations.append((command, channels[-1], in_force))
        return in_force

    def unsubscribe(self, channel: bytes) -> None:
        """Asks for no more messages of a channel."""
        self._subscriptions.add(self._dialect.unsubscribe, channel)
        self._confirmations.append((self._dialect.unsubscribe, channel, None))

    async def round_trip(self) -> bool:
        """Answers True when a beat has come back that was sent after all that waits, False when the link is lost."""
        name = b"%d" % next(self._beat_names)
        beat: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._beats[name] = beat
        self._send_beat(name)
        try:
            return await beat
        finally:
            self._beats.pop(name, None)

    # --- its life ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Opens the link and keeps it until it is lost. Raises LinkLost."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._connect()
            self._is_open = True
            in_force = self.subscribe([self._beat_channel, *self._wanted()])
            await side_by_side(
                ("bus messages", self._messages.send_forever()),
                ("bus subscriptions", self._subscriptions.send_forever()),
                ("bus answers", self._read_answers()),
                ("bus reader", self._read_messages()),
                ("bus beat", self._beat_forever()),
                ("bus opening", self._get_ready(in_force)),
            )
        except asyncio.CancelledError:
            raise
        # A panic of the engine, out of a handler, is no Exception.
        except BaseException as error:
            lost = as_loss(error)
            self._on_lost(lost)
            raise lost from error
        finally:
            await self._let_go()

    async def _connect(self) -> None:
        # Kept, because a connection that fails to send forgets its transport, which would go on sending.
        self._transports = await side_by_side(*(("bus connecting", connect(one)) for one in self._connections))

    async def _get_ready(self, in_force: asyncio.Future[bool]) -> None:
        async with asyncio.timeout(OPEN_SECONDS):
            await in_force
            await self.round_trip()
        self._on_ready()

    async def _let_go(self) -> None:
        self._is_open = False
        telemetry.BUS_DROPPED.inc(self._messages.messages)
        waiting = [*self._beats.values(), *(who for _, _, who in self._confirmations if who is not None)]
        for future in waiting:
            if not future.done():
                future.set_result(False)
        for transport in self._transports:
            transport.abort()
        for connection in self._connections:
            await connection.disconnect(nowait=True)

    # --- what comes and goes ----------------------------------------------------------------------------------------

    async def _beat_forever(self) -> None:
        while True:
            self._vitals.beat()
            self._send_beat(b"")
            await asyncio.sleep(BEAT_SECONDS)

    def _send_beat(self, name: bytes) -> None:
        self._messages.add(self._dialect.publish, self._beat_channel, name)

    async def _read_answers(self) -> None:
        publisher, _ = self._connections
        while True:
            await publisher.read_response(timeout=math.inf, disconnect_on_error=False)
            self._vitals.answered()

    async def _read_messages(self) -> None:
        _, subscriber = self._connections
        for number in itertools.count(1):
            kind, channel, payload = await subscriber.read_response(timeout=math.inf, disconnect_on_error=False)
            self._vitals.heard()
            if kind != self._dialect.message:
                self._confirmed(kind, channel)
            elif channel == self._beat_channel:
                self._beat_came_back(payload)
            else:
                self._receive(channel, payload)
            if not number % MESSAGES_PER_TURN:
                await asyncio.sleep(0)

    def _beat_came_back(self, name: bytes) -> None:
        self._vitals.came_back()
        waiting = self._beats.get(name)
        if waiting is not None and not waiting.done():
            waiting.set_result(True)

    def _confirmed(self, kind: bytes, channel: bytes) -> None:
        command, expected, waiting = self._confirmations.popleft() if self._confirmations else (b"", b"", None)
        if (kind.upper(), channel) != (command, expected):
            raise LinkLost("Redis has ended a subscription")
        if waiting is not None and not waiting.done():
            waiting.set_result(True)
